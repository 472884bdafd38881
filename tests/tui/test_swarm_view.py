"""The picture as a widget: the pointer, keys, and when it is drawn again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import frames
import numpy as np
import pytest
from scenes import quiet, trace
from stage import Stage
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from engine import DEAD, Commanded, Kill, Refused
from engine.measure.snapshot import Flight
from tui.draw.styles import INK
from tui.widgets.messages import PeerPicked
from tui.widgets.swarm_view import SwarmView, describe

pytestmark = pytest.mark.anyio


class PictureApp(Stage):
    """An app with one picture, which keeps its messages."""

    CSS = "SwarmView { width: 1fr; height: 1fr; }"

    def __init__(self, view: SwarmView) -> None:
        super().__init__(view)
        self.view = view


@asynccontextmanager
async def gallery(
    size: tuple[int, int] = (80, 24), **kw: Any
) -> AsyncIterator[tuple[SwarmView, Pilot[None], PictureApp]]:
    app = PictureApp(SwarmView(**kw))
    async with app.run_test(size=size) as pilot:
        app.view.stage.place("ring")
        yield app.view, pilot, app


async def test_peers_are_shown_with_their_legend() -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame())
        await pilot.pause()
        assert view.text.count("●") >= 40
        assert "alive" in view.text
        assert "swarm · ring" in str(view.border_title)


async def test_for_an_audience_the_title_says_how_many_peers_are_named() -> None:
    async with gallery(size=(60, 16)) as (view, pilot, _):
        for everyone, small in ((True, True), (True, False), (False, True)):
            view.all_names = everyone
            await pilot.resize_terminal(*((60, 16) if small else (200, 60)))
            view.show(frames.frame())
            await pilot.pause(0.1)
            view.show(frames.frame(wall_s=frames.frame().wall_s + 9.0))
            await pilot.pause()
            named = sum(label in view.text for label in frames.frame().snapshot.fixed.labels)
            told = f"{named} of 64 named" if everyone and small else ""
            assert told in str(view.border_title)
            assert bool(told) == ("named" in str(view.border_title)), view.text


async def test_a_click_selects_the_peer_there_and_one_beside_peers_none() -> None:
    async with gallery() as (view, pilot, app):
        view.show(frames.frame())
        await pilot.pause()
        rows, cols = np.nonzero(view._canvas.owner == 9)
        await pilot.click(SwarmView, offset=(int(cols[0]) + 1, int(rows[0]) + 1))
        await pilot.click(SwarmView, offset=(40, 10))
        assert [event.peer for event in app.said if isinstance(event, PeerPicked)] == [9, None]


async def test_hovering_tells_who_it_is() -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame())
        await pilot.pause()
        rows, cols = np.nonzero(view._canvas.owner == 9)
        await pilot.hover(SwarmView, offset=(int(cols[0]) + 1, int(rows[0]) + 1))
        assert view.hover == 9
        assert "p009" in str(view.tooltip)


async def test_an_arrow_goes_to_the_nearest_peer_that_way() -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame(selected=0))  # at the top of the ring
        await pilot.pause()
        assert view.toward("right") == 1
        assert view.toward("up") is None


async def test_zooming_shows_fewer_peers_and_moving_shows_others() -> None:
    async with gallery() as (view, pilot, _):
        view.legend = False
        view.show(frames.frame(selected=0))
        await pilot.pause()
        all_of_them = view.text.count("●")
        view.zoom(1)
        view.zoom(1)
        close = view.text
        assert 0 < close.count("●") < all_of_them
        view.pan("down")
        assert view.text != close
        view.zoom(0)
        assert view.text.count("●") == all_of_them


async def test_the_wheel_zooms_where_the_pointer_is() -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame())
        await pilot.pause()
        await pilot._post_mouse_events([MouseScrollUp], SwarmView, offset=(5, 5))
        assert view.stage.view.zoom > 1
        assert view.stage.view.cx < 0.5


async def test_the_ground_is_drawn_once_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame())
        await pilot.pause()
        drawn: list[int] = []
        monkeypatch.setattr("tui.widgets.swarm_view.base", lambda canvas, scene: drawn.append(1))
        first = view.frame
        assert first is not None
        same = replace(frames.snapshot(), fixed=first.snapshot.fixed)
        for _ in range(5):
            view.show(frames.frame(snap=same))
        assert not drawn
        view.show(frames.frame(snap=same, selected=3))
        assert len(drawn) == 1


async def test_a_picture_that_would_look_the_same_is_not_drawn_again() -> None:
    """No message is under way, and nothing of an ask is new. A change of anything that the picture depends on draws
    it."""
    async with gallery() as (view, _pilot, _):
        calm = frames.snapshot()
        ends, now = np.array([[1], [2]], np.int32), np.array([calm.now_us])
        moving = replace(calm, flight=Flight(*ends, now - 1000, now + 1000, np.zeros(1, np.uint8), ends[0], 1))
        for _ in range(5):
            view.show(frames.frame(snap=calm))
        drawn = view.drawn
        view.show(frames.frame(snap=replace(calm, now_us=calm.now_us + 1)))
        assert view.drawn == drawn
        dead = calm.state.copy()
        dead[5] = DEAD
        for changed in (
            frames.frame(snap=calm, selected=3),
            frames.frame(snap=calm, marked=(3, 4)),
            frames.frame(snap=moving),
            frames.frame(snap=moving),
            frames.frame(snap=replace(calm, state=dead)),
        ):
            before = view.drawn
            view.show(changed)
            assert view.drawn == before + 1


async def test_actions_and_refusals_are_drawn_for_a_while() -> None:
    async with gallery() as (view, pilot, _):
        killed = Commanded(1, 0, Kill(9), (9,), "person")
        view.show(frames.frame(events=(killed, Refused(2, 0, 4, 9, "Query", 0))))
        await pilot.pause()
        assert view.moving
        assert INK["echo"] in view._canvas.ink
        same = view.frame
        assert same is not None
        view.show(frames.frame(snap=same.snapshot, wall_s=13.0))
        assert not view.moving
        assert INK["echo"] not in view._canvas.ink


async def test_an_empty_picture_has_a_sentence() -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame(snap=frames.snapshot(state=np.ones(frames.N, np.uint8))))
        await pilot.pause()
        assert "No peer is alive" in view.text
        view.show(frames.frame(snap=frames.snapshot(asks=(), asks_total=0)))
        assert "No ask yet: press a" in view.text
        view.show(frames.frame(alarm="peer #3 failed"))
        assert "peer #3 failed" in view.text


async def test_ascii_is_only_ascii() -> None:
    async with gallery(glyphs="ascii") as (view, pilot, _):
        view.show(frames.frame(trace=trace(), ask=12, selected=3))
        await pilot.pause()
        assert view.text.isascii()


async def test_ten_thousand_peers_are_a_picture_too() -> None:
    async with gallery() as (view, pilot, _):
        view.show(frames.frame(snap=quiet(10_000), trace=trace(10_000), selected=7))
        await pilot.pause()
        assert len(view.text.splitlines()) == 22
        assert "◈" in view.text


def test_a_tooltip_says_how_the_ask_came() -> None:
    told = describe(frames.frame(trace=trace(), ask=12), 3)
    assert told.splitlines() == ["p003 · Lisbon", "servent, alive, 23 files", "asked at hop 2, by p001"]
