"""Session lengths, times away, and the equilibrium in which a run begins."""

from __future__ import annotations

import math
import statistics

import pytest
from tiny import make_swarm

from engine import ALIVE, Churned, Set, Setup, Swarm
from engine.errors import InputError
from engine.sim.rng import Stream
from engine.world.churn import UP_SHARE, Churn, gamma_variate, parse

DRAWS = 20_000


def law(spec: str) -> Churn:
    churn = parse(spec)
    assert churn is not None
    return churn


def test_none_is_no_churn() -> None:
    assert parse("none") is None


def test_the_published_fit() -> None:
    # Weibull 0.59 and 41.9 minutes: a mean of 64.5 and a median of 22.5 minutes.
    churn = law("weibull:0.59:2514")
    assert churn.mean_s / 60 == pytest.approx(64.5, abs=0.05)
    assert churn.median_s / 60 == pytest.approx(22.5, abs=0.05)
    assert churn.describe() == "weibull (0.59) sessions: mean 64.5 min, median 22.5 min; away 16.1 min; 80 % up"
    assert law("exponential:100").describe() == "exponential sessions: mean 100 s, median 69.3 s; away 25 s; 80 % up"


@pytest.mark.parametrize("spec", ["exponential:100", "weibull:0.8:100", "weibull:2:100", "pareto:3:100"])
def test_sessions_and_times_away_have_their_means(spec: str) -> None:
    churn, rng = law(spec), Stream(spec)
    sessions = [churn.session_s(rng) for _ in range(DRAWS)]
    away = [churn.downtime_s(rng) for _ in range(DRAWS)]
    assert min(*sessions, *away) >= 0.001
    assert statistics.mean(sessions) == pytest.approx(churn.mean_s, rel=0.04)
    assert statistics.median(sessions) == pytest.approx(churn.median_s, rel=0.05)
    assert statistics.mean(away) == pytest.approx(churn.mean_s / 4, rel=0.03)


@pytest.mark.parametrize("spec", ["exponential:100", "weibull:0.8:100", "weibull:2:100"])
def test_a_run_starts_at_equilibrium(spec: str) -> None:
    churn, rng = law(spec), Stream(spec)
    starts = [churn.start(rng) for _ in range(DRAWS)]
    left = [begun.left_s for begun in starts if begun.up]
    assert len(left) / DRAWS == pytest.approx(UP_SHARE, abs=0.012)
    away = [begun.left_s for begun in starts if not begun.up]
    assert statistics.mean(away) == pytest.approx(churn.mean_s / 4, rel=0.06)
    # The mean of what remains is E[X**2] / (2 E[X]), by renewal theory.
    second_moment = churn.scale_s**2 * math.gamma(1 + 2 / churn.shape)
    assert statistics.mean(left) == pytest.approx(second_moment / 2 / churn.mean_s, rel=0.05)
    # And P(remaining > x) is the integral of 1 - F beyond x, over the mean: here x is the mean session.
    x = churn.mean_s
    steps = [x + (i + 0.5) * x / 200 for i in range(200 * 60)]
    beyond = sum(math.exp(-((s / churn.scale_s) ** churn.shape)) for s in steps) * x / 200 / churn.mean_s
    assert sum(s > x for s in left) / len(left) == pytest.approx(beyond, abs=0.015)


@pytest.mark.parametrize(("name", "median_min", "mean_min"), [
    ("redhat", 7.25, 118.8), ("debian", 16.2, 163), ("flatout", 22.5, 64.5),
])  # fmt: skip
def test_sessions_of_the_published_fits_have_their_median_and_mean(
    name: str, median_min: float, mean_min: float
) -> None:
    churn, rng = law(name), Stream(name)
    assert churn.median_s / 60 == pytest.approx(median_min, rel=0.005)
    assert churn.mean_s / 60 == pytest.approx(mean_min, rel=0.005)
    # The heaviest tail has a standard deviation of four means: with so many draws the error is 1 %.
    drawn = [churn.session_s(rng) for _ in range(200_000)]
    assert statistics.median(drawn) == pytest.approx(churn.median_s, rel=0.03)
    assert statistics.mean(drawn) == pytest.approx(churn.mean_s, rel=0.03)


