"""An attack is called off: its further steps are not done, what it did is not undone, and other attacks go on."""

from __future__ import annotations

import pickle

import pytest
from tiny import SECOND

from engine import (
    DEAD,
    LEFT,
    Attack,
    CallOff,
    Defect,
    InputError,
    RunningAttack,
    Setup,
    Swarm,
    run,
    scenario_files,
    to_toml,
)


def made(**changes: object) -> Swarm:
    return Swarm(Setup(**{"peers": 60, "seed": 5, "asks_per_s": 0.0, **changes}))  # type: ignore[arg-type]


def colluding(swarm: Swarm) -> int:
    return int(swarm.snapshot().colluding.sum())


def test_a_growing_collusion_grows_no_more_and_what_has_turned_stays_turned() -> None:
    swarm = made()
    swarm.do(Attack("collusion", share=0.5, over_s=20.0, word="song"))
    assert swarm.snapshot().attacks == (RunningAttack("collusion", "Collusion", 20 * SECOND),)
    swarm.advance(10 * SECOND)
    so_far = colluding(swarm)
    swarm.do(CallOff())
    assert not swarm.snapshot().attacks
    swarm.advance(60 * SECOND)
    assert 10 < colluding(swarm) == so_far < 20
    assert len(swarm.do(Defect("all"))) == so_far, "what was done is taken back as ever"
    assert [command for _, command, _ in swarm.history][:2] == [
        Attack("collusion", share=0.5, over_s=20.0, word="song"),
        CallOff(),
    ]


def test_a_crowd_that_is_still_coming_stays_away_and_one_that_is_leaving_stays() -> None:
    swarm = made()
    swarm.do(Attack("crowd", count=40, over_s=10.0))
    swarm.do(Attack("exodus", share=1.0, over_s=10.0))
    swarm.advance(5 * SECOND)
    came, gone = len(swarm.labels), int((swarm.snapshot().state != 0).sum())
    assert 60 + 8 < came < 60 + 32
    assert 15 < gone < 45
    swarm.do(CallOff("crowd"))
    swarm.advance(20 * SECOND)
    assert len(swarm.labels) == came
    state = swarm.snapshot().state[:60]
    assert ((state == DEAD) | (state == LEFT)).all(), "the other attack went on"


def test_newcomers_of_one_that_was_called_off_do_not_come_with_the_next() -> None:
    swarm = made()
    swarm.do(Attack("sybil", count=20, over_s=10.0, word="song"))
    swarm.advance(4 * SECOND)
    swarm.do(CallOff("sybil"))
    before = len(swarm.labels)
    swarm.do(Attack("sybil", count=6, over_s=2.0, word="song"))
    swarm.advance(30 * SECOND)
    assert len(swarm.labels) == before + 6


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (None, "calloff: no attack has anything still to do"),
        ("sybil", 'calloff: no attack "sybil" has anything still to do'),
        ("sybl", 'calloff: no attack is called "sybl"; did you mean "sybil"'),
    ],
)
def test_where_nothing_is_to_come_there_is_nothing_to_call_off(name: str | None, words: str) -> None:
    swarm, other = made(), made()
    for one in (swarm, other):
        one.do(Attack("random"))
    with pytest.raises(InputError, match=words):
        swarm.do(CallOff(name))
    for one in (swarm, other):
        one.do(Attack("collusion", word="song"))
    if name:
        with pytest.raises(InputError, match=r"under way: collusion|did you mean"):
            swarm.do(CallOff(name))
    for one in (swarm, other):
        one.advance(5 * SECOND)
    assert swarm.fingerprint() == other.fingerprint(), "it was refused, and changed nothing"


STORY = """
peers = 30
[asks]
per_s = 0
[[at]]
s = 1
do = "attack"
name = "random"
share = 1.0
over_s = 29
means = "censor"
[[at]]
s = 11
do = "calloff"
name = "random"
"""


def test_a_scenario_calls_off_at_the_very_moment_of_a_step_and_that_step_is_not_done() -> None:
    scenario = scenario_files.parse(STORY, "story")
    assert scenario_files.parse(to_toml(scenario.setup, "again"), "again").setup == scenario.setup
    report = run(scenario, until=40)
    # One each second from the first second on.
    assert report.peers_by_state["censored"] == 10
    assert not report.warnings
    late = run(scenario_files.parse(STORY.replace("s = 11", "s = 35"), "story"), until=40)
    assert late.warnings == ('at 35 s, calloff: no attack "random" has anything still to do',)
    with pytest.raises(InputError, match=r'\[\[at\]\] 2: no attack is called "randm"; did you mean "random"'):
        scenario_files.parse(STORY.replace('off"\nname = "random"', 'off"\nname = "randm"'), "story")


def test_a_copy_made_between_the_attack_and_its_end_calls_off_the_same() -> None:
    swarm = made(asks_per_s=2.0)
    swarm.do(Attack("eclipse", word="song"))
    swarm.do(Attack("crowd", count=30, over_s=20.0))
    swarm.advance(5 * SECOND)
    copy = pickle.loads(pickle.dumps(swarm))
    for one in (swarm, copy):
        one.advance(7 * SECOND)
        one.do(CallOff())
        one.advance(30 * SECOND)
    assert copy.fingerprint() == swarm.fingerprint()
    assert copy.snapshot().attacks == ()
