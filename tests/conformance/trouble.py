"""All that can be done to a swarm while it is being asked, on good wires and on bad; and afterwards it works again."""

from __future__ import annotations

from engine import (
    AskFor,
    Censor,
    Collude,
    Command,
    Cure,
    Cut,
    Defect,
    Heal,
    Hold,
    InputError,
    Join,
    Kill,
    Leave,
    LinkSpec,
    Mend,
    Partition,
    Poison,
    Release,
    Revive,
    Set,
    Uncensor,
    allowed_of,
)
from engine.sim.network import Network as Between

from .watch import SECOND, Network, Rough, Spied

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
    (Leave("all"),),
    (Join("all"), Revive("state=dead")),
)


def trouble(network: Network, links: type[Between], seed: int = 5) -> Spied:
    """All that can be done to a swarm, while it is being asked; then peace."""
    made = Spied(network, links, seed=seed, asks_per_s=3.0, peers=14, latency="uniform:5-90")
    for commands in TROUBLE:
        made.run(2.5)
        for command in commands:
            try:
                made.do(command)
            except InputError:
                continue
        made.run(0.7)
        made.do(AskFor("random 3", made.title()))
    made.do(
        Set("asks", 0.0), Set("churn", "none"), Set("loss", 0.0), Defect("all"), Heal(), Uncensor("all"), Cure("all")
    )
    made.do(Mend("all"), Revive("all"), Join("all"), Set("latency", 1.0))
    return made


def survives_trouble(network: Network) -> None:
    """Churn, loss, censorship, collusion, partition, the end of everybody; and afterwards it works again."""
    for links in (Between, Rough):
        made = trouble(network, links)
        made.run(150)
        made.look()
        assert not made.late, made.late[0]
        assert len(made.living()) == made.simulation.n
        assert made.answered(6), "when all is well again it does not recover"


def repeats(network: Network) -> None:
    """The same seed and commands give the same run; another seed another."""
    prints = []
    for seed in (5, 5, 6):
        made = trouble(network, Rough, seed)
        made.run(10)
        prints.append(made.swarm.fingerprint())
    assert prints[0] == prints[1], "the same run went differently"
    assert prints[0] != prints[2], "another seed made no difference"


THIN = LinkSpec("256:1500", jitter_ms=30.0, nat=0.3)
"""Thin lines for all, and three in ten behind a NAT."""


def lives_with_thin_lines(network: Network) -> None:
    """Size takes time, some cannot be called, links are held and released: it works, and every message is accounted
    for at every moment."""
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
    made.run(60)
    made.look()
    assert not made.late, made.late[0]
    assert made.answered(6), "over thin lines nobody finds anything"


def survives_any_option(network: Network) -> None:
    """Every option at both ends of its range, while it runs, or from the start where it is fixed."""
    for name, allowed in allowed_of(network.program.options_type).items():
        for value in (allowed.low, allowed.high):
            if value is None:
                continue
            begun = network.options | ({name: min(value, 64)} if allowed.fixed else {})
            made = Spied(network, peers=8, asks_per_s=3.0, options=begun)
            made.run(1)
            made.do(*(() if allowed.fixed else (Set(name, value),)), Kill(3))
            for _ in range(3):
                made.swarm.advance(made.swarm.now_us + 2 * SECOND, 1_500)
            made.do(Revive(3))
            made.swarm.advance(made.swarm.now_us + 2 * SECOND, 1_500)
            made.look()
