"""The command line that brings a person back to a moment, or as near to it as flags can.

Flags describe how a run begins. What a person did later has no flag, so it follows as a comment, in order and with
its virtual time: enough to do it again by hand, or to copy into a scenario as `[[at]]` tables.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields

from engine import Command, Scenario, Setup

LONGEST = 12
"""Commands told in the comment; of more, the last ones."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command a person gave, and when: virtual microseconds."""

    at_us: int
    command: Command


def command_line(scenario: Scenario, setup: Setup, done: Sequence[Done], now_us: int) -> str:
    """One line for a shell, arguments quoted, and a comment of what was done since.

    `scenario` may name a shipped scenario or a file (`scenario.source`), which then says most of it; `setup` is what
    runs, and differs from the scenario's after a restart under another network.
    """
    source = scenario.source
    words = ["swarmtop"]
    base = Setup()
    if source:
        words.append(source)
        base = scenario.setup
    words += _flags(setup, base, everything=not source)
    words += _asks(scenario)
    line = " ".join(shlex.quote(word) for word in words)
    notes = [f"at {now_us / 1e6:.3f} s"]
    told = [f"{d.at_us / 1e6:.3f} s {describe(d.command)}" for d in done[-LONGEST:]]
    if len(done) > LONGEST:
        told.insert(0, f"{len(done) - LONGEST} more before")
    if told:
        notes.append("done: " + "; ".join(told))
    return f"{line}  # {', '.join(notes)}"


def _flags(setup: Setup, base: Setup, *, everything: bool) -> list[str]:
    """The flags of what differs from `base`; the first few always when nothing else says them."""
    words: list[str] = []
    for name in ("protocol", "peers", "seed", "topology", "latency", "loss", "churn"):
        value = getattr(setup, name)
        if value != getattr(base, name) or (everything and name in ("protocol", "peers", "seed")):
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    for name, value in _differing(setup.options, base.options).items():
        words += ["--set", f"{name}={value}"]
    return words


def _differing(options: Mapping[str, object], base: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if base.get(name, MISSING) != value}


def _asks(scenario: Scenario) -> list[str]:
    """`--ask` and `--from`, as they were given."""
    words = [word for text, _ in scenario.asks for word in ("--ask", text)]
    return [*words, "--from", scenario.asks[0][1]] if words else []


def describe(command: Command) -> str:
    """`kill p017`, `ask #3 "blue train"`, `set loss 0.1`: a command as a person would say it."""
    words = [command.verb]
    for f in fields(command):
        value = getattr(command, f.name)
        if value == f.default or value is None:
            continue
        if f.name == "peers" and not isinstance(value, str):
            many = (value,) if isinstance(value, int) else tuple(value)
            value = " or ".join(f"#{peer}" for peer in many)
            words.append(value)
        elif isinstance(value, str) and f.name in ("text", "word"):
            words.append(f'"{value}"')
        else:
            words.append(str(value))
    return " ".join(words).replace("\n", " ")
