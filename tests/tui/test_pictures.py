"""Every screen as a picture, at three sizes and without colours: what differs from the last one looked at is shown.

A picture is a text file under `pictures/`: the screen as characters, and below it the styles, a run of cells
at a time with a letter that a legend explains. It was chosen over SVG and a plugin because a person can read what
changed in a diff: an SVG renumbers all its classes when one colour is new, and hashes its contents into every name.
It is also the same on every machine, as no font is in it.

    python tests/tui/test_pictures.py          writes all of them anew; then look at the difference, and commit it
"""

from __future__ import annotations

import asyncio
import difflib
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from person import Clock, Person
from rich.style import Style

from engine import Censor, Kill, Scenario, Set, Setup, scenario_files
from tui.app import SwarmApp
from tui.draw.glyphs import Mode
from tui.driver import Driver
from tui.screens.pace import FramePace
from tui.settings import Settings

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parent / "pictures"
SIZES = {"small": (80, 24), "middle": (120, 36), "large": (200, 50)}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Even(FramePace):
    """Its rate is a figure on the screen, and should not be that of this machine."""

    @property
    def fps(self) -> float:
        return 30.0


def stopped_at(seconds: float, scenario: Scenario | None = None, **setup: object) -> Driver:
    """A swarm with something of everything, at a fixed moment of its run; time stands."""
    plan = scenario or Scenario(setup=Setup(**{"seed": 7, "asks_per_s": 0.4} | setup))  # type: ignore[arg-type]
    driver = Driver(plan, clock=Clock())
    driver.live.pause()
    if scenario is None:
        driver.swarm.advance(round(seconds / 2 * 1e6))
        driver.do(Kill("#20 or #52"))
        driver.do(Censor("#31"))
    driver.swarm.advance(round(seconds * 1e6))
    return driver


def asking(driver: Driver) -> Driver:
    """A question of the first peer is half way."""
    driver.do(Set("asks", 0))
    driver.ask_for("blue train", 0)
    driver.swarm.advance(driver.swarm.now_us + 260_000)
    driver.select(17)
    return driver


async def nothing(person: Person) -> None:
    """As it opens."""


def press(*keys: str) -> Callable[[Person], Awaitable[None]]:
    async def pressed(person: Person) -> None:
        await person.press(*keys)

    return pressed


async def touring(person: Person) -> None:
    person.main.begin_tour()


async def dense(person: Person) -> None:
    person.main.switch_density()


def spreading() -> Driver:
    return asking(stopped_at(20))


def opened() -> Driver:
    return stopped_at(0.2)


def told() -> Driver:
    return stopped_at(32, scenario_files.find("injunction"))


Story = tuple[str, Callable[[], Driver], Callable[[Person], Awaitable[None]], str, "dict[str, object]"]
STORIES: tuple[Story, ...] = (
    *((f"asking-{size}", spreading, nothing, size, {}) for size in SIZES),
    *((f"help-{size}", opened, press("question_mark"), size, {}) for size in SIZES),
    *((f"networks-{size}", opened, press("p"), size, {}) for size in SIZES),
    *((f"story-{size}", told, nothing, size, {}) for size in SIZES),
    ("opened-middle", opened, nothing, "middle", {}),
    ("asking-no-colour", spreading, nothing, "middle", {"NO_COLOR": "1"}),
    ("help-no-colour", opened, press("question_mark"), "middle", {"NO_COLOR": "1"}),
    ("asking-letters", spreading, nothing, "small", {"glyphs": "ascii"}),
    ("asking-compact", spreading, dense, "middle", {}),
    ("scenarios-middle", opened, press("p", "tab"), "middle", {}),
    ("jump-middle", spreading, press("j"), "middle", {}),
    ("themes-middle", spreading, press("t", "down"), "middle", {}),
    ("tour-middle", opened, touring, "middle", {}),
    ("too-small", opened, nothing, "tiny", {}),
)


async def picture(name: str) -> str:
    """Open the screen of a story and write it down."""
    _, make, do, size, how = next(story for story in STORIES if story[0] == name)
    glyphs: Mode = "ascii" if how.get("glyphs") else "braille"
    with pytest.MonkeyPatch.context() as patch:
        for word, value in how.items():
            patch.setenv(word, str(value))
        patch.setattr("tui.screens.main.FramePace", Even)
        app = SwarmApp(make(), settings=Settings(reduced_motion=True), glyphs=glyphs)
        async with app.run_test(size=SIZES.get(size, (50, 12))) as pilot:
            await pilot.pause()
            person = Person(pilot, app.driver._clock)  # type: ignore[arg-type]
            person.main.at_once()
            await pilot.pause()
            await do(person)
            for _ in range(4):  # what is laid out after a first paint is painted by then
                await pilot.pause()
                if app.screen is person.app.screen_stack[0]:
                    person.main.at_once()
            await pilot.pause()
            return written(app)


def written(app: SwarmApp) -> str:
    """The characters of the screen, then its styles."""
    names: dict[str, str] = {}
    rows, dyes = [], []
    for strip in app.screen._compositor.render_strips():
        runs: list[tuple[str, int]] = []
        for segment in strip:
            style = names.setdefault(spelt(segment.style), f"{LETTERS[len(names) % 52]}{len(names) // 52 or ''}")
            cells = segment.cell_length
            if runs and runs[-1][0] == style:
                runs[-1] = (style, runs[-1][1] + cells)
            else:
                runs.append((style, cells))
        rows.append(strip.text.rstrip())
        dyes.append(" ".join(f"{style}*{cells}" for style, cells in runs))
    legend = [f"{letter} {spelling}" for spelling, letter in names.items()]
    return "\n".join([*rows, "", *(f"{n:2} {dye}" for n, dye in enumerate(dyes)), "", *legend]) + "\n"


def spelt(style: Style | None) -> str:
    """A style in words: what can be seen of it."""
    if style is None:
        return "plain"
    ink = style.color.get_truecolor().hex if style.color is not None else "-"
    paper = style.bgcolor.get_truecolor().hex if style.bgcolor is not None else "-"
    words = [word for word in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, word)]
    return " ".join([ink, "on", paper, *words])


@pytest.mark.parametrize("name", [story[0] for story in STORIES])
async def test_a_screen_looks_as_it_did(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    now = await picture(name)
    changed = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="", n=0)
    assert now == before, f"{name} looks different; python tests/tui/test_pictures.py writes it anew\n" + "\n".join(
        list(changed)[:60]
    )


def test_no_picture_is_left_of_what_is_no_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {story[0] for story in STORIES}


async def test_the_same_moment_gives_the_same_picture() -> None:
    assert await picture("asking-middle") == await picture("asking-middle")


def write_all(names: list[str]) -> None:
    """Write the pictures, far from the home of whoever does."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"XDG_{kind}_HOME": home for kind in ("CONFIG", "STATE", "CACHE", "DATA")}, HOME=home)
        os.environ.pop("NO_COLOR", None)
        os.chdir(home)
        for path in FOLDER.glob("*.txt"):
            if path.stem not in {story[0] for story in STORIES}:
                path.unlink()
        for name in names or [story[0] for story in STORIES]:
            (FOLDER / f"{name}.txt").write_text(asyncio.run(picture(name)), encoding="utf-8")
            print(name, flush=True)


if __name__ == "__main__":
    write_all(sys.argv[1:])
