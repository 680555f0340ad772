"""Floor 3: where tasks run, and the cell store."""
