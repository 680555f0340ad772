"""pocgeo: coverage gaps, 1 km obligations and hotspots for the protection of civilians."""
