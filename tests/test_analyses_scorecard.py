"""The scorecard: scores by their definition, pairs by hand, and a record that is not flattered."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pocgeo.analyses.forecast import ForecastStandard
from pocgeo.analyses.forecast.dispersion import Dispersion
from pocgeo.analyses.forecast.outlook import rates_of
from pocgeo.analyses.scorecard import Scorecard, ScorecardStandard, scorecard
from pocgeo.analyses.scorecard.backtest import backtest
from pocgeo.analyses.scorecard.pairs import ratio_interval, resampled
from pocgeo.analyses.scorecard.scores import crps, held, held_by_area, held_by_cells
from pocgeo.ground.errors import BadInput
from tests.forecast_world import drawn, last_day, world_cells

MONTHS = 72
STANDARD = ForecastStandard(resolution=6)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return world_cells(rings=7)


@pytest.fixture(scope="module")
def events(cells: pd.DataFrame) -> pd.DataFrame:
    return drawn(cells, MONTHS, seed=11)[0]


@pytest.fixture(scope="module")
def card(cells: pd.DataFrame, events: pd.DataFrame) -> Scorecard:
    return scorecard(events, cells, last_day(MONTHS), STANDARD)


def test_ties_count_as_the_mean_over_every_order() -> None:
    expected, came = np.array([2.0, 1.0, 1.0, 1.0, 0.5]), np.array([1.0, 4.0, 0.0, 2.0, 3.0])
    by_hand = []
    for middle in itertools.permutations([1, 2, 3]):
        order = [0, *middle, 4]
        by_hand.append([came[order[:k]].sum() for k in (1, 2, 3, 5)])
    found = held(expected, came, np.ones(5), np.array([1.0, 2.0, 3.0, 5.0]))
    np.testing.assert_allclose(found, np.mean(by_hand, axis=0))


def test_land_is_ranked_by_density_and_the_best_possible_is_never_beaten() -> None:
    random = np.random.Generator(np.random.PCG64(2))
    area = random.uniform(0.1, 1, 200)
    came = random.poisson(0.3, 200).astype(float)
    for _ in range(20):
        ranked, ideal = held_by_area(random.random(200), came, area, (0.01, 0.05, 0.1))
        assert (ranked <= ideal + 1e-9).all()
    ranked, ideal = held_by_area(came, came, area, (0.01, 0.05, 1.0))
    np.testing.assert_allclose(ranked, ideal)
    assert ideal[-1] == pytest.approx(came.sum())
    assert held_by_cells(came, came, (10,))[0] == np.sort(came)[-10:].sum()


def test_crps_is_its_integral() -> None:
    spread = Dispersion(scale=1.3, power=0.4)
    mean = np.array([0.05, 0.8, 6.0, 40.0])
    count = np.array([1.0, 0.0, 9.0, 3.0])
    size = spread.size(mean)
    k = np.arange(3_000)
    below = stats.nbinom.cdf(k, size[:, None], (size / (size + mean))[:, None])
    by_hand = ((below - (k >= count[:, None])) ** 2).sum(axis=1)
    np.testing.assert_allclose(crps(mean, count, spread), by_hand, rtol=1e-6)
    # Gneiting and Raftery's other form: E|X - y| - E|X - X'| / 2, by draws.
    random = np.random.Generator(np.random.PCG64(4))
    one, two = (random.negative_binomial(size[2], size[2] / (size[2] + 6.0), 200_000)
                for _ in range(2))  # fmt: skip
    drawn_score = np.abs(one - 9).mean() - np.abs(one - two).mean() / 2
    assert crps(mean, count, spread)[2] == pytest.approx(drawn_score, rel=0.02)


def test_blocks_keep_neighbours_together_and_the_seed_decides() -> None:
    drawn_at = resampled(10, 4, 50, seed=3)
    steps = np.diff(drawn_at, axis=1) % 10
    assert drawn_at.shape == (50, 10)
    assert (steps[:, [0, 1, 2, 4, 5, 6]] == 1).all()
    assert (drawn_at == resampled(10, 4, 50, seed=3)).all()
    assert (drawn_at != resampled(10, 4, 50, seed=4)).any()


def test_an_interval_of_no_difference_is_zero_and_of_a_sure_one_excludes_it() -> None:
    at = resampled(20, 4, 500, seed=1)
    came = np.arange(1.0, 21.0)
    assert ratio_interval(np.zeros(20), came, at, 0.95) == (0.0, 0.0, 0.0)
    mean, low, high = ratio_interval(0.5 * came, came, at, 0.95)
    assert mean == pytest.approx(0.5)
    assert low == pytest.approx(high) == pytest.approx(0.5)


def test_the_model_beats_simpler_rules_in_its_own_world(card: Scorecard) -> None:
    scores = card.scores.set_index("measure")
    logs = scores.loc["Log score per incident"]
    for peer in ("score_year", "score_all", "score_kernel", "score_people"):
        assert logs["score_forecast"] < logs[peer]
    assert 0.8 < scores.loc["Expected per one that came", "score_forecast"] < 1.25


def test_chances_come_true_as_often_as_they_say(card: Scorecard) -> None:
    table = card.reliability
    many = table[table["places_n"] >= 150]
    assert len(many) >= 3
    deviation = np.sqrt(many["chance_mean"] * (1 - many["chance_mean"]) / many["places_n"])
    # Disks overlap and quarters share a level, so the binomial error is trebled.
    off = (many["came_share"] - many["chance_mean"]).abs()
    assert (off <= 3 * 3 * deviation).all()


def test_verdicts_follow_the_intervals(card: Scorecard) -> None:
    table = card.differences
    clear = (table["difference_low"] > 0) | (table["difference_high"] < 0)
    assert (clear == ~table["conclusion"].eq("no clear difference")).all()
    higher = table["measure"].str.startswith("Share")
    better = np.where(higher, table["difference"] > 0, table["difference"] < 0)
    told = table["conclusion"].eq("forecast better").to_numpy()
    assert (better[told]).all()
    assert told.any()


def test_nothing_later_flatters_an_earlier_score(cells, events) -> None:
    """A record cut off in the middle scores its own past as the whole record does."""
    half = last_day(48)
    whole, _ = rates_of(events, cells, last_day(MONTHS), STANDARD)
    part, _ = rates_of(events[events["occurred_on"] <= half], cells, half, STANDARD)
    one, two = backtest(whole, part.record.count, 20), backtest(part, part.record.count, 20)
    assert one.origins == two.origins
    for name, trials in one.trials.items():
        ours = np.array([each.log_score for each in trials])
        theirs = np.array([each.log_score for each in two.trials[name]])
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_last_time_lists_what_was_said_and_what_was_missed(card: Scorecard, cells, events) -> None:
    last = card.last
    assert last["rank"].head(20).tolist() == list(range(1, 21))
    start = last_day(MONTHS - 3)
    came = events[events["occurred_on"] > start].groupby("cell")["weight"].sum()
    assert (last["came"] == last["cell"].map(came).fillna(0)).all()
    missed = last[last["outcome"] == "not among the top places"]
    assert (missed["rank"] > 20).all()
    assert (missed["came"] >= 1).all()
    assert "Last time, Oct 2015 to Dec 2015" in card.notes[-1]


def test_quiet_places_are_spoken_of_plainly(card: Scorecard) -> None:
    assert "nothing had been recorded for 12 months" in card.notes[1]
    assert "no promise of quiet" in card.notes[1]


def test_the_same_question_gives_the_same_bytes(cells, events, card: Scorecard) -> None:
    again = scorecard(events.sample(frac=1, random_state=4), cells, last_day(MONTHS), STANDARD)
    for name in ("scores", "differences", "reliability", "last"):
        assert getattr(again, name).to_csv() == getattr(card, name).to_csv()
    assert again.notes == card.notes


def test_a_record_too_short_to_score_is_refused_in_words(cells, events) -> None:
    early = events[events["occurred_on"] <= last_day(18)]
    with pytest.raises(BadInput, match="too few to score a forecast of 3 months"):
        scorecard(early, cells, last_day(18), STANDARD)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"origins": 0}, "origins must be a whole number"), ({"draws": 1.5}, "draws must be"),
        ({"level": 0}, "between 0 and 1"), ({"seed": -1}, "seed must be 0 or more"),
    ],
)  # fmt: skip
def test_scoring_refuses_nonsense(asked: dict, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ScorecardStandard(**asked)
