"""Every screen as a picture, at three sizes and without colours: what differs from the last one looked at is shown.

Under `pictures/` there is a text file for each scene and look, and in it one picture after the other: the screen as
characters, and below it the styles, a run of cells at a time with a letter that a legend explains. It was chosen over
SVG and a plugin because a person can read what changed in a diff: an SVG renumbers all its classes when one colour is
new, and hashes its contents into every name. It is also the same on every machine, as no font is in it.

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
from textual.widgets import Input

from engine import Censor, Hold, Kill, Partition, Poison, Scenario, Set, Setup, scenario_files
from tui.app import SwarmApp
from tui.config.settings import Settings
from tui.screens.frame_clock import FrameClock, FramePace
from tui.session.session import Session
from tui.widgets.attacks import Attacks
from tui.widgets.story import Story

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parent / "pictures"
SIZES = {"small": (80, 24), "middle": (120, 36), "large": (200, 50)}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Even(FramePace):
    """Its rate is a figure on the screen, and should not be that of this machine."""

    @property
    def fps(self) -> float:
        return 30.0


class Still(FrameClock):
    """Shows the first frame; each further one is asked for, so that no picture depends on how busy the machine is."""

    def start(self) -> None:
        self._tick()

    def soon(self, what: Callable[[], object]) -> None:
        what()


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
LOOKS: dict[str, tuple[tuple[int, int], dict[str, str]]] = {
    **{name: (size, {}) for name, size in SIZES.items()},
    "no-colour": (SIZES["middle"], {"NO_COLOR": "1"}),
}


async def album(scene: str, look: str) -> str:
    """Live through a scene, and write down each picture of it."""
    make, steps = SCENES[scene]
    size, environment = LOOKS[look]
    with pytest.MonkeyPatch.context() as patch:
        for word, value in environment.items():
            patch.setenv(word, value)
        patch.setattr("tui.screens.main.FramePace", Even)
        patch.setattr("tui.screens.main.FrameClock", Still)
        patch.setattr(Input, "cursor_blink", False)
        app = SwarmApp(make(), settings=Settings(reduced_motion=True))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            person = Person(pilot, app.session.clock)  # type: ignore[arg-type]
            pages, dyes = [], Dyes()
            for name, do, undo in steps:
                await do(person)
                await settled(person)
                pages.append(f"=== {name} ===\n{dyes.page(app)}")
                await undo(person)
            return "\n".join([*pages, dyes.legend])


async def settled(person: Person) -> None:
    """What is laid out after a first paint is painted by then."""
    for _ in range(2):
        if person.app.screen is person.app.screen_stack[0]:
            person.main.at_once()
        await person.pilot.pause()


class Dyes:
    """Letters for styles; and lines of them, each told only where it differs from that of the picture before."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._before: list[str] = []

    def page(self, app: SwarmApp) -> str:
        """The characters of the screen, then the styles of its lines."""
        rows, dyes = [], []
        for strip in app.screen._compositor.render_strips():
            runs: list[tuple[str, int]] = []
            for segment in strip:
                style = self._letter(spelt(segment.style))
                cells = segment.cell_length
                if runs and runs[-1][0] == style:
                    runs[-1] = (style, runs[-1][1] + cells)
                else:
                    runs.append((style, cells))
            rows.append(strip.text.rstrip())
            dyes.append(" ".join(f"{style}*{cells}" for style, cells in runs))
        before, self._before = self._before, dyes
        told = [f"{n:2} {dye}" for n, dye in enumerate(dyes) if n >= len(before) or before[n] != dye]
        return "\n".join([*rows, "", *told]) + "\n"

    def _letter(self, spelling: str) -> str:
        number = len(self.names)
        return self.names.setdefault(spelling, f"{LETTERS[number % 52]}{number // 52 or ''}")

    @property
    def legend(self) -> str:
        """What the letters mean."""
        return (
            "\n".join(["=== styles ===", *(f"{letter} {spelling}" for spelling, letter in self.names.items())]) + "\n"
        )


def spelt(style: Style | None) -> str:
    """A style in words: what can be seen of it."""
    if style is None:
        return "plain"
    ink = style.color.get_truecolor().hex if style.color is not None else "-"
    paper = style.bgcolor.get_truecolor().hex if style.bgcolor is not None else "-"
    words = [word for word in ("bold", "dim", "italic", "underline", "reverse", "strike") if getattr(style, word)]
    return " ".join([ink, "on", paper, *words])


ALBUMS = [(scene, look) for scene in SCENES for look in LOOKS]


@pytest.mark.parametrize(("scene", "look"), ALBUMS)
async def test_screens_look_as_they_did(scene: str, look: str) -> None:
    path = FOLDER / f"{scene}-{look}.txt"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    now = await album(scene, look)
    changed = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="", n=0)
    assert now == before, (
        f"{path.stem} looks different; python tests/tui/test_pictures.py writes it anew\n"
        + "\n".join(list(changed)[:60])
    )


def test_no_picture_is_left_of_what_is_no_more() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {f"{scene}-{look}" for scene, look in ALBUMS}


async def test_the_same_moment_gives_the_same_picture() -> None:
    assert await album("apart", "middle") == await album("apart", "middle")


def write_all(names: list[str]) -> None:
    """Write the pictures, far from the home of whoever does."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({f"XDG_{kind}_HOME": home for kind in ("CONFIG", "STATE", "CACHE", "DATA")}, HOME=home)
        os.environ.pop("NO_COLOR", None)
        os.chdir(home)
        known = {f"{scene}-{look}": (scene, look) for scene, look in ALBUMS}
        for path in FOLDER.glob("*.txt"):
            if path.stem not in known:
                path.unlink()
        for name in names or known:
            (FOLDER / f"{name}.txt").write_text(asyncio.run(album(*known[name])), encoding="utf-8")
            print(name, flush=True)


if __name__ == "__main__":
    write_all(sys.argv[1:])
