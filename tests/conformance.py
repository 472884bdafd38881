"""What every network must be able to stand, as checks: each takes a network, runs it, and fails with a sentence.

A network in `engine/protocols/` gets all of them unasked. The networks in `tests/broken/` are there to show that the
checks see what they look for.
"""

from __future__ import annotations

import ast
import builtins
import io
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from engine import (
    AskFor,
    Beliefs,
    Blob,
    Censor,
    Collude,
    Command,
    ContentSpec,
    Cure,
    Defect,
    File,
    Heal,
    Hold,
    InputError,
    Join,
    Kill,
    Leave,
    LinkSpec,
    Partition,
    Peer,
    PeerId,
    Poison,
    Publish,
    Release,
    Revive,
    Set,
    Setup,
    Swarm,
    Uncensor,
)
from engine.core.hosts import Desk, Seat
from engine.core.kernel import Kernel, Timer
from engine.core.links import Links
from engine.networks import messages_of
from engine.snapshot import ALIVE

SECOND = 1_000_000
RICH = ContentSpec(items=12, replicas=3.0, free_riders=0.0)
"""Few titles and many copies: whoever asks can be answered."""

IDLE_MOST = 5.0
"""Messages per peer and second when nobody asks anything."""
ASKS = 1_200
GROWTH_MOST = 1.5
"""How much larger the programs may be after three times as many asks: tables are full by then, not growing."""
ITEMS_MOST = 2_500
"""In any one container of a program. Fewer than the asks of the long run, so that one kept for each is too many."""


# --- how to watch a swarm ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """A program and options that differ from the defaults."""

    program: type[Peer]
    options: dict[str, Any] = field(default_factory=dict)

    def programs(self) -> list[type[Peer]]:
        """All roles there are: an ordinary peer's first, then those of the stations."""
        options = self.program.options_type(**self.options)
        return list(dict.fromkeys((self.program, *(one.program for one in self.program.stations(options, 8)))))


def variants(program: type[Peer]) -> Iterator[Network]:
    """A network as it is, and with each option of which some more brings a role into it that was not there."""
    yield Network(program)
    known = dict.fromkeys(Network(program).programs())
    for option in fields(program.options_type):
        if type(option.default) is int:
            more = Network(program, {option.name: option.default + 2})
            if any(one not in known for one in more.programs()):
                known.update(dict.fromkeys(more.programs()))
                yield more


