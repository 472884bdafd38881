"""Scenarios: a setup, commands at their times, captions and expectations, as TOML files.

A scenario is read as a whole before anything runs: every key, type and range is checked and every command is made, so
a mistake in the last line is reported at once. Two things are checked later, by `Swarm(setup)`: files that it names,
and whether the peers that a selector names exist.

A run whose end is not given lasts 60 s, or longer where the scenario needs it: until 5 s after its last caption, 10 s
after its last command, and until its last expectation can be judged (`Scenario.end_s`).

`parse` and `load` read a scenario, `to_toml` writes one. `story_of` and `scenario_of` do the same with the plain values
that a recording carries beside its setup.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field, fields, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api import Peer, Shown, words_of
from ..commands import (
    ASKS_PER_S_MAX,
    COURT_S_MAX,
    JITTER_MS_MAX,
    SET_RANGES,
    SET_WORLD,
    SIDES,
    Act,
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
    check_goal,
    command_from,
)
from ..control import attacks
from ..control.workload import SAMPLE_S_LEAST, SAMPLE_S_MOST
from ..errors import InputError, nearest, plain
from ..files import (
    MissingFileError,
    files_beside,
    is_descriptor,
    is_recording,
    looks_like_path,
    parse_toml,
    read_toml,
)
from ..measure.shown import ShownReader
from ..options import as_number, as_spec, as_text, as_whole, flat, option_names, options_for, set_option
from ..programs import check_verb, read_values, verbs_of, verbs_without_values
from ..registry import classes_of, network_named, networks, programs_of, use_file
from ..rules import stations_of
from ..setup import ArrivalSpec, ContentSpec, LinkSpec, Setup
from ..values import dataclass
from ..world import latency, topology
from ..world.access_links import USUAL, parse_nat
from ..world.access_links import parse as parse_capacity
from ..world.churn import FORMS as CHURN_FORMS
from ..world.churn import is_trace, parse_arrivals
from ..world.churn import parse as parse_churn
from ..world.content import FILE_MIB_MAX, SHARINGS, ZIPF_MAX
from ..world.popularity import COUNT_MAX, LAWS
from .check import Expect, check_metric

if TYPE_CHECKING:
    from ..record.file import Recording

KEYS = (
    "title",
    "about",
    "protocol",
    "peers",
    "seed",
    "topology",
    "latency",
    "loss",
    "sample_s",
    "options",
    "content",
    "asks",
    "churn",
    "links",
    "arrivals",
    "caption",
    "at",
    "expect",
    "colour_by",
)
"""What a scenario may have at its top level."""
COLOURINGS = ("state", "role", "load")
"""What peers may be coloured by when a scenario is opened, besides the columns that the network shows."""
LINK_KEYS = ("capacity", "jitter_ms", "nat")

PEERS_MAX = topology.PEERS_MAX
ARRIVALS_MAX = 1_000_000
SEED_MAX = 2**63 - 1
TIME_MAX_S = 1e9
SPAN_S_MAX = 1e6
"""Seconds within which peers of one command arrive or depart."""
BYTES_MAX = 1_000_000
"""Size of a scenario file."""
TEXT_MAX = 2_000
"""Characters of a title, a caption or an ask."""

RUN_S = 60.0
"""Virtual seconds that a run lasts, unless its scenario needs more or its end is stated."""
CAPTION_S = 5.0
"""Seconds that a run lasts after a caption, at least."""
COMMAND_S = 10.0
"""Seconds that a run lasts after a command, at least."""
ASKER = "#0"
"""Who asks when `--ask` is given without `--from`: the first peer, so that the same line gives the same run."""
EXPECTED = "expected a scenario, a text in TOML"
FILES = (".toml", ".py", ".rec")
"""Endings of the files that are found by name."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence on screen at `at_s`. `predict` is a question to the viewer, who can answer it until the result is
    known; the run goes on meanwhile."""

    at_s: float
    say: str
    predict: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "say", plain(self.say, limit=TEXT_MAX))
        if self.predict is not None:
            object.__setattr__(self, "predict", plain(self.predict, limit=TEXT_MAX))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario.

    asks       (text, selector, name of the goal) of the command line; "" is the first goal of the network. The schedule
               of `setup` has these asks too, as commands; they are kept here so that a sweep or a recording can use the
               texts
    source     the shipped name or the path that it came from, or empty. A path must still open the file, so it is left
               as it is and shown by way of `plain`; all other texts are cleaned here (`errors.plain`)
    colour_by  what peers are coloured by when it is opened on screen: one of `COLOURINGS` or a column that the network
               shows; empty: the colouring is not changed
    """

    title: str = "A swarm"
    about: str = ""
    setup: Setup = field(default_factory=Setup)
    captions: tuple[Caption, ...] = ()
    expects: tuple[Expect, ...] = ()
    asks: tuple[tuple[str, str, str], ...] = ()
    source: str = ""
    colour_by: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", plain(self.title, limit=TEXT_MAX))
        object.__setattr__(self, "about", plain(self.about, limit=TEXT_MAX))
        asks = tuple(
            (plain(text, limit=TEXT_MAX), plain(who, limit=TEXT_MAX), plain(goal)) for text, who, goal in self.asks
        )
        object.__setattr__(self, "asks", asks)

    @property
    def end_s(self) -> float:
        """How long it runs unless `--until` says otherwise, in virtual seconds."""
        ends = [c.at_s + CAPTION_S for c in self.captions]
        ends += [at_us / 1e6 + COMMAND_S for at_us, _ in self.setup.schedule]
        ends += [e.known_at_s for e in self.expects]
        return max([RUN_S, *ends])

    @property
    def success_s(self) -> float:
        """Until when an answer counts, in seconds after the ask: `Goal.success_s` of the goal of the asks of the
        command line, by default of the network's first goal."""
        goals = (network_named(self.setup.protocol) or Peer).goals
        asked = next((goal for _, _, goal in self.asks), "")
        return next((goal for goal in goals if goal.name == asked), goals[0]).success_s

    def success_within(self, asked: Iterable[str]) -> str:
        """The time limit of success in words, "within 10 s", for asks with these goals, which may have different
        times."""
        goals = (network_named(self.setup.protocol) or Peer).goals
        names = set(asked)
        times = {goal.success_s for goal in goals if goal.name in names} or {self.success_s}
        return f"within {times.pop():g} s" if len(times) == 1 else "in the time of their goals"

    def asking(self, texts: Sequence[str], selector: str = ASKER, at_s: float = 0.0, goal: str = "") -> Scenario:
        """A copy that has these asks at `at_s` virtual seconds, each by every peer of `selector`, and no background
        asks. goal: the name of what they want, "" for the first goal of the network. Raises InputError for a goal that
        users of the network cannot ask for."""
        asks = tuple((as_text(text, "--ask"), as_selector(selector, "--from"), goal) for text in texts)
        at_us = round(at_s * 1e6)
        made = [(at_us, AskFor(peers=who, text=text, goal=goal or None)) for text, who, goal in asks]
        program = network_named(self.setup.protocol)
        for _, command in made:
            if program is not None:
                check_goal(command, program, "--goal")
        schedule = tuple(sorted((*made, *self.setup.schedule), key=lambda pair: pair[0]))
        return replace(self, asks=asks, setup=replace(self.setup, asks_per_s=0.0, schedule=schedule))


