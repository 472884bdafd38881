"""Verdicts compared with the truth, which is found without the engine: by networkx, and by the words of the bans."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import networkx
import pytest
from tiny import MS, SECOND, Diary, Question, ask, give, make_swarm

from engine import (
    BROADCAST,
    Ask,
    AskFor,
    Censor,
    Collude,
    ContentSpec,
    Host,
    Kill,
    Leave,
    Partition,
    Poison,
    Publish,
    Revive,
    Set,
    Setup,
    Station,
    Swarm,
)
from engine.api import words_of
from engine.measure.snapshot import DEAD, LEFT

WHAT = "blue train"
NAMES = ("blue train", "the blue train of march", "blue train two")
BANS = ("train", "blue train", "march", "two", "something else", "balloon", "the blue")
"""The first two are in the text; the next ones in some names that match it; then words of neither."""
CLAUSES = {
    r"(\d+) (?:is|are) dead": "dead",
    r"(\d+) (?:is|are) gone": "left",
    r"(\d+) (?:is|are) censored": "censored",
    r"(\d+) (?:is|are) behind the partition": "parted",
    r"(\d+) (?:is|are) colluding": "colluding",
    r"(\d+) (?:was|were) asked": "asked",
    r"(\d+) cannot be reached": "cut",
    r"(\d+) (?:is|are at least) \d+ hops? away": "far",
    r"the way to (\d+) was cut \([^)]*(?:censored|partition)[^)]*\)": "walled",
    r"the way to (\d+) was cut \([^)]*collud[^)]*\)": "hushed",
}


def banned(text: str, ban: str) -> bool:
    return bool(ban) and set(words_of(ban)) <= set(words_of(text))


def truth(swarm: Swarm, origin: int, ttl: int) -> tuple[Counter[str], bool]:
    """Why each holder answers or not, from the states of peers and the paths in the graph; and whether one answers."""
    frame = swarm.snapshot()
    peers = range(len(swarm.labels))
    graph = networkx.Graph([(a, b) for a in peers for b in swarm.links_of(a)])
    graph.add_nodes_from(peers)
    blocked = {p for p in peers if frame.censored[p] or frame.group[p] != frame.group[origin]}
    mute = {p for p in peers if banned(WHAT, swarm.ban_of(p))}

    def within(closed: set[int], hops: int) -> set[int]:
        open_graph = graph.subgraph(set(peers) - (closed - {origin}))
        return set(networkx.single_source_shortest_path_length(open_graph, origin, hops))

    told: Counter[str] = Counter()
    found = False
    for p in peers:
        names = [file.name for file in swarm.library(p).matching(WHAT)]
        if p == origin or not names:
            continue
        if frame.state[p] in (DEAD, LEFT):
            told["dead" if frame.state[p] == DEAD else "left"] += 1
        elif frame.censored[p]:
            told["censored"] += 1
        elif frame.group[p] != frame.group[origin]:
            told["parted"] += 1
        elif all(banned(name, swarm.ban_of(p)) for name in names):
            told["colluding"] += 1
        elif p in within(blocked | mute, ttl):
            found = True
        elif p not in within(set(), len(peers)):
            told["cut"] += 1
        elif p not in within(set(), ttl):
            told["far"] += 1
        else:
            told["walled" if p not in within(blocked, ttl) else "hushed"] += 1
    return told, found


def told(verdict: str) -> Counter[str]:
    """The counts that a verdict names."""
    counts: Counter[str] = Counter()
    for pattern, word in CLAUSES.items():
        for number in re.findall(pattern, verdict):
            counts[word] += int(number)
    return counts


def test_a_verdict_on_a_flood_names_the_true_reasons() -> None:
    met: Counter[str] = Counter()
    for seed in range(110):
        rng = random.Random(seed)
        ttl = rng.randint(1, 4)
        topology = rng.choice(("ring", "random:3", "tree:3"))
        swarm = make_swarm(14, topology=topology, seed=seed, options={"loud": True, "ttl": ttl})
        holders = rng.sample(range(1, 14), rng.randint(0, 4))
        for peer in holders:
            give(swarm, peer, rng.choice(NAMES))
        for _ in range(rng.randint(0, 5)):
            kind = rng.choice((Kill, Leave, Censor, Censor, Collude, Collude, Partition))
            peer = rng.choice(holders) if holders and rng.random() < 0.3 else rng.randrange(1, 14)
            swarm.do(kind(peer, rng.choice(BANS)) if kind is Collude else kind(peer))
        swarm.advance(SECOND)
        row = ask(swarm, 0, WHAT)
        causes, found = truth(swarm, 0, ttl)
        if found:
            assert row.verdict.startswith("Found: "), (seed, row.verdict, causes)
        elif causes:
            assert row.verdict.startswith("No answer: "), (seed, row.verdict)
            assert told(row.verdict) == causes, (seed, row.verdict)
        else:
            assert row.verdict == f'No answer: no peer holds "{WHAT}".', (seed, row.verdict)
        met.update({"found": 1} if found else causes or {"nobody": 1})
    kinds = {"found", "nobody", "dead", "left", "censored", "parted", "colluding", "far", "walled", "hushed", "cut"}
    assert set(met) == kinds, f"these were never met: {kinds - set(met)}"


def test_a_ban_on_another_word_is_no_suppression() -> None:
    swarm = make_swarm(20, topology="ring", options={"loud": True, "ttl": 7})
    give(swarm, 9, WHAT)
    swarm.do(Collude(9, "something else"))
    assert ask(swarm, 0, WHAT).verdict == (
        "No answer: 1 peer holds it; 1 is 9 hops away and a question travels 7 hops."
    )
    swarm.do(Collude(9, "train"))
    assert ask(swarm, 0, WHAT).verdict == "No answer: 1 peer holds it; 1 is colluding."


@pytest.mark.parametrize(
    ("acts", "why"),
    [
        ([Kill(0)], "the asker is dead"),
        ([Leave(0)], "the asker is gone"),
        ([Kill(0), 15, Revive(0)], "the asker has been restarted"),
        ([Censor(0)], "the asker is censored"),
        ([Collude(0, "train")], "the asker is colluding"),
    ],
)
def test_a_verdict_names_the_asker_if_it_is_the_reason(acts: list[Any], why: str) -> None:
    swarm = make_swarm(4, options={"loud": True})
    give(swarm, 1, WHAT)
    if isinstance(acts[0], (Censor, Collude)):
        swarm.do(acts[0])
        swarm.do(AskFor(0, WHAT))
    else:
        swarm.do(AskFor(0, WHAT))
        for act in acts:
            if isinstance(act, int):
                swarm.advance(swarm.now_us + act * MS)
            else:
                swarm.do(act)
    swarm.advance(5 * SECOND)
    assert swarm.record(1).verdict == f"No answer: 1 peer holds it; 1 could not answer, since {why}."


def real(protocol: str, peers: int = 12, **changes: Any) -> Swarm:
    values: dict[str, Any] = {
        "protocol": protocol,
        "peers": peers,
        "latency": "constant:20",
        "asks_per_s": 0.0,
        "content": ContentSpec(items=4, replicas=1.0, free_riders=0.0),
        **changes,
    }
    swarm = Swarm(Setup(**values))
    swarm.advance(5 * SECOND)
    return swarm


@pytest.mark.parametrize("protocol", ["gnutella", "napster"])
@pytest.mark.parametrize("who", ["asker", "holder", "nobody"])
def test_a_broken_download_is_in_the_verdict(protocol: str, who: str) -> None:
    swarm = real(protocol)
    swarm.do(Publish(3, "a song unheard"))
    swarm.advance(swarm.now_us + 2 * SECOND)
    swarm.do(AskFor(7, "song unheard"))
    swarm.advance(swarm.now_us + 2_500_000)
    row = swarm.asks()[-1]
    assert row.hits == 1
    assert row.closed_us is None, "its download is under way"
    if who != "nobody":
        swarm.do(Kill(7 if who == "asker" else 3))
    swarm.advance_quiet(swarm.now_us + 3_600 * SECOND)
    row = swarm.asks()[-1]
    found = "Found: 1 holder, the first after 0."
    assert row.verdict.startswith(found)
    said = row.verdict[len(found) + 2 :]
    assert row.outcome == ("answered" if who == "nobody" else "not fetched")
    if who == "nobody":
        assert (said, row.fetched) == (" s.", 1)
    elif who == "asker":
        assert said == " s, but it was not fetched: the asker is dead."
    else:
        assert said == " s, but it was not fetched: the holder is dead."
        assert row.fetched == 0


CUT_OFF: dict[str, tuple[list[Any], str]] = {
    "asker censored": ([Censor(7)], "was not fetched: the asker is censored"),
    "asker colluding": ([Collude(7, "song")], "was not fetched: the asker is colluding"),
    "asker parted": ([Partition(7)], "was not fetched: {} behind the partition"),
    "holders parted": ([Partition((3, 4))], "was not fetched: {} behind the partition"),
    "holders censored": ([Censor((3, 4))], "was not fetched: {} censored"),
    "dead and censored": ([Kill(3), Censor(4)], "was not fetched: of the 2 holders 1 is dead, 1 is censored"),
    "dead": ([Kill((3, 4))], "was not fetched: {} dead"),
    "gone": ([Leave((3, 4))], "was not fetched: {} gone"),
    "dead, then asker censored": ([Kill((3, 4)), Censor(7)], "was not fetched: {} dead"),
    "another parted": ([Partition(9)], ""),
}


@pytest.mark.parametrize("protocol", ["gnutella", "napster", "kazaa", "limewire"])
@pytest.mark.parametrize("what", CUT_OFF)
def test_the_verdict_on_a_broken_download_between_living_peers_names_the_true_reason(protocol: str, what: str) -> None:
    acts, why = CUT_OFF[what]
    holders = (3, 4) if what == "dead and censored" else (3,)
    swarm = real(protocol, peers=30, seed=3)
    swarm.do(Publish(holders, "a song unheard"))
    swarm.advance(30 * SECOND)
    swarm.do(AskFor(7, "a song unheard", goal="fetch"))
    swarm.advance(swarm.now_us + 2 * SECOND)
    row = swarm.asks()[-1]
    assert (row.hits, row.closed_us, row.fetched) == (len(holders), None, 0), "its download is under way"
    for act in acts:
        swarm.do(act)
    swarm.advance_quiet(swarm.now_us + 3_600 * SECOND)
    row = swarm.asks()[-1]
    assert row.closed_us is not None
    said = re.sub(r"^Found: (1 holder|2 holders), the first after 0\.\d\d s", "", row.verdict)
    assert row.outcome == ("not fetched" if why else "answered")
    assert said == (f", but it {why.format('the holder is')}." if why else ".")


def test_holders_out_of_reach_are_counted_together() -> None:
    swarm = real("gnutella", peers=30, seed=3)
    swarm.do(Publish((3, 4, 5), "a song unheard"))
    swarm.do(AskFor(7, "a song unheard", goal="fetch"))
    swarm.advance(swarm.now_us + 2 * SECOND)
    swarm.do(Censor((3, 4, 5)))
    swarm.advance_quiet(swarm.now_us + 3_600 * SECOND)
    assert swarm.asks()[-1].verdict.endswith(" s, but it was not fetched: all 3 holders are censored.")


def test_a_publication_says_what_became_of_it() -> None:
    def published(swarm: Swarm) -> str:
        swarm.do(Publish(3, "a song unheard"))
        swarm.advance(swarm.now_us + SECOND)
        row = swarm.asks()[-1]
        assert row.outcome == ("published" if row.verdict.startswith("Published") else "not published")
        return str(row.verdict)

    everybody = "Published: it is in the library and whoever asks may find it."
    assert published(real("gnutella")) == everybody
    assert published(real("napster")) == everybody
    swarm = real("napster")
    swarm.do(Kill("index"))
    assert published(swarm) == "Not published: the index is dead, and nobody else knows who has what."
    swarm.do(Revive("index"))
    assert published(swarm) == "Not published: the index is told when this user is logged in again."
    for act, why in ((Censor(3), "the publisher is censored"), (Collude(3, "song"), "the publisher is colluding")):
        swarm = real("gnutella")
        swarm.do(act)
        assert published(swarm) == f"Not published: {why}."
    swarm = real("gnutella")
    swarm.do(Collude(3, "song of another"))
    assert published(swarm) == everybody
    swarm.do(Partition(3))
    assert published(swarm) == "Not published: no living peer can reach the publisher."
    assert published(real("gossip")) == "Not published: the peers of this network share no files."
    swarm = real("gnutella", topology="ring")
    swarm.do(Set("ttl", 2))
    assert published(swarm) == (
        "Published: it is in the library, and 4 of 11 living peers can ask for it within 2 hops."
    )


@pytest.mark.parametrize("protocol", ["kazaa", "limewire", "bittorrent", "kademlia", "gnutella"])
@pytest.mark.parametrize("what", ["parted", "censored", "half", "some censored", "nothing"])
def test_a_publication_that_no_peer_can_find_has_failed(protocol: str, what: str) -> None:
    swarm = Swarm(Setup(protocol=protocol, peers=30, seed=3, asks_per_s=0.0))
    swarm.advance(5 * SECOND)
    others = tuple(peer for peer in range(len(swarm.labels)) if peer != 5)
    acts = {
        "parted": Partition((5,)),
        "censored": Censor(others),
        "half": Partition((*range(10), *swarm.simulation.stations)),
        "some censored": Censor((11, 12, 13)),
    }
    if what in acts:
        swarm.do(acts[what])
    swarm.do(Publish(5, "a song unheard"))
    swarm.advance(65 * SECOND)
    row = swarm.asks()[-1]
    assert row.closed_us is not None
    if what in ("parted", "censored"):
        index = "behind the partition" if what == "parted" else "censored"
        why = {
            "kademlia": "no other node of the table answers",
            "bittorrent": f"nobody can find its .torrent file, since index is {index}",
        }.get(protocol, "no living peer can reach the publisher")
        assert (row.verdict, row.outcome) == (f"Not published: {why}.", "not published")
        return
    assert row.outcome == "published"
    if protocol == "kademlia":
        assert row.verdict.startswith("Published: stored on ")
    elif what == "nothing":
        assert row.verdict == "Published: it is in the library and whoever asks may find it."
    elif protocol != "gnutella":  # which counts its links as well
        near = 9 if what == "half" else 26
        assert row.verdict == f"Published: it is in the library, and {near} of 29 living peers can ask for it."


def test_holders_that_serve_decoys_or_have_left_are_in_the_verdict() -> None:
    swarm = real("gnutella", options={"download": False}, content=ContentSpec(items=4, replicas=1.0, free_riders=1.0))
    swarm.do(Publish((3, 4), "a song unheard"))
    swarm.do(Poison(4))
    row = ask(swarm, 0, "a song unheard")
    assert row.verdict.endswith(" s; 1 of them serves decoys.")
    swarm.do(Kill(3))
    row = ask(swarm, 0, "a song unheard")
    assert row.verdict.endswith(" s; it serves decoys.")

    class Stale(Diary, name="stale"):
        """Names a holder that it has heard of."""

        def ask(self, host: Host, ask: Ask) -> None:
            host.hit(1, ask.text)

    swarm = make_swarm(3, Stale)
    assert ask(swarm, 0, "x").verdict == "Found: 1 holder, the first after 0.00 s."
    swarm.do(Kill(1))
    row = ask(swarm, 0, "x")
    assert (row.verdict, row.outcome) == (
        "No answer: the one holder that it names was dead by then.",
        "no answer",
    )
    assert (row.hits, row.first_hit_us) == (1, None)


def test_a_broadcast_is_heard_by_living_users() -> None:
    """Neither stations nor those that have died since are in either figure."""

    class Caller(Diary, name="caller"):
        goals = (BROADCAST,)

        @classmethod
        def stations(cls, options: Any, peers: int) -> Sequence[Station]:
            return [Station(Diary, f"desk{n}", "acme") for n in range(3)]

        def ask(self, host: Host, ask: Ask) -> None:
            host.multicast([p for p in range(8) if p != host.me], Question(ask.text))

    class Herald(Diary, name="herald"):
        goals = (BROADCAST,)

    swarm = make_swarm(5, Caller)
    assert ask(swarm, 0, "news").verdict == "Heard by 4 of 4 living peers (100%)."
    assert swarm.record(1).reached == 7
    swarm.do(Censor(0))
    assert ask(swarm, 0, "hush").verdict == "Heard by 0 of 4 living peers (0%): the asker is censored."

    swarm = make_swarm(7, Herald, topology="ring", options={"loud": True})
    swarm.do(AskFor(0, "news"))
    swarm.advance(15 * MS)
    swarm.do(Kill(1))
    swarm.advance(SECOND)
    assert swarm.record(1).reached == 6
    assert swarm.record(1).verdict == "Heard by 5 of 5 living peers (100%)."
