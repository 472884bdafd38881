"""The panel of attacks: choosing one, its preview, doing it, and undoing it."""

from __future__ import annotations

from typing import Any

import frames
import pytest
from person import Person, dashboard
from stage import Stage, lines_of, painted

from engine import (
    ALIVE,
    DEAD,
    Arrive,
    Attack,
    CallOff,
    Collude,
    Cure,
    Cut,
    Defect,
    Depart,
    Kill,
    Mend,
    Param,
    Plan,
    Poison,
    Preset,
    Reopen,
    Revive,
    RunningAttack,
    Shutdown,
)
from tui.actions.palette import ActionFinder
from tui.actions.run import restart_under
from tui.widgets.attacks import (
    SLOW_PEERS,
    UNKNOWN_YET,
    Attacks,
    PresetList,
    StartedAttack,
    command_of,
    dial_of,
    many_text,
    started_attack,
    undo_why_not,
    whom_text,
)
from tui.widgets.inspector import Inspector
from tui.widgets.menu import Menu
from tui.widgets.messages import Attacked, PreviewAttack, RunCommand
from tui.widgets.panel import ActionButton
from tui.widgets.slider import Slider

pytestmark = pytest.mark.anyio
SHARE = Param("share", "how many of the live users", "share", 0.1, 0.0, 1.0)
MEANS = Param("means", "what happens to them", "choice", "kill", choices=("kill", "censor", "leave"))
HUBS = Preset("degree", "Highest degree", "Those with the most links.", (SHARE, MEANS))
BRIDGES = Preset("betweenness", "Highest betweenness", "Those on the most shortest paths.", (SHARE,))
COURT = Preset("operator", "An operator", "A court orders.", (), "No operator here has more than one peer.")
PRESETS = (HUBS, BRIDGES, COURT)
PLAN = Plan(((0.0, Kill((3, 5))),), "Would kill 2 of 64 live users: those with the most links.")


# --- without a screen ----------------------------------------------------------------------------------------------


def test_every_kind_of_parameter_has_stops_and_the_default_is_one_of_them() -> None:
    labels = [f"p{n}" for n in range(9)]
    odd = dial_of(Param("share", "how many", "share", 0.37, 0.0, 1.0), labels, None)
    assert odd is not None
    assert odd.words[odd.rest] == "37%"
    assert odd.values[0] > 0
    leak = dial_of(Param("leak", "how much slips through", "share", 0.0, 0.0, 1.0), labels, None)
    assert leak is not None
    assert leak.words[leak.rest] == "0%"
    count = dial_of(Param("count", "newcomers", "count", 50, 1, 120), labels, None)
    assert count is not None
    assert (count.values[0], count.values[-1]) == (1, 100)
    within = dial_of(Param("over_s", "for", "seconds", 40.0, 2.0, 86_400.0), labels, None)
    assert within is not None
    assert within.words[:2] == ("2 s", "5 s")
    assert dial_of(Param("over_s", "spread over", "seconds", 0.0, 0.0, 60.0), labels, None).words[0] == "at once"  # type: ignore[union-attr]
    word = dial_of(Param("word", "what", "word", "owl", choices=("train", "owl")), labels, None)
    assert word is not None
    assert word.words[word.rest] == "owl"
    assert dial_of(Param("whom", "which role", "choice", None), labels, None) is None
    assert dial_of(Param("operator", "their owner", "word", "sybil"), labels, None) is None


def test_the_victim_is_the_selected_peer_or_the_one_that_is_proposed() -> None:
    victim = Param("peers", "the victim", "peers", 4)
    labels = [f"p{n}" for n in range(9)]
    chosen, proposed = dial_of(victim, labels, 7), dial_of(victim, labels, None)
    assert chosen is not None
    assert proposed is not None
    assert (chosen.words, chosen.rest) == (("p7", "p4"), 0)
    assert proposed.words == ("p4",)


def test_values_become_a_command_and_a_value_that_is_no_longer_offered_its_default() -> None:
    dials = [dial for param in HUBS.params if (dial := dial_of(param, [], None)) is not None]
    assert command_of("degree", dials, {}) == Attack("degree", share=0.1, means="kill")
    assert command_of("degree", dials, {"share": 0.5, "means": "exile"}) == Attack("degree", share=0.5, means="kill")


