"""The command palette: every row of the table of actions, and long lists (networks, themes, peers, titles).

The entries are actions like those of the table, made from the same registries as the panels, so that everything can be
done in more than one way. It searches names, synonyms and tips, in this order (`widgets/matching.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from rich.text import Text
from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content

from engine import (
    ALIVE,
    Command,
    PeerId,
    Snapshot,
    goals_to_ask,
    networks,
    plain,
    scenario_files,
    title_of,
)
from tui.config.keys import keyed
from tui.preferences import THEME
from tui.screens.main import Action, Context, MainScreen
from tui.session.options import options_of, text_of
from tui.session.verbs import ACT
from tui.widgets.matching import ranked

from .peers import PICK_FIRST
from .run import open_scenario, restart_under, scenarios_here
from .view import colour

PEERS, TITLES = 2_000, 200
HITS = 40
"""Most hits that are listed: a list of hundreds takes long to lay out after each letter."""
SKIP = frozenset({"app.palette", "app.focus", "app.focus_back"})
"""Actions that make no sense here: the palette is open already and has the focus."""
GROUP_SYNONYMS: Mapping[str, str] = {
    "kill-some": "random failure, crash, fail at random",
    "kill-top": "hubs, degree, targeted attack, crash",
    "split": "partition, split brain, netsplit, network partition",
    "heal": "end partition, merge, reconnect",
    "revive-all": "restart, recover, bring back",
}
KNOB_SYNONYMS: Mapping[str, str] = {
    "churn": "session length, lifetime, uptime, turnover, join and leave",
    "loss": "packet loss, drop rate, drop packets, lossy, reliability",
    "latency": "delay, RTT, round trip, ping time, lag, network delay",
    "asks": "workload, query rate, requests per second, background traffic",
    "jitter": "delay variation, variance, reordering, latency",
    "capacity": "bandwidth, throughput, uplink, line speed, speed of lines",
}


def _use_theme(name: str, context: Context) -> None:
    context.app.preferences.choose_theme(name)


def _open_attack(name: str, context: Context) -> None:
    context.screen.open_attack(name)


def _open_option(name: str, context: Context) -> None:
    context.screen.open_option(name)


def _carry_out(command: Command, context: Context) -> None:
    context.screen.carry_out(command)


def _act(name: str, context: Context) -> None:
    context.screen.act(name)


def _no_peer(context: Context) -> str:
    return "" if context.session.selection.chosen else PICK_FIRST


def one_of_each_role(snapshot: Snapshot) -> list[PeerId]:
    """The first living peer of each role, so that each program of a network is asked what can be done to it."""
    living = np.flatnonzero(snapshot.state == ALIVE)
    return sorted(living[np.unique(snapshot.role[living], return_index=True)[1]].tolist())


def _pick(peer: PeerId, context: Context) -> None:
    context.screen.pick(peer)


def _ask_for(title: str, goal: str | None, context: Context) -> None:
    context.screen.ask_now(title, goal)


def _ask_with(goal: str, context: Context) -> None:
    context.screen.open_ask_bar(goal=goal)


class ActionFinder(Provider):
    """Provides the lines of the palette to Textual."""

    _all: tuple[tuple[str, Action], ...] | None = None
    _lines: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    _table_size = 0

    def _main(self) -> MainScreen | None:
        """The dashboard, which may have a dialog over it."""
        return next((screen for screen in self.app.screen_stack if isinstance(screen, MainScreen)), None)

    def rows(self, main: MainScreen, *, impossible: bool = False) -> Iterator[tuple[str, Action]]:
        """The table, with the present keys. Actions that have no key and are not possible are left out, unless
        `impossible`: then they alone are listed."""
        over = self.screen is not main
        for row in main.context.app.preferences.keys_now:
            if not isinstance(row, Action) or row.id in SKIP or (over and row.home == "main"):
                continue
            if (not row.shown and bool(main.why_not(row))) is not impossible:
                continue
            says = row.says or (row.words(main.context).says if not row.shown else "")
            name = says if ": " in says else f"{row.group}: {says or row.label}"
            yield plain(name) + (f"  ({row.shown})" if row.shown else ""), row

    def more(self, main: MainScreen) -> Iterator[tuple[str, Action]]:
        """The long lists."""
        for name in main.context.app.preferences.our_themes:
            yield _entry(f"{THEME}{name}", "Use these colours.", partial(_use_theme, name))
        if self.screen is not main:
            return
        session = main.session
        for name, kind in networks().items():
            tip = f"Restart with this network. {plain(title_of(kind))}"
            yield _entry(f"Network: {name}", tip, partial(restart_under, name), "protocol, overlay, switch network")
        settings = session.swarm.snapshot().settings
        for option in options_of(session.player.setup.protocol, session.player.setup.options, settings):
            tip = f"Now {text_of(option.now)} {option.unit}".rstrip() + f", {option.range}. {option.allowed.about}"
            synonyms = f"setting, parameter, set {option.name}"
            yield _entry(f"Option: {option.name}", tip, partial(_open_option, option.name), synonyms)
        for shown in session.swarm.snapshot().fixed.shows:
            tip = f"{shown.about[:1].upper()}{shown.about[1:]}."
            run = partial(colour, shown.name)
            yield _entry(
                f"Picture: colour by {shown.name}", tip, run, "color, colouring, coloring, heat map, highlight"
            )
        frame = main.frame
        goals = goals_to_ask(frame.snapshot.fixed.goals) if frame is not None else ()
        for goal in goals if len(goals) > 1 else ():
            tip = f"{plain(goal.about)} Type {plain(goal.what)}."
            yield _entry(
                f"Ask: {plain(goal.verb)}", tip, partial(_ask_with, goal.name), f"goal, ask, {plain(goal.name)}"
            )
        for offer in frame.offers if frame is not None else ():
            found = main.verb(f"{ACT}{offer.name}")
            if found is not None:
                tip = found.tip if found.possible else f"{offer.verb.about} {found.tip}"
                synonyms = f"{offer.name}, verb, do, action, network"
                yield _entry(f"Peer: {plain(found.says)}", tip, partial(_act, offer.name), synonyms)
        if not session.selection.chosen:
            for offer in session.swarm.verbs_for(one_of_each_role(session.swarm.snapshot())):
                name = offer.name.replace("-", " ").capitalize()
                synonyms = f"{offer.name}, verb, do, action, network"
                about = f"{offer.verb.about} Not now: {PICK_FIRST}"
                row = _entry(f"Peer: {plain(name)}", about, partial(_act, offer.name), synonyms)
                yield row[0], replace(row[1], why_not=_no_peer)
        for preset in session.swarm.attacks():
            tip = preset.why_not or preset.about
            yield _entry(
                f"Attack: {preset.title.lower()}", tip, partial(_open_attack, preset.name), "failure, adversary"
            )
        for one in (*scenario_files.shipped(), *scenarios_here()):
            about = plain(" ".join(one.about.split()), limit=160)
            yield _entry(
                f"Scenario: {plain(one.source)}",
                f"{plain(one.title)}. {about}",
                partial(open_scenario, one.source),
            )
        yield from self.of_controls(main)
        for peer, label in enumerate(session.swarm.labels[:PEERS]):
            yield _entry(f"Select: {plain(label)}", "Select this peer.", partial(_pick, peer))
        yield from self.texts(main)

    def texts(self, main: MainScreen) -> Iterator[tuple[str, Action]]:
        """What can be asked for with each goal. Where a goal has the texts of the one before, they are listed once."""
        frame = main.frame
        if frame is None:
            return
        goals = goals_to_ask(frame.snapshot.fixed.goals)
        tip = "From the selected peer, or from any."
        known: tuple[str, ...] = ()
        for goal in goals:
            texts = frame.texts.get(goal.name, ())[:TITLES]
            for text in texts if texts != known else ():
                name = f"Ask for: {plain(text)}" if goal is goals[0] else f"Ask: {plain(goal.verb)} {plain(text)}"
                yield _entry(name, tip, partial(_ask_for, text, None if goal is goals[0] else goal.name))
            known = texts

    def of_controls(self, main: MainScreen) -> Iterator[tuple[str, Action]]:
        """The actions of the controls: on groups of peers, and on the network."""
        from tui.widgets.controls import GROUPS, KNOBS, group_tips, nearest_stop, set_to

        frame = main.view.frame
        if frame is None:
            return
        for id_, (label, tip, possible) in group_tips(frame.snapshot).items():
            if possible:
                yield _entry(f"All peers: {label}", tip, partial(_carry_out, GROUPS[id_]), GROUP_SYNONYMS[id_])
        for knob in KNOBS:
            if knob.name != "capacity" or "capacity" in frame.snapshot.settings:
                now, _ = nearest_stop(knob, frame.snapshot.settings.get(knob.name))
                # The ends, the default, and one stop to each side: all stops would fill the list of hits.
                stops = {0, knob.rest, now - 1, now + 1, len(knob.words) - 1} & {*range(len(knob.words))} - {now}
                for index in sorted(stops, key=lambda stop: (abs(stop - now), stop)):
                    name = f"Setting: {knob.label} {knob.words[index]}"
                    yield _entry(name, knob.tip, partial(_carry_out, set_to(knob, index)), KNOB_SYNONYMS[knob.name])

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Entries before anything is typed: the table."""
        main = self._main()
        if main is not None:
            for name, row in self.rows(main):
                yield DiscoveryHit(Text(name), partial(main.perform, row), text=name, help=self._tip(main, row))

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """Entries that match: by their name, a synonym, or what they do."""
        main = self._main()
        if main is None:
            return
        if self._all is None:  # kept while the palette is open, so that the folder is not read after each letter
            table = (*self.rows(main), *self.rows(main, impossible=True))
            self._all, self._table_size = (*table, *self.more(main)), len(table)
            self._lines = tuple(
                (name, tuple(word for word in row.synonyms.split(", ") if word), keyed(self.app, row.tip))
                for name, row in self._all
            )
        hits = ranked(query, self._lines, self._table_size)[:HITS]
        for place, (number, hit) in enumerate(hits):
            name, row = self._all[number]
            shown = Content(name)
            for start, end in hit.spans:
                shown = shown.stylize(self.match_style or "bold", start, end)
            if hit.synonym:
                shown = Content.assemble(shown, (f"  {hit.synonym}", "dim"))
            # Textual sorts by this number, and shows hits of the same number in any order.
            yield Hit(1.0 - place / (2 * HITS), shown, partial(main.perform, row), text=name, help=self._tip(main, row))

    def _tip(self, main: MainScreen, row: Action) -> str:
        if not row.shown and row.id and (why := main.why_not(row)):
            return f"{keyed(self.app, row.tip)} Not now: {why}"
        tip = "" if row.shown or not row.id else row.words(main.context).tip
        return keyed(self.app, tip or row.tip)


def _entry(name: str, tip: str, run: object, synonyms: str = "") -> tuple[str, Action]:
    """An action that is not in the table, for an entry of a long list."""
    return name, Action("", "", "", "", tip, run=run, synonyms=synonyms)  # type: ignore[arg-type]
