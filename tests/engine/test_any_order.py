"""Any commands and verbs in any order, on any network: the invariants hold after each of them.

The steps are drawn at random: kill, censor, split, collude, raise the churn, ask, let time pass. The invariants are
those that no protocol and no attack may break; floods and routes have tests of their own.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from engine import VERBS, Act, Attack, CallOff, Command, InputError, LinkSpec, Setup, Swarm, networks, verbs_of
from engine.control.attacks import PRESETS
from engine.lab.conformance.invariants import all_hold
from engine.lab.conformance.manners import examples_of

pytestmark = pytest.mark.uncounted

PEERS = 14
SELECTORS = (
    "p003",
    "#0",
    "random 30%",
    "random 2",
    "top 3 degree",
    "top 20% load",
    "state=dead",
    "state=censored",
    "state=alive and not random 50%",
    "role=index or role=server or p005",
    "degree>2",
    'holds "blue train"',
    "not p001",
    "nobody",
)
OPERATORS = ("napster", "napster inc.", "web", "nobody")
TEXTS = ("blue train", "no such thing", "a", "Blue  TRAIN!", "   ")
SETTINGS: tuple[tuple[str, Any], ...] = (
    ("churn", "exponential:3"),
    ("churn", "weibull:0.59:20"),
    ("churn", "none"),
    ("loss", 0.2),
    ("loss", 0.0),
    ("latency", 3.0),
    ("latency", 0.1),
    ("jitter", 80),
    ("jitter", 0),
    ("capacity", 0.1),
    ("asks", 4.0),
    ("asks", 0.0),
    ("no such option", 1),
    ("loss", "very much"),
)
GIVEN: dict[str, st.SearchStrategy[Any]] = {
    "peers": st.sampled_from(SELECTORS),
    "operator": st.sampled_from(OPERATORS),
    "word": st.sampled_from(TEXTS),
    "text": st.sampled_from(TEXTS),
    "by": st.sampled_from((None, "city", "role", "towns")),
    "leak": st.sampled_from((0.0, 0.5, 1.0, -1.0)),
    "after_s": st.sampled_from((0.0, 0.5, 2.0, -1.0)),
    "values": st.sampled_from(({}, {"prefix": "10.0.0.0/8"})),
    "share": st.sampled_from((None, 0.0, 0.3, 1.0)),
    "count": st.sampled_from((1, 5, 0)),
    "over_s": st.sampled_from((0.0, 2.5, -1.0)),
}


def commands() -> st.SearchStrategy[Command]:
    """Any command. Fields that are not in `GIVEN` keep their defaults."""

    def made(kind: type[Command]) -> st.SearchStrategy[Command]:
        if kind.verb == "set":
            return st.sampled_from(SETTINGS).map(lambda pair: kind(name=pair[0], value=pair[1]))  # type: ignore[call-arg]
        if kind is Attack:
            # Each takes some of the fields, and is refused with any other.
            taken = {name: [param.name for param in preset.params] for name, (preset, _) in PRESETS.items()}
            taken["no such attack"] = []  # and it cannot be called off
            return st.sampled_from(list(taken)).flatmap(
                lambda name: st.builds(
                    Attack, name=st.just(name), **{field: GIVEN[field] for field in taken[name] if field in GIVEN}
                )
            )
        if kind is CallOff:
            return st.sampled_from((None, *PRESETS, "no such attack")).map(CallOff)
        values = {f.name: GIVEN[f.name] for f in fields(kind) if f.name in GIVEN}
        unfilled = [f.name for f in fields(kind) if f.default is MISSING and f.name not in values]
        assert not unfilled, f"say what to put into {unfilled} of {kind.verb}"
        return st.builds(kind, **values)

    return st.sampled_from([VERBS[verb] for verb in VERBS]).flatmap(made)


class AnyOrder(RuleBasedStateMachine):
    """A swarm that gets commands in any order."""

    protocol = ""

    @initialize(
        latency=st.sampled_from(("world", "constant:20", "uniform:5-60")),
        churn=st.sampled_from(("none", "exponential:8")),
        links=st.sampled_from((LinkSpec(), LinkSpec("saroiu", nat=0.3), LinkSpec("64:256", 20.0))),
    )
    def begin(self, latency: str, churn: str, links: LinkSpec) -> None:
        """A small network, at any delay and over any lines."""
        setup = Setup(
            protocol=self.protocol,
            peers=PEERS,
            topology="random:3",
            latency=latency,
            churn=churn,
            asks_per_s=1.0,
            links=links,
        )
        self.swarm = Swarm(setup)
        self.deaths_seen = 0

    @rule(command=commands())
    def do(self, command: Command) -> None:
        """A command is done, or it is refused in a sentence and nothing has changed."""
        # A budget may have left the last instant unfinished, and a command is done at its end.
        self.swarm.advance(self.swarm.now_us)
        before = len(self.swarm.history), self.swarm.fingerprint()
        try:
            changed = self.swarm.do(command)
            said = ""
        except InputError as error:
            changed, said = (), str(error) or "\n"
            assert (len(self.swarm.history), self.swarm.fingerprint()) == before
        assert "\n" not in said
        assert all(0 <= peer < len(self.swarm.labels) for peer in changed)

    @rule(peers=st.sampled_from(SELECTORS), at=st.integers(0, 11))
    def act(self, peers: str, at: int) -> None:
        """A verb of the network, with the examples of its values."""
        programs = dict.fromkeys(map(type, filter(None, self.swarm.simulation.programs)))
        verbs = [(program, name) for program in programs for name in verbs_of(program)]
        if verbs:
            program, name = verbs[at % len(verbs)]
            self.do(Act(peers, name, examples_of(program, name)))

    @rule(ms=st.sampled_from((1, 7, 50, 400, 3_000)), budget=st.sampled_from((None, 1, 17)))
    def go_on(self, ms: int, budget: int | None) -> None:
        """Let time go on, or as much of it as the events of one frame take."""
        until = self.swarm.now_us + ms * 1_000
        self.swarm.advance(until, budget)
        assert self.swarm.now_us <= until

    @invariant()
    def invariants_hold(self) -> None:
        """Run after each step."""
        if hasattr(self, "swarm"):
            all_hold(self.swarm)

    @invariant()
    def censored_peers_receive_nothing(self) -> None:
        """Nothing reaches censored peers: the time of their last message does not change."""
        if not hasattr(self, "swarm"):
            return
        blocked = np.flatnonzero(self.swarm.snapshot().censored)
        heard = getattr(self, "heard", {})
        now = {int(peer): int(self.swarm.simulation.metrics.last_heard_us[peer]) for peer in blocked}
        for peer, last_us in now.items():
            assert last_us <= heard.get(peer, self.swarm.now_us)
        self.heard = {peer: heard.get(peer, self.swarm.now_us) for peer in now}

    def teardown(self) -> None:
        """The same commands at the same moments give the same run."""
        if not hasattr(self, "swarm"):
            return
        again = Swarm(self.swarm.setup)
        for at_us, command, by in self.swarm.history:
            if by != "person":
                continue
            again.advance(at_us)
            again.do(command)
        again.advance(self.swarm.now_us)
        # A budget may have left the last instant unfinished.
        self.swarm.advance(self.swarm.now_us)
        assert again.fingerprint() == self.swarm.fingerprint()


NETWORKS = {name: type(f"AnyOrder{name.capitalize()}", (AnyOrder,), {"protocol": name}) for name in networks()}


def any_order(name: str, examples: int) -> None:
    run_state_machine_as_test(
        NETWORKS[name],
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_any_order(name: str) -> None:
    any_order(name, 20 if name == "gnutella" else 6)


@pytest.mark.campaign
@pytest.mark.parametrize("name", NETWORKS)
def test_many_orders(name: str) -> None:
    any_order(name, 100)
