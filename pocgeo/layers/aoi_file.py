"""aoi.toml: one area of interest, its outline, period, layers and standards."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import available_timezones

import shapely

from pocgeo.ground.areas import areas_km2
from pocgeo.ground.declarations import read_toml
from pocgeo.ground.errors import BadInput, MissingFile, clipped
from pocgeo.ground.markings import MARKINGS
from pocgeo.layers.boundary import read_boundary
from pocgeo.layers.catalog import layer_names, layer_spec, profile, profile_names
from pocgeo.layers.request import COORDINATE_FORMATS, MEASURES, LoadRequest, SourceRequest
from pocgeo.layers.standards_section import standards_of
from pocgeo.layers.strict import StrictTable, hint

__all__ = ["AoiFile", "new_aoi", "read_aoi"]

FINEST = 12
"""House limit: a cell of resolution 12 is 300 m2; nothing a mission knows is finer."""

GLOB_MARKS = "*?["
LONGEST_PATH = 4_096
"""Of Linux; the file system may allow less."""

MADE = (".pocgeo", "out", "releases")
"""Folders of an AOI that hold what pocgeo makes."""

FIRST_DAY = date(1900, 1, 1)
LONGEST_DAYS = 36_600
EARTH_KM2 = 510_065_622.0
MOST_CELLS = 5_000_000
"""House limit: about the cells of resolution 8 in the largest country of Africa, twice over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AoiFile:
    """What an aoi.toml says, checked."""

    folder: Path
    """The folder it lies in, absolute."""

    path: Path
    """The file itself, absolute."""

    name: str
    boundary: Path
    """Vector file of the outline."""

    resolution: int
    """H3 resolution of the cells, 0 to 12."""

    period: tuple[date, date]
    """First and last day, both inside."""

    time_zone: str
    """IANA zone of local days."""

    marking: str
    """One of pocgeo.ground.markings.MARKINGS."""

    note: str = ""
    """Printed on every product."""

    data_root: Path | None = None
    """Folder that layer paths start from, where it is not the AOI folder."""

    requests: tuple[LoadRequest, ...] = ()
    """One per layer, in the order of the file."""

    standards: Mapping[str, Any] = field(default_factory=dict)
    """The [standards] section as it stands; the questions check their own."""

    def outline(self) -> Any:
        """Read the boundary: shapely polygon(s), EPSG:4326."""
        return read_boundary(self.boundary)

    def request(self, layer: str) -> LoadRequest | None:
        """Find what is asked of a layer; None where the file does not name it."""
        return next((request for request in self.requests if request.layer == layer), None)


def read_aoi(path: Path | str) -> AoiFile:
    """Read an AOI file strictly.

    Parameters
    ----------
    path : Path
        The AOI folder, which holds aoi.toml, or a .toml file.

    Raises
    ------
    MissingFile
        The folder, the file, the boundary or a layer's file does not exist.
    BadInput
        A key is unknown or its value impossible; a path leads above the folder; one line.
    """
    path = Path(path).absolute()
    toml = path / "aoi.toml" if path.is_dir() else path
    if not path.exists():
        raise MissingFile("AOI", path)
    if not toml.is_file():
        raise BadInput(f"{path}: holds no aoi.toml. Make one with: pocgeo init {path}")
    top = StrictTable(toml, "", read_toml(toml))
    folder = toml.parent
    about = top.table("aoi")
    if not top.has("aoi"):
        raise top.wrong("", "there is no [aoi] section. See: pocgeo init.")
    data_root = root_of(about, folder)
    period = period_of(about)
    boundary_text = about.needed_text("boundary", "coast.geojson")
    (boundary,) = found_paths(about, "boundary", boundary_text, folder, data_root, "Boundary")
    aoi = AoiFile(
        folder=folder,
        path=toml,
        name=about.needed_text("name", "Northern sector"),
        boundary=boundary,
        resolution=resolution_of(about),
        period=period,
        time_zone=zone_of(about, "time_zone", needed=True) or "UTC",
        marking=about.choice("marking", MARKINGS, MARKINGS[0]) or MARKINGS[0],
        note=about.text("note") or "",
        data_root=data_root,
        requests=requests_of(top, about, folder, data_root, boundary, period),
        standards=standards_of(top),
    )
    about.finish()
    top.finish()
    refuse_too_many_cells(aoi)
    return aoi


