"""Alarms: scans for more than was expected, and the near-repeat test."""

from pocgeo.analyses.alarms.near_repeat import KnoxTest, near_repeat
from pocgeo.analyses.alarms.noise import Noise, alone, shared_noise
from pocgeo.analyses.alarms.placed import as_whole, whole_in_one_cell
from pocgeo.analyses.alarms.prospective import (
    Alarms,
    AlarmStandard,
    alarm_rows,
    alarms,
    ended_alarms,
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
    "Noise",
    "ScanResult",
    "Simulations",
    "Zones",
    "alarm_rows",
    "alarms",
    "alone",
    "as_whole",
    "disk_zones",
    "ended_alarms",
    "forecast_scan",
    "near_repeat",
    "permutation_scan",
    "population_scan",
    "shared_noise",
    "total_p",
    "whole_in_one_cell",
    "with_status",
    "zones_of",
]
