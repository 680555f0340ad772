"""Floor 7: one area of interest, its layers, every question asked of it."""

from pocgeo.aoi.area import Aoi, open_aoi

__all__ = ["Aoi", "open_aoi"]
