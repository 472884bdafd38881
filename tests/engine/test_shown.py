"""Shown columns, roles that change, and what the ends of a link say of it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from tiny import Diary, host, make_swarm
from wards import SECOND, Acquaintance, Patient

from engine import (
    Arrive,
    AskFor,
    FakeHost,
    InputError,
    Kill,
    PeerFailed,
    Revive,
    RoleChanged,
    Shown,
    Swarm,
)


def ward(peers: int = 5, **changes: Any) -> Swarm:
    return make_swarm(peers, Patient, topology="ring", **changes)


def test_a_patient_by_itself() -> None:
    fake, patient = FakeHost(me=3), Patient()
    patient.start(fake, (2, 4, 7), None)
    patient.neighbours(fake, (2, 7))
    assert fake.marks == {(2, ""): "close", (7, ""): "distant"}
    fake.mark(7, "late", topic="letters")
    fake.mark(7)
    assert fake.marks == {(2, ""): "close", (7, "letters"): "late"}
    fake.unlink(7)
    assert fake.marks == {(2, ""): "close"}
    assert fake.role == ""
    patient.infect(fake)
    fake.wait(patient, 4 * SECOND)
    assert (fake.roles, fake.role) == (["survivor"], "survivor")
    assert patient.shown() == (1.0, "removed", 0)
    with pytest.raises(ValueError, match="a role is a word that can be shown, and this one is empty"):
        fake.set_role(" \x1b")


def test_the_columns_of_all_programs_are_offered_and_only_those_asked_for_are_read() -> None:
    swarm = ward()
    plain = swarm.snapshot()
    assert [column.name for column in plain.fixed.shows] == ["cured", "epidemic", "coughs", "shift"]
    assert plain.shown == {}
    swarm.do(AskFor(0, "x"))
    swarm.do(Kill(3))
    swarm.advance(1_500_000)
    frame = swarm.snapshot(("epidemic", "shift", "cured"))
    assert list(frame.shown) == ["epidemic", "shift", "cured"]
    one: Any = swarm.peer(1)
    cured = [getattr(swarm.peer(peer), "cured", np.nan) for peer in range(6)]
    assert min(cured[:3]) > 0
    np.testing.assert_array_equal(frame.shown["cured"].values, cured)
    np.testing.assert_array_equal(frame.shown["shift"].values, [*[np.nan] * 5, -1.5])
    epidemic = frame.shown["epidemic"]
    assert epidemic.names == ("", "susceptible", "infected", "removed")
    assert epidemic.codes.tolist() == [2, 2, 2, 0, 1, 0]
    assert epidemic.counts == (0, 1, 3, 0)
    assert swarm.shown_of(1) == tuple(zip(Patient.shows, (one.cured, "infected", one.coughs), strict=True))
    assert swarm.shown_of(3) == ()
    with pytest.raises(InputError, match=r'no column is called "cued"; did you mean "cured"\?'):
        swarm.snapshot(("cued",))
    with pytest.raises(InputError, match='no column is called "cured"; this network shows none'):
        make_swarm().snapshot(("cured",))


class Chain(Diary, name="chain"):
    """Its category has many values."""

    shows = (Shown("tip", "", "category"), Shown("height", "", "count"))

    def __init__(self) -> None:
        super().__init__()
        self.tip: Any = "genesis"
        self.height: Any = 0

    def shown(self) -> tuple[Any, ...]:
        return (self.tip, self.height) if self.height != "one too few" else (self.tip,)


def chain(*tips: object) -> Swarm:
    swarm = make_swarm(len(tips), Chain)
    give(swarm, *tips)
    return swarm


def give(swarm: Swarm, *tips: object) -> None:
    for peer, tip in enumerate(tips):
        program: Any = swarm.peer(peer)
        program.tip = tip


def test_six_values_of_a_category_have_a_number_and_keep_it() -> None:
    swarm = chain(*"aabbccddeeffgggh", "")
    first = swarm.snapshot(("tip",)).shown["tip"]
    assert first.names == ("", "g", "a", "b", "c", "d", "e", "other")
    assert first.codes.tolist() == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 1, 1, 1, 7, 0]
    assert first.counts == (1, 3, 2, 2, 2, 2, 2, 3)
    give(swarm, *"ffffffccddeefggga")
    swarm.advance(SECOND)
    later = swarm.snapshot(("tip",)).shown["tip"]
    assert later.names == ("", "g", "a", "f", "c", "d", "e"), "what nobody has gives way, and the others stay"


def test_texts_of_a_category_are_made_harmless() -> None:
    swarm = chain("\x1b[31mred", "a" * 200)
    assert swarm.snapshot(("tip",)).shown["tip"].names == ("", "[31mred", "a" * 23 + "…")


@pytest.mark.parametrize(
    ("tip", "height", "says"),
    [
        (7, 0, 'column "tip" should be a text, not int'),
        (None, 0, 'column "tip" should be a text, not NoneType'),
        ("x", "7", 'column "height" should be a number, not str'),
        ("x", None, 'column "height" should be a number, not NoneType'),
        ("x", "one too few", "1 values for 2 columns"),
    ],
)
def test_a_value_of_a_wrong_type_is_the_failure_of_that_peer(tip: object, height: object, says: str) -> None:
    swarm = make_swarm(3, Chain)
    program: Any = swarm.peer(1)
    program.tip, program.height = tip, height
    with pytest.raises(PeerFailed, match=f"peer #1 failed on shown: .*{says}"):
        swarm.snapshot(("height",))
    with pytest.raises(PeerFailed, match=f"peer #1 failed on shown: .*{says}"):
        swarm.shown_of(1)


def test_infinity_is_shown_as_no_value() -> None:
    swarm = make_swarm(2, Chain)
    program: Any = swarm.peer(0)
    program.height = float("inf")
    np.testing.assert_array_equal(swarm.snapshot(("height",)).shown["height"].values, [np.nan, 0.0])


def test_a_role_changes_and_ends_with_the_process() -> None:
    swarm = ward()
    assert swarm.snapshot().roles == ("patient", "nurse", "survivor"), "also those that nobody has yet"
    swarm.do(AskFor(0, "x"))
    swarm.advance(4_500_000)
    frame = swarm.snapshot()
    assert [frame.roles[code] for code in frame.role] == [*["survivor"] * 5, "nurse"]
    assert swarm.select("role=survivor") == (0, 1, 2, 3, 4)
    told = [event for event in swarm.events() if isinstance(event, RoleChanged)]
    assert sorted((event.peer, event.role, event.before) for event in told) == [
        (peer, "survivor", "patient") for peer in range(5)
    ]
    swarm.do(Kill(2))
    assert swarm.select("role=survivor") == (0, 1, 2, 3, 4), "the dead keep their last one"
    swarm.do(Revive(2))
    assert swarm.select("role=patient") == (2,)
    before = swarm.events(told[-1].seq)
    host(swarm, 2).set_role("patient")
    assert not [event for event in before if isinstance(event, RoleChanged)], "a first role is no change"


def test_a_role_that_no_list_has_is_accepted_and_made_harmless() -> None:
    swarm = ward()
    swarm.advance(SECOND)
    host(swarm, 1).set_role("\x1bsuper spreader " + "!" * 80)
    assert swarm.snapshot().roles[-1] == "super spreader !!!!!!!!…"
    for number in range(1_000):
        host(swarm, 1).set_role(f"role {number}")
    frame = swarm.snapshot()
    assert frame.roles[frame.role[1]] == "other"
    with pytest.raises(ValueError, match="a role is a word"):
        host(swarm, 1).set_role("")


def says(swarm: Swarm, topic: str = "") -> dict[tuple[int, int], tuple[str, str]]:
    frame = swarm.snapshot(topic=topic)
    links, marks = frame.links, frame.marks
    return {
        (a, b): (marks.words[x], marks.words[y])
        for a, b, x, y in zip(*(column.tolist() for column in (links.a, links.b, marks.a, marks.b)), strict=True)
    }


def test_links_have_the_words_of_both_ends_until_they_end() -> None:
    swarm = ward(4)
    assert says(swarm) == {
        (0, 1): ("close",) * 2,
        (0, 3): ("distant",) * 2,
        (1, 2): ("close",) * 2,
        (2, 3): ("close",) * 2,
    }
    assert swarm.snapshot().marks is swarm.snapshot().marks
    host(swarm, 3).mark(0, "near")
    host(swarm, 0).mark(3)
    frame = swarm.snapshot()
    assert frame.marks.words == ("", "close", "distant", "near"), "those of the legend first"
    assert says(swarm)[0, 3] == ("", "near")
    host(swarm, 0).unlink(1)
    host(swarm, 0).link(1)
    assert says(swarm)[0, 1] == ("", ""), "another stream has none"
    assert says(swarm)[2, 3] == ("close", "close"), "rows that move take their words along"
    swarm.do(Kill(3))
    assert says(swarm) == {(0, 1): ("", ""), (1, 2): ("close", "close")}
    host(swarm, 0).mark(2, "far")
    host(swarm, 0).mark(99, "far")
    host(swarm, 3).mark(1, "far")
    assert swarm.marks_of(0) == swarm.marks_of(3) == (), "no link, no mark"


def test_topics_tell_marks_on_one_link_apart() -> None:
    swarm = ward(4)
    host(swarm, 0).mark(1, "eager", topic="blocks")
    host(swarm, 0).mark(1, "lazy", topic="votes")
    assert says(swarm)[0, 1] == ("close", "close")
    assert says(swarm, "blocks")[0, 1] == ("eager", "")
    assert says(swarm, "votes")[0, 1] == ("lazy", "")
    assert swarm.snapshot().marks.topics == ("blocks", "votes")
    host(swarm, 0).mark(1)
    assert says(swarm)[0, 1] == ("eager", "close")
    assert swarm.marks_of(0) == ((1, "blocks", "eager"), (1, "votes", "lazy"), (3, "", "distant"))
    host(swarm, 0).mark(1, topic="blocks")
    host(swarm, 0).mark(1, topic="votes")
    assert says(swarm)[0, 1] == ("", "close")


def test_contacts_without_streams_can_be_marked() -> None:
    swarm = make_swarm(4, Acquaintance)
    host(swarm, 0).mark(2, "fresh")
    host(swarm, 2).mark(0, "stale", topic="bucket 3")
    assert swarm.marks_of(0) == ((2, "", "fresh"),)
    swarm.do(Kill(0))
    assert swarm.marks_of(0) == ()
    assert swarm.marks_of(2) == ((0, "bucket 3", "stale"),), "it does not know yet"
    host(swarm, 2).mark(0, topic="bucket 3")
    assert swarm.marks_of(2) == ()


def test_a_copy_has_the_same_roles_and_marks_and_goes_on_alike() -> None:
    swarm = ward()
    swarm.do(AskFor(0, "x"))
    swarm.advance(2_300_000)
    host(swarm, 0).mark(1, "mine", topic="t")
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert says(copy) == says(swarm)
    for each in (swarm, copy):
        host(each, 1).unlink(2)
        each.advance(7_000_000)
    assert says(copy) == says(swarm)
    assert copy.marks_of(0) == swarm.marks_of(0)
    assert copy.snapshot().role.tolist() == swarm.snapshot().role.tolist()
    assert copy.snapshot(("epidemic",)).shown["epidemic"].counts == (0, 0, 0, 5)
    assert copy.fingerprint() == swarm.fingerprint()


def test_marks_and_roles_are_no_part_of_the_fingerprint() -> None:
    quiet, loud = ward(), ward()
    for swarm in (quiet, loud):
        swarm.do(AskFor(0, "x"))
        swarm.advance(SECOND)
    host(loud, 0).mark(1, "other")
    host(loud, 0).set_role("other")
    for swarm in (quiet, loud):
        swarm.advance(9 * SECOND)
    assert loud.fingerprint() == quiet.fingerprint()


def test_newcomers_have_a_role_and_columns() -> None:
    swarm = ward()
    swarm.do(Arrive(2))
    swarm.advance(SECOND)
    frame = swarm.snapshot(("cured", "epidemic"))
    assert [frame.roles[code] for code in frame.role] == [*["patient"] * 5, "nurse", "patient", "patient"]
    assert frame.shown["epidemic"].codes.tolist() == [1, 1, 1, 1, 1, 0, 1, 1]