@pytest.mark.parametrize("spec", ["exponential:100", "weibull:0.59:100", "weibull:2:100", "pareto:3:100"])
def test_sessions_under_way_at_the_start_are_length_biased(spec: str) -> None:
    churn, rng = law(spec), Stream(f"biased {spec}")
    up = [begun for begun in (churn.start(rng) for _ in range(2 * DRAWS)) if begun.up]
    ages = sorted(begun.age_s for begun in up)

    def density(x: float) -> float:
        """That a session lasts longer than x, over the mean: of ages, and of what remains."""
        over = min(1.0, (100 / x) ** 3) if "pareto" in spec else math.exp(-((x / churn.scale_s) ** churn.shape))
        return over / churn.mean_s

    # The largest distance between the law of ages and the drawn ones (Kolmogorov and Smirnov): 1.95 / sqrt(n) is
    # exceeded once in a thousand.
    step, at, below, worst = churn.mean_s / 500, 0, 0.0, 0.0
    for i in range(500 * 8):
        below += density((i + 0.5) * step) * step
        while at < len(ages) and ages[at] <= (i + 1) * step:
            at += 1
        worst = max(worst, abs(at / len(ages) - below))
    assert worst < 1.95 / math.sqrt(len(ages))
    # A session under way at a random moment is longer than the mean by E[X**2] / E[X]**2: 4.3 times for 0.59.
    lengths = [begun.age_s + begun.left_s for begun in up]
    fresh = [churn.session_s(rng) for _ in range(DRAWS)]
    biased = statistics.mean(x * x for x in fresh) / statistics.mean(fresh)
    assert statistics.mean(lengths) == pytest.approx(biased, rel=0.12)
    assert statistics.mean(lengths) > 1.2 * statistics.mean(fresh)


@pytest.mark.uncounted
def test_sessions_in_a_long_run_have_the_distribution_of_the_spec() -> None:
    """The FlatOut fit with an hour scaled to a second, measured by the events of churn."""
    swarm = make_swarm(400, topology="ring", churn="weibull:0.59:0.6983")
    begun: dict[int, int] = {}
    lasted: list[float] = []
    half_us = 60_000_000
    seen = 0
    while swarm.now_us < 2 * half_us:
        swarm.advance(swarm.now_us + 1_000_000)
        for event in swarm.events(seen):
            seen = event.seq
            if not isinstance(event, Churned):
                continue
            if event.what == "revive":
                begun[event.peer] = event.at_us
            elif begun.get(event.peer, half_us) < half_us:
                lasted.append((event.at_us - begun.pop(event.peer)) / 1e6)
    assert len(lasted) > 15_000
    churn = law("weibull:0.59:0.6983")
    assert statistics.median(lasted) == pytest.approx(churn.median_s, rel=0.03)
    assert statistics.mean(lasted) == pytest.approx(churn.mean_s, rel=0.03)


def test_a_snapshot_has_the_age_of_each_session() -> None:
    swarm = make_swarm(200, topology="ring", churn="exponential:30")
    first = swarm.snapshot()
    up = first.state == ALIVE
    assert (first.up_since_us[up] < 0).all()
    assert statistics.mean((-first.up_since_us[up] / 1e6).tolist()) == pytest.approx(30, rel=0.25)
    swarm.advance(20_000_000)
    later = swarm.snapshot()
    same = up & (later.up_since_us == first.up_since_us)
    assert same.sum() > 60
    fresh = (later.state == ALIVE) & ~same
    assert (later.up_since_us[fresh] > 0).all()
    assert fresh.any()


def test_a_share_of_the_sessions_ends_with_a_goodbye() -> None:
    def gone(polite: float) -> tuple[list[tuple[int, int]], list[str]]:
        swarm = make_swarm(60, topology="ring", churn="exponential:10", polite=polite)
        swarm.advance(40_000_000)
        told = [event for event in swarm.events() if isinstance(event, Churned)]
        return [(event.at_us, event.peer) for event in told], [event.what for event in told]

    rude, words = gone(0.0)
    assert set(words) == {"kill", "revive"}
    mixed, words = gone(0.25)
    assert mixed == rude, "manners shift no session"
    ends = [word for word in words if word in ("kill", "leave")]
    assert ends.count("leave") / len(ends) == pytest.approx(0.25, abs=0.1)
    assert words.count("join") in range(1, words.count("leave") + 1)
    _, words = gone(1.0)
    assert set(words) == {"leave", "join", "revive"}, "who was away at the start had not said goodbye"


def test_the_share_of_polite_leaves_may_be_changed_in_a_run() -> None:
    swarm = make_swarm(60, topology="ring", churn="exponential:5")
    swarm.do(Set("polite", 1))
    swarm.advance(10_000_000)
    assert "kill" not in {event.what for event in swarm.events() if isinstance(event, Churned)}
    assert swarm.settings()["polite"] == 1
    with pytest.raises(InputError, match="polite"):
        swarm.do(Set("polite", 1.5))


