"""The tables of asks and events: what is read keeps its place while more arrives."""

from __future__ import annotations

from dataclasses import replace

import frames
import pytest
from stage import Stage, painted

from engine import (
    BROADCAST,
    FIND,
    PUBLISH,
    AskFor,
    AskIssued,
    Censor,
    Churned,
    Closed,
    Collude,
    Commanded,
    Event,
    Heal,
    Hit,
    Kill,
    Noted,
    Publish,
    Refused,
    Run,
    Set,
    Shutdown,
)
from tui.widgets.asks_table import AsksTable, verdict_in
from tui.widgets.feed import KEPT, Feed, sentence_of, subject, worth_telling
from tui.widgets.messages import AskPicked, PeerPicked

pytestmark = pytest.mark.anyio

LABELS = tuple(f"p{i:03d}" for i in range(64))


def many(first: int, last: int) -> object:
    rows = tuple(frames.ask_row(n) for n in range(first, last + 1))
    return frames.snapshot(asks=rows, asks_total=last)


async def test_a_verdict_without_room_for_a_clause_is_one_word() -> None:
    table = AsksTable()
    verdict = "Fetched over three relays none of which knows who visited what."
    rows = (frames.ask_row(1, verdict=verdict, outcome="answered"),)
    for wide, ending in ((76, "answered"), (140, verdict)):
        async with Stage(table).run_test(size=(wide, 6)) as pilot:
            table.show(frames.frame(snap=replace(frames.snapshot(), asks=rows)))
            await pilot.pause()
            assert painted(table)[1].rstrip().endswith(ending)
        table = AsksTable()


async def test_newest_on_top_with_figures_and_verdict() -> None:
    table = AsksTable()
    async with Stage(table).run_test(size=(110, 12)) as pilot:
        table.show(frames.frame(ask=12))
        await pilot.pause()
        header, first, _, third, *_ = painted(table)
        assert header.split() == ["#", "from", "wanted", "reached", "msgs", "hits", "first", "state"]
        assert first.split() == [
            "12",
            "p017",
            "blue",
            "train",
            "65%",
            "163",
            "2",
            "0.41",
            "s",
            "answered,",
            "spreading",
            "▶",
        ]
        assert "No answer: 3 peers hold it; 2 are dead" in third
        assert "asks · 12" in str(table.border_title)


async def test_no_ask_yet_says_what_to_do() -> None:
    table = AsksTable()
    async with Stage(table).run_test(size=(60, 8)) as pilot:
        table.show(frames.frame(snap=frames.snapshot(asks=(), asks_total=0)))
        await pilot.pause()
        assert "No ask yet. Press a" in " ".join(painted(table))


async def test_keys_and_clicks_choose() -> None:
    table = AsksTable()
    app = Stage(table)
    async with app.run_test(size=(110, 10)) as pilot:
        table.focus()
        table.show(frames.frame(ask=12))
        await pilot.press("down", "down", "up", "end", "home")
        await pilot.click(AsksTable, offset=(10, 4))
        await pilot.pause()
        assert [m.ask for m in app.heard(AskPicked)] == [11, 10, 11, 1, 12, 10]


async def test_asks_are_sorted_by_a_column_and_the_chosen_one_stays_chosen() -> None:
    table = AsksTable()
    app = Stage(table)
    async with app.run_test(size=(110, 16)) as pilot:
        table.show(frames.frame(ask=12))
        table.focus()
        await pilot.pause()
        await pilot.click(AsksTable, offset=(painted(table)[0].index("hits") + 3, 1))
        assert table.by == "hits"
        assert painted(table)[1].split()[0] == "12"  # two hits, all others have one or none
        assert painted(table)[12].split()[0] == "10"
        table.sort_by("msgs")
        assert painted(table)[12].split()[0] == "12"
        assert table.cursor == 12
        await pilot.press("up")
        await pilot.press("left", "left", "left", "left")
        assert table.by == "#"
        await pilot.pause()
        assert [m.ask for m in app.heard(AskPicked)] == [10]


async def test_what_is_read_stays_while_asks_arrive_above() -> None:
    table = AsksTable()
    async with Stage(table).run_test(size=(110, 10)) as pilot:
        first = many(1, 60)
        table.show(frames.frame(snap=first))
        await pilot.pause()
        table.scroll_to(y=20, animate=False)
        await pilot.pause()
        before = painted(table)[1]
        table.show(frames.frame(snap=replace(many(1, 65), fixed=first.fixed)))
        await pilot.pause()
        assert painted(table)[1] == before
        table.scroll_to(y=0, animate=False)
        await pilot.pause()
        assert painted(table)[1].split()[0] == "65"


@pytest.mark.parametrize("width", [20, 30, 38, 60, 78, 120, 200])
def test_columns_fill_the_width_and_keep_what_matters(width: int) -> None:
    columns = AsksTable().columns(width)
    assert sum(cells for _, cells in columns) + len(columns) - 1 <= max(width, 20)
    names = {column.name for column, _ in columns}
    assert {"#", "wanted", "reached", "state"} <= names
    if width >= 78:
        assert len(names) == 8


def burst(first: int, count: int) -> tuple[Event, ...]:
    return tuple(Hit(n, n * 1000, 1, 17, 31, f"song {n}") for n in range(first, first + count))


