"""The house: floors, rooms of third-party libraries, exported names, budgets, what is committed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pocgeo"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "vendor" not in path.parts)

FLOORS = [
    "ground", "sources", "layers", "engine", "cells", "analyses", "products", "aoi", "doors",
]  # fmt: skip

ROOMS = {  # library -> the only places that may import it
    "h3": {"pocgeo.cells.grid"},
    "rasterio": {"pocgeo.sources.raster"},
    "folium": {"pocgeo.products.maps"},
    "branca": {"pocgeo.products.maps"},
    "duckdb": {"pocgeo.engine"},
    "dask": {"pocgeo.engine"},
    "distributed": {"pocgeo.engine"},
    "click": {"pocgeo.doors"},
    "matplotlib": {"pocgeo.products.figures"},
    "arabic_reshaper": {"pocgeo.products.figures"},
    "bidi": {"pocgeo.products.figures"},
    "pptx": {"pocgeo.products.slides"},
    "pyvrp": {"pocgeo.analyses.patrols"},
    "mgrs": {"pocgeo.ground.grid_reference"},
    "exactextract": {"pocgeo.analyses.proximity", "pocgeo.cells.population"},
    "charset_normalizer": {"pocgeo.sources"},
    "openpyxl": {"pocgeo.products", "pocgeo.sources"},
    "pyogrio": {"pocgeo.sources", "pocgeo.products"},
}

MODULE_LINES, FUNCTION_LINES, PARAMETERS = 400, 50, 7


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_a_module_imports_only_from_lower_floors() -> None:
    for path in SOURCES:
        name = module_name(path)
        parts = name.split(".")
        if len(parts) == 1 or parts[1] not in FLOORS:
            assert name in {"pocgeo", "pocgeo.__main__"}, f"{name} has no floor"
            continue
        for imported in imports_of(path):
            if imported.startswith("pocgeo."):
                other = imported.split(".")[1]
                low = FLOORS.index(other) < FLOORS.index(parts[1]) or other == parts[1]
                assert low, f"{name} imports {imported}, which is not on a lower floor"


def test_each_library_has_one_room() -> None:
    for path in SOURCES:
        name = module_name(path)
        for imported in imports_of(path):
            rooms = ROOMS.get(imported.split(".")[0])
            if rooms is not None:
                inside = any(name == room or name.startswith(room + ".") for room in rooms)
                assert inside, f"{name} imports {imported}; its room is {sorted(rooms)}"


def test_analyses_touch_no_file_clock_or_network() -> None:
    forbidden = {"datetime.now", "os", "pathlib", "socket", "urllib", "requests", "random", "time"}
    for path in (PACKAGE / "analyses").rglob("*.py"):
        used = {name.split(".")[0] for name in imports_of(path)} & forbidden
        assert not used, f"{module_name(path)} imports {used}: analyses are pure functions"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_budgets(path: Path) -> None:
    text = path.read_text("utf8")
    assert len(text.splitlines()) <= MODULE_LINES, f"{path.name}: asks for a second room"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES, f"{path.name}: {node.name} has {lines} lines"
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            named = [each for each in arguments if each.arg not in {"self", "cls"}]
            door = module_name(path).startswith("pocgeo.doors")
            assert door or len(named) <= PARAMETERS, f"{path.name}: {node.name} takes too many"


def test_no_module_is_called_for_what_it_is_not() -> None:
    banned = {"utils", "helpers", "common", "core", "base", "misc", "manager", "util", "helper"}
    assert not [module_name(path) for path in SOURCES if path.stem in banned]


def test_every_module_says_its_duty() -> None:
    for path in SOURCES:
        assert ast.get_docstring(ast.parse(path.read_text("utf8"))), f"{path} has no docstring"


def test_exported_names_exist_and_are_all() -> None:
    import pocgeo

    assert sorted(pocgeo.__all__) == list(pocgeo.__all__)
    for name in pocgeo.__all__:
        assert getattr(pocgeo, name) is not None
    with pytest.raises(AttributeError):
        _ = pocgeo.no_such_name  # type: ignore[attr-defined]


def test_import_is_light() -> None:
    """`import pocgeo` must not pull in the stack: the bar is 0.5 s; what costs is listed here."""
    code = (
        "import sys, pocgeo; "
        "print([m for m in ('pandas', 'geopandas', 'rasterio', 'folium', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_committed_is_small_and_ours() -> None:
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    for name in done.stdout.splitlines():
        path = ROOT / name
        assert ".pocgeo" not in path.parts, f"{name} is derived"
        if path.is_file() and path.stat().st_size > 2_000_000:
            assert name.startswith("sample_aoi/"), f"{name} is over 2 MB"
