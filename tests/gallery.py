"""The moving picture and the pictures of the networks in the README: `python tests/gallery.py [NAME ...]`.

The dashboard runs without a terminal, by a clock that this program moves; its keys are pressed.
Its cells are drawn as in `picture.py`. `resilience` is the chart of the README: what `swarmtop run --sweep` prints.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from picture import COLOURS, FONTS, GALLERY, draw
from PIL import Image, ImageDraw, ImageFont
from rich.style import Style

sys.path.insert(0, str(Path(__file__).parent / "tui"))
import controlled_time
import pytest
from person import Person, dashboard

WIDE, SMALLER = (100, 30), (96, 28)
SCALE = 0.8
"""The moving picture is smaller than the others by this factor."""
FRAME_MS, HOLD_MS = 160, 1800
SEED = 7
LOGIN_S = 2.0
"""After this the users of Napster have logged in."""
TEXT = "blue train"
GIF_COLOURS = 96

README = GALLERY.parents[1] / "README.md"
SWEEP = "kill:0:0.9:10"
REPEAT = 2
INK = {
    "paper": "#0a0f1c", "grid": "#2a3550", "text": "#9fb0c8",
    "web": "#ff6b6b", "napster": "#5b9fd6", "gnutella": "#ffb347", "gossip": "#6fe3c9",
}  # fmt: skip
NETWORKS = ("web", "napster", "gnutella", "gossip")
SHOWN = (
    *(*NETWORKS, "kademlia", "swim", "bitcoin", "bittorrent", "limewire", "kazaa"),
    *("skype", "tor", "volunteer", "routing", "averaging"),
)
"""Networks with a picture of their own."""
COLOUR = {"averaging": "estimate"}
"""Network -> the colouring of its picture, if it is not the usual one."""
SERVERS = {"web": "server", "napster": "index"}


def image(person: Person) -> Image.Image:
    """The present screen."""
    cells: list[list[tuple[str, Style | None]]] = []
    for strip in person.app.screen._compositor.render_strips():
        cells.append([(letter, segment.style) for segment in strip for letter in segment.text])
    return draw(cells)


class Film:
    """Frames of a moving picture, each with the time for which it is shown."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.frames: list[Image.Image] = []
        self.shown_ms: list[int] = []

    def take(self, shown_ms: int = FRAME_MS) -> None:
        self.person.main.at_once()
        full = image(self.person)
        size = round(full.width * SCALE), round(full.height * SCALE)
        self.frames.append(full.resize(size, Image.Resampling.LANCZOS))
        self.shown_ms.append(shown_ms)

    async def wait(self, seconds: float, frames: int) -> None:
        for _ in range(frames):
            await self.person.wait(seconds / frames, slices=8)
            self.take()

    async def ask(self) -> None:
        await self.person.press("a")
        await self.person.type(TEXT)
        self.take(700)
        await self.person.press("enter")
        await self.wait(8.0, 14)
        await self.person.wait(2.0)
        self.take(HOLD_MS)

    def save(self, name: str) -> None:
        path = GALLERY / f"{name}.gif"
        some = self.frames[2::5]
        sheet = Image.new("RGB", (some[0].width, some[0].height * len(some)))
        for at, frame in enumerate(some):
            sheet.paste(frame, (0, at * frame.height))
        palette = sheet.quantize(GIF_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames]
        flat[0].save(path, save_all=True, append_images=flat[1:], duration=self.shown_ms, loop=0, optimize=True)
        print(path, path.stat().st_size, len(flat), "frames")


def plan(**changes: object) -> dict[str, object]:
    return {"seed": SEED, "peers": 64, "latency": "world", "asks_per_s": 0.0} | changes


async def film() -> None:
    """Ask, kill the peer that answered, ask again; then the same in Napster, where the index is killed."""
    async with dashboard(WIDE, **plan()) as person:
        film = Film(person)
        await person.press("f3")
        film.take(900)
        await film.ask()
        await person.press("A")
        film.take(700)
        await person.press("x")
        film.take(HOLD_MS)
        await film.ask()
        await person.press("p")
        await person.type("napster")
        await person.press("enter")
        await person.wait(LOGIN_S)
        film.take(900)
        await film.ask()
        await person.press("slash")
        await person.type("index")
        await person.press("enter")
        await person.press("x")
        film.take(HOLD_MS)
        await film.ask()
        film.take(HOLD_MS)
        film.save("swarmtop")


