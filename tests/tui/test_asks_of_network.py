"""Asks that the network opens by itself, filters by goal, and how much of an ask is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import frames
import pytest
from person import dashboard
from stage import Stage, painted

from engine import FIND, Ask, AskFor, AskIssued, Closed, Goal, Host, Peer, PeerId, Setup, Swarm, message, on
from tui.session.ask_filter import ALL, GOAL, AskFilter, filters_of, shown_asks
from tui.widgets.asks_table import AsksTable, account_rows, progress_bar, progress_figure, progress_in
from tui.widgets.feed import Feed

BLOCK = Goal("block", "mine", "A block that everyone should have.", audience="everyone")


@message(part="question")
class Block:
    """The newest."""


@dataclass(slots=True)
class Mine:
    """Time to find a block."""


class Miner(Peer, name="miners-of-tests"):
    """Opens an ask five times a second."""

    goals = (FIND, BLOCK)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        if host.me == 0:
            host.every(200_000, Mine())

    @on(Mine)
    def mine(self, host: Host, tick: Mine) -> None:
        host.send(1, Block(), cause=host.begin("a block", BLOCK))

    def ask(self, host: Host, ask: Ask) -> None:
        """Does nothing: a user finds nothing here."""

    @on(Block)
    def block(self, host: Host, sender: PeerId, message: Block) -> None:
        """Keeps it."""


def test_asks_of_users_are_not_displaced_by_those_of_the_network() -> None:
    swarm = Swarm(Setup(protocol="x", peers=6, topology="ring", asks_per_s=0.0), Miner)
    swarm.do(AskFor(2, "blue train"))
    for _ in range(5):
        swarm.advance(swarm.now_us + 12_000_000)
        snapshot = swarm.snapshot()
    assert swarm.asks_total > 280
    assert snapshot.asks[0].text == "blue train"
    assert snapshot.asks[0].by == "person"
    assert len(snapshot.asks) == 201
    assert [row.id for row in snapshot.asks] == sorted(row.id for row in snapshot.asks)
    assert [row.text for row in shown_asks(snapshot, AskFilter())] == ["blue train"]
    assert filters_of(snapshot) == [AskFilter(), AskFilter(GOAL, "find"), AskFilter(GOAL, "block"), AskFilter(ALL)]


@pytest.mark.anyio
async def test_a_key_shows_the_asks_that_the_network_opens_and_those_of_one_goal() -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Miner), topology="ring", asks_per_s=0.0) as person:
        table = person.main.query_one(AsksTable)
        person.session.swarm.advance(1_000_000)
        person.main.at_once()
        assert "opened by the network itself: F shows them" in "\n".join(painted(table)).replace("\n", " ")
        person.session.do(AskFor(2, "blue train"))
        person.session.swarm.advance(2_000_000)
        person.main.at_once()
        assert len(table.keys) == 1
        mine = person.session.selection.ask
        assert mine is not None
        assert person.session.swarm.record(mine).text == "blue train"
        assert "of users · 1 of" in str(table.border_title)
        seen = [len(table.keys)]
        for _ in range(3):
            await person.press("F")
            seen.append(len(table.keys))
        total = person.session.swarm.asks_total
        assert seen == [1, 1, total - 1, total]
        assert "all" in str(table.border_title)
        await person.press("F")
        assert len(table.keys) == 1
        action = person.main.table["ask.filter"]
        assert "goal “find”" in action.words(person.main.context).says


@pytest.mark.anyio
async def test_a_table_without_rows_counts_the_asks_that_it_does_not_show() -> None:
    table, run = AsksTable(), frames.snapshot(asks=())
    async with Stage(table).run_test(size=(120, 12)) as pilot:
        for count, told in ((0, "No ask yet"), (1, "1 other ask of"), (4, "4 other asks of")):
            rows = tuple(frames.ask_row(number, by="network", goal="block") for number in range(1, count + 1))
            table.show(frames.frame(snap=replace(run, asks=rows)))
            await pilot.pause()
            shown = [line.text for line in pilot.app.screen._compositor.render_strips()]
            assert told in "\n".join(shown)


@pytest.mark.anyio
async def test_the_feed_keeps_asks_of_the_network_apart() -> None:
    feed, table = Feed(), AsksTable()
    rows = (frames.ask_row(1, by="network", goal="block"), frames.ask_row(2))
    told = (AskIssued(1, 0, 1, 3, "a block", "network"), AskIssued(2, 0, 2, 4, "night owl", "person"))
    ends = (Closed(3, 0, 1, "a block: all have it"), Closed(4, 0, 2, "found"))
    async with Stage(feed, table).run_test(size=(90, 30)) as pilot:
        snap = frames.snapshot(asks=rows)
        feed.show(frames.frame(snap=snap, events=told))
        feed.show(frames.frame(snap=snap, events=ends))
        await pilot.pause()
        said = "\n".join(painted(feed))
        assert "night owl" in said
        assert "block" not in said
        feed.show(frames.frame(snap=snap, asks_of=AskFilter(ALL)))
        await pilot.pause()
        assert "a block: all have it" in "\n".join(painted(feed))
        feed.show(frames.frame(snap=snap, asks_of=AskFilter(GOAL, "block")))
        await pilot.pause()
        said = "\n".join(painted(feed))
        assert "a block: all have it" in said
        assert "night owl" not in said


@pytest.mark.parametrize(
    ("done", "of", "figure", "bar"),
    [
        (16, 17, "16/17", "▰▰▰▱"),
        (17, 17, "17/17", "▰▰▰▰"),
        (0, 17, "0/17", "▱▱▱▱"),
        (0.01, 1, "1%", "▰▱▱▱"),
        (20, 17, "20/17", "▰▰▰▰"),
        (0, 0, "", "▱▱▱▱"),
    ],
)
def test_progress_is_a_figure_and_a_bar(done: float, of: float, figure: str, bar: str) -> None:
    row = frames.ask_row(1, done=done, of=of, closed_us=None)
    assert progress_figure(row) == figure
    assert progress_bar(row, 4) == bar


def test_progress_fits_its_column() -> None:
    row = frames.ask_row(1, done=16, of=17, closed_us=None, hits=2)
    assert progress_in(row, 6, "downloading") == "16/17"
    assert progress_in(row, 10, "downloading") == "16/17 ▰▰▰▱"
    assert progress_in(row, 40, "downloading") == "16/17 ▰▰▰▰▰▰▰▱ downloading"
    assert progress_in(frames.ask_row(1), 40, "waiting") == "waiting"
    said = "\n".join("".join(text for text, _ in line) for line in account_rows(row, frames.snapshot(), 38))
    assert "16/17 ▰▰▰▰▰▰▰▱" in said


def test_the_record_of_a_broadcast_says_when_most_had_heard() -> None:
    def said(*spread_us: int | None) -> str:
        row = frames.ask_row(1, sought="share")
        lines = account_rows(row, frames.snapshot(), 38, spread_us=spread_us)
        return "\n".join("".join(text for text, _ in line) for line in lines)

    assert "50 90 99 %   0.41  0.62  1.20 s" in said(412_000, 620_000, 1_200_000)
    assert "50 90 99 %   0.41  0.62  – s" in said(412_000, 620_000, None)
    assert "50 90" not in said(None, None, None)
    assert "50 90" not in said()
