"""Selectors: the peers of each phrase, errors, and completions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from engine import Shown
from engine.analysis.selectors import complete, last_word, parse
from engine.errors import InputError
from engine.sim.rng import Stream

PEERS = 20
LABELS = (*(f"p{peer:03}" for peer in range(17)), "all", "index", "tracker 1")


@dataclass
class Street:
    """Twenty peers: every fifth is dead, #3 is censored, #18 and #19 are infrastructure. Degree rises with the
    id and load falls."""

    n: int = PEERS
    labels: Sequence[str] = LABELS
    label_ids: Mapping[str, int] = field(default_factory=lambda: {label: at for at, label in enumerate(LABELS)})

    def infrastructure(self) -> Sequence[bool]:
        return [peer >= 18 for peer in range(PEERS)]

    def roles(self) -> Sequence[str]:
        return ["servent"] * 18 + ["index", "tracker"]

    def known_roles(self) -> Sequence[str]:
        return ["servent", "index", "tracker", "elder"]

    def states(self) -> Sequence[str]:
        return ["dead" if peer % 5 == 4 else "alive" for peer in range(PEERS)]

    def censored(self) -> Sequence[bool]:
        return [peer == 3 for peer in range(PEERS)]

    def poisoned(self) -> Sequence[bool]:
        return [peer == 7 for peer in range(PEERS)]

    def cities(self) -> Sequence[str]:
        return ["Lisbon", "New York"] * 10

    def operators(self) -> Sequence[str]:
        return [""] * 18 + ["acme", "Beta Inc"]

    def nats(self) -> Sequence[bool]:
        return [peer % 3 == 0 for peer in range(PEERS)]

    def degrees(self) -> Sequence[float]:
        return list(range(PEERS))

    def loads(self) -> Sequence[float]:
        return [float(PEERS - peer) for peer in range(PEERS)]

    def betweenness(self) -> Sequence[float]:
        return [float(peer * (PEERS - 1 - peer)) for peer in range(PEERS)]

    def uptimes(self) -> Sequence[float]:
        return [60.0 * peer for peer in range(PEERS)]

    def holds(self, text: str) -> Sequence[bool]:
        return [text.lower() == "blue train" and peer % 7 == 0 for peer in range(PEERS)]

    def keeps(self, text: str) -> Sequence[bool]:
        return [text.lower() == "blue train" and peer % 9 == 0 for peer in range(PEERS)]

    def bootstrap(self) -> Sequence[bool]:
        return [peer in (2, 18) for peer in range(PEERS)]

    def newcomers(self) -> Sequence[bool]:
        return [peer in (15, 16) for peer in range(PEERS)]

    def near(self, peer: int) -> Sequence[int]:
        return [other for other in (peer - 1, peer + 1) if 0 <= other < PEERS]

    @property
    def shows(self) -> Mapping[str, Shown]:
        return {}


class Ward(Street):
    """A street whose network shows columns; two peers have no value in any of them."""

    SHOWS = (
        Shown("cured", "", "share"),
        Shown("balance", "", "number"),
        Shown("epidemic", "", "category", ("well", "ill", "removed")),
        Shown("tip", "", "category"),
    )

    @property
    def shows(self) -> Mapping[str, Shown]:
        return {one.name: one for one in self.SHOWS}

    def shown(self) -> Mapping[str, Any]:
        nan, rest = math.nan, range(PEERS - 2)
        return {
            "cured": np.array([*(peer / 100 for peer in rest), nan, nan]),
            "balance": np.array([*(float(5 - peer) for peer in rest), nan, nan]),
            "epidemic": [*("ill" if peer % 6 == 0 else "well" for peer in rest), "", ""],
            "tip": [*("Block 7" if peer > 15 else "block 6" for peer in rest), "", ""],
        }


VIEW = Street()
SCRAPS = """p001 #3 all role= state= dead index city= Lisbon degree > >= 5 10% % random top load holds "blue and or
    not ( ) , ' " = train " 2.5 ² \x00 é"""


