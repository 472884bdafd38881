"""Actions on asks: to ask, to go through an ask step by step, and the minimum cut between an asker and the holders."""

from __future__ import annotations

from functools import partial

from tui.screens.main import Action, Context, Words
from tui.session.ask_filter import ALL, GOAL, AskFilter, filters_of
from tui.session.telling import part_in

NO_ASK = "There is no ask yet: press {ask.here}, or choose one in the table."
FAILED = "A peer's program failed, and this run cannot go on: {run.network} starts another."


def no_ask(context: Context) -> str:
    """Why actions that need an ask are not possible."""
    return NO_ASK if context.session.selection.ask is None else ""


def ask(context: Context) -> None:
    """Show the ask bar."""
    context.screen.open_ask_bar()


def answerer(context: Context) -> None:
    """Select a peer that answered, or a holder that was named; once more, the next; and say which it is. The ask stays
    the chosen one, even if others are issued."""
    session, those = context.session, context.screen.answerers()
    at = (those.index(session.selection.selected) + 1) % len(those) if session.selection.selected in those else 0
    ask = session.selection.ask
    session.selection.choose(ask)
    context.screen.pick(those[at])
    trace = None if ask is None else session.swarm.trace(ask)
    if trace is not None:
        labels = session.swarm.labels
        more = f" {at + 1} of {len(those)}, {{ask.answerer}}: the next" if len(those) > 1 else ""
        session.say(f"{labels[those[at]]}: {part_in(trace, those[at], labels)}.{more}")


def _no_answerer(context: Context) -> str:
    if context.screen.answerers():
        return ""
    ask = context.session.selection.ask
    if ask is not None and (sought := context.session.swarm.record(ask).sought) != "answer":
        return (
            "Nobody answers this: it should reach all peers."
            if sought == "share"
            else "This is no question: nobody has to answer it."
        )
    return no_ask(context) or "No peer has answered yet."


def slow(context: Context) -> None:
    """Slow down on asks, or not."""
    session = context.session
    session.slow_motion.enabled = not session.slow_motion.enabled
    if not session.slow_motion.enabled:
        session.player.pacer.end_slow_motion()
    session.say(
        "Time slows down while your question is under way."
        if session.slow_motion.enabled
        else "Time keeps its speed when you ask."
    )


def _words_slow(context: Context) -> Words:
    return Words("slow on ask ✓" if context.session.slow_motion.enabled else "")


def go_on(hop: bool, context: Context) -> None:
    """Go on to the next arrival of the ask, or its next hop."""
    context.session.analysis.step_until(hop)


def _not_under_way(context: Context) -> str:
    session = context.session
    if session.selection.ask is None or session.player.alarm:
        return no_ask(context) or FAILED
    if session.swarm.record(session.selection.ask).closed_us is not None:
        return f"Ask {session.selection.ask} is over: no message of it is under way. Ask again with {{ask.here}}."
    return ""


def _next_filter(context: Context) -> AskFilter | None:
    """What would be shown next; None where there is nothing to choose."""
    frame = context.screen.frame
    every = () if frame is None else filters_of(frame.snapshot)
    now = context.session.asks_of
    if not every or (len(every) < 2 and now in every):
        return None
    return every[(every.index(now) + 1) % len(every)] if now in every else every[0]


def next_filter(context: Context) -> None:
    """Show other asks: those of users, of each goal, all."""
    chosen = _next_filter(context)
    if chosen is not None:
        context.session.asks_of = chosen
        context.session.say(f"Asks that are shown: {_described(chosen)}.")


def _described(chosen: AskFilter) -> str:
    if chosen.kind == GOAL:
        return f"those with the goal “{chosen.goal}”"
    return "all, also those that the network opens by itself" if chosen.kind == ALL else "those of users"


def _no_filter(context: Context) -> str:
    return (
        "" if _next_filter(context) else "All asks are shown: the network opens none by itself, and all have one goal."
    )


def _words_filter(context: Context) -> Words:
    chosen = _next_filter(context)
    return Words() if chosen is None else Words("", f"Ask: show {_described(chosen)}")


def silence(context: Context) -> None:
    """Show or hide the minimum cut."""
    context.session.analysis.toggle_min_cut()


def censor_set(context: Context) -> None:
    """Censor the peers of the cut, or lift that."""
    context.session.censor_min_cut()


def _no_cut(context: Context) -> str:
    found = context.session.analysis.min_cut
    if found is None:
        return "No peers are ringed: {ask.silence} finds the minimum cut."
    return "" if found.peers else found.sentence


ACTIONS: tuple[Action, ...] = (
    Action(
        *("ask.here", "a", "ask", "Ask", "Ask for something from the selected peer.", 1),
        run=ask,
        synonyms=(
            "query, search, request, look up, lookup, find, find file, get, download, fetch, flood, "
            "broadcast, rumour, rumor, gossip, publish a message, question, operation, transaction, issue"
        ),
    ),
    Action(
        *("ask.answerer", "A", "who answered", "Ask"),
        *("Select a peer that answered the chosen ask; once more, the next one, then the holders that were named.", 2),
        run=answerer,
        why_not=_no_answerer,
        synonyms="holder, hit, query hit, result, response, reply, provider, source, seed, seeder, replica",
    ),
    Action(
        *("ask.slow", "s", "slow on ask", "Ask", "Slow time down when you ask, so that you can watch.", 14),
        run=slow,
        words=_words_slow,
        synonyms="slow motion, slow down, auto slow, watch closely, bullet time",
    ),
    Action(
        *("ask.next", "n", "next arrival", "Ask"),
        *("Go on to the next arrival of a message of the chosen ask, then stop.", 19),
        run=partial(go_on, False),
        why_not=_not_under_way,
        synonyms="step, single step, next message, next event, delivery, debug, step into",
    ),
    Action(
        *("ask.hop", "N", "next hop", "Ask", "Go on until the chosen ask is a hop deeper, then stop.", 21),
        run=partial(go_on, True),
        why_not=_not_under_way,
        synonyms="step, depth, level, TTL, round, hop count, breadth first",
    ),
    Action(
        *("ask.filter", "F", "which asks", "Ask"),
        "Show in the table and the feed the asks of users, those of each goal in turn, or all.",
        run=next_filter,
        why_not=_no_filter,
        words=_words_filter,
        synonyms=("filter asks, hide, show, goal, opened by the network, background, blocks, network asks, flood"),
    ),
    Action(
        *("ask.silence", "m", "minimum cut", "Ask"),
        "Minimum cut: ring the fewest peers that would have to be silenced to stop all answers to the asker.",
        20,
        run=silence,
        why_not=no_ask,
        synonyms=(
            "min cut, mincut, cut set, vertex cut, bottleneck, separator, connectivity, single point of "
            "failure, resilience, robustness, max flow, critical peers, articulation point"
        ),
    ),
    Action(
        *("ask.censor_set", "M", "censor the cut", "Ask"),
        "Censor the peers that the minimum cut has ringed, or lift that again.",
        run=censor_set,
        why_not=_no_cut,
        synonyms="block, min cut, silence, targeted censorship",
    ),
)
