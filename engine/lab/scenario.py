"""Scenarios: a swarm, what happens to it, what to say meanwhile, and what should come out. TOML files.

A scenario is read as a whole before anything runs: every key, type and range is checked, every command is made, so
that a slip in the last line is told at once and not after a minute of watching. What is left to `Swarm(setup)` are
topology and latency, which may be files, and whether a selector's names are those of peers.

A run with no end of its own goes on for 60 s, or longer if the scenario has more to tell: 5 s past its last caption,
10 s past its last command, and until its last expectation can be judged (see `Scenario.end_s`).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ..analysis.selectors import parse as parse_selector
from ..api import Peer, Want, words_of
from ..commands import (
    SIDES,
    Arrive,
    AskFor,
    Attack,
    CallOff,
    Collude,
    Command,
    Court,
    Depart,
    Partition,
    Poison,
    Publish,
    Set,
    command_from,
)
from ..control import attacks
from ..errors import InputError, nearest, plain
from ..files import MissingFileError, is_descriptor, looks_like_path, parse_toml, read_toml
from ..options import as_number, as_spec, as_text, as_whole, option_names, options_for, set_option
from ..registry import networks
from ..setup import ArrivalSpec, ContentSpec, LinkSpec, Setup
from ..world.access_links import JITTER_MS_MAX
from ..world.access_links import parse as parse_capacity
from ..world.churn import parse as parse_churn
from ..world.churn import parse_arrivals
from ..world.content import SHARINGS, ZIPF_MAX
from ..world.popularity import COUNT_MAX, LAWS
from ..world.readers import sessions
from ..world.readers.sessions import is_trace
from .check import METRICS, Expect

if TYPE_CHECKING:
    from .check import Expect

# What a scenario may say of comings and goings, and what its commands may ask for: told before anything runs.

CROWD_MAX = 1_000_000
SPAN_S_MAX = 1e6


def as_churn(value: object, where: str) -> str:
    """A spec of churn. A trace is a file, and read when the swarm is made."""
    text = as_spec(value, where, "exponential:600")
    try:
        if not sessions.is_trace(text):
            parse_churn(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def as_arrivals(value: object, where: str) -> str:
    """A spec of arrivals."""
    text = as_text(value, where, "poisson:0.2")
    try:
        parse_arrivals(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def arrival_spec(table: Mapping[str, object], where: str) -> ArrivalSpec:
    """The table [arrivals]: the law of the gaps, and how many newcomers at most."""
    plan = ArrivalSpec()
    return ArrivalSpec(
        law=as_arrivals(table.get("law", plan.law), f"{where}.law"),
        most=as_whole(table.get("most", plan.most), f"{where}.most", 0, CROWD_MAX),
    )


def check_crowd(command: Command, where: str) -> None:
    """Raise InputError unless a crowd that comes or goes, or an attack, is of a size, a span and manners that fit."""
    if isinstance(command, Attack):
        attacks.checked(command, where)
    if isinstance(command, CallOff) and command.name is not None:
        attacks.known(command.name, where)
    if isinstance(command, Arrive):
        as_whole(command.count, f"{where}: count", 1, CROWD_MAX)
    if isinstance(command, Arrive | Depart):
        as_number(command.over_s, f"{where}: over_s", 0, SPAN_S_MAX)
    if isinstance(command, Depart):
        as_number(command.polite, f"{where}: polite", 0, 1)


def check_decoys(command: Command, network: type[Peer], where: str) -> None:
    """Raise InputError for decoys where users share no files, rather than when they are due."""
    poisons = isinstance(command, Poison) or (isinstance(command, Attack) and command.name == "poison")
    if poisons and not network.shares_files:
        raise InputError(f"{where}: users of {network.name} share no files, so there is nothing to poison")


def check_words(command: Command, where: str) -> None:
    """Raise InputError for a ban or a name without a word in it, and for sides that nobody can be on."""
    names = {Collude: "word", Publish: "text"}
    name = names.get(type(command))
    if name is not None and not words_of(getattr(command, name)):
        raise InputError(
            f'{where}: {name} should be words, such as "blue train", not "{plain(getattr(command, name))}"'
        )
    if isinstance(command, Partition) and command.by is not None and command.by not in SIDES:
        raise InputError(f'{where}: partition does not go by "{plain(command.by)}"{nearest(str(command.by), SIDES)}')


# What a person says about links: `[links]` of a scenario, and the flags of the command line. See `world.capacity`.

LINK_KEYS = ("capacity", "jitter_ms", "nat")


def read_links(values: Mapping[str, object], where: Mapping[str, str], base: LinkSpec | None = None) -> LinkSpec:
    """`base`, or none, with these of `LINK_KEYS` changed; numbers may be texts. `where` is what errors call each key.

    Raises InputError for a capacity that is not understood, and for a number out of range.
    """
    made = LinkSpec() if base is None else base
    if "capacity" in values:
        capacity = as_text(values["capacity"], where["capacity"], "saroiu")
        try:
            parse_capacity(capacity)
        except InputError as error:
            raise InputError(f"{where['capacity']}: {error}") from None
        made = replace(made, capacity=capacity)
    if "jitter_ms" in values:
        jitter_ms = as_number(values["jitter_ms"], where["jitter_ms"], 0, JITTER_MS_MAX, texts=True)
        made = replace(made, jitter_ms=jitter_ms)
    if "nat" in values:
        made = replace(made, nat=as_number(values["nat"], where["nat"], 0, 1, texts=True))
    return made


PEERS_MAX = 1_000_000
SEED_MAX = 2**63 - 1
TIME_MAX_S = 1e9
BYTES_MAX = 1_000_000
TEXT_MAX = 2_000
"""Characters of one text that a scenario tells."""
EXPECTED = "expected a scenario, a text in TOML"
RUN_S = 60.0
CAPTION_S = 5.0
COMMAND_S = 10.0
ASKER = "#0"
"""Who asks when `--ask` came without `--from`: the first peer, so that the same line gives the same run."""

KEYS = (
    "title",
    "about",
    "protocol",
    "peers",
    "seed",
    "topology",
    "latency",
    "loss",
    "options",
    "content",
    "asks",
    "churn",
    "links",
    "arrivals",
    "caption",
    "at",
    "expect",
)
WORLD = ("churn", "polite", "arrivals", "loss", "latency", "jitter", "capacity", "asks")
"""What `set` changes besides the options of the protocol."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence on screen at `at_s`; `predict` asks the viewer for a guess before it goes on."""

    at_s: float
    say: str
    predict: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "say", plain(self.say, limit=TEXT_MAX))
        if self.predict is not None:
            object.__setattr__(self, "predict", plain(self.predict, limit=TEXT_MAX))


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of a scenario. `asks` are (text, selector) pairs from the command line; they already stand in the schedule
    of `setup` and are kept here to be told again. `source` is the name or file it came from, or empty: a path that
    opens the file, so it is shown by way of `plain`. All other texts are made harmless here, wherever the scenario
    came from."""

    title: str = "A swarm"
    about: str = ""
    setup: Setup = field(default_factory=Setup)
    captions: tuple[Caption, ...] = ()
    expects: tuple[Expect, ...] = ()
    asks: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", plain(self.title, limit=TEXT_MAX))
        object.__setattr__(self, "about", plain(self.about, limit=TEXT_MAX))
        asks = tuple((plain(text, limit=TEXT_MAX), plain(who, limit=TEXT_MAX)) for text, who in self.asks)
        object.__setattr__(self, "asks", asks)

    @property
    def end_s(self) -> float:
        """How long it runs when nobody says otherwise, in virtual seconds."""
        ends = [c.at_s + CAPTION_S for c in self.captions]
        ends += [at_us / 1e6 + COMMAND_S for at_us, _ in self.setup.schedule]
        ends += [e.known_at_s for e in self.expects]
        return max([RUN_S, *ends])

    def asking(self, texts: Sequence[str], selector: str = ASKER) -> Scenario:
        """The same with these asks at t = 0, each by every peer of `selector`, and no background asks."""
        asks = tuple((as_text(text, "--ask"), as_selector(selector, "--from")) for text in texts)
        early = tuple((0, AskFor(peers=who, text=text)) for text, who in asks)
        return replace(self, asks=asks, setup=replace(self.setup, asks_per_s=0.0, schedule=early + self.setup.schedule))


def find(name: str, also: Sequence[str] = ()) -> Scenario:
    """A shipped scenario by its name, or a file by its path. Raises InputError, with the nearest spelling.

    `also` are other words that could have been meant where the name stood.
    """
    names = shipped_names()
    if name in names:
        return _shipped(name)
    path = Path(name)
    if path.suffix == ".toml" or "/" in name or "\\" in name or _stands(path):
        return load(path)
    if name in also:
        raise InputError(f'no scenario is called "{plain(name)}": that is a command, and goes first')
    if looks_like_path(name):
        return load(path)  # a directory, a FIFO: told there
    raise InputError(f'no scenario is called "{plain(name)}"{nearest(name, (*names, *also))}')


def shipped_names() -> tuple[str, ...]:
    """Names of the scenarios that come with swarmtop, in the order of the alphabet."""
    folder = resources.files("engine.scenarios")
    return tuple(sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")))


def shipped() -> list[Scenario]:
    """All of them, in the order of their names."""
    return [_shipped(name) for name in shipped_names()]


def _shipped(name: str) -> Scenario:
    text = resources.files("engine.scenarios").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return parse(text, name)


def load(path: Path) -> Scenario:
    """A scenario from a file. Raises InputError when it is missing, no text, too long, or wrong inside."""
    try:
        text = read_toml(str(path), EXPECTED, BYTES_MAX)
    except MissingFileError:
        raise InputError(f'there is no file "{plain(path)}"') from None
    return _beside(parse(text, plain(path)), path.parent)


def _beside(scenario: Scenario, folder: Path) -> Scenario:
    """Files that a scenario names (an edge list, a matrix, a trace) are looked for beside it before where we stand."""
    named = {key: getattr(scenario.setup, key) for key in ("topology", "latency", "churn")}
    found = {key: str(folder / spec) for key, spec in named.items() if ":" not in spec and _stands(folder / spec)}
    commands = tuple((at_us, _set_beside(command, folder)) for at_us, command in scenario.setup.schedule)
    return replace(scenario, setup=replace(scenario.setup, **found, schedule=commands))  # type: ignore[arg-type]


def _set_beside(command: Command, folder: Path) -> Command:
    if not isinstance(command, Set) or command.name != "churn" or ":" in str(command.value):
        return command
    path = folder / str(command.value)
    return replace(command, value=str(path)) if _stands(path) else command


def _stands(path: Path) -> bool:
    """Whether there is such a file. A name that no file can have is no file."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def parse(text: str, source: str) -> Scenario:
    """A scenario from TOML text; `source` is what errors call it."""
    return _scenario(parse_toml(text, source), source)


