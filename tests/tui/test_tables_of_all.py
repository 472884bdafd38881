"""The table of peers and the statistics by kind: a stable order, filters, and work for the visible rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import frames
import numpy as np
import pytest
from person import dashboard
from scenes import quiet
from stage import Stage, painted
from textual.geometry import Offset

from engine import Censor, Collude, Kill, Kind, Leave, Links, Poison, Shown, ShownColumn, Totals, networks
from tui.actions.run import restart_under
from tui.session.frame import Frame
from tui.widgets.asks_table import AsksTable
from tui.widgets.message_table import MessageTable
from tui.widgets.messages import MenuWanted, PeerPicked, PeersPicked
from tui.widgets.peers_table import COLUMNS, PeersTable
from tui.widgets.text import state_word

pytestmark = pytest.mark.anyio


def column(table: PeersTable, name: str) -> list[str]:
    """The values of a column, of the visible rows."""
    left = 2
    for one, cells in table.columns(table.scrollable_content_region.width):
        if one.name == name:
            return [line[left : left + cells].strip() for line in painted(table)[1:]]
        left += cells + 1
    raise AssertionError(f"there is no column {name}")


async def test_rows_are_in_the_order_of_a_column_and_equals_stay_as_they_were() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(110, 70)) as pilot:
        snap = frames.snapshot(files=np.arange(frames.N, dtype=np.int32) // 2)
        table.show(frames.frame(snap=snap))
        await pilot.pause()
        table.sort_by("files")
        assert table.order[:4].tolist() == [62, 63, 60, 61]
        table.sort_by("state")
        assert table.order[:4].tolist() == [62, 63, 60, 61]
        assert table.order[-3:].tolist() == [52, 20, 33]
        table.sort_by("state")
        assert table.order[0] == 33
        assert column(table, "state")[0] == "○ left"


async def test_rows_that_change_place_do_so_once_a_second() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(110, 20)) as pilot:
        snap = frames.snapshot()
        table.show(frames.frame(snap=snap))
        table.sort_by("load")
        await pilot.pause()
        before = table.sorts
        rng = np.random.default_rng(4)
        for tenth in range(10):
            snap = replace(snap, load=rng.random(frames.N).astype(np.float32), now_us=snap.now_us + 1)
            table.show(frames.frame(snap=snap, wall_s=10.0 + tenth / 11))
        assert table.sorts == before
        table.show(frames.frame(snap=snap, wall_s=11.1))
        assert table.sorts == before + 1
        assert table.order[0] == snap.load.argmax()


async def test_of_ten_thousand_peers_only_the_visible_rows_are_formatted() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(110, 20)) as pilot:
        made: list[int] = []
        plain = table.row

        def counted(index: int, width: int) -> Any:
            made.append(index)
            return plain(index, width)

        table.row = counted  # type: ignore[method-assign]
        table.show(frames.frame(snap=quiet(10_000)))
        await pilot.pause()
        assert table.row_count() == 10_000
        assert table.virtual_size.height == 10_001
        assert 0 < len(set(made)) <= 20
        made.clear()
        table.scroll_to(y=9_000, animate=False)
        await pilot.pause()
        assert set(made) <= set(range(8_980, 9_040))


async def test_the_selected_peer_is_highlighted_and_scrolled_to() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(110, 12)) as pilot:
        first = frames.frame()
        table.show(first)
        await pilot.pause()
        table.show(replace(first, selected=50, marked=(50, 51)))
        await pilot.pause()
        lines = painted(table)
        assert any(line.startswith("▸ p050") for line in lines)
        assert "2 marked" in str(table.border_title)
        assert table.toward("down") == 51
        assert table.toward("up") == 49


async def test_clicks_choose_add_sort_and_open_the_menu() -> None:
    table = PeersTable()
    app = Stage(table)
    async with app.run_test(size=(110, 12)) as pilot:
        table.show(frames.frame(selected=1))
        table.focus()
        await pilot.pause()
        await pilot.click(PeersTable, offset=(6, 4))
        await pilot.click(PeersTable, offset=(6, 5), control=True)
        picked = app.heard(PeerPicked)
        assert [(one.peer, one.toggle) for one in picked] == [(2, False), (3, True)]
        await pilot.click(PeersTable, offset=(6, 5), button=3)
        await pilot.press("shift+down", "ctrl+a")
        await pilot.pause()
        assert [one.peer for one in app.heard(MenuWanted)] == [3]
        more, every = app.heard(PeersPicked)
        assert (more.peers, more.add) == ((2,), True)
        assert len(every.peers) == frames.N
        await pilot.click(PeersTable, offset=(5, 1))
        assert (table.by, table.down) == ("label", True)
        assert table.order[0] == frames.N - 1
        await pilot.press("end")
        assert app.heard(PeerPicked)[-1].peer == 0


async def test_a_filter_shows_fewer_rows_and_a_sentence_if_there_are_none() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(110, 12)) as pilot:
        table.show(frames.frame(filter="#4 or #9", filtered=(4, 9)))
        await pilot.pause()
        assert table.row_count() == 2
        assert "2 of 64 · #4 or #9" in str(table.border_title)
        table.show(replace(frames.frame(filter="state=left", filtered=()), wall_s=12.0))
        await pilot.pause()
        assert "No peer is “state=left” just now" in painted(table)[0]


@pytest.mark.parametrize("name", [column.name for column in COLUMNS])
async def test_every_column_can_be_sorted_by_both_ways(name: str) -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(120, 12)) as pilot:
        links = Links(3, np.array([0, 0, 0, 7], np.int32), np.array([1, 2, 3, 8], np.int32))
        table.show(frames.frame(snap=frames.snapshot(links=links), selected=17, facts=frames.facts()))
        await pilot.pause()
        values_of = next(column for column in COLUMNS if column.name == name).values
        assert values_of is not None
        assert table.data is not None
        for _ in range(2):
            table.sort_by(name)
            values = values_of(table.data)[table.order]
            steps = np.diff(values)
            assert (steps <= 0).all() if table.down else (steps >= 0).all()
            assert sorted(table.order.tolist()) == list(range(frames.N))


@pytest.mark.parametrize("width", [20, 38, 60, 78, 120, 200])
async def test_columns_fit_any_width(width: int) -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(width, 12)) as pilot:
        table.show(frames.frame(selected=17, facts=frames.facts()))
        await pilot.pause()
        kept = table.columns(table.scrollable_content_region.width)
        assert "label" in [one.name for one, _ in kept]
        assert max(len(line) for line in painted(table)) <= width


async def test_what_the_selected_peer_believes_is_a_column() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(140, 70)) as pilot:
        table.show(frames.frame(selected=50, facts=frames.facts(50)))
        await pilot.pause()
        told = column(table, "believed")
        assert told[0] == "2.2s"
        assert told[40] == "–"
        assert told[50] == ""  # itself


# --- kinds ---------------------------------------------------------------------------------------------------------

KINDS = (Kind("Ping", "upkeep", "stream"), Kind("Query", "question", "stream"), Kind("Chunk", "transfer", "datagram"))


def talk(now_us: int, pings: int, queries: int = 40, fixed: Any = None) -> Frame:
    snap = frames.snapshot(now_us=now_us)
    totals = Totals(
        pings + queries + 5,
        900,
        7,
        80_000,
        0,
        {"Ping": pings, "Query": queries, "Chunk": 5},
        {"dead": 5, "loss": 2},
        {"Ping": 2_000, "Query": 2_000, "Chunk": 36_000},
        {"Query": {"loss": 2, "dead": 5}},
    )
    return frames.frame(snap=replace(snap, totals=totals, fixed=fixed or replace(snap.fixed, kinds=KINDS)))


def rows(panel: MessageTable) -> Iterator[list[str]]:
    return (line.split() for line in painted(panel)[1:4])


async def test_each_kind_tells_its_part_its_share_and_its_losses() -> None:
    panel = MessageTable()
    async with Stage(panel).run_test(size=(100, 10)) as pilot:
        panel.show(talk(1_000_000, 100))
        await pilot.pause()
        chunk, ping, query = rows(panel)
        assert chunk[:4] == ["Chunk", "transfer", "datagram", "5"]
        assert "90%" in chunk
        assert ping[0] == "Ping"
        assert query[-5:] == ["7", "dead", "5", "loss", "2"]
        assert "lost" in str(panel.border_title)


async def test_a_rate_is_over_the_last_seconds_of_virtual_time() -> None:
    panel = MessageTable()
    async with Stage(panel).run_test(size=(100, 10)):
        first = talk(0, 0)
        panel.show(first)
        for second in range(1, 11):
            panel.show(
                talk(second * 1_000_000, 100 if second < 6 else 100 + 30 * (second - 5), fixed=first.snapshot.fixed)
            )
        rates = {one.kind.name: one.per_s for one in panel.rows}
        assert rates["Ping"] == pytest.approx(30)
        assert rates["Query"] == 0


async def test_columns_are_sorted_by_keys_and_by_clicks() -> None:
    panel = MessageTable()
    async with Stage(panel).run_test(size=(100, 10)) as pilot:
        panel.show(talk(1_000_000, 100))
        panel.focus()
        await pilot.pause()
        assert [one.kind.name for one in panel.rows] == ["Chunk", "Ping", "Query"]
        await pilot.click(MessageTable, offset=Offset(3, 1))
        assert panel.by == "kind"
        await pilot.press("right", "right")
        assert panel.by == "sent"
        assert [one.kind.name for one in panel.rows] == ["Ping", "Query", "Chunk"]


@pytest.mark.parametrize("width", [30, 38, 60, 78, 120])
async def test_kinds_fit_any_width(width: int) -> None:
    panel = MessageTable()
    async with Stage(panel).run_test(size=(width, 8)) as pilot:
        panel.show(talk(1_000_000, 100))
        await pilot.pause()
        assert max(len(line) for line in painted(panel)) <= width
        assert painted(panel)[1].startswith("Chunk")


async def test_who_is_poisoned_or_has_a_link_held_is_told_and_sorted_by() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(90, 20)) as pilot:
        snap = frames.snapshot()
        snap.poisoned[[4, 31]] = True
        held = np.zeros(frames.N, np.bool_)
        held[6] = True
        frame = frames.frame(snap=replace(snap, held=held))
        table.show(frame)
        await pilot.pause()
        told = painted(table)
        assert "▲ poisoned" in told[1 + 4]
        assert "◧ held" in told[1 + 6]
        assert state_word(frame, 31) == "censored"  # the worse one of two
        table.sort_by("state")
        table.show(frame)
        order = [state_word(frame, peer) for peer in table.order.tolist()]
        assert order == sorted(order, key=["alive", "held", "poisoned", "censored", "dead", "left"].index)


async def test_a_frame_that_changes_nothing_formats_no_row() -> None:
    table = PeersTable()
    async with Stage(table).run_test(size=(110, 20)) as pilot:
        frame = frames.frame(selected=3)
        table.show(frame)
        table.sort_by("load")
        await pilot.pause()
        made: list[int] = []
        formatted = table._format
        table._format = lambda item, width: (made.append(item), formatted(item, width))[1]  # type: ignore[method-assign,func-returns-value]
        for tenth in range(30):
            table.show(replace(frame, wall_s=frame.wall_s + tenth / 10))
        await pilot.pause()
        assert not made
        table.show(replace(frame, selected=4))
        assert len(set(made)) <= 20


async def test_a_second_click_on_a_column_reverses_any_table() -> None:
    panel, asks = MessageTable(), AsksTable()
    async with Stage(panel, asks).run_test(size=(100, 30)) as pilot:
        panel.show(talk(1_000_000, 100))
        asks.show(frames.frame(ask=12))
        await pilot.pause()
        await pilot.click(MessageTable, offset=Offset(painted(panel)[0].index("sent") + 2, 1))
        assert [one.sent for one in panel.rows] == [100, 40, 5]
        await pilot.click(MessageTable, offset=Offset(painted(panel)[0].index("sent") + 2, 1))
        assert [one.sent for one in panel.rows] == [5, 40, 100]
        header = Offset(painted(asks)[0].index("msgs") + 2, 1)
        await pilot.click(AsksTable, offset=header)
        assert "msgs " in painted(asks)[0]
        await pilot.click(AsksTable, offset=header)
        assert "msgs↑" in painted(asks)[0]
        messages = [int(line.split("%")[1].split()[0]) for line in painted(asks)[1:] if line]
        assert messages == sorted(messages)
        assert asks.cursor == 12


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_the_state_of_a_peer_is_not_cut(size: tuple[int, int]) -> None:
    """With the columns of each network."""
    async with dashboard(size=size, peers=24, asks_per_s=0.0) as person:
        session = person.session
        await person.press("7")
        for protocol in networks():
            if protocol != session.player.setup.protocol:
                restart_under(protocol, person.main.context)
            for command in (Kill(0), Leave(1), Censor(2), Collude(3, word="blue"), Poison(4)):
                session.do(command)
            await person.wait(1.0)
            assert session.player.setup.protocol == protocol
            table = person.main.query_one(PeersTable)
            shown = {one.name for one in session.swarm.snapshot().fixed.shows}
            assert shown <= {one.name for one in table.every_column()}
            # The table alone is read, since the legend of the picture has the same words.
            told: set[str] = set()
            in_sight = len(column(table, "state"))
            for top in range(0, table.row_count(), in_sight):
                table.scroll_to(y=top, animate=False)
                await person.pilot.pause()
                told.update(column(table, "state"))
            assert {"✕ dead", "○ left", "⊘ censored", "◆ colluding"} <= told, (protocol, told)


async def test_peers_without_a_value_come_last_whichever_way_a_column_is_sorted() -> None:
    shown = Shown("age_s", "how long it has run", "number")
    values = np.arange(frames.N, dtype=np.float64)
    values[[3, 7]] = np.nan
    snap = frames.snapshot(shown={"age_s": ShownColumn(shown, values=values)})
    fixed = replace(snap.fixed, shows=(shown,))
    table = PeersTable()
    async with Stage(table).run_test(size=(140, 20)) as pilot:
        table.show(frames.frame(snap=replace(snap, fixed=fixed)))
        await pilot.pause()
        table.sort_by("age_s")
        assert table.order[0] == frames.N - 1
        assert sorted(table.order[-2:].tolist()) == [3, 7]
        table.sort_by("age_s")
        assert table.order[0] == 0
        assert sorted(table.order[-2:].tolist()) == [3, 7]
