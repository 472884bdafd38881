"""Setups, commands and worlds as values that MessagePack can write, and back.

Setups and commands are written field by field, so that a new field of `Setup` or of a command is recorded without a
change here. A world is written in small pieces, for a recording and for the process that takes checkpoints.

What is read may come from any file. Each value is checked against the type of its field, and each number of a world
against its range; the ranges of other values are checked by the engine, as for a command line. Functions that read
raise `InputError`, one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

import msgpack
import numpy as np

from ..api import COST_MAX, File, Line, NatKind
from ..commands import VERBS, Command, command_from, field_kinds
from ..errors import InputError, plain
from ..measure.snapshot import Places
from ..setup import Setup
from ..world.churn import SessionTrace
from ..world.content import Catalogue, SharedFiles, WordIndex
from ..world.latency import Latency
from ..world.topology import PEERS_MAX, Topology
from ..world.world import World

# --- setups -----------------------------------------------------------------------------------------------------

TEXT_MAX = 100_000
"""Characters of a text in a setup or command."""
DEPTH_MAX = 6
"""Levels of lists in lists."""
TIME_MAX_US = 10**15
FIELD_DEFAULTS: dict[str, Any] = {"number": 0.0, "whole": 0, "text": ""}
"""A value of each kind of field (`commands.FieldKind`)."""


NUMBERS_TOO = ("setup.links.nat",)
"""Fields that may have a number in place of a text."""


def setup_to_map(setup: Setup) -> dict[str, Any]:
    schedule = [[at_us, *command_to_fields(command)] for at_us, command in setup.schedule]
    return {**_to_plain(setup), "schedule": schedule}


def _to_plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _to_plain(getattr(value, f.name)) for f in fields(value) if f.name != "schedule"}
    if isinstance(value, Mapping):
        return {str(key): _to_plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def setup_from_map(value: Any) -> Setup:
    """The setup that `setup_to_map` made. Raises InputError."""
    if not isinstance(value, dict):
        raise InputError("its setup should be a map")
    schedule = value.get("schedule", [])
    if not isinstance(schedule, list):
        raise InputError("its schedule should be a list")
    timed = []
    for row in schedule:
        if not isinstance(row, list) or len(row) != 3:
            raise InputError("its schedule should hold a time, a verb and fields in each row")
        timed.append((checked_time_us(row[0]), command_from_fields(row[1], row[2])))
    made: Setup = _filled(Setup(), {key: each for key, each in value.items() if key != "schedule"}, "setup")
    return replace(made, schedule=tuple(timed))


def _filled(default: Any, values: Any, where: str) -> Any:
    """The dataclass `default` with other values. Each must have the type of the value that it replaces."""
    if not isinstance(values, dict):
        raise InputError(f"its {where} should be a map")
    known = {f.name for f in fields(default)}
    changes = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(f'its {where} has a "{plain(name, 40)}", which this version does not know')
        changes[name] = _checked(getattr(default, name), value, f"{where}.{name}")
    return replace(default, **changes)


def _checked(default: Any, value: Any, where: str) -> Any:
    if is_dataclass(default) and not isinstance(default, type):
        return _filled(default, value, where)
    if where in NUMBERS_TOO and not isinstance(value, str):
        default = 0.0
    if isinstance(default, Mapping):
        fits = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        value = {key: _plain_value(each) for key, each in value.items()} if fits else value
    elif isinstance(default, tuple):
        fits = isinstance(value, list)
        value = _plain_value(value)
    elif isinstance(default, bool) or default is None:
        fits = isinstance(value, bool) if default is not None else True
        value = _plain_value(value)
    elif isinstance(default, int):
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif isinstance(default, float):
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        value = float(value) if fits else value
    else:
        fits = isinstance(value, str) and len(value) <= TEXT_MAX
    if not fits:
        raise InputError(f"its {where} should be as {plain(repr(default), 40)} is, not {plain(repr(value), 40)}")
    return value


def _plain_value(value: Any, depth: int = 0) -> Any:
    """A value without maps and bytes, with lists as tuples. Raises InputError for others."""
    if isinstance(value, list) and depth < DEPTH_MAX:
        return tuple(_plain_value(each, depth + 1) for each in value)
    if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= TEXT_MAX):
        return value
    raise InputError(f"there is a value in it that no setup has: {plain(repr(value), 40)}")


# --- commands ---------------------------------------------------------------------------------------------------


def command_to_fields(command: Command) -> tuple[str, dict[str, Any]]:
    """(verb, fields). A list of peers is bytes: their numbers as int32, little-endian."""
    values: dict[str, Any] = {}
    kinds = field_kinds(command.verb)
    for f in fields(command):
        value = getattr(command, f.name)
        if kinds[f.name] == "peers" and value is not None and not isinstance(value, (str, int)):
            value = np.array(value, "<i4").tobytes()
        values[f.name] = value if isinstance(value, bytes) else _to_plain(value)
    return command.verb, values


def command_from_fields(verb: Any, values: Any) -> Command:
    """The command that `command_to_fields` wrote. Raises InputError."""
    kind = VERBS.get(verb) if isinstance(verb, str) else None
    if kind is None:
        raise InputError(f'it has a command "{plain(verb, 40)}", which this version does not know')
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise InputError(f"the fields of a {kind.verb} should be a map")
    lists: dict[str, tuple[int, ...]] = {}
    given: dict[str, Any] = {}
    known = {f.name: f for f in fields(kind)}
    kinds = field_kinds(kind.verb)
    for name, value in values.items():
        if isinstance(value, bytes):
            if kinds.get(name) != "peers" or len(value) % 4:
                raise InputError(f'the "{plain(name, 40)}" of a {kind.verb} should not be bytes')
            lists[name] = tuple(np.frombuffer(value, "<i4").tolist())
            given[name] = "#0"
        elif kinds.get(name) == "peers" and value is None is known[name].default:
            continue
        elif kinds.get(name) == "peers" and type(value) not in (str, int):
            raise InputError(f'the "{name}" of a {kind.verb} should be a selector or peers')
        elif kinds.get(name) == "values" and isinstance(value, dict):
            given[name] = {each: _plain_value(one) for each, one in value.items()}
        else:
            given[name] = _plain_value(value)
    made = command_from(kind.verb, given, "the recording")
    for name, f in known.items():
        default = f.default if f.default is not MISSING else None
        if name not in given or name in lists or kinds[name] == "peers":
            continue
        if default is None and given[name] is not None:
            # The default None of a field that may be left out does not show its type: the annotation does.
            default = FIELD_DEFAULTS.get(kinds[name])
        if default is not None and not (given[name] is None is f.default):
            _checked(default, values[name], f"{kind.verb}.{name}")
    return replace(made, **lists) if lists else made


def checked_time_us(value: Any) -> int:
    """The value, if it is a virtual time in us. Raises InputError otherwise."""
    if type(value) is not int or not 0 <= value <= TIME_MAX_US:
        raise InputError(f"there is a time in it that cannot be: {plain(repr(value), 40)}")
    return value


# --- worlds -----------------------------------------------------------------------------------------------------
#
# A piece is (name, bytes): numbers are columns in little-endian order, texts are MessagePack. Pieces are small, so that
# making one takes 1 or 2 ms even of a large world, and other work can be done in between.

ROWS = 1 << 14
"""Entries of a column in one piece."""
CONTENTS_PIECE = 1 << 18
"""Bytes of the contents of a file in one piece."""
PIECE_MAX = 4 << 20
"""Bytes of one piece, unpacked."""
WORLD_MAX = 256 << 20
"""Bytes of all pieces."""
WORLD_TEXT_MAX = 2_000
"""Characters of a text."""
CHECK_ROWS = 1 << 20
"""Entries of a long column that are checked at once."""
NOTES_MAX = 20
DELAY_MAX_US = 1 << 40

NUMBER_COLUMNS = {
    "lines": "<i4",  # upload, download, NAT of each peer
    "whose": "<i4",  # peer and number of its sessions, for each peer of the trace
    "sessions": "<i8",  # begin and end in us, of all these
    "links": "<i4",  # two peers, the smaller first, in order
    "costs": "<i4",  # of these links, if they have some
    "place": "<i4",  # index into the places, of each peer
    "table": "<i8",  # delays in us between places, row by row
    "where": "<f4",  # latitudes of all places, then longitudes
    "shares": "<f8",  # cumulative popularity of each title
    "holds": "<i4",  # indices of files, for each peer those that it shares
    "many": "<i4",  # how many files each peer shares
}
TEXT_COLUMNS = {"labels": PEERS_MAX, "names": PEERS_MAX, "titles": 1 << 19, "files": 1 << 19}
"""Columns of texts, and the largest number of entries of each: of titles, ten times what can be drawn."""


def bytes_to_pieces(data: bytes) -> Iterator[bytes]:
    """Contents of a file in pieces, at least one."""
    for start in range(0, max(1, len(data)), CONTENTS_PIECE):
        yield data[start : start + CONTENTS_PIECE]


def world_to_pieces(world: World) -> Iterator[tuple[str, bytes]]:
    """The pieces of a world, in order: `facts` first."""
    graph, delays, catalogue = world.graph, world.delays, world.catalogue
    yield "facts", msgpack.packb(_facts(world))
    yield from _numbers("links", np.stack((graph.a, graph.b), axis=1).reshape(-1))
    if graph.costs is not None:
        yield from _numbers("costs", graph.costs)
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
    for start in range(0, len(catalogue.libraries), ROWS):
        held = [library.files() for library in catalogue.libraries[start : start + ROWS]]
        holds = [number[file] for files in held for file in files]
        yield from _numbers("many", [len(files) for files in held])
        yield from _numbers("holds", holds)
    yield from _texts("files", [(f.name, f.size, f.digest, f.genuine) for f in world.files])
    for spec, contents in world.inputs.items():
        for piece in bytes_to_pieces(contents):
            yield "input", msgpack.packb([spec, piece], unicode_errors="surrogatepass")


def _facts(world: World) -> dict[str, Any]:
    graph, delays = world.graph, world.delays
    names = {"kind": delays.kind, "flat_us": delays.flat_us, "table": delays.table_us is not None}
    drawn = {"low_ms": delays.low_ms, "span": delays.span, "salt": delays.salt}
    counted = {
        "peers": graph.n,
        "skipped": graph.skipped,
        "notes": list(world.notes),
        "titles": len(world.catalogue.titles),
    }
    return {**names, **drawn, **counted, "labels": graph.labels is not None, "trace": world.trace is not None}


def _numbers(name: str, column: Any) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(column), ROWS):
        yield name, np.asarray(column[start : start + ROWS], NUMBER_COLUMNS[name]).tobytes()


def _texts(name: str, column: Sequence[Any]) -> Iterator[tuple[str, bytes]]:
    for start in range(0, len(column), ROWS // 8):
        yield name, msgpack.packb(list(column[start : start + ROWS // 8]), unicode_errors="surrogatepass")


class DamagedWorldError(ValueError):
    """Pieces that make no world. Its text is part of a sentence."""


def world_from_pieces(pieces: Iterable[tuple[str, bytes]]) -> World:
    """The world of some pieces. Raises InputError when they describe none."""
    try:
        return _world_from(pieces)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, MemoryError) as error:
        why = (
            str(error)
            if isinstance(error, DamagedWorldError)
            else "something is missing, or not of the kind it should be"
        )
        raise InputError(f"the world in it is damaged ({why})") from None


def _world_from(pieces: Iterable[tuple[str, bytes]]) -> World:
    columns = {name: bytearray() for name in NUMBER_COLUMNS}
    texts: dict[str, list[Any]] = {name: [] for name in TEXT_COLUMNS}
    facts: dict[str, Any] = {}
    inputs: dict[str, bytearray] = {}
    size = 0
    for name, data in pieces:
        size += len(data)
        if len(data) > PIECE_MAX or size > WORLD_MAX:
            raise DamagedWorldError(f"it is larger than {WORLD_MAX >> 20} MB")
        if name == "facts":
            facts = _map(data)
        elif name == "input":
            spec, contents = _list(data)
            if not isinstance(spec, str) or len(spec) > TEXT_MAX or not isinstance(contents, bytes):
                raise DamagedWorldError("a file that a command names")
            inputs.setdefault(spec, bytearray()).extend(contents)
        elif name in columns:
            columns[name] += data
        elif name in texts:
            read, found = _file if name == "files" else _text, _list(data)
            if len(texts[name]) + len(found) > TEXT_COLUMNS[name]:
                raise DamagedWorldError(f"there are more than {TEXT_COLUMNS[name]:,} {name} in it")
            texts[name] += map(read, found)
        else:
            raise DamagedWorldError(f"a column has no meaning here: {plain(name, 40)}")
    numbers = {name: np.frombuffer(columns[name], kind) for name, kind in NUMBER_COLUMNS.items()}
    peers = _integer(facts, "peers", 1, PEERS_MAX)
    graph, delays = _graph(peers, facts, numbers, texts), _delays(facts, numbers, texts)
    n = len(delays.place)
    lines, trace = _lines(numbers, n), _trace(facts, numbers, n)
    notes = tuple(_text(note) for note in facts["notes"][:NOTES_MAX])
    read_inputs = {spec: bytes(contents) for spec, contents in inputs.items()}
    return World(graph, delays, _catalogue(facts, numbers, texts), lines, trace, notes, read_inputs)


def _graph(peers: int, facts: Mapping[str, Any], numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Topology:
    ends = numbers["links"].reshape(-1, 2)
    last = -1
    for start in range(0, len(ends), CHECK_ROWS):
        a, b = (ends[start : start + CHECK_ROWS, i].astype(np.int64) for i in (0, 1))
        codes = a * peers + b
        if not (a.min() >= 0 and b.max() < peers and (a < b).all() and codes[0] > last and (np.diff(codes) > 0).all()):
            raise DamagedWorldError("links")
        last = int(codes[-1])
    a, b = (np.ascontiguousarray(ends[:, i], np.int32) for i in (0, 1))
    labels = tuple(texts["labels"]) if facts["labels"] else None
    if labels is not None and (len(labels) != peers or len(set(labels)) != peers):
        raise DamagedWorldError("labels")
    costs = np.ascontiguousarray(numbers["costs"], np.int32) if len(numbers["costs"]) else None
    if costs is not None and not (len(costs) == len(a) and costs.min() >= 1 and costs.max() <= COST_MAX):
        raise DamagedWorldError("costs")
    return Topology(peers, a, b, labels, _integer(facts, "skipped", 0, 1 << 40), costs=costs)


def _delays(facts: Mapping[str, Any], numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Latency:
    names = tuple(texts["names"])
    where, place = numbers["where"].astype(np.float32), numbers["place"]
    if len(where) != 2 * len(names) or not np.isfinite(where).all():
        raise DamagedWorldError("places")
    if len(place) and not (place.min() >= 0 and place.max() < len(names)):
        raise DamagedWorldError("place")
    table = numbers["table"]
    if facts["table"]:
        if len(table) != len(names) ** 2 or not len(table) or table.min() < 1 or table.max() > DELAY_MAX_US:
            raise DamagedWorldError("delays")
    elif facts["flat_us"] is not None:
        _integer(facts, "flat_us", 1, DELAY_MAX_US)
    # One object for equal delays, as `latency` makes them: a table has far fewer delays than entries.
    distinct: dict[int, int] = {}
    rows = [[distinct.setdefault(us, us) for us in row.tolist()] for row in table.reshape(len(names), -1)]
    return Latency(
        kind=_text(facts["kind"]),
        places=Places(names, where[: len(names)].copy(), where[len(names) :].copy()),
        place=place.tolist(),
        flat_us=facts["flat_us"],
        table_us=rows if facts["table"] else None,
        low_ms=_integer(facts, "low_ms", 0, DELAY_MAX_US // 1000),
        span=_integer(facts, "span", 1, DELAY_MAX_US // 1000),
        salt=_integer(facts, "salt", 0, (1 << 64) - 1),
    )


def _trace(facts: Mapping[str, Any], numbers: Mapping[str, Any], n: int) -> SessionTrace | None:
    if not facts["trace"]:
        return None
    times = numbers["sessions"].reshape(-1, 2).tolist()
    made = SessionTrace({}, {})
    at = 0
    for peer, count in numbers["whose"].reshape(-1, 2).tolist():
        some = times[at : at + max(0, count)]
        flat = [us for pair in some for us in pair]
        if not 0 <= peer < n or peer in made.begins_us or len(some) != count or sorted(flat) != flat:
            raise DamagedWorldError("sessions")
        if any(begin >= end or max(-begin, end) > TIME_MAX_US for begin, end in some):
            raise DamagedWorldError("sessions")
        made.begins_us[peer], made.ends_us[peer] = [begin for begin, _ in some], [end for _, end in some]
        at += count
    return made


def _lines(numbers: Mapping[str, Any], n: int) -> tuple[Line, ...]:
    rows = numbers["lines"].reshape(-1, 3)
    if len(rows) not in (0, n) or (len(rows) and (rows.min() < 0 or rows[:, 2].max() >= len(NatKind))):
        raise DamagedWorldError("lines")
    return tuple(Line(up, down, NatKind(nat)) for up, down, nat in rows.tolist())


def _catalogue(facts: Mapping[str, Any], numbers: Mapping[str, Any], texts: Mapping[str, Any]) -> Catalogue:
    titles, files = texts["titles"], texts["files"]
    shares, holds, many = numbers["shares"].tolist(), numbers["holds"], numbers["many"]
    if not titles or len(shares) != len(titles) or _integer(facts, "titles", 1, 1 << 30) > len(files):
        raise DamagedWorldError("titles")
    if not all(math.isfinite(share) for share in shares) or sorted(shares) != shares or not shares[0] > 0:
        raise DamagedWorldError("shares")
    if len(many) and (many.min() < 0 or many.max() > len(holds) or int(many.sum(dtype=np.int64)) != len(holds)):
        raise DamagedWorldError("libraries")
    if len(holds) and not (holds.min() >= 0 and holds.max() < len(files)):
        raise DamagedWorldError("files")
    stops = np.cumsum(many, dtype=np.int64).tolist()
    held = holds.tolist()
    word_index = WordIndex()
    libraries = [
        SharedFiles([files[i] for i in held[a:b]], word_index) for a, b in zip([0, *stops], stops, strict=False)
    ]
    return Catalogue(titles, files[: facts["titles"]], libraries, shares, word_index)


def _file(row: Any) -> File:
    name, size, digest, genuine = row
    if type(size) is not int or not 0 <= size < 1 << 62 or type(digest) is not int or type(genuine) is not bool:
        raise DamagedWorldError("files")
    return File(_text(name), size, digest, genuine)


def _map(data: bytes) -> dict[str, Any]:
    facts = msgpack.unpackb(data)
    if not isinstance(facts, dict):
        raise DamagedWorldError("facts")
    return facts


def _list(data: bytes) -> list[Any]:
    found = msgpack.unpackb(data, max_array_len=ROWS, unicode_errors="surrogatepass")
    if not isinstance(found, list):
        raise DamagedWorldError("texts")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > WORLD_TEXT_MAX:
        raise DamagedWorldError("a text")
    return plain(value, WORLD_TEXT_MAX)


def _integer(facts: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = facts[name]
    if type(value) is not int or not low <= value <= high:
        raise DamagedWorldError(name)
    return value
