"""The command line: `swarmtop` opens the dashboard, `swarmtop run` does the same without a screen.

Nothing here imports Textual, or even the engine, until it is needed: `--help` and a mistyped flag are answered in the
time that Python takes to start. All bad input ends as one sentence on stderr and exit code 2; argparse speaks the
same way (see `Parser.error`). Exit codes: 0 done, 1 an expectation failed, 2 bad input, 130 interrupted,
143 terminated. 1 is also what comes of a mistake of ours.
"""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ..import_path import close
from ..interrupts import end_at_once, raise_again
from .streams import guarded, throw_away, waiting

if TYPE_CHECKING:
    from engine import Recording, Report, Scenario, Until

DONE, FAILED, WRONG = 0, 1, 2

NEAR = 0.65
"""As `engine.errors.SIMILARITY_MIN`."""
LISTS = ("protocols", "scenarios", "themes")
WORDS = ("run", "replay", "bench", "config", *LISTS)

ABOUT = """\
Watch a peer-to-peer network while it works, and while it is attacked.

  swarmtop [SCENARIO] [flags]      open the dashboard
  swarmtop run [SCENARIO] [flags]  the same without a screen; prints a report
  swarmtop replay FILE             open a recording on screen; --json runs it without one
  swarmtop protocols [NAME]        the networks there are, or one with its options
  swarmtop scenarios               the scenarios there are
  swarmtop themes                  the themes there are
  swarmtop config                  where your configuration is: keys, theme and more
  swarmtop bench                   how fast it is on this machine

SCENARIO is the name of one that is shipped, or a TOML file. Flags override it."""

TAIL = """\
exit codes: 0 done, 1 an expectation failed, 2 the command line or a file was wrong, 130 interrupted, 143 terminated"""


class Parser(argparse.ArgumentParser):
    """argparse, but its errors are ours: one sentence, with the nearest spelling of an unknown flag."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kw)

    def error(self, message: str) -> NoReturn:
        """Raise it as a sentence; `main` prints it."""
        said = message.removeprefix("argument ")
        raise WrongError(said.replace(": expected one argument", " needs a value"))

    def _print_message(self, message: str, file: Any = None) -> None:
        """The help. argparse would not tell of a disk that is full."""
        say(message.rstrip("\n"))

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse all of `argv`. Raises WrongError."""
        space, rest = self.parse_known_args(argv)
        for word in rest:
            if word.startswith("-") and word != "-":
                flag = word.split("=", 1)[0]
                raise WrongError(f"there is no flag {flag}{did_you_mean(flag, self._option_string_actions)}")
        if rest:
            raise WrongError(f'"{rest[0]}" is one word too many')
        return space


class WrongError(Exception):
    """Bad input that was seen before the engine was: one sentence."""


def load_engine() -> None:
    """Import it. Until it is there ctrl+c ends the program at once, see `interrupts`."""
    ours = end_at_once()
    try:
        import engine  # noqa: F401
    finally:
        if ours:
            raise_again()


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """As `engine.nearest`, which would cost the import of the engine. Dashes, which all flags have, do not count."""
    known = {choice.lstrip("-"): choice for choice in sorted(choices)}
    close = difflib.get_close_matches(word.lstrip("-").lower(), known, n=1, cutoff=NEAR)
    return f"; did you mean {known[close[0]]}?" if close else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if argv is None:
        # Whatever started us: what is imported from here on does not come from the current folder.
        close()
    with guarded():
        return _answered(list(sys.argv[1:] if argv is None else argv))


def _answered(words: list[str]) -> int:
    try:
        raise_again()
        return _main(words)
    except WrongError as error:
        return _complain(error)
    except KeyboardInterrupt as error:
        _complain(str(error) or "interrupted")
        return 128 + getattr(error, "number", signal.SIGINT)
    except Exception as error:
        # Whatever raised a SwarmError has imported the engine, so this costs nothing that was not paid.
        if "engine" not in sys.modules:
            raise
        from engine import InputError, SwarmError

        if not isinstance(error, SwarmError):
            raise
        _complain(error)
        return WRONG if isinstance(error, InputError) else FAILED


def _main(words: list[str]) -> int:
    head = words[0] if words else ""
    if head in LISTS:
        from .lists import print_list

        return print_list(head, words[1:])
    if head == "config":
        Parser(prog="swarmtop config", description="Tell where your configuration is, and write one.").read(words[1:])
        from .dashboard import config_command

        say(config_command())
        return DONE
    if head == "bench":
        from .bench import bench_parser, run_bench

        space = bench_parser().read(words[1:])
        return run_bench(quick=space.quick, as_json=space.json)
    if head == "replay":
        from .replay import replay_parser, run_replay

        return run_replay(replay_parser().read(words[1:]))
    if head == "run":
        from .run import run_parser, run_run

        return run_run(run_parser().read(words[1:]))
    space = _dashboard_parser().read(words)
    if space.scenario in WORDS:
        raise WrongError(f'"{space.scenario}" should be the first word: swarmtop {space.scenario} ...')
    return _dashboard(space)


