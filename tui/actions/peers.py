"""Actions on peers: selecting, the verbs, the menu, and choosing other peers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from engine import PeerId
from tui.config.keys import SHARED
from tui.draw.layout import Direction
from tui.screens.main import Action, Context, Words
from tui.session.panels import DRAWERS, HISTORY
from tui.session.verbs import called
from tui.widgets.inspector import Inspector
from tui.widgets.swarm_view import SwarmView

PICK_FIRST = "Select a peer first: press an arrow key, or click one."


def nobody_selected(context: Context) -> str:
    """Why actions that need a selected peer are not possible."""
    return PICK_FIRST if context.session.selection.selected is None else ""


# --- selecting ------------------------------------------------------------------------------------------------------


def toward(direction: Direction, context: Context) -> None:
    """Select the nearest peer that way; in the table of peers, the one above or below."""
    screen = context.screen
    in_table = screen.focused is screen.peers_table
    peer = (screen.peers_table if in_table else screen.picture).toward(direction)
    if peer is not None:
        screen.pick(peer, keep=True)


def inspect(context: Context) -> None:
    """Go to the inspector, and show it where it is not shown."""
    screen, panels = context.screen, context.screen.panels
    panels.drawer_shut = False
    panels.wishes.pop("inspector", None)
    screen.make_room()
    if "inspector" not in panels.shown:
        for other in DRAWERS:
            panels.wishes.pop(other, None)
        screen.make_room()
    screen.query_one(Inspector).focus()


def find(context: Context) -> None:
    """Type a selector."""
    context.screen.open_filter()


def mark(context: Context) -> None:
    """Mark the selected peer, or unmark it."""
    session = context.session
    if session.selection.selected is not None:
        session.selection.toggle_mark(session.selection.selected)
        many = len(session.selection.marked)
        session.say(f"{many:,} marked: actions apply to {'them' if many != 1 else 'it'}" if many else "none marked")


def jump(context: Context) -> None:
    """Start jump mode: letters on peers, digits on panels."""
    context.screen.jump()


def menu(context: Context) -> None:
    """Open the menu of the chosen peers, beside the selected one."""
    screen, at = context.screen, None
    if screen.panel_at(screen.focused) == HISTORY and screen.chosen_done is not None:
        screen.open_history_menu()
        return
    if context.session.selection.selected is not None and isinstance(screen.focused, SwarmView):
        col, row = screen.view.cell_of(context.session.selection.selected)
        at = (screen.view.content_region.x + col + 3, screen.view.content_region.y + row)
    screen.open_menu(at)


# --- verbs ----------------------------------------------------------------------------------------------------------


def verb(id_: str, context: Context) -> None:
    """Do a verb to the chosen peers; a verb that needs a text opens a text field."""
    found = context.screen.verb(id_)
    if found is None or not found.possible:
        return
    if found.command is not None:
        context.screen.carry_out(found.command)
    else:
        context.screen.open_ask_bar(publish=id_ == "publish")


def no_verb(id_: str, none: str, context: Context) -> str:
    """Why a verb is not possible: the reason of the verb, or `none` where the verb does not exist."""
    found = context.screen.verb(id_)
    if found is None:
        return none if context.screen.verbs() else PICK_FIRST
    return "" if found.possible else found.tip


def of_verb(id_: str, context: Context) -> Words:
    """What a verb would do now, and to how many."""
    found = context.screen.verb(id_)
    return Words() if found is None else Words(found.label.lower(), found.says, found.tip)


def _verb(
    id_: str, keys: str, label: str, tip: str, rank: int = 0, *, none: str = PICK_FIRST, synonyms: str = ""
) -> Action:
    return Action(
        *(f"peer.{id_}", keys, label, "Peer", tip, rank),
        run=partial(verb, id_),
        why_not=partial(no_verb, id_, none),
        words=partial(of_verb, id_),
        synonyms=synonyms,
    )


# --- choosing others ------------------------------------------------------------------------------------------------


def _choose(whom: Callable[[Context], Sequence[PeerId] | None], context: Context) -> None:
    peers = whom(context)
    if peers is None:
        context.session.selection.mark("")
    else:
        context.session.selection.mark_peers(peers)
    context.screen.show_choice()


def _neighbours(context: Context) -> Sequence[PeerId]:
    return context.screen.neighbours()


def _of_operator(context: Context) -> Sequence[PeerId]:
    name, fixed = _operator(context), context.session.swarm.snapshot().fixed
    return [peer for peer, by in enumerate(fixed.operator) if by == name]


def _everybody(context: Context) -> Sequence[PeerId]:
    return range(len(context.session.swarm.labels))


def _nobody(context: Context) -> None:
    return None


def _operator(context: Context) -> str:
    """Who runs the first of the chosen peers; empty for nobody."""
    frame = context.screen.frame
    if frame is None or not len(frame.chosen) or frame.chosen[0] >= len(frame.snapshot.state):
        return ""
    return frame.snapshot.fixed.operator[frame.chosen[0]]


def _no_neighbours(context: Context) -> str:
    frame = context.screen.frame
    if frame is None or not len(frame.chosen):
        return PICK_FIRST
    return "" if context.screen.neighbours() else "No peer has a link to them."


def _words_neighbours(context: Context) -> Words:
    frame = context.screen.frame
    if frame is None or not len(frame.chosen):
        return Words()
    near = len(context.screen.neighbours())
    return Words("", f"Choose their {near:,} neighbours" if near != 1 else "Choose their neighbour")


def _no_operator(context: Context) -> str:
    return nobody_selected(context) or ("" if _operator(context) else "This peer has no operator but its own user.")


def _words_operator(context: Context) -> Words:
    name = _operator(context)
    return Words("", f"Choose all that {name} runs" if name else "")


def _words_everybody(context: Context) -> Words:
    return Words("", f"Choose all {len(context.session.swarm.labels):,}")


def _nobody_marked(context: Context) -> str:
    return "" if context.session.selection.marked else "No peer is marked."


def _words_nobody(context: Context) -> Words:
    marked = context.session.selection.marked
    return Words("", f"Unmark {len(marked):,}" if marked else "")


WAYS: tuple[Direction, ...] = ("up", "down", "left", "right")
NEAREST = "Select the nearest peer in that direction."


def opposite(context: Context) -> None:
    """Do the opposite of the verb of the network that was done last, to the same peers."""
    command = context.screen.last_act()
    if command is not None:
        context.screen.carry_out(command)


def _no_opposite(context: Context) -> str:
    if context.screen.last_act() is not None:
        return ""
    return (
        "There is nothing to take back: no verb of the network that has an opposite was used. "
        "{time.undo} undoes your last action."
    )


def _words_opposite(context: Context) -> Words:
    command = context.screen.last_act()
    if command is None:
        return Words()
    peers = command.peers if isinstance(command.peers, tuple) else ()
    frame = context.screen.frame
    who = called(frame.snapshot, peers) if frame is not None and peers else "the same peers"
    return Words("", f"Peer: {command.name}, {who} again")


ACTIONS: tuple[Action, ...] = (
    *(
        Action(
            *(f"peer.{way}", way, "select a peer", "Peer", NEAREST),
            run=partial(toward, way),
            says=f"Peer: select a peer {way}",
        )
        for way in WAYS
    ),
    Action(
        *("peer.open", "enter", "inspect", "Peer", "Open the selected peer in the inspector.", 9),
        run=inspect,
        why_not=nobody_selected,
        synonyms="details, show peer, inspector, properties, info, show node",
    ),
    _verb(
        *("kill", "x", "kill", "Kill the selected peer, or revive it.", 3),
        synonyms=(
            "crash, fail, failure, fault, crash failure, stop, terminate, shut off, node down, offline, power "
            "off, revive, restart, recover, reboot"
        ),
    ),
    _verb(
        *("censor", "c", "censor", "Block all the selected peer's traffic, or lift it.", 4),
        synonyms=(
            "block, firewall, filter traffic, blackhole, drop packets, isolate, silence, blacklist, "
            "censorship, unblock, uncensor"
        ),
    ),
    _verb(
        *("collude", "o", "collude"),
        *("Have the selected peer suppress what the chosen ask is about, or stop suppressing it.", 13),
        synonyms=(
            "malicious, byzantine, traitor, suppress, hide, ban a word, content filter, collusion, compromised, defect"
        ),
    ),
    _verb(
        *("leave", "l", "leave", "Have the selected peer leave politely, or join again.", 12),
        synonyms="depart, disconnect, log off, go offline, offline, churn, join, rejoin, graceful, goodbye, departure",
    ),
    _verb(
        *("poison", "", "poison", "Have the selected peer serve decoys for every file, or stop that."),
        synonyms="pollute, pollution, fake, fake file, decoy, corrupt, malware, spam, cure, clean",
    ),
    _verb(
        *("hold", "", "hold", "Freeze the messages on the links of the selected peer, or let them go on."),
        synonyms="freeze, delay, stall, pause link, intercept, in flight, release",
    ),
    _verb(
        *(
            "cut",
            "X",
            "cut links",
            "Cut the links of the selected peer or those between the chosen ones, or mend them.",
        ),
        synonyms="sever, unplug, cable, link failure, link down, network failure, disconnect, mend, repair, link up",
    ),
    _verb(
        *("partition", "", "split off", "Drop all messages between the chosen peers and all others."),
        synonyms="partition, split, split brain, separate, netsplit, network partition, isolate, cut off",
    ),
    _verb(
        *("heal", "", "heal", "End all partitions."),
        none="There is no partition.",
        synonyms="merge, reconnect, partition, rejoin sides, end split",
    ),
    _verb(
        *("shutdown", "", "shut down", "Kill all peers of the operator of the selected peer, or start them again."),
        none="The chosen peers are not run by one operator.",
        synonyms="operator, company, provider, autonomous system, ASN, ISP, data centre, outage, bankrupt, reopen",
    ),
    _verb(
        *("publish", "", "publish", "Type the name of a new file that the selected peer shares from now on."),
        synonyms="share, share file, upload, seed, add file, put, store, announce, insert",
    ),
    Action(
        *("peer.opposite", "U", "take back", "Peer"),
        "Take back what a verb of the network did last, where the network has an opposite for it.",
        run=opposite,
        why_not=_no_opposite,
        words=_words_opposite,
        synonyms="undo, revert, opposite, reverse, act, verb of the network",
    ),
    Action(
        *(
            "peer.menu",
            SHARED["peer.menu"],
            "menu",
            "Peer",
            "All that can be done to the selected peers, as by a right click. With none selected: panels and layouts.",
            10,
        ),
        run=menu,
        synonyms="context menu, actions, verbs, commands",
    ),
    Action(
        *("peer.filter", "slash", "find peers", "Peer", "Find and select peers: a label or a selector.", 6),
        run=find,
        synonyms="search, filter, select, selector, find node, look for a peer, degree, hubs, hub",
    ),
    Action(
        *(
            "peer.mark",
            "asterisk",
            "mark",
            "Peer",
            "Mark the selected peer, or unmark it: actions apply to all marked.",
        ),
        run=mark,
        why_not=nobody_selected,
        synonyms="tag, multiple selection, multi-select, check, star",
    ),
    Action(
        *("peer.jump", "j", "jump", "Peer"),
        *("Put letters on the peers in sight and digits on the panels; type one to go there.", 7),
        run=jump,
        synonyms="go to, hint, quick select, hop to",
    ),
    Action(
        *("peer.neighbours", "", "choose neighbours", "Peer"),
        "Choose the peers that have a link to the chosen ones, instead of these.",
        run=partial(_choose, _neighbours),
        why_not=_no_neighbours,
        words=_words_neighbours,
        synonyms="adjacent, adjacency, linked, links, connections, peers of a peer, select neighbors, ego network",
    ),
    Action(
        *("peer.operator", "", "choose an operator's peers", "Peer", "All peers of this operator."),
        run=partial(_choose, _of_operator),
        why_not=_no_operator,
        words=_words_operator,
        synonyms="provider, company, autonomous system, ISP, same operator",
    ),
    Action(
        *("peer.everybody", "", "choose all", "Peer", "Every peer, dead ones and servers included."),
        run=partial(_choose, _everybody),
        words=_words_everybody,
        synonyms="select all, everybody, all nodes, whole network",
    ),
    Action(
        *("peer.nobody", "", "unmark all", "Peer", "Only the selected peer stays chosen."),
        run=partial(_choose, _nobody),
        why_not=_nobody_marked,
        words=_words_nobody,
        synonyms="deselect, clear selection, unselect, select none",
    ),
)