class Spied:
    """A swarm whose hosts tell what is asked of them. `messages` maps the identity of each message sent to itself and
    what it read like then; `samples` holds the last (sender, receiver, message) of each kind
    and role of sender; `late` what was done by
    peers that are not alive, or that are and plan beyond their farewell."""

    def __init__(self, network: Network, way: type[Links] = Links, **changes: Any) -> None:
        self.messages: dict[int, tuple[Any, str]] = {}
        self.samples: dict[tuple[type, str], tuple[PeerId, PeerId, Any]] = {}
        self.late: list[str] = []
        self.changed: list[str] = []
        self.leaving: PeerId | None = None
        self.copying = False
        self.sampling = True
        values: dict[str, Any] = {
            "peers": 12,
            "seed": 5,
            "asks_per_s": 0.0,
            "content": RICH,
            "options": network.options,
            **changes,
        }
        with mock.patch("engine.town.Seat", self.spy()), mock.patch("engine.founding.Links", way):
            self.swarm = Swarm(Setup(**values), network.program)
        self.town = self.swarm.town

    def spy(self) -> type[Seat]:
        spied = self

        class Spy(Seat):
            __slots__ = ()

            def send(self, to: PeerId, message: Any, **kw: Any) -> None:
                # It need not pass through `multicast`, and is told twice where it does, which does no harm.
                self.spied((to,), message)
                super().send(to, message, **kw)

            def multicast(self, to: Iterable[PeerId], message: Any, **kw: Any) -> None:
                many = tuple(to)
                self.spied(many, message)
                super().multicast(many, message, **kw)

            def spied(self, many: tuple[PeerId, ...], message: Any) -> None:
                spied.act(self.me, f"sent {type(message).__name__}")
                if spied.copying:
                    spied.sent(message)
                # Nonsense is answered too, and then the receiver may be nobody.
                if many and spied.sampling and type(many[0]) is int and 0 <= many[0] < len(self.kernel.peers):
                    role = spied.town.crew[self.me].role if hasattr(spied, "town") else ""
                    spied.samples[type(message), role] = (self.me, many[0], message)

            def after(self, delay_us: int, tick: Any, **kw: Any) -> Timer:
                spied.act(self.me, "set a timer", plan=True)
                return super().after(delay_us, tick, **kw)

            def every(self, period_us: int, tick: Any) -> Timer:
                spied.act(self.me, "set a timer", plan=True)
                return super().every(period_us, tick)

            def link(self, to: PeerId) -> None:
                spied.act(self.me, "opened a stream", plan=True)
                super().link(to)

            def note(self, kind: str, **facts: Any) -> None:
                spied.act(self.me, f"noted {kind}")
                super().note(kind, **facts)

        return Spy

    def act(self, me: PeerId, what: str, plan: bool = False) -> None:
        town = getattr(self, "town", None)
        if town is None:
            return
        if town.programs[me] is None:
            self.late.append(f"#{me} {what} when it was no more")
        elif plan and me == self.leaving:
            self.late.append(f"#{me} {what} while it said goodbye")

    def sent(self, message: Any) -> None:
        known = self.messages.setdefault(id(message), (message, repr(message)))
        if known[1] != repr(message):
            self.changed.append(f"{known[1]} became {message!r} and was sent again")

    def do(self, *commands: Command) -> None:
        for command in commands:
            self.swarm.do(command)

    def leave(self, peer: PeerId) -> None:
        self.leaving = peer
        self.swarm.do(Leave(peer))
        self.leaving = None

    def run(self, seconds: float) -> None:
        self.swarm.advance(self.swarm.now_us + round(seconds * SECOND))

    def title(self, number: int = 0) -> str:
        return self.swarm.catalogue_titles(12)[number % 12]

    def living(self) -> list[tuple[PeerId, Peer]]:
        return [(p, program) for p, program in enumerate(self.town.programs) if program is not None]

    def look(self) -> None:
        """What a screen, a checkpoint and a kill ask of every peer."""
        for peer, program in self.living():
            assert isinstance(program.beliefs(), Beliefs), f"#{peer} does not say what it believes"
            pickle.dumps(program.saved())
            for path, size in containers(program):
                assert size <= ITEMS_MOST, f"#{peer} holds {size} items in {path}"

    def answered(self, tries: int = 4) -> bool:
        """Whether one of a few asks finds what there is, or half of all hear a broadcast."""
        first = len(self.swarm.asks())
        peers = [p for p, _ in self.living() if not self.town.infrastructure[p]]
        for number in range(tries):
            self.do(AskFor(peers[number * 3 % len(peers)], self.title(number)))
            self.run(3)
        self.run(12)
        rows = self.swarm.asks()[first:]
        return any(row.reached * 2 >= len(peers) if row.want == "broadcast" else row.hits for row in rows)


