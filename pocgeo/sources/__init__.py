"""Floor 1: bytes to raw tables. Formats, not meanings."""
