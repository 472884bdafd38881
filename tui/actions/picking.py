"""Choosing peers on the dashboard: by click, box, table and selector; and the menu of what can be done to them.

A mixin of `MainScreen`. What is chosen the session keeps; what verbs there are is in `widgets/verbs.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import AskFor, PeerId, Publish
from tui.session.verbs import called, chosen_in
from tui.widgets import messages as say
from tui.widgets.charts import Chart
from tui.widgets.controls import Controls
from tui.widgets.feed import Feed
from tui.widgets.filter_bar import FilterBar
from tui.widgets.menu import Line, Menu
from tui.widgets.peers_table import PeersTable
from tui.widgets.swarm_view import SwarmView

if TYPE_CHECKING:
    from textual.widget import Widget

    from .peers import OnPeers

    Base = OnPeers
else:
    Base = object

MORE = ("near", "operator", "everybody", "nobody")
"""Lines of the menu that choose others."""


class Picking(Base):
    """Answers to what panels say about peers. Handlers are found by their names, as those of a mixin must be."""

    if TYPE_CHECKING:  # what MainScreen has

        def close_bars(self) -> None: ...
        def panel_at(self, widget: Widget | None) -> str: ...

    # --- choosing ----------------------------------------------------------------------------------------------

    def on_peer_picked(self, event: say.PeerPicked) -> None:
        """A click, or a line of the table or the feed."""
        if event.toggle and event.peer is not None:
            self.session.toggle(event.peer)
            self.show_choice()
        else:
            self.pick(event.peer)

    def on_peers_picked(self, event: say.PeersPicked) -> None:
        """A box, or rows of the table. An empty box chooses nobody, as a click on the ground does."""
        if event.peers or event.add:
            self.session.mark_peers(event.peers, add=event.add)
            if event.add and event.peers:
                self.session.select(event.peers[-1], keep=True)
            self.show_choice()
        else:
            self.pick(None)

    def action_filter(self) -> None:
        """Type a selector: whom to mark, or what the focused table or feed should show."""
        panel = self.panel_at(self.focused)
        self.close_bars()
        bar = self.query_one(FilterBar)
        if panel == "peers":
            bar.open("peers", self.session.sieve)
        elif panel == "feed":
            bar.open("feed", self.query_one(Feed).sought)
        else:
            bar.open("find")

    def on_filter_bar_used(self, event: FilterBar.Used) -> None:
        """A selector was entered in the filter bar, or it was closed."""
        self.close_bars()
        table = {"peers": PeersTable, "feed": Feed}.get(event.purpose)
        if event.selector is not None:
            if event.purpose == "peers":
                self.session.sift(event.selector)
            elif event.purpose == "feed":
                self.query_one(Feed).seek(event.selector)
            else:
                self.session.mark(event.selector)
        if table is not None:
            self.query_one(table).focus()
        self.at_once()

    def on_searched(self, event: say.Searched) -> None:
        """A click on the field of a panel that can be searched."""
        self.panel(event.panel).focus()
        self.action_filter()

    def on_wondered(self, event: say.Wondered) -> None:
        """Whom does it mean, while it is typed."""
        told, bad = self.session.wonder(event.selector)
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.tell(told)
        else:
            self.query_one(Controls).tell(told, bad=bad)

    def on_asked(self, event: say.Asked) -> None:
        """Something was typed to be asked for, or to be shared."""
        self.close_bars()
        if event.publish:
            peers: Any = event.origin if event.origin is not None else self.session.selected
            self.carry_out(Publish(peers, event.text))
        elif isinstance(event.origin, tuple):
            self.carry_out(AskFor(event.origin, event.text))
        else:
            self.session.ask_for(event.text, event.origin)
        self.at_once()

    # --- the menu ----------------------------------------------------------------------------------------------

    def action_menu(self) -> None:
        """Show what can be done to the chosen peers, beside the selected one."""
        view = self.view
        at = (self.size.width // 3, self.size.height // 4)
        if self.session.selected is not None and isinstance(self.focused, SwarmView):
            col, row = view.cell_of(self.session.selected)
            at = (view.content_region.x + col + 3, view.content_region.y + row)
        self._open_menu(at)

    def on_menu_wanted(self, event: say.MenuWanted) -> None:
        """A right click: on one of the chosen it means all of them, on another peer that one."""
        if event.peer is not None and event.peer not in self.session.marked:
            self.pick(event.peer)
        self._open_menu(event.at or (self.size.width // 3, self.size.height // 4))

    def _open_menu(self, at: tuple[int, int]) -> None:
        self.at_once()  # What it offers must be meant for those who are chosen now.
        lines = self.menu_lines()
        frame = self.view.frame
        if frame is None or not lines:
            return
        ids = chosen_in(frame)
        title = called(frame.snapshot, ids) if len(ids) else "the swarm"
        self.query_one(Menu).open("peers", title, lines, at, self.size)

    def menu_lines(self) -> list[Line]:
        """Each verb with what it will do and to how many, and then whom else one may choose."""
        frame = self.view.frame
        if frame is None:
            return []
        lines = [
            Line(verb.id, verb.says, verb.tip, verb.key, "" if verb.possible else verb.tip) for verb in self.verbs()
        ]
        if not lines:
            lines.append(Line("ask", "Ask from any peer …", "Type what to look for.", "ask.here"))
        snapshot = frame.snapshot
        more = []
        if len(frame.chosen):
            near = len(self._neighbours())
            tip = "Choose those that have a link to the chosen, instead of them."
            none = "" if near else "Nobody has a link to them."
            more.append(
                Line(
                    "near",
                    f"Choose their {near:,} neighbours" if near != 1 else "Choose their neighbour",
                    tip,
                    why_not=none,
                )
            )
            by = snapshot.fixed.operator[frame.chosen[0]] if frame.chosen[0] < len(snapshot.state) else ""
            if by:
                more.append(Line("operator", f"Choose all that {by} runs", "All peers of this operator."))
        more.append(Line("everybody", f"Choose all {len(snapshot.state):,}", "Everybody, the dead and servers too."))
        if frame.marked:
            more.append(Line("nobody", f"Unmark {len(frame.marked):,}", "Only the selected peer stays chosen."))
        first = more[0]
        more[0] = Line(first.id, first.says, first.tip, first.key, first.why_not, rule=True)
        return lines + more

    def _neighbours(self) -> tuple[PeerId, ...]:
        chosen = set(self.session.marked or (() if self.session.selected is None else (self.session.selected,)))
        near = dict.fromkeys(other for peer in chosen for other in self.session.swarm.links_of(peer))
        return tuple(sorted(other for other in near if other not in chosen))

    def on_menu_chosen(self, event: Menu.Chosen) -> None:
        """A line of a menu."""
        if event.purpose.startswith("chart-"):
            chart = self.query_one(f"#{event.purpose}", Chart)
            chart.toggle(event.id)
            self.query_one(Menu).update_lines(chart.menu_lines())
            return
        self.picture.focus()
        if event.id in MORE:
            self._choose_more(event.id)
        elif event.id == "ask":
            self.open_ask_bar()
        else:
            self.action_verb(event.id)

    def on_menu_closed(self) -> None:
        """Nothing was chosen: the picture has the keys again."""
        self.picture.focus()

    def _choose_more(self, which: str) -> None:
        swarm, selected = self.session.swarm, self.session.selected
        if which == "near":
            self.session.mark_peers(self._neighbours())
        elif which == "operator" and selected is not None:
            fixed = swarm.snapshot().fixed
            self.session.mark_peers([p for p, by in enumerate(fixed.operator) if by == fixed.operator[selected]])
        elif which == "everybody":
            self.session.mark_peers(range(len(swarm.labels)))
        else:
            self.session.mark("")
        self.show_choice()

    def on_chart_picked(self, event: Chart.Picked) -> None:
        """Which series should a chart show?"""
        chart = event.chart
        at = (chart.region.x + 2, max(0, chart.region.y - 6))
        title = "what this chart shows"
        self.query_one(Menu).open(str(chart.id), title, chart.menu_lines(), at, self.size)
