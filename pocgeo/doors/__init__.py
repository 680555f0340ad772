"""Floor 8: the ways in. Doors import only the public API."""