class Rough(Links):
    """Datagrams overtake each other and some come twice."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.general = True

    def post_all(self, kernel: Kernel, frm: PeerId, to: Iterable[PeerId], parcel: Any) -> int:
        if parcel[1].over == "stream":
            return super().post_all(kernel, frm, to, parcel)
        many = tuple(to)
        for one in many:
            for _ in range(2 if self.rng.random() < 0.3 else 1):
                kernel.post(kernel.now_us + 1 + int(self.delay_us(frm, one) * self.rng.uniform(0.1, 9.0)), one, parcel)
                parcel[4].pending += 1
            parcel[4].pending -= 1
        return len(many)


ENGINE = (Seat, Desk, Kernel, Swarm, Links)


class _Pickler(pickle.Pickler):
    """Timers stay what they are, since the kernel holds them too; a host inside a program is a fault."""

    def __init__(self, file: io.BytesIO, timers: list[Timer]) -> None:
        super().__init__(file)
        self.timers = timers

    def persistent_id(self, obj: Any) -> int | None:
        assert not isinstance(obj, ENGINE), f"a program holds a {type(obj).__name__} of the engine"
        if isinstance(obj, Timer):
            self.timers.append(obj)
            return len(self.timers) - 1
        return None


def packed(program: Peer) -> tuple[bytes, list[Timer]]:
    """A program as bytes, and the timers it holds."""
    file, timers = io.BytesIO(), []
    _Pickler(file, timers).dump(program)
    return file.getvalue(), timers


def copied(program: Peer) -> Peer:
    """The same again, out of bytes."""
    data, timers = packed(program)
    unpickler = pickle.Unpickler(io.BytesIO(data))
    unpickler.persistent_load = timers.__getitem__  # type: ignore[method-assign, assignment]
    copy: Peer = unpickler.load()
    return copy


def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, slots included."""
    names = dict.fromkeys(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        names.update(dict.fromkeys((slots,) if isinstance(slots, str) else slots))
    for name in names:
        if hasattr(value, name):
            yield name, getattr(value, name)


def containers(value: Any, path: str = "", seen: dict[int, Any] | None = None) -> Iterator[tuple[str, int]]:
    """Every container inside a program, however deep: (where, how many items)."""
    seen = {} if seen is None else seen
    plain = isinstance(value, (str, bytes, int, float, type, Timer, range)) or value is None
    if plain or id(value) in seen or callable(value):
        return
    seen[id(value)] = value
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        yield path, len(value)
        inner = [("[]", each) for pair in value.items() for each in pair]
    elif hasattr(value, "__len__") and hasattr(value, "__iter__") and not is_dataclass(value):
        yield path, len(value)
        inner = [("[]", each) for each in value]
    else:
        inner = [(f".{name}", each) for name, each in parts_of(value)]
    for name, each in inner:
        yield from containers(each, path + name, seen)


def files_of(network: Network) -> list[Path]:
    """The sources of a network: its module, or all of its package."""
    kinds = network.programs()
    found: dict[Path, None] = {}
    for kind in kinds:
        for base in kind.__mro__:
            if base not in (Peer, object):
                path = Path(sys.modules[base.__module__].__file__ or "")
                found.update(dict.fromkeys(sorted(path.parent.glob("*.py")) if path.stem == "__init__" else [path]))
    return list(found)


# --- the checks ---------------------------------------------------------------------------------------------


def answers(network: Network) -> None:
    """It starts, an ask is answered, one for what was just published too, and asks come to an end."""
    made = Spied(network)
    made.run(5)
    assert made.answered(), "nobody found anything, or few heard of it"
    made.do(Publish(1, "a song unheard"))
    made.run(70)
    made.do(AskFor(7, "song unheard"))
    made.run(15)
    row = made.swarm.asks()[-1]
    assert row.hits or row.reached > 1, "what was published is not to be found"
    assert made.swarm.advance_quiet(made.swarm.now_us + 7_200 * SECOND), "an ask never ends"


def deep(levels: int) -> Any:
    value: Any = ()
    for _ in range(levels):
        value = (value,)
    return value


ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 10**6, 1 << 70, -(1 << 70), 2.5, float("nan"), float("inf"), "", "x", "\x1b[2J", "\ud800",
    "x" * 70_000, b"", b"x" * 16, [], [[]], ["the"], {}, {"a": []}, (), (None,), ((1, "x"), ("y",)), deep(60), object(),
    Blob(0), Blob(-5), Blob(1 << 70, -1), Blob("x", []), File("x", -1, 1), (File("x", 1, 1),), (File(None, [], {}),),
    int, len,
)  # fmt: skip
"""Nothing that a stranger sends need be what the annotation says."""
FEW: tuple[Any, ...] = (None, -1, 1 << 70, float("nan"), "\\ud800", [], (1, "x"), True)


def twisted(value: Any, depth: int = 2) -> Iterator[Any]:
    """What a careful stranger sends: the right shape, and one thing inside it that should not be there."""
    if isinstance(value, tuple) and value and depth:
        for at, each in enumerate(value[:6]):
            for odd in (*FEW, *twisted(each, depth - 1)):
                rest = (*value[:at], odd, *value[at + 1 :])
                yield type(value)(*rest) if hasattr(value, "_fields") else rest
        if not hasattr(value, "_fields"):
            yield value * 300
    elif is_dataclass(value) and not isinstance(value, type) and depth:
        for part in fields(value):
            for odd in FEW:
                yield replace(value, **{part.name: odd})


TEXTS = ("", " ", "\x1b[2J", "\ud800", "x" * 9_000, "the " * 3_000, "Ⅷ ß İ", "%s {0} \\", "-1")