def swarm_flags(parser: Parser) -> None:
    """What the dashboard and the run both take."""
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", help=argparse.SUPPRESS)
    swarm = parser.add_argument_group("the swarm")
    add = swarm.add_argument
    add("--protocol", metavar="NAME", help="what the peers speak (default: gnutella)")
    add("--peers", metavar="N", help="how many, servers not counted (64)")
    add("--seed", metavar="N", help="same seed, same run (1)")
    add(
        "--topology",
        metavar="SPEC",
        help="random:DEGREE, small-world:DEGREE:REWIRE, scale-free:M, ring, complete, tree:DEGREE, "
        "or an edge list in a file (random:4)",
    )
    add(
        "--latency",
        metavar="SPEC",
        help="world, constant:MS, uniform:MIN-MAX, or a matrix of round trips in ms in a file (world)",
    )
    add("--loss", metavar="FRACTION", help="share of messages lost, 0 or more and less than 1 (0)")
    add("--capacity", metavar="SPEC", help="lines of the peers: none, saroiu, or UP:DOWN in kbit/s (none)")
    add("--jitter", metavar="MS", help="how much longer than the latency a message may take (0)")
    add("--nat", metavar="FRACTION", help="share of peers that can call and cannot be called (0)")
    add(
        "--churn",
        metavar="SPEC",
        help="how long peers stay: none, exponential:MEAN_S, weibull:SHAPE:SCALE_S, pareto:SHAPE:SCALE_S, redhat, "
        "debian, flatout, or sessions that were recorded, in a file (none)",
    )
    add("--arrivals", metavar="SPEC", help="newcomers: none, poisson:PER_S, weibull:SHAPE:SCALE_S of the gaps (none)")
    add("--set", metavar="NAME=VALUE", action="append", default=[], help="an option of the protocol; repeatable")
    add(
        "--ask",
        metavar="TEXT",
        action="append",
        default=[],
        help="ask for this at the start, instead of random asks; repeatable",
    )
    add("--from", metavar="SELECTOR", dest="asker", help='who asks, as in "random 3" or p017 (#0, the first peer)')
    add("--record", metavar="FILE", help="write the run into a file while it goes on; swarmtop replay opens it")


def _dashboard_parser() -> Parser:
    parser = Parser(prog="swarmtop", usage="swarmtop [SCENARIO] [flags]", description=ABOUT, epilog=TAIL)
    swarm_flags(parser)
    screen_flags(parser)
    add = parser.add_argument
    add("--until", metavar="SECONDS|quiet", help="pause there (virtual time), or when all asks are closed")
    add("--json", action="store_true", help="on leaving, print one JSON object of the run so far")
    add("--version", action="store_true", help="print the version")
    return parser


def screen_flags(parser: Parser) -> None:
    """What the dashboard takes, whatever it opens."""
    add = parser.add_argument_group("the screen").add_argument
    add("--speed", metavar="X", help="virtual seconds a second (1)")
    add("--theme", metavar="NAME", help="one of swarmtop themes, or a TOML file")
    add("--fps", metavar="N", help="frames a second at most")
    add("--glyphs", metavar="KIND", help="braille, block or ascii (braille; ascii where the locale is not UTF-8)")


