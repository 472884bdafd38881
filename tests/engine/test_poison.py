"""Decoys: what a poisoned peer serves, which users notice, and the record of an ask."""

from __future__ import annotations

import pickle

import msgpack
import pytest
from servents import TRAIN, connected, hit
from tiny import SECOND, make_swarm

from engine import (
    Ask,
    AskFor,
    Attack,
    Blob,
    ContentSpec,
    Cure,
    FakeHost,
    File,
    InputError,
    Kill,
    Peer,
    Poison,
    Publish,
    Revive,
    Setup,
    Swarm,
    to_toml,
)
from engine.analysis.verdict import names
from engine.api import part_of
from engine.lab.scenario import parse
from engine.protocols.gnutella import Chunk, Get, Query, QueryHit
from engine.sim.encoding import encoded_size
from engine.testing import FakeLibrary
from engine.world.content import SharedFiles, file_of
from engine.world.decoys import PoisonedLibrary, decoy, is_decoy

TITLE = "blue train"
BARE = ContentSpec(items=3, replicas=1, free_riders=1.0)
"""No peer has a file unless one is published."""


def bare_swarm(protocol: str = "gnutella", peers: int = 12, **changes: object) -> Swarm:
    values = {"protocol": protocol, "peers": peers, "seed": 3, "asks_per_s": 0.0, "content": BARE, **changes}
    return Swarm(Setup(**values))  # type: ignore[arg-type]


# --- what a decoy is -------------------------------------------------------------------------------------


def test_a_poisoned_library_has_a_file_for_every_query() -> None:
    library = PoisonedLibrary(4, SharedFiles([TRAIN]), ("blue train", "night owl"))
    [made] = library.matching("any words at all")
    assert made.name == "any words at all"
    assert library.matching("any words at all") == (made,), "the same again, for whoever asks again"
    assert library.matching("...") == library.matching("") == library.matching("x" * 5_000) == ()
    assert [file.name for file in library.files()] == ["blue train", "night owl", TRAIN.name]
    assert all(is_decoy(file.digest) for file in library.files())
    assert len(library) == 2


def test_only_the_digest_of_a_decoy_differs() -> None:
    made = decoy(4, TITLE)
    assert made is not None
    assert made.genuine, "a protocol that looks at the mark learns nothing"
    assert is_decoy(made.digest)
    assert not is_decoy(file_of(TITLE, 7).digest)
    assert not any(is_decoy(file_of(f"song {n}", 7).digest) for n in range(500))
    assert not any(map(is_decoy, (0, 1, -1, 1 << 70, "x", None)))
    other = decoy(5, TITLE)
    assert other is not None
    assert other.digest != made.digest, "each makes its own"
    plain = encoded_size(QueryHit(b"g", 1, 1, 1, 1, False, (), b"s")) + len(msgpack.packb(("a", 1, 1)))
    for genuine in (True, False):
        sent = encoded_size(QueryHit(b"g", 1, 1, 1, 1, False, (File("a", 1, 1, genuine),), b"s"))
        assert sent == plain, "name, size, digest, and no mark"


def test_a_user_does_not_keep_a_decoy() -> None:
    library, made = SharedFiles([TRAIN]), decoy(4, "night owl")
    assert made is not None
    assert not library.add(made)
    assert library.files() == (TRAIN,)
    assert library.add(TRAIN), "what is here already is not thrown away"
    poisoned = PoisonedLibrary(1, library, ())
    assert not poisoned.add(made)
    assert poisoned.add(file_of("tin soldier", 7))
    assert len(library) == 2
    assert pickle.loads(pickle.dumps(poisoned)).matching("a") == poisoned.matching("a")


# --- the verbs -------------------------------------------------------------------------------------------


