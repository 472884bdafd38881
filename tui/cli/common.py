"""What the commands share: exit codes, the parser, flags, the scenario of a command line, and how to print.

Nothing here imports Textual, or the engine before a value has to be read: `--help` and a mistyped flag are answered in
the time that Python takes to start.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ..interrupts import INTERRUPTED as INTERRUPTED
from ..interrupts import end_at_once, raise_again
from .streams import throw_away, waiting

if TYPE_CHECKING:
    from engine import Report, Scenario, Until

    Read = Callable[[str, str], object]

DONE, FAILED, WRONG = 0, 1, 2
"""Exit codes; INTERRUPTED (130) is the fourth."""

NEAR = 0.65
"""As `engine.errors.SIMILARITY_MIN`."""
COMMANDS = ("run", "replay", "check", "bench", "config", "protocols", "scenarios", "themes", "help", "completion")
"""Words that may go first. Any other first word is a scenario, a network or a file for the dashboard."""

EXIT_CODES = """\
exit codes: 0 done, 1 an expectation failed, 2 the command line or a file was wrong, 130 interrupted, 143 terminated"""


NEGATIVE = re.compile(r"-(\d|\.\d|inf\b|nan\b|infinity\b)[^ ]*", re.IGNORECASE)
"""A negative number, or a value that begins like one: it follows a flag, and the flag's own check refuses it."""


class WrongError(Exception):
    """Wrong input, found without the engine: one sentence."""


class Parser(argparse.ArgumentParser):
    """argparse, with errors as one sentence, see `WrongError`."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kw)
        # argparse takes `-1e3`, `-inf` and `-nan` for flags, and says that the flag before needs a value.
        self._negative_number_matcher = NEGATIVE

    def error(self, message: str) -> NoReturn:
        """Raise it as a sentence; `main` prints it."""
        said, _, why = message.removeprefix("argument ").partition(": ")
        if why == "expected one argument":
            said += " needs a value"
        elif why.startswith("ignored explicit argument"):
            said += " takes no value"
        elif why:
            said += f": {why}"
        raise WrongError(said)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print the help by `say`, as argparse ignores a full disk."""
        say(message.rstrip("\n"))

    @property
    def flags(self) -> Iterable[str]:
        """Names of all flags."""
        return self._option_string_actions

    @property
    def actions(self) -> Sequence[argparse.Action]:
        """All flags and arguments, in order."""
        return self._actions


def load_engine() -> None:
    """Import the engine with NumPy. Until it is there ctrl+c ends the program at once, see `interrupts`."""
    if "engine.swarm" in sys.modules:
        return
    import gc

    ours, collects = end_at_once(), gc.isenabled()
    gc.disable()  # all that is made by an import stays
    try:
        from engine import Swarm, scenario_files  # noqa: F401
    finally:
        if collects:
            gc.enable()
        if ours:
            raise_again()


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """As `engine.nearest`, without the import of the engine. Dashes, which all flags have, do not count."""
    import difflib

    known = {choice.lstrip("-"): choice for choice in sorted(choices)}
    close = difflib.get_close_matches(word.lstrip("-").lower(), known, n=1, cutoff=NEAR)
    return f"; did you mean {known[close[0]]}?" if close else ""


# --- flags --------------------------------------------------------------------------------------------------------


def adder(group: argparse._ActionsContainer) -> Callable[..., None]:
    """A function that adds a flag whose value is read by `read(text, flag)`: `add(flag, read, metavar, help)`.

    `read` may import the engine, and raises InputError or WrongError in a sentence that begins with the flag.
    """

    def add(flag: str, read: Read, metavar: str, help: str, **more: Any) -> None:  # noqa: A002 - as argparse calls it
        group.add_argument(flag, metavar=metavar, help=help, type=lambda text: read(text, flag), **more)

    return add


def read_whole(low: int, high: int) -> Read:
    """A reader of whole numbers from low to high."""

    def read(text: str, where: str) -> int:
        from engine import as_whole

        return as_whole(text, where, low, high, texts=True)

    return read


def read_number(low: float, high: float) -> Read:
    """A reader of numbers from low to high."""

    def read(text: str, where: str) -> float:
        from engine import as_number

        return as_number(text, where, low, high, texts=True)

    return read


def read_spec(example: str) -> Read:
    """A reader of specs, which may name a file; they are parsed when the swarm is made."""

    def read(text: str, where: str) -> str:
        from engine import as_spec

        return as_spec(text, where, example)

    return read


def read_setting(name: str) -> Read:
    """A reader of what is also a setting in config.toml."""

    def read(text: str, where: str) -> object:
        from ..config.settings import ALLOWED

        return ALLOWED[name].read(text, where, texts=True)

    return read


def read_link(name: str) -> Read:
    """A reader of one value of links: capacity, jitter_ms or nat."""

    def read(text: str, where: str) -> object:
        load_engine()
        from engine import LinkSpec, read_links

        return getattr(read_links({name: text}, {name: where}, LinkSpec()), name)

    return read


