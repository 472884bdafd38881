"""Verbs on the chosen peers: carried out, told of, and how to take them back. A mixin of `MainScreen`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Command, PeerId
from tui.draw.layout import Direction
from tui.session.verbs import PAIRS, called
from tui.widgets.feed import PAST
from tui.widgets.inspector import Inspector
from tui.widgets.peers_table import PeersTable

if TYPE_CHECKING:
    from .view import Deeds

    Base = Deeds
else:
    Base = object


MENU = "peer.menu"


class OnPeers(Base):
    """Selecting a peer, and what is then done to it or to all that are marked."""

    def pick(self, peer: PeerId | None, *, keep: bool = False) -> None:
        """Select a peer, and unmark all others unless `keep`; a narrow terminal opens the drawer on the side where
        the peer is not."""
        self.session.selection.select(peer, keep=keep)
        self.show_choice()

    def show_choice(self) -> None:
        """Others are chosen: show who, and open the drawer."""
        peer = self.session.selection.selected
        self.drawer_shut = False
        if peer is not None:
            left = self.view.share_of(peer) > 0.5
            self.query_one(Inspector).set_class(left, "-left")
        self.make_room()
        self.at_once()

    def action_toward(self, direction: Direction) -> None:
        """Select the nearest peer that way; in the table of peers, the one above or below."""
        table = self.focused if isinstance(self.focused, PeersTable) else self.picture
        peer = table.toward(direction)
        if peer is not None:
            self.pick(peer, keep=True)

    def action_open(self) -> None:
        """Go to the inspector."""
        self.drawer_shut = False
        self.wishes.pop("inspector", None)
        self.make_room()
        if "inspector" not in self._shown:
            self.wishes.pop("attacks", None)
            self.make_room()
        self.query_one(Inspector).focus()

    def _carry_out(self, action: str) -> None:
        verb = self._verb(action)
        if verb is not None and verb.command is not None:
            self.carry_out(verb.command)

    def carry_out(self, command: Command) -> None:
        """Do a command, and tell how many it changed and how to take it back."""
        changed = self.session.do(command)
        self.at_once()
        if changed:
            self.session.say(self._done(command, changed))
            self.at_once()

    def _done(self, command: Command, changed: tuple[PeerId, ...]) -> str:
        """`12 peers killed. x: revive 12 peers`, from what the verb would do now."""
        frame = self.view.frame
        past = PAST.get(command.verb, (command.verb, ""))[0]
        who = called(frame.snapshot, changed) if frame is not None else f"{len(changed):,} peers"
        of = next((pair.id for pair in PAIRS if command.verb in (pair.do, pair.undo)), command.verb)
        back = self._verb({"partition": "heal", "reopen": "shutdown"}.get(of, of))
        if back is None or back.command is None or back.command.verb == command.verb:
            return f"{who} {past}"
        return f"{who} {past}. {{{back.key or MENU}}}: {back.says[:1].lower()}{back.says[1:]}"

    def action_verb(self, id: str) -> None:  # noqa: A002
        """A verb by its id: those that have no key come from menus and the palette."""
        verb = self._verb(id)
        if verb is None or not verb.possible:
            return
        if verb.command is not None:
            self.carry_out(verb.command)
        else:
            self.open_ask_bar(publish=id == "publish")

    def action_mark(self) -> None:
        """Mark the selected peer, or no more."""
        if self.session.selection.selected is not None:
            self.session.selection.toggle_mark(self.session.selection.selected)
            many = len(self.session.selection.marked)
            self.session.say(
                f"{many:,} marked: verbs act on {'them' if many != 1 else 'it'}" if many else "none marked"
            )
        self.at_once()

    def action_kill(self) -> None:
        """Kill or revive."""
        self._carry_out("kill")

    def action_censor(self) -> None:
        """Censor or uncensor."""
        self._carry_out("censor")

    def action_collude(self) -> None:
        """Collude or defect."""
        self._carry_out("collude")

    def action_leave(self) -> None:
        """Leave or join."""
        self._carry_out("leave")
