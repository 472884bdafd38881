"""Checks that do everything that commands can do to a swarm while users ask, with datagrams in order and out of order;
afterwards it has to work again."""

from __future__ import annotations

from ...api import goals_to_ask
from ...commands import (
    Arrive,
    AskFor,
    Censor,
    Collude,
    Command,
    Cure,
    Cut,
    Defect,
    Heal,
    Hold,
    Join,
    Kill,
    Leave,
    Mend,
    Partition,
    Poison,
    Release,
    Revive,
    Set,
    Uncensor,
)
from ...errors import InputError
from ...options import allowed_of, option_values, options_for
from ...setup import LinkSpec
from ...sim.network import Network as Between
from .watch import SECOND, RoughWires, Spied, Variant

TROUBLE: tuple[tuple[Command, ...], ...] = (
    (Set("loss", 0.3),),
    (Kill("random 30%"), Censor("random 2")),
    (Collude("random 30%", "the", 0.3), Revive("random 50%")),
    (Partition("random 40%"), Leave("random 2")),
    (Uncensor("all"), Heal(), Join("state=left")),
    (Kill("all"),),
    (Revive("all"), Set("latency", 4.0)),
    (Kill("top 2 degree"), Set("latency", 0.2)),
    (Censor("all"),),
    (Uncensor("all"), Set("churn", "exponential:6")),
    (Poison("random 40%"),),
    (Poison("all"), Cure("random 50%")),
    (Cut("random 5"), Cut("random 1")),
    (Arrive(3),),
    (Leave("all"),),
    (Join("all"), Revive("state=dead")),
)


def trouble(network: Variant, links: type[Between], seed: int = 5, budget: int | None = None) -> Spied:
    """A swarm to which everything that commands can do was done while users asked, and then undone. budget: most events
    of a slice."""
    made = Spied(network, links, seed=seed, asks_per_s=3.0, peers=14, latency="uniform:5-90")
    goals = goals_to_ask(network.program.goals)
    for number, commands in enumerate(TROUBLE):
        made.run(2.5, budget)
        for command in commands:
            try:
                made.do(command)
            except InputError:
                continue
        made.run(0.7, budget)
        made.do(AskFor("random 3", made.title(), goals[number % len(goals)].name))
    made.do(
        Set("asks", 0.0), Set("churn", "none"), Set("loss", 0.0), Defect("all"), Heal(), Uncensor("all"), Cure("all")
    )
    made.do(Mend("all"), Revive("all"), Join("all"), Set("latency", 1.0))
    return made


def survives_trouble(network: Variant) -> None:
    """It works again after churn, loss, censorship, collusion, a partition, newcomers, and the leaving of all peers."""
    all_well(trouble(network, Between))


def repeats(network: Variant) -> None:
    """It survives the trouble of `survives_trouble` also where datagrams come out of order and twice. The same seed and
    commands give the same run, also in slices of 97 events; another seed gives another one."""
    made, again = (trouble(network, RoughWires, budget=budget) for budget in (None, 97))
    made.run(10)
    again.run(10, 97)
    assert made.swarm.fingerprint() == again.swarm.fingerprint(), "the same run went differently"
    all_well(made)
    begun = [Spied(network, RoughWires, seed=seed, asks_per_s=2.0, latency="uniform:5-90") for seed in (5, 6)]
    for each in begun:
        each.run(10)
    assert begun[0].swarm.fingerprint() != begun[1].swarm.fingerprint(), "another seed made no difference"


def all_well(made: Spied) -> None:
    """After trouble it works again, and all peers are up."""
    assert made.recovers(150), "when all is well again it does not recover"
    made.look()
    assert not made.late, made.late[0]
    down = made.simulation.n - len(made.living())
    assert not down, f"{down} peers do not live, which were all started again"


THIN = LinkSpec("256:1500", jitter_ms=30.0, nat=0.3)
"""Thin lines for all, and three in ten behind a NAT."""


def lives_with_thin_lines(network: Variant) -> None:
    """It works where transfers take time, some peers accept no connections, and links are held and released; every
    message is counted at every moment."""
    made = Spied(network, asks_per_s=1.0, links=THIN)
    for commands in (
        (),
        (Hold("random 3"),),
        (Kill("random 3"),),
        (Release("all"), Leave("random 2")),
        (Revive("all"),),
    ):
        made.do(*commands)
        for _ in range(8):
            made.run(0.37)
            frame = made.swarm.snapshot()
            assert frame.totals.in_flight == frame.flight.total, "more was delivered than was sent"
            assert len(frame.flight.frm) == min(2_000, frame.flight.total), "some that is in flight is nowhere"
    made.do(Join("all"), Set("asks", 0.0))
    assert made.recovers(60), "over thin lines nobody finds anything"
    made.look()
    assert not made.late, made.late[0]


EVENTS_MOST = 1_500
"""Most events of one step at one value of an option: with some values messages never end."""


def survives_any_option(network: Variant) -> None:
    """It survives every option at both ends of its range: a fixed option from the start of a swarm of its own; the
    others in one swarm, one after the other, each while all others have the value that they began with."""
    begun = option_values(options_for(network.program, network.options, "options"))
    moving = Spied(network, peers=8, asks_per_s=3.0)
    moving.run(1)
    options = getattr(network.program, "options_type", None)
    for name, allowed in allowed_of(options).items() if options is not None else ():
        ends = [value for value in (allowed.low, allowed.high) if value is not None]
        for value in ends:
            if allowed.fixed:
                made = Spied(network, peers=8, asks_per_s=3.0, options=network.options | {name: min(value, 64)})
                made.run(1)
            else:
                made = moving
                made.do(Set(name, value))
            made.do(Kill(3))
            made.swarm.advance(made.swarm.now_us + 3 * SECOND, EVENTS_MOST)
            made.do(Revive(3))
            made.swarm.advance(made.swarm.now_us + 2 * SECOND, EVENTS_MOST)
            made.look()
        if ends and not allowed.fixed:
            moving.do(Set(name, begun[name]))
