"""Keys in the frame of a panel: a click on one does what the key does, and nothing to what the panel shows."""

from __future__ import annotations

import pytest
from person import Person, dashboard
from textual.content import Content

from tui.actions.table import ACTIONS, IDS
from tui.screens.main import OF_ASK, OF_SWARM
from tui.widgets import panel
from tui.widgets.ask_picture import AskPicture
from tui.widgets.panel import ActionButton, Offer, fitting

pytestmark = pytest.mark.anyio


async def click(person: Person, word: str) -> None:
    """On a word in the lower edge of the picture that is shown."""
    picture = person.main.picture
    below = Content.from_markup(str(picture.border_subtitle)).plain
    # It is set right: a blank, a dash and the corner come after it.
    region = picture.region
    x = region.right - 3 - len(below) + below.index(word)
    assert await person.pilot.click(offset=(x, region.bottom - 1))
    await person.pilot.pause()


def test_the_first_keys_stay_when_there_is_little_room() -> None:
    keys = [Offer("d", "diagram", "picture"), Offer("v", "belief", "belief"), Offer("h", "court", "court")]
    assert fitting(keys, len("d diagram  v belief")) == keys[:2]
    assert fitting(keys, len("d diagram  v belie")) == keys[:1]
    assert fitting(keys, 3) == []


def test_they_are_keys_of_the_table() -> None:
    assert set(OF_SWARM) | set(OF_ASK) <= IDS


async def test_the_frame_of_the_picture_opens_the_diagram_and_the_court_by_a_click() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await click(person, "court")
        assert person.session.swarm.snapshot().court is not None
        await click(person, "diagram")
        assert "no ask yet" in person.toasts.lower()
        await person.wait(1.0)
        person.main.pick(5)
        person.main.ask_now(person.session.swarm.catalogue_titles(1)[0])
        await person.pilot.pause()
        await click(person, "diagram")
        assert isinstance(person.main.picture, AskPicture)
        assert person.session.selection.selected == 5, "a click on the frame is none on the picture"
        await click(person, "tree")
        assert person.main.ask_picture.kind == "tree"
        await click(person, "swarm")
        assert person.main.picture is person.view
        assert person.session.selection.selected == 5


async def test_the_frame_says_how_much_is_under_way_and_nothing_of_how_it_is_made() -> None:
    async with dashboard() as person:
        await person.wait(1.0)
        assert "under way" in str(person.view.border_subtitle)
        assert "bound method" not in str(person.view.border_subtitle)
        words = {key.id: key.label for key in ACTIONS}
        assert [key.word for key in panel.frame_of(person.view).keys] == [words[id_] for id_ in OF_SWARM]


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
async def test_in_a_small_terminal_the_card_of_a_peer_leaves_the_picture_its_title_and_its_keys(
    size: tuple[int, int],
) -> None:
    async with dashboard(size=size) as person:
        await person.press("down")
        card, picture = person.main.panel("inspector").region, person.view.region
        assert card.area < picture.area / 2
        assert card.y > picture.y
        assert card.bottom < picture.bottom - 1
        assert picture.contains_region(card)
        buttons = person.main.panel("inspector").query(ActionButton).results()
        assert all(button.size.width >= button.get_content_width(button.size, button.size) for button in buttons)
        await person.press("enter")
        assert person.main.panel("inspector").region.height > card.height
        await person.press("escape")
        assert person.main.panel("inspector").region == card
        await person.press("escape")
        assert not person.main.panel("inspector").display


async def test_with_letters_nothing_on_the_screen_needs_more_than_ascii() -> None:
    async with dashboard(glyphs="ascii") as person:
        await person.wait(1.0)
        for key in ("7", "question_mark", "escape", "G", "escape", "t"):
            await person.press(key)
            shown = [line.text for line in person.app.screen._compositor.render_strips()]
            # Names of cities and titles are data, and the arrow of a drop-down is Textual's.
            beyond = sorted({ch for line in shown for ch in line if ord(ch) > 126 and not ch.isalpha() and ch != "▼"})
            assert not beyond, (key, beyond)
