"""Actions on what is shown: the picture, its layout and colours, zoom, panels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tui.config.keys import keyed
from tui.draw.colours import ABOUT as COLOURED
from tui.draw.colours import ColourBy, colourings
from tui.draw.layout import Direction
from tui.draw.stage import ABOUT as PLACED
from tui.draw.stage import Placement
from tui.input_queue import queue_of
from tui.screens.main import Action, Context, Words
from tui.session.panels import HISTORY, LAYOUTS, OPTIONS, PANELS, drawer

from .asks import NO_ASK
from .peers import WAYS

# --- layouts and colours --------------------------------------------------------------------------------------------


def next_placement(context: Context) -> None:
    """The next layout."""
    context.screen.view.next_placement()


def choose_placement(context: Context) -> None:
    """Choose a layout from a list; those that have no meaning for this swarm say why."""
    from tui.screens.picker import Picker, PickerGroup, PickerItem

    screen, view = context.screen, context.screen.view
    choices = tuple(
        PickerItem(name, placed, keyed(screen.app, view.no_placement(name))) for name, placed in PLACED.items()
    )

    def chosen(what: tuple[str, str] | None) -> None:
        if what is not None:
            screen.action_do(f"view.place_{what[1]}")

    screen.app.push_screen(Picker(PickerGroup("layouts", choices, view.stage.placed)), chosen)


def place(name: Placement, context: Context) -> None:
    """Change to a layout."""
    context.screen.view.place(name)


def _no_placement(name: Placement, context: Context) -> str:
    return context.screen.view.no_placement(name)


def next_colour(context: Context) -> None:
    """Change to the next colouring."""
    context.screen.view.next_colour()


def choose_colour(context: Context) -> None:
    """Choose a colouring from a list."""
    from tui.screens.picker import Picker, PickerGroup, PickerItem

    frame = context.screen.frame
    every = COLOURED if frame is None else colourings(frame.snapshot)
    choices = tuple(PickerItem(name, about) for name, about in every.items())

    def chosen(what: tuple[str, str] | None) -> None:
        if what is not None:
            colour(what[1], context)

    context.screen.app.push_screen(Picker(PickerGroup("colour by", choices, context.screen.view.colour_by)), chosen)


def colour(by: ColourBy, context: Context) -> None:
    """Change to a colouring."""
    context.screen.view.colour(by)


# --- the picture ----------------------------------------------------------------------------------------------------


def turn(context: Context) -> None:
    """Show in turn the swarm, the time-space diagram and the tree."""
    from tui.widgets.ask_picture import KINDS

    screen = context.screen
    shown, other = screen.picture, screen.ask_picture
    if shown is not other:
        other.remove_class("-away")
        screen.view.add_class("-away")
        other.turn(KINDS[0])
    elif other.kind != KINDS[-1]:
        other.turn(KINDS[KINDS.index(other.kind) + 1])
    else:
        other.add_class("-away")
        screen.view.remove_class("-away")
    # Once it is shown: a hidden one takes no focus.
    screen.call_after_refresh(lambda: screen.picture.focus())
    inputs = queue_of(screen.app)
    if inputs is not None:
        inputs.expect(lambda: screen.picture.has_focus)


def _no_other_picture(context: Context) -> str:
    there = context.session.selection.ask is not None or context.screen.picture is not context.screen.view
    return "" if there else NO_ASK


def belief(context: Context) -> None:
    """Show the swarm as it is, or as the selected peer believes it to be."""
    context.session.analysis.toggle_belief()


def _no_belief(context: Context) -> str:
    session, peer = context.session, context.session.selection.selected
    if session.analysis.show_belief:
        return ""
    if peer is None:
        return "Select a peer first, to see what it believes: press an arrow key, or click one."
    return f"{session.swarm.labels[peer]} is not alive: it has no beliefs." if session.swarm.peer(peer) is None else ""


def upkeep(context: Context) -> None:
    """Show or hide upkeep messages."""
    view = context.screen.view
    view.upkeep = not view.upkeep
    context.session.say("Upkeep messages are shown." if view.upkeep else "Upkeep messages are not shown.")


def zoom(by: int, context: Context) -> None:
    """Zoom in, out, or to the whole swarm."""
    context.screen.picture.zoom(by)


def pan(direction: Direction, context: Context) -> None:
    """Move the view in a direction."""
    context.screen.picture.pan(direction)


def _all_in_sight(context: Context) -> str:
    return "The whole swarm is in the picture already." if context.screen.enlarged <= 1 else ""


def _nothing_beyond(context: Context) -> str:
    return "The whole swarm is in the picture; zoom in first ({view.in})." if context.screen.enlarged <= 1 else ""


def legend(context: Context) -> None:
    """Show or hide the key to the colours."""
    context.screen.view.legend = not context.screen.view.legend


def names(context: Context) -> None:
    """Show or hide the peers' names."""
    context.screen.view.names = not context.screen.view.names