def test_pareto_sessions_have_their_minimum_and_mean() -> None:
    churn, rng = law("pareto:3:100"), Stream("pareto")
    assert churn.mean_s == pytest.approx(150)
    assert churn.median_s == pytest.approx(100 * 2 ** (1 / 3))
    assert churn.describe() == "pareto (3) sessions: mean 2.5 min, median 2.1 min; away 37.5 s; 80 % up"
    sessions = [churn.session_s(rng) for _ in range(DRAWS)]
    assert min(sessions) >= 100
    # P(session > x) = (scale / x) ** shape: one in eight lasts for twice the scale.
    assert sum(s > 200 for s in sessions) / DRAWS == pytest.approx(1 / 8, abs=0.01)


@pytest.mark.parametrize("shape", [1.2, 2.0, 3.0])
def test_a_pareto_run_starts_at_equilibrium(shape: float) -> None:
    churn, rng = law(f"pareto:{shape}:100"), Stream(f"pareto {shape}")
    starts = [churn.start(rng) for _ in range(DRAWS)]
    left = [begun.left_s for begun in starts if begun.up]
    assert len(left) / DRAWS == pytest.approx(UP_SHARE, abs=0.012)
    # The integral of 1 - F beyond x, over the mean, has a closed form; the mean of the residual may be infinite.
    for x in (10, 50, 100, 200, 1_000, 10_000):
        beyond = 1 - x / churn.mean_s if x <= 100 else (100 / x) ** (shape - 1) / shape
        # 16,000 trials: within four standard errors.
        assert sum(s > x for s in left) / len(left) == pytest.approx(beyond, abs=0.016)


def test_the_heaviest_tail_gives_finite_numbers() -> None:
    churn, rng = law("pareto:1.01:1"), Stream("heavy")
    assert all(math.isfinite(churn.start(rng).left_s) for _ in range(DRAWS))


def test_a_swarm_runs_with_pareto_sessions() -> None:
    swarm = Swarm(Setup(peers=40, churn="pareto:2:5", asks_per_s=0.0))
    alive = []
    for second in range(1, 61):
        swarm.advance(second * 1_000_000)
        alive.append(int((swarm.snapshot().state == ALIVE).sum()) / 40)
    assert len(set(alive)) > 3
    assert statistics.mean(alive) == pytest.approx(UP_SHARE, abs=0.1)


@pytest.mark.parametrize("spec", ["weibull:0.59:60", "pareto:1.5:20"])
def test_eighty_per_cent_stay_up(spec: str) -> None:
    churn = law(spec)
    up_at = [0, 0, 0]
    moments = (10.0, 100.0, 400.0)
    for peer in range(2_000):
        rng = Stream(f"1/churn/{peer}")
        up, until, _ = churn.start(rng)
        for at, moment in enumerate(moments):
            while until <= moment:
                up = not up
                until += churn.session_s(rng) if up else churn.downtime_s(rng)
            up_at[at] += up
    # Binomial, 2,000 trials: a standard error of 0.009.
    assert all(abs(count / 2_000 - UP_SHARE) < 0.036 for count in up_at)


@pytest.mark.parametrize("shape", [1.1, 2.7, 11.0])
def test_the_gamma_draw_has_its_mean_and_variance(shape: float) -> None:
    rng = Stream(f"gamma {shape}")
    drawn = [gamma_variate(rng, shape) for _ in range(DRAWS)]
    assert statistics.mean(drawn) == pytest.approx(shape, rel=0.04)
    assert statistics.variance(drawn) == pytest.approx(shape, rel=0.08)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("expnential:3", 'did you mean "exponential"'),
        ("", "is empty"),
        ("none:1", "should be written none"),
        ("exponential", "exponential:MEAN_S"),
        ("exponential:0", "MEAN_S"),
        ("exponential:-60", "MEAN_S"),
        ("exponential:nan", "MEAN_S"),
        ("exponential:1e300", "MEAN_S"),
        ("exponential:ten", 'not "ten"'),
        ("weibull:0.59", "weibull:SHAPE:SCALE_S"),
        ("weibull:0:60", "SHAPE"),
        ("weibull:0.5:0", "SCALE_S"),
        ("weibull:0.1:1e9", "mean session"),
        ("weibull:0.5:0.001", "mean session"),
        ("pareto", "should be written pareto:SHAPE:SCALE_S"),
        ("pareto:1:60", "SHAPE should be a number from 1.01 to 100"),
        ("pareto:-2:60", "SHAPE"),
        ("pareto:nan:60", "SHAPE"),
        ("pareto:2:0", "SCALE_S"),
        ("pareto:1.01:1e9", "mean session"),
        ("parteo:2:60", 'did you mean "pareto"'),
    ],
)
def test_a_bad_spec_is_refused_in_one_sentence(spec: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse(spec)
