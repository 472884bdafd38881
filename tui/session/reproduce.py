"""The command line that leads to a moment of a run.

Flags say how a run starts, and `--until` where it stops. Commands of the user have no flag, and neither has the content
of a scenario: then the run so far is saved as a scenario of its own, with each command at its virtual time, and the
line names that file. The same setup and the same commands give the same run, so the moment is reproduced bit for bit.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, replace
from pathlib import Path

from engine import AskFor, Command, Scenario, Setup, dataclass, plain, to_toml

FLAGS = ("protocol", "peers", "seed", "topology", "latency", "loss", "churn")
"""Fields of a setup that have a flag of their own; options have `--set`."""


@dataclass(frozen=True, slots=True)
class TimedCommand:
    """A command that the user gave, and its virtual time in microseconds."""

    at_us: int
    command: Command


def command_line(scenario: Scenario, setup: Setup, commands: Sequence[TimedCommand], now_us: int, folder: Path) -> str:
    """One line for a shell, arguments quoted.

    `scenario` may name a shipped scenario or a file (`scenario.source`), which then sets most of it; `setup` is what
    runs, and differs from the scenario's after a restart with another network. If a file is needed, it is written into
    `folder`. Raises OSError when that fails.
    """
    base = scenario.setup if scenario.source else Setup()
    flags = {name: getattr(base, name) for name in (*FLAGS, "options", "links")}
    if setup.arrivals.most == base.arrivals.most:
        flags["arrivals"] = base.arrivals
    simple = replace(setup, **flags) == base
    asked = [AskFor(peers, text, goal or None) for text, peers, goal in scenario.asks]
    only_asks = not setup.asks_per_s and [command for _, command in setup.schedule] == asked
    only_asks = only_asks and len({at_us for at_us, _ in setup.schedule}) < 2
    only_asks = only_asks and replace(setup, **flags, asks_per_s=base.asks_per_s, schedule=base.schedule) == base
    if commands or not (simple or only_asks):
        path = folder / f"{setup.protocol}-{setup.seed}-{now_us // 1000}.toml"
        title = f"{scenario.title or setup.protocol} at {now_us / 1e6:.3f} s"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(to_toml(with_commands(setup, commands), title), encoding="utf-8", errors="replace")
        words = ["swarmtop", str(path)]
    else:
        words = ["swarmtop", *([_named(scenario.source)] if scenario.source else [])]
        words += _flags(setup, base, everything=not scenario.source)
        words += _asks(scenario, next((at_us for at_us, _ in setup.schedule), 0))
    return " ".join(shell_word(word) for word in [*words, "--until", f"{now_us / 1e6:.6f}"])


def shell_word(word: str) -> str:
    """A word of a command line, quoted. The name of a file may contain bytes that are no text, and characters that
    control a terminal: these are written as octal numbers, `$'caf\\351'`, as POSIX shells read them."""
    if plain(word, limit=len(word) + 1) == word:
        return shlex.quote(word)
    quoted = ""
    for ch in word:
        if ch.isascii() and ch.isprintable() and ch not in "\\'":
            quoted += ch
        else:
            data = bytes((ord(ch) - 0xDC00,)) if 0xDC80 <= ord(ch) <= 0xDCFF else ch.encode("utf-8", "replace")
            quoted += "".join(f"\\{byte:03o}" for byte in data)
    return f"$'{quoted}'"


def with_commands(setup: Setup, commands: Sequence[TimedCommand]) -> Setup:
    """The setup with the user's commands in its schedule, each at its time."""
    return replace(setup, schedule=(*setup.schedule, *((d.at_us, d.command) for d in commands)))


def as_scenario(scenario: Scenario, setup: Setup, commands: Sequence[TimedCommand], now_us: int) -> str:
    """The run so far as the text of a scenario: its setup, the user's commands, captions and expectations.

    Captions and expectations are left out when another network runs now: they were not written for that one.
    """
    same = scenario.setup.protocol == setup.protocol
    many = f", with your {len(commands)} action{'s' if len(commands) > 1 else ''}" if commands else ""
    about = f"{scenario.about.strip()}\n\nSaved" if same and scenario.about.strip() else "Saved"
    about = f"{about} at {now_us / 1e6:.3f} s{many}."
    captions, expected = (scenario.captions, scenario.expects) if same else ((), ())
    return to_toml(
        with_commands(setup, commands),
        scenario.title if same and scenario.source else f"{setup.protocol}, seed {setup.seed}",
        about,
        captions,
        expected,
        scenario.colour_by if same else "",
    )


def user_folder() -> Path:
    """Where scenarios of moments are saved."""
    import platformdirs

    return platformdirs.user_state_path("swarmtop") / "moments"


def _flags(setup: Setup, base: Setup, *, everything: bool) -> list[str]:
    """Flags for what differs from `base`; those for protocol, peers and seed always if `everything`."""
    words: list[str] = []
    for name in FLAGS:
        value = getattr(setup, name)
        if value != getattr(base, name) or (everything and name in ("protocol", "peers", "seed")):
            words += _flag(f"--{name}", repr(value) if isinstance(value, float) else str(value))
    if setup.arrivals.law != base.arrivals.law:
        words += ["--arrivals", setup.arrivals.law]
    if setup.sample_s != base.sample_s:
        words += ["--sample", repr(setup.sample_s)]
    for flag, name in (("capacity", "capacity"), ("jitter", "jitter_ms"), ("nat", "nat")):
        value = getattr(setup.links, name)
        if value != getattr(base.links, name):
            words += [f"--{flag}", str(value)]
    for name, value in _differing(setup.options, base.options).items():
        words += ["--set", f"{name}={value}"]
    return words


def _differing(options: Mapping[str, object], base: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if base.get(name, MISSING) != value}


def _asks(scenario: Scenario, at_us: int) -> list[str]:
    """`--ask`, `--ask-at`, `--goal` and `--from` of the command line that started the run."""
    if not scenario.asks:
        return []
    _, who, goal = scenario.asks[0]
    words = [word for text, _, _ in scenario.asks for word in _flag("--ask", text)]
    words += ["--ask-at", repr(at_us / 1e6)] if at_us else []
    return [*words, *(_flag("--goal", goal) if goal else []), *_flag("--from", who)]


def _flag(flag: str, value: str) -> list[str]:
    """A flag and its value; as one word where the value looks like a flag."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]


def _named(source: str) -> str:
    return f"./{source}" if source.startswith("-") else source