# --- panels ---------------------------------------------------------------------------------------------------------


def panel(name: str, context: Context) -> None:
    """Open a panel and go to it; where it is open, go to it; where it has the focus, hide it. Ends the full screen of a
    panel first."""
    screen, panels = context.screen, context.screen.panels
    there = screen.panel_at(screen.focused) == name
    if name in panels.shown and not panels.whole and not there and screen.takes_keys(name):
        screen.focus_in(name)
        return
    wanted = panels.toggle(name, narrow=drawer(*screen.size))
    screen.make_room()
    if wanted and name in panels.shown:
        screen.focus_panel(name)
    elif there or screen.focused is None:
        screen.picture.focus()


def _no_panel(name: str, context: Context) -> str:
    return "" if name != "story" or context.screen.has_story else "This run has no captions; scenarios have."


# --- layouts of panels, and sizes -----------------------------------------------------------------------------------


def use_layout(name: str, context: Context) -> None:
    """Show a layout; the one that is shown becomes again as it was at first."""
    screen = context.screen
    again = screen.panels.use(name)
    screen.make_room()
    screen.give_sizes()
    screen.picture.focus()
    context.session.say(f"Panels: {name}{', as it was at first' if again else ''}. {LAYOUTS[name].about}")


def next_layout(context: Context) -> None:
    """Show the next layout."""
    names = list(LAYOUTS)
    use_layout(names[(names.index(context.screen.panels.name) + 1) % len(names)], context)


def _words_layout(name: str, context: Context) -> Words:
    if context.screen.panels.name != name:
        return Words()
    return Words("", f"Panels: {name}, as it was at first", "Undo what you changed in this layout.")


def _border(way: Direction, context: Context) -> tuple[str, int]:
    """The border that a resize moves, and by how many cells the part behind it grows: of the focused panel the one to
    the left or right, or above; of the picture the one below."""
    screen = context.screen
    if way in ("left", "right"):
        return "side", COLUMN_STEP if way == "left" else -COLUMN_STEP
    row = screen.panels.side_of(screen.panel_at(screen.focused))
    there = [row for row in ("middle", "bottom") if screen.size_of(row) is not None]
    part = row if row in there else there[0] if there else ""
    return part, 1 if way == "up" else -1


def resize(way: Direction, context: Context) -> None:
    """Move a border between panels."""
    part, by = _border(way, context)
    size = context.screen.size_of(part) if part else None
    if size is not None:
        context.screen.resize_part(part, size + by)


def _no_border(way: Direction, context: Context) -> str:
    screen = context.screen
    if screen.panels.whole:
        return "One panel has the whole screen: {panel.expand} ends that."
    part, by = _border(way, context)
    size = screen.size_of(part) if part else None
    if size is None:
        return "There is no panel beside the picture." if part == "side" else "There is no panel below the picture."
    if screen.limited(part, size + by) == size:
        return "The border cannot be moved further that way."
    return ""


def usual_sizes(context: Context) -> None:
    """The sizes that the layout has at first."""
    panels = context.screen.panels
    panels.sizes.clear()
    panels.sizes.update(LAYOUTS[panels.name].sizes)
    context.screen.give_sizes()


def _usual_already(context: Context) -> str:
    panels = context.screen.panels
    return "" if panels.sizes != dict(LAYOUTS[panels.name].sizes) else "No panel was resized."


def expand(context: Context) -> None:
    """Give the focused panel, or the picture, the whole screen, or end that."""
    screen = context.screen
    screen.panels.expand(screen.panel_at(screen.focused) or "swarm")
    screen.make_room()