def pick(text: str, stream: str = "pick") -> tuple[int, ...]:
    return parse(text).pick(VIEW, Stream(stream))


@pytest.mark.parametrize(
    ("text", "peers"),
    [
        ("p016", [16]),
        ("#17", [17]),
        ('"all"', [17]),
        ("bootstrap", [2, 18]),
        ("top 2 betweenness", [8, 10]),
        ("all and top 10% betweenness", [9, 10]),
        ("uptime<=120", [0, 1, 2]),
        ("top 1 uptime", [17]),
        ("newcomers and not #15", [16]),
        ("near p003", [2, 4]),
        ("near (p003, p004)", [2, 5]),
        ("near near p003", [1, 3, 5]),
        ("near role=index and state=alive", [17]),
        ("not near p003 and degree<6", [0, 1, 3, 5]),
        ("'tracker 1'", [19]),
        ("all", list(range(20))),
        ("role=index", [18]),
        ("role=elder", []),
        ("role = Index", [18]),
        ("state=dead", [4, 9, 14, 19]),
        ("state=censored", [3]),
        ("state=alive and state=censored", [3]),
        ("city=lisbon and degree<4", [0, 2]),
        ("city=New York and degree<4", [1, 3]),
        ("city='new york' and degree < 4", [1, 3]),
        ("city=Tokyo", []),
        ("operator=acme, operator=beta inc", [18, 19]),
        ("degree>17", [18, 19]),
        ("degree>=17", [17, 18, 19]),
        ("degree<=1", [0, 1]),
        ("degree=7", [7]),
        ("load<2.5", [18, 19]),
        ("load>-1 and degree<1", [0]),
        ('holds "blue train"', [0, 7, 14]),
        ("holds Blue Train and not #0", [7, 14]),
        ('keeps "blue train"', [0, 9, 18]),
        ("top 3 degree", [15, 16, 17]),
        ("top 10% load", [0, 1]),
        ("p001, p002 or p003 and p004", [1, 2]),
        ("(p001 or p003) and (p003, p004)", [3]),
        ("not (role=servent or #19)", [18]),
        ("not not p001", [1]),
        ("not not not degree<18", [18, 19]),
    ],
)
def test_a_phrase_names_its_peers(text: str, peers: list[int]) -> None:
    assert pick(text) == tuple(peers)


def test_a_random_choice_alone_is_among_living_users() -> None:
    users = {peer for peer in range(18) if peer % 5 != 4}
    assert set(pick("random 100%")) == set(pick("random 999")) == users
    assert set(pick("random 5")) < users
    assert pick("top 1 degree") == (17,)
    assert pick("not top 14 load") == (17,)


def test_a_choice_comes_last_in_either_order() -> None:
    for text in ("state=dead and random 3", "random 3 and state=dead"):
        chosen = pick(text)
        assert len(chosen) == 3
        assert set(chosen) < {4, 9, 14, 19}
    assert pick("top 2 degree and state=dead") == (14, 19)
    assert pick("role=servent and not top 15 degree") == (0, 1, 2)
    # Of several choices the left one is made first.
    assert pick("top 3 degree and top 1 load") == (15,)
    assert pick("top 3 load and top 1 degree") == (2,)
    # In brackets a choice is made first: the most linked peer of all, and only if it is dead.
    assert pick("(top 2 degree or p004) and state=dead") == (4,)


def test_a_share_is_rounded_and_is_at_least_one() -> None:
    assert [len(pick(f"all and random {share}%")) for share in (0, 1, 7.4, 12.5, 50, 100)] == [0, 1, 1, 3, 10, 20]
    assert pick("city=Tokyo and random 10%") == ()
    assert pick("random 0") == ()
    assert len(pick("random 10 %")) == 2  # of fifteen living users


