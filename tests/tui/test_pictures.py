"""Every screen as a picture, at two sizes: what differs from the last one looked at is shown.

Under `pictures/` there is a text file for each scene and size, and in it one picture after the other: the screen as
characters, and in the larger size the styles below it, a run of cells at a time. A colour is called what its role in
the theme is called, so that a new one renames no other. It was chosen over SVG and a plugin because a person can read
what changed in a diff, and it is the same on every machine, as no font is in it.

    python tests/tui/test_pictures.py          writes all of them anew; then look at the difference, and commit it
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import functools
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import controlled_time
import pytest
from person import Clock, Person
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color, ColorParseError
from textual.strip import Strip
from textual.widgets import Input

from engine import Censor, Hold, Kill, Partition, Poison, Scenario, Set, Setup, scenario_files
from tui.app import SwarmApp
from tui.config.settings import Settings
from tui.config.themes import FIELDS, ROLE_NAMES
from tui.session.session import Session
from tui.widgets.attacks import Attacks
from tui.widgets.story import Story

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def painted_at_once(time_is_controlled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paint each change at once, so that the picture is painted in the same order as in the program."""
    controlled_time.paint_at_once(monkeypatch)


FOLDER = Path(__file__).parent / "pictures"
SIZES = {"small": (80, 24), "middle": (120, 36)}
STYLED = "middle"
"""The size whose styles are written too; they would be the same in the other one."""
LARGE_ONLY = ("themes", "ring", "hops", "belief", "silencing", "letters", "blocks")
"""Pictures that are not taken in the small size: they differ from `asking` in where peers stand or in how they are
drawn, and not in what there is room for. Each of them is taken in the larger size."""


def stopped_at(seconds: float, scenario: Scenario | None = None, **setup: object) -> Session:
    """A paused session at a fixed moment; without a scenario, some peers are dead and one is censored."""
    plan = scenario or Scenario(setup=Setup(**{"seed": 7, "asks_per_s": 0.4} | setup))  # type: ignore[arg-type]
    session = Session(plan, clock=Clock())
    session.player.pacer.pause()
    if scenario is None:
        session.swarm.advance(round(seconds / 2 * 1e6))
        session.do(Kill("#20 or #52"))
        session.do(Censor("#31"))
    session.swarm.advance(round(seconds * 1e6))
    return session


def asking(session: Session) -> Session:
    """Let the first peer ask, and go on until its question has spread half way."""
    session.do(Set("asks", 0))
    session.ask_for("blue train", 0)
    session.swarm.advance(session.swarm.now_us + 260_000)
    session.selection.select(17)
    return session


def spreading() -> Session:
    return asking(stopped_at(20))


def opened() -> Session:
    return stopped_at(0.2)


def story() -> Session:
    return stopped_at(32, scenario_files.find("injunction"))


def apart() -> Session:
    """A partition, decoys, and a link that is held; half a question came through."""
    session = stopped_at(12)
    session.do(Partition("city=Lisbon or degree>5"))
    session.do(Poison("#7"))
    session.do(Hold("#9"))
    return asking(session)


Step = Callable[[Person], Awaitable[None]]


def press(*keys: str) -> Step:
    async def pressed(person: Person) -> None:
        for key in keys:
            await person.press(key)

    return pressed


async def nothing(person: Person) -> None:
    """Leave the screen as it is."""


async def touring(person: Person) -> None:
    person.main.begin_tour()


async def dense(person: Person) -> None:
    person.main.action_do("app.density")


async def letters(person: Person) -> None:
    person.main.action_do("app.glyphs_ascii")


async def squares(person: Person) -> None:
    person.main.action_do("app.glyphs_block")


async def braille(person: Person) -> None:
    person.main.action_do("app.glyphs_braille")


async def search_palette(person: Person) -> None:
    """Open the palette, search, and wait for the results."""
    await person.press("ctrl+p")
    person.app.screen.query_one(Input).value = "kill"
    await person.pilot.pause()
    palette = person.app.screen
    while any(worker.node is palette and not worker.is_finished for worker in person.app.workers):
        await person.pilot.pause()


async def preview_attack(person: Person) -> None:
    """Open the attack panel, and wait for the preview of the marked attack."""
    await person.press("9", "down")
    panel = person.main.query_one(Attacks)
    while panel.plan is None:
        await person.pilot.pause()