COLUMN_STEP = 2
"""Cells by which a key moves the border of a column."""
LAYOUT_KEYS: tuple[tuple[str, str, str], ...] = (
    ("standard", "f2", "layout, default panels, all panels, reset layout"),
    ("watch", "f3", "layout, large picture, few panels, zen"),
    ("analyse", "f4", "layout, analyze, tables, charts, figures"),
    ("present", "f5", "layout, presentation, demo, audience, teaching, large labels, keys shown, screencast"),
)
ABOUT_PANELS = (
    (1, "the selected peer and the chosen ask", "details, peer, inspector, properties, node details"),
    (2, "the table of asks", "queries, query list, searches, requests, operations, history of asks"),
    (
        3,
        "churn, loss, latency and group actions",
        "settings, options, knobs, parameters, sliders, loss, packet loss, latency, RTT, delay, jitter, "
        "churn, bandwidth, kill random peers",
    ),
    (4, "the charts over time", "graphs, metrics, time series, plot, statistics, success rate, reach, load, success"),
    (5, "the feed of events", "log, event log, history, trace, messages, what happened"),
    (6, "what the scenario says", "scenario, captions, story, lesson, expectations"),
    (7, "the table of all peers", "nodes, node list, list, degree, hubs, top peers, sort peers, htop"),
    (
        8,
        "the statistics by kind of message",
        "message types, traffic, bandwidth, throughput, bytes, packets, overhead, statistics, message count",
    ),
    (
        9,
        "attacks to choose from, flash crowds and mass exits among them",
        "targeted, targeted attack, failure, denial of service, dos, ddos, sybil, eclipse, adversary, flash "
        "crowd, mass exit, random failure, attack hubs",
    ),
)
PLACE_SYNONYMS: Mapping[Placement, str] = {
    "world": "map, geography, cities, countries, globe",
    "ring": "circle, circular layout",
    "hops": "distance, concentric, breadth first, BFS, radial, tree",
    "ask": "wave, depth, propagation, flood, spanning tree, radial",
    "identifiers": "DHT, hash ring, key space, keyspace, Kademlia, Chord, node id",
    "communities": "force directed, clusters, spring, modularity, graph layout, small world",
}
COLOUR_SYNONYMS: Mapping[ColourBy, str] = {
    "state": "alive, dead, status, health",
    "role": "kind of node, ultrapeer, server, client, super node",
    "load": "traffic, heat map, bandwidth, hot spots, busy, hubs, throughput",
    "belief": "knowledge, view, stale, wrong, local view",
    "heard": "last seen, liveness, failure detector, silent, age, freshness",
    "answer": "reach, coverage, hops, who answered, hits, infected",
}
ACTIONS: tuple[Action, ...] = (
    Action(
        *("view.placement", "g", "layout", "Picture"),
        *("Change the layout: world, ring, hops from a peer or of an ask, identifiers, communities.", 10),
        run=next_placement,
        synonyms="arrange, arrangement, placement, graph, topology, map, ring, force directed, geography",
    ),
    Action(
        *("view.placements", "G", "choose a layout", "Picture", "Choose how peers are placed."),
        run=choose_placement,
        synonyms="arrange, arrangement, placement, graph, topology, map, ring, force directed, geography",
    ),
    Action(
        *("view.colour", "b", "colour by", "Picture"),
        *("Colour peers by state, role, load, belief, last heard, or answer to the chosen ask.", 11),
        run=next_colour,
        synonyms="color, colouring, coloring, heat map, highlight",
    ),
    Action(
        *("view.colours", "B", "choose a colouring", "Picture", "Choose what the colours mean."),
        run=choose_colour,
        synonyms="color, colouring, coloring, heat map, highlight",
    ),
    Action(
        *("view.picture", "d", "diagram", "Picture"),
        *("The swarm, the chosen ask in time and space, or the tree of who told whom.", 10),
        run=turn,
        why_not=_no_other_picture,
        synonyms=(
            "space-time, spacetime, sequence, sequence diagram, message diagram, spanning tree, lamport, "
            "trace, timeline of an ask, propagation, who told whom"
        ),
    ),
    Action(
        *("view.belief", "v", "belief", "Picture"),
        *("The network as it is, or as the selected peer believes it to be.", 9),
        run=belief,
        why_not=_no_belief,
        synonyms=(
            "local view, partial view, knowledge, routing table, neighbour table, what a peer knows, stale, subjective"
        ),
    ),
    Action(
        *("view.upkeep", "u", "upkeep", "Picture", "Show or hide the network's upkeep messages.", 15),
        run=upkeep,
        synonyms=(
            "maintenance, maintenance traffic, keepalive, keep-alive, heartbeat, ping, pong, overhead, control traffic"
        ),
    ),
    Action(
        *("view.in", "plus,equals_sign", "zoom", "Picture", "Zoom in or out."),
        run=partial(zoom, 1),
        says="Picture: zoom in",
        synonyms="magnify, larger, closer, enlarge",
    ),
    Action(
        *("view.out", "minus", "zoom", "Picture", "Zoom in or out."),
        run=partial(zoom, -1),
        why_not=_all_in_sight,
        says="Picture: zoom out",
        synonyms="smaller, shrink, farther, overview",
    ),
    Action(
        *("view.fit", "0", "fit all", "Picture", "Show the whole swarm again."),
        run=partial(zoom, 0),
        why_not=_all_in_sight,
        synonyms="reset zoom, fit to screen, show everything, centre, overview",
    ),
    *(
        Action(
            *(f"view.pan_{way}", f"shift+{way}", "move the picture", "Picture", "Move the picture."),
            run=partial(pan, way),
            why_not=_nothing_beyond,
            says=f"Picture: move the picture {way}",
            synonyms="pan, scroll, shift view",
        )
        for way in WAYS
    ),
    *(
        Action(
            *(f"panel.{n}", str(n), f"panel: {PANELS[n]}", "Picture", f"Go to, or show or hide, {what}."),
            run=partial(panel, PANELS[n]),
            synonyms=synonyms,
            why_not=partial(_no_panel, PANELS[n]),
        )
        for n, what, synonyms in ABOUT_PANELS
    ),
    Action(
        *("panel.options", "O", "options", "Picture"),
        *("Go to, or show or hide, the options of the network: change a value now, or restart with it.", 13),
        run=partial(panel, OPTIONS),
        says="Panel: options of the network",
        synonyms="options, settings of the network, parameters, set, ttl, fanout, protocol options, configure, change, "
        "restart with",
    ),
    Action(
        *("panel.history", "H", "history", "Picture"),
        "Go to, or show or hide, the list of all that was done: jump there, or copy it as a command.",
        run=partial(panel, HISTORY),
        says="Panel: history of what was done",
        synonyms="actions, commands, log of actions, undo list, done, copy command",
    ),
    *(
        Action(
            *(f"panels.{name}", key, name, "Picture", f"Panels: {LAYOUTS[name].about}"),
            run=partial(use_layout, name),
            words=partial(_words_layout, name),
            says=f"Panels: {name}",
            synonyms=synonyms,
        )
        for name, key, synonyms in LAYOUT_KEYS
    ),
    Action(
        *("panels.next", "V", "next layout", "Picture"),
        "The next layout of panels: standard, watch, analyse, present.",
        run=next_layout,
        says="Panels: next layout",
        synonyms="arrangement, workspace, perspective",
    ),
    *(
        Action(
            *(f"panels.{way}", f"ctrl+{way}", "resize", "Picture"),
            "Move a border of the focused panel; of the picture, those around it.",
            run=partial(resize, way),
            why_not=partial(_no_border, way),
            says=f"Panels: move the border {way}",
            synonyms="resize, size, wider, narrower, taller, larger, smaller, splitter",
        )
        for way in WAYS
    ),
    Action(
        *("panels.usual", "", "usual sizes", "Picture", "All panels as large as they are at first."),
        run=usual_sizes,
        why_not=_usual_already,
        says="Panels: usual sizes",
        synonyms="reset sizes, resize",
    ),
    Action(
        *("panel.expand", "f", "full screen", "Picture"),
        *("Give the focused panel, or the picture, the whole screen.", 12),
        run=expand,
        synonyms="maximise, maximize, zoom panel, fullscreen, enlarge",
    ),
    Action(
        *("view.legend", "k", "legend", "Picture", "Show or hide the key to the colours on the picture."),
        run=legend,
        synonyms="colours, color key, key to colours, what colours mean",
    ),
    Action(
        *("view.names", "w", "names", "Picture", "Show or hide the peers' names on the picture."),
        run=names,
        synonyms="labels, node names, show labels, hide labels",
    ),
    *(
        Action(
            *(f"view.place_{name}", "", f"layout {name}", "Picture", PLACED[name]),
            run=partial(place, name),
            why_not=partial(_no_placement, name),
            says=f"Layout: {name}",
            synonyms=PLACE_SYNONYMS[name],
        )
        for name in PLACED
    ),
    *(
        Action(
            *(f"view.colour_{name.replace(' ', '_')}", "", f"colour by {name}", "Picture", COLOURED[name]),
            run=partial(colour, name),
            says=f"Colour by: {name}",
            synonyms=f"color, {COLOUR_SYNONYMS[name]}",
        )
        for name in COLOURED
    ),
)
