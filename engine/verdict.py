"""The verdict on an ask, in one sentence that a person can use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .api import Peer
from .errors import plain


def plural(n: int, one: str, many: str = "") -> str:
    """`1 peer`, `3 peers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def verdict(program: type[Peer], options: Any, facts: Mapping[str, Any]) -> str:
    """One sentence, from `facts`:

    want, text, alive (peers that live, the origin left out), reached, hits, first_hit_s, hops, holders, dead, left,
    censored, colluding (of the holders), reachable, distance (hops to the nearest living holder over the links as
    they stand, or None), losses {reason: n}, stations {label: state}.
    """
    if facts["want"] == "broadcast":
        if not facts["alive"]:
            return "Nobody else is alive to hear it."
        share = min(1.0, facts["reached"] / facts["alive"])
        return f"Heard by {facts['reached']:,} of {plural(facts['alive'], 'living peer')} ({share:.0%})."
    if facts["hits"]:
        return f"Answered: {plural(facts['hits'], 'holder')}, the first after {facts['first_hit_s']:.2f} s."
    if facts["want"] == "publish":
        return "Published: it is in the library and whoever asks may find it."
    own = program.explain(facts, options)
    if own:
        return f"No answer: {own}"
    return f"No answer: {_why(facts)}"


def _why(facts: Mapping[str, Any]) -> str:
    holders: int = facts["holders"]
    text = plain(facts["text"], 40)
    if not holders:
        return f'nobody holds "{text}".'
    parts = []
    for word, label in (("dead", "dead"), ("left", "gone"), ("censored", "censored"), ("colluding", "colluding")):
        if facts[word]:
            parts.append(f"{facts[word]} {'is' if facts[word] == 1 else 'are'} {label}")
    gone = facts["dead"] + facts["left"]
    rest = holders - gone - facts["censored"] - facts["colluding"]
    if rest > 0:
        if facts["distance"] is None and facts["overlay"]:
            parts.append(f"{rest} cannot be reached over the links that are left")
        elif facts["distance"] is not None and facts["ttl"] and facts["distance"] > facts["ttl"]:
            nearest = "is" if rest == 1 else "are at least"
            parts.append(f"{rest} {nearest} {facts['distance']} hops away and the TTL is {facts['ttl']}")
        elif facts["losses"]:
            worst = max(facts["losses"], key=lambda reason: facts["losses"][reason])
            parts.append(f"the way to {rest} was cut ({facts['losses'][worst]} messages {WORDS.get(worst, worst)})")
        else:
            parts.append(f"{rest} never heard of it")
    return f"{plural(holders, 'peer')} hold{'s' if holders == 1 else ''} it; {', '.join(parts)}."


WORDS = {
    "dead": "met a dead peer",
    "left": "met a departed peer",
    "censored": "were censored",
    "partition": "met the partition",
    "lost": "were lost",
    "colluded": "were suppressed by a colluder",
}
