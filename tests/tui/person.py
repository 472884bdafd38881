"""A person at the dashboard: presses keys and lets time pass, by a wall clock that moves only when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine import Setup, Swarm, plain
from engine.lab.scenario import Scenario
from tui.app import SwarmApp
from tui.config.settings import Settings
from tui.draw.styles import Mode
from tui.screens.main import MainScreen
from tui.session.session import Session
from tui.widgets.swarm_view import SwarmView

ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ToastRecorder(SwarmApp):
    """Keeps the texts of all toasts: a toast is shown for some seconds of wall time, which may be over before a test
    looks."""

    CSS_PATH = ROOT / "tui" / "swarmtop.tcss"

    def __init__(self, *words: Any, **more: Any) -> None:
        self.toast_texts: list[str] = []
        super().__init__(*words, **more)

    def notify(self, message: str, *, title: str = "", **how: Any) -> None:
        self.toast_texts.append(plain(message, limit=400))
        super().notify(message, title=title, **how)


class Person:
    """Presses keys, and lets time pass. `wait`: seconds of the wall clock, in so many slices of the swarm."""

    def __init__(self, pilot: Pilot[int], clock: Clock) -> None:
        self.pilot, self.clock = pilot, clock
        self.app: ToastRecorder = pilot.app  # type: ignore[assignment]
        self.session = self.app.session

    @property
    def main(self) -> MainScreen:
        assert isinstance(self.app.screen, MainScreen)
        return self.app.screen

    @property
    def view(self) -> SwarmView:
        return self.main.query_one(SwarmView)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*("space" if ch == " " else ch for ch in text))

    async def ask(self, text: str) -> None:
        """Type an ask into the ask bar, and send it."""
        await self.press("a")
        await self.type(text)
        await self.press("enter")

    async def wait(self, seconds: float, slices: int = 20) -> None:
        for _ in range(slices):
            self.clock.now += seconds / slices
            self.session.player.pacer.slice()
        self.main.at_once()
        await self.pilot.pause()

    def state(self, peer: int) -> int:
        return int(self.session.swarm.snapshot().state[peer])

    @property
    def toasts(self) -> str:
        """The texts of all toasts so far, one in a line."""
        return "\n".join(self.app.toast_texts)


@asynccontextmanager
async def dashboard(
    size: tuple[int, int] = (120, 36),
    scenario: Scenario | None = None,
    settings: Settings | None = None,
    glyphs: Mode | None = None,
    make: Callable[[Setup], Swarm] = Swarm,
    **setup: object,
) -> AsyncIterator[Person]:
    clock = Clock()
    plan = scenario or Scenario(setup=Setup(**{"seed": 7, "peers": 24, "latency": "constant:50"} | setup))  # type: ignore[arg-type]
    app = ToastRecorder(Session(plan, clock=clock, make=make), settings=settings, glyphs=glyphs)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield Person(pilot, clock)