def test_random_choices_use_the_stream_of_the_run() -> None:
    assert pick("random 5") == pick("random 5")
    assert len({pick("random 5", f"stream {at}") for at in range(20)}) > 10
    stream = Stream("one")
    selector = parse("random 5")
    assert selector.pick(VIEW, stream) != selector.pick(VIEW, stream)
    counts = [0] * PEERS
    for _ in range(3_000):
        for peer in selector.pick(VIEW, stream):
            counts[peer] += 1
    assert all(abs(count - 1_000) < 110 for count in counts if count)


def test_equal_peers_are_taken_in_order_of_id() -> None:
    class Level(Street):
        def degrees(self) -> Sequence[float]:
            return [4] * PEERS

    assert parse("top 3 degree").pick(Level(), Stream("")) == (0, 1, 2)


def test_a_parsed_selector_is_a_value() -> None:
    assert parse("not role=index and random 5") == parse("not role=index and random 5")
    assert hash(parse("top 5 load")) == hash(parse("top 5 load"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("p16", 'no peer is called "p16"; did you mean "p016"'),
        ("degre", 'did you mean "degree"'),
        ("#99", "the last one is #19"),
        ("#x", "character 1"),
        ("#²", "such as #17"),
        ("role=indx", 'did you mean "index"'),
        ("role=", "character 6: expected a role, found the end"),
        ("role>3", 'takes "="'),
        ("role!=index", 'did you mean "role"'),
        ("state=ded", 'character 7: no state is called "ded"; did you mean "dead"'),
        ("city=Lissabon", 'did you mean "Lisbon"'),
        ("operator=nobody", "no operator"),
        ("degree>ten", 'expected a number, found "ten"'),
        ("degree>nan", "expected a number"),
        ("degree>", "found the end"),
        ("size=3", "no property of a peer"),
        ("(p001", 'expected ")" for the bracket at character 1'),
        ("p001)", 'character 5: expected "and", "or" or the end'),
        ("p001 p002", 'character 6: expected "and"'),
        ("p001 nad p002", 'did you mean "and"'),
        ("randon 5", 'did you mean "random"'),
        ("random", "how many"),
        ("random -5", "how many"),
        ("random 200%", "at most 100%"),
        ("random 2.5", "whole number"),
        ("top 5", "expected degree or load"),
        ("top 5 speed", "expected degree or load"),
        ("holds", "a name such as"),
        ("holds ...", "letter or digit"),
        ("keeps ...", "letter or digit"),
        ('holds "blue', "not closed"),
        ("p001 and", "found the end"),
        ("and", 'found "and"'),
        ("p001,,p002", 'character 6: expected a label, #17, role=…, random 10% …, found ","'),
        ("(" * 50_000, "nested deeper than 40"),
        ("p001 or " * 20_000, "too long"),
        ("\x1b[31mp001", "no peer is called"),
    ],
)
def test_a_mistake_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        pick(text)
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "peers"),
    [
        ("cured<3", [0, 1, 2]),
        ("cured < 3 %", [0, 1, 2]),
        ("cured>=16%", [16, 17]),
        ("cured=14 or cured=7", [7, 14]),
        ("not cured>=0", [18, 19]),
        ("balance<-11.5", [17]),
        ("epidemic=ill", [0, 6, 12]),
        ("epidemic=Ill and cured>0", [6, 12]),
        ("epidemic=removed", []),
        ("tip=block 7", [16, 17]),
        ('tip="block 8"', []),
        ("top 2 cured", [16, 17]),
        ("all and top 10 balance", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("(#17 or #18 or #19) and top 100% balance", [17]),
    ],
)
def test_columns_that_a_network_shows_are_selected_by(text: str, peers: list[int]) -> None:
    assert parse(text).pick(Ward(), Stream("")) == tuple(peers)
    assert parse(text, Ward().shows) == parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curd<3", '"curd" is no property of a peer here; did you mean "cured"'),
        ("degre<3", '"degre" is no property of a peer here; did you mean "degree"'),
        ("cured<many", 'cured is a percentage, so it is not compared with "many"'),
        ("cured<nan", 'cured is a percentage, so it is not compared with "nan"'),
        ("balance<3%", 'balance is a number, so it is not compared with "3%"'),
        ("epidemic<3", 'epidemic takes "=", not "<"'),
        ("epidemic=il", 'no epidemic is called "il"; did you mean "ill"'),
        ("top 5 epidemic", "expected degree or load or betweenness or uptime or cured or balance, found"),
        ("top 5 cure", 'found "cure"; did you mean "cured"'),
        ("top 5 \x1b[31m", "expected degree or load"),
    ],
)
def test_a_mistake_in_a_shown_column_is_refused_when_peers_are_selected(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text).pick(Ward(), Stream(""))
    assert words in str(caught.value)


