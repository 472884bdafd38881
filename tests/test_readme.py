"""Tables and the example in the README and in `swarmtop help` are compared with their sources, and so is the man page.

Run `python tests/test_readme.py` to write them again; then read the difference.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from engine import VERBS, api, help_of, networks, options_of, scenario_files, title_of
from engine.lab.check import METRICS, OF_SHOWN
from engine.setup import ContentSpec
from tui.actions.table import ALL, key_table
from tui.cli.help_topics import title_of as topic_title
from tui.cli.help_topics import topics
from tui.cli.main import parsers
from tui.config.keys import INSIDE, grouped
from tui.config.settings import ALLOWED
from tui.config.themes import load_all

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
HELP = ROOT / "tui" / "help"
MAN = HELP / "swarmtop.1"
PLACES = (README, *sorted(HELP.glob("*.md")))


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def keys() -> str:
    return table(
        ("key", "what it does"), [(" ".join(f"`{k}`" for k in shown.split()), tip) for shown, tip in key_table()]
    )


def nets() -> str:
    def first(text: str) -> str:
        return " ".join(text.split("\n\n")[0].split())

    rows = []
    for name, program in networks().items():
        some = ", ".join(f"`{option}`" for option in list(options_of(program))[:4])
        rows.append((f"`{name}`", title_of(program), first(help_of(program)), some))
    return table(("name", "network", "what it is", "some options"), rows)


def stories() -> str:
    rows = [(f"`{s.source}`", f"**{s.title}.** {' '.join(s.about.split())}") for s in scenario_files.shipped()]
    return table(("name", "story"), rows)


def looks() -> str:
    return table(("theme", "look"), [(f"`{p.name}`", p.description) for p in load_all()[0]])


def example() -> str:
    return "```python\n" + (ROOT / "engine" / "protocols" / "gossip.py").read_text().rstrip() + "\n```"


def inside_keys() -> str:
    return table(("key", "what it does"), [(code(shown), tip) for _, shown, tip in grouped(INSIDE)])


def key_ids() -> str:
    return table(("name", "key", "what it does"), [(f"`{row.id}`", code(row.keys), row.tip) for row in ALL])


def code(keys: str) -> str:
    return " ".join(f"`{key}`" for key in keys.replace(",", " ").split()) or ("`,`" if keys == "," else "")


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def flag(action: argparse.Action) -> str:
    """A flag as a person types it."""
    value = f" {action.metavar}" if action.nargs != 0 and action.metavar else ""
    return ", ".join(f"{name}{value}" for name in action.option_strings) or str(action.metavar)


def told(action: argparse.Action) -> str:
    return one_line(action.help).replace("%%", "%") if action.help != argparse.SUPPRESS else ""


def commands() -> str:
    parts = []
    for parser in parsers().values():
        about = (parser.description or "").strip()
        usage = parser.usage or f"{parser.prog} [flags]"
        # What is indented keeps its lines, as code.
        lines = ["    " * line.startswith("  ") + line for line in about.split("\n")]
        parts.append(f"## {parser.prog}\n\n    {usage}\n\n" + "\n".join(lines))
        rows = [(f"`{flag(it)}`", told(it)) for it in parser.actions if told(it)]
        rows = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
        parts.append(table(("flag", "what it does"), rows))
    return "\n\n".join(parts)


def scenario_keys() -> str:
    tables = {
        "content": [field.name for field in fields(ContentSpec)],
        "asks": ["per_s"],
        "churn": ["session", "polite"],
        "arrivals": ["law", "most"],
        "links": list(scenario_files.LINK_KEYS),
        "options": ["those of the network"],
    }
    listed = {"caption": "[[caption]]", "at": "[[at]]", "expect": "[[expect]]"}
    rows = []
    for key in scenario_files.KEYS:
        inside = ", ".join(f"`{name}`" if " " not in name else name for name in tables.get(key, ()))
        rows.append((f"`{listed.get(key) or (f'[{key}]' if inside else key)}`", inside))
    return table(("key", "keys in it"), rows)


def verbs() -> str:
    rows = []
    for verb, kind in VERBS.items():
        does = one_line((kind.__doc__ or "").split("\n\n")[0])
        rows.append((f"`{verb}`", ", ".join(f"`{field.name}`" for field in fields(kind)), does.replace("|", "\\|")))
    return table(("verb", "fields", "what it does"), rows)


def metrics() -> str:
    return table(("metric", "what it is"), [(f"`{name}`", about) for name, about in (METRICS | OF_SHOWN).items()])


def settings() -> str:
    return table(("setting", "what it does"), [(f"`{name}`", one_line(it.about)) for name, it in ALLOWED.items()])


def topic_table() -> str:
    return table(("topic", "what it explains"), [(f"`{name}`", topic_title(name)) for name in topics()])


PARTS = {
    "topics": topic_table,
    "keys": keys,
    "inside-keys": inside_keys,
    "key-ids": key_ids,
    "networks": nets,
    "scenarios": stories,
    "themes": looks,
    "gossip": example,
    "commands": commands,
    "scenario-keys": scenario_keys,
    "verbs": verbs,
    "metrics": metrics,
    "settings": settings,
}
MARK = re.compile(r"^<!-- ([a-z-]+) -->$", re.MULTILINE)
FOUND = [(path, name) for path in PLACES for name in MARK.findall(path.read_text())]


def part(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n).*?(?:\n)?(<!-- /{name} -->)", re.DOTALL)


@pytest.mark.parametrize(("path", "name"), FOUND, ids=lambda it: it if isinstance(it, str) else it.name)
def test_generated_parts_agree_with_the_program(path: Path, name: str) -> None:
    found = part(name).search(path.read_text())
    assert found, f"{path} has no end of <!-- {name} -->"
    assert found.group(0) == f"<!-- {name} -->\n{PARTS[name]()}\n<!-- /{name} -->", "run python tests/test_readme.py"


def test_each_generated_part_is_in_a_help_topic() -> None:
    assert {name for path, name in FOUND if path != README} == set(PARTS) - {"topics"}


# --- the man page -------------------------------------------------------------------------------------------------


def roff(text: str) -> str:
    """Text that troff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