def survives_nonsense(network: Network) -> None:
    """Any value in any field of any message, to every role, from a neighbour and from a stranger, and back as refused
    by a dead one; any text asked."""
    made = Spied(network, peers=10)
    town, swarm = made.town, made.swarm
    word = made.title().split()[0]
    made.do(Collude((1, 4), word, 0.5))
    kinds = messages_of(network.program, *(town.crew[station] for station in town.stations))
    stranger, number = 9, 0
    for command in (
        AskFor(2, made.title()),
        Publish(3, "another song"),
        AskFor(5, made.title(1)),
        Kill(8),
        Revive(8),
        Kill(8),
    ):
        made.do(command)
        made.run(2)
    for kind in kinds:
        for part in fields(kind):
            number += 1
            made.do(AskFor(number % 8, made.title(number)))
            made.run(0.06)
            made.sampling = False
            for sample in [each for (one, _), each in made.samples.items() if one is kind] or [None]:
                for odd in (*ODD, *(twisted(getattr(sample[2], part.name)) if sample else ())):
                    message = replace(sample[2], **{part.name: odd}) if sample else kind(*(odd for _ in fields(kind)))
                    for ban in (word, "x"):
                        set(message.about())
                        message.without(ban)
                    pairs = [(stranger, number % 8), *((stranger, station) for station in town.stations)]
                    pairs += [(next(iter(town.streams.near[number % 8]), 0), number % 8)]
                    if sample:
                        pairs += [sample[:2], (sample[1], sample[0]), (sample[0], 8)]
                    for frm, to in dict.fromkeys(pairs):
                        town.seats[frm].send(to, message, cause=None)
            made.sampling = True
            made.run(0.3)
    for text in TEXTS:
        try:
            made.do(AskFor("all", text), Publish(6, text))
        except (InputError, UnicodeError):
            continue
        made.run(0.5)
    made.do(Defect("all"))
    made.run(60)
    made.look()
    made.do(Kill("all"))
    made.run(5)
    made.do(Revive("all"))
    made.run(120)
    made.look()
    swarm.snapshot()
    assert made.answered(), "after the nonsense nobody finds anything any more"


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
    (Leave("all"),),
    (Join("all"), Revive("state=dead")),
)


def trouble(network: Network, links: type[Links], seed: int = 5) -> Spied:
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
    made.do(Revive("all"), Join("all"), Set("latency", 1.0))
    return made


def survives_trouble(network: Network) -> None:
    """Churn, loss, censorship, collusion, partition, the end of everybody; and afterwards it works again."""
    for links in (Links, Rough):
        made = trouble(network, links)
        made.run(150)
        made.look()
        assert not made.late, made.late[0]
        assert len(made.living()) == made.town.n
        assert made.answered(6), "when all is well again it does not recover"


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
    """Every option at both ends of its range, while it runs."""
    for part in fields(network.program.options_type):
        for end in ("low", "high"):
            value = part.metadata.get(end)
            if value is None:
                continue
            made = Spied(network, peers=8, asks_per_s=3.0)
            made.run(1)
            made.do(Set(part.name, value), Kill(3))
            for _ in range(3):
                made.swarm.advance(made.swarm.now_us + 2 * SECOND, 1_500)
            made.do(Revive(3))
            made.swarm.advance(made.swarm.now_us + 2 * SECOND, 1_500)
            made.look()