@dataclass(frozen=True, slots=True)
class Flags:
    """What a command line states about the network of a scenario. The scenario is checked with that network.

    protocol  name of a network that replaces the one of the scenario, whose options are then not used; None: the
              network of the scenario
    options   replace options of the scenario
    peers     number of peers that replaces the one of the scenario; None: that of the scenario
    """

    protocol: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    peers: int | None = None


NO_FLAGS = Flags()


def find(name: str, also: Sequence[str] = (), flags: Flags = NO_FLAGS) -> Scenario:
    """A shipped scenario by its name, else a network by its name, in a plain scenario, else a file by its path: a
    scenario, or a network (`.py`), see `registry.use_file`.

    A name has precedence over a file of that name, which `./NAME` opens (`hides_file`). also: other words that are
    allowed in place of the name, one of which may have been meant. flags: are applied to the scenario later; here they
    give it a network if it names none. Raises InputError, with the nearest spelling among scenarios, networks, files of
    the folder and `also`.
    """
    names = shipped_names()
    if name in names:
        return _shipped(name) if flags == NO_FLAGS else parse(_shipped_text(name), name, flags)
    path = Path(name)
    if path.suffix == ".py":
        return Scenario(setup=Setup(protocol=use_file(name).name))
    if path.suffix == ".toml" or "/" in name or "\\" in name:
        return load(path, flags)
    if network_named(name) is not None:
        return Scenario(setup=Setup(protocol=name))
    if _is_file(path):
        return load(path, flags)
    if name in also:
        raise InputError(f'no scenario is called "{plain(name)}": that is a command, and goes first')
    if looks_like_path(name):
        return load(path, flags)  # A directory or a FIFO: `load` says what is wrong with it.
    known = (*names, *networks(), *also, *files_beside(str(path), FILES))
    raise InputError(f'no scenario, network or file is called "{plain(name)}"{nearest(name, known, listed=False)}')


