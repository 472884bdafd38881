"""A message whose fields are not what their annotations say is dropped when it is sent, and the size that a class
states is what counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, NewType

import pytest
from tiny import Actor, Question, Say, ask, diary, hears, host, make_swarm, texts

from engine import Blob, FakeHost, File, PeerId, message
from engine.sim.encoding import MalformedMessage, encoded_size, why_malformed

Depth = NewType("Depth", int)


@message()
class Inner:
    number: int
    next: Inner | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: str


class Row(NamedTuple):
    name: str
    size: int


class Made:
    """A field type that is any class."""


@message()
class Many:
    """One field of each kind, with a value that fits."""

    whole: int = 1
    peer: PeerId = 2
    depth: Depth = Depth(3)
    real: float = 0.5
    text: str = "x"
    data: bytes = b"x"
    flag: bool = True
    nothing: None = None
    maybe: str | None = None
    word: Literal["a", "b", 1] = "a"
    numbers: tuple[int, ...] = (1, 2)
    fixed: tuple[int, str] = (1, "x")
    rows: tuple[Row, ...] = (Row("x", 1),)
    files: tuple[File, ...] = (File("x", 1, 2),)
    blob: Blob = Blob(5, 6)
    inner: Inner = field(default_factory=lambda: Inner(1, Inner(2)))
    pair: Pair = Pair(1, "x")
    listed: Sequence[str] = ("x",)
    table: Mapping[str, int] | None = None
    noted: Annotated[int, "hops"] = 3
    made: Made | None = None
    anything: Any = None
    unknown: NoSuchName = 7  # type: ignore[name-defined]  # noqa: F821


FITS: list[tuple[str, Any]] = [
    ("real", 3), ("maybe", "x"), ("word", "b"), ("word", 1), ("numbers", ()), ("rows", ()), ("inner", Inner(1)),
    ("listed", ["x", "y"]), ("listed", []), ("table", {"x": 1}), ("table", {}), ("anything", {1, 2}), ("made", Made()),
    ("anything", object()), ("unknown", "x"), ("files", (File("x", -1, 1),)), ("whole", 1 << 70),
    ("real", float("nan")), ("numbers", tuple(range(1_000))), ("text", "\ud800"), ("fixed", Row(1, "x")),  # type: ignore[arg-type]
]  # fmt: skip
FITS_NOT: list[tuple[str, Any]] = [
    ("whole", True), ("whole", 1.0), ("whole", None), ("whole", "1"), ("peer", False), ("depth", "x"), ("real", True),
    ("real", "x"), ("text", b"x"), ("text", None), ("data", "x"), ("data", bytearray(b"x")), ("flag", 1),
    ("nothing", 0), ("maybe", 1), ("word", "c"), ("word", True), ("word", []), ("numbers", [1]), ("numbers", (1, "x")),
    ("numbers", (1, True)), ("numbers", 1), ("fixed", (1,)), ("fixed", ("x", 1)), ("fixed", (1, "x", 2)),
    ("rows", (("x", 1),)), ("rows", (Row("x", "y"),)), ("files", (1,)), ("files", (File(1, 1, 1),)),  # type: ignore[arg-type]
    ("blob", File("x", 1, 1)), ("blob", Blob("x")), ("inner", Inner(1, Inner(None))), ("inner", None),  # type: ignore[arg-type]
    ("pair", Pair("x", "x")), ("pair", (1, "x")), ("listed", "x"), ("listed", (1,)), ("table", {1: 1}),  # type: ignore[arg-type]
    ("table", {"x": "y"}), ("table", []), ("noted", None), ("made", 1), ("made", Made), ("whole", int),
]  # fmt: skip


def in_short(value: object) -> str:
    """A name that is the same in every process."""
    return type(value).__name__ if " at 0x" in repr(value) or isinstance(value, (set, frozenset)) else repr(value)


@pytest.mark.parametrize(("name", "value"), FITS, ids=in_short)
def test_a_value_that_fits_is_counted(name: str, value: Any) -> None:
    assert why_malformed(Many(**{name: value})) == ""
    assert encoded_size(Many(**{name: value})) > 0


@pytest.mark.parametrize(("name", "value"), FITS_NOT, ids=in_short)
def test_a_value_that_does_not_fit_is_refused(name: str, value: Any) -> None:
    with pytest.raises(MalformedMessage):
        encoded_size(Many(**{name: value}))
    why = why_malformed(Many(**{name: value}))
    assert why.removeprefix("a key of ").startswith(f"Many.{name}")
    assert " should be " in why
    assert ", and is a value of " in why


def test_a_malformed_message_is_dropped_by_its_sender_and_accounted_for() -> None:
    swarm = make_swarm(3)
    bad: Any = 7
    for _ in range(2):  # it is not kept on the message that it fits
        host(swarm, 0).send(1, Say(bad))
    host(swarm, 0).multicast((1, 2), Say(bad))
    host(swarm, 0).send(1, Say("fine"))
    totals = swarm.snapshot().totals
    assert (totals.sent, totals.in_flight, totals.dropped) == (5, 1, 4)
    swarm.advance(1_000_000)
    assert texts(swarm, 1) == ["fine"]
    assert swarm.simulation.metrics.dropped_by == {"malformed": 4}
    assert diary(swarm, 0).told == []


@message()
class Stamps:
    """Times by name."""

    stamps: dict[str, tuple[int, int]]
    one: Say | None = None


def test_which_part_of_a_field_does_not_fit_is_told_of_the_first_message_of_a_class() -> None:
    bad: Any
    for bad, told in (
        ({"a": (1, 2), "b": (1.5, 2)}, "Stamps.stamps['b'][0] should be int, and is a value of float"),
        ({"a": (1, 2, 3)}, "Stamps.stamps['a'] should be tuple[int, int], and is a value of tuple"),
        ({7: (1, 2)}, "a key of Stamps.stamps should be str, and is a value of int"),
        ([], "Stamps.stamps should be dict[str, tuple[int, int]], and is a value of list"),
    ):
        assert why_malformed(Stamps(bad)) == told
    swarm = make_swarm(3)
    bad = 7
    host(swarm, 0).send(1, Say(bad))
    bad = 1.5
    host(swarm, 0).send(1, Say(bad))
    assert swarm.snapshot().totals.malformed == {"Say": "Say.text should be str, and is a value of int"}


def test_a_malformed_question_is_lost_for_its_ask() -> None:

    bad: Any = None
    swarm = make_swarm(3, Actor)
    hears(swarm, 1, lambda host: host.multicast((0, 2), Question(bad)))
    hears(swarm, 0, lambda host: host.send(1, Question("blue")))
    record = ask(swarm, 0, "blue")
    assert (record.reached, record.messages, record.lost) == (1, 3, 2)
    assert swarm.quiet()


def test_a_fake_host_drops_it_too() -> None:
    fake, bad = FakeHost(), Many(whole=True)
    fake.send(1, bad)
    assert fake.sent == []
    assert fake.malformed == ["Many.whole should be int, and is a value of bool"]


# --- sizes --------------------------------------------------------------------------------------------------------


@message(size=514)
class Cell:
    payload: str


@message()
class Own:
    length: Any

    def wire_size(self) -> Any:
        return self.length


def test_a_class_states_the_size_on_the_wire() -> None:
    assert encoded_size(Cell("x")) == encoded_size(Cell("x" * 1_000)) == 514
    assert encoded_size(Own(70_000)) == 70_000
    with pytest.raises(MalformedMessage):
        encoded_size(Cell(None))  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, -1, 1 << 32, 2.5, None, True])
def test_a_size_that_cannot_be_is_told_to_its_author(length: Any) -> None:
    with pytest.raises(AssertionError, match=r"Own\.wire_size\(\) should return 1 or more bytes, as an int"):
        encoded_size(Own(length))


@pytest.mark.parametrize("size", [-1, 1 << 32, 1.5, "x"])
def test_a_stated_size_that_cannot_be_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="the size of a message should be 0 to 4,294,967,295 bytes"):
        message(size=size)
