"""Jump mode, the preview of themes, exported files, density and motion, the palette."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import scenes
from person import Person, dashboard
from stage import lines_of
from textual.command import CommandPalette
from textual.events import Key
from textual.widgets import Input, OptionList

from engine import Scenario, Setup, Swarm, networks, scenario_files
from tui.actions.palette import SKIP, ActionFinder
from tui.actions.run import open_scenario
from tui.actions.table import ACTIONS
from tui.config import themes
from tui.config.settings import Settings
from tui.draw import jump_tags
from tui.draw.colours import ABOUT as COLOURED
from tui.draw.raster import Canvas
from tui.draw.stage import PLACEMENTS
from tui.screens.frame_clock import LEAST_FPS, LEAST_S, FramePace, next_due
from tui.screens.jump import JumpScreen
from tui.screens.main import MainScreen
from tui.screens.picker import Picker
from tui.session import export
from tui.widgets.feed import Feed
from tui.widgets.theme_drawer import ThemeDrawer

pytestmark = pytest.mark.anyio


# --- jumping --------------------------------------------------------------------------------------------------------


async def jumping(person: Person) -> JumpScreen:
    await person.press("j")
    screen = person.app.screen
    assert isinstance(screen, JumpScreen)
    return screen


def line_of(screen: JumpScreen) -> str:
    return lines_of(screen, "#jump")


async def test_a_letter_selects_the_peer_it_stands_on() -> None:
    async with dashboard(peers=12) as person:
        view = person.view
        tags = dict((await jumping(person)).tags or {})
        assert tags
        letter, peer = next(iter(tags.items()))
        assert letter in view.text
        await person.press(letter)
        assert person.session.selection.selected == peer
        assert person.app.focused is view
        assert "jump" not in view.over


async def test_two_letters_are_typed_one_by_one_and_the_first_can_be_erased() -> None:
    async with dashboard(size=(160, 45), peers=300) as person:
        await person.press("g")
        screen = await jumping(person)
        tags = dict(screen.tags or {})
        assert {len(text) for text in tags} == {2}
        text, peer = list(tags.items())[-1]
        await person.press(text[0])
        assert person.session.selection.selected is None
        assert text[0] + "…" in line_of(screen)
        await person.press("backspace")
        assert "letters go to a peer" in line_of(screen)
        await person.press(*text)
        assert person.session.selection.selected == peer


async def test_a_digit_goes_to_the_panel_and_escape_leaves_all_as_it_was() -> None:
    async with dashboard() as person:
        await person.press("j", "5")
        assert isinstance(person.app.focused, Feed)
        await person.press("escape")
        screen = await jumping(person)
        assert len(screen.query(".jump-tag")) >= 4
        await person.press("escape")
        assert person.app.focused is person.view
        assert person.session.selection.selected is None
        assert "jump" not in person.view.over
        # Options have no digit: the key that opens them goes there.
        await person.press("O", "escape")
        await person.press("j", "O")
        assert [w.id for w in person.app.focused.ancestors_with_self if w.id == "options"]


async def test_in_jump_mode_no_letter_does_its_usual_action() -> None:
    async with dashboard(peers=3) as person:
        await person.press("right")
        await person.press("j", "x")
        assert person.state(person.session.selection.selected or 0) == 0
        assert isinstance(person.app.screen, MainScreen)


async def test_keys_in_one_read_go_to_jump_mode_which_closes_once() -> None:
    async with dashboard(peers=3, asks_per_s=0.0) as person:
        for keys in (("j", "escape", "escape"), ("j", "5", "5"), ("j", "q"), ("j", "up", "x", "j", "1")):
            for key in keys:
                person.app.post_message(Key(key, key if len(key) == 1 else None))
            await person.pilot.pause()
            assert isinstance(person.app.screen, MainScreen), keys
            assert not person.session.swarm.history, keys


async def test_a_letter_in_the_same_read_as_the_key_that_opens_jump_mode_goes_to_its_peer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.screens.main.PRESSED_S", 1e9)  # no frame is drawn while more keys wait
    async with dashboard(peers=12, asks_per_s=0.0) as person:
        letter, peer = next(iter(dict((await jumping(person)).tags or {}).items()))
        await person.press("escape")
        for key in ("j", letter, "a", *"xyz"):
            person.app.post_message(Key(key, key))
        await person.pilot.pause()
        assert person.session.selection.selected == peer
        field = person.app.focused
        assert isinstance(field, Input)
        assert field.value == "xyz"
        assert not person.session.swarm.history


async def test_a_letter_of_another_alphabet_is_reported_as_no_key_in_jump_mode() -> None:
    async with dashboard(peers=12) as person:
        screen = await jumping(person)
        person.app.post_message(Key("ф", "ф"))
        await person.pilot.pause()
        assert "Keys are the Latin letters" in person.toasts
        assert person.app.screen is screen


async def test_a_click_or_another_size_closes_jump_mode() -> None:
    async with dashboard(peers=12) as person:
        await jumping(person)
        await person.pilot.click(offset=(10, 10))
        assert isinstance(person.app.screen, MainScreen)
        assert person.session.selection.selected is None
        for size in ((1, 1), (80, 24), (200, 60)):
            await person.pilot.resize_terminal(120, 36)
            await jumping(person)
            await person.pilot.resize_terminal(*size)
            await person.pilot.pause()
            assert isinstance(person.app.screen, MainScreen), size
            assert "jump" not in person.view.over, size


async def test_the_picture_and_its_letters_are_updated_in_jump_mode() -> None:
    async with dashboard(peers=12, asks_per_s=20.0) as person:
        main = person.main
        screen = await jumping(person)
        frames, tags = main.frames, screen.tags
        for _ in range(5):
            person.clock.now += 0.2
            person.session.player.pacer.slice()
            main.at_once()
            await person.pilot.pause()
        assert main.frames >= frames + 5
        assert screen.tags == tags
        # What the terminal gets is what the dashboard shows, with the line of jump mode on it.
        compositor = screen._compositor
        seen = ["".join(segment.text for segment in strip) for strip in compositor.render_strips()]
        below = ["".join(segment.text for segment in strip) for strip in main._compositor.render_strips()]
        assert [y for y, line in enumerate(seen) if "letters go to a peer" in line]
        different = [y for y, (a, b) in enumerate(zip(seen, below, strict=True)) if a != b]
        assert len(different) <= 1 + len(screen.query(".jump-tag"))


async def test_zooming_assigns_the_letters_anew() -> None:
    async with dashboard(peers=600) as person:
        screen = await jumping(person)
        before = dict(screen.tags or {})
        assert f"{len(before)} of 600 in sight" in line_of(screen)
        await person.press("plus", "plus", "plus")
        assert screen.tags != before
        assert person.app.screen is screen


def test_letters_never_touch_and_important_peers_get_them_first() -> None:
    crowd = scenes.scene(scenes.quiet(40), [(3.0 * (i % 20), 8.0 * (i // 20)) for i in range(40)])
    canvas = Canvas(32, 5)
    dealt, seen = jump_tags.tag(canvas, crowd, first=[7])
    assert seen == 40
    assert 7 in dealt.values()
    assert all(not other.startswith(text) for text in dealt for other in dealt if other != text)
    jump_tags.draw(canvas, crowd, dealt)
    drawn = (canvas.glyph != 0).sum()
    assert drawn == sum(len(text) for text in dealt)
    jump_tags.draw(Canvas(32, 5), crowd, dealt, "no such")


def test_there_are_letters_for_hundreds() -> None:
    many = jump_tags.spell(600)
    assert len(set(many)) == 600
    assert {len(text) for text in many} == {2}
    assert {len(text) for text in jump_tags.spell(26)} == {1}
    assert jump_tags.tag(Canvas(4, 4), scenes.scene(scenes.quiet(1), [(-50.0, -50.0)])) == ({}, 0)


# --- themes ---------------------------------------------------------------------------------------------------------


async def test_a_theme_is_seen_while_choosing_and_escape_goes_back() -> None:
    async with dashboard() as person:
        before = person.app.theme
        inks = person.view._styles[:]
        await person.press("t", "down")
        assert person.app.theme == person.app.preferences.our_themes[1] != before
        await person.wait(0.5)
        assert person.view._styles != inks
        assert person.session.player.pacer.playing, "the swarm goes on beside the list"
        await person.press("escape")
        assert person.app.theme == before
        assert not person.main.query_one(ThemeDrawer).is_open
        await person.press("t", "tab", "tab", "enter")
        assert person.app.theme == person.app.preferences.our_themes[2]
        assert not person.toasts, "without a configuration nothing is written, and nothing need be said"


def theme_file(background: str) -> str:
    return f'[theme]\nbackground = "{background}"\nforeground = "#ffffff"\nprimary = "#00ff00"\n'


async def test_an_own_theme_is_applied_again_when_it_is_saved(home: Path) -> None:
    folder = themes.user_folder()
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(theme_file("#101010"))
    async with dashboard(settings=Settings(theme="mine")) as person:
        assert person.app.theme == "mine"
        assert person.main.styles.background.hex6 == "#101010"
        (folder / "mine.toml").write_text(theme_file("#202020"))
        (folder / "second.toml").write_text(theme_file("#303030"))
        person.app.preferences.look_at_files()
        await person.pilot.pause()
        assert person.main.styles.background.hex6 == "#202020"
        assert "second" in person.app.preferences.our_themes

        (folder / "mine.toml").write_text("[theme]\nbackground = 3")
        (folder / "second.toml").unlink()
        person.app.preferences.look_at_files()
        await person.pilot.pause()
        assert f"{folder / 'mine.toml'}: [theme]: background should be a colour" in person.toasts
        assert person.main.styles.background.hex6 == "#202020", "the last that was right is kept"
        assert "second" not in person.app.preferences.our_themes
        assert "second" not in person.app.available_themes

        told = person.toasts
        person.app.preferences.look_at_files()
        assert person.toasts == told, "nothing was saved since, so nothing is said"


# --- exports --------------------------------------------------------------------------------------------------------


async def test_a_screenshot_is_a_picture_and_a_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("space", "S")
        text = (tmp_path / "swarmtop-gnutella-7-001.txt").read_text()
        assert "╭─ swarm · world " in text
        assert [line[1:78].rstrip("│ ") for line in text.splitlines()[2:8]] == [
            line.rstrip() for line in person.view.text.splitlines()[:6]
        ]
        picture = ElementTree.fromstring((tmp_path / "swarmtop-gnutella-7-001.svg").read_text())
        assert picture.tag.endswith("svg")
        assert "./swarmtop-gnutella-7-001.svg, swarmtop-gnutella-7-001.txt" in person.toasts
        await person.press("S")
        assert (tmp_path / "swarmtop-gnutella-7-002.svg").exists(), "nothing is written over"


async def test_a_saved_scenario_opens_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    async with dashboard(scenario=scenario_files.find("injunction")) as person:
        await person.wait(1.0)
        await person.press("right", "x")
        await person.wait(1.5)
        await person.press("W")
        saved = scenario_files.find("swarmtop-napster-7-001.toml")
        again = Swarm(saved.setup)
        again.advance(person.session.swarm.now_us)
        assert again.fingerprint() == person.session.swarm.fingerprint()
        assert saved.captions == person.session.player.scenario.captions
        assert saved.expects == person.session.player.scenario.expects
        assert "with your 1 action" in saved.about
        assert "p does here" in person.toasts
        await person.press("p", "tab")
        assert isinstance(person.app.screen, Picker)
        assert any(choice.name == "swarmtop-napster-7-001.toml" for choice in person.app.screen.group.items)


async def test_asks_and_series_come_as_csv_and_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    async with dashboard(asks_per_s=2.0) as person:
        await person.wait(4.0, slices=80)
        person.session.ask_for('=cmd, "quoted"', 1)
        await person.wait(1.0)
        await person.press("E")
    made = json.loads((tmp_path / "swarmtop-gnutella-7-001.json").read_text())
    asks = list(csv.DictReader((tmp_path / "swarmtop-gnutella-7-001-asks.csv").read_text().splitlines()))
    series = list(csv.DictReader((tmp_path / "swarmtop-gnutella-7-001-series.csv").read_text().splitlines()))
    assert [int(row["id"]) for row in asks] == [ask["id"] for ask in made["asks"]]
    assert made["asks"][0].keys() - {"progress"} <= asks[0].keys(), "the table has what the JSON has"
    assert {"done", "of"} <= asks[0].keys(), "progress is two columns"
    assert asks[-1]["text"] == '\'=cmd, "quoted"', "no spreadsheet takes it for a formula"
    assert [float(row["alive"]) for row in series] == [value for _, value in made["series"]["alive"]]
    assert [float(row["t_s"]) for row in series] == [t for t, _ in made["series"]["alive"]]


def test_exports_go_to_the_state_folder_if_the_current_one_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(Path, "cwd", lambda: tmp_path / "file" / "none")
    (path,) = export.write("a", {".txt": "x"})
    assert path == home / "state" / "swarmtop" / "a-001.txt"
    monkeypatch.setattr(export, "state_folder", lambda: tmp_path / "file" / "none")
    with pytest.raises(export.InputError, match=r"nothing could be written to .*file.none: Not a directory"):
        export.write("a", {".txt": "x"})


def test_files_of_one_export_share_a_number(tmp_path: Path) -> None:
    (tmp_path / "a-001.csv").write_text("mine")
    made = export.write("a", {".json": "{}", ".csv": "1"}, tmp_path)
    assert [path.name for path in made] == ["a-002.json", "a-002.csv"]
    assert (tmp_path / "a-001.csv").read_text() == "mine"


async def test_a_file_that_cannot_be_written_is_reported_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(Path, "cwd", lambda: tmp_path / "file")
    monkeypatch.setattr(export, "state_folder", lambda: tmp_path / "file")
    async with dashboard() as person:
        await person.press("S", "W", "E")
        assert person.toasts.count("nothing could be written to") == 3


# --- networks and scenarios -----------------------------------------------------------------------------------------


async def test_a_scenario_shows_the_colours_that_its_captions_speak_of() -> None:
    async with dashboard(scenario=scenario_files.find("two-chains")) as person:
        assert person.main.view.colour_by == "tip"
        open_scenario("injunction", person.main.context)
        await person.pilot.pause()
        assert person.main.view.colour_by == "tip", "this one leaves the colours as they are"
        person.main.view.colour("load")
        open_scenario("two-chains", person.main.context)
        await person.pilot.pause()
        assert person.main.view.colour_by == "tip"


async def test_a_scenario_is_read_about_and_begun_from_the_dashboard() -> None:
    async with dashboard() as person:
        await person.press("right")
        await person.wait(1.0)
        await person.press("p", "tab", "i")
        picker = person.app.screen
        assert isinstance(picker, Picker)
        assert "Napster's files are on its users' machines" in picker.about
        assert "network    napster" in picker.about
        await person.press("enter")
        assert person.session.player.scenario.title == "The injunction"
        assert person.session.swarm.now_us < 500_000
        assert person.main.has_story
        await person.press("p", "g", "enter")
        assert person.session.player.setup.protocol != "napster"
        assert not person.main.has_story


# --- density and motion ---------------------------------------------------------------------------------------------


async def test_compact_gives_the_frames_to_what_they_hold() -> None:
    async with dashboard() as person:
        feed = person.main.query_one(Feed)
        picture, told = person.view.content_size.area, feed.content_size.area
        person.main.action_do("app.density")
        await person.pilot.pause()
        assert person.view.content_size.area > picture
        assert feed.content_size.area >= told
        person.main.action_do("app.density")
        await person.pilot.pause()
        assert (person.view.content_size.area, feed.content_size.area) == (picture, told)


@pytest.mark.parametrize("how", ["config", "surroundings"])
async def test_with_reduced_motion_nothing_glides(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "surroundings":
        monkeypatch.setenv("SWARMTOP_REDUCED_MOTION", "1")
    async with dashboard(settings=Settings(reduced_motion=how == "config")) as person:
        await person.press("space", "right", "g")
        x, y = person.view.stage.dots(person.clock.now)
        assert not person.view.stage.moving(person.clock.now)
        await person.wait(0.2)
        later = person.view.stage.dots(person.clock.now)
        assert np.array_equal((x, y), later)
        person.main.action_do("app.motion")
        await person.press("g")
        assert person.view.stage.moving(person.clock.now)


# --- frames ---------------------------------------------------------------------------------------------------------


async def test_no_frame_is_drawn_for_a_terminal_that_has_not_taken_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as person:
        queued = 5
        monkeypatch.setattr("tui.screens.main.unwritten", lambda app: queued)
        before, slot = person.main.frames, person.main.pace.slot_s
        await person.wait(0.5)
        assert person.main.frames == before
        assert person.main.pace.slot_s > slot
        queued = 0
        await person.wait(0.5)
        assert person.main.frames > before


def test_thirty_frames_that_are_asked_for_are_thirty_however_late_each_is_called() -> None:
    due_s, begun_s = 0.0, []
    for number in range(301):
        begun_s.append(due_s + (0.007 if number % 3 else 0.001))  # the event loop was busy
        due_s = next_due(due_s, 1 / 30, begun_s[-1] + 0.012)
    assert begun_s[300] - begun_s[0] == pytest.approx(10.0)


def test_frames_that_were_missed_are_not_made_up_for() -> None:
    assert next_due(0.0, 1 / 30, 1.0) == 1.0 + LEAST_S


def test_a_terminal_that_never_keeps_up_is_still_asked_four_times_a_second() -> None:
    pace = FramePace(30)
    for _ in range(100):
        pace.held_up()
    assert pace.slot_s == 1 / LEAST_FPS


# --- the palette ----------------------------------------------------------------------------------------------------


async def test_everything_is_found_in_the_palette_by_its_name() -> None:
    """A key, a theme, a network, a scenario, a placement: what is added to a table or a folder is in the palette."""
    async with dashboard() as person:
        palette = ActionFinder(person.main)
        rows = list(palette.rows(person.main))
        names = {name: action.tip for name, action in (*rows, *palette.more(person.main))}
        for key in ACTIONS:
            if key.shown and key.id not in SKIP:
                assert any(action.id == key.id and f"({key.shown})" in name for name, action in rows), key.id
        assert not {action.id for _, action in rows} & SKIP
        assert {f"Theme: {name}" for name, _ in themes.available()} <= set(names)
        assert {f"Network: {name}" for name in networks()} <= set(names)
        assert {f"Scenario: {one.source}" for one in scenario_files.shipped()} <= set(names)
        assert {f"Layout: {placed}" for placed in ("world", "ring")} <= set(names)
        assert all(names.values()), "each says what it will do"


def test_every_layout_and_colouring_is_a_row_of_the_table() -> None:
    ids = {action.id for action in ACTIONS}
    assert {f"view.place_{placed}" for placed in PLACEMENTS} <= ids
    assert {f"view.colour_{by}" for by in COLOURED} <= ids


KNOWN_AS = {
    "crash": "peer.kill",
    "block": "peer.censor",
    "query": "ask.here",
    "filter": "peer.filter",
    "rewind": "time.start",
    "snapshot": "run.save",
    "exit": "app.quit",
    "min cut": "ask.silence",
    "tutorial": "app.tour",
}


async def test_an_action_is_found_by_the_word_that_a_person_knows_it_by() -> None:
    async with dashboard(peers=4) as person:
        names = {name: action.id for name, action in ActionFinder(person.main).rows(person.main)}
        missed = []
        for typed, found in KNOWN_AS.items():
            hits = [str(hit.text) async for hit in ActionFinder(person.main).search(typed)]
            if found not in [names.get(name, "") for name in hits[:8]]:
                missed.append((typed, found, hits[:8]))
        assert not missed


async def test_each_action_that_has_no_key_can_be_taken_from_the_palette() -> None:
    async with dashboard() as person:
        for _, action in list(ActionFinder(person.main).rows(person.main)):
            if action.id.startswith(("app.", "view.")) and not action.shown:
                person.main.perform(action)
                await person.pilot.pause()
        assert person.main.has_class("-dense")
        assert person.app.preferences.reduced_motion
        assert person.main.tour is not None
        assert person.view.colour_by == list(COLOURED)[-1]
        assert "config.toml (new; every line is a comment)" in person.toasts


async def test_a_theme_is_seen_while_it_is_marked_in_the_palette() -> None:
    async with dashboard(scenario=Scenario(setup=Setup(peers=4, seed=7))) as person:
        before = person.app.theme
        await person.press("ctrl+p")
        palette = person.app.screen
        assert isinstance(palette, CommandPalette)
        palette.query_one(Input).value = "Theme: paper"
        listed = palette.query_one(OptionList)
        while not (listed.option_count and "paper" in str(listed.get_option_at_index(0).prompt)):
            await person.pilot.pause()
        await person.press("down")
        assert person.app.theme == "paper"
        await person.press("escape", "escape")
        await person.pilot.pause()
        assert person.app.theme == before
