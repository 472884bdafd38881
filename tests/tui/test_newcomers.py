"""A swarm that grows, on the screen: peers and events are kept, and newcomers are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from frames import snapshot
from person import dashboard

from engine import Arrive, Arrived, AskFor, Depart, Kill, Snapshot
from tui.draw.stage import Stage
from tui.widgets.asks_table import AsksTable
from tui.widgets.feed import Feed, sentence_of


def grown(before: Snapshot, count: int) -> Snapshot:
    """The same swarm with so many more peers after the others."""
    n = len(before.state) + count
    after, fixed = snapshot(n), before.fixed
    longer = replace(
        after.fixed,
        labels=tuple(f"p{i:03d}" for i in range(n)),
        infrastructure=np.concatenate([fixed.infrastructure, np.zeros(count, np.bool_)]),
        begun_with=fixed.begun_with,
        run=fixed.run,
    )
    return replace(after, fixed=longer)


@pytest.mark.anyio
async def test_newcomers_are_drawn_and_events_are_kept() -> None:
    async with dashboard(peers=20, asks_per_s=0.0) as person:
        session = person.session
        await person.press("right")
        chosen = session.selection.selected
        session.swarm.do(AskFor("p003", "no such thing"))
        await person.wait(1.0)
        feed, table = person.main.query_one(Feed), person.main.query_one(AsksTable)
        rows, asks = feed.row_count(), table.row_count()
        assert rows
        session.do(Arrive(15))
        session.do(Arrive(30, over_s=3.0))
        for _ in range(8):
            await person.wait(0.5)
        assert len(session.swarm.snapshot().state) == 65
        assert len(person.view.stage.dots(person.clock.now)[0]) == 65
        assert session.selection.selected == chosen
        assert feed.row_count() > rows, "the feed goes on"
        assert table.row_count() == asks
        for _ in range(3):
            await person.press("g")
            await person.wait(0.5)
        await person.press("escape")
        session.selection.select(64)
        await person.press("enter")
        await person.wait(0.5)
        session.do(Kill("newcomers"))
        session.do(Depart("random 50%", over_s=2.0))
        for _ in range(4):
            await person.wait(0.8)
        assert session.selection.selected == 64


def test_peers_make_room_for_newcomers_and_none_jumps() -> None:
    before = snapshot(60)
    stage = Stage("ring")
    stage.resize(160, 80, 1.0)
    stage.follow(before, 0, 0.0)
    old = np.array(stage.dots(0.0))
    after = grown(before, 5)
    stage.follow(after, 0, 10.0)
    now = np.array(stage.dots(10.0))
    assert np.allclose(now[:, :60], old), "a glide begins where they stood"
    later = np.array(stage.dots(20.0))
    assert not np.allclose(later[:, 1:60], old[:, 1:])
    assert not np.allclose(later[:, 60:], now[:, 60:]), "newcomers come in from the edge"
    fresh = Stage("ring")
    fresh.resize(160, 80, 1.0)
    fresh.follow(after, 0, 0.0)
    assert np.allclose(later, np.array(fresh.dots(20.0)))


def test_peers_of_another_swarm_do_not_glide_in() -> None:
    stage = Stage("ring")
    stage.resize(160, 80, 1.0)
    stage.follow(snapshot(60), 0, 0.0)
    other = snapshot(65)
    stage.follow(replace(other, fixed=replace(other.fixed, run=type(other.fixed.run)())), 0, 10.0)
    assert not stage.moving(10.1)


def test_arrivals_are_events_in_words() -> None:
    labels = ("p000", "p001")
    assert sentence_of(Arrived(1, 0, 1, ""), labels)[0] == "p001 is new here"
    assert sentence_of(Arrived(1, 0, 1, "mallory"), labels)[0] == "p001 is new here, run by mallory"