def network_called(name: str, where: str) -> type[Peer]:
    """The peers of the network of that name. Raises InputError with the nearest spelling."""
    known = networks()
    if name not in known:
        raise InputError(f'{where}: no network is called "{plain(name)}"{nearest(name, known)}')
    return known[name]


def _scenario(table: Mapping[str, Any], source: str) -> Scenario:
    where = f"{source}:"
    _only(table, KEYS, source, "")
    plan = Setup()
    protocol = as_text(table.get("protocol", plan.protocol), f"{where} protocol", plan.protocol)
    network = network_called(protocol, source)
    options = _table(table, "options", where)
    options_for(network, options, f"{where} [options]")
    asks = _table(table, "asks", where, ("per_s",))
    churn = _table(table, "churn", where, ("session", "polite"))
    timed = sorted(_commands(table, where, network), key=lambda pair: pair[0])
    captions = [_caption(item, f"{where} {place}") for place, item in _items(table, "caption", where)]
    return Scenario(
        title=as_text(table.get("title", source), f"{where} title", "The injunction"),
        about=as_text(table["about"], f"{where} about") if "about" in table else "",
        setup=Setup(
            protocol=protocol,
            peers=as_whole(table.get("peers", plan.peers), f"{where} peers", 1, PEERS_MAX),
            seed=as_whole(table.get("seed", plan.seed), f"{where} seed", 0, SEED_MAX),
            topology=as_spec(table.get("topology", plan.topology), f"{where} topology", plan.topology),
            latency=as_spec(table.get("latency", plan.latency), f"{where} latency", "constant:50"),
            loss=as_loss(table.get("loss", plan.loss), f"{where} loss"),
            churn=as_churn(churn.get("session", plan.churn), f"{where} churn.session"),
            polite=as_number(churn.get("polite", plan.polite), f"{where} churn.polite", 0, 1),
            arrivals=arrival_spec(_table(table, "arrivals", where, ("law", "most")), f"{where} arrivals"),
            options=options,
            content=_content(_table(table, "content", where), where),
            asks_per_s=as_number(asks.get("per_s", plan.asks_per_s), f"{where} asks.per_s", 0, 10_000),
            links=read_links(
                _table(table, "links", where, LINK_KEYS), {key: f"{where} links.{key}" for key in LINK_KEYS}
            ),
            schedule=tuple(timed),
        ),
        captions=tuple(sorted(captions, key=lambda c: c.at_s)),
        expects=tuple(_expect(item, f"{where} {place}") for place, item in _items(table, "expect", where)),
        source=source,
    )