def test_as_many_names_of_peers_are_shown_as_fit() -> None:
    labels = [f"p{n}" for n in range(40)]
    assert whom_text(PLAN, labels) == "p3 p5"
    assert whom_text(Plan(((0.0, Kill(tuple(range(30)))),), ""), labels).endswith("p11 …")
    assert whom_text(Plan(((0.0, Arrive(5)),), ""), labels) == ""


@pytest.mark.parametrize(
    ("steps", "undo"),
    [
        (((0.0, Kill((3,))), (2.0, Kill((5, 6)))), Revive((3, 5, 6))),
        (((0.0, Poison((3, 5))),), Cure((3, 5))),
        (((0.0, Collude((3, 5), "owl")),), Defect((3, 5))),
        (((0.0, Shutdown("acme")),), Reopen("acme")),
        (((0.0, Arrive(5, 0.0, "sybil")), (0.0, Collude('operator="sybil"', "owl"))), Defect('operator="sybil"')),
        (((0.0, Kill("near #3")), (1.0, Collude('operator="eclipse"', "owl"))), Defect('operator="eclipse"')),
        (((0.0, Arrive(5)),), None),
        (((0.0, Depart((3, 5), 2.0)),), None),
    ],
)
def test_an_attack_is_undone_by_the_verb_that_undoes_its_steps(steps: Any, undo: object) -> None:
    started = started_attack("It", Plan(steps, "It."), 1_000_000)
    assert started.undo == undo
    assert started.tip.endswith(".")
    assert started.done_us == 1_000_000 + round(steps[-1][0] * 1e6)


def test_an_attack_that_goes_on_is_not_undone() -> None:
    started = StartedAttack("It", 5_000_000, Revive((3,)), "Revive the peer of this attack.")
    assert "00:05" in undo_why_not(started, 4_999_999)
    assert undo_why_not(started, 5_000_000) == ""
    assert undo_why_not(None, 0)
    assert undo_why_not(StartedAttack("It", 0, None, "Gone for good."), 1) == "Gone for good."


# --- the panel alone -----------------------------------------------------------------------------------------------


async def show_presets(app: Stage, panel: Attacks, pilot: Any, **changes: Any) -> None:
    panel.show(frames.frame(**changes))
    await pilot.pause()
    await pilot.pause()
    panel.offer(PRESETS)
    panel.focus()
    await pilot.pause()


def previewed(app: Stage) -> list[Attack | None]:
    """The attacks of which the panel wanted a preview, in order."""
    return [message.attack for message in app.heard(PreviewAttack)]


async def test_up_and_down_choose_an_attack_and_left_and_right_its_amount() -> None:
    panel = Attacks()
    app = Stage(panel)
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot)
        assert previewed(app) == [None, Attack("degree", share=0.1, means="kill")]
        await pilot.press("right", "right")
        assert panel.command == Attack("degree", share=0.2, means="kill")
        await pilot.press("tab", "tab", "right", "enter")
        await pilot.pause()
        assert previewed(app)[-1] == Attack("degree", share=0.2, means="censor")
        assert [(m.title, m.attack) for m in app.heard(Attacked)] == [
            ("Highest degree", Attack("degree", share=0.2, means="censor"))
        ]
        # Up from the sliders goes back to the list. Each preset keeps its own values.
        await pilot.press("up", "up", "down")
        assert panel.command == Attack("betweenness", share=0.1)
        await pilot.press("up")
        assert panel.command == Attack("degree", share=0.2, means="censor")


async def test_a_preview_names_the_peers_and_a_late_one_is_dropped() -> None:
    panel = Attacks()
    app = Stage(panel)
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot)
        asked = panel.command
        assert asked is not None
        panel.tell(asked, PLAN)
        await pilot.pause()
        assert "2 of 64" in lines_of(panel, "#attack-plan").replace("\n", " ")
        assert "p003 p005" in lines_of(panel, "#attack-plan")
        assert panel.query_one("#attack-do", ActionButton).tip == PLAN.sentence
        await pilot.press("right")
        panel.tell(asked, Plan((), "Nothing."))
        assert panel.plan is not None
        assert panel.plan.sentence == PLAN.sentence


async def test_an_attack_that_is_not_possible_is_crossed_out_says_why_and_is_not_done() -> None:
    panel = Attacks()
    app = Stage(panel)
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot)
        await pilot.press("end", "enter", "right")
        await pilot.pause()
        assert "No operator here" in lines_of(panel, "#attack-plan")
        assert "not here" in painted(panel.query_one(PresetList))[2]
        assert panel.query_one("#attack-do", ActionButton).disabled
        assert not app.heard(Attacked)