def test_a_mistake_in_a_shown_column_is_refused_at_once_if_the_network_is_known() -> None:
    with pytest.raises(InputError, match='character 7: "curd" is no property of a peer; did you mean "cured"'):
        parse("#1 or curd<3", Ward().shows)
    with pytest.raises(InputError, match="expected degree or load or betweenness or uptime or cured"):
        parse("top 5 speed", Ward().shows)


def test_shown_columns_are_offered_while_a_selector_is_typed() -> None:
    ward = Ward()
    assert complete("cu", ward) == ["cured>"]
    assert complete("#1 or ep", ward) == ["epidemic="]
    assert complete("epidemic=", ward) == ["well", "ill", "removed"]
    assert complete("tip=", ward) == ['"Block 7"', '"block 6"']
    assert complete("top 3 b", ward) == ["betweenness", "balance"]


def test_an_unknown_operator_is_refused() -> None:
    class Private(Street):
        def operators(self) -> Sequence[str]:
            return [""] * PEERS

    with pytest.raises(InputError, match="no peer has one"):
        parse("operator=acme").pick(Private(), Stream(""))


def test_any_words_are_read_or_refused_in_a_sentence() -> None:
    scraps = SCRAPS.split()
    rng = Stream("soup")
    read = 0
    said: list[str] = []
    for _ in range(5_000):
        text = " ".join(rng.choice(scraps) for _ in range(1 + rng.randrange(8)))
        complete(text, VIEW)
        try:
            peers = pick(text)
        except InputError as error:
            said.append(str(error))
        else:
            assert list(peers) == sorted(set(peers))
            read += 1
    assert read > 100
    assert all(sentence.isprintable() for sentence in said)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("", ["role=", "state=", "city=", "operator=", "degree>", "load>", "nat=", "random"]),
        ("p01", ["p010", "p011", "p012", "p013", "p014", "p015", "p016"]),
        ("p", [f"p{peer:03}" for peer in range(8)]),
        ("role=", ["elder", "index", "servent", "tracker"]),
        ("role=IN", ["index"]),
        ("city=N", ['"New York"']),
        ('city="Ne', ['"New York"']),
        ('city="New York" ', ["and", "or"]),
        ('city="New York"', []),
        ("operator=", ['"Beta Inc"', "acme"]),
        ("state=", ["alive", "dead", "left", "censored", "poisoned"]),
        ("p001 a", ["and"]),
        ("p001 and not (ro", ["role="]),
        ("p001, tra", ['"tracker 1"']),
        ("top ", ["5", "10%"]),
        ("top 5 ", ["degree", "load", "betweenness", "uptime"]),
        ("top 5% l", ["load"]),
        ("degree>", []),
        ("holds ", []),
        ("wrong=", []),
    ],
)
def test_the_input_box_offers_what_may_follow(text: str, offered: list[str]) -> None:
    assert complete(text, VIEW) == offered
    head, word = last_word(text)
    assert head + word == text
