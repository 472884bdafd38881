"""The five things to try in the README work as described: the keys are pressed and the screen is read.

In the gate for seed 1, which a person has who types `swarmtop`; `pytest -m campaign` does it for seeds 2 to 5."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from person import Person, dashboard

pytestmark = pytest.mark.anyio

README = (Path(__file__).parents[2] / "README.md").read_text()
TEXT = "blue train"
FIRST_ANSWER = r"asked for “blue train”: (\w+ holders?|p\d+) answered"


def screen(person: Person) -> str:
    """What is on the screen, as one line."""
    strips = person.app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    # The picture is at the left of other panels: a sentence on it continues in the next line, between the same borders.
    left = (line.split("│")[1] if line.startswith("│") else line for line in lines)
    return re.sub(r"\s+", " ", " ".join(left))


async def ask(person: Person, text: str) -> str:
    await person.ask(text)
    await person.wait(12.0, slices=60)
    return screen(person)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.campaign) for seed in (2, 3, 4, 5))])
async def test_the_five_things_to_try_work_as_described(seed: int) -> None:
    async with dashboard(seed=seed, peers=64, latency="world", asks_per_s=0.0) as person:
        # 1: ask.
        seen = await ask(person, TEXT)
        assert re.search(FIRST_ANSWER, seen), seen
        asker = re.search(r"(p\d+) asked for", seen)
        assert asker

        # 2: kill the one who answered, and ask again: the former asker asks, and others answer.
        await person.press("A", "x")
        dead = re.search(r"(p\d+) is dead; it answered ask 1", screen(person))
        assert dead, screen(person)
        seen = await ask(person, TEXT)
        assert re.search(rf"{dead[1]} is dead\. .*answered {asker[1]}.* (fewer|as many|more|ask 1)", seen), seen

        # 3: the minimum cut of this network, and what was assumed.
        await person.press("m")
        await person.wait(0.5, slices=2)
        cut = re.search(rf"Silencing (\d+) peers? .*?cuts {asker[1]} off from “blue train”", screen(person))
        assert cut, screen(person)
        await person.press("m")

        # 4: the same peers under Napster: the index alone.
        await person.press("p")
        await person.type("napster")
        await person.press("enter")
        await person.wait(2.0)  # its users log in
        seen = await ask(person, TEXT)
        assert re.search(rf"{asker[1]} asked for “{TEXT}”: \w+ holders? (was|were) found through index", seen), seen
        await person.press("m")
        await person.wait(0.5, slices=2)
        assert re.search(r"Silencing (1 peer|index)\b.*index", screen(person)), screen(person)
        await person.press("m")

        # 5: kill the index, and ask again.
        await person.press("slash")
        await person.type("index")
        await person.press("enter", "x")
        assert re.search(r"Index is dead; through it ask 1 found [\w, ]+\. 64 of 64 peers are alive\.", screen(person))
        seen = await ask(person, TEXT)
        assert f"{asker[1]} asked for “blue train”: no answer" in seen
        assert "index is dead" in seen


def test_the_list_in_the_readme_has_the_keys_that_are_pressed() -> None:
    steps = re.findall(
        r"^\d\. (.*(?:\n   .*)*)", README.split("## Five things to try")[1].split("\n## ")[0], re.MULTILINE
    )
    pressed = [re.findall(r"`([^`]+)`", step) for step in steps]
    assert pressed == [["a", TEXT, "enter"], ["A", "x", "a"], ["m"], ["p", "napster", "enter", "a", "m"],
                       ["/", "index", "enter", "x", "a"]]  # fmt: skip


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.campaign) for seed in (2, 3, 4, 5))])
async def test_on_a_small_terminal_the_panel_hides_neither_the_selected_peer_nor_its_name(seed: int) -> None:
    """Whoever answered and is killed; then, under another network, the former asker."""
    async with dashboard((80, 24), seed=seed, peers=64, latency="world", asks_per_s=0.0) as person:

        def seen(peer: int) -> None:
            inspector, picture = person.main.query_one("#inspector"), person.view.content_region
            label = person.session.swarm.labels[peer]
            rows = [
                "".join(
                    " " if inspector.region.contains(picture.x + col, picture.y + row) else ch
                    for col, ch in enumerate(line)
                )
                for row, line in enumerate(person.view.text.split("\n"))
            ]
            col, row = person.view.cell_of(peer)
            assert rows[row][col] not in " ●", "\n".join(rows)
            # Below the sentence, which names it too.
            assert any(label in line for line in rows[len(person.view._said(person.view.frame, 78)) :]), "\n".join(rows)

        await ask(person, TEXT)
        await person.press("A")
        answerer = person.session.selection.selected
        assert answerer is not None
        await person.wait(0.5)
        seen(answerer)
        await person.press("x")
        await person.wait(3.0)
        seen(answerer)
        await person.press("space")  # while the run is paused, too
        for _ in range(4):
            await person.press("A")
            await person.pilot.pause(0.1)
            assert person.session.selection.selected is not None
            seen(person.session.selection.selected)
        await person.press("space", "p")
        await person.type("napster")
        await person.press("enter")
        await person.wait(2.0)
        await ask(person, TEXT)
        former = person.session.selection.selected
        assert former is not None
        assert former != answerer
        seen(former)
