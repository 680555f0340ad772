"""What is asked of a deployment, and by which standard its answer is judged."""

from dataclasses import dataclass

from pocgeo.ground.errors import BadInput

__all__ = ["DEMANDS", "MOVES_BY", "DeploymentQuestion", "DeploymentStandard"]

DEMANDS = ("risk", "people")
MOVES_BY = ("ground", "air")

MOST = 1_000
"""House limit of bases opened, moved or closed at once: the ladder of gains has a rung for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentQuestion:
    """How much may change: new bases, moves, closures; any mix."""

    new: int = 0
    """Temporary bases to be opened, at most."""

    moves: int = 0
    """Bases that may move to a new place, at most."""

    closures: int = 0
    """Bases to be closed, exactly."""

    def __post_init__(self) -> None:
        for name in ("new", "moves", "closures"):
            if not 0 <= getattr(self, name) <= MOST:
                raise BadInput(f"{name} must be from 0 to {MOST:,}, got {getattr(self, name)}.")

    @property
    def words(self) -> str:
        """Say the question as a title does."""
        said = [
            f"{count} {one if count == 1 else many}"
            for count, one, many in (
                (self.new, "new base", "new bases"),
                (self.moves, "move", "moves"),
                (self.closures, "closure", "closures"),
            )
            if count
        ]
        return ", ".join(said) or "no change"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStandard:
    """What counts as cover, what new places are like, and how good an answer must be."""

    steps_min: tuple[float, ...] = (30.0, 60.0, 120.0)
    """Minutes from the order to the arrival, rising."""

    step_weights: tuple[float, ...] = (1.0, 0.6, 0.25)
    """Worth of a person reached within each step, falling (house defaults)."""

    demand: str = "risk"
    """Who counts: "risk" (risk-weighted people) or "people"."""

    backup_weight: float = 0.0
    """Worth of a second base within `middle_min`; at most what that step itself adds."""

    middle_min: float = 60.0
    """Step at which backup, and strength, are judged: one of the steps."""

    protect_min: float = 30.0
    """Protected places reached within this today must stay so."""

    equity: float = 0.0
    """0: people count alike wherever they live. 1: the first quarter of an area's people to be
    covered counts thrice, the second twice, what the last half does."""

    move_limit_km: float | None = 150.0
    """Greatest distance of a move, geodesic (house default); None: any."""

    moves_by: str = "ground"
    """"ground": a base that does not fly moves only where a march leads. "air": any is flown."""

    march_limit_min: float = 2_880.0
    """Longest march of a base that moves over the ground, minutes (house default: two days)."""

    platoons_n: int | None = None
    """Platoons that there are in all; None: strength is not asked."""

    platoons_least: int = 1
    """Fewest platoons of a base."""

    platoons_most: int = 6
    """Most platoons of a base."""

    persons_per_platoon: float = 10_000.0
    """People (or risk-weighted people) for whom one platoon suffices (house default)."""

    mobility: str = "wheeled"
    """How people move from a new place, whoever is sent there."""

    notice_min: float = 30.0
    """Readiness at a new place, minutes."""

    range_km: float | None = None
    """How far from a new place people may go; None: any."""

    candidates_n: int = 300
    """Proposed places are thinned to this number."""

    spacing_km: float = 5.0
    """Proposed places closer together than this are told apart only if there is room."""

    ring_km: float = 20.0
    """Around vacated and new places violence may shift within this (house default)."""

    speed_change: float = 0.3
    """Speeds are tried this share faster and slower."""

    gap: float = 0.005
    """Greatest share by which the best plan may be better than the one given."""

    seed: int = 0
    """Of the random numbers of the search."""

    def __post_init__(self) -> None:
        self.check_steps()
        if self.demand not in DEMANDS:
            raise BadInput(f"demand must be {' or '.join(DEMANDS)}, got {self.demand!r}.")
        if self.moves_by not in MOVES_BY:
            raise BadInput(f"moves_by must be {' or '.join(MOVES_BY)}, got {self.moves_by!r}.")
        most = self.gain_of(self.middle_min)
        if not 0 <= self.backup_weight <= most:
            raise BadInput(
                f"backup_weight must lie between 0 and {most:g}, which a first base within "
                f"{self.middle_min:g} min adds; got {self.backup_weight:g}."
            )
        if not 0 <= self.equity <= 1:
            raise BadInput(f"equity must lie between 0 and 1, got {self.equity:g}.")
        if not 0 <= self.gap < 1 or not 0 <= self.speed_change < 1:
            raise BadInput("gap and speed_change must be 0 or more and less than 1.")
        for name in ("move_limit_km", "range_km", "spacing_km", "ring_km", "protect_min",
                     "march_limit_min"):  # fmt: skip
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise BadInput(f"{name} must be more than 0, got {value:g}.")
        if not 1 <= self.platoons_least <= self.platoons_most or self.persons_per_platoon <= 0:
            raise BadInput(
                "platoons_least must be 1 or more and at most platoons_most, and "
                "persons_per_platoon more than 0."
            )
        if self.candidates_n < 1 or not 0 <= self.notice_min < float("inf"):
            raise BadInput("candidates_n must be 1 or more, and notice_min 0 or more.")

    def check_steps(self) -> None:
        """Refuse steps that do not rise, and weights that do not fall."""
        steps, weights = self.steps_min, self.step_weights
        if not steps or len(steps) != len(weights):
            raise BadInput(
                f"steps_min and step_weights must be as many: {len(steps)} and {len(weights)}."
            )
        rising = all(a < b for a, b in zip((0.0, *steps), steps, strict=False))
        falling = all(a > b for a, b in zip(weights, (*weights[1:], 0.0), strict=True))
        if not rising or not falling:
            raise BadInput(
                "steps_min must rise from more than 0, and step_weights fall and be more than 0."
            )
        if self.middle_min not in steps:
            object.__setattr__(self, "middle_min", steps[len(steps) // 2])

    @property
    def gains(self) -> tuple[float, ...]:
        """What being reached within each step adds to being reached within the next."""
        later = (*self.step_weights[1:], 0.0)
        return tuple(now - then for now, then in zip(self.step_weights, later, strict=True))

    def gain_of(self, step_min: float) -> float:
        """Give what being reached within one step adds."""
        return self.gains[self.steps_min.index(step_min)]

    @property
    def limit_min(self) -> float:
        """Minutes that a reach table must hold, so that faster speeds can be tried."""
        return self.steps_min[-1] / (1 - self.speed_change)
