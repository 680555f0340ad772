"""Floor 0: what every room stands on. Errors, geodesy, grid references, frames, provenance."""
