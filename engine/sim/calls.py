"""Calls: a request, the answers to it, and the time to wait for them (`api.Host.call`).

A request that waits for an answer is wrapped in a message of the engine: `Called`, with a token that is the same for
all tries; the answer in `Answered` with the same token. To everything that decides about messages or counts them, both
look like the message inside: for each class of messages there is a class derived from `Called` and one derived from
`Answered`, with the number, part and transport of that class (`wrappers_of`). The tables of handlers have entries for
these (`handlers_of`). So a message that is sent without a call runs no code of this module.

The token counts 2 bytes, unless the class of the message states its size on the real wire, which includes a token.

A call ends once: with the last answer that it asked for, with a time-out, when it is cancelled, or with the process
that made it. It is then removed from `PeerHost.calls`, so whatever arrives later finds no call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, TypeVar, Union, get_args, get_origin

from ..api import CallEnd, Message, Part, Peer, PeerId
from ..programs import ANSWER_AT
from .encoding import MalformedMessage, annotation_of, encoded_size
from .kernel import KernelTimer
from .misuse import SECOND_US, checked_waits

TOKEN_BYTES = 2


class Wrapped(Message):
    """A message and a token. `wrappers_of` makes the classes that are used."""

    __slots__ = ("_size", "message", "token")
    inside: ClassVar[type[Any]] = Message
    token_bytes: ClassVar[int] = TOKEN_BYTES

    def __init__(self, token: int, message: Any) -> None:
        self.token = token
        self.message = message
        try:
            self._size = (message._size or encoded_size(message)) + self.token_bytes
        except MalformedMessage:
            self._size = 0  # It is counted when it is sent, and dropped then.

    def wire_size(self) -> int:
        """Raises MalformedMessage: otherwise the size was counted when this was made."""
        size: int = encoded_size(self.message)
        return size + self.token_bytes

    def about(self) -> Iterable[str]:
        about: Iterable[str] = self.message.about()
        return about

    def without(self, word: str) -> Any:
        rest = self.message.without(word)
        return rest if rest is None else self.around(rest)

    def around(self, message: Any) -> Wrapped:
        """Another message with the same token."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.token}, {self.message!r})"


class Called(Wrapped):
    """A request that waits for an answer."""

    __slots__ = ()

    def around(self, message: Any) -> Wrapped:
        return called(self.token, message)

    def __reduce__(self) -> tuple[Any, ...]:
        return called, (self.token, self.message)


class Answered(Wrapped):
    """The answer to a request."""

    __slots__ = ()

    def around(self, message: Any) -> Wrapped:
        return answered(self.token, message)

    def __reduce__(self) -> tuple[Any, ...]:
        return answered, (self.token, self.message)


W = TypeVar("W", bound=Wrapped)


@cache
def wrappers_of(kind: type[Any]) -> tuple[type[Called], type[Answered]]:
    """The two classes that wrap messages of this class as requests and as answers of calls. Raises TypeError for a
    class that is no message."""
    if not issubclass(kind, Message):
        raise TypeError(f"{kind.__name__} is no message: a class of messages is made with @message")
    return _wrapper(Called, kind), _wrapper(Answered, kind)


def _wrapper(base: type[W], kind: type[Any]) -> type[W]:
    sized = bool(kind.stated_size) or hasattr(kind, "wire_size")
    shared = {name: getattr(kind, name) for name in ("over", "part", "part_code", "kind")}
    space = {"__slots__": (), "inside": kind, "token_bytes": 0 if sized else TOKEN_BYTES, **shared}
    return type(f"{base.__name__}_{kind.__name__}", (base,), space)


def called(token: int, message: Any) -> Called:
    """A request, wrapped for a call."""
    return wrappers_of(message.__class__)[0](token, message)


def answered(token: int, message: Any) -> Answered:
    """An answer, wrapped for a call."""
    return wrappers_of(message.__class__)[1](token, message)


class PendingCall:
    """A call that is not over, and the handle of it that a peer may store.

    to          the peer that was asked
    request     the wrapped request, which all tries share
    left        answers still to come, None for any number
    waits_us    how long to wait, for each try
    tries       how often it was sent
    answers     how many answers have come
    part, via   of each try, if the protocol stated any
    timer       the present wait; None once it is over
    due_us      when that ends
    """

    __slots__ = (
        "answers",
        "context",
        "due_us",
        "left",
        "part",
        "request",
        "since_us",
        "timer",
        "to",
        "token",
        "tries",
        "via",
        "waits_us",
    )

    def __init__(
        self,
        to: PeerId,
        token: int,
        request: Called,
        context: Any,
        left: int | None,
        waits_us: tuple[int, ...],
        part: Part | None,
        via: PeerId | None,
        now_us: int,
    ) -> None:
        self.to = to
        self.token = token
        self.request = request
        self.context = context
        self.left = left
        self.waits_us = waits_us
        self.part = part
        self.via = via
        self.since_us = now_us
        self.tries = 1
        self.answers = 0
        self.timer: KernelTimer | None = None
        self.due_us = now_us + waits_us[0]

    @property
    def failing(self) -> str:
        """What is named in `PeerFailed` if the handler of its end fails."""
        return f"the end of a call of {self.request.kind}"


