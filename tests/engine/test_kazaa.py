"""KaZaA: the hash, lists of super nodes, the election, the index, searches, downloads from many holders, levels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from kazaas import JUNK, ME, OWL, SECOND, TRAIN, meta, newcomer, node, result, super_node
from tiny import sent

from engine import Ask, Blob, FakeHost, File
from engine.api import Facts, Whereabouts, weak_of
from engine.protocols.kazaa import (
    Chunk,
    Get,
    Giv,
    Hello,
    KazaaOptions,
    Listed,
    Node,
    NoPlace,
    NotHere,
    Promote,
    Push,
    Query,
    Reply,
    Share,
    SuperNodes,
    Unshare,
    User,
    Welcome,
)
from engine.protocols.kazaa.transfers import Part, Unopened
from engine.protocols.kazaa.uuhash import SAMPLE_BYTES, covered, inside, sampled, samples, uuhash

KIB = 1024


# --- the hash --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "share"),
    [(3_000_000, 0.41), (4_000_000, 0.31), (5_000_000, 0.31), (50_000_000, 0.049), (700_000_000, 0.005)],
)
def test_the_hash_covers_the_published_share_of_a_file(size: int, share: float) -> None:
    assert covered(size) == pytest.approx(share, abs=0.005 if share > 0.1 else 0.0005)


@pytest.mark.parametrize(
    "size", [0, 1, SAMPLE_BYTES, SAMPLE_BYTES + 1, 2 * SAMPLE_BYTES, 1 << 20, 1_662_977, 1_662_976, 1 << 23]
)
def test_samples_are_in_order_and_do_not_overlap(size: int) -> None:
    found = samples(size)
    assert found[-1][1] == size
    assert all(end <= begin for (_, end), (begin, _) in pairwise(found))
    assert all(end - begin <= SAMPLE_BYTES for begin, end in found)


def test_a_change_in_a_hole_passes_and_one_in_a_sample_does_not() -> None:
    whole = bytes(3_000_000)
    right = uuhash(whole)
    assert len(right) == 20
    for at, same in (
        (0, False),
        (SAMPLE_BYTES, True),
        (1 << 20, False),
        ((1 << 20) + SAMPLE_BYTES, True),
        (2_999_999, False),
    ):
        changed = bytearray(whole)
        changed[at] = 1
        assert (uuhash(bytes(changed)) == right) is same
        assert sampled(len(whole), at, at + 1) is not same
    assert uuhash(b"").hex() == "d41d8cd98f00b204e9800998ecf8427e" + "ffffffff"
    assert inside(3_000_000, 0, 256 * KIB)
    assert not inside(3_000_000, 256 * KIB, 512 * KIB)


# --- super nodes -----------------------------------------------------------------------------------------------


def test_who_can_be_a_super_node() -> None:
    tape, made = newcomer()
    assert made.able(tape)
    tape.options.uptime_min = 121.0
    assert not made.able(tape), "it has been up for two hours on average"
    tape.options.uptime_min, made.firewalled = 60.0, True
    assert not made.able(tape)


def test_a_node_calls_five_and_takes_the_first_that_has_room() -> None:
    tape, made = newcomer([TRAIN], contacts=range(1, 9))
    tape.wait(made, 10)
    first, second, *others = tape.calls
    assert len(others) == 3
    tape.take()
    tape.answer(made, first, NoPlace(True, (Listed(50, 3, 40),)))
    tape.answer(made, second, Welcome(12))
    assert tape.take() == [(second.to, User(False, 1500, False)), (second.to, Share((meta(TRAIN),)))]
    assert made.parent == second.to
    assert made.loads[first.to] == 100, "it is full"
    assert made.loads[50] == 40
    tape.answer(made, others[0], Welcome(0))
    assert not tape.take(), "it has one already"


def test_a_list_tells_load_and_age_and_the_fresher_entry_counts() -> None:
    tape, made = node(1)
    tape.now_us = 600 * SECOND
    tape.give(made, SuperNodes((Listed(5, 4, 30), Listed(6, 0, 99), Listed(ME, 0, 0))), sender=1)
    tape.give(made, SuperNodes((Listed(5, 9, 80),)), sender=1)
    tape.give(made, SuperNodes((Listed(7, 0, 1),)), sender=9)
    assert made.loads == {5: 30, 6: 99}, "neither itself, nor what a stranger says"
    tape.now_us += 120 * SECOND
    assert set(made.listed(tape, 6)) == {Listed(5, 6, 30)}


def test_a_super_node_takes_as_many_nodes_as_it_has_places() -> None:
    tape, made = super_node(children=[3])
    tape.options.children = 2
    tape.give(made, User(False, 56, False), sender=4)
    tape.take()
    tape.give(made, User(False, 56, False), sender=5)
    assert [type(message) for _, message in tape.take()] == [NoPlace]
    assert list(made.children) == [3, 4]
    assert tape.unlinked == [5]
    tape.give(made, User(False, 1500, False), sender=4)
    assert [type(message) for _, message in tape.take()] == [SuperNodes], "it has its place already"
    assert made.children[4].kbit_s == 1500


def test_the_fastest_node_of_a_full_super_node_is_promoted() -> None:
    tape, made = super_node(children=[3, 4])
    tape.options.children = 3
    made.promoted_us = -60 * SECOND
    tape.give(made, User(False, 10_000, True), sender=5)
    assert (3, Promote()) in tape.take(), "the fastest one accepts no connections"
    tape, made = node(1)
    tape.give(made, Promote(), sender=9)
    assert not made.super_node
    tape.give(made, Promote(), sender=1)
    assert made.super_node
    assert list(made.supers) == [1]


def test_one_without_a_super_node_looks_once_more_before_it_becomes_one() -> None:
    tape, made = newcomer(contacts=[1])
    tape.wait(made, 10)
    tape.answer(made, tape.calls[-1], NoPlace(False, ()))
    tape.wait(made, 11 * SECOND)
    assert not made.super_node
    for call in tape.calls:
        if not call.over:
            tape.answer(made, call, NoPlace(False, ()))
    assert made.super_node
    assert tape.roles == ["super node"]


# --- the index, and searches -----------------------------------------------------------------------------------


def test_a_super_node_lists_what_its_nodes_have_and_forgets_it_with_them() -> None:
    tape, made = super_node(children=[3, 4], files=[OWL])
    tape.give(made, Share((meta(TRAIN), meta(OWL))), sender=3)
    tape.give(made, Share((meta(TRAIN),)), sender=4)
    assert made.keeps("blue train")
    assert made.count == 4
    tape.give(made, Unshare(("Blue Train.mp3",)), sender=4)
    assert [one.holder for one in made.names.matching("train")] == [3]
    assert list(made.hashes) == [OWL.weak, TRAIN.weak]
    made.closed(tape, 3)
    made.closed(tape, 4)
    assert made.count == 1
    assert not made.keeps("blue train")


def test_a_search_goes_so_many_hops_among_super_nodes_and_never_to_a_node() -> None:
    tape, made = super_node(supers=[1, 2], children=[3, 4])
    tape.give(made, Share((meta(TRAIN),)), sender=4)
    tape.give(made, Query(7, 2, "blue train"), sender=3)
    assert tape.take() == [
        (3, Reply(7, ME, (result(4),))),
        (1, Query(7, 2, "blue train")),
        (2, Query(7, 2, "blue train")),
    ]
    tape.give(made, Query(8, 2, "owl"), sender=1)
    assert tape.take() == [(2, Query(8, 1, "owl"))]
    tape.give(made, Query(9, 1, "owl"), sender=1)
    tape.give(made, Query(8, 2, "owl"), sender=2)
    tape.give(made, Query(10, 2, "owl"), sender=30)
    assert not tape.take(), "the last hop, once more, and from a stranger"
    tape.give(made, Query(11, 2, "", TRAIN.weak), sender=1)
    assert tape.take()[0] == (1, Reply(11, ME, (result(4),)))


def test_results_go_back_the_way_the_search_came() -> None:
    tape, made = super_node(supers=[1, 2], children=[3])
    tape.give(made, Query(7, 2, "blue train"), sender=3)
    tape.take()
    answer = Reply(7, 2, (result(9),))
    tape.give(made, answer, sender=2)
    assert tape.take() == [(3, answer)]


# --- downloads -------------------------------------------------------------------------------------------------


def found(tape: FakeHost, made: Node, *holders: int, file: File = TRAIN, firewalled: bool = False) -> None:
    """The user asks for a file, finds these holders, and chooses it."""
    tape.ask(made, Ask(1, "fetch", file.name))
    [(_, question)] = sent(tape, Query)
    tape.give(
        made, Reply(question.number, 1, tuple(result(one, file, firewalled=firewalled) for one in holders)), sender=1
    )
    tape.wait(made, 2 * SECOND)


def serve(tape: FakeHost, made: Node, call: Any, digest: int, file: File = TRAIN, weak: int | None = None) -> None:
    """Answer a Get with all bytes that it asks for, of a file with this digest."""
    get = call.request
    samples_of = (file.weak if weak is None else weak) if sampled(file.size, get.offset, get.offset + get.size) else 0
    tape.answer(made, call, Chunk(file.weak, get.offset, Blob(get.size, digest), samples_of))


def serve_all(tape: FakeHost, made: Node, digest_of: dict[int, int], file: File = TRAIN) -> None:
    """Answer until nothing is asked."""
    while open_calls := [call for call in tape.calls if not call.over]:
        serve(tape, made, open_calls[0], digest_of.get(open_calls[0].to, file.digest), file)


def test_a_file_comes_from_many_holders_at_a_time() -> None:
    tape, made = node(parallel=3)
    found(tape, made, 5, 6, 7, 8)
    asked = [call.to for call in tape.calls]
    assert len(asked) == len(set(asked)) == 3
    assert [call.request.offset for call in tape.calls] == [0, 256 * KIB, 512 * KIB]
    serve_all(tape, made, {})
    assert tape.library.matching("blue train") == [TRAIN]
    assert tape.noted("fetched")
    assert sum(call.request.size for call in tape.calls) == TRAIN.size
    assert sent(tape, Share) == [(1, Share((meta(TRAIN),)))]


def test_a_choice_among_files_that_the_user_has_already_is_told() -> None:
    tape, made = node()
    tape.library.add(TRAIN)
    tape.ask(made, Ask(1, "fetch", "train"))
    [(_, question)] = sent(tape, Query)
    tape.give(made, Reply(question.number, 1, (result(5, TRAIN), result(6, TRAIN))), sender=1)
    tape.wait(made, 2 * SECOND)
    assert not tape.calls
    assert tape.noted("remark") == [{"key": "choice", "value": "none: has all"}]
    assert not tape.noted("failed"), "it was found"


def test_the_range_of_a_holder_that_is_silent_is_asked_of_another() -> None:
    tape, made = node(parallel=2)
    found(tape, made, 5, 6)
    silent = tape.calls[0]
    tape.time_out(made, silent)
    serve_all(tape, made, {})
    assert tape.library.matching("blue train") == [TRAIN]
    assert {call.to for call in tape.calls[2:]} == {tape.calls[1].to}


def test_one_holder_with_the_right_hash_and_other_bytes_makes_the_file_wrong() -> None:
    tape, made = node(parallel=3)
    found(tape, made, 5, 6, 7)
    serve_all(tape, made, {6: JUNK})
    assert not tape.library.files()
    assert tape.noted("decoy") == []
    assert list(made.unopened) == [TRAIN.name], "it is shared until somebody looks"
    assert tape.noted("remark") == [{"key": "unopened", "value": "decoy"}]
    assert sent(tape, Share) == [(1, Share((meta(TRAIN),)))]
    tape.wait(made, 30 * SECOND)
    assert tape.noted("decoy") == [{"holder": 6, "content": TRAIN.name}]
    assert sent(tape, Unshare) == [(1, Unshare((TRAIN.name,)))]
    assert tape.noted("failed")


def test_ranges_that_the_hash_covers_are_right_whoever_sent_them() -> None:
    tape, made = node(parallel=2)
    found(tape, made, 5, 6)
    first = next(call for call in tape.calls if call.request.offset == 0)
    assert inside(TRAIN.size, 0, first.request.size)
    serve(tape, made, first, JUNK)
    while open_calls := [call for call in tape.calls if not call.over]:
        serve(tape, made, open_calls[0], TRAIN.digest)
    assert tape.library.matching("blue train") == [TRAIN]


def test_a_wrong_hash_is_noticed_and_another_version_is_tried() -> None:
    tape, made = node(parallel=1)
    other = File(TRAIN.name, 400_000, 99)
    tape.ask(made, Ask(1, "fetch", TRAIN.name))
    [(_, question)] = sent(tape, Query)
    tape.give(made, Reply(question.number, 1, (result(5), result(6), result(7, other))), sender=1)
    tape.wait(made, 2 * SECOND)
    assert tape.calls[0].to in (5, 6), "the version with more holders"
    while not tape.calls[-1].over and tape.calls[-1].to != 7:
        serve(tape, made, tape.calls[-1], JUNK, weak=weak_of(JUNK))
    serve(tape, made, tape.calls[-1], 99, other)
    while not tape.calls[-1].over:
        serve(tape, made, tape.calls[-1], 99, other)
    assert tape.library.files() == [other]


def test_a_holder_that_cannot_be_called_is_pushed() -> None:
    tape, made = node()
    found(tape, made, 5, firewalled=True)
    assert sent(tape, Push) == [(1, Push(5, ME, TRAIN.weak))]
    tape.give(made, Giv(TRAIN.weak), sender=6)
    assert not tape.calls
    tape.give(made, Giv(TRAIN.weak), sender=5)
    assert [call.to for call in tape.calls] == [5]
    tape, made = super_node(children=[5])
    tape.give(made, Push(5, 9, 1), sender=9)
    assert tape.take() == [(5, Push(5, 9, 1))]
    tape, made = node(1, [TRAIN])
    made.firewalled = True
    tape.give(made, Push(ME, 9, TRAIN.weak), sender=1)
    assert tape.take() == [(9, Giv(TRAIN.weak))]


def test_a_timer_for_one_range_does_not_end_the_wait_for_the_next() -> None:
    tape, made = node(range_s=60)
    found(tape, made, 5, firewalled=True)
    tape.wait(made, 50 * SECOND)
    tape.give(made, Giv(TRAIN.weak), sender=5)
    serve(tape, made, tape.calls[-1], TRAIN.digest)
    assert len(sent(tape, Push)) == 2
    tape.wait(made, 30 * SECOND)
    tape.give(made, Giv(TRAIN.weak), sender=5)
    assert len(tape.calls) == 2, "60 s after the first Push and 30 s after the second"
    assert not tape.noted("failed")


def test_no_range_is_smaller_than_what_is_accepted() -> None:
    tape, made = node(files=[TRAIN])
    made.speed = 1
    parts = (Part(0, 500_000, 5, JUNK, 0), Part(500_000, OWL.size, 6, 67, 0))
    made.unopened[OWL.name] = Unopened(OWL, parts)
    asked = [(TRAIN, 0), (TRAIN, TRAIN.size - 5), (OWL, 499_900), (OWL, 500_000), (OWL, OWL.size - 5)]
    sizes = []
    for file, offset in asked:
        tape.give_request(made, Get(file.name, file.weak, offset, 256 * KIB, 10), sender=5)
        tape.wait(made, 60 * SECOND)
        sizes.append(tape.replies[-1][1].data.size)
    assert sizes == [1024, 5, 1024, 1024, 5]


def test_a_decoy_stays_on_the_disk_of_a_user_who_does_not_look() -> None:
    for careless in (True, False):
        tape, made = node()
        made.careless = careless
        found(tape, made, 5)
        serve_all(tape, made, {5: JUNK})
        again = Node()
        again.start(FakeHost(me=ME, options=KazaaOptions()), (), made.saved())
        assert list(again.unopened) == ([TRAIN.name] if careless else [])


# --- participation levels --------------------------------------------------------------------------------------


def test_the_level_is_what_was_sent_over_what_was_fetched() -> None:
    _, made = node()
    assert made.claimed() == 10
    made.uploads.sent, made.uploads.got = 3 << 20, 2 << 20
    assert made.claimed() == 150
    made.uploads.sent = 1 << 40
    assert made.claimed() == 1_000
    made.uploads.sent, made.fakes = 0, True
    assert made.claimed() == 1_000


def test_the_highest_level_is_served_first() -> None:
    tape, made = node(files=[TRAIN])
    for sender, level in ((5, 10), (6, 10), (7, 900), (8, 5_000)):
        tape.give_request(made, Get(TRAIN.name, TRAIN.weak, 0, 256 * KIB, level), sender=sender)
    tape.wait(made, 16 * SECOND)
    assert [ticket.sender for ticket, _ in tape.replies] == [5, 8, 7, 6]


def test_what_is_not_here_is_refused() -> None:
    tape, made = node(files=[TRAIN])
    asked = [Get("no such", 1, 0, 10, 0), Get(TRAIN.name, 1, 0, 10, 0), Get(TRAIN.name, TRAIN.weak, 9 << 20, 10, 0)]
    for get in (*asked, Get("", 0, 0, 0, 0), Get(TRAIN.name, TRAIN.weak, -5, 1 << 70, 0)):
        tape.give_request(made, get, sender=5)
    assert [answer for _, answer in tape.replies] == [NotHere(False)] * 5
    tape.give(made, Hello(True), sender=5)
    assert made.loads == {5: 0}


# --- verdicts --------------------------------------------------------------------------------------------------

SOME = Whereabouts(living=2)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, "the asker had no link to a super node, so nobody else was asked"),
        ({"losses": {"censored": 1}}, None),
        ({"trouble": "is dead"}, None),
        ({"reached": 1, "keepers": SOME, "holders": SOME}, "1 super node was asked, but none that has it"),
        ({"reached": 3, "holders": SOME}, "3 super nodes were asked, and no super node that is alive"),
        ({"reached": 3, "holders": SOME, "keepers": Whereabouts(dead=1)}, "no super node that is alive has a holder"),
        ({"reached": 3, "holders": SOME, "keepers": Whereabouts(censored=1)}, None),
        ({"reached": 3}, None),
        ({"reached": 3, "hits": 1, "remarks": {"unopened": ("decoy",)}}, "1 holder. All bytes came, and the hash"),
        ({"reached": 3, "hits": 2, "done": 9, "of": 9}, None),
        ({"reached": 3, "hits": 2, "remarks": {"unopened": ("decoy",)}, "fetched": 1}, None),
        ({"reached": 3, "hits": 2, "remarks": {"unopened": ("decoy",)}, "setback": "it was a decoy"}, None),
        ({"hits": 1, "fetched": 1, "goal": "fetch"}, "It had the file already"),
    ],
)  # fmt: skip
def test_a_verdict_has_the_right_reason(facts: dict[str, Any], says: str | None) -> None:
    told = Node.verdict(Facts(**{"goal": "find", "text": "blue train", "origin": 1, **facts}), KazaaOptions())
    assert told is None if says is None else says in str(told)
