"""The command line: which commands there are, and which of them a line means.

`swarmtop` alone, or followed by a scenario, a network or a file, opens the dashboard; a first word of `COMMANDS` does
something else. Each command is a subparser of argparse with a function to run. All wrong input ends as one sentence on
stderr and exit code 2. Exit codes: 0 done, 1 an expectation failed or our own mistake, 2 wrong input, 130 interrupted,
143 terminated.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from ..import_path import close
from ..interrupts import end_at_once, raise_again
from . import dashboard, run
from .common import COMMANDS, DONE, EXIT_CODES, FAILED, WRONG, Parser, WrongError, did_you_mean, say, warn
from .streams import guarded

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

SCENARIO is the name of a shipped scenario or of a network, or a TOML file. Flags override it."""

DASHBOARD = ""
"""The command that is meant where the first word is none of `COMMANDS`. It cannot be typed."""


def parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of all command lines, and that of each command."""
    root = Parser(prog="swarmtop", add_help=False)
    group = root.add_subparsers(dest="command")
    made: dict[str, Parser] = {}

    def command(
        name: str,
        about: str,
        flags: Callable[[Parser], None],
        does: Callable[[argparse.Namespace], int],
        usage: str = "",
        epilog: str = "",
    ) -> None:
        prog = f"swarmtop {name}".rstrip()
        how = f"{prog} {usage}" if usage else None
        made[name] = group.add_parser(name, prog=prog, usage=how, description=about, epilog=epilog)
        flags(made[name])
        made[name].set_defaults(does=does)

    command(DASHBOARD, ABOUT, dashboard.flags, dashboard.run_dashboard, "[SCENARIO] [flags]", EXIT_CODES)
    command("run", run.ABOUT, run.run_flags, run.run_run, "[SCENARIO] [flags]", EXIT_CODES)
    command("replay", run.REPLAY_ABOUT, run.replay_flags, run.run_replay, "FILE [flags]", run.REPLAY_EXIT_CODES)
    command("bench", run.BENCH_ABOUT, run.bench_flags, run.run_bench, "[--quick] [--json]")
    command("config", "Tell where your configuration is, and write one.", lambda parser: None, run_config)
    command("protocols", "List the protocols there are.", _protocol_flags, list_protocols)
    command("scenarios", "List the scenarios there are.", lambda parser: None, list_scenarios)
    command("themes", "List the themes there are.", lambda parser: None, list_themes)
    return root, made


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line: `command`, the values of its flags, and `does`, which runs it. Raises WrongError."""
    root, made = parsers()
    space, rest = root.parse_known_args(words if words and words[0] in COMMANDS else [DASHBOARD, *words])
    parser = made[space.command]
    if space.command == DASHBOARD:
        late = next((word for word in (space.scenario, *rest) if word in COMMANDS), None)
        if late is not None:
            raise WrongError(f'"{late}" should be the first word: swarmtop {late} ...')
    for word in rest:
        if word.startswith("-") and word != "-":
            raise WrongError(_no_flag(word.split("=", 1)[0], parser, made))
    if rest:
        raise WrongError(f'unexpected argument "{rest[0]}"')
    return space


def _no_flag(flag: str, parser: Parser, made: dict[str, Parser]) -> str:
    """The sentence for an unknown flag: which other commands have it, or the nearest spelling."""
    others = [other.prog for other in made.values() if flag in other.flags]
    if others:
        only = f", only for {' and '.join(others)}" if len(others) <= 2 else ""
        return f"there is no flag {flag} for {parser.prog}{only}"
    return f"there is no flag {flag}{did_you_mean(flag, parser.flags)}"


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
        space = parse(words)
        code: int = space.does(space)
        return code
    except WrongError as error:
        warn(error)
        return WRONG
    except KeyboardInterrupt as error:
        warn(str(error) or "interrupted")
        return 128 + getattr(error, "number", signal.SIGINT)
    except Exception as error:
        # Whatever raised a SwarmError has imported the engine.
        if "engine" not in sys.modules:
            raise
        from engine import InputError, SwarmError

        if not isinstance(error, SwarmError):
            raise
        warn(error)
        return WRONG if isinstance(error, InputError) else FAILED


# --- lists and the configuration ----------------------------------------------------------------------------------


def _protocol_flags(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="describe this one, with its options")


def list_protocols(space: argparse.Namespace) -> int:
    """`swarmtop protocols`: all networks, or one with its options."""
    from dataclasses import fields

    from engine import help_of, network, networks, options_for, title_of

    name: str | None = space.name
    if name is None:
        say(table([(name, title_of(kind)) for name, kind in networks().items()]))
        return DONE
    kind = network(name)
    lines = [f"{name}: {title_of(kind)}"]
    if help_of(kind):
        lines += ["", help_of(kind)]
    options = options_for(kind, {}, name)
    if options is not None:
        rows = [(f"{f.name}={getattr(options, f.name)}", f.metadata.get("about", "")) for f in fields(options)]
        lines += ["", "options (--set NAME=VALUE), with their defaults:", "", table(rows)]
    say("\n".join(lines))
    return DONE


def list_scenarios(space: argparse.Namespace) -> int:
    """`swarmtop scenarios`."""
    from engine import scenario_files

    say(table([(made.source, f"{made.title}. {made.about}") for made in scenario_files.shipped()]))
    return DONE


def list_themes(space: argparse.Namespace) -> int:
    """`swarmtop themes`."""
    from ..config.themes import available

    say(table(available()))
    return DONE


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns, the second wrapped under itself."""
    import shutil
    import textwrap

    wide = max((len(name) for name, _ in rows), default=0)
    room = max(40, min(shutil.get_terminal_size().columns, 120) - wide - 4)
    lines = []
    for name, about in rows:
        first, *more = textwrap.wrap(about, room) or [""]
        lines.append(f"  {name:<{wide}}  {first}".rstrip())
        lines += [" " * (wide + 4) + line for line in more]
    return "\n".join(lines)


def run_config(space: argparse.Namespace) -> int:
    """`swarmtop config`: tell where the file is, write one where there is none, and tell what is wrong in it.

    Raises InputError when it cannot be written.
    """
    from engine import InputError, plain

    from ..actions.table import ALL
    from ..config import settings

    path = settings.user_file()
    try:
        fresh = settings.write_default(path, ALL)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    settled = settings.load(path)
    wrong = list(settled.complaints)
    if settled.keys:
        from ..config.keymap import laid_over

        wrong += laid_over(ALL, settled.keys, path)[1]
    note = "  (new: every line in it is a comment)" if fresh else ""
    say("\n".join([f"{plain(path, limit=PATH_MAX)}{note}", *wrong]))
    return DONE


PATH_MAX = 4_096


def script() -> NoReturn:
    """The console command. After a dashboard the process ends at once: freeing a swarm, object by object, takes a fifth
    of a second, in which the terminal would echo what is typed."""
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
