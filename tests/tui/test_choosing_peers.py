"""Choosing peers by click, box, table or selector, and what can be done to all of them and undone."""

from __future__ import annotations

import numpy as np
import pytest
from person import Person, dashboard
from textual.events import MouseDown, MouseEvent, MouseMove, MouseUp
from textual.widgets import Input

from engine import ALIVE, DEAD, AskFor, Kill, Publish
from tui.widgets.ask_bar import AskBar
from tui.widgets.feed import Feed
from tui.widgets.filter_bar import FilterBar
from tui.widgets.inspector import Inspector
from tui.widgets.menu import Menu
from tui.widgets.panel import TextRows, frame_of
from tui.widgets.peers_table import PeersTable
from tui.widgets.swarm_view import SwarmView

pytestmark = pytest.mark.anyio


def where(person: Person, peer: int) -> tuple[int, int]:
    """The cell of the picture in which a peer is clicked."""
    rows, cols = np.nonzero(person.view._canvas.owner == peer)
    return int(cols[0]) + 1, int(rows[0]) + 1


def alone(person: Person) -> list[int]:
    """Peers that can be clicked: not hidden behind others."""
    return sorted({int(peer) for peer in person.view._canvas.owner.ravel() if peer >= 0})


async def drag(
    person: Person, start: tuple[int, int], end: tuple[int, int], button: int = 1, ctrl: bool = False
) -> None:
    """Press the button at a cell of the picture's content, move to another one, and release it there."""
    view = person.view
    x0, y0 = view.content_region.offset

    def event(kind: type[MouseEvent], at: tuple[int, int], dx: int = 0, dy: int = 0) -> MouseEvent:
        x, y = x0 + at[0], y0 + at[1]
        local = x - view.region.x, y - view.region.y
        return kind(view, *local, dx, dy, button, False, False, ctrl, x, y)

    view.post_message(event(MouseDown, start))
    view.post_message(event(MouseMove, end, end[0] - start[0], end[1] - start[1]))
    view.post_message(event(MouseUp, end))
    await person.pilot.pause()


async def ringed(person: Person) -> None:
    """All peers apart, on a ring, and nothing else to be clicked."""
    person.view.stage.place("ring")
    person.view.names = person.view.legend = False
    person.main.at_once()
    await person.wait(1.0)


