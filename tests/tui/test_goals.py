"""A network with several goals: choosing one in the ask bar, in the palette and in the menu; input lines that stay
open."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import pytest
from person import Person, dashboard
from stage import lines_of
from textual.widgets import Input

from engine import BROADCAST, FIND, Ask, AskFor, Host, InputError, Peer, PeerId, Setup, Swarm, message, on, verb
from tui.actions.palette import ActionFinder
from tui.widgets.ask_bar import AskBar
from tui.widgets.filter_bar import FilterBar
from tui.widgets.menu import Menu

pytestmark = pytest.mark.anyio

PUT = replace(BROADCAST, name="put", verb="put", about="Put a value everywhere.", what="KEY=VALUE", examples=("a=1",))
GET = replace(FIND, name="get", verb="look up", about="Look up a key.", what="a key", examples=("a", "colour"))


@message(part="question", about="line")
class Line:
    line: str


@dataclass(slots=True, eq=False)
class Keeper(Peer, name="keepers-of-tests"):
    """Keeps lines; it can be told to be late by some seconds."""

    goals = (PUT, GET, replace(BROADCAST, name="own", asked=False))
    shares_files = False
    late_s: float = 0.0

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == GET:
            host.hit(host.me, ask.text)
        else:
            host.send((host.me + 1) % 24, Line(ask.text))

    @on(Line)
    def hear(self, host: Host, sender: PeerId, message: Line) -> None: ...

    @verb("delay", about="It is late.", values={"by_s": "e.g. 30"})
    def delay(self, host: Host, by_s: float) -> None:
        self.late_s = by_s


def keepers(**changes: object) -> AbstractAsyncContextManager[Person]:
    return dashboard(make=lambda setup: Swarm(setup, Keeper), topology="ring", asks_per_s=0.0, **changes)  # type: ignore[arg-type]


def bar_of(person: Person) -> AskBar:
    return person.main.query_one(AskBar)


def typed(person: Person) -> str:
    return bar_of(person).query_one(Input).value


def asked(person: Person) -> list[tuple[str, str | None]]:
    return [(one.command.text, one.command.goal) for one in person.session.player.commands()
            if isinstance(one.command, AskFor)]  # fmt: skip


async def test_the_goal_is_chosen_in_the_ask_bar_and_kept_for_the_next_ask() -> None:
    async with keepers() as person:
        person.main.pick(3)
        await person.press("a")
        assert "p003 wants to put (^g: look up) ❯" in lines_of(bar_of(person), "#who")
        assert bar_of(person).offers == ("a=1",)
        await person.type("co")
        await person.press("ctrl+g")
        assert typed(person) == "co"
        assert "p003 wants to look up (^g: put) ❯" in lines_of(bar_of(person), "#who")
        assert bar_of(person).offers == ("colour",)
        await person.press("tab", "enter")
        assert asked(person) == [("colour", "get")]
        assert [row.goal for row in person.session.swarm.asks()] == ["get"]
        await person.press("a")
        assert "wants to look up" in lines_of(bar_of(person), "#who")
        await person.press("enter")
        assert asked(person) == [("colour", "get")] * 2
        # Without a chosen ask, the first goal.
        await person.press("escape", "a")
        assert "wants to put" in lines_of(bar_of(person), "#who")
        await person.press("enter")
        assert asked(person)[2:] == [("a=1", None)]
        await person.press("a")
        await person.pilot.click("#who")
        await person.pilot.pause()
        assert "wants to look up" in lines_of(bar_of(person), "#who")
        assert person.main.focused is bar_of(person).query_one(Input)


async def test_one_goal_has_no_chooser() -> None:
    async with dashboard(protocol="gossip") as person:
        await person.press("a")
        before = lines_of(bar_of(person), "#who")
        assert before == "any peer wants to tell ❯ "
        await person.press("ctrl+g")
        assert lines_of(bar_of(person), "#who") == before


async def test_palette_and_menu_have_a_row_for_each_goal() -> None:
    async with keepers() as person:
        person.main.pick(3)
        await person.pilot.pause()
        palette = ActionFinder(person.main)
        rows = {str(hit.text): hit async for hit in palette.search("ask")}
        assert {"Ask: put", "Ask: look up"} <= rows.keys()
        assert "Ask: tell" not in rows
        rows["Ask: look up"].command()
        await person.pilot.pause()
        assert "p003 wants to look up" in lines_of(bar_of(person), "#who")
        await person.press("escape")
        lines = {line.says: line for line in person.main.menu_lines()}
        assert lines["Ask: p003 wants to put …"].key == "ask.here"
        await person.press("backslash")
        person.main.on_menu_chosen(
            person.main.query_one(Menu).Chosen("peers", lines["Ask: p003 wants to look up …"].id)
        )  # type: ignore[attr-defined]
        await person.pilot.pause()
        assert "p003 wants to look up" in lines_of(bar_of(person), "#who")
        texts = {str(hit.text) async for hit in ActionFinder(person.main).search("colour")}
        assert "Ask: look up colour" in texts


async def test_a_line_opens_with_its_own_text_and_stays_open_after_an_error() -> None:
    async with keepers() as person:
        person.main.pick(3)
        await person.press("a")
        await person.type("half")
        person.main.act("delay")
        await person.pilot.pause()
        assert typed(person) == ""
        assert bar_of(person).query_one(Input).placeholder == "e.g. 30"
        await person.type("soon")
        await person.press("enter")
        assert bar_of(person).is_open
        assert typed(person) == "soon"
        assert '"by_s" of "delay" should be a number' in lines_of(bar_of(person), "#offers")
        speed = person.session.player.pacer.speed
        await person.press("backspace", "backspace", "backspace", "backspace", "1", "2", "enter")
        assert person.session.player.pacer.speed == speed
        assert not bar_of(person).is_open
        assert person.session.swarm.peer(3).late_s == 12.0  # type: ignore[union-attr]
        await person.press("a")
        assert typed(person) == "half"


async def test_a_selector_that_is_wrong_leaves_the_line_open() -> None:
    async with keepers() as person:
        await person.press("slash")
        await person.type("degre>2")
        await person.press("enter")
        bar = person.main.query_one(FilterBar)
        assert bar.is_open
        assert "degree" in str(bar.query_one("#filter-told").content)  # type: ignore[attr-defined]
        await person.press(*["backspace"] * 7)
        await person.type("p003")
        await person.press("enter")
        assert not bar.is_open
        assert person.session.selection.selected == 3


async def test_a_line_that_is_shown_has_the_keys() -> None:
    async with keepers() as person:
        await person.press("a")
        await person.press("tab")
        assert typed(person) == "a=1"
        await person.press("tab")
        assert person.main.focused is bar_of(person).query_one(Input)
        # A click on a peer chooses who asks, and typing goes on.
        col, row = person.view.cell_of(5)
        await person.pilot.click("#swarm", offset=(col + 1, row + 1))
        await person.pilot.pause()
        assert person.main.focused is bar_of(person).query_one(Input)
        await person.press("shift+tab")
        await person.pilot.pause()
        assert not bar_of(person).is_open
        await person.press("a")
        assert typed(person) == "a=1"


async def test_texts_that_the_network_no_longer_offers_are_forgotten() -> None:
    async with keepers() as person:
        bar = bar_of(person)
        await person.press("a", "enter", "a")
        await person.type("b=2")
        await person.press("enter", "a")
        assert bar.offers[:2] == ("b=2", "a=1")
        frame = person.main.frame
        assert frame is not None
        bar.show(replace(frame, texts={"put": ("c=3",), "get": ()}))
        assert bar.offers == ("b=2", "c=3")


def test_a_user_cannot_ask_for_a_goal_that_only_the_network_opens() -> None:
    swarm = Swarm(Setup(protocol="x", peers=24, topology="ring", asks_per_s=0.0), Keeper)
    with pytest.raises(InputError, match=r'only keepers-of-tests itself opens .* "own": "put" or "get" is expected'):
        swarm.do(AskFor(0, "x", "own"))
