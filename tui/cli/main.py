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
from typing import NamedTuple, NoReturn

from ..import_path import close
from ..interrupts import end_at_once, raise_again
from . import check, dashboard, help_topics, lists, run
from .common import COMMANDS, DONE, EXIT_CODES, FAILED, WRONG, Parser, WrongError, did_you_mean, say, warn
from .streams import guarded

ABOUT = """\
Watch a peer-to-peer network while it works, and while it is attacked.

  swarmtop [SCENARIO] [flags]      open the dashboard
  swarmtop run [SCENARIO] [flags]  the same without a screen; prints a report
  swarmtop replay FILE             open a recording on screen; --json runs it without one
  swarmtop check FILE|NAME         whether a network behaves as every network has to
  swarmtop protocols [NAME]        the networks there are, or one with its options
  swarmtop scenarios [NAME]        the scenarios there are, or one in full
  swarmtop themes                  the themes there are
  swarmtop config                  where your configuration is: keys, theme and more
  swarmtop bench                   how fast it is on this machine
  swarmtop help [TOPIC]            keys, selectors, files and more, explained
  swarmtop completion SHELL        completion for bash, zsh or fish

SCENARIO is the name of a shipped scenario or of a network, or a file of one (.toml, .py). Flags override it."""

COMPLETION_ABOUT = """\
Print a script that completes commands, flags, networks, scenarios, themes and options.

  bash   swarmtop completion bash > ~/.local/share/bash-completion/completions/swarmtop
  zsh    swarmtop completion zsh > ~/.zfunc/_swarmtop       (a folder that $fpath has before compinit)
  fish   swarmtop completion fish > ~/.config/fish/completions/swarmtop.fish

Or for this shell alone: source <(swarmtop completion bash). After an update, make it again."""

DASHBOARD = ""
"""The command that is meant where the first word is none of `COMMANDS`. It cannot be typed."""


class CommandLine(NamedTuple):
    """How a command is described and parsed, and the function that runs it."""

    about: str
    flags: Callable[[Parser], None]
    does: Callable[[argparse.Namespace], int]
    usage: str
    epilog: str = ""


def _command_lines() -> dict[str, CommandLine]:
    one = CommandLine
    return {
        DASHBOARD: one(ABOUT, dashboard.flags, dashboard.run_dashboard, "[SCENARIO] [flags]", EXIT_CODES),
        "run": one(run.ABOUT, run.run_flags, run.run_run, "[SCENARIO] [flags]", EXIT_CODES),
        "replay": one(run.REPLAY_ABOUT, run.replay_flags, run.run_replay, "FILE [flags]", run.REPLAY_EXIT_CODES),
        "check": one(check.ABOUT, check.flags, check.run_check, "FILE|NAME [CHECK ...] [--json]", check.EXIT_CODES),
        "bench": one(run.BENCH_ABOUT, run.bench_flags, run.run_bench, "[--quick] [--json]"),
        "config": one(lists.CONFIG_ABOUT, lists.json_flag, lists.run_config, "[--json]"),
        "protocols": one(lists.PROTOCOLS_ABOUT, lists.name_flags, lists.list_protocols, "[NAME] [--json]"),
        "scenarios": one(lists.SCENARIOS_ABOUT, lists.name_flags, lists.list_scenarios, "[NAME] [--json]"),
        "themes": one("List the themes there are.", lists.json_flag, lists.list_themes, "[--json]"),
        "help": one(help_topics.ABOUT, help_topics.flags, _help, "[TOPIC] [--json]"),
        "completion": one(COMPLETION_ABOUT, _completion_flags, _completion, "SHELL"),
    }


def _parser_of(name: str, line: CommandLine) -> Parser:
    prog = f"swarmtop {name}".rstrip()
    made = Parser(prog=prog, usage=f"{prog} {line.usage}", description=line.about, epilog=line.epilog)
    line.flags(made)
    made.set_defaults(command=name, does=line.does)
    return made


def parsers() -> dict[str, Parser]:
    """The parser of each command."""
    return {name: _parser_of(name, line) for name, line in _command_lines().items()}


def _help(space: argparse.Namespace) -> int:
    """`swarmtop help`; for a command, the help that its parser makes."""
    if space.topic in COMMANDS and not space.json and space.topic not in help_topics.topics():
        say(parsers()[space.topic].format_help().rstrip("\n"))
        return DONE
    return help_topics.run_help(space)


def _completion_flags(parser: Parser) -> None:
    parser.add_argument("shell", nargs="?", metavar="SHELL", help=argparse.SUPPRESS)


def _completion(space: argparse.Namespace) -> int:
    """`swarmtop completion`."""
    from . import completion

    return completion.run(space.shell, parsers())


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line: `command`, the values of its flags, and `does`, which runs it. Raises WrongError."""
    name, typed = (words[0], words[1:]) if words and words[0] in COMMANDS else (DASHBOARD, words)
    parser = _parser_of(name, _command_lines()[name])  # making all takes five times as long
    space, rest = parser.parse_known_args(typed)
    if space.command == DASHBOARD:
        late = next((word for word in (space.scenario, *rest) if word in COMMANDS), None)
        if late is not None:
            raise WrongError(f'"{late}" should be the first word: swarmtop {late} ...')
    for word in rest:
        if word.startswith("-") and word != "-":
            raise WrongError(_no_flag(word.split("=", 1)[0], parser))
    if rest:
        raise WrongError(f'unexpected argument "{rest[0]}"')
    return space


def _no_flag(flag: str, parser: Parser) -> str:
    """The sentence for an unknown flag: which other commands have it, or the nearest spelling."""
    others = [other.prog for other in parsers().values() if flag in other.flags]
    if others:
        only = f", only for {' and '.join(others)}" if len(others) <= 2 else ""
        return f"there is no flag {flag} for {parser.prog}{only}"
    return f"there is no flag {flag}{did_you_mean(flag, parser.flags)}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if argv is None:
        # However the program was started: from here on nothing is imported from the current folder.
        close()
    _drop_unusable_variables()
    with guarded():
        return _answered(list(sys.argv[1:] if argv is None else argv))


def _drop_unusable_variables() -> None:
    """Take out of the environment an empty NO_COLOR, as no-color.org has it, and sizes that are no numbers, on which
    Rich and Textual may fail."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
    for name in ("COLUMNS", "LINES"):
        size = os.environ.get(name, "1")
        if not (size.isascii() and size.isdigit() and len(size) < 5):
            del os.environ[name]


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


def script() -> NoReturn:
    """The console command. After a dashboard the process ends at once: freeing a swarm, object by object, takes a fifth
    of a second, in which the terminal would echo what is typed."""
    # NumPy's OpenBLAS starts a thread for each processor when it is loaded, and these wait in a loop for a while: this
    # makes loading NumPy a third slower. Nothing here multiplies matrices of floating-point numbers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
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