def man_page() -> str:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    made = parsers()
    lines = [
        '.\\" Generated by tests/test_readme.py from the parsers of the command line.',
        f'.TH SWARMTOP 1 "" "swarmtop {version}" "User Commands"',
        ".SH NAME",
        roff("swarmtop - watch a peer-to-peer network while it works, and while it is attacked"),
        ".SH SYNOPSIS",
    ]
    for parser in made.values():
        lines += [f".B {roff(parser.prog)}", roff((parser.usage or "").removeprefix(parser.prog).strip()), ".br"]
    for parser in made.values():
        lines += [f'.SH "{roff(parser.prog.upper())}"', ".nf", roff((parser.description or "").strip()), ".fi"]
        for action in parser.actions:
            if told(action):
                lines += [".TP", f".B {roff(flag(action))}", roff(told(action))]
    lines += [".SH EXIT STATUS"]
    for number, means in (
        ("0", "done"),
        ("1", "an expectation failed, or a replay was another run"),
        ("2", "the command line or a file was wrong"),
        ("130", "interrupted"),
        ("143", "terminated"),
    ):
        lines += [".TP", f".B {number}", means]
    lines += [".SH TOPICS", roff("swarmtop help TOPIC explains: " + ", ".join(topics()) + ".")]
    return "\n".join(lines) + "\n"


def test_the_man_page_is_current() -> None:
    assert MAN.read_text() == man_page(), "run python tests/test_readme.py"
    shared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert shared["shared-data"] == {"tui/help/swarmtop.1": "share/man/man1/swarmtop.1"}


def test_each_flag_of_each_command_is_in_the_man_page() -> None:
    page = MAN.read_text().replace("\\-", "-")
    for parser in parsers().values():
        for name in parser.flags:
            assert name in page, name


def test_the_example_is_short() -> None:
    # Joining is half of a network.
    assert example().count("\n") < 155


def test_the_chapter_on_networks_names_what_there_is() -> None:
    text = (HELP / "network.md").read_text()
    called = {*re.findall(r"host\.(\w+)", text)}
    assert {"call", "begin", "mark", "set_role"} < called
    assert not [name for name in called if not hasattr(api.Host, name)]
    methods = {*re.findall(r"`(\w+)\((?:self|cls)\b", text)} - {"wire_size", "about"}
    assert {"shown", "cast", "converge"} < methods
    assert not [name for name in methods if not hasattr(api.Peer, name)]
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        compile(block, "network.md", "exec")


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\[[^\]]*\]\(([^)]+)\)", README.read_text())
    assert len(links) > len(networks())
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_readme_is_short_and_shows_each_network() -> None:
    text = README.read_text()
    assert text.count("\n") < 200
    for name in networks():
        assert f"tui/gallery/{name}.png" in text, name
    assert (ROOT / "tui" / "gallery" / "swarmtop.gif").stat().st_size < 2_000_000


def test_the_gate_is_the_command_of_the_readme() -> None:
    gate = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert f"\n    {gate}\n" in README.read_text()
    assert f"\n    {gate}\n" in (HELP / "source.md").read_text()


def test_the_changes_begin_with_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    first = re.search(r"^## (.*)$", (HELP / "changes.md").read_text(), re.MULTILINE)
    assert first
    assert first[1] == version


if __name__ == "__main__":
    for place in PLACES:
        text = place.read_text()
        for key, make in PARTS.items():
            text = part(key).sub(lambda found, make=make: f"{found[1]}{make()}\n{found[2]}", text)
        place.write_text(text)
    MAN.write_text(man_page())
