"""Intervals: against the equation that defines them, SciPy, and their coverage in simulation."""

import numpy as np
import pytest
from scipy import optimize, stats

from maquette.tasks.intervals import bootstrap, mean_of, wilson


@pytest.mark.parametrize("successes, trials", [(0, 10), (1, 10), (5, 10), (10, 10), (97, 100), (9867, 10_000)])
def test_wilson_solves_the_score_equation(successes, trials):
    value, low, high = wilson(successes, trials)
    assert value == successes / trials and 0 <= low <= value <= high <= 1
    z = stats.norm.ppf(0.975)

    def score(p):
        """How far the share lies from p, less than z standard errors at p itself inside the interval."""
        return np.square(value - p) - z * z * p * (1 - p) / trials

    if low > 0:
        assert low == pytest.approx(optimize.brentq(score, 1e-12, value - 1e-12), abs=1e-9)
    if high < 1:
        assert high == pytest.approx(optimize.brentq(score, value + 1e-12, 1 - 1e-12), abs=1e-9)
    assert (low == 0) == (successes == 0) and (high == 1) == (successes == trials)


@pytest.mark.parametrize("successes, trials", [(0, 7), (3, 7), (98, 100)])
def test_wilson_agrees_with_scipy(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials)[1:] == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_is_its_own_mirror_image_and_narrows():
    right, wrong = wilson(17, 20), wilson(3, 20)
    assert (right.low, right.high) == pytest.approx((1 - wrong.high, 1 - wrong.low), abs=1e-12)
    widths = [np.ptp(wilson(n // 4, n)[1:]) for n in (40, 400, 4000)]
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] == pytest.approx(2 * 1.959964 * np.sqrt(0.1875 / 4000), rel=1e-3)


@pytest.mark.parametrize("p, n", [(0.5, 40), (0.9, 60), (0.99, 1000)])
def test_wilson_covers_the_truth_as_often_as_it_says(p, n):
    counts = np.arange(n + 1)
    inside = [low <= p <= high for _, low, high in (wilson(int(k), n) for k in counts)]
    # The sum over all outcomes is the coverage itself; it jumps around 95 % since shares are whole numbers.
    assert stats.binom.pmf(counts, n, p)[inside].sum() == pytest.approx(0.95, abs=0.03)


def test_wilson_covers_on_average_over_many_experiments(random):
    truth = random.uniform(0.05, 0.95, 4000)
    made = [wilson(int(k), 50) for k in random.binomial(50, truth)]
    covered = np.mean([m.low <= p <= m.high for m, p in zip(made, truth, strict=True)])
    assert covered == pytest.approx(0.95, abs=0.015)


def test_nothing_tried_has_no_share():
    assert np.isnan(wilson(0, 0)).all()


def test_the_mean_has_students_interval(random):
    values = random.normal(3, 2, 12)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_of(values) == pytest.approx((values.mean(), oracle.low, oracle.high), abs=1e-12)
    assert mean_of(np.array([2.5]))[0] == 2.5 and np.isnan(mean_of(np.array([2.5]))[1:]).all()
    assert mean_of(np.full(5, 0.1)) == pytest.approx((0.1, 0.1, 0.1))


def test_students_interval_covers_the_truth_as_often_as_it_says(random):
    made = [mean_of(sample) for sample in random.normal(1, 3, (4000, 5))]
    covered = np.mean([m.low <= 1 <= m.high for m in made])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 4000))


def test_the_bootstrap_of_a_mean_is_that_of_scipy(random):
    values = random.exponential(size=200)
    ours = bootstrap(lambda rows: float(values[rows].mean()), 200, 4000)
    oracle = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=1).confidence_interval
    assert ours.value == values.mean()
    width = oracle.high - oracle.low
    assert ours[1:] == pytest.approx((oracle.low, oracle.high), abs=0.08 * width)


def test_the_bootstrap_covers_the_truth_nearly_as_often_as_it_says(random):
    def covered():
        values = random.normal(size=60)
        made = bootstrap(lambda rows: float(values[rows].mean()), 60)
        return made.low <= 0 <= made.high

    assert np.mean([covered() for _ in range(300)]) == pytest.approx(0.94, abs=0.045)


def test_the_bootstrap_is_repeatable_and_needs_two_rows():
    values = np.arange(20.0)

    def of(rows):
        return float(np.median(values[rows]))

    assert bootstrap(of, 20) == bootstrap(of, 20)
    alone = bootstrap(of, 1)
    assert alone.value == 0 and np.isnan(alone[1:]).all()
