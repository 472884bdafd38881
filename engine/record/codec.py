"""Setups and commands as plain values that MessagePack can write, and back.

They are told field by field, so what is added to a `Setup` or to a command is recorded without anybody thinking of
it. Coming back, each value is held to the kind that its field has; what is out of range is for the engine to refuse,
as it does when a person types it. Raises `InputError`, in one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any, TypeVar

import msgpack
import numpy as np

from ..api import File, Line
from ..commands import VERBS, Command, command_from, field_kinds
from ..errors import InputError, plain
from ..measure.snapshot import Places
from ..setup import Setup
from ..world.content import Catalogue, Lexicon, Shelf
from ..world.latency import Latency
from ..world.readers.edge_list import NODES_MAX
from ..world.readers.sessions import Trace
from ..world.topology import Topology
from ..world.world import World

TEXT_MAX = 100_000
DEPTH_MAX = 6
TIME_MAX_US = 10**15
PLAIN: dict[str, Any] = {"number": 0.0, "whole": 0, "text": ""}
"""A value of each kind of field (`commands.FieldKind`)."""


def of_setup(setup: Setup) -> dict[str, Any]:
    """A setup as a map."""
    schedule = [[at_us, *of_command(command)] for at_us, command in setup.schedule]
    return {**_of(setup), "schedule": schedule}


def _of(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _of(getattr(value, f.name)) for f in fields(value) if f.name != "schedule"}
    if isinstance(value, Mapping):
        return {str(key): _of(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_of(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def to_setup(value: Any) -> Setup:
    """A setup again."""
    if not isinstance(value, dict):
        raise InputError("its setup should be a map")
    schedule = value.get("schedule", [])
    if not isinstance(schedule, list):
        raise InputError("its schedule should be a list")
    timed = []
    for row in schedule:
        if not isinstance(row, list) or len(row) != 3:
            raise InputError("its schedule should hold a time, a verb and fields in each row")
        timed.append((to_time(row[0]), to_command(row[1], row[2])))
    made: Setup = _like(Setup(), {key: each for key, each in value.items() if key != "schedule"}, "setup")
    return replace(made, schedule=tuple(timed))


def _like(plan: Any, values: Any, where: str) -> Any:
    """A dataclass as `plan` is, with those values."""
    if not isinstance(values, dict):
        raise InputError(f"its {where} should be a map")
    known = {f.name for f in fields(plan)}
    changes = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(f'its {where} has a "{plain(name, 40)}", which this version does not know')
        changes[name] = _kind(getattr(plan, name), value, f"{where}.{name}")
    return replace(plan, **changes)


def _kind(plan: Any, value: Any, where: str) -> Any:
    if is_dataclass(plan) and not isinstance(plan, type):
        return _like(plan, value, where)
    if isinstance(plan, Mapping):
        good = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        value = {key: _tidy(each) for key, each in value.items()} if good else value
    elif isinstance(plan, tuple):
        good = isinstance(value, list)
        value = _tidy(value)
    elif isinstance(plan, bool) or plan is None:
        good = isinstance(value, bool) if plan is not None else True
        value = _tidy(value)
    elif isinstance(plan, int):
        good = isinstance(value, int) and not isinstance(value, bool)
    elif isinstance(plan, float):
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        value = float(value) if good else value
    else:
        good = isinstance(value, str) and len(value) <= TEXT_MAX
    if not good:
        raise InputError(f"its {where} should be as {plain(repr(plan), 40)} is, not {plain(repr(value), 40)}")
    return value


def _tidy(value: Any, depth: int = 0) -> Any:
    """A plain value, lists as tuples."""
    if isinstance(value, list) and depth < DEPTH_MAX:
        return tuple(_tidy(each, depth + 1) for each in value)
    if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= TEXT_MAX):
        return value
    raise InputError(f"there is a value in it that no setup has: {plain(repr(value), 40)}")


# --- commands ---------------------------------------------------------------------------------------------------


def of_command(command: Command) -> tuple[str, dict[str, Any]]:
    """Verb and fields. Peers that are named one by one are a column of int32."""
    values: dict[str, Any] = {}
    kinds = field_kinds(command.verb)
    for f in fields(command):
        value = getattr(command, f.name)
        if kinds[f.name] == "peers" and value is not None and not isinstance(value, (str, int)):
            value = np.array(value, "<i4").tobytes()
        values[f.name] = value if isinstance(value, bytes) else _of(value)
    return command.verb, values


def to_command(verb: Any, values: Any) -> Command:
    """A command again."""
    kind = VERBS.get(verb) if isinstance(verb, str) else None
    if kind is None:
        raise InputError(f'it has a command "{plain(verb, 40)}", which this version does not know')
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise InputError(f"the fields of a {kind.verb} should be a map")
    lists: dict[str, tuple[int, ...]] = {}
    told: dict[str, Any] = {}
    known = {f.name: f for f in fields(kind)}
    kinds = field_kinds(kind.verb)
    for name, value in values.items():
        if isinstance(value, bytes):
            if kinds.get(name) != "peers" or len(value) % 4:
                raise InputError(f'the "{plain(name, 40)}" of a {kind.verb} should not be bytes')
            lists[name] = tuple(np.frombuffer(value, "<i4").tolist())
            told[name] = "#0"
        elif kinds.get(name) == "peers" and value is None is known[name].default:
            continue
        elif kinds.get(name) == "peers" and type(value) not in (str, int):
            raise InputError(f'the "{name}" of a {kind.verb} should be a selector or peers')
        else:
            told[name] = _tidy(value)
    made = command_from(kind.verb, told, "the recording")
    for name, f in known.items():
        plan = f.default if f.default is not MISSING else None
        if name not in told or name in lists or kinds[name] == "peers":
            continue
        if plan is None and told[name] is not None:
            # A field that may be left out says by its annotation alone what it may hold.
            plan = PLAIN.get(kinds[name])
        if plan is not None and not (told[name] is None is f.default):
            _kind(plan, values[name], f"{kind.verb}.{name}")
    return replace(made, **lists) if lists else made


def to_time(value: Any) -> int:
    """Virtual time in us."""
    if type(value) is not int or not 0 <= value <= TIME_MAX_US:
        raise InputError(f"there is a time in it that cannot be: {plain(repr(value), 40)}")
    return value


# A world in pieces, and back from them: for a recording, and for the process that follows a run.
#
# Each piece is a name and some bytes, and small: making one takes a millisecond or two even where the world is large,
# so that whoever sends it can go on with something else in between. Numbers are columns in little-endian order, texts
# are MessagePack. What comes from a file is not believed: every number is held to its range, and `InputError` says
# what is wrong.

T = TypeVar("T")

ROWS = 1 << 14
"""Entries of a column in one piece."""
PIECE_MAX = 4 << 20
"""Bytes of one piece, unpacked."""
WORLD_MAX = 256 << 20
"""Bytes of all of them."""
WORLD_TEXT_MAX = 2_000
CHECKED = 1 << 20
"""Entries of a long column that are checked in one go."""
NOTES_MAX = 20
DELAY_MAX_US = 1 << 40


NUMBERS = {
    "lines": "<i4",
    "whose": "<i4",
    "sessions": "<i8",
    "links": "<i4",
    "place": "<i4",
    "table": "<i8",
    "where": "<f4",
    "shares": "<f8",
    "holds": "<i4",
    "many": "<i4",
}
LISTS = {"labels": NODES_MAX, "names": NODES_MAX, "titles": 1 << 19, "files": 1 << 19}
"""Columns of texts, and how many of each there are at most: ten times the titles that can be drawn."""


def pieces(world: World) -> Iterator[tuple[str, bytes]]:
    """A world as (name, bytes), in order. `facts` comes first."""
    graph, delays, catalogue = world.graph, world.delays, world.catalogue
    yield "facts", msgpack.packb(_facts(world))
    yield from _numbers("links", np.stack((graph.a, graph.b), axis=1).reshape(-1))
    yield from _texts("labels", graph.labels or ())
    for start in range(0, len(delays.place), ROWS):
        yield from _numbers("place", delays.place[start : start + ROWS])
    for row in delays.table_us or ():
        yield from _numbers("table", row)
    yield from _texts("names", delays.places.names)
    yield from _numbers("where", np.concatenate((delays.places.lat, delays.places.lon)))
    yield from _numbers("lines", [int(value) for line in world.lines for value in line])
    if world.trace is not None:
        for peer, begins in world.trace.begins_us.items():
            yield from _numbers("whose", [peer, len(begins)])
            yield from _numbers("sessions", np.stack((begins, world.trace.ends_us[peer]), axis=1).reshape(-1))
    yield from _texts("titles", catalogue.titles)
    yield from _numbers("shares", catalogue.shares)
    number = {file: i for i, file in enumerate(world.files)}
    for start in range(0, len(catalogue.shelves), ROWS):
        held = [shelf.files() for shelf in catalogue.shelves[start : start + ROWS]]
        holds = [number[file] for files in held for file in files]
        yield from _numbers("many", [len(files) for files in held])
        yield from _numbers("holds", holds)
    yield from _texts("files", [(f.name, f.size, f.digest, f.genuine) for f in world.files])


def _facts(world: World) -> dict[str, Any]:
    graph, delays = world.graph, world.delays
    names = {"kind": delays.kind, "flat_us": delays.flat_us, "table": delays.table_us is not None}
    drawn = {"low_ms": delays.low_ms, "span": delays.span, "salt": delays.salt}
    marks = {
        "peers": graph.n,
        "skipped": graph.skipped,
        "notes": list(world.notes),
        "titles": len(world.catalogue.titles),
    }
    return {**names, **drawn, **marks, "labels": graph.labels is not None, "trace": world.trace is not None}


def _numbers(name: str, column: Any) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(column), ROWS):
        yield name, np.asarray(column[start : start + ROWS], NUMBERS[name]).tobytes()


def _texts(name: str, column: Sequence[Any]) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(column), ROWS // 8):
        yield name, msgpack.packb(list(column[start : start + ROWS // 8]), unicode_errors="surrogatepass")


def world_of(parts: Iterable[tuple[str, bytes]]) -> World:
    """The world that pieces describe. Raises InputError when they cannot be one."""
    try:
        return _world_of(parts)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, MemoryError) as error:
        why = str(error) if isinstance(error, Damaged) else "something is missing, or not of the kind it should be"
        raise InputError(f"the world in it is damaged ({why})") from None


class Damaged(ValueError):
    """Says in a few words what of a world cannot be."""


def _world_of(parts: Iterable[tuple[str, bytes]]) -> World:
    columns = {name: bytearray() for name in NUMBERS}
    texts: dict[str, list[Any]] = {name: [] for name in LISTS}
    facts: dict[str, Any] = {}
    size = 0
    for name, data in parts:
        size += len(data)
        if len(data) > PIECE_MAX or size > WORLD_MAX:
            raise Damaged(f"it is larger than {WORLD_MAX >> 20} MB")
        if name == "facts":
            facts = _map(data)
        elif name in columns:
            columns[name] += data
        elif name in texts:
            read, found = _file if name == "files" else _text, _list(data)
            if len(texts[name]) + len(found) > LISTS[name]:
                raise Damaged(f"there are more than {LISTS[name]:,} {name} in it")
            texts[name] += map(read, found)
        else:
            raise Damaged(f"a column has no meaning here: {plain(name, 40)}")
    numbers = {name: np.frombuffer(columns[name], kind) for name, kind in NUMBERS.items()}
    peers = _whole(facts, "peers", 1, NODES_MAX)
    graph, delays = _graph(peers, facts, numbers, texts), _delays(facts, numbers, texts)
    n = len(delays.place)
    lines, trace = _lines(numbers, n), _trace(facts, numbers, n)
    notes = tuple(_text(note) for note in facts["notes"][:NOTES_MAX])
    return World(graph, delays, _catalogue(facts, numbers, texts), lines, trace, notes)


def _graph(peers: int, facts: Mapping[str, Any], numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Topology:
    ends = numbers["links"].reshape(-1, 2)
    last = -1
    for start in range(0, len(ends), CHECKED):
        a, b = (ends[start : start + CHECKED, i].astype(np.int64) for i in (0, 1))
        codes = a * peers + b
        if not (a.min() >= 0 and b.max() < peers and (a < b).all() and codes[0] > last and (np.diff(codes) > 0).all()):
            raise Damaged("links")
        last = int(codes[-1])
    a, b = (np.ascontiguousarray(ends[:, i], np.int32) for i in (0, 1))
    labels = tuple(texts["labels"]) if facts["labels"] else None
    if labels is not None and (len(labels) != peers or len(set(labels)) != peers):
        raise Damaged("labels")
    return Topology(peers, a, b, labels, _whole(facts, "skipped", 0, 1 << 40))


def _delays(facts: Mapping[str, Any], numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Latency:
    names = tuple(texts["names"])
    where, place = numbers["where"].astype(np.float32), numbers["place"]
    if len(where) != 2 * len(names) or not np.isfinite(where).all():
        raise Damaged("places")
    if len(place) and not (place.min() >= 0 and place.max() < len(names)):
        raise Damaged("place")
    table = numbers["table"]
    if facts["table"]:
        if len(table) != len(names) ** 2 or not len(table) or table.min() < 1 or table.max() > DELAY_MAX_US:
            raise Damaged("delays")
    elif facts["flat_us"] is not None:
        _whole(facts, "flat_us", 1, DELAY_MAX_US)
    # One object for each delay rather than one for each entry, see `places`.
    distinct: dict[int, int] = {}
    rows = [[distinct.setdefault(us, us) for us in row.tolist()] for row in table.reshape(len(names), -1)]
    return Latency(
        kind=_text(facts["kind"]),
        places=Places(names, where[: len(names)].copy(), where[len(names) :].copy()),
        place=place.tolist(),
        flat_us=facts["flat_us"],
        table_us=rows if facts["table"] else None,
        low_ms=_whole(facts, "low_ms", 0, DELAY_MAX_US // 1000),
        span=_whole(facts, "span", 1, DELAY_MAX_US // 1000),
        salt=_whole(facts, "salt", 0, (1 << 64) - 1),
    )


def _trace(facts: Mapping[str, Any], numbers: Mapping[str, Any], n: int) -> Trace | None:
    if not facts["trace"]:
        return None
    times = numbers["sessions"].reshape(-1, 2).tolist()
    made = Trace({}, {})
    at = 0
    for peer, count in numbers["whose"].reshape(-1, 2).tolist():
        some = times[at : at + max(0, count)]
        flat = [us for pair in some for us in pair]
        if not 0 <= peer < n or peer in made.begins_us or len(some) != count or sorted(flat) != flat:
            raise Damaged("sessions")
        if any(begin >= end or max(-begin, end) > TIME_MAX_US for begin, end in some):
            raise Damaged("sessions")
        made.begins_us[peer], made.ends_us[peer] = [begin for begin, _ in some], [end for _, end in some]
        at += count
    return made


def _lines(numbers: Mapping[str, Any], n: int) -> tuple[Line, ...]:
    rows = numbers["lines"].reshape(-1, 3)
    if len(rows) not in (0, n) or (len(rows) and (rows.min() < 0 or rows[:, 2].max() > 1)):
        raise Damaged("lines")
    return tuple(Line(up, down, bool(nat)) for up, down, nat in rows.tolist())


def _catalogue(facts: Mapping[str, Any], numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Catalogue:
    titles, files = texts["titles"], texts["files"]
    shares, holds, many = numbers["shares"].tolist(), numbers["holds"], numbers["many"]
    if not titles or len(shares) != len(titles) or _whole(facts, "titles", 1, 1 << 30) > len(files):
        raise Damaged("titles")
    if not all(math.isfinite(share) for share in shares) or sorted(shares) != shares or not shares[0] > 0:
        raise Damaged("shares")
    if len(many) and (many.min() < 0 or many.max() > len(holds) or int(many.sum(dtype=np.int64)) != len(holds)):
        raise Damaged("shelves")
    if len(holds) and not (holds.min() >= 0 and holds.max() < len(files)):
        raise Damaged("files")
    stops = np.cumsum(many, dtype=np.int64).tolist()
    held = holds.tolist()
    lexicon = Lexicon()
    shelves = [Shelf([files[i] for i in held[a:b]], lexicon) for a, b in zip([0, *stops], stops, strict=False)]
    return Catalogue(titles, files[: facts["titles"]], shelves, shares, lexicon)


def _file(row: Any) -> File:
    name, size, digest, genuine = row
    if type(size) is not int or not 0 <= size < 1 << 62 or type(digest) is not int or type(genuine) is not bool:
        raise Damaged("files")
    return File(_text(name), size, digest, genuine)


def _map(data: bytes) -> dict[str, Any]:
    facts = msgpack.unpackb(data)
    if not isinstance(facts, dict):
        raise Damaged("facts")
    return facts


def _list(data: bytes) -> list[Any]:
    found = msgpack.unpackb(data, max_array_len=ROWS, unicode_errors="surrogatepass")
    if not isinstance(found, list):
        raise Damaged("texts")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > WORLD_TEXT_MAX:
        raise Damaged("a text")
    return plain(value, WORLD_TEXT_MAX)


def _whole(facts: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = facts[name]
    if type(value) is not int or not low <= value <= high:
        raise Damaged(name)
    return value