def test_poison_is_a_flag_beside_the_state_and_cure_undoes_it() -> None:
    made = bare_swarm()
    made.do(Publish(1, TITLE))
    before = made.library(1).files()
    assert made.do(Poison((1, 4))) == (1, 4)
    assert made.do(Poison("#4 or #5")) == (5,), "who is poisoned already is not changed"
    assert made.snapshot().poisoned.nonzero()[0].tolist() == [1, 4, 5]
    assert made.select("state=poisoned") == (1, 4, 5)
    assert made.select(f'holds "{TITLE}"') == (1,), "a claim is no file"
    assert made.do(Cure("all")) == (1, 4, 5)
    assert not made.snapshot().poisoned.any()
    assert made.library(1).files() == before


def test_the_display_knows_decoys() -> None:
    made = bare_swarm()
    made.do(Publish(1, TITLE))
    made.do(Poison(2))
    assert [file.genuine for file in made.library(1).files()] == [True]
    assert [file.genuine for file in made.library(2).matching(TITLE)] == [False]
    assert not any(file.genuine for file in made.library(2).files())
    assert all(file.genuine for file in made.simulation.peer_hosts[2].library.files()), "its protocol does not"


def test_a_poisoned_peer_is_still_poisoned_after_a_restart() -> None:
    made = make_swarm(3)
    made.do(Poison(1))
    host = made.simulation.peer_hosts[1]
    made.do(Kill(1))
    made.do(Revive(1))
    assert len(host.library.matching("anything")) == 1


@pytest.mark.parametrize("protocol", ["web", "gossip"])
def test_poison_is_refused_where_no_files_are_shared(protocol: str) -> None:
    made = Swarm(Setup(protocol=protocol, peers=12))
    before = made.fingerprint()
    with pytest.raises(InputError, match="peers of this network share no files"):
        made.do(Poison("all"))
    with pytest.raises(InputError, match='attack "poison": users share no files'):
        made.do(Attack("poison"))
    assert made.do(Poison("state=dead")) == made.do(Cure("all")) == (), "nobody is nobody"
    assert not made.snapshot().fixed.shares_files.any()
    assert made.fingerprint() != before, "what was done to nobody is a command all the same"
    for verb in ('do = "poison"\npeers = "all"', 'do = "attack"\nname = "poison"'):
        with pytest.raises(InputError, match=rf"users of {protocol} share no files, so there is nothing to poison"):
            parse(f'protocol = "{protocol}"\n[[at]]\ns = 2\n{verb}', "x")


def test_an_index_shares_nothing_and_is_skipped() -> None:
    made = bare_swarm("napster")
    with pytest.raises(InputError, match="poison: this peer shares no files"):
        made.do(Poison("role=index"))
    assert made.do(Poison("all")) == tuple(made.select("role=user"))


def test_scenarios_know_the_verbs() -> None:
    text = '[[at]]\ns = 2\ndo = "poison"\npeers = "random 10%"\n[[at]]\ns = 3\ndo = "cure"\npeers = "state=poisoned"'
    setup = parse(text, "x").setup
    assert [command for _, command in setup.schedule] == [Poison("random 10%"), Cure("state=poisoned")]
    assert parse(to_toml(setup, "t"), "y").setup == setup


# --- who notices -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["gnutella", "napster"])
def test_the_user_notices_and_fetches_from_another(protocol: str) -> None:
    made = bare_swarm(protocol)
    made.advance(5 * SECOND)
    made.do(Publish(3, TITLE))
    made.do(Poison((5, 6, 7, 8)))
    made.advance(75 * SECOND)
    made.do(AskFor(0, TITLE, "fetch"))
    made.advance_quiet(30_000 * SECOND)
    row = made.asks()[-1]
    assert row.hits == 5
    assert 0 < row.decoys <= 4, "the seed was chosen so that the genuine file is not the first"
    assert made.library(0).matching(TITLE) == (file_of(TITLE, 3),)
    served = "served a decoy" if row.decoys == 1 else "served decoys"
    assert row.verdict.startswith("Found at ")
    assert row.verdict.endswith(f"{served}, p003 the genuine file.")


