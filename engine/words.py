"""What crosses a link: messages, what they weigh and what they are about. A part of `api`, where protocols find it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from inspect import get_annotations
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, cast, dataclass_transform

Over: TypeAlias = Literal["stream", "datagram"]
Part: TypeAlias = Literal["question", "answer", "transfer", "upkeep"]

PARTS: tuple[Part, ...] = ("question", "answer", "transfer", "upkeep")
"""In the order of their codes in a `Snapshot`."""

T = TypeVar("T")


class Message:
    """Base that `@message` mixes in. Two methods may be overridden to say what a message is *about*."""

    __slots__ = ()
    over: ClassVar[Over] = "stream"
    part: ClassVar[Part] = "upkeep"
    part_code: ClassVar[int] = 3
    kind: ClassVar[str] = "Message"
    _size: int
    """Bytes on the wire, once they are known; until then 0. A slot that `message` adds."""

    def about(self) -> Iterable[str]:
        """Lower-case words that a handler could read in it. A sealed cell is about nothing."""
        return ()

    def without(self, word: str) -> object | None:
        """What is left of the message for a peer that bans `word`: the rest, or None for nothing.

        A request returns a request that lawfully finds nothing; a list returns the list less the banned
        entries; a flooded query returns None. Called only when `mentions(self.about(), word)`.
        """
        return None


@dataclass_transform(frozen_default=True)
def message(*, over: Over = "stream", part: Part = "upkeep") -> Callable[[type[T]], type[T]]:
    """Turn a class of annotations into a message: a slotted value that crosses a link.

    Type checkers see it as frozen. It is not frozen at run time: that would double the price of making
    one, and the conformance suite catches a protocol that changes a message it got.
    """

    def build(cls: type[T]) -> type[T]:
        space = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
        space.update(over=over, part=part, part_code=PARTS.index(part), kind=cls.__name__)
        # The size is set when a message is made: to find out that a slot is empty costs eight times as much. It is no
        # field, though, for whoever goes through those.
        space["__annotations__"] = {**get_annotations(cls), "_size": int}
        space["_size"] = field(default=0, init=False, repr=False, compare=False)
        bases = (*(b for b in cls.__bases__ if b is not object), Message)
        made: Any = dataclass(slots=True)(type(cls.__name__, bases, space))
        del made.__dataclass_fields__["_size"]
        return cast("type[T]", made)

    return build


@dataclass(frozen=True, slots=True)
class Blob:
    """File data: `size` bytes that count on the wire and do not exist in memory. `digest` proves them."""

    size: int
    digest: int = 0


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words of a text, punctuation as blanks, in order."""
    return tuple("".join(ch if ch.isalnum() else " " for ch in text.lower()).split())


def mentions(about: Iterable[str], ban: str) -> bool:
    """Whether every word of the banned phrase is among the words a message is about."""
    have = set(about)
    banned = words_of(ban)
    return bool(banned) and all(word in have for word in banned)
