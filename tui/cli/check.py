"""`swarmtop check`: whether a network behaves as every network has to, one line a check."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .common import DONE, FAILED, Parser, WrongError, as_json, load_engine, say

if TYPE_CHECKING:
    from engine import Planned

ABOUT = """\
Check a network: whether it answers what is asked, also after nonsense, deaths, partitions, loss and each attack, keeps
its memory bounded, sends little when nobody asks, reports its asks truthfully, gives the same run with the same seed,
and more. FILE is a network in a file of your own (my_net.py), NAME one of swarmtop's own. CHECK: only these.

Each check prints one line when it ends: its name, whether it passed, and what it has tried, or, if it failed, what was
wrong. All checks together mostly take less than a minute. If a check does not end, the network sends too many
messages: swarmtop run counts them by kind."""
SAME_MOST = 3
"""Checks that fail one after the other with the same sentence, until no further one is run."""
EXIT_CODES = "exit codes: 0 all passed, 1 a check failed, 2 the command line or the file was wrong, 130 interrupted"


def flags(parser: Parser) -> None:
    """Add the flags of `swarmtop check`."""
    parser.add_argument("network", nargs="?", metavar="FILE|NAME", help=argparse.SUPPRESS)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")


def run_check(space: argparse.Namespace) -> int:
    """Run the checks. Returns the exit code. Raises InputError for a file or a name that is no network, and for a name
    that is no check."""
    if space.network is None:
        raise WrongError("check what? swarmtop check my_net.py checks a network of your own, swarmtop check NAME any")
    load_engine()
    from engine import network, planned_checks, use_file

    program = use_file(space.network) if space.network.endswith(".py") else network(space.network)
    made: list[tuple[Planned, str]] = []
    planned = list(planned_checks(program, space.checks))
    for one in planned:
        if len(made) >= SAME_MOST and made[-1][1] and len({why for _, why in made[-SAME_MOST:]}) == 1:
            # As when no peer can start: each further check would only repeat the sentence.
            break
        if not space.json:
            # The name is printed first, to show which check is running if it never ends.
            sys.stdout.write(f"{one.called:<30} ")
            sys.stdout.flush()
        why = one.why_failed()
        made.append((one, why))
        if not space.json:
            say(f"FAILED  {why}" if why else f"passed  {one.about}")
    failed = sum(bool(why) for _, why in made)
    if space.json:
        rows = [
            {"check": one.name, "options": one.network.options, "passed": not why, "about": one.about, "why": why}
            for one, why in made
        ]
        left = len(planned) - len(made)
        say(as_json({"protocol": program.name, "checks": rows, "failed": failed, "not_run": left}))
    else:
        result = "all passed" if not failed else f"{failed} failed"
        if len(made) < len(planned):
            result += f", and {len(planned) - len(made)} were not run, as {SAME_MOST} failed with the same sentence"
        say(f"{program.name}: {len(made)} check{'s' if len(made) != 1 else ''}, {result}")
    return FAILED if failed else DONE
