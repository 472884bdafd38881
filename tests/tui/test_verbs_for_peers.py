"""What can be done to the chosen peers: to how many, what it would do, or why nothing can be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import frames
import numpy as np
import pytest
import scenes

from engine import (
    VERBS,
    AskFor,
    Censor,
    Collude,
    Cure,
    Fixed,
    Heal,
    Hold,
    Join,
    Kill,
    Leave,
    Partition,
    Poison,
    Release,
    Reopen,
    Revive,
    Setup,
    Shutdown,
    Swarm,
)
from tui.session.frame import Frame
from tui.session.verbs import PAIRS, Verb, answered_by, askers_of, flag, told_of, verb_of, verbs_for

# In the frame made by hand #20 and #52 are dead, #33 has left, #31 is censored.


def chosen(*peers: int, **changes: Any) -> Frame:
    return frames.frame(selected=peers[0], marked=peers if len(peers) > 1 else (), ask=12, **changes)


def verb(frame: Frame, name: str) -> Verb:
    found = verb_of(frame, name)
    assert found is not None
    return found


def company(operator: str, *peers: int) -> Frame:
    snap = frames.snapshot()
    by = tuple(operator if peer in peers else "" for peer in range(frames.N))
    role = np.array([1 if peer in peers else 0 for peer in range(frames.N)], np.uint8)
    fixed: Fixed = replace(snap.fixed, operator=by)
    snap = replace(snap, fixed=fixed, roles=("servent", "server"), role=role)
    return frames.frame(snap=snap, selected=peers[0], marked=peers if len(peers) > 1 else ())


@pytest.mark.parametrize(
    ("answerers", "holders", "told"),
    [
        ((5, 6), (3, 6), (5, 6)),
        ((0, 5), (3,), (5,)),
        ((0,), (3, 0), (3,)),
        ((), (3,), (3,)),
        ((0,), (0,), (0,)),
        ((), (), ()),
    ],
)
def test_who_answered_is_somebody_else_than_the_asker_where_there_is_one(
    answerers: tuple[int, ...], holders: tuple[int, ...], told: tuple[int, ...]
) -> None:
    """In a hash table the asker may keep the record itself, which names the holders."""
    assert answered_by(scenes.trace(answerers=answerers, holders=holders)) == told


def test_nobody_chosen_means_no_verbs() -> None:
    assert verbs_for(frames.frame()) == ()


def test_a_verb_says_to_how_many_and_leaves_out_whom_it_does_not_apply_to() -> None:
    kill = verb(chosen(3, 4, 20, 52), "kill")
    assert (kill.label, kill.says, kill.many) == ("Kill 2", "Kill 2 peers", 2)
    assert kill.command == Kill((3, 4))
    assert "Not the other 2" in kill.tip


def test_one_peer_is_called_by_its_name() -> None:
    kill = verb(chosen(17), "kill")
    assert (kill.label, kill.says, kill.command) == ("Kill", "Kill p017", Kill(17))


def test_when_none_is_left_to_be_killed_the_dead_are_revived() -> None:
    revive = verb(chosen(20, 33, 52), "kill")
    assert revive.command == Revive((20, 52))
    assert revive.says == "Revive 2 peers"


def test_each_pair_is_undone_by_itself() -> None:
    snap = frames.snapshot()
    for peers, name, first, state, then in (
        ((3, 4), "leave", Leave((3, 4)), 2, Join((3, 4))),
        ((3, 4), "kill", Kill((3, 4)), 1, Revive((3, 4))),
    ):
        assert verb(chosen(*peers, snap=snap), name).command == first
        after = snap.state.copy()
        after[list(peers)] = state
        assert verb(chosen(*peers, snap=replace(snap, state=after)), name).command == then


def test_collusion_is_against_what_the_chosen_ask_is_about() -> None:
    collude = verb(chosen(3, 4, 20), "collude")
    assert collude.command == Collude((3, 4), "blue train")
    assert collude.says == "Have 2 peers hide “blue train”"
    none = verb(replace(chosen(3, snap=frames.snapshot(asks=(), asks_total=0)), ask=None), "collude")
    assert not none.possible
    assert "no word to hide" in none.tip


def test_what_cannot_be_done_says_why() -> None:
    left = verb(chosen(33), "kill")
    assert not left.possible
    assert left.command is None
    assert "p033 left" in left.tip
    dead = verb(chosen(20, 52), "leave")
    assert not dead.possible
    assert "2 peers are dead" in dead.tip
    assert "they cannot ask" in verb(chosen(20, 52), "ask").tip


def test_a_company_is_shut_down_with_all_its_peers() -> None:
    frame = company("acme inc.", 60, 61, 62)
    down = verb(frame, "shutdown")
    assert down.says == "Shut down acme inc.: 3 servers"
    assert down.command == Shutdown("acme inc.")
    state = frame.snapshot.state.copy()
    state[[60, 61, 62]] = 1
    up = verb(replace(frame, snapshot=replace(frame.snapshot, state=state)), "shutdown")
    assert up.command == Reopen("acme inc.")
    assert verb_of(chosen(3), "shutdown") is None  # an ordinary peer has no operator


def test_some_can_be_split_off_but_not_everybody() -> None:
    assert verb(chosen(3, 4), "partition").command == Partition((3, 4))
    everybody = verb(frames.frame(selected=0, marked=tuple(range(frames.N))), "partition")
    assert not everybody.possible
    assert "no other peer is left to split off from" in everybody.tip


def test_healing_is_offered_while_somebody_is_split_off() -> None:
    assert verb_of(chosen(3), "heal") is None
    apart = np.zeros(frames.N, np.int32)
    apart[:9] = 1
    heal = verb(chosen(3, snap=frames.snapshot(group=apart)), "heal")
    assert heal.command == Heal()
    assert "9 peers" in heal.says


def test_links_are_held_and_then_released() -> None:
    run = Swarm(Setup(peers=24, seed=7))
    one = replace(frames.frame(), snapshot=run.snapshot(), selected=3)
    hold = verb(one, "hold")
    assert (hold.says, hold.command) == ("Hold the links of p003", Hold(3))
    run.do(hold.command)
    release = verb(replace(one, snapshot=run.snapshot()), "hold")
    assert (release.label, release.command) == ("Release", Release(3))
    run.do(release.command)
    assert verb(replace(one, snapshot=run.snapshot()), "hold").label == "Hold"
    several = verb(replace(one, snapshot=run.snapshot(), marked=(3, 4, 5)), "hold")
    assert several.says == "Hold the links between 3 peers"


def test_the_poisoned_are_cured_by_the_same_line() -> None:
    run = Swarm(Setup(peers=24, seed=7))
    both = replace(frames.frame(), snapshot=run.snapshot(), selected=3, marked=(3, 4))
    poison = verb(both, "poison")
    assert poison.command == Poison((3, 4))
    run.do(poison.command)
    assert verb(replace(both, snapshot=run.snapshot()), "poison").command == Cure((3, 4))


def test_of_several_those_that_are_up_ask() -> None:
    assert askers_of(chosen(3, 20, 4)) == (3, 4)
    assert askers_of(chosen(3)) == 3
    assert askers_of(frames.frame()) is None


def test_who_asked_asks_again_after_the_one_who_answered_was_killed_or_censored() -> None:
    run = Swarm(Setup(protocol="gnutella", peers=24, seed=7, asks_per_s=0.0))
    run.do(AskFor(5, run.catalogue_titles(1)[0]))
    run.advance(5_000_000)
    trace = run.trace(1)
    assert trace is not None
    first, second, *_ = trace.holders
    run.do(Censor([first, 6]))
    run.do(Kill(second))

    def asker(selected: int | None) -> object:
        seen = replace(frames.frame(), snapshot=run.snapshot(), selected=selected, ask=1, trace=trace)
        seen = replace(seen, answered=frozenset(told_of(trace)))
        return askers_of(seen), verb(seen, "ask").says if selected not in (second, None) else ""

    assert asker(first) == (5, "Ask: p005 wants to find …")
    assert asker(second) == (5, "")
    assert asker(None) == (5, "")
    assert asker(6) == (6, "Ask: p006 wants to find …"), (
        "it did not answer: somebody wants to see how a censored peer fares"
    )


def test_a_column_that_is_not_there_has_no_flag_set() -> None:
    ids = np.array([1, 2, 31])
    assert flag("no such column", True)(frames.snapshot(), ids).tolist() == [False] * 3
    assert flag("censored", True)(frames.snapshot(), ids).tolist() == [False, False, True]
    assert verb(chosen(1, 31), "censor").command == Censor(1)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.id)
def test_every_verb_of_the_table_that_the_engine_knows_is_offered(pair: Any) -> None:
    assert (verb_of(chosen(3), pair.id) is not None) == (pair.do in VERBS)
