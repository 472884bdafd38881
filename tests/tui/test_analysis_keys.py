"""Keys that ask questions of a run, pressed by a person."""

from __future__ import annotations

import pytest
from person import Person, dashboard

from engine import Adjourn, AskFor, Censor, Court, CourtStatus, Kill
from tui.widgets.ask_picture import AskPicture
from tui.widgets.inspector import Inspector
from tui.widgets.panel import ActionButton, TextRows
from tui.widgets.status import CourtBar, KeyBar, fitting, score

pytestmark = pytest.mark.anyio


async def asked(person: Person) -> int:
    """p005 asks for something popular that it does not have; the run is paused."""
    session = person.session
    session.slow_motion.enabled = False
    await person.wait(1.0)
    text = next(t for t in session.swarm.catalogue_titles(20) if not session.swarm.library(5).matching(t))
    person.main.pick(5)
    person.main.ask_now(text)
    session.player.pacer.pause()
    person.main.at_once()
    await person.pilot.pause()
    assert session.selection.ask is not None
    return session.selection.ask


async def settle(person: Person) -> None:
    for _ in range(200):
        if person.session.player.pacer.slice():
            break
    person.main.at_once()
    await person.pilot.pause()


def words(person: Person, selector: str) -> str:
    return person.main.query_one(CourtBar).query_one(selector, TextRows).text


async def test_who_answered_is_one_key_away_one_after_the_other_and_the_living_first() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("A")
        assert "There is no ask yet" in person.toasts
        ask = await asked(person)
        await person.press("A")
        assert "No peer has answered yet." in person.toasts
        person.session.swarm.advance(person.session.swarm.now_us + 3_000_000)
        person.main.at_once()
        trace = person.session.swarm.trace(ask)
        assert trace is not None
        first, second, *_ = trace.holders
        await person.press("A")
        assert person.session.selection.selected == first
        await person.press("x", "A")
        assert person.session.selection.selected == second
        assert first not in person.main.answerers()
        assert person.session.selection.ask == ask
        bar = person.main.query_one(KeyBar)
        assert "who answered" in [item.word for item in fitting(bar._items, 120)]


async def test_d_goes_from_the_swarm_to_the_diagram_to_the_tree_and_back() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("d")
        assert "no ask yet" in person.toasts
        await asked(person)
        for _ in range(8):
            await person.press("n")
            await settle(person)
        other = person.main.query_one(AskPicture)
        await person.press("d")
        assert (person.main.picture, other.kind) == (other, "diagram")
        assert other.has_focus
        assert "p005" in other.text
        assert "time and space · ask 1 · p005" in str(other.border_title)
        await person.press("d")
        assert other.kind == "tree"
        assert "who told whom" in str(other.border_title)
        await person.press("d")
        assert person.main.picture is person.view
        assert person.view.has_focus


async def test_in_the_diagram_arrows_go_along_its_lines_and_a_click_picks_one() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await asked(person)
        for _ in range(12):
            await person.press("n")
            await settle(person)
        await person.press("d")
        trace = person.session.swarm.trace(1)
        assert trace is not None
        await person.press("right")
        child = person.session.selection.selected
        assert child is not None
        assert trace.frm[child] == 5
        await person.press("left")
        assert person.session.selection.selected == 5
        await person.press("down")
        assert person.session.selection.selected not in (None, 5)
        await person.pilot.click(AskPicture, offset=(20, 1))
        assert person.session.selection.selected == 5
        await person.press("plus")
        assert person.main.enlarged > 1
        await person.press("shift+down", "0")
        assert person.main.enlarged == 1


async def test_n_stops_at_each_arrival_and_capital_n_at_each_hop() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await asked(person)
        swarm = person.session.swarm
        before = swarm.now_us
        await person.press("n")
        await settle(person)
        assert not person.session.player.pacer.busy
        assert swarm.now_us > before
        assert swarm.record(1).reached > 0
        assert "asks" in person.session.frame(20.0).notice
        await person.press("N")
        await settle(person)
        assert swarm.record(1).hops == 2
        assert "Hop 2" in person.session.frame(20.0).notice


async def test_n_says_why_when_the_ask_is_over() -> None:
    async with dashboard(asks_per_s=0.0, options={"download": False}) as person:
        await asked(person)
        person.session.swarm.advance_quiet(60_000_000)
        person.main.at_once()
        await person.press("n")
        assert "Ask 1 is over" in person.toasts