def read_text(text: str, where: str) -> str:
    """A text that is not empty."""
    from engine import as_text

    return as_text(text, where)


def read_protocol(text: str, where: str) -> str:
    """The name of a network, or the file of one."""
    load_engine()
    from engine import scenario_files, use_file

    if text.endswith(".py"):
        return use_file(text).name
    return scenario_files.network_called(read_text(text, where), where).name


def read_peers(text: str, where: str) -> object:
    """A number of peers."""
    load_engine()
    from engine import scenario_files

    return read_whole(1, scenario_files.PEERS_MAX)(text, where)


def read_seed(text: str, where: str) -> object:
    """A seed."""
    load_engine()
    from engine import scenario_files

    return read_whole(0, scenario_files.SEED_MAX)(text, where)


def read_sample(text: str, where: str) -> float:
    """Seconds between two samples."""
    load_engine()
    from engine import scenario_files

    return scenario_files.as_sample_s(text, where, texts=True)


def read_loss(text: str, where: str) -> float:
    """A share of messages that are lost."""
    load_engine()
    from engine import scenario_files

    return scenario_files.as_loss(text, where, texts=True)


def read_churn(text: str, where: str) -> str:
    """A law of sessions, or a file of them."""
    load_engine()
    from engine import scenario_files

    return scenario_files.as_churn(text, where)


def read_arrivals(text: str, where: str) -> str:
    """A law of the gaps between newcomers."""
    load_engine()
    from engine import scenario_files

    return scenario_files.as_arrivals(text, where)


def read_selector(text: str, where: str) -> str:
    """A selector of peers."""
    load_engine()
    from engine import scenario_files

    return scenario_files.as_selector(text, where)


