"""Commands that list networks, scenarios and themes, or describe one of them in full; and `swarmtop config`.

Each prints a table for reading, or with `--json` one JSON value: a list, or an object for one thing.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .common import DONE, Parser, as_json, load_engine, say, warn

if TYPE_CHECKING:
    from engine import Command, Peer, Scenario

PROTOCOLS_ABOUT = "List the networks there are, or describe one and its options."
SCENARIOS_ABOUT = """\
List the scenarios there are, or describe one in full: how it begins, what happens when, and what is expected.

NAME is a shipped scenario or a TOML file."""
CONFIG_ABOUT = "Tell where your configuration is, and write one where there is none."
PATH_MAX = 4_096


def json_flag(parser: Parser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def name_flags(parser: Parser) -> None:
    """Add the name of one thing, and `--json`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="describe this one in full")
    json_flag(parser)


# --- networks -----------------------------------------------------------------------------------------------------


def list_protocols(space: argparse.Namespace) -> int:
    """`swarmtop protocols`: all networks, or one with its options. Raises InputError for a name that is none."""
    load_engine()
    from engine import InputError, help_of, network, network_faults, networks, scenario_files, title_of, use_file

    name: str | None = space.name
    if name is None:
        if space.json:
            say(as_json([_protocol(name, kind) for name, kind in networks().items()]))
        else:
            say(table([(name, title_of(kind)) for name, kind in networks().items()]))
        for sentence in network_faults():
            warn(sentence)
        return DONE
    if name.endswith(".py"):
        name = use_file(name).name
    if name not in networks() and name in scenario_files.shipped_names():
        raise InputError(f'"{name}" is a scenario: swarmtop scenarios {name} describes it')
    kind = network(name)
    told = _protocol(name, kind)
    if space.json:
        say(as_json(told))
        return DONE
    lines = [f"{name}: {title_of(kind)}"]
    if help_of(kind):
        lines += ["", help_of(kind)]
    goals: dict[str, dict[str, Any]] = told["goals"]
    if len(goals) > 1:
        wanted = [
            (goal, it["about"] if it["verb"] == goal else f"{it['verb']}: {it['about']}") for goal, it in goals.items()
        ]
        lines += [
            "",
            "goals that an ask may have (--ask TEXT --goal NAME), the first is the usual one:",
            "",
            table(wanted),
        ]
    options: dict[str, dict[str, Any]] = told["options"]
    if options:
        rows = [(f"{name}={it['default']}", _option(it)) for name, it in options.items()]
        lines += ["", "options (--set NAME=VALUE), with their defaults:", "", table(rows)]
    verbs: dict[str, dict[str, Any]] = told["verbs"]
    if verbs:
        acts = [(" ".join((name, *it["values"])), it["about"]) for name, it in verbs.items()]
        lines += ["", 'verbs of its own (do = "act", name = VERB), with their values:', "", table(acts)]
    lines += ["", f"written in {told['file']}"]
    say("\n".join(lines))
    return DONE


def _protocol(name: str, kind: type[Peer]) -> dict[str, Any]:
    from engine import (
        allowed_of,
        classes_of,
        goals_to_ask,
        help_of,
        option_values,
        options_for,
        title_of,
        values_of,
        verbs_of,
    )  # fmt: skip

    options = options_for(kind, {}, name)
    programs = {verb: program for program in reversed(classes_of(kind)) for verb in verbs_of(program)}
    known = {} if options is None else allowed_of(type(options))
    defaults = option_values(options)
    return {
        "name": name,
        "title": title_of(kind),
        "about": help_of(kind),
        "file": inspect.getfile(kind),
        "goals": {
            goal.name: {"verb": goal.verb, "about": goal.about, "what": goal.what} for goal in goals_to_ask(kind.goals)
        },
        "options": {
            option: {
                "default": defaults[option],
                "about": allowed.about,
                "low": allowed.low,
                "high": allowed.high,
                "choices": list(allowed.choices),
            }
            for option, allowed in known.items()
        },
        "verbs": {
            verb: {
                "about": verbs_of(program)[verb].about,
                "undo": verbs_of(program)[verb].undo,
                "values": {value: it.example for value, it in values_of(program, verb).items()},
            }
            for verb, program in programs.items()
        },
    }


def _option(told: dict[str, Any]) -> str:
    """What an option does, and its range."""
    low, high, choices = told["low"], told["high"], told["choices"]
    ends = [f"from {low:,g}"] if low is not None else []
    ends += [f"up to {high:,g}"] if high is not None else []
    allowed = f" ({', '.join(map(str, choices))})" if choices else f" ({' '.join(ends)})" if ends else ""
    return f"{told['about']}{allowed}"


# --- scenarios ----------------------------------------------------------------------------------------------------