def scenario_of(space: argparse.Namespace) -> Scenario:
    """The scenario that a command line means: the one named, or a plain one, with the flags over it."""
    load_engine()
    from dataclasses import replace

    from engine import as_spec, as_text, as_whole, options_for, read_links
    from engine import scenario_files as lab

    made = lab.find(space.scenario, also=WORDS) if space.scenario is not None else lab.Scenario()
    setup = made.setup
    changes: dict[str, Any] = {}
    readers: dict[str, Callable[[Any, str], object]] = {
        "peers": lambda v, where: as_whole(v, where, 1, lab.PEERS_MAX, texts=True),
        "seed": lambda v, where: as_whole(v, where, 0, lab.SEED_MAX, texts=True),
        "loss": lambda v, where: lab.as_loss(v, where, texts=True),
        "protocol": as_text,
        "topology": lambda v, where: as_spec(v, where, "random:4"),
        "latency": lambda v, where: as_spec(v, where, "constant:50"),
        "churn": lab.as_churn,
    }
    for name, read in readers.items():
        value = getattr(space, name)
        if value is not None:
            changes[name] = read(value, f"--{name}")
    options: dict[str, object] = dict(setup.options)
    protocol = str(changes.get("protocol", setup.protocol))
    network = lab.network_called(protocol, "--protocol")
    if protocol != setup.protocol and options:
        # They are the words of another network: here they would mean nothing, or something else.
        warn(f"the options of {setup.protocol} in {made.source} do not count, since --protocol is {protocol}")
        options = {}
    for text in space.set:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise WrongError(f'--set: "{text}" should be NAME=VALUE, as in ttl=7')
        options[name.strip()] = value
    options_for(network, options, "--set")
    lines = {"capacity": space.capacity, "jitter_ms": space.jitter, "nat": space.nat}
    told = {name: value for name, value in lines.items() if value is not None}
    if space.arrivals is not None:
        # How many come at most is the scenario's to say.
        law = lab.as_arrivals(space.arrivals, "--arrivals")
        changes["arrivals"] = replace(setup.arrivals, law=law)
    if told:
        flags = {"capacity": "--capacity", "jitter_ms": "--jitter", "nat": "--nat"}
        changes["links"] = read_links(told, flags, setup.links)
    made = replace(made, setup=replace(setup, **changes, options=options))
    topology = made.setup.topology
    if space.peers is not None and not topology.isalnum() and os.path.isfile(topology):
        warn(f"--peers does not count, since {topology} brings its own")
    if space.ask:
        made = made.asking(space.ask, lab.ASKER if space.asker is None else space.asker)
    elif space.asker is not None:
        raise WrongError("--from says who asks, so it needs --ask")
    return made


def until_of(text: str | None) -> Until:
    """What `--until` says. Raises WrongError, or InputError for a number out of range."""
    from engine import as_number, plain, scenario_files

    if text is None or text == "quiet":
        return None if text is None else "quiet"
    try:
        float(text)
    except ValueError:
        raise WrongError(f'--until should be a number of seconds or "quiet", not "{plain(text, 40)}"') from None
    return as_number(text, "--until", 1e-6, scenario_files.TIME_MAX_S, texts=True)


def json_of(report: Report, *, series: bool = True) -> str:
    """A report as one line."""
    return as_json(report.to_json(series=series))


def as_json(value: object) -> str:
    """A value as one line of JSON for stdout. Where that cannot write every character, those beyond ASCII are written
    by their numbers, so that whoever reads it gets the same text."""
    import json

    whole = (sys.stdout.encoding or "").lower().replace("_", "-") in ("utf-8", "utf8")
    return json.dumps(value, ensure_ascii=not whole, allow_nan=False)


def _dashboard(space: argparse.Namespace) -> int:
    import gc

    # Until the first picture is up: a tenth of the start went into looking for garbage that there is none of yet.
    gc.disable()
    try:
        return _opened(space)
    finally:
        gc.enable()


def _opened(space: argparse.Namespace) -> int:
    if space.version:
        from importlib.metadata import PackageNotFoundError, version

        try:
            say(f"swarmtop {version('swarmtop')}")
        except PackageNotFoundError:
            say("swarmtop, not installed")
        return DONE
    from .files import check_apart

    scenario = scenario_of(space)
    check_apart(space, scenario)
    return on_screen(space, scenario, until_of(space.until), record=space.record)


def on_screen(
    space: argparse.Namespace,
    scenario: Scenario,
    until: Until,
    *,
    recording: Recording | None = None,
    record: str | None = None,
) -> int:
    """Open the dashboard, with the flags of `screen_flags`; replay `recording`, or write the run into `record`."""
    from .dashboard import opened

    last_word = (lambda report: say(json_of(report))) if space.json else None
    return opened(space, scenario, until, last_word, recording, record)


def say(text: str) -> None:
    """Print on stdout. Whoever reads it may have heard enough (`| head`): that is no error. A full disk is: raises
    WrongError."""
    try:
        with waiting(sys.stdout):
            print(text, flush=True)
    except (OSError, ValueError) as error:
        throw_away(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return
        raise WrongError(f"stdout cannot be written: {getattr(error, 'strerror', None) or error}") from None


def warn(sentence: object) -> None:
    """Say something on stderr, whatever it may hold."""
    import unicodedata

    # A blank of another kind (U+00A0) is quoted as the file has it, though Python calls it not printable.
    text = "".join(ch if ch.isprintable() or unicodedata.category(ch) == "Zs" else "?" for ch in str(sentence)[:500])
    with waiting(sys.stderr):
        print(f"swarmtop: {text}", file=sys.stderr)


def _complain(sentence: object) -> int:
    warn(sentence)
    return WRONG


def script() -> NoReturn:
    """The console command. After a dashboard the process ends at once: taking a swarm apart, object by object, takes a
    fifth of a second, in which the terminal would show what is typed."""
    code = main()
    end_at_once()
    if "textual" in sys.modules:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                code = code or FAILED
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    script()
