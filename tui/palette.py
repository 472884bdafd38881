"""The command palette: every key by its name, and what has no key of its own (a network, a theme, a peer, a title).

Lists come from the same table as the keys, so nothing can be had by one way only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Provider

from engine import networks, plain, title_of

from .draw.colours import ABOUT as COLOURED
from .draw.stage import ABOUT as PLACED
from .keys import TABLE
from .screens.main import MainScreen

Offer: TypeAlias = tuple[str, str, Callable[[], Any]]
PEERS, TITLES = 2_000, 200
SKIP = frozenset({"command_palette", "focus_next"})


class Palette(Provider):
    """Finds actions."""

    def _main(self) -> MainScreen | None:
        return self.screen if isinstance(self.screen, MainScreen) else None

    def _keys(self) -> Iterator[Offer]:
        main = self._main()
        seen = set()
        for key in TABLE:
            name = key.action.partition("(")[0]
            if name in SKIP or key.action in seen or (main is None and key.home == "main"):
                continue
            seen.add(key.action)
            does = f"{key.does} {key.action[8:-2]}" if name in ("toward", "pan") else key.does
            if name == "zoom":
                does = {"zoom(1)": "zoom in", "zoom(-1)": "zoom out"}.get(key.action, does)
            run = partial(self.app.run_action, key.action, self.screen if key.home == "main" else self.app)
            yield f"{key.group}: {does}  ({key.shown})", key.tip, run

    def _more(self) -> Iterator[Offer]:
        main = self._main()
        for name in sorted(self.app.available_themes):
            yield f"Theme: {name}", "Use these colours.", partial(setattr, self.app, "theme", name)
        if main is None:
            return
        for placed, told in PLACED.items():
            yield f"Layout: {placed}", told, partial(main.place, placed)
        for by, told in COLOURED.items():
            yield f"Colour by: {by}", told, partial(main.colour, by)
        for name, kind in networks().items():
            yield f"Network: {name}", f"Restart under it. {plain(title_of(kind))}", partial(main.restart_under, name)
        for verb in main.verbs():
            if verb.possible and not verb.key:
                yield f"Peer: {plain(verb.says)}", verb.tip, partial(main.action_verb, verb.id)
        driver = main.driver
        for peer, label in enumerate(driver.swarm.labels[:PEERS]):
            yield f"Select: {plain(label)}", "Select this peer.", partial(main.pick, peer)
        for title in driver.swarm.catalogue_titles(TITLES):
            yield f"Ask for: {plain(title)}", "From the selected peer, or from any.", partial(main.ask_now, title)

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """What is offered before anything is typed: the keys."""
        for name, tip, run in self._keys():
            yield DiscoveryHit(Text(name), run, text=name, help=tip)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """What matches."""
        matcher = self.matcher(query)
        for name, tip, run in (*self._keys(), *self._more()):
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=tip)