def forgets(network: Network) -> None:
    """A program is no larger for having run three times as long. All four ask at once, once in four seconds."""
    made = Spied(network, peers=4, topology="complete")
    sizes = []
    for number in range(3 * ASKS // 4):
        made.do(AskFor((0, 1, 2, 3), made.title(number)))
        made.run(4)
        if number + 1 in (ASKS // 4, 3 * ASKS // 4):
            sizes.append(sum(len(packed(each)[0]) for _, each in made.living()))
    before, after = sizes
    assert after <= before * GROWTH_MOST, f"the programs grew from {before} to {after} bytes"
    made.look()


def repeats(network: Network) -> None:
    """The same seed and commands give the same run; another seed another."""
    prints = []
    for seed in (5, 5, 6):
        made = trouble(network, Rough, seed)
        made.run(10)
        prints.append(made.swarm.fingerprint())
    assert prints[0] == prints[1], "the same run went differently"
    assert prints[0] != prints[2], "another seed made no difference"


def is_calm(network: Network) -> None:
    """Nobody asks, so there is little to say."""
    made = Spied(network, peers=24)
    made.run(60)
    before = made.town.desk.sent
    made.run(60)
    rate = (made.town.desk.sent - before) / made.town.n / 60
    assert rate <= IDLE_MOST, f"{rate:.1f} messages a peer and second, for nothing"


def leaves_messages_alone(network: Network) -> None:
    """What was sent is what all receivers get: nobody writes into a message, neither who sent it nor who got it."""
    made = Spied(network, asks_per_s=2.0)
    made.copying = True
    made.run(10)
    made.do(Kill("random 3"))
    made.run(10)
    for message, then in made.messages.values():
        assert repr(message) == then, f"{then} became {message!r}"
    assert not made.changed, made.changed[0]
    for _, _, message in made.samples.values():
        assert repr(pickle.loads(pickle.dumps(message))) == repr(message)


def keeps_no_host(network: Network) -> None:
    """A program is plain data: it pickles, with nothing of the engine but timers inside."""
    made = Spied(network, asks_per_s=2.0)
    for _ in range(5):
        made.run(1.3)
        for _, each in made.living():
            packed(each)
            pickle.dumps(each)


def lives_on_as_a_copy(network: Network) -> None:
    """Programs that were put away and fetched again go on as if nothing had been. What they know is in them, and in
    nothing that their class or module holds."""
    plain, stored = (Spied(network, asks_per_s=3.0) for _ in range(2))
    shared = globals_of(network)
    for step in range(12):
        if step == 6:
            plain.do(Kill((2, 5)))
            stored.do(Kill((2, 5)))
        for peer, each in stored.living():
            stored.town.programs[peer] = stored.town.kernel.peers[peer] = copied(each)
        plain.run(0.71)
        stored.run(0.71)
    assert stored.swarm.fingerprint() == plain.swarm.fingerprint(), "copies behave otherwise than their originals"
    assert globals_of(network) == shared, "a class or module of the network was changed by the run"


def globals_of(network: Network) -> dict[str, str]:
    """Containers that all peers of a network share."""
    kinds = network.programs()
    found: dict[str, str] = {}
    for holder in [*kinds, *(sys.modules[kind.__module__] for kind in kinds)]:
        for name, value in vars(holder).items():
            if isinstance(value, (list, dict, builtins.set)) and not name.startswith("__"):
                found[f"{holder.__name__}.{name}"] = repr(value)
    return found


def ends_when_it_stops(network: Network) -> None:
    """A farewell is all: nothing is planned in it, and nothing done after it, nor after a kill."""
    made = Spied(network, peers=12, asks_per_s=3.0)
    made.run(4)
    for peer in (*range(4), *made.town.stations):
        made.leave(peer)
    made.do(Kill((4, 5)))
    made.run(20)
    assert not made.late, made.late[0]
    for peer in (*range(4), *made.town.stations):
        assert made.town.state[peer] != ALIVE


# --- reading the source -----------------------------------------------------------------------------------

OUTSIDE = {"time", "datetime", "random", "secrets", "uuid", "os", "sys", "threading", "asyncio", "socket", "numpy"}
ORDERED = {"list", "tuple", "iter", "next", "enumerate", "zip", "map", "filter", "multicast", "choice", "sample"}
"""Calls by which the order of what they are given becomes part of a run."""


def reads_no_clock(network: Network) -> None:
    """Time and chance come from the host; `hash` and `id` differ from process to process."""
    for path in files_of(network):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("hash", "id", "open"), f"{path.name}:{node.lineno} calls {node.func.id}"
            for name in names:
                assert name.split(".")[0] not in OUTSIDE, f"{path.name} imports {name}"


def walks_no_set(network: Network) -> None:
    """The order of a set is nobody's to rely on: it does not survive pickling."""
    for path in files_of(network):
        tree = ast.parse(path.read_text())
        known = _sets(tree)
        for node in ast.walk(tree):
            walked: list[ast.expr] = []
            if isinstance(node, (ast.For, ast.comprehension)):
                walked = [node.iter]
            elif isinstance(node, ast.Starred):
                walked = [node.value]
            elif isinstance(node, ast.Call):
                name = _name(node.func)
                walked = node.args if name in ORDERED else []
                if isinstance(node.func, ast.Attribute) and name == "pop" and not node.args:
                    walked = [node.func.value]
            for each in walked:
                assert not _is_set(each, known), f"{path.name}:{each.lineno} goes through a set in its order"


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _sets(tree: ast.AST) -> dict[str, None]:
    """Names and attributes that hold sets, as far as one file tells."""
    known: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation is not None:
            if ast.unparse(node.annotation).split("[")[0] in ("set", "frozenset"):
                known[_name(node.target) if isinstance(node, ast.AnnAssign) else node.arg] = None
        elif isinstance(node, ast.Assign) and _is_set(node.value, known):
            known.update(dict.fromkeys(_name(target) for target in node.targets))
    return known


def _is_set(node: ast.AST, known: dict[str, None]) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, known) or _is_set(node.right, known)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return _name(node) in known if isinstance(node, (ast.Name, ast.Attribute)) else False


CHECKS: dict[str, Callable[[Network], None]] = {
    check.__name__: check
    for check in (
        answers,
        survives_nonsense,
        survives_trouble,
        lives_with_thin_lines,
        survives_any_option,
        forgets,
        repeats,
        is_calm,
        leaves_messages_alone,
        keeps_no_host,
        lives_on_as_a_copy,
        ends_when_it_stops,
        reads_no_clock,
        walks_no_set,
    )
}
