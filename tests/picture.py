"""Draws the cells of a screen as a picture, with Pillow, for `gallery.py`.

Braille dots and box lines are drawn as shapes, since few fonts have both in one width.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from rich.style import Style

GALLERY = Path(__file__).parents[1] / "tui" / "gallery"
COLOURS = 256
"""A screen has fewer colours, except at the edges of letters; with a palette the file has a third of the size."""
CELL = (10, 20)
FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", "DejaVuSansMono.ttf")
DOTS = ((0, 0, 1), (0, 1, 2), (0, 2, 4), (1, 0, 8), (1, 1, 16), (1, 2, 32), (0, 3, 64), (1, 3, 128))
BOX = {"─": "lr", "│": "ud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu"}


def rgb(color: Color | None, fallback: tuple[int, int, int]) -> tuple[int, int, int]:
    return tuple(color.get_truecolor()) if color is not None else fallback  # type: ignore[return-value]


def draw(cells: list[list[tuple[str, Style | None]]]) -> Image.Image:
    wide, high = CELL
    picture = Image.new("RGB", (len(cells[0]) * wide, len(cells) * high))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.truetype(next(name for name in FONTS if Path(name).exists() or "/" not in name), 15)
    for row, line in enumerate(cells):
        for column, (letter, style) in enumerate(line):
            x, y = column * wide, row * high
            ink = rgb(style.color if style else None, (220, 220, 220))
            paper = rgb(style.bgcolor if style else None, (0, 0, 0))
            if style is not None and style.reverse:
                ink, paper = paper, ink
            pen.rectangle((x, y, x + wide - 1, y + high - 1), fill=paper)
            code = ord(letter)
            if 0x2800 < code <= 0x28FF:
                for across, down, bit in DOTS:
                    if code - 0x2800 & bit:
                        cx, cy = x + 2.5 + across * 5, y + 2.5 + down * 5
                        pen.ellipse((cx - 1.2, cy - 1.2, cx + 1.2, cy + 1.2), fill=ink)
            elif letter in BOX:
                for way in BOX[letter]:
                    dx, dy = {"l": (-1, 0), "r": (1, 0), "u": (0, -1), "d": (0, 1)}[way]
                    mid = (x + wide // 2, y + high // 2)
                    pen.line((*mid, mid[0] + dx * wide // 2, mid[1] + dy * high // 2), fill=ink)
            elif letter != " ":
                pen.text((x + wide / 2, y + high / 2 + 1), letter, font=font, fill=ink, anchor="mm")
    return picture
