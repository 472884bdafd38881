"""The table of actions: a key asks once whether its action is possible and draws one frame; each action can get a
key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from person import Person, dashboard
from textual.events import Key

from engine import Kill, Revive
from tui.actions.table import ACTIONS
from tui.config.settings import Settings
from tui.screens.main import Action, Context, MainScreen
from tui.session.verbs import PAIRS, PAST
from tui.widgets.panel import TextRows

pytestmark = pytest.mark.anyio
STILL = Settings(reduced_motion=True)


def answers_of(person: Person, id_: str) -> list[str]:
    """The answers of an action, from now on, to why it is not possible. The key bar, which asks too, is left out."""
    row, answers = person.main.table[id_], []

    def why_not(context: Context) -> str:
        answers.append(row.why_not(context))
        return answers[-1]

    person.main.table[id_] = replace(row, why_not=why_not)
    return answers


NOT_PRESSED = frozenset({
    *("app.quit", "app.suspend", "app.help", "app.palette", "app.theme", "app.focus", "app.focus_back", "app.back"),
    *("run.network", "run.screenshot", "run.record", "run.save", "run.export", "view.placements", "view.colours"),
    *("peer.menu", "peer.jump", "peer.filter", "ask.here"),
})  # fmt: skip
"""Actions whose keys leave the picture or write files."""


async def test_each_key_asks_once_whether_its_action_is_possible_and_draws_one_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(asks_per_s=0.0, settings=STILL) as person:
        await person.press("space", "right")
        person.session.ask_for("blue train", 0)
        drawn, draw = [], MainScreen.at_once
        monkeypatch.setattr(MainScreen, "at_once", lambda screen: (drawn.append(screen), draw(screen)))
        possible = 0
        for row in ACTIONS:
            if not row.keys or row.id in NOT_PRESSED:
                continue
            answers = answers_of(person, row.id)
            drawn.clear()
            await person.press(row.keys.split(",")[0])
            assert len(answers) == 1, row.id
            assert len(drawn) == (not answers[0]), row.id
            possible += not answers[0]
            if not person.main.picture.has_focus:
                person.main.picture.focus()
                await person.pilot.pause()
        assert possible > 40


@pytest.mark.parametrize("id_", ["peer.kill", "peer.censor", "peer.cut"])
async def test_a_verb_takes_the_frame_that_is_drawn_and_none_before_it(
    id_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dashboard(asks_per_s=0.0, settings=STILL) as person:
        await person.press("space", "right")
        taken, take = [], MainScreen._take_frame

        def taking(screen: MainScreen, *, draw: bool) -> None:
            taken.append(draw)
            take(screen, draw=draw)

        monkeypatch.setattr(MainScreen, "_take_frame", taking)
        await person.press(person.main.table[id_].keys.split(",")[0])
        assert taken[0]
        assert all(taken)
        assert person.session.notice.text


async def test_the_notice_names_the_key_that_undoes_a_verb_only_if_the_key_acts_on_the_same_peers() -> None:
    async with dashboard(asks_per_s=0.0, settings=STILL) as person:
        await person.press("space", "right")
        chosen = person.session.selection.selected
        assert chosen is not None
        other = chosen - 1
        for peer, ends in ((other, "killed"), (chosen, f"{{peer.kill}}: revive p{chosen:03}")):
            person.main.carry_out(Kill(peer))
            await person.pilot.pause()
            assert person.session.notice.text.endswith(ends)
        person.main.carry_out(Revive(other))
        await person.pilot.pause()
        assert person.session.notice.text == f"p{other:03} revived"


def test_each_verb_and_its_opposite_have_a_past_tense() -> None:
    opposites = {pair.undo for pair in PAIRS}
    assert ({pair.do for pair in PAIRS} | opposites | {"shutdown", "reopen", "heal", "arrive", "depart"}) <= PAST.keys()


async def test_the_picture_is_not_drawn_again_when_it_loses_the_focus() -> None:
    async with dashboard(asks_per_s=0.0, settings=STILL) as person:
        await person.press("space")
        await person.wait(1.0)
        before = person.view.drawn
        person.main.query_one("#feed").focus()
        await person.pilot.pause()
        assert not person.view.has_focus
        assert person.view.drawn == before
        person.app.theme = "textual-light"
        await person.pilot.pause()
        assert person.view.drawn > before


@pytest.mark.parametrize(("key", "offers"), [("a", "#offers"), ("slash", "#filter-offers")])
@pytest.mark.parametrize("size", [(60, 18), (80, 24), (200, 50)])
async def test_a_line_to_type_in_offers_at_once_as_much_as_it_has_room_for(
    key: str, offers: str, size: tuple[int, int]
) -> None:
    async with dashboard(size=size, settings=STILL) as person:
        await person.press("space", key)
        first = person.main.query_one(offers, TextRows).rows
        assert len(first[0]) > 4
        person.main.changed()
        await person.pilot.pause()
        assert person.main.query_one(offers, TextRows).rows == first


async def test_a_key_whose_action_is_not_possible_says_why_and_draws_nothing() -> None:
    async with dashboard(asks_per_s=0.0, settings=STILL) as person:
        await person.press("space")
        answers, before = answers_of(person, "peer.kill"), person.main.frames
        await person.press("x")
        assert len(answers) == 1
        assert answers[0]
        assert "Select a peer first" in person.toasts
        assert person.main.frames == before


async def test_of_two_keys_in_one_read_the_second_sees_what_the_first_did() -> None:
    async with dashboard(asks_per_s=0.0, settings=STILL) as person:
        await person.press("space", "right")
        peer = person.session.selection.selected
        assert peer is not None
        for _ in range(2):
            person.app.post_message(Key("x", "x"))
        await person.pilot.pause()
        assert [command.verb for _, command, _ in person.session.swarm.history] == ["kill", "revive"]
        assert person.state(peer) == 0


async def test_an_action_without_a_key_can_be_given_one() -> None:
    async with dashboard(settings=Settings(keys={"peer.hold": "f2", "view.place_ring": "f3"})) as person:
        await person.press("right", "f2", "f3")
        assert person.session.swarm.snapshot().held.any()
        assert person.view.stage.placed == "ring"


def test_each_row_has_an_id_of_its_own_and_says_what_it_does() -> None:
    assert len({row.id for row in ACTIONS}) == len(ACTIONS)
    for row in ACTIONS:
        assert row.label, row.id
        assert row.tip.endswith("."), row.id


async def test_each_reason_is_a_sentence() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        reasons = {row.id: person.main.why_not(row) for row in ACTIONS if isinstance(row, Action)}
        assert sum(map(bool, reasons.values())) > 10
        assert [id_ for id_, why in reasons.items() if why and not why.endswith((".", "?"))] == []