def read_pair(text: str, where: str) -> tuple[str, str]:
    """NAME=VALUE. The value is read when the network is known."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise WrongError(f'{where}: "{text}" should be NAME=VALUE, as in ttl=7')
    return name.strip(), value


def read_at(text: str, where: str) -> float:
    """A virtual time in seconds."""
    load_engine()
    from engine import as_number, scenario_files

    return as_number(text, where, 0, scenario_files.TIME_MAX_S, texts=True)


def read_until(text: str, where: str) -> Until:
    """Seconds, or "quiet"."""
    load_engine()
    from engine import as_number, plain, scenario_files

    if text == "quiet":
        return "quiet"
    try:
        float(text)
    except ValueError:
        raise WrongError(f'{where} should be a number of seconds or "quiet", not "{plain(text, 40)}"') from None
    return as_number(text, where, 1e-6, scenario_files.TIME_MAX_S, texts=True)


def swarm_flags(parser: Parser) -> None:
    """Add what the dashboard and the run both take."""
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", help=argparse.SUPPRESS)
    group = parser.add_argument_group("the swarm")
    add = adder(group)
    add("--protocol", read_protocol, "NAME", "what the peers speak (gnutella)")
    add("--peers", read_peers, "N", "how many, servers not counted (64)")
    add("--seed", read_seed, "N", "same seed, same run (1)")
    add(
        "--topology",
        read_spec("random:4"),
        "SPEC",
        "random:DEGREE, small-world:DEGREE:REWIRE, scale-free:M, ring, complete, tree:DEGREE, "
        "or an edge list in a file (random:4)",
    )
    add(
        "--latency",
        read_spec("constant:50"),
        "SPEC",
        "world, constant:MS, uniform:MIN-MAX, or a matrix of round trips in ms in a file (world)",
    )
    add("--loss", read_loss, "FRACTION", "share of messages lost, 0 or more and less than 1 (0)")
    add("--sample", read_sample, "SECONDS", "virtual time between two samples of the time series (1)")
    add("--capacity", read_link("capacity"), "SPEC", "lines of the peers: none, saroiu, or UP:DOWN in kbit/s (none)")
    add("--jitter", read_link("jitter_ms"), "MS", "how much longer than the latency a message may take (0)")
    add("--nat", read_link("nat"), "SPEC", "share of peers behind a NAT, or of each kind: full:0.2,port:0.3 (usual)")
    add(
        "--churn",
        read_churn,
        "SPEC",
        "how long peers stay: none, exponential:MEAN_S, weibull:SHAPE:SCALE_S, pareto:SHAPE:SCALE_S, redhat, debian, "
        "flatout, or recorded sessions in a file (none)",
    )
    add("--arrivals", read_arrivals, "SPEC", "newcomers: none, poisson:PER_S, weibull:SHAPE:SCALE_S of the gaps (none)")
    add("--set", read_pair, "NAME=VALUE", "an option of the protocol; repeatable", action="append", default=[])
    add(
        "--ask",
        read_text,
        "TEXT",
        "ask for this at the start, instead of random asks; repeatable",
        action="append",
        default=[],
    )
    add("--ask-at", read_at, "SECONDS", "with --ask: ask at this virtual time (0)")
    add("--goal", read_text, "NAME", "with --ask: which goal of the network, where it has several (its first)")
    add("--from", read_selector, "SELECTOR", 'who asks, as in "random 3" or p017 (#0, the first peer)', dest="asker")
    group.add_argument("--record", metavar="FILE", help="write the run into a file; swarmtop replay opens it")


def screen_flags(parser: Parser) -> None:
    """Add what the dashboard takes, whatever it opens."""
    group = parser.add_argument_group("the screen")
    add = adder(group)
    add("--speed", read_number(0.001, 1e6), "X", "virtual seconds a second (1)", default=1.0)
    group.add_argument("--theme", metavar="NAME", help="one of swarmtop themes, or a TOML file")
    add("--fps", read_setting("fps"), "N", "frames a second at most")
    add(
        "--glyphs",
        read_setting("glyphs"),
        "KIND",
        "braille, block or ascii (braille; ascii where the locale is not UTF-8)",
    )


# --- the scenario -------------------------------------------------------------------------------------------------


def is_usual_swarm(space: argparse.Namespace) -> bool:
    """Whether a command line sets none of `swarm_flags`: then nothing about the swarm can be wrong."""
    usual = Parser()
    swarm_flags(usual)
    return all(getattr(space, name) == value for name, value in vars(usual.parse_args([])).items())


def scenario_of(space: argparse.Namespace) -> Scenario:
    """The scenario that a command line means: the one named, or the default one, changed by the flags."""
    load_engine()
    import os
    from dataclasses import replace

    from engine import options_for
    from engine import scenario_files as lab

    name = space.scenario
    over = lab.Flags(space.protocol, dict(space.set), space.peers)
    made = lab.Scenario() if name is None else lab.find(name, also=COMMANDS, flags=over)
    if name is not None and lab.hides_file(name):
        kind = "scenario" if name in lab.shipped_names() else "network"
        warn(f'"{name}" is the {kind} of that name; ./{name} is the file')
    setup = made.setup
    named = ("protocol", "peers", "seed", "topology", "latency", "loss", "churn")
    changes: dict[str, Any] = {name: value for name in named if (value := getattr(space, name)) is not None}
    options: dict[str, object] = dict(setup.options)
    protocol = changes.get("protocol", setup.protocol)
    if protocol != setup.protocol and options:
        warn(f"the options of {setup.protocol} in {made.source} are not used, since --protocol is {protocol}")
        options = {}
    options |= dict(space.set)
    options_for(lab.network_called(protocol, "--protocol"), options, "--set")
    if space.arrivals is not None:  # how many may arrive at most is left to the scenario
        changes["arrivals"] = replace(setup.arrivals, law=space.arrivals)
    if space.sample is not None:
        changes["sample_s"] = space.sample
    links = {"capacity": space.capacity, "jitter_ms": space.jitter, "nat": space.nat}
    changes["links"] = replace(setup.links, **{name: value for name, value in links.items() if value is not None})
    made = replace(made, setup=replace(setup, **changes, options=options))
    topology = made.setup.topology
    if space.peers is not None and not topology.isalnum() and os.path.isfile(topology):
        warn(f"--peers is not used, since {topology} has its own peers")
    if space.ask:
        asker = lab.ASKER if space.asker is None else space.asker
        made = made.asking(space.ask, asker, space.ask_at or 0.0, space.goal or "")
    elif space.asker is not None:
        raise WrongError("--from says who asks, so it needs --ask")
    elif space.ask_at is not None:
        raise WrongError("--ask-at says when to ask, so it needs --ask")
    elif space.goal is not None:
        raise WrongError("--goal says what is wanted of --ask, so it needs --ask")
    return made


# --- printing -----------------------------------------------------------------------------------------------------


def json_of(report: Report, *, series: bool = True) -> str:
    """A report as one line."""
    return as_json(report.to_json(series=series))


def as_json(value: object) -> str:
    """A value as one line of JSON for stdout. Where stdout cannot write every character, those beyond ASCII are
    escaped, so that a reader gets the same text."""
    import json

    whole = (sys.stdout.encoding or "").lower().replace("_", "-") in ("utf-8", "utf8")
    return json.dumps(value, ensure_ascii=not whole, allow_nan=False)


def say(text: str) -> None:
    """Print on stdout. A reader that has closed the pipe (`| head`) is no error. A full disk is: raises WrongError."""
    try:
        with waiting(sys.stdout):
            print(text, flush=True)
    except (OSError, ValueError) as error:
        throw_away(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return
        raise WrongError(f"stdout cannot be written: {getattr(error, 'strerror', None) or error}") from None


def warn(sentence: object) -> None:
    """Print one line on stderr, without control characters."""
    import unicodedata

    # Other kinds of blanks (U+00A0) stay, though Python calls them not printable.
    text = "".join(ch if ch.isprintable() or unicodedata.category(ch) == "Zs" else "?" for ch in str(sentence)[:500])
    with waiting(sys.stderr):
        print(f"swarmtop: {text}", file=sys.stderr)
