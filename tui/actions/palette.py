"""The command palette: every row of the table of actions, and long lists (networks, themes, peers, titles).

The entries are actions like those of the table, made from the same registries as the panels, so that everything can be
done in more than one way. It searches names and synonyms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from heapq import nlargest
from operator import itemgetter

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Provider
from textual.fuzzy import Matcher

from engine import Command, PeerId, networks, plain, scenario_files, title_of
from tui.config.keys import keyed
from tui.preferences import THEME
from tui.screens.main import Action, Context, MainScreen
from tui.session.options import options_of, text_of

from .run import open_scenario, restart_under, scenarios_here

PEERS, TITLES = 2_000, 200
HITS = 40
"""Most hits that are listed: a list of hundreds takes long to lay out after each letter."""
SKIP = frozenset({"app.palette", "app.focus", "app.focus_back"})
"""Actions that make no sense here: the palette is open already and has the focus."""


def _use_theme(name: str, context: Context) -> None:
    context.app.preferences.choose_theme(name)


def _open_attack(name: str, context: Context) -> None:
    context.screen.open_attack(name)


def _open_option(name: str, context: Context) -> None:
    context.screen.open_option(name)


def _carry_out(command: Command, context: Context) -> None:
    context.screen.carry_out(command)


def _pick(peer: PeerId, context: Context) -> None:
    context.screen.pick(peer)


def _ask_for(title: str, context: Context) -> None:
    context.screen.ask_now(title)


class Palette(Provider):
    """Finds actions."""

    _all: tuple[tuple[str, Action], ...] | None = None

    def _main(self) -> MainScreen | None:
        """The dashboard, which may have a dialog over it."""
        return next((screen for screen in self.app.screen_stack if isinstance(screen, MainScreen)), None)

    def rows(self, main: MainScreen) -> Iterator[tuple[str, Action]]:
        """The table, with the present keys. Actions that have no key and are not possible are left out."""
        over = self.screen is not main
        for row in main.context.app.preferences.keys_now:
            if not isinstance(row, Action) or row.id in SKIP or (over and row.home == "main"):
                continue
            if not row.shown and main.why_not(row):
                continue
            says = row.says or (row.told(main.context).says if not row.shown else "")
            name = says if ": " in says else f"{row.group}: {says or row.label}"
            yield plain(name) + (f"  ({row.shown})" if row.shown else ""), row

    def more(self, main: MainScreen) -> Iterator[tuple[str, Action]]:
        """The long lists."""
        for name in main.context.app.preferences.our_themes:
            yield _one(f"{THEME}{name}", "Use these colours.", partial(_use_theme, name))
        if self.screen is not main:
            return
        session = main.session
        for name, kind in networks().items():
            tip = f"Restart under it. {plain(title_of(kind))}"
            yield _one(f"Network: {name}", tip, partial(restart_under, name), "protocol")
        settings = session.swarm.snapshot().settings
        for option in options_of(session.player.setup.protocol, session.player.setup.options, settings):
            tip = f"Now {text_of(option.now)} {option.unit}".rstrip() + f", {option.range}. {option.allowed.about}"
            synonyms = f"{option.allowed.about}, setting, parameter"
            yield _one(f"Option: {option.name}", tip, partial(_open_option, option.name), synonyms)
        for preset in session.swarm.attacks():
            tip = preset.why_not or preset.about
            yield _one(f"Attack: {preset.title.lower()}", tip, partial(_open_attack, preset.name), "failure")
        for one in (*scenario_files.shipped(), *scenarios_here()):
            about = plain(" ".join(one.about.split()), limit=160)
            yield _one(
                f"Scenario: {plain(one.source)}",
                f"{plain(one.title)}. {about}",
                partial(open_scenario, one.source),
            )
        yield from self.everybody(main)
        for peer, label in enumerate(session.swarm.labels[:PEERS]):
            yield _one(f"Select: {plain(label)}", "Select this peer.", partial(_pick, peer))
        for title in session.swarm.catalogue_titles(TITLES):
            yield _one(f"Ask for: {plain(title)}", "From the selected peer, or from any.", partial(_ask_for, title))

    def everybody(self, main: MainScreen) -> Iterator[tuple[str, Action]]:
        """The actions of the controls: on groups of peers, and on the network."""
        from tui.widgets.controls import GROUPS, KNOBS, group_tips, set_to

        frame = main.view.frame
        if frame is None:
            return
        for id_, (label, tip, possible) in group_tips(frame.snapshot).items():
            if possible:
                yield _one(f"All peers: {label}", tip, partial(_carry_out, GROUPS[id_]))
        for knob in KNOBS:
            if knob.name != "capacity" or "capacity" in frame.snapshot.settings:
                for index, words in enumerate(knob.words):
                    yield _one(f"Setting: {knob.label} {words}", knob.tip, partial(_carry_out, set_to(knob, index)))

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Entries before anything is typed: the table."""
        main = self._main()
        if main is not None:
            for name, row in self.rows(main):
                yield DiscoveryHit(Text(name), partial(main.perform, row), text=name, help=self._tip(main, row))

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Entries that match, by their name or a synonym."""
        main, matcher = self._main(), self.matcher(query)
        if main is None:
            return
        if self._all is None:  # kept while the palette is open, so that the folder is not read after each letter
            self._all = (*self.rows(main), *self.more(main))
        scored = ((*_match(matcher, name, row), name, row) for name, row in self._all)
        for score, synonym, name, row in nlargest(HITS, (one for one in scored if one[0] > 0), key=itemgetter(0)):
            shown = Text(name).append(f"  {synonym}", "dim") if synonym else matcher.highlight(name)
            yield Hit(score, shown, partial(main.perform, row), text=name, help=self._tip(main, row))

    def _tip(self, main: MainScreen, row: Action) -> str:
        told = "" if row.shown or not row.id else row.told(main.context).tip
        return keyed(self.app, told or row.tip)


def _match(matcher: Matcher, name: str, row: Action) -> tuple[float, str]:
    """The score of a row, and the synonym if it matches better than the name."""
    by_name = matcher.match(name)
    words = [word for word in row.synonyms.split(", ") if word]
    score, synonym = max(((matcher.match(word), word) for word in words), default=(0.0, ""))
    return (score, synonym) if score > by_name else (by_name, "")


def _one(name: str, tip: str, run: object, synonyms: str = "") -> tuple[str, Action]:
    """An action that is not in the table, for an entry of a long list."""
    return name, Action("", "", "", "", "", tip, run=run, synonyms=synonyms)  # type: ignore[arg-type]