async def test_the_mouse_chooses_moves_a_knob_and_presses() -> None:
    panel = Attacks()
    app = Stage(panel)
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot)
        await pilot.click(PresetList, offset=(4, 1))
        assert panel.preset == BRIDGES
        slider = panel.query_one("#dial-0", Slider)
        await pilot.click(slider, offset=(slider.size.width - 15, 0))
        assert panel.command == Attack("betweenness", share=1.0)
        await pilot.click("#attack-do")
        assert [m.attack for m in app.heard(Attacked)] == [Attack("betweenness", share=1.0)]


async def test_in_a_large_swarm_the_bridges_are_not_looked_for_until_they_are_wanted() -> None:
    panel = Attacks()
    app = Stage(panel)
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot, snap=frames.snapshot(SLOW_PEERS + 1))
        await pilot.press("down")
        await pilot.pause()
        assert Attack("betweenness", share=0.1) not in previewed(app)
        assert UNKNOWN_YET.split()[0] in lines_of(panel, "#attack-plan")
        await pilot.press("enter")
        assert len(app.heard(Attacked)) == 1


async def test_backspace_undoes_the_latest_attack() -> None:
    panel = Attacks()
    app = Stage(panel)
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot)
        await pilot.press("backspace")
        assert not app.heard(RunCommand)
        panel.begun(started_attack("Highest degree", PLAN, 0))
        await pilot.pause()
        assert panel.query_one("#attack-undo", ActionButton).label == "undo: highest degree"
        await pilot.press("backspace", "backspace")
        assert [m.command for m in app.heard(RunCommand)] == [Revive((3, 5))]
        told = [note.message for note in app._notifications]
        assert told == ["There is no attack to undo. z undoes what was done before, the latest first."] * 2


async def test_an_attack_that_goes_on_is_called_off_first_and_undone_then() -> None:
    panel = Attacks()
    app = Stage(panel)
    hubs, bridges = (RunningAttack(one.name, one.title, 9_000_000_000) for one in (HUBS, BRIDGES))
    slow = Plan(((0.0, Kill((3,))), (9_000.0, Kill((5,)))), "Bit by bit.")
    async with app.run_test(size=(44, 24)) as pilot:
        await show_presets(app, panel, pilot)
        panel.begun(started_attack("Highest degree", slow, 0))
        both = frames.snapshot(attacks=(hubs, bridges))
        panel.show(frames.frame(snap=both))
        button = panel.query_one("#attack-undo", ActionButton)
        assert button.label == "cancel: highest degree", "the one that is looked at"
        await pilot.press("end")
        panel.show(frames.frame(snap=both))
        assert button.label == "cancel 2 attacks", "none of them is looked at"
        await pilot.press("backspace", "home", "backspace")
        assert [m.command for m in app.heard(RunCommand)] == [CallOff(), CallOff("degree")]
        panel.show(frames.frame())
        assert button.label == "undo: highest degree"
        await pilot.press("backspace")
        assert app.heard(RunCommand)[-1].command == Revive((3, 5)), "what is given up need not be waited for"


def test_links_are_named_by_both_ends_and_mended_together() -> None:
    plan = Plan(((0.0, Cut((3, 5))), (1.0, Cut((5, 7))), (2.0, Cut((9,)))), "Three links.")
    assert (many_text(plan), many_text(PLAN)) == ("3 links", "2 peers")
    assert many_text(Plan(((0.0, Kill((3,))),), "One.")) == "1 peer"
    assert whom_text(plan, [f"p{at:03}" for at in range(10)]) == "p003-p005 p005-p007 p009"
    started = started_attack("Links", plan, 0)
    assert (started.undo, started.done_us) == (Mend((3, 5, 7, 9)), 2_000_000)
    mended = started_attack("Links", Plan(((0.0, Mend((3, 5))),), "One link."), 0)
    assert mended.undo is None, "a cut between all of them would cut more"


# --- on the dashboard ----------------------------------------------------------------------------------------------