async def test_a_box_chooses_whom_it_holds_and_x_kills_and_revives_them() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await ringed(person)
        width, height = person.view.content_size
        await drag(person, (0, 0), (width // 2, height - 1))
        held = person.session.selection.marked
        assert 2 <= len(held) < 24
        assert "marked" in person.main.query_one("#notice").render().plain  # type: ignore[union-attr]
        await person.press("x")
        assert all(person.state(peer) == DEAD for peer in held)
        notice = person.main.query_one("#notice").render().plain  # type: ignore[union-attr]
        assert f"{len(held)} peers killed. x: revive {len(held)} peers" in notice
        await person.press("x")
        assert all(person.state(peer) == ALIVE for peer in held)
        assert person.session.swarm.history[0][1] == Kill(held)


async def test_an_empty_box_chooses_nobody_and_one_with_ctrl_adds() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await ringed(person)
        width, height = person.view.content_size
        await drag(person, (width // 2 - 3, height // 2 - 1), (width // 2 + 3, height // 2 + 1))
        assert person.session.selection.selected is None
        await drag(person, (0, 0), (width // 2 - 1, height - 1))
        left = person.session.selection.marked
        await drag(person, (width // 2, 0), (width - 1, height - 1), ctrl=True)
        assert set(person.session.selection.marked) > set(left)
        assert len(person.session.selection.marked) == 24


async def test_the_right_button_moves_the_picture_and_chooses_nobody() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("plus")
        before = person.view.stage.view
        await drag(person, (5, 5), (15, 8), button=3)
        assert person.view.stage.view != before
        assert not person.session.selection.marked
        assert not person.main.query_one(Menu).is_open


async def test_ctrl_adds_a_peer_and_takes_it_away_and_a_plain_click_begins_anew() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await ringed(person)
        a, b, c = alone(person)[:3]
        await person.pilot.click(SwarmView, offset=where(person, a))
        assert person.session.selection.selected == a
        await person.pilot.click(SwarmView, offset=where(person, b), control=True)
        await person.pilot.click(SwarmView, offset=where(person, c), shift=True)
        assert person.session.selection.marked == (a, b, c)
        await person.pilot.click(SwarmView, offset=where(person, b), control=True)
        assert person.session.selection.marked == (a, c)
        await person.pilot.click(SwarmView, offset=where(person, b))
        assert (person.session.selection.selected, person.session.selection.marked) == (b, ())


async def test_arrows_walk_on_and_a_star_marks() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "asterisk", "right", "asterisk")
        assert len(person.session.selection.marked) == 2
        await person.press("right", "c")
        blocked = np.flatnonzero(person.session.swarm.snapshot().censored)
        assert sorted(person.session.selection.marked) == blocked.tolist()
        await person.press("escape", "escape")
        assert person.session.selection.marked == ()


async def test_a_right_click_opens_the_menu_of_that_peer_and_a_key_in_it_acts() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await ringed(person)
        peer = alone(person)[0]
        await person.pilot.click(SwarmView, offset=where(person, peer), button=3)
        menu = person.main.query_one(Menu)
        assert menu.is_open
        assert person.session.selection.selected == peer
        assert menu.lines[0].says == f"Kill {person.session.swarm.labels[peer]}"
        await person.press("x")
        assert not menu.is_open
        assert person.state(peer) == DEAD
        assert isinstance(person.app.focused, SwarmView)


async def test_a_right_click_on_one_of_the_chosen_means_all_of_them() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await ringed(person)
        some = tuple(alone(person)[:3])
        person.session.selection.mark_peers(some)
        person.main.at_once()
        await person.pilot.click(SwarmView, offset=where(person, some[1]), button=3)
        assert person.session.selection.marked == some
        assert person.main.query_one(Menu).lines[0].says == "Kill 3 peers"


async def test_the_menu_goes_by_keys_and_escape_does_nothing() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("backslash")
        menu = person.main.query_one(Menu)
        assert [line.id for line in menu.lines][:2] == ["ask.here", "panel.options"], "no peer is chosen"
        await person.press("escape", "right", "backslash")
        assert menu.is_open
        assert menu.has_focus_within
        await person.press("down", "down", "escape")
        assert not menu.is_open
        assert not person.session.swarm.history
        assert person.session.selection.selected is not None
        near = set(person.session.swarm.links_of(person.session.selection.selected))
        await person.press("backslash")
        ids = [line.id for line in menu.lines]
        await person.press(*["down"] * ids.index("peer.neighbours"), "enter")
        assert set(person.session.selection.marked or (person.session.selection.selected,)) == near


async def test_a_menu_line_that_is_not_possible_says_why_and_leaves_the_menu_open() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "x", "backslash")
        menu = person.main.query_one(Menu)
        line = next(line for line in menu.lines if line.id == "peer.leave")
        assert "dead" in line.why_not
        await person.press("l")
        assert menu.is_open
        assert "dead" in menu.query_one("#tip", TextRows).text


async def test_several_are_asked_from_and_publish_at_once() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        person.session.selection.mark_peers((3, 4, 5))
        await person.ask("blue")
        assert person.session.swarm.history[-1][1] == AskFor((3, 4, 5), "blue")
        assert {ask.origin for ask in person.session.swarm.asks()} == {3, 4, 5}
        person.main.action_do("peer.publish")
        assert person.main.query_one(AskBar).publishing
        await person.type("zebra song")
        await person.press("enter")
        assert person.session.swarm.history[-1][1] == Publish((3, 4, 5), "zebra song")
        assert all("zebra song" in [file.name for file in person.session.swarm.library(p).files()] for p in (3, 4, 5))


async def test_a_selector_completes_by_tab_and_by_right() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("slash")
        bar = person.main.query_one(FilterBar)
        field = bar.query_one(Input)
        await person.type("sta")
        assert bar.offers == ("state=",)
        await person.press("tab")
        assert field.value == "state="
        assert bar.offers == tuple(person.session.selection.completions("state="))
        assert "state=dead" in bar.offers
        await person.press("down", "tab")
        assert field.value == "state=dead "
        field.value = "ro"
        await person.pilot.pause()
        await person.press("end", "right")
        assert field.value == "role="
        assert person.app.focused is field


async def test_rows_of_the_table_are_filtered_and_chosen_together_with_the_picture() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("7")
        table = person.main.query_one(PeersTable)
        assert not person.main.query_one("#asks").display
        assert [key.text for key in frame_of(table).keys] == ["2 asks"]
        table.focus()
        await person.press("slash")
        await person.type("#3 or #5 or #9")
        await person.press("enter")
        assert table.order.tolist() == [3, 5, 9]
        assert "3 of 24" in str(table.border_title)
        assert person.session.selection.marked == ()
        await person.press("down")
        assert person.session.selection.selected == 3
        await person.press("down", "x")
        assert person.state(5) == DEAD
        await person.press("ctrl+a")
        assert person.session.selection.marked == (3, 5, 9)
        await person.press("escape")
        assert len(table.order) == 24
        assert isinstance(person.app.focused, PeersTable)


async def test_a_panel_is_shown_on_the_whole_screen_and_then_as_before() -> None:
    async with dashboard() as person:
        await person.press("7")
        person.main.query_one(PeersTable).focus()
        await person.press("f")
        table = person.main.query_one(PeersTable)
        assert table.region.size == (120, 33), "all but the status, the timeline and the keys"
        assert not person.view.display
        frames = person.main.frames
        await person.wait(0.5)
        assert person.main.frames > frames
        await person.press("escape")
        assert person.view.display
        assert table.display
        assert isinstance(person.app.focused, (PeersTable, SwarmView))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_every_panel_can_have_the_whole_screen(size: tuple[int, int]) -> None:
    async with dashboard(size) as person:
        await person.press("right")
        for name in ("inspector", "asks", "controls", "charts", "feed", "peers", "kinds"):
            person.main.panels.whole = name
            person.main.make_room()
            await person.wait(0.3)
            assert person.main.panel(name).region.size == (size[0], size[1] - 3), name
            await person.press("escape")
            assert person.view.display, name


async def test_a_digit_leaves_the_whole_screen() -> None:
    async with dashboard() as person:
        await person.press("f")
        assert not person.main.query_one("#feed").display
        await person.press("8")
        assert person.main.query_one("#kinds").display
        assert person.view.display


async def test_the_legend_and_the_names_have_letters() -> None:
    async with dashboard() as person:
        await person.press("k")
        assert not person.view.legend
        await person.press("w")
        assert not person.view.names


async def test_the_controls_are_named_where_a_story_has_their_place() -> None:
    from engine import Scenario, Setup
    from engine.lab.scenario import Caption

    story = Scenario(title="A tale", setup=Setup(peers=24, seed=7), captions=(Caption(0.1, "It begins."),))
    async with dashboard(scenario=story) as person:
        await person.wait(0.3)
        assert [key.text for key in frame_of(person.main.query_one("#story")).keys] == ["3 controls"]
        await person.press("3")
        assert person.main.query_one("#controls").display
        assert [key.text for key in frame_of(person.main.query_one("#controls")).keys] == ["6 story"]
        await person.press("6")
        assert person.main.query_one("#story").display


async def test_the_last_messages_of_a_peer_are_on_a_tab_of_the_inspector() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "a")
        await person.type("blue train")
        await person.press("enter")
        await person.wait(3.0, slices=100)
        await person.press("enter", "right")
        panel = person.main.query_one(Inspector)
        assert panel.tab == "messages"
        long = panel.query_one("#long")
        assert "→ " in long.text  # type: ignore[attr-defined]
        assert "Query" in long.text  # type: ignore[attr-defined]
        await person.press("right")
        assert panel.tab == "files"
        await person.press("right")
        assert "ago" in long.text or "from others" in long.text  # type: ignore[attr-defined]


async def test_the_feed_is_searched_from_its_own_line() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        person.session.do(Kill(3))
        person.session.do(Kill(4))
        await person.wait(0.3)
        feed = person.main.query_one(Feed)
        feed.focus()
        await person.press("slash")
        await person.type("p003")
        await person.press("enter")
        assert feed.row_count() == 1
        await person.press("escape")
        assert feed.row_count() == 2
        assert isinstance(person.app.focused, Feed)


async def test_what_was_copied_is_shown_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("tui.session.reproduce.user_folder", lambda: tmp_path)
    async with dashboard() as person:
        await person.press("right", "x", "y")
        assert str(tmp_path) in person.app.clipboard
        assert person.app.clipboard in person.toasts