async def network(name: str) -> None:
    """The picture of a network while a question of its user is under way."""
    async with dashboard(SMALLER, **plan(protocol=name)) as person:
        await person.wait(LOGIN_S)
        await person.ask(TEXT)
        await person.press("f")
        if name in COLOUR:
            await person.press("B")
            await person.type(COLOUR[name])
            await person.press("enter")
        for _ in range(400):
            await person.wait(0.05, slices=1)
            ask = person.session.selection.ask
            if name in COLOUR and person.session.swarm.now_us > (LOGIN_S + 6) * 1e6:
                break
            if ask is not None and (row := person.session.swarm.record(ask)).hits and row.reached >= 1:
                break
        path = GALLERY / f"{name}.png"
        image(person).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
        print(path, path.stat().st_size)


def measured(*words: str) -> dict[str, Any]:
    """What `swarmtop run ... --json` prints."""
    command = [str(Path(sys.executable).parent / "swarmtop"), "run", *words, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def chart(curves: dict[str, list[tuple[float, float | None]]]) -> None:
    """Draw the curves: x is the share killed, y the share answered, both from 0 to 1. Each
    curve is a pixel lower than the one before, so that equal curves can be seen."""
    wide, high, left, top = 720, 300, 60, 20
    picture = Image.new("RGB", (left + wide + 130, top + high + 40), INK["paper"])
    pen, font = ImageDraw.Draw(picture), ImageFont.truetype(FONTS[-1], 15)
    for tenth in range(0, 11, 2):
        x, y = left + wide * tenth / 10, top + high * (1 - tenth / 10)
        pen.line((left, y, left + wide, y), fill=INK["grid"])
        pen.text((left - 8, y), f"{tenth * 10}%", fill=INK["text"], font=font, anchor="rm")
        pen.text((x, top + high + 16), f"{tenth * 10}%", fill=INK["text"], font=font, anchor="mm")
    for at, (name, points) in enumerate(curves.items()):
        line = [(left + wide * x, top + high * (1 - y) + at - 1.5) for x, y in points if y is not None]
        pen.line(line, fill=INK[name], width=3)
        pen.text((left + wide + 15, top + 22 * at + 10), name, fill=INK[name], font=font, anchor="lm")
    path = GALLERY / "resilience.png"
    picture.save(path, optimize=True)
    print(path, path.stat().st_size)


def resilience() -> None:
    """Write the table of the README: the share killed against the share of asks answered."""
    curves = {name: measured("--protocol", name, "--sweep", SWEEP, "--repeat", str(REPEAT)) for name in NETWORKS}
    headless = {}
    for name, role in SERVERS.items():
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            kill = f'[[at]]\ns = 0\ndo = "kill"\npeers = "{role}"\n'
            file.write(f'title = "t"\nabout = "a"\nprotocol = "{name}"\n[asks]\nper_s = 3\n{kill}')
            file.flush()
            told = measured(file.name)
            headless[name] = told["success"]
    rows = [["killed", *NETWORKS]]
    shares = [point["share"] for point in curves["web"]["points"]]
    for at, share in enumerate(shares):
        values = [curves[name]["points"][at]["value"] for name in NETWORKS]
        rows.append([f"{share:.0%} of users", *("-" if value is None else f"{value:.0%}" for value in values)])
    rows.append(
        ["one machine: server, index", *(f"{headless[n]:.0%}" if n in headless else "no such" for n in NETWORKS)]
    )
    chart({name: [(p["share"], p["value"]) for p in curves[name]["points"]] for name in NETWORKS})
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    table = "\n".join([head, "|---|" + "---:|" * len(NETWORKS), *body])
    mark, end = "<!-- measured: resilience -->", "<!-- /measured -->"
    before, rest = README.read_text().split(mark)
    README.write_text(f"{before}{mark}\n{table}\n{end}{rest.split(end)[1]}")
    print(table)


MADE = {"film": film, **{name: lambda name=name: network(name) for name in SHOWN}}

if __name__ == "__main__":
    controlled_time.control(pytest.MonkeyPatch())
    for name in sys.argv[1:] or (*MADE, "resilience"):
        if name == "resilience":
            resilience()
        else:
            asyncio.run(MADE[name]())