def hides_file(name: str) -> bool:
    """Whether `find` takes this for the name of a scenario or a network although there is a file of that name."""
    return _is_file(Path(name)) and (name in shipped_names() or network_named(name) is not None)


def shipped_names() -> tuple[str, ...]:
    """Names of the scenarios that come with swarmtop, sorted."""
    folder = resources.files("engine.scenarios")
    return tuple(sorted(p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")))


def shipped() -> list[Scenario]:
    """The scenarios that come with swarmtop, sorted by name."""
    return [_shipped(name) for name in shipped_names()]


@functools.cache
def _shipped(name: str) -> Scenario:
    return parse(_shipped_text(name), name)


def _shipped_text(name: str) -> str:
    return resources.files("engine.scenarios").joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load(path: Path, flags: Flags = NO_FLAGS) -> Scenario:
    """A scenario from a file; flags: see `find`. Raises InputError when the file is missing, is no text, is too long,
    or is wrong."""
    if is_recording(str(path)):
        raise InputError(f"{plain(path)} is a recording, and no scenario: swarmtop replay {plain(path)} shows it")
    try:
        text = read_toml(str(path), EXPECTED, BYTES_MAX)
    except MissingFileError:
        stem = path.name.removesuffix(".toml")
        if stem in (*shipped_names(), *networks()):
            raise InputError(f'there is no file "{plain(path)}"; did you mean "{stem}", which needs no file?') from None
        near = nearest(str(path), files_beside(str(path), FILES), listed=False)
        raise InputError(f'there is no file "{plain(path)}"{near}') from None
    name = plain(path)
    table = _with_files_in(parse_toml(text, name), _folder_of(path))
    return replace(_scenario(table, name, flags), source=str(path))


def _folder_of(path: Path) -> Path:
    """The folder of the files that a scenario names: its own folder, or the working folder if the scenario is read from
    a pipe."""
    if not is_descriptor(str(path)):
        return path.parent
    try:
        return Path.cwd()
    except OSError:
        return Path()  # the working folder was removed


def _with_files_in(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A copy of the table of a scenario in which files (edge list, matrix, sessions) that are in the folder have the
    folder in their path. So have names that are in neither the folder nor the working folder, so that an error states
    where the file was expected."""

    def placed(values: Any, key: str, forms: Iterable[str]) -> Any:
        return {**values, key: _in_folder(values[key], folder, forms)} if key in values else values

    made: dict[str, Any] = placed(placed(table, "topology", topology.FORMS), "latency", latency.FORMS)
    if isinstance(churn := table.get("churn"), dict):
        made = {**made, "churn": placed(churn, "session", CHURN_FORMS)}
    if isinstance(commands := table.get("at"), list):
        sets_churn = [isinstance(it, dict) and (it.get("do"), it.get("name")) == ("set", "churn") for it in commands]
        both = zip(commands, sets_churn, strict=True)
        made = {**made, "at": [placed(item, "value", CHURN_FORMS) if sets else item for item, sets in both]}
    return made


def _in_folder(spec: Any, folder: Path, forms: Iterable[str]) -> Any:
    """A spec with the folder before it if it names a file, see `_with_files_in`. Other values are left as they are."""
    if not isinstance(spec, str) or spec.strip().split(":")[0] in forms or folder == Path():
        return spec
    path = folder / spec.strip()
    missing = ":" not in spec and looks_like_path(spec.strip()) and not _exists(Path(spec.strip()))
    return str(path) if _is_file(path) or missing else spec


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    """Whether there is such a file; also of names that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def parse(text: str, source: str, flags: Flags = NO_FLAGS) -> Scenario:
    """A scenario from TOML text. `source` is what errors call it; flags: see `find`. Raises InputError."""
    return _scenario(parse_toml(text, source), source, flags)


def _scenario(table: Mapping[str, Any], source: str, flags: Flags) -> Scenario:
    where = f"{source}:"
    _only(table, KEYS, source, "")
    plan = Setup()
    protocol = as_text(table.get("protocol", flags.protocol or plan.protocol), f"{where} protocol", plan.protocol)
    if protocol.endswith(".py") and flags.protocol is not None:
        protocol = flags.protocol  # A file is allowed on the command line, which names one.
    network = network_called(protocol, source)
    options = flat(_table(table, "options", where))
    values = options_for(network, options, f"{where} [options]")
    peers = as_whole(table.get("peers", plan.peers), f"{where} peers", 1, PEERS_MAX)
    if flags != NO_FLAGS:
        kept = options
        if flags.protocol not in (None, protocol):
            network, kept = network_called(str(flags.protocol), "--protocol"), {}
        values = options_for(network, {**kept, **flags.options}, "--set")
    programs = programs_of(network, values, flags.peers or peers)
    columns = ShownReader(programs).columns
    asks = _table(table, "asks", where, ("per_s",))
    churn = _table(table, "churn", where, ("session", "polite"))
    timed = sorted(_schedule(table, where, network, columns), key=lambda pair: pair[0])
    captions = [_caption(item, f"{where} {place}") for place, item in _items(table, "caption", where)]
    return Scenario(
        title=as_text(table.get("title", source), f"{where} title", "The injunction"),
        about=as_text(table["about"], f"{where} about") if "about" in table else "",
        setup=Setup(
            protocol=protocol,
            peers=peers,
            seed=as_whole(table.get("seed", plan.seed), f"{where} seed", 0, SEED_MAX),
            topology=as_spec(table.get("topology", plan.topology), f"{where} topology", plan.topology),
            latency=as_spec(table.get("latency", plan.latency), f"{where} latency", "constant:50"),
            loss=as_loss(table.get("loss", plan.loss), f"{where} loss"),
            churn=as_churn(churn.get("session", plan.churn), f"{where} churn.session"),
            polite=as_number(churn.get("polite", plan.polite), f"{where} churn.polite", 0, 1),
            arrivals=_arrivals(_table(table, "arrivals", where, ("law", "most")), f"{where} arrivals"),
            options=options,
            content=_content(_table(table, "content", where), where),
            asks_per_s=as_number(asks.get("per_s", plan.asks_per_s), f"{where} asks.per_s", 0, ASKS_PER_S_MAX),
            links=read_links(
                _table(table, "links", where, LINK_KEYS), {key: f"{where} links.{key}" for key in LINK_KEYS}
            ),
            sample_s=as_sample_s(table.get("sample_s", plan.sample_s), f"{where} sample_s"),
            schedule=tuple(timed),
        ),
        captions=tuple(sorted(captions, key=lambda c: c.at_s)),
        expects=tuple(_expect(item, f"{where} {place}", programs) for place, item in _items(table, "expect", where)),
        source=source,
        colour_by=_colour_by(table.get("colour_by", ""), columns, where, flags.protocol in (None, protocol)),
    )


def _colour_by(value: object, columns: Collection[str], where: str, same: bool) -> str:
    """same: whether the network is that of the scenario; another one may have no such column."""
    known = (*COLOURINGS, *columns)
    if value == "" or (value in known and isinstance(value, str)):
        return str(value)
    if not same:
        return ""
    what = f"{', '.join(COLOURINGS)} or a column that the network shows"
    raise InputError(f'{where} colour_by should be {what}, not "{plain(str(value))}"{nearest(str(value), known)}')


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
        file_mib=as_number(table.get("file_mib", plan.file_mib), f"{where}.file_mib", 0, FILE_MIB_MAX),
    )


def _arrivals(table: Mapping[str, object], where: str) -> ArrivalSpec:
    plan = ArrivalSpec()
    return ArrivalSpec(
        law=as_arrivals(table.get("law", plan.law), f"{where}.law"),
        most=as_whole(table.get("most", plan.most), f"{where}.most", 0, ARRIVALS_MAX),
    )


def read_links(values: Mapping[str, object], where: Mapping[str, str], base: LinkSpec | None = None) -> LinkSpec:
    """A copy of `base`, or of the defaults, with these keys of `LINK_KEYS` changed. Numbers may be texts.

    `where` is what errors call each key: a key of a scenario, or a flag. Raises InputError for a capacity that is not
    understood and for a number out of range.
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
        said = values["nat"]
        if isinstance(said, str) and (":" in said or said.strip() == USUAL):
            parse_nat(said, where["nat"])
            made = replace(made, nat=said.strip())
        else:
            made = replace(made, nat=as_number(said, where["nat"], 0, 1, texts=True))
    return made


def _schedule(
    table: Mapping[str, Any], where: str, network: type[Peer], columns: Mapping[str, Shown]
) -> list[tuple[int, Command]]:
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
                if key in ("peers", "via"):
                    as_selector(value, f"{here}: {key}", columns)
                else:
                    as_text(value, f"{here}: {key}")
        _check_command(command, network, here)
        made.append((round(at_s * 1e6), command))
    return made


def _check_command(command: Command, network: type[Peer], where: str) -> None:
    """Raise InputError for a command whose values are out of range, or that this network does not allow."""
    match command:
        case Attack():
            verbs = () if command.means is None else verbs_without_values(*_programs_of(network, where))
            attacks.check_fields(command, where, verbs)
        case CallOff(name=str(name)):
            attacks.check_name(name, where)
        case Arrive():
            as_whole(command.count, f"{where}: count", 1, ARRIVALS_MAX)
            as_number(command.over_s, f"{where}: over_s", 0, SPAN_S_MAX)
        case Depart():
            as_number(command.over_s, f"{where}: over_s", 0, SPAN_S_MAX)
            as_number(command.polite, f"{where}: polite", 0, 1)
        case Collude():
            _check_words(command.word, f"{where}: word")
        case Publish():
            _check_words(command.text, f"{where}: text")
        case Partition(by=str(by)) if by not in SIDES:
            raise InputError(f'{where}: partition does not go by "{plain(by)}"{nearest(by, SIDES)}')
        case Court():
            as_number(command.after_s, f"{where}: after_s", 0.0, COURT_S_MAX)
        case AskFor():
            check_goal(command, network, where)
        case Set():
            _check_set(command, network, where)
        case Act():
            _check_act(command, network, where)
    poisons = isinstance(command, Poison) or (isinstance(command, Attack) and command.name == "poison")
    if poisons and not network.shares_files:
        raise InputError(f"{where}: users of {network.name} share no files, so there is nothing to poison")
    if isinstance(command, Collude | Attack) and command.leak is not None:
        as_number(command.leak, f"{where}: leak", 0, 1)


def _check_words(text: str, where: str) -> None:
    if not words_of(text):
        raise InputError(f'{where} should be words, such as "blue train", not "{plain(text)}"')


def _check_set(command: Set, network: type[Peer], where: str) -> None:
    """Raise InputError unless `command` sets a parameter that can be set, to a value in its range."""
    name, value = command.name, command.value
    if name in option_names(network):
        set_option(options_for(network, {}, where), name, value, where)
    elif name in SET_RANGES:
        as_number(value, f"{where}: {name}", *SET_RANGES[name])
    elif name == "arrivals":
        as_arrivals(value, f"{where}: arrivals")
    elif name == "churn":
        as_churn(value, f"{where}: churn")
    else:
        choices = (*SET_WORLD, *option_names(network))
        raise InputError(f'{where}: nothing called "{plain(name)}" can be set{nearest(name, choices)}')


def _programs_of(network: type[Peer], where: str) -> tuple[type[Peer], ...]:
    """The programs that peers of a network may run, those of its infrastructure too."""
    stations = stations_of(network, options_for(network, {}, where), 8)
    return tuple(dict.fromkeys((*classes_of(network), *(station.program for station in stations))))


def _check_act(command: Act, network: type[Peer], where: str) -> None:
    """Raise InputError unless some program of the network has that verb, and it takes these values."""
    programs = _programs_of(network, where)
    check_verb(command.name, programs, where)
    for program in programs:
        if command.name in verbs_of(program):
            read_values(program, command.name, command.values, where)
            return


def _caption(item: Mapping[str, Any], where: str) -> Caption:
    _only(item, ("s", "say", "predict"), where, ": ")
    for key in ("s", "say"):
        if key not in item:
            raise InputError(f'{where}: it needs "{key}"')
    predict = as_text(item["predict"], f"{where}: predict") if "predict" in item else None
    return Caption(as_time(item["s"], f"{where}: s"), as_text(item["say"], f"{where}: say"), predict)


def _expect(item: Mapping[str, Any], where: str, programs: Sequence[type[Peer]]) -> Expect:
    _only(item, ("metric", "from_s", "to_s", "min", "max"), where, ": ")
    for key in ("metric", "from_s", "to_s"):
        if key not in item:
            raise InputError(f'{where}: it needs "{key}"')
    metric = as_text(item["metric"], f"{where}: metric", "success")
    check_metric(metric, programs, where)
    from_s, to_s = (as_time(item[key], f"{where}: {key}") for key in ("from_s", "to_s"))
    if to_s <= from_s:
        raise InputError(f"{where}: to_s should be later than from_s = {from_s:g}, not {to_s:g}")
    low, high = (as_number(item[key], f"{where}: {key}") if key in item else None for key in ("min", "max"))
    if low is None and high is None:
        raise InputError(f'{where}: it needs "min" or "max", or both')
    if low is not None and high is not None and low > high:
        raise InputError(f"{where}: min = {low:g} is above max = {high:g}")
    return Expect(metric, from_s, to_s, low, high)


def network_called(name: str, where: str) -> type[Peer]:
    """The Peer class of a network by its name. Raises InputError with the nearest spelling."""
    found = network_named(name)
    if found is None:
        known = networks()
        if name in shipped_names():
            raise InputError(f'{where}: "{name}" is a scenario, and no network{nearest("", known)}')
        if name.endswith(".py"):
            # A scenario is data, which people take from others: to open one must not run a program.
            raise InputError(
                f"{where}: protocol is the name of a network, not a file: a scenario may come from anybody, so it runs "
                f"no program. If it is yours, name it on the command line: --protocol {plain(name)}"
            )
        near = nearest(name, known)
        own = "" if near else "; for one of your own give its file: --protocol my_net.py"
        raise InputError(f'{where}: no network is called "{plain(name)}"{near}{own}')
    return found


def as_churn(value: object, where: str) -> str:
    """A churn spec. A trace is a file, which is read when the swarm is made."""
    text = as_spec(value, where, "exponential:600")
    try:
        if not is_trace(text):
            parse_churn(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def as_arrivals(value: object, where: str) -> str:
    """A spec of the gaps between arrivals."""
    text = as_text(value, where, "poisson:0.2")
    try:
        parse_arrivals(text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def as_loss(value: object, where: str, *, texts: bool = False) -> float:
    """A share of messages that are lost: 0 or more and less than 1."""
    return as_number(value, where, 0, below=1, texts=texts)


def as_sample_s(value: object, where: str, *, texts: bool = False) -> float:
    """Seconds between two samples of the time series."""
    return as_number(value, where, SAMPLE_S_LEAST, SAMPLE_S_MOST, texts=texts)


def as_time(value: object, where: str) -> float:
    """Seconds of virtual time, 0 or more."""
    return as_number(value, where, 0, TIME_MAX_S)


def as_selector(value: object, where: str, columns: Collection[str] | None = None) -> str:
    """A selector with a right syntax. Whether there are such peers is checked where it is used. columns: names of the
    shown columns of the network, if that is known."""
    from ..analysis.selectors import parse  # most scenarios that a person opens name no peers

    text = as_text(value, where, "random 10%")
    try:
        parse(text, columns)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return text


def _one_of(value: object, where: str, known: Iterable[str]) -> str:
    made = as_text(value, where, next(iter(known)))
    if made not in known:
        raise InputError(f'{where} should not be "{made}"{nearest(made, known)}')
    return made


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


def story_of(scenario: Scenario) -> dict[str, Any]:
    """A scenario without its setup as plain values, for a recording, which has the setup at another place."""
    captions = [{"s": c.at_s, "say": c.say, **({"predict": c.predict} if c.predict else {})} for c in scenario.captions]
    expects = [
        {"metric": e.metric, "from_s": e.from_s, "to_s": e.to_s, **_bound("min", e.min), **_bound("max", e.max)}
        for e in scenario.expects
    ]
    story = {"title": scenario.title, "about": scenario.about, "source": scenario.source}
    story |= {"colour_by": scenario.colour_by} if scenario.colour_by else {}
    return {**story, "caption": captions, "expect": expects, "asks": [list(ask) for ask in scenario.asks]}


def _bound(name: str, value: float | None) -> dict[str, float]:
    return {} if value is None else {name: value}


def scenario_of(recording: Recording, path: str) -> Scenario:
    """The scenario of a recording; `path` is what errors call it. Raises InputError for a story that is malformed."""
    story: Mapping[str, Any] = recording.story
    where = f'"{plain(path)}"'
    setup = recording.setup
    network = network_called(setup.protocol, where)
    programs = programs_of(network, options_for(network, setup.options, where), setup.peers)
    asks = story.get("asks", [])
    if not isinstance(asks, list) or not all(isinstance(a, list) and len(a) in (2, 3) for a in asks):
        raise InputError(f"{where}: its asks should be lists of a text, a selector and a goal")
    return Scenario(
        title=_story_text(story, "title", where),
        about=_story_text(story, "about", where),
        setup=recording.setup,
        captions=tuple(_caption(item, f"{where} {place}") for place, item in _items(story, "caption", where)),
        expects=tuple(_expect(item, f"{where} {place}", programs) for place, item in _items(story, "expect", where)),
        asks=tuple(
            (str(text)[:TEXT_MAX], str(who)[:TEXT_MAX], str(goal[0]) if goal else "") for text, who, *goal in asks
        ),
        source=_story_text(story, "source", where),
        colour_by=_colour_by(story.get("colour_by", ""), ShownReader(programs).columns, where, same=False),
    )


def _story_text(story: Mapping[str, Any], name: str, where: str) -> str:
    value = story.get(name, "")
    if not isinstance(value, str) or len(value) > BYTES_MAX:
        raise InputError(f"{where}: its {name} should be a text")
    return value


def to_toml(
    setup: Setup,
    title: str,
    about: str = "",
    captions: Iterable[Caption] = (),
    expects: Iterable[Expect] = (),
    colour_by: str = "",
) -> str:
    """The text of a scenario file with this setup, its schedule, and these captions, expectations and colours.

    `parse` makes an equal setup of it, commands and their times included. Files that the setup names are written with
    their whole path, as the scenario may be read from another folder.
    """
    # Imported here, since it takes a while and few runs write a scenario.
    import tomlkit

    specs = {key: _absolute(getattr(setup, key)) for key in ("topology", "latency")}
    document: dict[str, Any] = {
        "title": title,
        **({"about": about} if about else {}),
        **({"colour_by": colour_by} if colour_by else {}),
        **{key: getattr(setup, key) for key in ("protocol", "peers", "seed")},
        **specs,
        "loss": setup.loss,
        **({"sample_s": setup.sample_s} if setup.sample_s != Setup().sample_s else {}),
        "options": dict(setup.options),
        "content": _fields(setup.content),
        "links": _fields(setup.links),
        "asks": {"per_s": setup.asks_per_s},
        "churn": {"session": _absolute_trace(setup.churn), "polite": setup.polite},
        "arrivals": _fields(setup.arrivals),
        "at": [{"s": at_us / 1e6, "do": it.verb, **_command_fields(it)} for at_us, it in setup.schedule],
        "caption": [_caption_fields(caption) for caption in captions],
        "expect": [_fields(expect) for expect in expects],
    }
    return tomlkit.dumps(_toml({key: value for key, value in document.items() if value not in ({}, [])}))


def _absolute(spec: str) -> str:
    return str(Path(spec).resolve()) if os.path.exists(spec) and not is_descriptor(spec) else spec


def _absolute_trace(spec: str) -> str:
    return _absolute(spec) if is_trace(spec) else spec


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, those that are None left out: TOML has no null."""
    return {f.name: made for f in fields(value) if (made := getattr(value, f.name)) is not None}


def _command_fields(command: Command) -> dict[str, Any]:
    """The fields of a command that a scenario has to name. Peers are written as a selector."""
    defaults = {f.name: f.default for f in fields(command)}
    made = {
        name: value for name, value in _fields(command).items() if name == "peers" or value not in (defaults[name], {})
    }
    if isinstance(command, Set) and command.name == "churn":
        made["value"] = _absolute_trace(str(command.value))
    if "peers" in made and not isinstance(peers := made["peers"], str):
        many = (peers,) if isinstance(peers, int) else tuple(peers)
        made["peers"] = " or ".join(f"#{peer}" for peer in many) or "not all"
    return made


def _caption_fields(caption: Caption) -> dict[str, object]:
    predict = {} if caption.predict is None else {"predict": caption.predict}
    return {"s": float(caption.at_s), "say": caption.say, **predict}


def _toml(value: Any) -> Any:
    """The same with values that TOML has. Other types become texts, and what cannot be encoded in UTF-8, as bytes of a
    path, becomes "?"."""
    if isinstance(value, dict):
        return {_toml(str(key)): _toml(it) for key, it in value.items()}
    if isinstance(value, list):
        return [_toml(it) for it in value]
    if isinstance(value, bool | int | float):
        return value
    return str(value).encode("utf-8", "replace").decode("utf-8")
