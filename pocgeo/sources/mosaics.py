"""Virtual rasters (VRT): one raster of many tiles, read only if it leads to nothing but them."""

from pathlib import Path, PurePosixPath, PureWindowsPath
from xml.etree.ElementTree import Element

from pocgeo.ground.errors import UnreadableSource
from pocgeo.sources.archives import content_kind
from pocgeo.sources.markup import document, local_name, refuse_large

__all__ = ["is_mosaic", "tiles_of_mosaic", "whole_of"]

PLAIN = frozenset(
    {
        "VRTDataset", "SRS", "GeoTransform", "Metadata", "MDI", "VRTRasterBand", "NoDataValue",
        "NODATA", "ColorInterp", "Offset", "Scale", "UnitType", "Description", "SimpleSource",
        "ComplexSource", "SourceFilename", "SourceBand", "SourceProperties", "SrcRect", "DstRect",
        "ScaleOffset", "ScaleRatio", "HideNoDataValue", "BlockXSize", "BlockYSize", "Histograms",
        "HistItem", "HistMin", "HistMax", "BucketCount", "IncludeOutOfRange", "Approximate",
        "HistCounts", "OverviewList",
    }
)  # fmt: skip
"""Elements that place tiles side by side; others run code, warp, or open what is no tile."""


def is_mosaic(path: Path) -> bool:
    """Say whether a file is called a virtual raster."""
    return path.suffix.lower() == ".vrt"


def whole_of(path: Path) -> tuple[Path, ...]:
    """Name every file that a source is made of: itself, and the tiles of a virtual raster."""
    return (path, *tiles_of_mosaic(path)) if is_mosaic(path) else (path,)


def tiles_of_mosaic(path: Path) -> tuple[Path, ...]:
    """Name the tiles of a virtual raster, once each, in its order.

    Raises
    ------
    UnreadableSource
        It is no VRT, does more than place GeoTIFFs side by side, or leads out of its folder.
    MissingFile
        A tile is missing.
    """
    content_kind(path)
    refuse_large(path, path.stat().st_size)
    root = document(path, path.read_bytes())
    if local_name(root) != "VRTDataset":
        raise UnreadableSource(path, "is no virtual raster. Build it with gdalbuildvrt.")
    tiles: dict[Path, None] = {}
    for element in root.iter():
        refuse_clever(path, element)
        if local_name(element) == "SourceFilename":
            tiles[tile_of(path, element)] = None
    for tile in tiles:
        if content_kind(tile) != "tiff":
            raise UnreadableSource(path, f"names {tile.name}, which is no GeoTIFF.")
    if not tiles:
        raise UnreadableSource(path, "names no tile. Build it with gdalbuildvrt.")
    return tuple(tiles)


def refuse_clever(path: Path, element: Element) -> None:
    """Refuse what is more than tiles side by side."""
    name, kind = local_name(element), element.get("subClass")
    if name not in PLAIN or kind not in (None, "VRTSourcedRasterBand"):
        raise UnreadableSource(
            path, f"does more than place tiles side by side ({kind or name}). Write it as GeoTIFF."
        )


def tile_of(path: Path, element: Element) -> Path:
    """Find a tile, which must lie in the folder of the virtual raster or below."""
    text = (element.text or "").strip()
    inside = (
        element.get("relativeToVRT") == "1"
        and text != ""
        and not PurePosixPath(text).is_absolute()
        and not PureWindowsPath(text).drive
        and ":" not in text
        and ".." not in PurePosixPath(text.replace("\\", "/")).parts
    )
    if not inside:
        raise UnreadableSource(
            path,
            f"leads out of its folder ({text[:80]!r}). Put it beside its tiles, and build it there "
            "with gdalbuildvrt.",
        )
    return path.parent / text
