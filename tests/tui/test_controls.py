"""Sliders and buttons: what they send, what they say, and how they follow what the swarm reports."""

from __future__ import annotations

import math

import frames
import numpy as np
import pytest
from person import dashboard
from stage import Stage, lines_of

from engine import AskFor, Collude, Heal, InputError, Kill, Partition, Revive, Set, Shutdown
from tui.widgets.controls import KNOBS, Controls, command_of, group_tips, nearest_stop
from tui.widgets.messages import PreviewSelector, RunCommand
from tui.widgets.panel import ActionButton
from tui.widgets.slider import HOLD_FRAMES, Slider

pytestmark = pytest.mark.anyio

SIZE = (44, 24)


def commands(app: Stage) -> list[object]:
    return [message.command for message in app.heard(RunCommand)]


async def test_keys_move_a_slider_stop_by_stop() -> None:
    panel = Controls()
    app = Stage(panel)
    async with app.run_test(size=SIZE) as pilot:
        panel.show(frames.frame())
        await pilot.pause()
        panel.query_one("#knob-churn").focus()
        await pilot.press("right", "end", "home", "left")
        panel.query_one("#knob-loss").focus()
        await pilot.press("right")
        panel.query_one("#knob-latency").focus()
        await pilot.press("left")
        await pilot.pause()
        assert commands(app) == [
            Set("churn", "exponential:3600"),
            Set("churn", "exponential:30"),
            Set("churn", "none"),
            Set("loss", 0.01),
            Set("latency", 0.7),
        ]


async def test_the_mouse_drags_the_knob() -> None:
    slider = Slider("loss", ("a", "b", "c", "d", "e"), label_cells=5, value_cells=4)
    async with Stage(slider).run_test(size=(30, 3)) as pilot:
        await pilot.click(Slider, offset=(5, 0))
        assert slider.text == "a"
        await pilot.click(Slider, offset=(24, 0))
        assert slider.text == "e"
        await pilot.mouse_down(Slider, offset=(5, 0))
        await pilot.hover(Slider, offset=(15, 0))
        assert slider.text == "c"
        await pilot.mouse_up(Slider, offset=(15, 0))
        await pilot.hover(Slider, offset=(24, 0))
        assert slider.text == "c"


async def test_a_moved_slider_shows_the_value_of_the_swarm_once_it_is_set() -> None:
    slider = Slider("loss", ("0 %", "5 %", "10 %"))
    async with Stage(slider).run_test(size=(40, 3)) as pilot:
        slider.focus()
        await pilot.press("right")
        for _ in range(HOLD_FRAMES):
            slider.set_value(0)
            assert slider.text == "5 %"
        slider.set_value(0)
        assert slider.text == "0 %"
        slider.set_value(1, "7 %")
        assert (slider.index, slider.text) == (1, "7 %")


@pytest.mark.parametrize(
    ("name", "setting", "index", "words"),
    [
        ("churn", "none", 0, None),
        ("churn", "exponential:240", 5, None),
        ("churn", "exponential:200", 5, "3 min"),
        ("churn", "weibull:0.59:2514", 0, "weibull:0.59:2514"),
        ("churn", "exponential:x", 0, "exponential:x"),
        ("loss", 0.1, 4, None),
        ("loss", 0.11, 4, "11.0%"),
        ("latency", 1.0, 6, None),
        ("latency", 1.9, 8, "x1.9"),
        ("latency", None, 6, None),
        ("asks", 0.0, 0, None),
        ("asks", 0.4, 3, "0.4/s"),
    ],
)
def test_what_the_swarm_reports_is_shown_as_it_is(name: str, setting: object, index: int, words: str | None) -> None:
    knob = next(k for k in KNOBS if k.name == name)
    assert nearest_stop(knob, setting) == (index, words)


def test_stops_and_words_belong_together() -> None:
    for knob in KNOBS:
        assert len(knob.values) == len(knob.words) == len(set(knob.words))
    assert KNOBS[0].values[0] == math.inf


