"""Floor 2: raw tables to named, checked layers. Every row is accepted, repaired or rejected."""