async def test_the_feed_follows_until_it_is_scrolled() -> None:
    feed = Feed()
    async with Stage(feed).run_test(size=(80, 10)) as pilot:
        snap = frames.snapshot()
        feed.show(frames.frame(snap=snap))
        await pilot.pause()
        assert "Nothing has happened yet" in painted(feed)[1]
        feed.show(frames.frame(snap=snap, events=burst(1, 40)))
        await pilot.pause()
        assert "song 40" in painted(feed)[1]
        feed.scroll_to(y=10, animate=False)
        await pilot.pause()
        assert "song 30" in painted(feed)[1]
        feed.show(frames.frame(snap=snap, events=burst(41, 5)))
        await pilot.pause()
        assert "song 30" in painted(feed)[1]
        assert "5 newer" in str(feed.border_subtitle)
        feed.scroll_to(y=0, animate=False)
        await pilot.pause()
        assert "song 45" in painted(feed)[1]
        assert not feed.border_subtitle


async def test_the_feed_keeps_five_hundred_and_forgets_with_the_run() -> None:
    feed = Feed()
    async with Stage(feed).run_test(size=(80, 10)) as pilot:
        snap = frames.snapshot()
        feed.show(frames.frame(snap=snap, events=burst(1, 2000)))
        await pilot.pause()
        assert feed.row_count() == KEPT
        assert "song 2000" in painted(feed)[1]
        other = replace(snap, fixed=replace(snap.fixed, run=Run()))
        feed.show(frames.frame(snap=other, events=burst(1, 1)))
        await pilot.pause()
        assert feed.row_count() == 1


async def test_a_line_leads_to_what_it_is_about() -> None:
    feed = Feed()
    app = Stage(feed)
    async with app.run_test(size=(80, 10)) as pilot:
        feed.show(frames.frame(events=(Closed(1, 1, 11, "Answered"), Commanded(2, 2, Kill(20), (20,), "person"))))
        await pilot.pause()
        await pilot.click(Feed, offset=(5, 2))
        await pilot.click(Feed, offset=(5, 3))
        assert [m.peer for m in app.heard(PeerPicked)] == [20]
        assert [m.ask for m in app.heard(AskPicked)] == [11]


async def test_an_ask_that_closes_again_has_one_line() -> None:
    feed = Feed()
    async with Stage(feed).run_test(size=(80, 10)) as pilot:
        feed.show(frames.frame(events=(Closed(1, 1, 11, "Heard by 1"), Closed(2, 1, 12, "Found"))))
        feed.show(frames.frame(events=(Closed(3, 2, 11, "Heard by 2"), Closed(4, 3, 11, "Heard by 3"))))
        await pilot.pause()
        assert feed.row_count() == 2
        assert ["Heard by 3" in painted(feed)[1], "Found" in painted(feed)[2]] == [True, True]


MANY_CENSORED = "the scenario censored 13 peers: p000 p001 p002 p003 …"


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (Commanded(1, 0, Kill(20), (20,), "person"), "you killed p020"),
        (
            Commanded(1, 0, Censor("x"), tuple(range(13)), "scenario"),
            MANY_CENSORED,
        ),
        (Commanded(1, 0, Kill("state=dead"), (), "person"), "you killed nobody"),
        (Commanded(1, 0, Collude(3, "blue"), (3,), "person"), "you told p003 to collude: “blue” is hidden"),
        (Commanded(1, 0, Shutdown("acme"), (1,), "scenario"), "the scenario shut down p001 (acme)"),
        (Commanded(1, 0, Set("loss", 0.1), (), "person"), "you set loss to 0.1"),
        (Commanded(1, 0, Heal(), (), "person"), "you healed all partitions"),
        (Commanded(1, 0, Publish(4, "owl"), (4,), "person"), "p004 shares “owl” (you)"),
        (Churned(1, 0, 52, "kill"), "p052 goes offline"),
        (Churned(1, 0, 52, "revive"), "p052 comes online"),
        (AskIssued(1, 0, 12, 17, "blue train", "person"), "p017 asks for “blue train”: ask 12 (you)"),
        (Hit(1, 0, 12, 17, 31, "blue train"), "p031 answers ask 12: “blue train”"),
        (Refused(1, 0, 17, 52, "Query", 12), "p052 refuses p017: it is gone (Query)"),
        (Closed(1, 0, 11, "No answer: the TTL is 7"), "ask 11: No answer: the TTL is 7"),
        (Noted(1, 0, 4, "graft", {"peer": 9, "why": "[b]"}, 3), "p004 graft: peer p009, why [b] (ask 3)"),
        (Noted(1, 0, 99, "choke", {}, 0), "#99 choke"),
    ],
)
def test_events_read_as_sentences(event: Event, sentence: str) -> None:
    assert sentence_of(event, LABELS)[0] == sentence
    assert len(subject(event)) == 2


def test_an_ask_is_described_by_its_goal() -> None:
    issued = AskIssued(1, 0, 12, 17, "blue train", "background")
    for goal, does in ((BROADCAST, "spread"), (FIND, "asked for"), (PUBLISH, "shares"), (None, "asks for")):
        assert sentence_of(issued, LABELS, goal)[0] == f"p017 {does} “blue train”: ask 12"
    opened = AskIssued(1, 0, 12, 17, "p006 has failed", "network")
    assert sentence_of(opened, LABELS)[0] == "p017 tells of “p006 has failed”: ask 12"


def test_an_ask_has_one_line() -> None:
    assert not worth_telling(Commanded(1, 0, AskFor(1, "x"), (1,), "person"))
    assert worth_telling(AskIssued(1, 0, 1, 1, "x", "person"))


VERDICT = "No answer: 3 peers hold it; 2 are dead"


@pytest.mark.parametrize(("width", "told"), [(60, VERDICT), (30, "No answer: 3 peers hold it"), (12, "No answer")])
def test_a_verdict_without_room_ends_with_a_clause(width: int, told: str) -> None:
    assert verdict_in(VERDICT, width) == told
