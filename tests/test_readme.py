"""Tables and the example in the README are compared with their sources.

Run `python tests/test_readme.py` to write them again; then read the difference.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import help_of, networks, options_of, scenario_files, title_of
from tui.actions.table import key_table
from tui.config.themes import load_all

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


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


PARTS = {"keys": keys, "networks": nets, "scenarios": stories, "themes": looks, "gossip": example}


def part(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)


@pytest.mark.parametrize("name", PARTS)
def test_the_readme_agrees_with_the_program(name: str) -> None:
    found = part(name).search(README.read_text())
    assert found, f"the README has no part <!-- {name} -->"
    assert found.group(0) == f"<!-- {name} -->\n{PARTS[name]()}\n<!-- /{name} -->", "run python tests/test_readme.py"


def test_the_example_is_short() -> None:
    # Joining is half of a network.
    assert example().count("\n") < 155


def test_the_picture_is_there() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text()):
        assert (ROOT / picture).is_file(), picture


if __name__ == "__main__":
    text = README.read_text()
    for key, make in PARTS.items():
        text = part(key).sub(lambda found, make=make: found.group(1) + make() + found.group(2), text)
    README.write_text(text)