def list_scenarios(space: argparse.Namespace) -> int:
    """`swarmtop scenarios`: all shipped ones, or one in full. Raises InputError for a name or a file that is none."""
    load_engine()
    from engine import InputError, networks, scenario_files

    name: str | None = space.name
    if name is None:
        made = scenario_files.shipped()
        if space.json:
            say(as_json([_brief(one) for one in made]))
        else:
            say(table([(one.source, f"{one.title}. {one.about}") for one in made]))
        return DONE
    if name in networks() and name not in scenario_files.shipped_names():
        raise InputError(f'"{name}" is a network: swarmtop protocols {name} describes it')
    one = scenario_files.find(name)
    say(as_json(_in_full(one)) if space.json else scenario_text(one))
    return DONE


def _brief(one: Scenario) -> dict[str, Any]:
    setup = one.setup
    return {
        "name": one.source,
        "title": one.title,
        "about": one.about,
        "protocol": setup.protocol,
        "peers": setup.peers,
        "seed": setup.seed,
        "ends_s": one.end_s,
    }


def _in_full(one: Scenario) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **_brief(one),
        "setup": {name: value for name, value in asdict(one.setup).items() if name != "schedule"},
        "at": [{"s": at_us / 1e6, "do": command.verb, **_fields(command)} for at_us, command in one.setup.schedule],
        "captions": [asdict(caption) for caption in one.captions],
        "expects": [asdict(expect) for expect in one.expects],
    }


def _fields(command: Command) -> dict[str, Any]:
    """The fields of a command that were given: those that differ from their defaults."""
    from dataclasses import fields

    return {f.name: value for f in fields(command) if (value := getattr(command, f.name)) not in (f.default, {})}


def scenario_text(one: Scenario) -> str:
    """A scenario for reading, without a last newline: its setup, then everything that it does, says and expects in the
    order of time."""
    from dataclasses import fields

    from engine import Setup, plain

    setup, usual = one.setup, Setup()
    first = {"protocol": setup.protocol, "peers": f"{setup.peers:,}", "seed": setup.seed, "topology": setup.topology}
    rows = [(name, plain(value)) for name, value in first.items()]
    for field in fields(setup):
        value = getattr(setup, field.name)
        if field.name in first or field.name == "schedule" or value == getattr(usual, field.name):
            continue
        if hasattr(value, "__dataclass_fields__"):
            base = getattr(usual, field.name)
            pairs = [(f.name, getattr(value, f.name)) for f in fields(value)]
            rows += [(f"{field.name}.{name}", plain(it)) for name, it in pairs if it != getattr(base, name)]
        elif isinstance(value, dict):
            rows += [(f"{field.name}.{name}", plain(it)) for name, it in value.items()]
        else:
            rows.append((field.name, plain(value)))
    story: list[tuple[float, int, str]] = []
    for at_us, command in setup.schedule:
        given = ", ".join(f"{name} {plain(value, 80)}" for name, value in _fields(command).items())
        story.append((at_us / 1e6, 1, f"{command.verb}{': ' if given else ''}{given}"))
    for caption in one.captions:
        asked = f" Asked of you: {caption.predict}" if caption.predict else ""
        story.append((caption.at_s, 0, f"“{caption.say}”{asked}"))
    for expect in one.expects:
        story.append((expect.to_s, 2, f"expected: {expect.sentence()}"))
    lines = [one.title, "", *_wrapped(one.about), "", table(rows), "", f"  It runs for {one.end_s:g} s.", ""]
    lines.append(table([(f"{at_s:g} s", plain(text, 2_000)) for at_s, _, text in sorted(story)]))
    return "\n".join(lines).rstrip()


def _wrapped(text: str) -> list[str]:
    import shutil
    import textwrap

    wide = max(40, min(shutil.get_terminal_size().columns, 120) - 2)
    return textwrap.wrap(text, wide, initial_indent="  ", subsequent_indent="  ")


# --- themes and the configuration ---------------------------------------------------------------------------------


def list_themes(space: argparse.Namespace) -> int:
    """`swarmtop themes`."""
    from ..config.themes import available

    made = available()
    say(as_json([{"name": name, "about": about} for name, about in made]) if space.json else table(made))
    return DONE


def run_config(space: argparse.Namespace) -> int:
    """`swarmtop config`: tell where the file is, write one where there is none, and tell what is wrong in it.

    Raises InputError when it cannot be written.
    """
    load_engine()
    from dataclasses import fields

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
        from ..config.keymap import remapped

        wrong += remapped(ALL, settled.keys, path)[1]
    if space.json:
        shown = {f.name: getattr(settled, f.name) for f in fields(settled) if f.name not in ("complaints", "path")}
        shown["keys"] = dict(settled.keys)
        say(as_json({"path": plain(path, limit=PATH_MAX), "new": fresh, "settings": shown, "complaints": wrong}))
        return DONE
    note = "  (new: every line in it is a comment)" if fresh else ""
    say("\n".join([f"{plain(path, limit=PATH_MAX)}{note}", *wrong]))
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