async def go_back(person: Person) -> None:
    """Go back two seconds, and wait for the end of the seek."""
    for _ in range(2):
        await person.press("pageup")
        person.session.player.finish_seek()
        person.main.at_once()


async def with_controls(person: Person) -> None:
    if not person.main.query_one("#controls").region:
        await person.press("3")


async def without_wishes(person: Person) -> None:
    person.main.panels.wishes.clear()
    person.main.make_room()


async def place_on_ring(person: Person) -> None:
    person.main.action_do("view.place_ring")


async def place_by_hops(person: Person) -> None:
    person.main.action_do("view.place_hops")
    person.main.action_do("view.colour_load")


async def place_on_map(person: Person) -> None:
    person.main.action_do("view.place_world")
    person.main.action_do("view.colour_state")


async def enlarge_story(person: Person) -> None:
    person.main.query_one(Story).focus()
    await person.press("f")


async def tiny(person: Person) -> None:
    await person.pilot.resize_terminal(50, 12)


SCENES: dict[str, tuple[Callable[[], Session], tuple[tuple[str, Step, Step], ...]]] = {
    "opened": (
        opened,
        (
            ("opened", nothing, nothing),
            ("help", press("question_mark"), press("escape")),
            ("networks", press("p"), nothing),
            ("scenarios", press("tab"), press("escape")),
            ("layouts", press("G"), press("escape")),
            ("colourings", press("B"), press("escape")),
            ("ask-bar", press("a"), press("escape")),
            ("tour", touring, press("escape")),
            ("too-small", tiny, nothing),
        ),
    ),
    "asking": (
        spreading,
        (
            ("asking", nothing, nothing),
            ("menu", press("backslash"), press("escape")),
            ("jump", press("j"), press("escape")),
            ("themes", press("t", "down"), press("escape")),
            ("palette", search_palette, press("escape", "escape")),
            ("filter", press("slash", "r", "o"), press("escape")),
            ("attacks", preview_attack, press("9")),
            ("peers", press("7"), press("7")),
            ("kinds", press("8"), press("8")),
            ("controls", with_controls, without_wishes),
            ("whole", press("f"), press("f")),
            ("card", press("enter"), nothing),
            ("messages", press("right"), press("left", "escape")),
            ("ring", place_on_ring, nothing),
            ("hops", place_by_hops, place_on_map),
            ("diagram", press("d"), nothing),
            ("tree", press("d"), press("d")),
            ("belief", press("v"), press("v")),
            ("silencing", press("m"), press("m")),
            ("compact", dense, dense),
            ("letters", letters, nothing),
            ("blocks", squares, braille),
            ("court", press("h"), nothing),
            ("past", go_back, nothing),
        ),
    ),
    "story": (story, (("story", nothing, nothing), ("story-whole", enlarge_story, nothing))),
    "apart": (apart, (("apart", nothing, nothing),)),
}
"""Scene -> its swarm, and its pictures in order: the name, the step before the picture, and the step after it. Many
pictures share a scene, since to open a dashboard takes longer than all steps in it."""


async def album(scene: str, size: str, *, styled: bool | None = None, skip: tuple[str, ...] | None = None) -> str:
    """The text of all pictures of a scene, without those to skip."""
    skip = skip if skip is not None else LARGE_ONLY if size == "small" else ()
    make, steps = SCENES[scene]
    with pytest.MonkeyPatch.context() as patch:
        controlled_time.control(patch)
        patch.setattr(Input, "cursor_blink", False)
        app = SwarmApp(make(), settings=Settings(reduced_motion=True))
        async with app.run_test(size=SIZES[size]) as pilot:
            await pilot.pause()
            person = Person(pilot, app.session.clock)  # type: ignore[arg-type]
            pages, styles = [], Styles(app)
            for name, do, undo in steps:
                if name in skip:
                    continue
                await do(person)
                await settled(person)
                strips = app.screen._compositor.render_strips()
                pages.append(f"=== {name} ===\n{text_of(strips)}")
                if styled if styled is not None else size == STYLED:
                    pages.append(styles.page(strips))
                await undo(person)
            return "\n".join(pages)