async def test_v_shows_what_the_selected_peer_believes_and_what_is_wrong_with_it() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("v")
        assert "Select a peer first" in person.toasts
        await person.wait(1.0)
        person.main.pick(5)
        neighbour = person.session.swarm.links_of(5)[0]
        person.session.do(Censor(neighbour))
        await person.press("v")
        assert "as p005 believes it: knows" in str(person.view.border_title)
        assert "1 of them wrong" in str(person.view.border_title)
        assert "· unknown" in person.view.text
        believes = person.main.query_one(Inspector).query_one("#believes", TextRows).text
        assert f"p{neighbour:03d}" in believes
        assert "in truth censored" in believes
        await person.press("v")
        assert "swarm · world" in str(person.view.border_title)


async def test_m_marks_the_minimum_cut_and_its_peers_can_be_censored_and_freed() -> None:
    async with dashboard(protocol="napster", asks_per_s=0.0) as person:
        await person.press("m")
        assert "no ask yet" in person.toasts
        await asked(person)
        await person.press("m")
        found = person.session.analysis.min_cut
        assert found is not None
        assert [person.session.swarm.labels[p] for p in found.peers] == ["index"]
        assert "Silencing 1 peer (index) cuts p005 off" in words(person, "#set")
        await person.pilot.click("#censor-these")
        await person.pilot.pause()
        assert person.session.swarm.snapshot().censored[found.peers[0]]
        assert person.main.query_one("#censor-these", ActionButton).label == "uncensor 1"
        await person.press("M")
        assert not person.session.swarm.snapshot().censored.any()
        await person.press("m")
        assert person.session.analysis.min_cut is None
        await person.press("M")
        assert "No peers are ringed" in person.toasts


async def test_m_judges_what_the_chosen_ask_wants_of_a_user() -> None:
    async with dashboard(protocol="skype", asks_per_s=0.0) as person:
        session = person.session
        for goal in ("find", "call"):
            session.do(AskFor(21, "user9", goal))
        cuts = []
        for ask in (1, 2):
            session.selection.choose(ask)
            await person.press("m")
            cuts.append(session.analysis.min_cut)
            await person.press("m")
        assert cuts[0] == session.swarm.min_cut(21, "user9", "find")
        assert cuts[1] == session.swarm.min_cut(21, "user9", "call")
        assert cuts[0].peers != cuts[1].peers


async def test_where_nobody_would_answer_there_is_nobody_to_censor_and_no_button_for_it() -> None:
    async with dashboard(protocol="napster", asks_per_s=0.0) as person:
        await asked(person)
        person.session.do(Kill("role=index"))
        await person.press("m")
        assert person.session.analysis.min_cut is not None
        assert not person.session.analysis.min_cut.peers
        assert words(person, "#set")
        assert not person.main.query_one("#censor-these", ActionButton).display


async def test_h_starts_a_court_whose_score_is_shown_and_whose_pace_can_be_changed() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("h")
        assert words(person, "#score") == "court (2 s): 0 orders, 0 answers"
        await person.pilot.click("#sooner")
        await person.pilot.pause()
        assert words(person, "#score").startswith("court (1 s)")
        await asked(person)
        person.session.swarm.advance(person.session.swarm.now_us + 5_000_000)
        person.main.at_once()
        await person.pilot.pause()
        court = person.session.swarm.snapshot().court
        assert court is not None
        assert court.orders > 0
        assert words(person, "#score") == score(court)
        await person.pilot.click("#adjourn")
        await person.pilot.pause()
        assert person.session.swarm.snapshot().court is None
        commands = [command for _, command, by in person.session.swarm.history if by == "person"]
        assert isinstance(commands[0], Court)
        assert isinstance(commands[-1], Adjourn)


def test_the_score_of_the_court_is_put_into_words() -> None:
    assert score(CourtStatus(2_000_000, 14, 1, 31, 9)) == "court (2 s): 14 orders, 31 answers, 9 after the first order"
    assert score(CourtStatus(500_000, 1, 0, 1, 0)) == "court (0.5 s): 1 order, 1 answer, 0 after the first order"


async def test_the_theory_is_shown_beside_what_was_measured() -> None:
    async with dashboard(asks_per_s=0.0, options={"download": False}) as person:
        await asked(person)
        person.session.swarm.advance_quiet(60_000_000)
        person.main._panels_s = -1e9
        person.main.at_once()
        await person.pilot.pause()
        told = person.main.query_one(Inspector).query_one("#ask", TextRows).text
        figures = {row.of: row.value for row in person.session.analysis.theory()}
        row = person.session.swarm.record(1)
        assert f"theory {figures['reached']:.0f}" in told
        assert f"theory {figures['messages']:.0f}" in told
        assert row.reached == figures["reached"]
