"""What a scenario may say of comings and goings, and what its commands may ask for: told before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from ..api import Peer, words_of
from ..commands import SIDES, Arrive, Attack, CallOff, Collude, Command, Depart, Partition, Poison, Publish
from ..control import attacks
from ..errors import InputError, nearest, plain
from ..options import as_number, as_spec, as_text, as_whole
from ..setup import ArrivalSpec
from ..world.arrivals import parse as parse_arrivals
from ..world.churn import parse as parse_churn
from ..world.readers import sessions

CROWD_MAX = 1_000_000
SPAN_S_MAX = 1e6


def as_churn(value: object, where: str) -> str:
    """A spec of churn. A trace is a file, and read when the swarm is made."""
    text = as_spec(value, where, "exponential:600")
    try:
        if not sessions.is_trace(text):
            parse_churn(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def as_arrivals(value: object, where: str) -> str:
    """A spec of arrivals."""
    text = as_text(value, where, "poisson:0.2")
    try:
        parse_arrivals(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def arrival_spec(table: Mapping[str, object], where: str) -> ArrivalSpec:
    """The table [arrivals]: the law of the gaps, and how many newcomers at most."""
    plan = ArrivalSpec()
    return ArrivalSpec(
        law=as_arrivals(table.get("law", plan.law), f"{where}.law"),
        most=as_whole(table.get("most", plan.most), f"{where}.most", 0, CROWD_MAX),
    )


def check_crowd(command: Command, where: str) -> None:
    """Raise InputError unless a crowd that comes or goes, or an attack, is of a size, a span and manners that fit."""
    if isinstance(command, Attack):
        attacks.checked(command, where)
    if isinstance(command, CallOff) and command.name is not None:
        attacks.known(command.name, where)
    if isinstance(command, Arrive):
        as_whole(command.count, f"{where}: count", 1, CROWD_MAX)
    if isinstance(command, Arrive | Depart):
        as_number(command.over_s, f"{where}: over_s", 0, SPAN_S_MAX)
    if isinstance(command, Depart):
        as_number(command.polite, f"{where}: polite", 0, 1)


def check_decoys(command: Command, network: type[Peer], where: str) -> None:
    """Raise InputError for decoys where users share no files, rather than when they are due."""
    poisons = isinstance(command, Poison) or (isinstance(command, Attack) and command.name == "poison")
    if poisons and not network.shares_files:
        raise InputError(f"{where}: users of {network.name} share no files, so there is nothing to poison")


def check_words(command: Command, where: str) -> None:
    """Raise InputError for a ban or a name without a word in it, and for sides that nobody can be on."""
    names = {Collude: "word", Publish: "text"}
    name = names.get(type(command))
    if name is not None and not words_of(getattr(command, name)):
        raise InputError(
            f'{where}: {name} should be words, such as "blue train", not "{plain(getattr(command, name))}"'
        )
    if isinstance(command, Partition) and command.by is not None and command.by not in SIDES:
        raise InputError(f'{where}: partition does not go by "{plain(command.by)}"{nearest(str(command.by), SIDES)}')