async def settled(person: Person) -> None:
    """Wait until what is laid out after a first paint is painted too."""
    for _ in range(2):
        if person.app.screen is person.app.screen_stack[0]:
            person.main.at_once()
        await person.pilot.pause()


def text_of(strips: list[Strip]) -> str:
    """The characters of the screen."""
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


class Styles:
    """The styles of the lines of a screen, each written only where it differs from that of the picture before."""

    def __init__(self, app: SwarmApp) -> None:
        self._app = app
        self._before: list[str] = []
        self._roles: dict[str, str] = {}

    def page(self, strips: list[Strip]) -> str:
        """For each line whose styles differ from before: its number, and each style with its number of cells."""
        lines, self._roles = [], roles_of(self._app)
        for strip in strips:
            runs: list[tuple[str, int]] = []
            for segment in strip:
                style, cells = self.spelt(segment.style), segment.cell_length
                if runs and runs[-1][0] == style:
                    runs[-1] = (style, runs[-1][1] + cells)
                else:
                    runs.append((style, cells))
            lines.append(" ".join(f"{style}*{cells}" for style, cells in runs))
        before, self._before = self._before, lines
        return "".join(f"{n:2} {line}\n" for n, line in enumerate(lines) if n >= len(before) or before[n] != line)

    def spelt(self, style: Style | None) -> str:
        """A style as text: the colour, the background if it is not the usual one, and bold, italic and so on."""
        if style is None:
            return "plain"
        ink, paper = self._role(style.color), self._role(style.bgcolor)
        words = [word for word in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, word)]
        return "+".join([ink if paper == "background" else f"{ink}/{paper}", *words])

    def _role(self, color: RichColor | None) -> str:
        if color is None:
            return "-"
        code = color.get_truecolor().hex.lower()
        return self._roles.get(code, code)


def roles_of(app: SwarmApp) -> dict[str, str]:
    """Colour code -> the name of the first role or variable of the present theme that has this colour."""
    return _roles_of(tuple(app.theme_variables.items()))


@functools.cache
def _roles_of(theme_variables: tuple[tuple[str, str], ...]) -> dict[str, str]:
    variables, names = dict(theme_variables), {}
    for name in (*FIELDS, *(f"swarm-{name}" for name in ROLE_NAMES), *variables):
        with contextlib.suppress(KeyError, ColorParseError):
            names.setdefault(Color.parse(variables[name]).hex6.lower(), name.removeprefix("swarm-"))
    return names


ALBUMS = [(scene, size) for scene in SCENES for size in SIZES]


@pytest.mark.parametrize(("scene", "size"), ALBUMS)
async def test_screens_look_as_in_their_pictures(scene: str, size: str) -> None:
    path = FOLDER / f"{scene}-{size}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    now = await album(scene, size)
    changed = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="", n=0)
    assert now == before, (
        f"{path.stem} looks different; python tests/tui/test_pictures.py writes it anew\n"
        + "\n".join(list(changed)[:60])
    )


def test_each_picture_file_belongs_to_a_scene() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {f"{scene}-{size}" for scene, size in ALBUMS}


async def test_without_colours_the_characters_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = await album("apart", "small", styled=True)
    monkeypatch.setenv("NO_COLOR", "1")
    grey = await album("apart", "small", styled=True)
    assert grey.splitlines()[:25] == coloured.splitlines()[:25]
    assert {code for code in re.findall(r"#\w{6}", grey) if len({code[1:3], code[3:5], code[5:7]}) > 1} == set()
    assert "alive" not in grey.partition("\n 0 ")[2]


def write_all(names: list[str]) -> None:
    """Write the pictures, with an empty home folder."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"XDG_{kind}_HOME": home for kind in ("CONFIG", "STATE", "CACHE", "DATA")}, HOME=home)
        os.environ.pop("NO_COLOR", None)
        os.chdir(home)
        known = {f"{scene}-{size}": (scene, size) for scene, size in ALBUMS}
        for path in FOLDER.glob("*.txt"):
            if path.stem not in known:
                path.unlink()
        for name in names or known:
            (FOLDER / f"{name}.txt").write_text(asyncio.run(album(*known[name])), encoding="utf-8")
            print(name, flush=True)


if __name__ == "__main__":
    write_all(sys.argv[1:])
