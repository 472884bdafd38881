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
    """What a picture shows is painted in the order in which a person would see it."""
    controlled_time.paint_at_once(monkeypatch)


FOLDER = Path(__file__).parent / "pictures"
SIZES = {"small": (80, 24), "middle": (120, 36)}
STYLED = "middle"
"""The size whose styles are written down: they are the same in the other."""
LARGE_ONLY = ("themes", "ring", "hops", "belief", "silencing", "letters", "blocks")
"""Pictures that are not taken in the small size: they differ from `asking` in where peers stand or in how they are
drawn, and not in what there is room for. Each of them is taken in the larger size."""


def stopped_at(seconds: float, scenario: Scenario | None = None, **setup: object) -> Session:
    """A swarm with something of everything, at a fixed moment of its run; time stands."""
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
    """A question of the first peer is half way."""
    session.do(Set("asks", 0))
    session.ask_for("blue train", 0)
    session.swarm.advance(session.swarm.now_us + 260_000)
    session.selection.select(17)
    return session


def spreading() -> Session:
    return asking(stopped_at(20))


def opened() -> Session:
    return stopped_at(0.2)


def told() -> Session:
    return stopped_at(32, scenario_files.find("injunction"))


def apart() -> Session:
    """A partition, decoys, and a link that is held; half a question came through."""
    session = stopped_at(12)
    session.do(Partition("city=Lisbon or degree>5"))
    session.do(Poison("#7"))
    session.do(Hold("#9"))
    return asking(session)


Deed = Callable[[Person], Awaitable[None]]


def press(*keys: str) -> Deed:
    async def pressed(person: Person) -> None:
        for key in keys:
            await person.press(key)

    return pressed


async def nothing(person: Person) -> None:
    """As it is."""


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


async def found(person: Person) -> None:
    """The palette, once it has found something."""
    await person.press("ctrl+p")
    person.app.screen.query_one(Input).value = "kill"
    await person.pilot.pause()
    palette = person.app.screen
    while any(worker.node is palette and not worker.is_finished for worker in person.app.workers):
        await person.pilot.pause()


async def foreseen(person: Person) -> None:
    """The attack panel, once it knows whom the marked one would hit."""
    await person.press("9", "down")
    panel = person.main.query_one(Attacks)
    while panel.plan is None:
        await person.pilot.pause()


async def long_ago(person: Person) -> None:
    """Two seconds back; how long it takes to get there is not to be seen."""
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


async def ringed(person: Person) -> None:
    person.main.action_do("view.place_ring")


async def among_friends(person: Person) -> None:
    person.main.action_do("view.place_hops")
    person.main.action_do("view.colour_load")


async def as_before(person: Person) -> None:
    person.main.action_do("view.place_world")
    person.main.action_do("view.colour_state")


async def told_whole(person: Person) -> None:
    person.main.query_one(Story).focus()
    await person.press("f")


async def tiny(person: Person) -> None:
    await person.pilot.resize_terminal(50, 12)


SCENES: dict[str, tuple[Callable[[], Session], tuple[tuple[str, Deed, Deed], ...]]] = {
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
            ("palette", found, press("escape", "escape")),
            ("filter", press("slash", "r", "o"), press("escape")),
            ("attacks", foreseen, press("9")),
            ("peers", press("7"), press("7")),
            ("kinds", press("8"), press("8")),
            ("controls", with_controls, without_wishes),
            ("whole", press("f"), press("f")),
            ("card", press("enter"), nothing),
            ("messages", press("right"), press("left", "escape")),
            ("ring", ringed, nothing),
            ("hops", among_friends, as_before),
            ("diagram", press("d"), nothing),
            ("tree", press("d"), press("d")),
            ("belief", press("v"), press("v")),
            ("silencing", press("m"), press("m")),
            ("compact", dense, dense),
            ("letters", letters, nothing),
            ("blocks", squares, braille),
            ("court", press("h"), nothing),
            ("past", long_ago, nothing),
        ),
    ),
    "story": (told, (("story", nothing, nothing), ("story-whole", told_whole, nothing))),
    "apart": (apart, (("apart", nothing, nothing),)),
}
"""A swarm, and what is done there one after the other: the name of the picture that is taken then, what leads there,
and what leads back. Many pictures share a scene, as opening a dashboard costs more than all of what is done in it."""


async def album(scene: str, size: str, *, styled: bool | None = None, skip: tuple[str, ...] | None = None) -> str:
    """Live through a scene, and write down each picture of it but for those to skip."""
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
    """What is laid out after a first paint is painted by then."""
    for _ in range(2):
        if person.app.screen is person.app.screen_stack[0]:
            person.main.at_once()
        await person.pilot.pause()


def text_of(strips: list[Strip]) -> str:
    """The characters of the screen."""
    return "".join(f"{strip.text.rstrip()}\n" for strip in strips)


class Styles:
    """The styles of the lines of a screen, each told only where it differs from that of the picture before."""

    def __init__(self, app: SwarmApp) -> None:
        self._app = app
        self._before: list[str] = []
        self._roles: dict[str, str] = {}

    def page(self, strips: list[Strip]) -> str:
        """The numbers of lines, and what they look like from left to right: a style and how many cells have it."""
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
        """What can be seen of a style: colour, colour of the background where it is another one, and how it is set."""
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
    """The name of the first role or variable of the present theme that has a colour, by its code."""
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
async def test_screens_look_as_they_did(scene: str, size: str) -> None:
    path = FOLDER / f"{scene}-{size}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    now = await album(scene, size)
    changed = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="", n=0)
    assert now == before, (
        f"{path.stem} looks different; python tests/tui/test_pictures.py writes it anew\n"
        + "\n".join(list(changed)[:60])
    )


def test_no_picture_is_left_of_what_is_no_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {f"{scene}-{size}" for scene, size in ALBUMS}


async def test_without_colours_the_same_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = await album("apart", "small", styled=True)
    monkeypatch.setenv("NO_COLOR", "1")
    grey = await album("apart", "small", styled=True)
    assert grey.splitlines()[:25] == coloured.splitlines()[:25]
    assert {code for code in re.findall(r"#\w{6}", grey) if len({code[1:3], code[3:5], code[5:7]}) > 1} == set()
    assert "alive" not in grey.partition("\n 0 ")[2]


def write_all(names: list[str]) -> None:
    """Write the pictures, far from the home of whoever does."""
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
