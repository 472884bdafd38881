"""Errors in the code of a network that can only be found while it runs, each as one sentence for its author."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from ..api import Message
from ..errors import NetworkFault, nearest, place_of, plain

SECOND_US = 1_000_000
PERIOD_LEAST_US = 1_000
"""Shortest period of a timer: a smaller number was most likely meant in seconds."""


def no_tick_handler(program: type[Any], tick: Any) -> NetworkFault:
    """A tick is due, and its program has no handler for it."""
    kind = type(tick)
    if isinstance(tick, type):
        expected = f"an object is expected: {tick.__name__}(){place_of(tick)}"
        return NetworkFault(f"the class {tick.__name__} is set as a tick, and {expected}")
    ticks = [each.__name__ for each in program.handlers if not issubclass(each, Message)]
    return NetworkFault(
        f"{program.__qualname__} has no handler of this tick: a method with @on({kind.__name__}) is expected"
        f"{nearest(kind.__name__, ticks)}{place_of(kind)}"
    )


def no_message(value: Any) -> NetworkFault:
    """Something is sent that is no message of the network."""
    if isinstance(value, type) and issubclass(value, Message):
        return NetworkFault(f"the class {value.__name__} is sent, and an object is expected: {value.__name__}(...)")
    kind = type(value)
    if issubclass(kind, Message):
        return NetworkFault(
            f"{kind.__name__} is sent, which is no message of this network: its file should define or import it"
            f"{place_of(kind)}"
        )
    return NetworkFault(
        f"a value of the class {kind.__name__} is sent, which is no message: @message() is expected before the class"
        f"{place_of(kind)}"
    )


def check_holder(what: str, value: Any) -> None:
    """Check the argument `holder` of a method `what` of a host. Raises NetworkFault for a value that is no number, as
    when the arguments are in the wrong order."""
    if not hasattr(value, "__index__"):
        raise NetworkFault(f"host.{what}: the holder should be the number of a peer, not {plain(value, 40)}")


def checked_delay_us(delay_us: Any) -> int:
    """The delay of a timer in us; a negative one is 0. Raises NetworkFault for a value that is no whole number."""
    return max(0, _whole(delay_us, "after", "the delay"))


def _whole(time_us: Any, name: str, what: str) -> int:
    if not hasattr(time_us, "__index__"):
        raise NetworkFault(
            f"host.{name}({plain(time_us, 40)}, ...): {what} is a whole number of microseconds; "
            f"host.{name}_s takes seconds"
        )
    return int(time_us)


def us_of(seconds: Any, name: str) -> int:
    """A time in seconds as microseconds. Raises NetworkFault for a value that is no finite number. name: of the method
    of the host that it was given to."""
    if isinstance(seconds, (int, float)) and isfinite(seconds):
        return int(seconds * SECOND_US)
    raise NetworkFault(f"host.{name}({plain(seconds, 40)}, ...): a number of seconds is expected")


def checked_waits(waits_us: Iterable[Any]) -> list[int]:
    """How long each try of a call waits. Raises NetworkFault for a fraction of a microsecond."""
    waits_us = tuple(waits_us)
    for one in waits_us:
        if isinstance(one, float) and one == one:
            raise NetworkFault(
                f"host.call(timeout_us={plain(one, 40)}): the time is a whole number of microseconds; timeout_s= takes "
                "seconds"
            )
    return [int(one) for one in waits_us]


def checked_period_us(period_us: Any) -> int:
    """The period of a timer in us. Raises NetworkFault for a fraction, and for less than `PERIOD_LEAST_US`."""
    if _whole(period_us, "every", "the period") < PERIOD_LEAST_US:
        raise NetworkFault(
            f"every({period_us}, ...): the period is in microseconds and should be at least {PERIOD_LEAST_US:,}; "
            "host.every_s takes seconds"
        )
    return int(period_us)


def no_answer_handler(program: type[Any], request: type[Any]) -> NetworkFault:
    """A program makes a call, and handles neither its answer nor its end."""
    known = {each.__name__ for each in (*program.replies, *program.timeouts)}
    return NetworkFault(
        f"{program.__qualname__} calls with {request.__name__}, and has no handler of the answer: a method with "
        f"@on_reply({request.__name__}) is expected{nearest(request.__name__, known)}"
    )
