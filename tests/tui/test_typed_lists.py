"""Lists that filter as one types, the search in help, and the place of toasts."""

from __future__ import annotations

import pytest
from person import Person, dashboard
from textual.geometry import Region
from textual.widgets import OptionList

from tui.screens.help import HelpScreen
from tui.screens.picker import Picker
from tui.widgets.feed import Feed
from tui.widgets.panel import TextRows
from tui.widgets.theme_drawer import ThemeDrawer

pytestmark = pytest.mark.anyio


def listed(person: Person) -> list[str]:
    drawer = person.app.screen.query(ThemeDrawer)
    options = (drawer.first() if drawer else person.app.screen).query_one(OptionList)
    return [str(options.get_option_at_index(n).prompt).splitlines()[0][2:] for n in range(options.option_count)]


async def test_a_picker_lists_what_fits_what_is_typed_the_best_first() -> None:
    async with dashboard(peers=8) as person:
        await person.press("p")
        picker = person.app.screen
        assert isinstance(picker, Picker)
        everything = listed(person)
        await person.type("gnu")
        assert listed(person)[0] == "gnutella"
        assert picker.query_one(OptionList).highlighted == 0
        assert "no server" in picker.about
        spans = picker.query_one(OptionList).get_option_at_index(0).prompt.spans  # type: ignore[union-attr]
        assert [(span.start, span.end) for span in spans if "underline" in str(span.style)] == [(2, 5), (13, 16)]
        await person.type("xyz")
        assert picker.typed == "gnuxyz"
        options = picker.query_one(OptionList)
        assert str(options.get_option_at_index(0).prompt) == "nothing matches “gnuxyz”"
        await person.press("enter")
        assert person.app.screen is picker, "there is nothing to choose"
        await person.press("escape")
        assert (picker.typed, listed(person)) == ("", everything)
        await person.type("injunc")
        assert picker.group.name == "scenarios", "a name of the other group is found there"
        await person.press("enter")
        assert person.session.player.scenario.title == "The injunction"


async def test_themes_filter_as_one_types() -> None:
    async with dashboard(peers=8) as person:
        await person.press("t")
        await person.type("pap")
        assert listed(person)[0] == "paper"
        assert person.app.theme == "paper"
        await person.type("zzz")
        assert listed(person) == ["thing matches “papzzz”"]
        await person.press("escape", "escape")
        assert not person.main.query_one(ThemeDrawer).is_open
        await person.press("t", *"paper", "enter")
        assert person.app.theme == "paper"


async def test_help_can_be_searched() -> None:
    async with dashboard(peers=8) as person:
        await person.press("question_mark")
        screen = person.app.screen
        assert isinstance(screen, HelpScreen)
        lines = screen.query_one("#help", TextRows)
        whole = len(lines.rows)
        await person.press("slash", *"minimum")
        assert "Minimum cut: ring the fewest peers" in lines.text
        assert "Ask" in lines.text.splitlines()
        assert len(lines.rows) < whole / 4
        assert any("caption" in style for part, style in sum(lines.rows, ()) if part.lower() == "minimum")
        await person.type("xyz")
        assert lines.text == "nothing matches “minimumxyz”"
        await person.press("escape")
        assert len(lines.rows) == whole
        # Words of the field find what is called otherwise here, and what has no key.
        for typed, expected in (
            ("partition", "split off"),
            ("netsplit", "split off"),
            ("csv", "CSV"),
            ("undo", "(undo)"),
        ):
            await person.press("slash", *typed)
            assert expected in lines.text, lines.text
            assert "nothing matches" not in lines.text
            await person.press("escape")
        await person.press("escape")
        assert person.app.screen is person.main


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_a_toast_does_not_cover_the_options_and_the_sentence_of_the_layout_for_audiences(
    size: tuple[int, int],
) -> None:
    async with dashboard(peers=8, size=size) as person:
        await person.press("O")
        person.app.notify("A sentence that is told beside. " * 2, timeout=60)
        await person.pilot.pause()
        [toast] = person.app.screen.query("Toast")
        panel = person.main.panel("options").region
        assert panel.area
        assert not toast.region.overlaps(panel)
        await person.press("escape", "f5")
        await person.pilot.pause()
        view = person.main.view.region
        sentence = Region(view.x, view.y + 1, view.width, 2)
        [toast] = person.app.screen.query("Toast")
        assert not toast.region.overlaps(sentence)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_a_toast_leaves_the_feed_and_the_timeline_in_sight(size: tuple[int, int]) -> None:
    async with dashboard(peers=8, size=size) as person:
        for number in range(3):
            person.app.notify(f"A sentence that is told beside, number {number}. " * 3, title="told", timeout=60)
        await person.pilot.pause()
        toasts = person.app.screen.query("Toast")
        assert len(toasts) == 3
        covered = [toast.region for toast in toasts]
        for panel in (*person.main.query(Feed), person.main.query_one("#timeline")):
            if panel.display and panel.region.area:
                assert not any(region.overlaps(panel.region) for region in covered)
        view = person.main.view.region
        sentence = Region(view.x, view.y + 1, view.width, 2)
        assert not any(region.overlaps(sentence) for region in covered), "what just happened stands there"
        screen = person.app.screen.region
        assert all(region in screen for region in covered[:2])
