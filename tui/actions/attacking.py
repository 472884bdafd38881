"""Attacks: the panel is told what there is and what it would do, and what it says is done. A mixin of `MainScreen`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Attack, CallOff, InputError, Plan
from tui.widgets.attacks import Attacks, started_attack
from tui.widgets.messages import Attacked, Foresee

from ..session.panels import DIGITS

if TYPE_CHECKING:
    from .view import Deeds

    Base = Deeds
else:
    Base = object


class Attacking(Base):
    """Between the panel of attacks and the session."""

    def on_foresee(self, event: Foresee) -> None:
        """Tell the panel what there is, and what the one it asks about would do now."""
        panel = self.query_one(Attacks)
        swarm = self.session.swarm
        if event.attack is not None:
            try:
                panel.tell(event.attack, swarm.preview(event.attack))
            except InputError as error:
                panel.tell(event.attack, None, str(error))
        if event.anew:
            panel.offer(swarm.attacks())

    def on_attacked(self, event: Attacked) -> None:
        """Do it."""
        self.attack(event.title, event.attack)

    def attack(self, title: str, attack: Attack) -> None:
        """Do it, say what it comes to, and tell the panel how to take it back."""
        plan = self._planned(attack)
        if plan is None:
            self.at_once()
            return
        now_us, before = self.session.swarm.now_us, len(self.session.swarm.history)
        self.session.do(attack)
        if len(self.session.swarm.history) > before:
            self.session.say(plan.sentence)
            self.query_one(Attacks).begun(started_attack(title, plan, now_us))
        self.at_once()

    def call_off(self) -> None:
        """Give up what attacks have still to do."""
        self.session.do(CallOff())
        self.at_once()

    def _planned(self, attack: Attack) -> Plan | None:
        """What it comes to; None, and said why, if it cannot be."""
        try:
            return self.session.swarm.preview(attack)
        except InputError as error:
            self.session.say(str(error))
            return None

    def open_attack(self, name: str) -> None:
        """Show the panel with this preset marked, ready for enter."""
        panel = self.query_one(Attacks)
        panel.mark(name)
        if "attacks" not in self._shown:
            self.action_panel(DIGITS["attacks"])
        panel.focus()
