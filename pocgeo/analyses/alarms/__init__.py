"""Alarms: scans for more than was expected, and the near-repeat test."""

from pocgeo.analyses.alarms.near_repeat import KnoxTest, near_repeat
from pocgeo.analyses.alarms.placed import whole_in_one_cell
from pocgeo.analyses.alarms.prospective import (
    Alarms,
    AlarmStandard,
    alarm_rows,
    alarms,
    total_p,
    with_status,
)
from pocgeo.analyses.alarms.scan import (
    ScanResult,
    Simulations,
    forecast_scan,
    permutation_scan,
    population_scan,
)
from pocgeo.analyses.alarms.zones import Zones, disk_zones, zones_of

__all__ = [
    "AlarmStandard",
    "Alarms",
    "KnoxTest",
    "ScanResult",
    "Simulations",
    "Zones",
    "alarm_rows",
    "alarms",
    "disk_zones",
    "forecast_scan",
    "near_repeat",
    "permutation_scan",
    "population_scan",
    "total_p",
    "whole_in_one_cell",
    "with_status",
    "zones_of",
]
