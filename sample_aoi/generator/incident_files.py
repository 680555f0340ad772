"""The two incident files: UCDP-GED-shaped and ACLED-shaped, with faults planted on purpose."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from generator.names import ACTORS, COUNTRY
from generator.reports import Report
from generator.writing import write_csv

__all__ = ["write_incidents"]

GED = (
    "id", "relid", "year", "type_of_violence", "conflict_name", "dyad_name", "side_a", "side_b",
    "number_of_sources", "source_office", "where_prec", "where_coordinates", "where_description",
    "adm_1", "adm_2", "latitude", "longitude", "country", "event_clarity", "date_prec",
    "date_start", "date_end", "deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "best",
    "high", "low", "position_error_m", "received_on", "women_killed", "children_killed",
)  # fmt: skip
ACLED = (
    "event_id_cnty", "event_date", "year", "time_precision", "event_type", "sub_event_type",
    "actor1", "inter1", "actor2", "inter2", "civilian_targeting", "country", "admin1", "admin2",
    "location", "latitude", "longitude", "geo_precision", "source", "notes", "fatalities",
    "timestamp", "position_error_m", "received_on", "civilians_harmed", "women_killed",
    "children_killed",
)  # fmt: skip
SUB_EVENTS = {
    "killing": ("Violence against civilians", "Attack"),
    "injury": ("Violence against civilians", "Attack"),
    "abduction": ("Violence against civilians", "Abduction/forced disappearance"),
    "sexual_violence": ("Violence against civilians", "Sexual violence"),
    "looting": ("Strategic developments", "Looting/property destruction"),
    "threat": ("Strategic developments", "Arrests"),
    "battle": ("Battles", "Armed clash"),
    "ordnance": ("Explosions/Remote violence", "Remote explosive/landmine/IED"),
    "mob": ("Riots", "Mob violence"),
}
INTER = {
    "state_forces": "State forces", "non_state_armed_group": "Rebel group",
    "extremist_group": "Rebel group", "self_defence_group": "Identity militia",
    "community": "Identity militia", "criminal": "Political militia",
    "explosive_ordnance": "Political militia", "unknown": "Political militia",
}  # fmt: skip
FAULTS = {
    # file: (row it starts from, new number, what is wrong, what a load report must say)
    "ucdp_ged.csv": (
        (30, None, "latitude and longitude swapped", "repaired"),
        (70, 700_902, "impossible date", "rejected"),
        (110, 700_903, "no coordinates", "rejected"),
        (150, 700_904, "open sea, far outside", "rejected"),
        (190, None, "exact duplicate", "rejected"),
    ),
    "acled.csv": (
        (60, None, "latitude and longitude swapped", "repaired"),
        (120, "ILH9002", "date after the end of the period", "rejected"),
        (180, None, "fatalities in words", "repaired"),
        (240, "ILH9004", "latitude ten times too large", "rejected"),
        (300, None, "same number, other content", "rejected"),
        (360, "ILH9005", "no coordinates", "rejected"),
    ),
}
ENEMIES = {
    "state_forces": "non_state_armed_group", "non_state_armed_group": "state_forces",
    "extremist_group": "state_forces", "self_defence_group": "community",
    "community": "community",
}  # fmt: skip
SOURCES = ("Ilhara Radio (invented)", "Mission daily report", "Community liaison", "Local network")
Row = list[Any]


def write_incidents(folder: Path, reports: Sequence[Report]) -> None:
    """Write both files, the list of planted faults, and where each event came from."""
    ged = [r for r in reports if r.ged]
    acled = [r for r in reports if not r.ged]
    ged_rows = [_ged_row(r, 700_001 + n) for n, r in enumerate(ged)]
    acled_rows = [_acled_row(r, f"ILH{n + 1:04d}") for n, r in enumerate(acled)]
    truth = [
        (row[0], r.event.origin, r.event.generation, r.event.category,
         round(r.event.lon, 5), round(r.event.lat, 5))
        for rows, told in ((ged_rows, ged), (acled_rows, acled))
        for row, r in zip(rows, told, strict=True)
    ]  # fmt: skip
    faults = _spoil("ucdp_ged.csv", GED, ged_rows) + _spoil("acled.csv", ACLED, acled_rows)
    write_csv(folder / "ucdp_ged.csv", GED, ged_rows)
    write_csv(folder / "acled.csv", ACLED, acled_rows)
    header = ("file", "line", "id", "fault", "expected")
    write_csv(folder / "truth" / "planted_faults.csv", header, faults)
    header = ("incident_id", "origin", "generation", "category", "true_lon", "true_lat")
    write_csv(folder / "truth" / "incident_origins.csv", header, truth)


def _ged_row(report: Report, number: int) -> Row:
    category = report.event.category
    if report.kind != "battle":
        violence, side_b = 3, "Civilians"
    else:
        violence = 2 if category in {"community", "self_defence_group"} else 1
        side_b = ACTORS[ENEMIES[category]][report.actor == ACTORS["community"][0]]
    side_a = report.actor
    fighters = report.killed - report.killed_civilians
    lost_a = fighters // 2
    prec = 1 if report.ended == report.occurred else 2
    coarse = report.precision > 2
    area2 = None if report.precision == 4 else report.area2
    return [
        number, f"ILH-{report.occurred.year}-{violence}-{number - 700_000}", report.occurred.year,
        violence, f"{COUNTRY}: {'Government' if violence == 1 else side_a}", f"{side_a} - {side_b}",
        side_a, side_b, 1 + number % 3, SOURCES[number % 2], report.precision, report.place,
        f"{report.place}, {report.area1}", report.area1, area2,
        f"{report.lat:.5f}" if not coarse else report.lat,
        f"{report.lon:.5f}" if not coarse else report.lon,
        COUNTRY, 1 if report.received == report.ended else 2, prec,
        f"{report.occurred} 00:00:00.000", f"{report.ended} 00:00:00.000", lost_a,
        fighters - lost_a, report.killed_civilians, 0, report.killed, report.killed + number % 2,
        report.killed, report.error_m, report.received.isoformat(), report.women, report.children,
    ]  # fmt: skip


def _acled_row(report: Report, number: str) -> Row:
    event_type, sub_event = SUB_EVENTS[report.kind]
    category = report.event.category
    against = report.civilians_targeted or report.kind == "ordnance"
    if report.kind == "battle":
        inter2 = INTER[ENEMIES[category]]
        actor2 = ACTORS[ENEMIES[category]][report.actor == ACTORS["community"][0]]
    else:
        actor2, inter2 = f"Civilians ({COUNTRY})", "Civilians"
    noon = datetime.combine(report.received, time(12), tzinfo=UTC)
    digits = 5 if report.precision == 1 else 4
    note = f"Invented: {sub_event.lower()} at {report.place}, {report.killed} killed."
    return [
        number, report.occurred.isoformat(), report.occurred.year,
        1 if report.ended == report.occurred else 2, event_type, sub_event, report.actor,
        INTER[category], actor2, inter2, "Civilian targeting" if against else None, COUNTRY,
        report.area1, None if report.precision == 3 else report.area2, report.place,
        f"{report.lat:.{digits}f}", f"{report.lon:.{digits}f}", report.precision,
        SOURCES[int(number[3:]) % 4], note, report.killed, int(noon.timestamp()),
        report.error_m, report.received.isoformat(), report.harmed, report.women, report.children,
    ]  # fmt: skip


def _spoil(file: str, header: Sequence[str], rows: list[Row]) -> list[tuple[Any, ...]]:
    """Plant the faults of one file: in the row itself where it is expected to survive.

    The others are copies of good rows, under a new number or (None) under the same.
    """
    spoilt = []
    for at, number, fault, expected in FAULTS[file]:
        bad = rows[at]
        if expected == "rejected":
            bad = list(bad)
            rows.insert(at + 1, bad)
        bad[0] = number or bad[0]
        told = dict(zip(header, bad, strict=True))
        for column, value in _change(fault, told).items():
            bad[header.index(column)] = value
        spoilt.append((bad, fault, expected))
    lines = {id(row): line for line, row in enumerate(rows, start=2)}
    return [(file, lines[id(bad)], bad[0], fault, ending) for bad, fault, ending in spoilt]


def _change(fault: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return the columns a fault changes, with what they then hold."""
    changes: dict[str, dict[str, Any]] = {
        "latitude and longitude swapped": {
            "latitude": told["longitude"],
            "longitude": told["latitude"],
        },
        "no coordinates": {"latitude": None, "longitude": None},
        "impossible date": dict.fromkeys(("date_start", "date_end"), "2025-02-30 00:00:00.000"),
        "open sea, far outside": {"latitude": "3.60000", "longitude": "6.40000"},
        "date after the end of the period": {"event_date": "2027-01-15"},
        "fatalities in words": {"fatalities": "several"},
        "exact duplicate": {},
    }
    if fault in changes:
        return changes[fault]
    if fault == "latitude ten times too large":
        return {"latitude": f"{float(told['latitude']) * 10:.4f}"}
    return {"fatalities": int(told["fatalities"]) + 3}
