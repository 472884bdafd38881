"""The options of a network on screen, the history of what was done, and the layout of panels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from person import Person, dashboard

from engine import AskFor, InputError, Kill, Set, Setup, Swarm, networks, scenario_files
from tui.actions.palette import ActionFinder
from tui.config.settings import Settings
from tui.first_frame import lines
from tui.session.done import Done
from tui.session.options import Option, options_of, text_of
from tui.session.panels import (
    ANALYSE,
    LAYOUTS,
    PRESENT,
    STANDARD,
    WATCH,
    PanelLayout,
    fitted,
    layout_file,
    layout_from,
    load,
    save,
    shown_panels,
)
from tui.widgets.banner import Banner, large
from tui.widgets.charts import Chart
from tui.widgets.filter_bar import FilterBar
from tui.widgets.history import History
from tui.widgets.menu import Menu
from tui.widgets.options_panel import Options, OptionTable, typed_of
from tui.widgets.panel import ActionButton, TextRows

pytestmark = pytest.mark.anyio


# --- options --------------------------------------------------------------------------------------------------------


def every_option() -> list[Option]:
    return [option for name in networks() for option in options_of(name, {}, {})]


def test_steps_stay_in_the_range_and_what_is_shown_can_be_typed() -> None:
    for option in every_option():
        up = down = option.default
        for _ in range(120):
            before, (up, down) = (up, down), (option.step(up, 1), option.step(down, -1))
            if (up, down) == before:
                break
            for value in (up, down):
                assert option.read(typed_of(value)) == value, option.name
                if option.allowed.kind in (int, float):
                    assert option.read(f"{text_of(value)} {option.unit}") == pytest.approx(value), option.name
        if option.allowed.kind in (int, float) and option.allowed.low is not None:
            assert down <= max(option.allowed.low, 0.1), f"{option.name} cannot be stepped to the end of its range"


def test_an_invalid_value_is_refused_with_its_range_and_unit() -> None:
    ttl = next(option for option in options_of("gnutella", {"ttl": "5"}, {}) if option.name == "ttl")
    assert (ttl.begun, ttl.now, ttl.default) == (5, 5, 7)
    for bad in ("0", "256", "x", "3.5", "1e3", "", "nan"):
        with pytest.raises(InputError, match=r"ttl, in hops, should be a whole number from 1 to 255, not"):
            ttl.read(bad)
    assert ttl.read(" 9 hops ") == 9
    for option in every_option():
        for bad in ("x", "", "1 2", "--1", "nan", "inf", "[/b]"):
            if option.allowed.kind is not str:
                with pytest.raises(InputError, match=option.name):
                    option.read(bad)


def test_what_is_read_when_a_run_begins_cannot_be_set_later() -> None:
    fixed = [(name, o.name, o.default) for name in networks() for o in options_of(name, {}, {}) if o.allowed.fixed]
    assert fixed
    for network, name, value in fixed:
        swarm = Swarm(Setup(protocol=network, peers=8))
        with pytest.raises(InputError, match=f"{name} is read when a run begins"):
            swarm.do(Set(name, value))
        text = f'protocol = "{network}"\n[[at]]\ns = 1\ndo = "set"\nname = "{name}"\nvalue = {json.dumps(value)}\n'
        with pytest.raises(InputError, match=f"{name} is read when a run begins"):
            scenario_files.parse(text, "x.toml")
        assert Swarm(Setup(protocol=network, peers=8, options={name: value})).snapshot().settings[name] == value


def told(person: Person) -> str:
    return person.main.query_one("#option-told", TextRows).text


async def test_an_option_is_changed_now_or_from_the_start_with_or_without_what_was_done() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        session = person.session
        await person.wait(1.0)
        await person.press("O")
        await person.wait(0.2)
        panel, table = person.main.query_one(Options), person.main.query_one(OptionTable)
        assert table.has_focus
        assert table.cursor == "ttl"
        assert "1 to 255 hops; default 7" in told(person)
        assert panel.query_one("#option-now", ActionButton).disabled
        await person.press("left", "left")
        assert session.swarm.snapshot().settings["ttl"] == 7, "nothing is changed before it is applied"
        await person.press("enter")
        assert session.swarm.snapshot().settings["ttl"] == 5
        assert [(each.command, each.by) for each in session.player.machine.log] == [(Set("ttl", 5), "person")]
        # A wrong value stays in the field, with the reason; its letters are no keys of the dashboard.
        await person.press("9", "9", "9", "q", "enter")
        assert 'ttl, in hops, should be a whole number from 1 to 255, not "999q"' in told(person).replace("\n", " ")
        assert panel.query_one("#option-now", ActionButton).disabled
        await person.press("down")
        assert table.cursor == "ttl"
        await person.press("escape", "down", "down", "6", "enter")
        assert (table.cursor, panel.wanted()) == ("connections", {"connections": 6})
        # The kill is an action of the person; the restart keeps what is shown, and repeats the kill.
        session.do(Kill(3))
        killed_us = session.swarm.now_us
        run, seed = session.swarm, session.player.setup.seed
        await person.press("ctrl+r")
        await person.wait(0.1)
        assert session.swarm is not run
        assert session.player.setup.options == {"ttl": 5, "connections": 6}
        assert session.player.setup.schedule == ((killed_us, Kill(3)),)
        assert session.player.setup.seed == seed
        assert "with your 1 action again" in session.notice.text
        session.swarm.advance(killed_us + 1)
        assert person.state(3) != 0
        assert [(one.command, one.who) for one in session.player.done()] == [(Kill(3), "again")]
        assert "began with 6" in told(person).replace("\n", " ")
        # The default again, and by a click on the button: without the kill.
        await person.press("backspace")
        assert panel.for_restart() == {"connections": 4}
        await person.pilot.click("#option-restart")
        await person.pilot.pause()
        assert session.player.setup.options == {"ttl": 5, "connections": 4}
        assert session.player.setup.schedule == (), "what was done is left out, what was repeated too"
        # In the past a change starts a new branch.
        await person.wait(1.0)
        session.do(Set("loss", 0.1))
        await person.wait(1.0)
        session.player.seek_to(500_000)
        session.player.finish_seek()
        session.player.pacer.pause()
        forks = session.player.machine.forks
        await person.press("home", "right", "enter")
        assert session.player.machine.forks == forks + 1
        assert [each.command for each in session.player.machine.log] == [Set("ttl", 6)]
        # The palette knows each option, by its name and by what it is.
        palette = ActionFinder(person.main)
        for typed in ("ttl", "hops"):
            assert any("Option: ttl" in hit for hit in [str(hit.text) async for hit in palette.search(typed)]), typed
        hits = {str(hit.text): hit async for hit in palette.search("ping_s")}
        hits["Option: ping_s"].command()
        await person.pilot.pause()
        assert table.cursor == "ping_s"
        for typed in ("options", "settings of the network"):
            found = [str(hit.text) async for hit in palette.search(typed)]
            assert any("options of the network" in hit for hit in found), typed


# --- what was done --------------------------------------------------------------------------------------------------


def test_a_line_of_the_history_is_a_command() -> None:
    labels = [f"p{n:03d}" for n in range(9)]
    kill = Done(1_500_000, Kill((3, 4)), "person")
    assert kill.words(labels) == "kill p003 or p004"
    assert kill.words(labels, most=1) == "kill 2 peers"
    text = f'protocol = "gnutella"\npeers = 9\n{kill.scenario_lines()}'
    assert scenario_files.parse(text, "x.toml").setup.schedule == ((1_500_000, Kill("#3 or #4")),)
    assert "copy it as lines of a scenario" in kill.no_flag()
    ask = Done(0, AskFor("role=servent", "blue train"), "person")
    assert ask.flags() == "--ask 'blue train' --from role=servent"
    assert ask.selector_line(labels) == 'ask role=servent "blue train"'
    assert not Done(9, AskFor(1, "x"), "person").flags(), "the flag asks at the start only"
    assert Done(0, Set("ttl", 5), "person").flags() == "--set ttl=5"
    assert Done(0, Set("loss", 0.1), "person").flags() == "--loss 0.1"


async def test_the_history_lists_copies_and_jumps_and_a_chart_goes_to_a_moment(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = Settings(path=tmp_path / "file" / "config.toml")
    async with dashboard(asks_per_s=0.0, settings=nowhere) as person:
        session = person.session
        # With no peer chosen, the menu opens panels and layouts.
        await person.wait(0.1)
        await person.press("backslash")
        ids = [line.id for line in person.main.query_one(Menu).lines]
        assert {"panel.options", "panel.history", "panels.watch"} <= set(ids)
        await person.press(*["down"] * ids.index("panels.watch"), "enter")
        assert person.main.panels.name == WATCH
        await person.press("f2")
        assert person.toasts.count("The layout is kept only until you leave") == 1
        await person.press("Y")
        assert "Nothing was done yet" in person.toasts
        await person.wait(1.0)
        await person.press("right", "x")
        at_us = session.swarm.now_us
        await person.wait(2.0)
        session.do(Set("loss", 0.2))
        await person.press("H")
        await person.wait(0.1)
        panel = person.main.query_one(History)
        assert panel.has_focus
        assert [one.command.verb for one in session.player.done()] == ["kill", "set"]
        await person.press("home", "end", "Y")
        assert 'do = "kill"' in person.app.clipboard
        await person.press("backslash")
        await person.press("down", "down", "enter")
        assert person.app.clipboard.startswith("kill p0")
        person.main.query_one(History).focus()
        await person.press("enter")
        session.player.finish_seek()
        assert session.swarm.now_us == at_us
        await person.wait(0.1)
        assert [one.ahead for one in session.player.done()] == [False, True]
        # A click on a chart goes to the moment under the pointer; on its frame, it asks for the series.
        chart = person.main.query_one("#chart-alive", Chart)
        column = next(x for x in range(chart.size.width) if chart.sample_at(x) is not None)
        sample = chart.sample_at(column)
        assert sample is not None
        await person.pilot.click("#chart-alive", offset=(column + 1, 2))
        session.player.finish_seek()
        assert abs(session.swarm.now_us / 1e6 - float(chart._t_s[sample])) < 0.2
        assert not person.main.query_one("#menu").display
        await person.pilot.click("#chart-alive", offset=(3, 0))
        await person.pilot.pause()
        assert person.main.query_one("#menu").display


# --- layout ---------------------------------------------------------------------------------------------------------


async def test_focus_keys_sizes_and_layouts_of_panels_and_that_they_are_kept(tmp_path: Path) -> None:
    settings = Settings(path=tmp_path / "config.toml")
    async with dashboard(settings=settings) as person:
        main = person.main

        def here() -> str:
            return main.panel_at(person.app.focused)

        await person.wait(0.2)
        seen = [here()]
        for _ in range(6):
            await person.press("tab")
            seen.append(here())
        assert seen == ["swarm", "inspector", "asks", "controls", "charts", "feed", "swarm"]
        await person.press("shift+tab", "shift+tab")
        assert here() == "charts"
        # Arrows go through a panel, and its last focused part has the focus when the panel is focused again.
        first = person.app.focused
        await person.press("right")
        second = person.app.focused
        assert second is not first
        await person.press("tab", "shift+tab")
        assert person.app.focused is second
        await person.press("3", *["down"] * 6)
        assert here() == "controls"
        assert person.app.focused is not None
        assert person.app.focused.id == "verb"
        await person.press("down")
        assert person.app.focused.id == "selector"
        # The key bar begins with the keys of the panel.
        words = [offer.word for offer in main._offers[:3]]
        assert words == ["go", "change", "press"]
        # Borders move by key and by mouse.
        await person.press("shift+tab")
        side, middle = main.size_of("side"), main.size_of("middle")
        assert side is not None
        assert middle is not None
        await person.press("ctrl+up", "ctrl+left")
        assert (main.size_of("side"), main.size_of("middle")) == (side + 2, middle + 1)
        row = main.query_one("#middle").region
        chosen = person.session.selection.selected
        await person.pilot.mouse_down(offset=(20, row.y))
        await person.pilot.hover(offset=(20, row.y - 3))
        await person.pilot.mouse_up(offset=(20, row.y - 3))
        assert main.size_of("middle") == middle + 4
        assert person.session.selection.selected == chosen
        edge = main.query_one("#inspector").region.x
        await person.pilot.mouse_down(offset=(edge, 8))
        await person.pilot.hover(offset=(edge - 9, 8))
        await person.pilot.mouse_up(offset=(edge - 9, 8))
        assert main.size_of("side") == side + 11
        for _ in range(15):
            await person.press("ctrl+right")
        assert "cannot be moved further" in person.toasts
        # Layouts, one key away; a panel that was closed in one stays closed in it.
        await person.press("2", "2", "f5")
        assert main.panels.name == PRESENT
        await person.wait(0.1)
        banner = main.query_one(Banner)
        assert banner.display
        assert main.view.names
        await person.press("d")
        assert banner.key[0] == "d"
        await person.press("f3", "f2")
        assert main.panels.name == STANDARD
        assert not main.query_one("#asks").display
        assert not banner.display
        # What was typed is remembered.
        await person.press("slash", *"role=servent", "enter", "slash", "delete", *"p003", "enter")
        bar = main.query_one(FilterBar)
        await person.press("slash", "delete", "up")
        assert bar.history == ["role=servent", "p003"]
        field = bar.query_one("#filter-input")
        assert field.value == "p003"  # type: ignore[attr-defined]
        await person.press("up")
        assert field.value == "role=servent"  # type: ignore[attr-defined]
        await person.press("down", "down")
        assert field.value == ""  # type: ignore[attr-defined]
        await person.press("escape")
        wanted = main.panels.to_json()
    async with dashboard(settings=settings) as person:
        assert person.main.panels.to_json() == wanted
        assert not person.main.query_one("#asks").display
        await person.press("f2")
        assert person.main.query_one("#asks").display, "the same layout once more is as it was at first"


def test_of_a_saved_layout_all_valid_parts_are_used(tmp_path: Path) -> None:
    path = layout_file(tmp_path / "config.toml")
    assert load(path) == PanelLayout()
    made = PanelLayout()
    made.use(WATCH)
    made.wishes["feed"] = True
    made.sizes["middle"] = 9
    save(path, made.to_json())
    again = load(path)
    assert (again.name, again.wishes, again.sizes) == (WATCH, made.wishes, made.sizes)
    for bad in ("", "{", "[]", "null", '{"layout": 3}', '{"layout": "x", "arrangements": 1}', "\x00", "[" * 100_000):
        path.write_text(bad, encoding="utf-8")
        assert load(path).name == STANDARD
    odd = {
        "layout": ANALYSE,
        "arrangements": {
            ANALYSE: {"panels": {"asks": False, "nosuch": True, "feed": 1}, "sizes": {"side": -4, "middle": True}},
            "nosuch": {},
            WATCH: 3,
        },
    }
    read = layout_from(json.loads(json.dumps(odd)))
    assert (read.name, read.wishes, read.sizes) == (ANALYSE, {"asks": False}, {})


def test_the_first_frame_has_the_panels_that_were_left_open() -> None:
    plain = "\n".join(lines(120, 36, "gnutella", ()))
    assert "─ inspector ─" in plain
    made = PanelLayout()
    made.use(WATCH)
    made.wishes["kinds"] = True
    text = lines(120, 36, "gnutella", (), layout=made)
    assert len(text) == 36
    assert {len(line) for line in text} == {120}
    assert "─ kinds ─" in "\n".join(text)
    assert "─ inspector ─" not in "\n".join(text)
    made.use(PRESENT)
    for size in ((60, 18), (80, 24), (120, 36), (200, 50)):
        assert len(lines(*size, "gnutella", (), layout=made)) == size[1]


def test_every_layout_has_room_for_the_picture() -> None:
    for width, height in ((60, 18), (80, 24), (120, 36), (200, 50)):
        for name, layout in LAYOUTS.items():
            for sizes in (layout.sizes, {"side": 900, "middle": 900, "bottom": 900}):
                shown = shown_panels(width, height, layout.wishes)
                made = fitted(sizes, width, height, shown)
                assert height - 3 - made.get("middle", 0) - made.get("bottom", 0) >= min(6, height // 3), name
                assert width - made.get("side", 0) >= 40
                assert "side" not in made or width >= 100


def test_figures_for_an_audience_are_three_lines_of_one_width() -> None:
    for text in ("0123456789", "61/64", "100%", "–"):
        rows = large(text)
        assert len({len(row) for row in rows}) == 1
        assert any(row.strip() for row in rows)
