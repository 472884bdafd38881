"""What is written to the terminal: the same screen as with Textual's own codes, in far fewer bytes."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest
from person import dashboard
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.terminal_diff import Shown

CODE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|\x1b\]8;[^\x1b]*\x1b\\|(\n)|([^\x1b\n])")
OFF = {"22": {"1", "2"}, "23": {"3"}, "24": {"4", "21"}, "25": {"5"}, "27": {"7"}, "28": {"8"}, "29": {"9"}}
WIDTH, HEIGHT = 40, 8
TEXTS = ("ab", " ", "   ", "⣿⠁", "│", "x y z", "日本", "é", "e\u0301", "-------", "●")
STYLES = tuple(
    Style.parse(text)
    for text in (
        "#ff0000 on #000000",
        "bold #ff0000 on #000000",
        "dim #00ff00 on #000000",
        "bold dim #00ff00 on #102030",
        "underline #00ff00 on #102030",
        "reverse italic #0000ff on #102030",
        "red on default",
        "bright_red",
        "color(99) on color(12)",
        "strike",
        "none",
        "link http://example.org #123456",
    )
)


class ColourScreen:
    """A screen with colours: cells of (character, attributes, foreground, background)."""

    def __init__(self) -> None:
        self.cells = [[(" ", (), "", "")] * WIDTH for _ in range(HEIGHT)]
        self.x = self.y = 0
        self.attributes: set[str] = set()
        self.fore = self.back = ""

    def feed(self, text: str) -> None:
        assert CODE.sub("", text) == ""
        for args, does, line, letter in CODE.findall(text):
            if letter:
                self.put(letter)
            elif line:
                self.x, self.y = 0, min(self.y + 1, HEIGHT - 1)
            elif does == "H":
                row, column = (*(int(n or 1) for n in args.split(";")), 1)[:2]
                self.x, self.y = column - 1, row - 1
            elif does == "G":
                self.x = int(args or 1) - 1
            elif does == "m":
                self.paint((args or "0").split(";"))
            else:
                assert not does, does

    def put(self, letter: str) -> None:
        wide = cell_len(letter)
        if wide and self.x + wide <= WIDTH:
            look = tuple(sorted(self.attributes)), self.fore, self.back
            for n in range(wide):
                self.cells[self.y][self.x + n] = (letter if n == 0 else "", *look)
            self.x += wide

    def paint(self, codes: list[str]) -> None:
        while codes:
            code = codes.pop(0)
            number = int(code)
            if number in (38, 48):
                long = 4 if codes[0] == "2" else 2
                value, codes = ";".join([code, *codes[:long]]), codes[long:]
            else:
                value = code
            if number == 0:
                self.attributes, self.fore, self.back = set(), "", ""
            elif code in OFF:
                self.attributes -= OFF[code]
            elif number in (38, 39) or 30 <= number <= 37 or 90 <= number <= 97:
                self.fore = "" if number == 39 else value
            elif number in (48, 49) or 40 <= number <= 47 or 100 <= number <= 107:
                self.back = "" if number == 49 else value
            else:
                self.attributes.add(code)

    @property
    def seen(self) -> list[list[tuple[str, tuple[str, ...], str, str]]]:
        """The visible cells: attributes that a blank does not show are left out."""
        plain = {"4", "7", "9", "21"}
        return [
            [
                (ch, attributes, fore, back) if ch != " " or plain & set(attributes) else (ch, (), "", back)
                for ch, attributes, fore, back in line
            ]
            for line in self.cells
        ]


def random_strip(dice: random.Random, width: int) -> Strip:
    segments, left = [], width
    while left:
        text = dice.choice(TEXTS)
        if cell_len(text) > left:
            text = " " * left
        segments.append(Segment(text, dice.choice(STYLES)))
        left -= cell_len(text)
    return Strip(segments, width)


@pytest.mark.parametrize("seed", range(8))
def test_any_updates_leave_the_screen_that_textual_would_leave(seed: int) -> None:
    dice, shown, ours, theirs = random.Random(seed), Shown(), ColourScreen(), ColourScreen()
    console = Console(color_system="truecolor", force_terminal=True)
    simple = dice.random() < 0.5
    for step in range(25):
        wanted: CompositorUpdate
        if step == 0 or dice.random() < 0.1:
            wanted = LayoutUpdate([[random_strip(dice, WIDTH)] for _ in range(HEIGHT)], Region(0, 0, WIDTH, HEIGHT))
        else:
            cuts = [[0, *sorted(dice.sample(range(1, WIDTH), 2)), WIDTH] for _ in range(HEIGHT)]
            chops = [{a: random_strip(dice, b - a) for a, b in pairwise(line)} for line in cuts]
            rows = range(HEIGHT) if simple else dice.sample(range(HEIGHT), 3)
            spans = [(y, 0, WIDTH) for y in sorted(rows)]
            wanted = ChopsUpdate(chops, spans, [line[1:] for line in cuts])
        theirs.feed(wanted.render_segments(console))
        ours.feed(shown.update(wanted).render_segments(console))
        assert ours.seen == theirs.seen, step
        assert (
            shown.update(wanted).render_segments(console) == "" or isinstance(wanted, LayoutUpdate) or has_more(wanted)
        )


def has_more(update: ChopsUpdate) -> bool:
    """Whether an update has what is always written anew: links, and characters that are not one cell wide."""
    segments = [each for line in update.chops for strip in line.values() for each in strip or ()]
    return any((each.style and each.style.link) or cell_len(each.text) != len(each.text) for each in segments)


def test_a_full_update_is_written_whole_even_if_nothing_differs() -> None:
    """A full update is made when the program comes back to the terminal, which may show anything then."""
    shown, console = Shown(), Console(color_system="truecolor", force_terminal=True)
    wanted = LayoutUpdate([[Strip([Segment("x" * WIDTH)])] for _ in range(HEIGHT)], Region(0, 0, WIDTH, HEIGHT))
    assert shown.update(wanted).render_segments(console) == shown.update(wanted).render_segments(console) != ""


@pytest.mark.anyio
async def test_a_frame_of_the_dashboard_takes_few_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of 5 s of virtual time with background asks at ten frames a second, 64 peers at 120x36."""
    console = Console(color_system="truecolor", force_terminal=True)
    sent: list[int] = []
    async with dashboard(peers=64, latency="world", asks_per_s=0.5) as person:
        display = person.app._display

        def counted(screen: object, update: object) -> None:
            if isinstance(update, CompositorUpdate):
                sent.append(len(person.app._shown.update(update).render_segments(console).encode()))
            display(screen, update)  # type: ignore[arg-type]

        monkeypatch.setattr(person.app, "_display", counted)
        for _ in range(50):
            await person.wait(0.1, slices=2)
    assert 25 < len(sent) < 200
    assert sum(sent) / 5 < 20_000, "bytes a second of virtual time"
