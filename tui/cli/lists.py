"""What there is, as lists on stdout: networks (one of them with its options), scenarios, themes."""

from __future__ import annotations

from collections.abc import Sequence

from .main import DONE, Parser, say


def print_list(what: str, words: Sequence[str]) -> int:
    """`swarmtop protocols`, `scenarios` or `themes`, with the words that follow. Returns the exit code."""
    parser = Parser(prog=f"swarmtop {what}", description=f"List the {what} there are.")
    if what == "protocols":
        parser.add_argument("name", nargs="?", metavar="NAME", help="tell of this one, with its options")
    space = parser.read(words)
    if what == "protocols" and space.name is not None:
        return print_network(space.name)
    rows: list[tuple[str, str]]
    if what == "protocols":
        from engine import networks, title_of

        rows = [(name, title_of(kind)) for name, kind in networks().items()]
    elif what == "scenarios":
        from engine import scenario_files

        rows = [(made.source, f"{made.title}. {made.about}") for made in scenario_files.shipped()]
    else:
        from ..config.themes import available

        rows = list(available())
    say(table(rows))
    return DONE


def print_network(name: str) -> int:
    """One network, with its options."""
    from dataclasses import fields

    from engine import help_of, network, options_for, title_of

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