def waits_of(timeout_us: Any, timeout_s: Any = None) -> tuple[int, ...]:
    """The time to wait for each try, in us, stated in one of two units. Raises ValueError, and NetworkFault for a
    fraction of a microsecond."""
    if (timeout_us is None) is (timeout_s is None):
        raise ValueError("a call states how long it waits for an answer, by timeout_us= or timeout_s=")
    name, stated = ("timeout_us", timeout_us) if timeout_s is None else ("timeout_s", timeout_s)
    waits: tuple[int, ...] = ()
    with suppress(TypeError, ValueError, OverflowError):
        many = (stated,) if isinstance(stated, (int, float)) else tuple(stated)
        whole = checked_waits(many) if timeout_s is None else [int(one * SECOND_US) for one in many]
        waits = tuple(max(1, one) for one in whole)
    if not waits:
        unit = "microseconds" if timeout_s is None else "seconds"
        raise ValueError(f"{name} should be a number of {unit}, or one for each try, not {stated!r}")
    return waits


# --- the handlers of wrapped messages ------------------------------------------------------------------------------


def _unwrapping(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler of wrapped requests, which calls the ordinary handler of the message inside."""

    def deliver_call(program: Peer, host: Any, sender: PeerId, request: Called) -> Any:
        return handler(program, host, sender, request.message)

    return deliver_call


def deliver_answer(program: Peer, host: Any, sender: PeerId, answer: Answered) -> Any:
    """An answer has arrived: the handler of answers to that class of request, if a call waits for it."""
    call = host.calls.get(answer.token)
    if call is None or call.to != sender:
        return None
    handler = type(program).replies.get(call.request.inside)
    message = answer.message
    if handler is not None and (kinds := answer_kinds_of(handler)) and not isinstance(message, kinds):
        return None
    context = call.context
    call.answers += 1
    if call.left == 1:
        call.left = 0
        host.end_call(call)
    else:
        if call.left is not None:
            call.left -= 1
        host.await_answer(call)
    return None if handler is None else handler(program, host, sender, message, context)


def call_due(program: Peer, host: Any, call: PendingCall) -> None:
    """The time of a try is over: the next try, or the end of the call."""
    if call.tries < len(call.waits_us) and not call.answers:
        call.tries += 1
        host.await_answer(call)
        host.send(call.to, call.request, part=call.part, via=call.via)
        return
    time_out(program, host, call, "silent")


def time_out(program: Peer, host: Any, call: PendingCall, reason: CallEnd) -> None:
    """The call ends without the answers that it asked for."""
    context = call.context
    host.end_call(call)
    kind = call.request.inside
    handler = type(program).timeouts.get(kind)
    if handler is not None:
        handler(program, host, call.to, context, reason)
    elif (on_answer := type(program).replies.get(kind)) is not None and takes_none(on_answer):
        on_answer(program, host, call.to, None, context)


def handlers_of(messages: Mapping[type, Callable[..., Any]]) -> dict[type, Callable[..., Any]]:
    """The entries of a table of handlers for calls: for the wrapped forms of these messages, and for timeouts."""
    table: dict[type, Callable[..., Any]] = {PendingCall: call_due}
    for kind, handler in messages.items():
        one: Any = kind
        request, answer = wrappers_of(one)
        table[request] = _unwrapping(handler)
        table[answer] = deliver_answer
    return table


@cache
def answer_kinds_of(handler: Callable[..., Any]) -> tuple[type[Any], ...]:
    """The classes of answers that the annotation of the handler's parameter has; () for any."""
    hint = annotation_of(handler, ANSWER_AT)
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    if not all(isinstance(kind, type) and issubclass(kind, Message) for kind in kinds):
        return ()
    return tuple(kinds)


@cache
def takes_none(handler: Callable[..., Any]) -> bool:
    """Whether a handler of answers accepts None by its annotation: it is then called with None when a call ends without
    an answer."""
    return NoneType in get_args(annotation_of(handler, ANSWER_AT))
