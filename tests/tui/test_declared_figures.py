"""Figures that mean nothing in a network are not shown, by what the network declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import frames
import pytest
from stage import Stage, painted

from engine import FIND, Ask, AskFor, Goal, Host, Peer, PeerId, Setup, Swarm, Theory, message, on, option
from tui.session.frame import Frame
from tui.session.meaning import meaning_of
from tui.session.session import Session
from tui.widgets.asks_table import AsksTable, account_rows, state_of
from tui.widgets.charts import Charts
from tui.widgets.status import ask_row, rates_row

pytestmark = pytest.mark.anyio


@dataclass(slots=True, eq=False)
class NoOptions:
    size: int = option(1, "nothing", low=1)


@message()
class Word:
    text: str


class Teller(Peer, name="teller-of-tests", options=NoOptions):
    """Asks its first contact, which answers."""

    goals: ClassVar[tuple[Goal, ...]] = (replace(FIND, audience="one"),)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.contacts = contacts

    def ask(self, host: Host, ask: Ask) -> None:
        host.send(self.contacts[0], Word(ask.text))

    @on(Word)
    def word(self, host: Host, sender: PeerId, message: Word) -> None:
        """Nothing to do."""


def frame_of(swarm: Swarm, theory: tuple[Theory, ...] = ()) -> Frame:
    swarm.do(AskFor(3, "blue train"))
    swarm.advance(swarm.now_us + 5_000_000)
    return Frame(
        snapshot=swarm.snapshot(), wall_s=1.0, playing=True, speed=1.0, pace=1.0, fps=30.0, slowed=False, selected=None,
        ask=1, trace=None, facts=None, events=(), theory=theory,
    )  # fmt: skip


def words(rows: Sequence[Any]) -> str:
    return " ".join("".join(text for text, _ in row) for row in rows)


CASES: tuple[tuple[str, bool, bool], ...] = (
    ("gnutella", True, True),
    ("napster", False, True),
    ("gossip", True, False),
)


@pytest.mark.parametrize(("protocol", "reach", "hits"), [*CASES, ("web", False, True), ("", False, True)])
async def test_columns_and_figures_follow_what_the_network_declares(protocol: str, reach: bool, hits: bool) -> None:
    """`""`: a network that is defined here, of which the screen knows nothing."""
    setup = Setup(protocol=protocol or "gossip", seed=2, asks_per_s=0)
    swarm = Swarm(setup) if protocol else Swarm(setup, program=Teller)
    swarm.advance(2_000_000)
    frame = frame_of(swarm, swarm.theory(1) if swarm.asks_total else ())
    (row,) = frame.snapshot.asks
    theory = swarm.theory(row.id)
    meant = meaning_of(frame.snapshot)
    assert (meant.reach, meant.hits) == (reach, hits)
    account = words(account_rows(row, frame.snapshot, 41, theory))
    assert ("reached" in account) == reach
    assert ("hits" in account) == hits
    assert ("duplicates" in account) == reach
    line, rates = words([ask_row(frame)]), words([rates_row(frame)])
    assert ("reached" in line) == reach
    assert ("answered" in rates) == hits
    assert ("duplicates" in rates) == reach
    table, charts = AsksTable(), Charts()
    async with Stage(table, charts).run_test(size=(110, 24)) as pilot:
        table.show(frame)
        charts.show(frame)
        await pilot.pause()
        header = painted(table)[0].split()
        shown = {name for chart in charts.children for name in chart.names}  # type: ignore[attr-defined]
    assert ("reached" in header) == reach
    assert ("hits" in header) == ("first" in header) == hits
    assert ("success" in shown) == hits
    assert ("duplicates_per_s" in shown) == reach


def test_theory_is_explained_where_it_stands() -> None:
    swarm = Swarm(Setup(seed=2, asks_per_s=0))
    frame = frame_of(swarm)
    rows = account_rows(frame.snapshot.asks[0], frame.snapshot, 41, swarm.theory(1))
    told = words(rows)
    reached = next(each for each in swarm.theory(1) if each.of == "reached")
    assert f"theory {reached.value:.0f}" in told
    assert f"theory: reached {reached.value:.0f}, a flood of 7 hops comes to" in told
    assert all(sum(len(text) for text, _ in row) <= 41 for row in rows if row and row[0][1] == "caption")


def test_a_session_that_changes_its_network_changes_with_it() -> None:
    from engine import Scenario

    session = Session(Scenario(setup=Setup(seed=1, asks_per_s=0)))
    assert meaning_of(session.frame(30).snapshot).reach
    assert session.restart("napster")
    assert not meaning_of(session.frame(30).snapshot).reach


async def test_an_ask_that_is_under_way_is_told_in_the_words_of_its_goal() -> None:
    call = Goal("call", "call", "Call a user.", did="called", doing="in a call")
    snapshot = frames.snapshot()
    snapshot = replace(snapshot, fixed=replace(snapshot.fixed, goals=(FIND, call)))
    for transfers, doing in ((0, "under way"), (3, "downloading")):
        rows = [
            frames.ask_row(1, goal=goal, hits=1, closed_us=None, transfers=transfers) for goal in ("find", "call", "x")
        ]
        assert [state_of(row, snapshot)[0] for row in rows] == [doing, "in a call", doing]