async def test_buttons_act_on_many_and_say_on_how_many() -> None:
    panel = Controls()
    app = Stage(panel)
    async with app.run_test(size=SIZE) as pilot:
        snap = frames.snapshot()
        panel.show(frames.frame(snap=snap))
        await pilot.pause()
        for id_ in ("kill-some", "kill-top", "split", "heal", "revive-all"):
            await pilot.click(f"#{id_}")
        assert commands(app) == [
            Kill("random 10%"),
            Kill("top 5 degree"),
            Partition("random 50%"),
            Revive("state=dead"),
        ]
        assert "about 6 of 64" in panel.query_one("#kill-some", ActionButton).tip
        assert panel.query_one("#revive-all", ActionButton).label == "revive 2"
        assert "no partition" in panel.query_one("#heal", ActionButton).tip
        snap.group[:32] = 1
        panel.show(frames.frame(snap=snap))
        await pilot.pause()
        await pilot.click("#heal")
        assert commands(app)[-1] == Heal()


async def test_any_verb_on_any_selector() -> None:
    panel = Controls()
    app = Stage(panel)
    async with app.run_test(size=SIZE) as pilot:
        panel.show(frames.frame())
        await pilot.pause()
        panel.query_one("#selector").focus()
        await pilot.press(*"p1")
        await pilot.pause()
        assert [m.selector for m in app.heard(PreviewSelector)] == ["p", "p1"]
        panel.tell("2 peers: p001 p010")
        await pilot.pause()
        assert lines_of(panel, "#told") == "2 peers: p001 p010"
        await pilot.press("enter")
        assert commands(app) == [Kill("p1")]
        panel.query_one("#verb").value = "collude"
        await pilot.pause()
        assert panel.query_one("#word").display
        await pilot.click("#do")
        await pilot.pause()
        assert "which word?" in lines_of(panel, "#told")
        assert len(commands(app)) == 1


def test_commands_from_typed_text() -> None:
    assert command_of("collude", " role=index ", "blue") == Collude("role=index", "blue")
    assert command_of("ask", "random 3", "owl") == AskFor("random 3", "owl")
    assert command_of("shutdown", "acme", "") == Shutdown("acme")
    for verb, selector, word in (("kill", "", ""), ("ask", "p1", " "), ("reopen", "", "")):
        with pytest.raises(InputError):
            command_of(verb, selector, word)


def test_an_empty_swarm_has_nothing_to_press() -> None:
    dead = frames.snapshot(state=np.ones(64, np.uint8))
    tips = group_tips(dead)
    assert not tips["kill-some"][2]
    assert tips["revive-all"][0] == "revive 64"


async def test_lines_and_jitter_have_sliders_and_a_run_without_lines_says_so() -> None:
    panel = Controls()
    app = Stage(panel)
    async with app.run_test(size=SIZE) as pilot:
        panel.show(frames.frame())
        await pilot.pause()
        lines = panel.query_one("#knob-capacity", Slider)
        assert lines.disabled
        assert "no capacity in this run" in str(lines.tooltip)
        panel.query_one("#knob-jitter").focus()
        await pilot.press("right", "right")
        assert commands(app) == [Set("jitter", 1.0), Set("jitter", 2.0)]
        settings = {**frames.snapshot().settings, "capacity": 0.5, "jitter": 7.0}
        panel.show(frames.frame(snap=frames.snapshot(settings=settings)))
        assert not lines.disabled
        assert lines.text == "x0.5"
        lines.focus()
        await pilot.press("left")
        assert commands(app)[-1] == Set("capacity", 0.3)


async def test_all_controls_are_shown_in_a_large_terminal_or_on_the_whole_screen() -> None:
    for size, there in (((120, 36), False), ((200, 50), True)):
        async with dashboard(size, asks_per_s=0.0) as person:
            await person.pilot.pause()
            panel = person.main.query_one(Controls)
            assert panel.query_one("#knob-jitter").display == there
            panel.query_one("#knob-loss").focus()
            await person.press("f")
            assert panel.query_one("#knob-jitter").display
            panel.query_one("#knob-jitter").focus()
            await person.press("right")
            assert person.session.swarm.snapshot().settings["jitter"] == 1.0
