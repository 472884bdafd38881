"""Going on to the next arrival of an ask, or to its next hop."""

from __future__ import annotations

from tiny import LATENCY, MS, SECOND, give, make_swarm

from engine import AskFor, Kill, Setup, StepUntil, Swarm

LOUD = {"options": {"loud": True}, "topology": "ring"}


def run(hunt: StepUntil, budget: int = 1_000) -> str:
    for _ in range(10_000):
        if hunt(budget):
            return hunt.told
    raise AssertionError("the step never ends")


def test_it_stops_where_the_next_message_of_the_ask_arrives() -> None:
    swarm = make_swarm(6, **LOUD)
    swarm.do(AskFor(0, "x"))
    told = run(swarm.step_until(1, "arrival"))
    assert (swarm.now_us, told) == (LATENCY, "p000 asks p001 (hop 1), p000 asks p005 (hop 1).")
    assert swarm.record(1).reached == 2
    assert run(swarm.step_until(1, "arrival")) == "p001 asks p002 (hop 2), p005 asks p004 (hop 2)."


def test_it_tells_of_vain_questions_answers_and_losses() -> None:
    swarm = make_swarm(4, **LOUD)
    give(swarm, 2, "x")
    swarm.do(AskFor(0, "x"))
    for _ in range(2):
        run(swarm.step_until(1, "arrival"))
    told = run(swarm.step_until(1, "arrival"))
    assert "p002 answers p000" in told
    assert "again, nothing new" in told
    swarm.do(AskFor(1, "y"))
    swarm.do(Kill(2))
    assert "p001 asks p002: lost (dead)" in run(swarm.step_until(2, "arrival"))


def test_hop_by_hop_until_there_is_no_deeper_one() -> None:
    swarm = make_swarm(6, **LOUD)
    swarm.do(AskFor(0, "x"))
    depths = []
    for _ in range(12):
        depths.append((run(swarm.step_until(1, "hop")), swarm.now_us, swarm.record(1).hops))
    assert [(at, hops) for _, at, hops in depths[:3]] == [(LATENCY, 1), (2 * LATENCY, 2), (3 * LATENCY, 3)]
    assert depths[0][0] == "Hop 1: the question is at 2 peers there so far."
    deepest = swarm.record(1).hops
    assert any(f"as deep as hop {deepest}" in told or "is over" in told for told, _, _ in depths)


def test_it_says_why_when_nothing_is_under_way() -> None:
    swarm = make_swarm(3)
    swarm.do(AskFor(0, "x"))
    swarm.advance(SECOND)
    assert run(swarm.step_until(1, "arrival")) == "Ask 1 is over: no message of it is under way."
    assert swarm.now_us == SECOND


def test_it_stops_at_a_time_limit() -> None:
    swarm = make_swarm(2)
    swarm.do(AskFor(0, "x"))
    swarm.simulation.shared.records[1].pending += 1  # the ask waits for something that never comes
    run(swarm.step_until(1, "arrival"))
    run(swarm.step_until(1, "arrival"))
    told = run(swarm.step_until(1, "arrival"))
    assert told == "Nothing of ask 1 arrived within 60 s."
    assert swarm.now_us == 60 * SECOND + 2 * LATENCY


def test_in_small_slices_it_stops_at_the_same_place_and_the_run_is_the_same() -> None:
    prints = []
    for budget in (1, 7, 100_000):
        swarm = Swarm(Setup(peers=40, seed=3, asks_per_s=1.0))
        swarm.advance(2 * SECOND)
        swarm.do(AskFor(0, "nobody has this"))
        number = swarm.asks()[-1].id
        stops = []
        for _ in range(12):
            run(swarm.step_until(number, "arrival"), budget)
            stops.append(swarm.now_us)
        run(swarm.step_until(number, "hop"), budget)
        swarm.advance(5 * SECOND + MS)
        prints.append((stops, swarm.fingerprint()))
    assert prints[0] == prints[1] == prints[2]
