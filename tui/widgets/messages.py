"""Messages of widgets. They bubble to the screen, which passes them to the session: no widget acts on the swarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from textual.message import Message

from engine import AskId, Attack, Command, PeerId

How: TypeAlias = Literal["now", "restart", "again"]
"""How changed options take effect: from now on, or the same seed begins anew, without or with the person's commands."""


class PeerPicked(Message):
    """A person chose a peer, or none. `toggle`: add it to those chosen already, or remove it from them."""

    def __init__(self, peer: PeerId | None, *, toggle: bool = False) -> None:
        super().__init__()
        self.peer = peer
        self.toggle = toggle


class PeersPicked(Message):
    """A person chose these peers by a box or otherwise. `add`: in addition to those chosen already."""

    def __init__(self, peers: tuple[PeerId, ...], *, add: bool = False) -> None:
        super().__init__()
        self.peers = peers
        self.add = add


class MenuWanted(Message):
    """A person wants the menu of actions: for `peer` if it is not among the chosen ones, else for all of these.

    at: where on the screen, x and y in cells; None where no pointer asked.
    """

    def __init__(self, peer: PeerId | None = None, at: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.peer = peer
        self.at = at


class AskPicked(Message):
    """A person chose an ask to look at, or none."""

    def __init__(self, ask: AskId | None) -> None:
        super().__init__()
        self.ask = ask


class RunCommand(Message):
    """A person wants a command done."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.command = command


class RunAction(Message):
    """A person pressed a button that is also a row of the table of actions: its id."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action


class Asked(Message):
    """A person typed something to ask for, from the selected peer or from several (or any, when None), with a goal of
    the network (None: its first); or, when `publish`, the name of a file that they should share; or the values of the
    verb `act` of the network."""

    def __init__(
        self,
        text: str,
        origin: PeerId | tuple[PeerId, ...] | None,
        *,
        goal: str | None = None,
        publish: bool = False,
        act: str = "",
    ) -> None:
        super().__init__()
        self.goal = goal
        self.text = text
        self.origin = origin
        self.publish = publish
        self.act = act


class Searched(Message):
    """A person wants to type what this panel should show: open the filter bar for it."""

    def __init__(self, panel: str) -> None:
        super().__init__()
        self.panel = panel


class AskWanted(Message):
    """A person wants to type a question at a peer (the selected one, or any, when None): show the ask bar."""

    def __init__(self, origin: PeerId | None) -> None:
        super().__init__()
        self.origin = origin


class AskLeft(Message):
    """A person left the ask bar without asking, or is done with it."""


class PreviewSelector(Message):
    """A person types a selector: which peers does it name? The answer goes to `FilterBar.tell` or `Controls.tell`."""

    def __init__(self, selector: str) -> None:
        super().__init__()
        self.selector = selector


class OptionsWanted(Message):
    """A person wants other values of the network's options, by name."""

    def __init__(self, values: Mapping[str, Any], how: How) -> None:
        super().__init__()
        self.values = values
        self.how = how


class MomentWanted(Message):
    """A person wants to go to this moment, in us of virtual time."""

    def __init__(self, at_us: int) -> None:
        super().__init__()
        self.at_us = at_us


class PreviewAttack(Message):
    """A person looks at attacks. The answers go to the panel's `offer` and `tell`. attack: a preview of it is wanted;
    None for no preview; anew: the list of presets is wanted too."""

    def __init__(self, attack: Attack | None, *, anew: bool) -> None:
        super().__init__()
        self.attack = attack
        self.anew = anew


class Attacked(Message):
    """A person wants an attack done. title: what it is called."""

    def __init__(self, title: str, attack: Attack) -> None:
        super().__init__()
        self.title = title
        self.attack = attack