def as_loss(value: object, where: str, *, texts: bool = False) -> float:
    """A share of messages that is lost: 0 or more and less than 1."""
    return as_number(value, where, 0, below=1, texts=texts)


def as_time(value: object, where: str) -> float:
    """Seconds of virtual time, none of them before the beginning."""
    return as_number(value, where, 0, TIME_MAX_S)


def as_selector(value: object, where: str) -> str:
    """A selector whose spelling is right; whether there are such peers turns out when it is used."""
    text = as_text(value, where, "random 10%")
    try:
        parse_selector(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def _content(table: Mapping[str, Any], where: str) -> ContentSpec:
    plan = ContentSpec()
    where = f"{where} content"
    _only(table, tuple(f.name for f in fields(ContentSpec)), where, ".")
    return ContentSpec(
        items=as_whole(table.get("items", plan.items), f"{where}.items", 1, COUNT_MAX),
        replicas=as_number(table.get("replicas", plan.replicas), f"{where}.replicas", 1, 1_000_000),
        zipf=as_number(table.get("zipf", plan.zipf), f"{where}.zipf", 0, ZIPF_MAX),
        free_riders=as_number(table.get("free_riders", plan.free_riders), f"{where}.free_riders", 0, 1),
        replication=_one_of(table.get("replication", plan.replication), f"{where}.replication", LAWS),
        sharing=_one_of(table.get("sharing", plan.sharing), f"{where}.sharing", SHARINGS),
    )


def _one_of(value: object, where: str, known: Iterable[str]) -> str:
    made = as_text(value, where, next(iter(known)))
    if made not in known:
        raise InputError(f'{where} should not be "{made}"{nearest(made, known)}')
    return made


def _commands(table: Mapping[str, Any], where: str, network: type[Peer]) -> list[tuple[int, Command]]:
    made = []
    for place, item in _items(table, "at", where):
        here = f"{where} {place}"
        for key, example in (("s", "s = 30"), ("do", 'do = "kill"')):
            if key not in item:
                raise InputError(f'{here}: it needs "{key}", as in {example}')
        at_s = as_time(item["s"], f"{here}: s")
        values = {key: value for key, value in item.items() if key not in ("s", "do")}
        command = command_from(as_text(item["do"], f"{here}: do", "kill"), values, here)
        for key, value in values.items():
            if isinstance(value, str) and key != "value":
                (as_selector if key in ("peers", "via") else as_text)(value, f"{here}: {key}")
        check_crowd(command, here)
        check_decoys(command, network, here)
        check_words(command, here)
        if "leak" in values:
            as_number(values["leak"], f"{here}: leak", 0, 1)
        if isinstance(command, Court):
            as_number(command.after_s, f"{here}: after_s", 0.0, 86_400.0)
        if "want" in values and values["want"] not in get_args(Want):
            want = plain(values["want"])
            raise InputError(f'{here}: want should not be "{want}"{nearest(want, get_args(Want))}')
        if isinstance(command, Set):
            check_set(command, network, here)
        made.append((round(at_s * 1e6), command))
    return made


def check_set(command: Set, network: type[Peer], where: str) -> None:
    """Raise InputError unless `command` names something that can be set, and to a value that it may have."""
    name, value = command.name, command.value
    if name in option_names(network):
        set_option(options_for(network, {}, where), name, value, where)
    elif name == "loss":
        as_loss(value, f"{where}: loss")
    elif name == "arrivals":
        as_arrivals(value, f"{where}: arrivals")
    elif name == "polite":
        as_number(value, f"{where}: polite", 0, 1)
    elif name == "churn":
        as_churn(value, f"{where}: churn")
    elif name in WORLD:
        as_number(value, f"{where}: {name}", 0, 10_000)
    else:
        choices = (*WORLD, *option_names(network))
        raise InputError(f'{where}: nothing called "{plain(name)}" can be set{nearest(name, choices)}')


def _caption(item: Mapping[str, Any], where: str) -> Caption:
    _only(item, ("s", "say", "predict"), where, ": ")
    for key in ("s", "say"):
        if key not in item:
            raise InputError(f'{where}: it needs "{key}"')
    predict = as_text(item["predict"], f"{where}: predict") if "predict" in item else None
    return Caption(as_time(item["s"], f"{where}: s"), as_text(item["say"], f"{where}: say"), predict)


def _expect(item: Mapping[str, Any], where: str) -> Expect:
    _only(item, ("metric", "from_s", "to_s", "min", "max"), where, ": ")
    for key in ("metric", "from_s", "to_s"):
        if key not in item:
            raise InputError(f'{where}: it needs "{key}"')
    metric = as_text(item["metric"], f"{where}: metric", "success")
    if metric not in METRICS:
        raise InputError(f'{where}: no metric is called "{metric}"{nearest(metric, METRICS)}')
    from_s, to_s = (as_time(item[key], f"{where}: {key}") for key in ("from_s", "to_s"))
    if to_s <= from_s:
        raise InputError(f"{where}: to_s should be later than from_s = {from_s:g}, not {to_s:g}")
    low, high = (as_number(item[key], f"{where}: {key}") if key in item else None for key in ("min", "max"))
    if low is None and high is None:
        raise InputError(f'{where}: it needs "min" or "max", or both')
    if low is not None and high is not None and low > high:
        raise InputError(f"{where}: min = {low:g} is above max = {high:g}")
    return Expect(metric, from_s, to_s, low, high)


def _only(table: Mapping[str, Any], known: Sequence[str], where: str, joint: str) -> None:
    for key in table:
        if key not in known:
            name = f"{where}{joint}{key}" if joint else f"{where}: {key}"
            raise InputError(f"{plain(name, 200)} is no key of a scenario{nearest(key, known)}")


def _table(table: Mapping[str, Any], key: str, where: str, known: Sequence[str] | None = None) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise InputError(f"{where} {key} should be a table that begins with [{key}]")
    if known is not None:
        _only(value, known, f"{where} {key}", ".")
    return value


def _items(table: Mapping[str, Any], key: str, where: str) -> list[tuple[str, dict[str, Any]]]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InputError(f"{where} {key} should be tables that each begin with [[{key}]]")
    return [(f"[[{key}]] {number}", item) for number, item in enumerate(value, 1)]


# A setup as a scenario file: the other half of `scenario.load`.
#
# What is written is read back to an equal setup, commands and their times included. TOML's basic strings take JSON's
# escapes, so the standard library writes them.


def to_toml(
    setup: Setup, title: str, about: str = "", captions: Iterable[Caption] = (), expects: Iterable[Expect] = ()
) -> str:
    """The text of a scenario that begins as `setup` does, has its schedule, and tells and expects what it is handed."""
    lines = [f"title = {_toml_value(title)}"]
    if about:
        lines.append(f"about = {_toml_value(about)}")
    for name in ("protocol", "peers", "seed", "topology", "latency", "loss"):
        value = getattr(setup, name)
        lines.append(f"{name} = {_toml_value(_found(value) if name in ('topology', 'latency') else value)}")
    lines += _toml_table("options", setup.options.items())
    lines += _toml_table("content", ((f.name, getattr(setup.content, f.name)) for f in fields(setup.content)))
    lines += _toml_table("links", ((f.name, getattr(setup.links, f.name)) for f in fields(setup.links)))
    lines += _toml_table("asks", [("per_s", setup.asks_per_s)])
    lines += _toml_table(
        "churn", [("session", _found(setup.churn) if is_trace(setup.churn) else setup.churn), ("polite", setup.polite)]
    )
    lines += _toml_table("arrivals", ((f.name, getattr(setup.arrivals, f.name)) for f in fields(setup.arrivals)))
    for at_us, command in setup.schedule:
        lines += ["", "[[at]]", f"s = {at_us / 1e6!r}", f"do = {_toml_value(command.verb)}"]
        lines += [f"{name} = {_toml_value(value)}" for name, value in _toml_fields(command)]
    for caption in captions:
        lines += ["", "[[caption]]", f"s = {float(caption.at_s)!r}", f"say = {_toml_value(caption.say)}"]
        lines += [f"predict = {_toml_value(caption.predict)}"] if caption.predict is not None else []
    for expect in expects:
        lines += ["", "[[expect]]"]
        values = ((f.name, getattr(expect, f.name)) for f in fields(expect))
        lines += [f"{name} = {_toml_value(value)}" for name, value in values if value is not None]
    return "\n".join(lines) + "\n"


def _found(spec: str) -> str:
    """A file by its whole path, for the scenario may be read from elsewhere; any other spec as it is."""
    return str(Path(spec).resolve()) if os.path.exists(spec) and not is_descriptor(spec) else spec


def _toml_table(name: str, items: Iterable[tuple[str, object]]) -> list[str]:
    rows = [f"{key} = {_toml_value(value)}" for key, value in items]
    return ["", f"[{name}]", *rows] if rows else []


def _toml_fields(command: Command) -> Iterable[tuple[str, object]]:
    for f in fields(command):
        value = getattr(command, f.name)
        if value is None or (value == f.default and f.name != "peers"):
            continue
        if f.name == "peers" and not isinstance(value, str):
            many = (value,) if isinstance(value, int) else tuple(value)
            value = " or ".join(f"#{peer}" for peer in many) or "not all"
        yield f.name, value


def _toml_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else '"inf"'
    if isinstance(value, int):
        return str(value)
    # A path may hold bytes that are no text, which TOML cannot say. JSON leaves DEL as it is; TOML wants it escaped.
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
