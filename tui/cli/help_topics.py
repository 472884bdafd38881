"""`swarmtop help [TOPIC]`: texts of `tui/help`, one Markdown file a topic.

On a terminal rich draws them; elsewhere the Markdown is printed as it is written, without the comments that mark the
parts that are generated from the program (`tests/test_readme.py`).
"""

from __future__ import annotations

import argparse
import sys

from .common import DONE, Parser, WrongError, as_json, did_you_mean, say
from .streams import stdout_properties

ABOUT = "Explain a topic, or list the topics there are. A command, a network and a scenario are topics as well."
WIDEST = 110
"""Columns of a text on a terminal: longer lines are hard to read."""


def flags(parser: Parser) -> None:
    """Add the flags of `swarmtop help`."""
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help="explain this one")
    parser.add_argument("--json", action="store_true", help="print JSON")


def topics() -> list[str]:
    """Names of the texts, sorted."""
    from importlib import resources

    folder = resources.files("tui").joinpath("help")
    return sorted(entry.name.removesuffix(".md") for entry in folder.iterdir() if entry.name.endswith(".md"))


def text_of(topic: str) -> str:
    """The Markdown of a topic."""
    import re
    from importlib import resources

    path = resources.files("tui").joinpath("help", f"{topic}.md")
    return re.sub(r"^<!--.*?-->\n?", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).strip("\n")


def title_of(topic: str) -> str:
    """The title of a topic: its first line."""
    return text_of(topic).split("\n", 1)[0].lstrip("# ")


def run_help(space: argparse.Namespace) -> int:
    """`swarmtop help`: the list of topics, or one. Raises WrongError for one that does not exist."""
    topic: str | None = space.topic
    if topic is None:
        _list(space)
    elif topic in topics():
        if space.json:
            say(as_json({"topic": topic, "title": title_of(topic), "text": text_of(topic)}))
        else:
            say(drawn(text_of(topic)))
    else:
        return _of_another(space)
    return DONE


def _list(space: argparse.Namespace) -> None:
    named = [(topic, title_of(topic)) for topic in topics()]
    if space.json:
        say(as_json([{"topic": topic, "title": title} for topic, title in named]))
        return
    from .lists import table

    say(f"swarmtop help TOPIC explains one of these; a command, a network or a scenario too.\n\n{table(named)}")


def _of_another(space: argparse.Namespace) -> int:
    """Help on a network or a scenario."""
    from .common import COMMANDS, load_engine
    from .lists import list_protocols, list_scenarios

    load_engine()
    from engine import networks, plain, scenario_files

    if space.topic.endswith(".py") or space.topic in networks():
        return list_protocols(argparse.Namespace(name=space.topic, json=space.json))
    if space.topic in scenario_files.shipped_names():
        return list_scenarios(argparse.Namespace(name=space.topic, json=space.json))
    known = (*topics(), *COMMANDS, *networks(), *scenario_files.shipped_names())
    near = did_you_mean(space.topic, known) or "; swarmtop help lists all"
    raise WrongError(f'no help topic is called "{plain(space.topic)}"{near}')


def drawn(text: str) -> str:
    """Markdown as it is shown on stdout: drawn on a terminal, and as it is elsewhere."""
    import os

    if not sys.stdout.isatty() or os.environ.get("TERM", "") == "dumb":
        return text
    import shutil

    from rich.console import Console
    from rich.markdown import Markdown

    width = min(WIDEST, max(40, shutil.get_terminal_size().columns))
    console = Console(file=stdout_properties(), width=width)
    with console.capture() as captured:
        console.print(Markdown(text))
    return captured.get().rstrip("\n")