def refuse_too_many_cells(aoi: AoiFile) -> None:
    """Refuse an outline and resolution that make more cells than a machine can hold."""
    parts = shapely.get_parts(aoi.outline())
    area_km2 = float(areas_km2(parts).sum())
    cells = area_km2 / EARTH_KM2 * (2 + 120 * 7**aoi.resolution)
    if cells > MOST_CELLS:
        raise BadInput(
            f"{aoi.path}: {area_km2:,.0f} km2 at resolution {aoi.resolution} are about "
            f"{cells:,.0f} cells; the most is {MOST_CELLS:,}. Take a smaller resolution or outline."
        )


def resolution_of(about: StrictTable) -> int:
    """Take the resolution."""
    resolution = about.whole("resolution", 8)
    if resolution is None or not 0 <= resolution <= FINEST:
        raise about.wrong("resolution", f"must be 0 to {FINEST}, got {resolution}.")
    return resolution


def root_of(about: StrictTable, folder: Path) -> Path | None:
    """Find the folder that layer paths start from; it may lie outside on purpose."""
    text = about.text("data_root")
    if text is None:
        return None
    root = (folder / text).resolve()
    if not root.is_dir():
        raise MissingFile(f"{about.path}: data_root", root)
    return root


def period_of(about: StrictTable) -> tuple[date, date]:
    """Take first and last day; either may be a TOML date or a text."""
    value = about.take("period", (list,), "a list of two days", None)
    example = 'Write for example period = ["2023-07-01", "2026-06-30"].'
    if value is None or len(value) != 2:
        raise about.wrong("period", f"needs a first and a last day. {example}")
    days = []
    for item in value:
        try:
            day = (
                date.fromisoformat(item)
                if isinstance(item, str)
                else date(item.year, item.month, item.day)
            )
        except (ValueError, AttributeError) as error:
            raise about.wrong("period", f"{item!r} is no day. {example}") from error
        days.append(day)
    if days[0] > days[1]:
        raise about.wrong("period", f"begins on {days[0]} after it ends on {days[1]}.")
    if days[0] < FIRST_DAY or (days[1] - days[0]).days > LONGEST_DAYS:
        raise about.wrong(
            "period",
            f"{days[0]} to {days[1]}: begin in 1900 or later, and ask for 100 years or less.",
        )
    return days[0], days[1]


def zone_of(table: StrictTable, key: str, *, needed: bool) -> str | None:
    """Take a time zone that the tz database knows."""
    zone = table.needed_text(key, "Africa/Juba") if needed else table.text(key)
    if zone is not None and zone not in available_timezones():
        raise table.wrong(key, f"{zone!r} is no time zone. {hint(zone, nearest_zones(zone))}")
    return zone


def nearest_zones(zone: str) -> list[str]:
    """List the zones of the same area of the world, or the areas."""
    area = zone.split("/", maxsplit=1)[0]
    zones = [name for name in available_timezones() if name.lower().startswith(f"{area.lower()}/")]
    return zones if 0 < len(zones) <= 60 else ["Africa/Juba", "Africa/Bangui", "Asia/Beirut", "UTC"]


def requests_of(
    top: StrictTable,
    about: StrictTable,
    folder: Path,
    data_root: Path | None,
    boundary: Path,
    period: tuple[date, date],
) -> tuple[LoadRequest, ...]:
    """Take every layer and its sources."""
    layers = top.table("layers")
    zone = zone_of(about, "time_zone", needed=True) or "UTC"
    known = layer_names(folder)
    requests = []
    for name in layers.values:
        if name not in known:
            raise layers.wrong(
                name,
                f"is no layer. {hint(name, known)} Your own: layers/{name}.toml beside aoi.toml.",
            )
        sources = tuple(source_of(table, folder, data_root, name) for table in layers.listed(name))
        if not sources:
            raise layers.wrong(name, "names no source.")
        requests.append(
            LoadRequest(
                spec=layer_spec(name, folder),
                sources=sources,
                time_zone=zone,
                boundary=boundary,
                period_ends_on=period[1],
            )
        )
    return tuple(requests)