async def opened(person: Person) -> Attacks:
    await person.press("9")
    for _ in range(3):
        person.main.at_once()
        await person.pilot.pause()
    return person.main.query_one(Attacks)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_from_9_to_the_dead_and_back(size: tuple[int, int]) -> None:
    async with dashboard(size, asks_per_s=0.0) as person:
        panel = await opened(person)
        assert panel.display
        assert person.main.query_one(Inspector).display == (size[0] == 200)
        await person.press("down", "right")
        plan = person.session.swarm.preview(panel.command)  # type: ignore[arg-type]
        assert " ".join(person.session.swarm.labels[peer] for peer in plan.peers) in lines_of(panel, "#attack-plan")
        # Nothing is cut off: the buttons are within the panel.
        assert panel.region.contains_region(panel.query_one("#attack-do").region)
        await person.press("enter")
        assert plan.peers
        assert all(person.state(peer) == DEAD for peer in plan.peers)
        assert f"It affects {len(plan.peers)} peer{'s' * (len(plan.peers) > 1)}." in (
            person.session.frame(20).notice or ""
        )
        await person.press("backspace")
        assert all(person.state(peer) == ALIVE for peer in plan.peers)
        await person.press("escape")
        assert person.app.focused is person.view
        if size[0] == 80:
            await person.press("escape")
            assert not panel.display


async def test_a_crowd_comes_and_a_share_of_all_goes() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        panel = await opened(person)
        await person.press("end", "up")
        assert panel.preset is not None
        assert panel.preset.name == "crowd"
        await person.press("enter")
        await person.wait(12.0, slices=120)
        assert len(person.session.swarm.snapshot().state) == 24 + 50
        await person.press("down", "enter")
        await person.wait(12.0, slices=120)
        frame = person.session.frame(20)
        assert (frame.snapshot.state != ALIVE).sum() >= 0.25 * 74
        assert "for good" in panel.query_one("#attack-undo", ActionButton).tip


async def test_another_network_offers_other_attacks() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        panel = await opened(person)
        listed = panel.query_one(PresetList)
        assert {preset.name for preset in listed.presets if preset.why_not} == {"operator", "whack-a-mole"}
        restart_under("napster", person.main.context)
        for _ in range(4):
            person.main.at_once()
            await person.pilot.pause()
        there = {preset.name for preset in listed.presets if preset.why_not}
        assert "eclipse" in there
        assert "operator" not in there


async def test_the_palette_has_every_attack_and_opens_it() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        found = ActionFinder(person.main).more(person.main)
        offers = {name: action for name, action in found if name.startswith("Attack: ")}
        assert len(offers) == len(person.session.swarm.attacks())
        person.main.perform(offers["Attack: poison"])
        for _ in range(4):
            person.main.at_once()
            await person.pilot.pause()
        panel = person.main.query_one(Attacks)
        assert panel.preset is not None
        assert panel.preset.name == "poison"
        assert isinstance(person.app.focused, PresetList)
        await person.press("enter")
        assert person.session.swarm.snapshot().poisoned.any()


async def test_in_a_narrow_terminal_a_drawer_that_opens_closes_the_other() -> None:
    async with dashboard((80, 24), asks_per_s=0.0) as person:
        panel, inspector = await opened(person), person.main.query_one(Inspector)
        await person.press("escape", "right", "1")
        assert inspector.display
        assert not panel.display
        await person.press("9")
        assert panel.display
        assert not inspector.display
        await person.press("escape", "enter")
        assert inspector.display


async def test_an_attack_of_a_scenario_is_called_off_from_the_menu_the_palette_and_the_panel() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        swarm = person.session.swarm
        swarm.do(Attack("collusion", share=1.0, over_s=600.0, word="song"), "scenario")
        await person.press("right", "backslash")
        menu = person.main.query_one(Menu)
        [line] = [line for line in menu.lines if line.id == "run.calloff"]
        assert line.says == "Cancel: collusion"
        await person.press("escape")
        palette = ActionFinder(person.main)
        offered = [name for name, _ in (*palette.rows(person.main), *palette.more(person.main))]
        assert offered.count("Attack: cancel: collusion") == 1
        assert not any(name.startswith("Peer: Cancel") for name in offered)
        await opened(person)
        await person.press("backspace")
        assert not swarm.snapshot().attacks
        assert [command for _, command, _ in swarm.history][-1] == CallOff("collusion")
        offered = [name for name, _ in (*palette.rows(person.main), *palette.more(person.main))]
        assert "Attack: cancel: collusion" not in offered
