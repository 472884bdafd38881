"""The command palette: every key by its name, and what has no key of its own (a network, a theme, a peer, a title).

Lists come from the same tables and registries as the keys and panels, so nothing can be had by one way only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Provider

from engine import networks, plain, scenario_files, title_of

from ..config.keys import keyed as filled_in
from ..draw.colours import ABOUT as COLOURED
from ..draw.stage import ABOUT as PLACED
from ..draw.styles import MODES
from ..screens.main import MainScreen
from ..session.verbs import calling_off
from ..settled import THEME
from .run import scenarios_here

if TYPE_CHECKING:
    from ..app import SwarmApp

MODES_TOLD = {
    "braille": "Eight dots a cell: the finest picture.",
    "block": "Four squares a cell, for a font without braille.",
    "ascii": "Letters only, for a terminal that has nothing else.",
}
Offer: TypeAlias = tuple[str, str, Callable[[], Any]]
PEERS, TITLES = 2_000, 200
HITS = 40
"""Whoever has not found it among so many types another letter; a list of hundreds takes long to lay out at each one."""
SKIP = frozenset({"command_palette", "focus_next"})
"""What makes no sense in here: it is open already, and it has the focus."""


class Palette(Provider):
    """Finds actions."""

    _all: tuple[Offer, ...] | None = None

    @property
    def _swarm_app(self) -> SwarmApp:
        return cast("SwarmApp", self.app)

    def _main(self) -> MainScreen | None:
        return self.screen if isinstance(self.screen, MainScreen) else None

    def keyed(self) -> Iterator[Offer]:
        """All that has a key, under the key it has now."""
        main = self._main()
        seen = set()
        for key in (key for key in self._swarm_app.keys_now if key.home != "inside"):
            name = key.action.partition("(")[0]
            if name in SKIP or key.action in seen or (main is None and key.home == "main"):
                continue
            seen.add(key.action)
            does = f"{key.does} {key.action[8:-2]}" if name in ("toward", "pan") else key.does
            if name == "zoom":
                does = {"zoom(1)": "zoom in", "zoom(-1)": "zoom out"}.get(key.action, does)
            run = partial(self.app.run_action, key.action, self.screen if key.home == "main" else self.app)
            yield f"{key.group}: {does}" + (f"  ({key.shown})" if key.shown else ""), key.tip, run

    def comforts(self) -> Iterator[Offer]:
        """What has no key, being wanted once in a while."""
        main, app = self._main(), self._swarm_app
        if main is None:
            return
        dense, calm = app.density == "compact", app.reduced_motion
        yield (
            f"Screen: {'comfortable' if dense else 'compact'} density",
            "Frames and air, or neither.",
            (main.switch_density),
        )
        yield f"Screen: {'full' if calm else 'reduced'} motion", "Whether things glide and pulse.", main.switch_motion
        yield "Help: take the tour", "Five things to do, each told when it is time.", main.begin_tour
        yield "Help: where is my configuration", "Tells the file, and writes one to begin with.", main.tell_config
        for mode in MODES:
            if mode != app.glyph_mode:
                yield f"Screen: draw with {mode}", MODES_TOLD[mode], partial(main.switch_glyphs, mode)
        for placed, told in PLACED.items():
            yield f"Layout: {placed}", told, partial(main.place, placed)
        for by, told in COLOURED.items():
            yield f"Colour by: {by}", told, partial(main.colour, by)

    def more(self) -> Iterator[Offer]:
        """What there are many of."""
        main = self._main()
        for name in self._swarm_app.our_themes:
            yield f"{THEME}{name}", "Use these colours.", partial(self._swarm_app.choose_theme, name)
        if main is None:
            return
        for name, kind in networks().items():
            yield f"Network: {name}", f"Restart under it. {plain(title_of(kind))}", partial(main.restart_under, name)
        for verb in main.verbs():
            if verb.possible and not verb.key and verb.id != "calloff":
                yield f"Peer: {plain(verb.says)}", filled_in(main.app, verb.tip), partial(main.action_verb, verb.id)
        going = main.session.swarm.snapshot().attacks
        if going:
            says, tip = calling_off(going)
            yield f"Attack: {says}", filled_in(main.app, tip), main.call_off
        for preset in main.session.swarm.attacks():
            tip = preset.why_not or preset.about
            yield f"Attack: {preset.title.lower()}", tip, partial(main.open_attack, preset.name)
        for one in (*scenario_files.shipped(), *scenarios_here()):
            about = plain(" ".join(one.about.split()), limit=160)
            yield (
                f"Scenario: {plain(one.source)}",
                f"{plain(one.title)}. {about}",
                partial(main.open_scenario, one.source),
            )
        session = main.session
        yield from self.everybody(main)
        for peer, label in enumerate(session.swarm.labels[:PEERS]):
            yield f"Select: {plain(label)}", "Select this peer.", partial(main.pick, peer)
        for title in session.swarm.catalogue_titles(TITLES):
            yield f"Ask for: {plain(title)}", "From the selected peer, or from any.", partial(main.ask_now, title)

    def everybody(self, main: MainScreen) -> Iterator[Offer]:
        """What the controls have: groups of peers, and the world they live in."""
        from ..widgets.controls import GROUPS, KNOBS, group_tips, set_to

        if main.view.frame is None:
            return
        for id_, (label, tip, possible) in group_tips(main.view.frame.snapshot).items():
            if possible:
                yield f"Everybody: {label}", tip, partial(main.carry_out, GROUPS[id_])
        for knob in KNOBS:
            if knob.name != "capacity" or "capacity" in main.view.frame.snapshot.settings:
                for index, words in enumerate(knob.words):
                    yield f"World: {knob.label} {words}", knob.tip, partial(main.carry_out, set_to(knob, index))

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """What is offered before anything is typed: the keys, and what has none."""
        for name, tip, run in (*self.keyed(), *self.comforts()):
            yield DiscoveryHit(Text(name), run, text=name, help=tip)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """What matches."""
        matcher = self.matcher(query)
        if self._all is None:  # for as long as the palette is open: the folder is not looked through at each letter
            self._all = (*self.keyed(), *self.comforts(), *self.more())
        scored = ((matcher.match(offer[0]), offer) for offer in self._all)
        best = nlargest(HITS, (one for one in scored if one[0] > 0), key=itemgetter(0))
        for score, (name, tip, run) in best:
            yield Hit(score, matcher.highlight(name), run, text=name, help=tip)