def source_of(
    table: StrictTable, folder: Path, data_root: Path | None, layer: str
) -> SourceRequest:
    """Take one source of a layer."""
    text = table.needed_text("path", f"{layer}.csv")
    paths = found_paths(table, "path", text, folder, data_root, f"Layer {layer}")
    refuse_misplaced(table, layer_spec(layer, folder).geometry)
    named = table.choice("profile", profile_names())
    if named is not None and layer not in profile(named).layers:
        wanted = [name for name in profile_names() if layer in profile(name).layers]
        raise table.wrong("profile", f"{named!r} is not for {layer}. {hint(named, wanted)}")
    maps = table.table("values")
    bands = table.table("bands")
    source = SourceRequest(
        paths=paths,
        profile=named,
        sheet=table.take("sheet", (str, int), "a sheet's name or number", None),
        table=table.text("table"),
        crs=table.text("crs"),
        encoding=table.text("encoding"),
        delimiter=table.take("delimiter", (str,), "one character", None),
        header_row=table.whole("header_row"),
        day_first=table.optional_flag("day_first"),
        time_zone=zone_of(table, "time_zone", needed=False),
        lon=table.text("lon"),
        lat=table.text("lat"),
        coordinates=table.text("coordinates"),
        coordinate_format=table.choice("coordinate_format", COORDINATE_FORMATS),
        columns=table.mapping("columns"),
        value_maps={
            name: {text.lower(): value for text, value in maps.mapping(name).items()}
            for name in maps.values
        },
        defaults=table.mapping("defaults"),
        where=table.lists("where"),
        dissolve=table.text("dissolve"),
        max_speed_kmh=table.number("max_speed_kmh"),
        bands={name: bands.whole(name) or 0 for name in bands.values},
        measure=table.choice("measure", MEASURES),
        expect_persons=table.pair("expect_persons"),
    )
    table.finish()
    return source


def refuse_misplaced(table: StrictTable, geometry: str) -> None:
    """Refuse keys that mean nothing for the layer's geometry."""
    of_rasters = ("bands", "measure", "expect_persons")
    of_tracks = ("max_speed_kmh",)
    of_rows = ("sheet", "columns", "values", "defaults", "where", "lon", "lat", "day_first")
    misplaced = {
        "raster": (*of_rows, *of_tracks, "coordinates", "dissolve"),
        "track": (*of_rasters, "dissolve"),
    }.get(geometry, (*of_rasters, *of_tracks))
    for key in misplaced:
        if table.has(key):
            raise table.wrong(key, f"has no meaning for a {geometry} layer. Take the line out.")


def found_paths(
    table: StrictTable,
    key: str,
    text: str,
    folder: Path,
    data_root: Path | None,
    what: str,
) -> tuple[Path, ...]:
    """Find the files of a path or glob: below the AOI folder or data_root, or absolute on purpose.

    Links may lead elsewhere: they are set on purpose. `..` may not lead above the root.
    """
    if not text.isprintable() or len(text) > LONGEST_PATH:
        raise table.wrong(key, f"{clipped(text)!r} is no path. Write the name of a file.")
    roots = [root for root in (data_root, folder) if root is not None]
    if Path(text).is_absolute():
        candidates = [Path(text)]
    else:
        if leads_above(text):
            raise table.wrong(
                key, f"{text!r} leads above the folder. Write it absolute, or set data_root."
            )
        candidates = [root / text for root in roots]
    try:
        return matched_paths(text, candidates, folder) or refuse_nothing(
            table, key, candidates, what
        )
    except (OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, BadInput):
            raise
        why = getattr(error, "strerror", None) or error
        raise table.wrong(key, f"{clipped(text)!r} cannot be looked up ({why}).") from error


def matched_paths(text: str, candidates: list[Path], folder: Path) -> tuple[Path, ...]:
    """Find the file of a path, else those of a glob; none where there is nothing."""
    for candidate in candidates:
        if candidate.is_file():
            return (candidate,)
    if any(mark in text for mark in GLOB_MARKS):
        for candidate in candidates:
            anchor = Path(candidate.anchor)
            matched = sorted(
                path
                for path in anchor.glob(str(candidate.relative_to(anchor)))
                if not is_made(path, folder) and path.is_file()
            )
            if matched:
                return tuple(matched)
    return ()


def refuse_nothing(table: StrictTable, key: str, candidates: list[Path], what: str) -> NoReturn:
    """Say why a path leads to no file."""
    for candidate in candidates:
        if os.path.lexists(candidate):
            kind = "a folder" if candidate.is_dir() else "a link that leads nowhere or no file"
            raise table.wrong(key, f"{candidate} is {kind}. Name a file, or several with *.")
    raise MissingFile(f"{table.path}: {what}", candidates[0])


def is_made(path: Path, folder: Path) -> bool:
    """Say whether pocgeo made a file: the store and the products are no input."""
    return any(folder / made in path.parents for made in MADE)


def leads_above(text: str) -> bool:
    """Say whether a relative path leaves its root on the way."""
    depth = 0
    for part in Path(text).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def new_aoi(folder: Path) -> str:
    """Write the text of a commented aoi.toml for a new AOI folder.

    Parameters
    ----------
    folder : Path
        Whose name becomes the AOI's.
    """
    template = Path(__file__).with_name("aoi_template.toml").read_text(encoding="utf-8")
    name = folder.name.replace("_", " ").replace("-", " ").strip() or "My area"
    return template.replace("@NAME@", name.replace('"', "'").replace("\\", " "))