@pytest.mark.parametrize("protocol", ["gnutella", "napster"])
def test_where_all_holders_serve_decoys_no_genuine_file_is_fetched(protocol: str) -> None:
    made = bare_swarm(protocol)
    made.advance(5 * SECOND)
    made.do(Poison((5, 6)))
    made.advance(75 * SECOND)
    made.do(AskFor(0, "tin soldier", "fetch"))
    made.advance_quiet(30_000 * SECOND)
    row = made.asks()[-1]
    assert (row.hits, row.decoys) == (2, 2)
    assert not made.library(0).files()
    found = row.verdict.removeprefix("Found at ").split("; ")
    assert sorted(found[0].split(" and ")) == ["p005", "p006"]
    assert found[1].endswith("served decoys, nobody the genuine file.")


def test_a_cured_napster_user_withdraws_its_claims() -> None:
    made = bare_swarm("napster")
    made.advance(5 * SECOND)
    made.do(Poison(5))
    made.advance(80 * SECOND)
    made.do(Cure(5))
    made.advance(200 * SECOND)
    made.do(AskFor(0, TITLE))
    made.advance_quiet(1_000 * SECOND)
    assert made.asks()[-1].hits == 0


def test_a_servent_tries_the_next_holder_of_the_name() -> None:
    tape, peer = connected(2)
    tape.library = FakeLibrary(unwanted=[66])
    number = ask(tape, peer)
    bad = File(TRAIN.name, 2_000, 66)
    tape.give(peer, hit(number, address=7, file=bad), 2)
    tape.give(peer, hit(number, address=9, file=TRAIN), 2)
    tape.take()
    tape.give(peer, Chunk(bad.name, 0, blob(bad)), 7)
    assert tape.noted("decoy") == [{"content": bad.name, "holder": 7}]
    assert tape.take() == [(9, Get(TRAIN.name, 0))], "nothing of the decoy is kept"
    assert tape.library.files() == []


def test_a_servent_tries_files_of_other_names_when_no_holder_is_left() -> None:
    tape, peer = connected(2)
    tape.library = FakeLibrary(unwanted=[66])
    number = ask(tape, peer)
    bad = File("train", 2_000, 66)
    tape.give(peer, hit(number, address=7, file=bad), 2)
    tape.give(peer, hit(number, address=9, file=TRAIN), 2)
    tape.give(peer, hit(number, address=8, file=TRAIN), 2)
    tape.take()
    tape.give(peer, Chunk("train", 0, blob(bad)), 7)
    assert tape.take() == [(9, Get(TRAIN.name, 0))]
    assert list(peer.downloads.running) == [TRAIN.name]
    assert [source.holder for source in peer.downloads.running[TRAIN.name].others] == [8]
    tape.give(peer, Chunk(TRAIN.name, 0, blob(TRAIN)), 9)
    assert tape.library.files() == [TRAIN]
    assert tape.timers == [timer for timer in tape.timers if timer.period_us], "no watch is left to hold the ask open"


def ask(tape: FakeHost, peer: Peer) -> bytes:
    tape.ask(peer, Ask(1, "find", "train"))
    [(_, question)] = tape.take()
    assert isinstance(question, Query)
    return question.guid


def blob(file: File) -> Blob:
    return Blob(file.size, file.digest)


def test_many_names_are_shortened_in_a_verdict() -> None:
    assert names([]) == "nobody"
    assert names(["p1"]) == "p1"
    assert names(["p1", "p2"]) == "p1 and p2"
    assert names(["p1", "p2", "p3", "p4"]) == "p1, p2, p3 and p4"
    assert names([f"p{n}" for n in range(12)]) == "p0, p1, p2 and 9 others"


def test_a_poisoned_peer_sends_other_bytes_of_a_file_than_those_that_have_it() -> None:
    file = File("blue train", 100_000, 77)
    honest = SharedFiles([file])
    poisoned = PoisonedLibrary(3, honest, ["blue train"])
    hosts = [FakeHost(library=library) for library in (honest, SharedFiles(), poisoned)]
    first, second, wrong = (host.blob(file, 16_384, 1_000) for host in hosts)
    assert first == second == Blob(1_000, part_of(77, 16_384))
    assert wrong.size == 1_000
    assert wrong.digest != first.digest
    assert part_of(77, 0) != part_of(77, 16_384)
