"""A BitTorrent client without a network, and small swarms."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from engine import (
    Act,
    Arrive,
    AskFor,
    Attack,
    Censor,
    Collude,
    Command,
    ContentSpec,
    File,
    InputError,
    Kill,
    Leave,
    LinkSpec,
    Partition,
    Poison,
    Publish,
    Reopen,
    Setup,
    Shutdown,
    Swarm,
)
from engine.api import Ask, Ban, Blob, Message, mentions, part_of
from engine.measure.snapshot import ALIVE
from engine.protocols.bittorrent import Client, Torrent, messages, newest
from engine.protocols.bittorrent.messages import (
    Announced,
    Bitfield,
    Cancel,
    Choke,
    Handshake,
    Have,
    Interested,
    MetadataPart,
    MetadataRequest,
    Piece,
    Request,
    Requests,
    SearchTorrents,
    TorrentsFound,
    Unchoke,
    info_hash_of,
)
from engine.protocols.bittorrent.trackers import IndexSite, Tracker
from engine.testing import FakeHost, FakeLibrary

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "bench")]

from bench_bittorrent import distribute  # noqa: E402

INDEX, TRACKER, OTHER = 90, 91, 7
FILM = File("blue train", 2 * 65_536, 4711)
NUMBER = info_hash_of("blue train")


def client(*files: File, **options: object) -> tuple[FakeHost, Client]:
    given = {"piece_kib": 64, "udp": False, "have_s": 0.0, "trackers": 1, **options}
    host = FakeHost(me=1, options=Client.options_type(**given), library=FakeLibrary(files))
    peer = Client()
    peer.start(host, [INDEX, TRACKER], None)
    return host, peer


def leecher(**options: object) -> tuple[FakeHost, Client, Torrent]:
    """One that has found a torrent, and is connected to a seed, which has unchoked it."""
    host, peer = client(**options)
    _, seed = client(FILM, **options)
    metainfo = seed.torrents[NUMBER].metainfo
    host.cause = 1 << 8
    peer.ask(host, Ask(1, "download", "blue train"))
    host.answer(
        peer, host.calls[-1], TorrentsFound("blue train", (metainfo.magnet() if options.get("magnet") else metainfo,))
    )
    host.answer(peer, host.calls[-1], Announced(NUMBER, 1_800, 1, 0, (OTHER,)))
    host.give(peer, Handshake(NUMBER, 4711, metainfo.bytes, True), sender=OTHER)
    host.give(peer, Bitfield(NUMBER, 3, 2), sender=OTHER)
    return host, peer, peer.torrents[NUMBER]


def test_a_seed_unchokes_an_interested_peer_and_sends_what_it_requests() -> None:
    host, peer = client(FILM)
    host.take()
    host.give(peer, Request(NUMBER, 0, 0, 16_384), sender=OTHER)
    host.give(peer, Handshake(NUMBER, 4711, 0), sender=OTHER)
    assert [type(message) for _, message in host.take()] == [Handshake, Bitfield]
    assert host.marks[OTHER, ""] == "choked"
    host.give(peer, Request(NUMBER, 0, 0, 16_384), sender=OTHER)
    host.give(peer, Interested(NUMBER), sender=OTHER)
    assert host.take() == [(OTHER, Unchoke(NUMBER))], "what a choked peer asks for is not sent"
    host.give(peer, Request(NUMBER, 1, 16_384, 16_384), sender=OTHER)
    assert host.take() == [(OTHER, Piece(NUMBER, 1, 16_384, Blob(16_384, part_of(4711, 65_536 + 16_384))))]
    assert host.marks[OTHER, ""] == "unchoked"


def test_blocks_that_were_not_begun_are_withdrawn_on_a_choke_and_on_a_cancel() -> None:
    host, peer = client(FILM)
    for message in (Handshake(NUMBER, 4711, 0), Interested(NUMBER)):
        host.give(peer, message, sender=OTHER)
    host.busy = True
    host.give(peer, Requests(NUMBER, ((0, 0), (0, 1), (0, 2))), sender=OTHER)
    assert peer.uploaded == 3 * 16_384
    host.give(peer, Cancel(NUMBER, 0, 16_384, 16_384), sender=OTHER)
    assert peer.uploaded == 2 * 16_384
    host.act(peer, "ride-free")
    assert peer.uploaded == 0
    assert host.sent[-1] == (OTHER, Choke(NUMBER))


def blocks(digest: int) -> list[Piece]:
    return [
        Piece(NUMBER, piece, begin, Blob(16_384, part_of(digest, piece * 65_536 + begin)))
        for piece in range(2)
        for begin in range(0, 65_536, 16_384)
    ]


def test_a_leecher_downloads_tells_its_progress_and_becomes_a_seed() -> None:
    host, peer, torrent = leecher()
    assert host.role == "leecher"
    assert (OTHER, Interested(NUMBER)) in host.sent
    host.give(peer, Unchoke(NUMBER), sender=OTHER)
    asked = host.sent[-1][1]
    assert isinstance(asked, Requests)
    assert len(asked.blocks) == 5
    for message in blocks(4711):
        host.give(peer, message, sender=OTHER)
    assert torrent.state.complete
    assert host.role == "seed"
    assert [facts["done"] for kind, facts in host.notes if kind == "progress"] == [0, 1, 2]
    assert host.library.files() == [FILM]
    assert OTHER in host.unlinked, "two seeds have nothing for each other"


def test_wrong_bytes_are_thrown_away_and_their_only_sender_is_banned() -> None:
    host, peer, torrent = leecher()
    host.give(peer, Unchoke(NUMBER), sender=OTHER)
    for message in blocks(666)[:4]:
        host.give(peer, message, sender=OTHER)
    assert torrent.state.pieces == 0
    assert peer.wasted == 65_536
    assert list(peer.banned) == [OTHER]
    assert OTHER not in torrent.peers
    host.give(peer, Handshake(NUMBER, 4711, 0), sender=OTHER)
    assert OTHER not in torrent.peers


def test_of_a_magnet_link_the_metadata_come_from_a_peer() -> None:
    host, peer, torrent = leecher(magnet=True)
    assert not torrent.ready
    assert (OTHER, MetadataRequest(NUMBER, 0)) in host.sent
    _, seed = client(FILM)
    host.give(peer, MetadataPart(NUMBER, 0, seed.torrents[NUMBER].metainfo), sender=OTHER)
    assert torrent.ready
    assert torrent.layout.pieces == 2
    assert (OTHER, Interested(NUMBER)) in host.sent
    answer_host, _ = client(FILM)
    answer_host.give(seed, MetadataRequest(NUMBER, 0), sender=OTHER)
    assert isinstance(answer_host.sent[-1][1], MetadataPart)


def test_a_super_seed_tells_of_one_piece_and_of_the_next_when_another_has_that() -> None:
    host, peer = client(FILM, super_seeding=True)
    host.take()
    for one in (7, 8):
        host.give(peer, Handshake(NUMBER, 4711, 0), sender=one)
    first = [message for _, message in host.take() if isinstance(message, Have)]
    assert sorted(message.piece for message in first) == [0, 1]
    host.give(peer, Have(NUMBER, first[0].piece), sender=7)
    assert host.take() == []
    host.give(peer, Have(NUMBER, first[0].piece), sender=8)
    assert host.take() == [(7, Have(NUMBER, first[1].piece))]


def test_when_the_first_tracker_is_silent_the_next_tier_is_asked() -> None:
    host, peer = client(trackers=2)
    peer.trackers = (91, 92)
    _, seed = client(FILM)
    metainfo = seed.torrents[NUMBER].metainfo._replace(tiers=((91,), (92,)))
    peer.ask(host, Ask(1, "download", "blue train"))
    assert host.calls[-1].request == SearchTorrents("blue train")
    host.answer(peer, host.calls[-1], TorrentsFound("blue train", (metainfo,)))
    assert host.calls[-1].to == 91
    host.time_out(peer, host.calls[-1])
    assert host.calls[-1].to == 92


@pytest.mark.parametrize("udp", [False, True])
def test_who_leaves_tells_each_tracker_that_knows_of_it(udp: bool) -> None:
    """The first tracker is down when a download begins; a seed of old is known to both."""
    made = swarm(udp=udp, tracker_timeout_s=2.0)
    title = made.catalogue_titles(1)[0]
    seed = next(peer for peer in range(10) if made.library(peer))
    known = [one.registry.torrents for one in made.simulation.programs if isinstance(one, Tracker)]
    number = info_hash_of(title)
    made.do(Shutdown("tracker operator 1"))
    made.do(AskFor(((seed + 1) % 10,), title))
    made.advance(60_000_000)
    assert set(known[1][number]) == {seed, (seed + 1) % 10}
    made.do(Leave((seed, (seed + 1) % 10)))
    made.advance(70_000_000)
    assert known[1] == {}


def test_verbs_that_would_change_nothing_are_refused_with_the_reason() -> None:
    made = swarm()
    title = made.catalogue_titles(1)[0]
    seed = next(peer for peer in range(10) if made.library(peer))
    other = (seed + 1) % 10

    def refused(name: str, peer: int) -> str:
        with pytest.raises(InputError) as caught:
            made.do(Act(peer, name))
        return str(caught.value).rpartition(": ")[2]

    assert refused("stop-seeding", other) == "it seeds nothing"
    assert refused("seed", other) == "it has nothing to seed"
    assert refused("seed", seed) == "it seeds all that it has"
    made.do(Act(seed, "stop-seeding"))
    assert refused("stop-seeding", seed) == "it seeds nothing"
    made.do(Act(seed, "seed"))
    made.do(AskFor((other,), title))
    made.do(Act(other, "ride-free"))
    made.advance(60_000_000)
    assert made.asks()[0].fetched, "who has it and rides free leaves the swarm"
    assert refused("seed", other) == "it uploads nothing"
    made.do(Act(other, "share"))
    made.do(Act(other, "seed"))
    assert refused("seed", other) == "it seeds all that it has"


def swarm(peers: int = 10, **options: object) -> Swarm:
    content = ContentSpec(1, 1.0, free_riders=(peers - 1) / peers, file_mib=1.0)
    options = {"piece_kib": 64, **options}
    return Swarm(
        Setup(
            protocol="bittorrent",
            peers=peers,
            asks_per_s=0.0,
            content=content,
            options=options,
            links=LinkSpec("2000:9000"),
        )
    )


def test_no_swarm_is_faster_than_the_bound_and_uploads_equal_downloads() -> None:
    made = distribute(8, 8, 1_000, 2.0, piece_kib=64)
    assert 1.0 <= made.ratio < 10.0
    assert made.up == made.down >= 8 * 8 * 65_536
    assert made.in_flight == 0


def test_a_copy_goes_on_as_the_swarm_does() -> None:
    made = swarm()
    made.do(AskFor("role=peer", made.catalogue_titles(1)[0]))
    made.advance(5_000_000)
    copy = pickle.loads(pickle.dumps(made))
    for one in (made, copy):
        one.advance(20_000_000)
    assert copy.fingerprint() == made.fingerprint()
    assert all(row.fetched for row in made.asks())


def test_a_download_has_not_failed_while_neighbours_get_pieces_that_none_had_before() -> None:
    """The seed is no neighbour: its pieces come by others, one by one."""
    film = File("blue train", 40 * 16_384, 4711)
    host, peer = client(piece_kib=16, give_up_s=30.0)
    _, seed = client(film, piece_kib=16)
    host.cause = 1 << 8
    peer.ask(host, Ask(1, "download", "blue train"))
    host.answer(peer, host.calls[-1], TorrentsFound("blue train", (seed.torrents[NUMBER].metainfo,)))
    host.answer(peer, host.calls[-1], Announced(NUMBER, 1_800, 1, 0, (OTHER,)))
    host.give(peer, Handshake(NUMBER, 4711, 1_000, True), sender=OTHER)
    failed = [at for at in range(0, 200, 10) if step(host, peer, at)]
    # The last new piece is announced at 100 s. In the first round after it the download goes on; 30 s after the second
    # round it has failed.
    assert [at for at in failed if at < 130] == []
    assert failed


def step(host: FakeHost, peer: Client, at_s: int) -> bool:
    """Up to 100 s a neighbour has one piece more each 10 s. Returns whether the download has failed 10 s later."""
    if at_s <= 100:
        host.give(peer, Have(NUMBER, at_s // 10), sender=OTHER)
    host.wait(peer, 10_000_000)
    return any(kind == "failed" for kind, _ in host.notes)


def test_a_download_that_its_last_seed_left_says_how_many_pieces_came() -> None:
    made = swarm(give_up_s=5.0)
    title = made.catalogue_titles(1)[0]
    made.do(AskFor("role=peer", title))
    made.advance(5_000_000)
    made.do(Kill(f'holds "{title}"'))
    assert made.advance_quiet(120_000_000)
    for row in made.asks():
        assert not row.fetched
        assert 0 < row.done < row.of == 16
        assert row.verdict == f"Not downloaded: {row.done:.0f} of 16 pieces; the last seed left."


@pytest.mark.parametrize(
    ("do", "why"),
    [
        (lambda seed, others, word: Kill(seed), "the last seed left"),
        (lambda seed, others, word: Censor(seed), "all seeds are censored"),
        (lambda seed, others, word: Partition(seed), "all seeds are behind the partition"),
        (lambda seed, others, word: Collude(seed, word), "all seeds enforce a ban"),
        (lambda seed, others, word: Collude(others, word), "the asker is colluding"),
    ],
    ids=["seed killed", "seed censored", "seed parted", "seed colludes", "askers collude"],
)
def test_every_download_ends_when_nobody_can_help_any_more(do: Callable[[str, str, str], Command], why: str) -> None:
    """Whether the seed had unchoked the peer or not, and whether connections end, are silent or are tried anew."""
    made = swarm(give_up_s=5.0, snubbed_s=10.0, stalled_s=60.0)
    title = made.catalogue_titles(1)[0]
    seeds = [peer for peer, library in enumerate(made.world.catalogue.libraries) if len(library)]
    seed = " or ".join(made.labels[one] for one in seeds)
    others = " or ".join(made.labels[one] for one in range(10) if one not in seeds)
    made.do(AskFor(others, title))
    made.advance(3_000_000)
    made.do(do(seed, others, title.split()[0]))
    made.advance(300_000_000)
    asks = made.asks()
    assert len(asks) == 9
    for row in asks:
        assert row.closed_us is not None
        assert not row.fetched
        assert row.verdict.endswith(f"; {why}.")


def test_pieces_of_a_poisoner_are_thrown_away_and_everybody_gets_the_file() -> None:
    made = swarm(peers=12)
    title = made.catalogue_titles(1)[0]
    made.do(AskFor("role=peer", title))
    made.do(Poison(f'not holds "{title}" and random 2'))
    made.advance(120_000_000)
    clients = [one for one in made.simulation.programs if isinstance(one, Client)]
    assert all(row.fetched for row in made.asks())
    assert sum(one.wasted for one in clients) > 0
    assert any(one.banned for one in clients)


def test_an_index_site_that_was_shut_down_reopens_under_another_operator_with_its_catalogue() -> None:
    made = swarm()
    title = made.catalogue_titles(1)[0]
    [site] = made.do(Shutdown("index operator"))
    made.snapshot()
    made.do(Reopen("index operator", "somebody else"))
    assert made.snapshot().fixed.operator[site] == "somebody else"
    made.do(AskFor("role=peer", title))
    assert made.advance_quiet(120_000_000)
    assert all(row.fetched for row in made.asks())


def test_without_any_tracker_peers_and_metadata_are_found_by_the_hash_table() -> None:
    made = swarm(trackers=0, magnet=True)
    title = made.catalogue_titles(1)[0]
    made.do(AskFor("role=peer", title))
    assert made.advance_quiet(120_000_000)
    assert all(row.fetched for row in made.asks())
    keepers = made.keepers_of(1)
    assert len(keepers) == 8, "of ten peers, the eight nearest to the info-hash"


def test_who_finds_nobody_is_told_of_trackers_and_of_the_nodes_that_kept_the_record() -> None:
    for hash_table in (False, True):
        made = swarm(hash_table=hash_table, give_up_s=5.0, tracker_timeout_s=1.0)
        title = made.catalogue_titles(1)[0]
        made.do(Shutdown("tracker operator 1"))
        made.do(Shutdown("tracker operator 2"))
        programs = list(enumerate(made.simulation.programs))
        keepers = [peer for peer, one in programs if isinstance(one, Client) and one.keeps(title)]
        assert len(keepers) == 8 * hash_table
        asker = next(peer for peer in range(10) if peer not in keepers and not made.library(peer))
        dead = tuple(peer for peer in keepers if not made.library(peer))
        made.do(Kill(dead))
        for one in made.simulation.programs:
            if isinstance(one, Client):
                # The holder lives; its node may be one of those that kept the record.
                one.dht.records.kept.clear()
        made.do(AskFor((asker,), title))
        assert made.advance_quiet(120_000_000)
        [row] = made.asks()
        told = f" and the hash table led to nobody: of the nodes that kept its record at least {len(dead)} are gone"
        assert row.verdict == (
            "Not downloaded: 0 of 16 pieces; the peer that has it was not found, as no tracker is up"
            f"{told if hash_table else ''}."
        )


def test_a_newcomer_comes_into_the_hash_table_by_its_first_neighbour() -> None:
    made = swarm()
    title = made.catalogue_titles(1)[0]
    [late] = made.do(Arrive(1, 0.0))
    made.advance(20_000_000)
    newcomer = made.simulation.programs[late]
    assert isinstance(newcomer, Client)
    assert not newcomer.dht.is_in
    made.do(AskFor((late,), title))
    made.advance(60_000_000)
    assert newcomer.dht.is_in
    assert late in {
        peer
        for one in made.simulation.programs
        if isinstance(one, Client)
        for peer in one.dht.records.kept.get(NUMBER if title == "blue train" else info_hash_of(title), ())
    }


def test_two_seeds_end_their_connection_and_do_not_connect_again() -> None:
    host, peer = client(FILM)
    host.take()
    host.give(peer, Handshake(NUMBER, 4711, 0), sender=OTHER)
    host.give(peer, Bitfield(NUMBER, 3, 2), sender=OTHER)
    assert OTHER in host.unlinked
    host.take()
    host.give(peer, Handshake(NUMBER, 4711, 0, True), sender=OTHER)
    assert host.take() == [], "an answer to a connection that is over opens none"


def test_other_bytes_under_the_same_title_are_another_torrent() -> None:
    host, peer = client(FILM)
    host.take()
    host.give(peer, Handshake(NUMBER, 666, 0), sender=OTHER)
    assert host.take() == []
    assert OTHER not in peer.torrents[NUMBER].peers
    host.library.add(File("blue train", 2 * 65_536, 666))
    host.give(peer, Handshake(NUMBER, 666, 0), sender=OTHER)
    assert OTHER in peer.torrents[NUMBER].peers, "the file has changed, and so has what is seeded"


def test_the_minimum_cut_is_that_of_a_first_download_however_far_this_one_is() -> None:
    made = swarm(peers=14, trackers=1)
    title = made.catalogue_titles(1)[0]
    [seed] = [peer for peer in range(14) if made.library(peer)]
    asker = (seed + 1) % 14
    [site] = [peer for peer, one in enumerate(made.simulation.programs) if isinstance(one, IndexSite)]
    found = made.min_cut(asker, title)
    assert found.peers == (site,), "one site, one seed; of those who know the seed there are nine"
    assert found.sentence.endswith(
        f"there is no other index site with its .torrent file. {made.labels[asker]} also needs a peer that has one of "
        "the pieces (1 up) and a tracker or node of the hash table that knows who takes part (8 up)."
    )
    made.do(AskFor((asker,), title))
    made.advance(3_000_000)
    [row] = made.asks()
    assert 0 < row.done < row.of, "it has some of the pieces"
    during = made.min_cut(asker, title)
    assert during.peers == (site,)
    part = f"{row.done:g} of {row.of:g} pieces and 1 neighbour"
    unlike = f" Not counted: what {made.labels[asker]} has got by asking before, {part}."
    assert during.sentence == found.sentence + unlike
    other = (seed + 2) % 14
    made.do(Kill((seed,)))
    made.do(Kill((asker,)))
    assert made.min_cut(other, title).sentence.startswith("No peer that has any piece is up and would answer")
    made.do(Shutdown("index operator"))
    assert made.min_cut(other, title).sentence.startswith("No index site with its .torrent file is up")


def test_a_tracker_that_knows_the_asker_alone_is_not_counted_among_those_that_know_peers() -> None:
    made = swarm(peers=14, trackers=1)
    title = made.catalogue_titles(1)[0]
    [seed] = [peer for peer in range(14) if made.library(peer)]
    asker = (seed + 1) % 14
    programs = made.simulation.programs

    def knowing() -> tuple[int, ...]:
        found = Client.needs(title, "download", asker, programs, made.simulation.shared.options)
        return next(need.peers for need in found if need.what.startswith("tracker"))

    before = knowing()
    number = info_hash_of(title)
    assert number is not None
    idle = next(p for p in range(14) if p not in (*before, asker))
    node = programs[idle]
    assert isinstance(node, Client)
    node.dht.records.store(number, asker, made.now_us, 3_600_000_000, copied=False, keys=9, values=9)
    assert node.keeps(title)
    assert knowing() == before
    node.dht.records.store(number, seed, made.now_us, 3_600_000_000, copied=False, keys=9, values=9)
    assert idle in knowing()


def test_a_service_that_is_shut_down_three_times_is_back_under_a_fourth_operator() -> None:
    made = swarm()
    [site] = [peer for peer, one in enumerate(made.simulation.programs) if isinstance(one, IndexSite)]
    attack = Attack("whack-a-mole", whom="index operator", count=3, over_s=12.0)
    assert "3 times within 12 s" in made.preview(attack).sentence
    made.do(attack)
    states = []
    for _ in range(6):
        states.append(made.snapshot().fixed.operator[site] if made.simulation.state[site] == ALIVE else "down")
        made.advance(made.now_us + 2_000_000)
    assert states == ["down", "index operator 2", "down", "index operator 3", "down", "index operator 4"]


def test_half_of_the_background_downloads_are_of_the_newest_title() -> None:
    titles = ("a", "b", "c", "d")
    rng = Random(3)
    for minute, newest_title in ((0, "a"), (3, "b"), (9, "a")):
        drawn = [newest(titles, rng, minute * 60_000_000) for _ in range(400)]
        # Half, and 1/32 of those that want older ones have come round.
        assert 0.45 < drawn.count(newest_title) / 400 < 0.62


STATE = (
    "Close",
    "Bitfield",
    "Have",
    "Haves",
    "Choke",
    "Unchoke",
    "Interested",
    "NotInterested",
    "Piece",
    "Cancel",
    "Stopped",
)
"""Messages on a connection that there is, which names the torrent itself, and a farewell to a tracker."""


def test_a_ban_on_a_word_covers_the_info_hashes_of_all_titles_that_have_it() -> None:
    ban = Ban("train", [Client.key_of("blue train")])
    made = {str: "x", int: 0}
    kinds = [kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, Message)]
    named = [kind for kind in kinds if "info_hash" in getattr(kind, "__dataclass_fields__", {})]
    assert {kind.__name__ for kind in named} >= set(STATE)
    for kind in named:
        fields = kind.__dataclass_fields__
        values = {name: made.get({"int": int, "str": str}.get(str(f.type), tuple), ()) for name, f in fields.items()}
        values |= {"info_hash": NUMBER, **({"metainfo": None} if "metainfo" in values else {})}
        assert mentions(kind(**values).about(), ban) == (kind.__name__ not in STATE), kind


def test_trackers_that_enforce_a_ban_name_nobody() -> None:
    made = swarm(hash_table=False, give_up_s=5.0)
    title = made.catalogue_titles(1)[0]
    made.do(Collude("role=tracker", title.split()[0]))
    made.do(AskFor((next(peer for peer in range(10) if not made.library(peer)),), title))
    assert made.advance_quiet(120_000_000)
    [row] = made.asks()
    assert row.hits == 0
    assert row.verdict.endswith("the peer that has it was not found, as all trackers enforce a ban.")


def test_a_publication_needs_the_index_site_and_no_tracker() -> None:
    for kind, act in (("index", Kill), ("index", Partition), ("index", Censor), ("tracker", Kill)):
        swarm = Swarm(Setup(protocol="bittorrent", peers=30, seed=3, asks_per_s=0.0))
        swarm.do(act(swarm.select(f"role={kind}")))
        swarm.do(Publish(5, "a song unheard"))
        swarm.advance(60_000_000)
        row = swarm.asks()[-1]
        state = {Kill: "dead", Partition: "behind the partition", Censor: "censored"}[act]
        if kind == "index":
            assert row.outcome == "not published"
            assert row.verdict == f"Not published: nobody can find its .torrent file, since index is {state}."
        else:
            assert row.outcome == "published"
        swarm.do(AskFor(8, "a song unheard"))
        swarm.advance(400_000_000)
        assert (swarm.asks()[-1].fetched == 1) == (kind == "tracker")
