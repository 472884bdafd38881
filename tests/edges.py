"""Boundary values of every number that a user, a file or a recording can give: each gives a run or one clear error.

The fields are found from the tables that define them (the dataclasses of a setup and of commands, the options of each
network, the forms of specs, the flags of the command line, the settings, the roles of a theme), so that a new field is
tried without a change here. Where an error names a range, its limits and the values just outside are tried too.

    python tests/edges.py [--source NAME] [--only TEXT] [--seconds 4] [--memory 1500]

All 25,000 inputs take about six minutes of processor time. The largest allowed sizes (a million peers, 10,000 asks a
second) may be slow: they are reported, and are stopped after `--seconds`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import re
import resource
import signal
import sys
import tempfile
import tomllib
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

from fuzz import unclear

from engine import (
    InputError,
    Setup,
    allowed_of,
    network,
    networks,
    option_values,
    parse_sweep,
    run,
    scenario_files,
    to_toml,
)
from engine.commands import SET_WORLD, VERBS, Command
from engine.lab.check import METRICS, Expect
from engine.lab.scenario import scenario_of, story_of
from engine.record.codec import setup_from_map, setup_to_map
from engine.record.file import Recording
from engine.swarm import Swarm
from engine.world import access_links, churn, latency, topology
from tui.cli import common as cli
from tui.cli.main import DASHBOARD, parse, parsers
from tui.cli.main import main as swarmtop
from tui.config import settings, themes

LONG = "9" * 5_000
TOML = (
    *("0", "-0.0", "5e-324", "-5e-324", "1e-320", "2.2250738585072014e-308", "1e-9", "0.5", "1", "-1", "2", "63"),
    *("1e3", "1_000", "0x10", "0b1", "1000000", "1000001", "1000000000", "2147483648", "9223372036854775807"),
    *("9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e16", "1e300", "1e308"),
    *("1.7976931348623157e308", "1e999", "-1e308", "nan", "-nan", "inf", "-inf", "1" + "0" * 400, LONG, "-" + LONG),
    *("0x" + "f" * 5_000, "true", "false", '"7"', '"nan"', '"x"', '""', "[]", "[1]", "{}", "1979-05-27"),
)
"""Values in the syntax of TOML."""
TEXTS = (
    *(each for each in TOML if not each.startswith(('"', "[", "{"))),
    *(
        "",
        " ",
        "7",
        " 7 ",
        "+7",
        "--7",
        "1e",
        "0x",
        "1__0",
        "٣",
        "１",
        "½",
        "1,5",
        "1 2",
        "NaN",
        "Infinity",
        "7\n",
        "x",
    ),
)
"""Values as arguments of a command line."""
GOOD = {
    "DEGREE": "4",
    "REWIRE": "0.1",
    "M": "2",
    "MS": "50",
    "MIN": "20",
    "MAX": "200",
    "MEAN_S": "60",
    "SHAPE": "0.6",
    "SCALE_S": "60",
    "PER_S": "0.5",
    "UP": "256",
    "DOWN": "1500",
}
SELECTORS = ("random {}", "random {}%", "top {} degree", "top {}% load", "degree>{}", "load<{}", "#{}", "p{}")
PLAIN = "gossip"
"""The network of all runs for which the network does not matter: the quickest one."""
RUN_S = 2.0
SENTENCE_MOST = 520
RANGE = re.compile(r" from (-?[\d.,e+-]+) to (?:less than )?(-?[\d.,e+-]*\d)")


Fill = Callable[[str], Callable[[], str | None]]
"""Takes a value for one field, and returns the function that tries it."""


def _ran(scenario: scenario_files.Scenario) -> None:
    report = run(scenario, until=RUN_S)
    json.dumps(report.to_json(), allow_nan=False)
    report.text()


def _base(protocol: str) -> Setup:
    return Setup(protocol=protocol, peers=8, seed=3, latency="constant:20")


def _spelled(value: object) -> str:
    """A value in the syntax of TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_spelled(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spelled, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Raw:
    """A text that is written into a file unchanged."""

    text: str


def _leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _leaves(each, (*path, key))
    if not isinstance(value, (dict, list)):
        yield path


def _with(value: Any, path: tuple[Any, ...], leaf: object) -> Any:
    if not path:
        return leaf
    made = dict(value) if isinstance(value, dict) else list(value)
    made[path[0]] = _with(made[path[0]], path[1:], leaf)
    return made


def _commands() -> Iterator[dict[str, Any]]:
    """Each command as in a scenario, with every field given."""
    plans: dict[str, Any] = {"peers": "#1", "operator": "acme", "word": "blue", "text": "blue train", "value": 0.5}
    plans |= {"via": "#2", "whom": "acme", "by": "city", "means": "kill", "goal": "find"}
    for verb, kind in VERBS.items():
        for name in ("random", "crowd", "degree") if verb == "attack" else ("asks",) if verb == "set" else ("",):
            made: dict[str, Any] = {"s": 1.0, "do": verb}
            for f in fields(kind):
                if f.name == "name" and name:
                    made["name"] = name
                elif "int" in str(f.type) and "Peers" not in str(f.type):
                    made[f.name] = f.default if isinstance(f.default, int) else 3
                elif "float" in str(f.type):
                    made[f.name] = f.default if isinstance(f.default, float) else 0.5
                elif f.default not in (None, MISSING) or f.name in ("peers", "value"):
                    made[f.name] = plans.get(f.name, f.default)
            yield made


def scenario_fields() -> Iterator[tuple[str, Fill]]:
    """Each key of a scenario, of each network."""
    for protocol in networks():
        kind: Any = getattr(network(protocol), "options_type", None)
        options = option_values(kind()) if kind is not None else {}
        text = to_toml(replace(_base(protocol), options=options), "edges", "")
        table = tomllib.loads(text)
        table["caption"] = [{"s": 1.0, "say": "now"}]
        table["expect"] = [{"metric": next(iter(METRICS)), "from_s": 0.0, "to_s": 1.0, "min": 0.0, "max": 1.0}]
        for path in _leaves(table):
            if protocol == PLAIN or path[0] == "options":
                yield f"{protocol} {'.'.join(map(str, path))}", _toml_fill(table, path)
        for name in options:
            yield (
                f"{protocol} set {name}",
                _toml_fill({**table, "at": [{"s": 1.0, "do": "set", "name": name, "value": 0}]}, ("at", 0, "value")),
            )
        if protocol == PLAIN:
            for command in _commands():
                whole = {**table, "at": [command]}
                for key in command:
                    if key != "do":
                        name = f"{command['do']} {command.get('name', '')}".strip()
                        yield f"at {name} {key}", _toml_fill(whole, ("at", 0, key))
            for name in SET_WORLD:
                yield (
                    f"at set {name}",
                    _toml_fill(
                        {**table, "at": [{"s": 1.0, "do": "set", "name": name, "value": 0}]}, ("at", 0, "value")
                    ),
                )


def _toml_fill(table: dict[str, Any], path: tuple[Any, ...]) -> Fill:
    def fill(value: str) -> Callable[[], None]:
        made = _with(table, path, Raw(value))
        text = "\n".join(f"{json.dumps(key)} = {_spelled(each)}" for key, each in made.items())
        return lambda: _ran(scenario_files.parse(text, "edges.toml"))

    return fill


def spec_fields() -> Iterator[tuple[str, Fill]]:
    """Each number within a spec."""
    tables: dict[str, Any] = {
        "topology": topology.FORMS,
        "latency": latency.FORMS,
        "churn": churn.FORMS,
        "arrivals": churn.ARRIVAL_FORMS,
        "capacity": {form: form for form in access_links.FORMS},
    }
    for flag, forms in tables.items():
        for form in forms.values():
            for word in re.findall(r"\b[A-Z][A-Z_]*\b", form):
                yield f"--{flag} {form} {word}", _flag_fill(flag, form, word)
    for form in ("kill:FROM:TO:STEPS", "collude:blue:FROM:TO:STEPS"):
        for word in ("FROM", "TO", "STEPS"):
            good = {"FROM": "0", "TO": "0.5", "STEPS": "2"}

            def fill(value: str, form: str = form, word: str = word, good: dict[str, str] = good) -> Callable[[], None]:
                spec = form
                for name, each in {**good, word: value}.items():
                    spec = spec.replace(name, each)
                return lambda: _shares(spec)

            yield f"--sweep {form} {word}", fill
    for selector in SELECTORS:

        def chosen(value: str, selector: str = selector) -> Callable[[], None]:
            text = selector.format(value)
            return lambda: _ran(scenario_files.Scenario(setup=_base("gossip")).asking(["blue train"], text))

        yield f"--from {selector}", chosen


def _shares(spec: str) -> None:
    for share in parse_sweep(spec).shares:
        assert 0 <= share <= 1, share


def _flag_fill(flag: str, form: str, word: str) -> Fill:
    def fill(value: str) -> Callable[[], str | None]:
        spec = re.sub(r"\b[A-Z][A-Z_]*\b", lambda found: value if found[0] == word else GOOD.get(found[0], "1"), form)
        return _command("run", "--protocol", "gossip", "--peers", "8", "--until", str(RUN_S), f"--{flag}={spec}")

    return fill


def _command(*words: str) -> Callable[[], str | None]:
    """Run a command line in this process. Returns the error that it wrote to stderr, if any."""

    def go() -> str | None:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = swarmtop(words)
        assert code in (cli.DONE, cli.FAILED, cli.WRONG), code
        if code == cli.WRONG:
            said = err.getvalue().removesuffix("\n").rpartition("\n")[2]
            assert said.startswith("swarmtop: "), said
            assert not out.getvalue(), "it was refused, and wrote to stdout"
            return said.removeprefix("swarmtop: ")
        return None

    return go


def flag_fields() -> Iterator[tuple[str, Fill]]:
    """Each flag that takes a value, of the run and of the dashboard, and each option by --set."""
    base = ("run", "--protocol", "gossip", "--peers", "8", "--until", str(RUN_S))
    screen = ("--protocol", "gossip", "--peers", "8")
    for flags, start in ((parsers()["run"], base), (parsers()[DASHBOARD], screen)):
        for action in flags._actions:
            flag = next(iter(action.option_strings), "")
            if not flag or action.nargs == 0 or flag in ("--record", "--csv", "--theme"):
                continue
            more = ("--sweep", "kill:0:0:1") if flag in ("--repeat", "--jobs") else ()
            more = ("--ask", "blue train") if flag == "--from" else more
            # A large --until makes a long run, which is no fault.
            outside = flag in ("--until", "--repeat", "--sweep") and start is base
            yield (
                f"{' '.join(start[:1])} {flag}",
                _words_fill((*start[: 5 if flag == "--until" else len(start)], *more), flag, outside),
            )
    for protocol in networks():
        kind: Any = getattr(network(protocol), "options_type", None)
        for option in allowed_of(kind) if kind is not None else ():

            def fill(value: str, protocol: str = protocol, name: str = option) -> Callable[[], str | None]:
                start = ("run", "--protocol", protocol, "--peers", "8", "--until", str(RUN_S))
                return _command(*start, "--set", f"{name}={value}")

            yield f"--set {protocol} {option}", fill


def _words_fill(start: tuple[str, ...], flag: str, outside: bool) -> Fill:
    def fill(value: str) -> Callable[[], str | None]:
        if not outside:
            return _command(*start, f"{flag}={value}")
        if flag == "--until":
            return lambda: _nothing(parse([*start, f"{flag}={value}"]).until)
        # The values of `LONG_RUNS` are allowed, and would begin a long sweep.
        if flag == "--repeat":
            return lambda: _nothing(_command(*start, f"{flag}={value}")() if value not in LONG_RUNS else None)
        return lambda: _nothing(parse_sweep(value))

    return fill


LONG_RUNS = ("63", "1e3", "1_000", "1000000")


def _nothing(value: object) -> str | None:
    return value if isinstance(value, str) and value != "quiet" else None


def setting_fields() -> Iterator[tuple[str, Fill]]:
    """Each setting of the configuration, and each colour of a theme."""

    def setting(name: str) -> Fill:
        def fill(value: str) -> Callable[[], str | None]:
            def go() -> str | None:
                read = settings.read(f"{name} = {value}\n", Path("config.toml"))
                assert len(read.complaints) <= 1
                return read.complaints[0] if read.complaints else None

            return go

        return fill

    def colour(table: str, key: str) -> Fill:
        good = 'background = "#101010"\nforeground = "#eeeeee"\nprimary = "#3377cc"\n'
        good = re.sub(rf"^{key} = .*\n", "", good, flags=re.MULTILINE)

        def fill(value: str) -> Callable[[], None]:
            line = f"{key} = {value}\n"
            text = f"[theme]\n{good}{line if table == 'theme' else ''}" + (
                f"[swarm]\n{line}" if table == "swarm" else ""
            )

            def go() -> None:
                themes.load(text, "mine.toml")

            return go

        return fill

    yield from ((f"config {name}", setting(name)) for name in (*settings.ALLOWED, "keys", '"keys"."peer.kill"'))
    for key in (*themes.FIELDS, "dark", "description"):
        yield f"theme {key}", colour("theme", key)
    yield from ((f"swarm {key}", colour("swarm", key)) for key in themes.ROLE_NAMES[:3])


def recording_fields() -> Iterator[tuple[str, Fill]]:
    """Each number in the setup, the scenario and the commands of a recording."""
    for protocol in networks():
        kind: Any = getattr(network(protocol), "options_type", None)
        options = option_values(kind()) if kind is not None else {}
        setup = setup_to_map(replace(_base(protocol), options=options))
        for path in _leaves({key: each for key, each in setup.items() if key != "schedule"}):
            if protocol == PLAIN or path[0] == "options":
                yield f"{protocol} setup {'.'.join(map(str, path))}", _packed_fill(setup, path)
        if protocol == PLAIN:
            for command in _commands():
                verb, values = command["do"], {k: v for k, v in command.items() if k not in ("s", "do")}
                whole = {**setup, "schedule": [[1_000_000, verb, values]]}
                for key in values:
                    yield f"do {verb} {key}", _packed_fill(whole, ("schedule", 0, 2, key))
            whole = {**setup, "schedule": [[1_000_000, "heal", {}]]}
            yield "do s", _packed_fill(whole, ("schedule", 0, 0))
    told = scenario_files.Caption(1.0, "now"), Expect("success", 0.0, 1.0, 0.0, 1.0)
    story = story_of(scenario_files.Scenario(captions=told[:1], expects=told[1:]))
    for path in _leaves(story):
        yield f"story {'.'.join(map(str, path))}", _packed_fill(setup_to_map(_base("gossip")), path, story)


def _packed_fill(setup: dict[str, Any], path: tuple[Any, ...], story: dict[str, Any] | None = None) -> Fill:
    def fill(value: str) -> Callable[[], None] | None:
        try:
            plain = tomllib.loads(f"v = {value}")["v"]
        except ValueError:
            return None
        if isinstance(plain, int) and not -(1 << 63) <= plain < 1 << 64:
            return None  # MessagePack has no such number
        if not isinstance(plain, (bool, int, float, str, list, dict)):
            return None

        def go() -> None:
            made = setup_from_map(setup if story is not None else _with(setup, path, plain))
            world = Swarm(replace(made, schedule=())).world
            recording = Recording(made, {} if story is None else _with(story, path, plain), world)
            scenario = scenario_of(recording, "edges.swarm")
            _ran(scenario)

        return go

    return fill  # type: ignore[return-value]


def command_fields() -> Iterator[tuple[str, Fill]]:
    """Each field of each command, given to a running swarm."""
    for command in _commands():
        verb, values = command["do"], {k: v for k, v in command.items() if k not in ("s", "do")}
        for key in values:

            def fill(value: str, verb: str = verb, values: Any = values, key: str = key) -> Any:
                try:
                    plain = tomllib.loads(f"v = {value}")["v"]
                except ValueError:
                    return None

                def go() -> None:
                    swarm = Swarm(_base("gnutella"))
                    swarm.advance(500_000)
                    made: Command = VERBS[verb](**{**values, key: plain})
                    try:
                        swarm.do(made)
                    finally:
                        swarm.advance(int(RUN_S * 1e6))

                return go

            yield f"{verb} {values.get('name', '')} {key}", fill


SOURCES: dict[str, tuple[Callable[[], Iterator[tuple[str, Fill]]], tuple[str, ...]]] = {
    "scenario": (scenario_fields, TOML),
    "spec": (spec_fields, TEXTS),
    "flag": (flag_fields, TEXTS),
    "setting": (setting_fields, TOML),
    "recording": (recording_fields, TOML),
    "command": (command_fields, TOML),
}


LATE = "it took longer than"


class Slow(BaseException):
    """An input took too long. Not an `Exception`, so that no handler in the program catches it."""


def fault(go: Callable[[], str | None], seconds: float) -> tuple[str, str]:
    """The fault in handling an input, or empty; and the sentence with which it was refused, or empty."""

    def late(*_: object) -> None:
        raise Slow

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)  # processor time, so a busy machine changes nothing
    try:
        said = go() or ""
    except InputError as error:
        said = str(error) or " "
    except Slow:
        return f"{LATE} {seconds:g} s of processor time", ""
    except cli.WrongError as error:
        said = str(error)
    except (Exception, MemoryError):
        return traceback.format_exc(limit=-6), ""
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return _unclear(said), said


def _unclear(said: str) -> str:
    if not said:
        return ""
    if wrong := unclear(said, SENTENCE_MOST):
        return wrong
    for word in ("Traceback", "Error", "integer string conversion", "codec", "NoneType", "object"):
        if word in said:
            return f"the sentence speaks of Python: {said}"
    return ""


def limits(said: str, texts: bool) -> list[str]:
    """The limits that an error sentence names, and the values just outside."""
    found = RANGE.search(said)
    if found is None:
        return []
    low, high = (float(each.replace(",", "")) for each in found.groups())
    made = [low, high, math.nextafter(low, -math.inf), math.nextafter(high, math.inf), math.nextafter(high, -math.inf)]
    spelled = [repr(each) for each in made]
    for each in (low, high):
        if each.is_integer() and abs(each) < 1e18:
            spelled += [str(int(each)), str(int(each) - 1), str(int(each) + 1)]
    return spelled


def campaign(
    source: str,
    seconds: float,
    sizes: bool = True,
    every: int = 1,
    tell: Callable[[str], None] = print,
    only: str = "",
) -> tuple[int, int]:
    """Try the inputs of a source; with `every`, only one of so many. Returns the numbers of inputs and of faults.

    sizes: the largest values, too; then an input that takes too long is reported, but is no fault.
    only: fields whose name has this text.
    """
    make, values = SOURCES[source]
    count = wrong = 0
    for name, fill in make():
        if only not in name:
            continue
        todo, seen = list(values), set[str]()
        while todo:
            value = todo.pop(0)
            if value in seen:
                continue
            seen.add(value)
            if every > 1 and hash_of(f"{source}/{name}/{value}") % every:
                continue
            if not sizes and value in HEAVY:
                continue
            go = fill(value)
            if go is None:
                continue
            count += 1
            said_wrong, said = fault(go, seconds)
            todo += limits(said, source in ("spec", "flag")) if sizes else []
            if said_wrong:
                wrong += not (sizes and said_wrong.startswith(LATE))  # the largest allowed size may take long
                tell(f"{source}: {name} = {value[:40]}: {said_wrong.strip()}")
    return count, wrong


HEAVY = ("1000000",)
"""Values that some fields allow and that make a run as large as possible."""


def hash_of(text: str) -> int:
    """A hash that is the same on every machine."""
    return zlib.crc32(text.encode())


def main() -> None:
    """Try the inputs of all sources, or of one."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--source", choices=sorted(SOURCES), default=None)
    ask.add_argument("--only", default="", metavar="TEXT", help="fields whose name has this text, such as a network")
    ask.add_argument("--seconds", type=float, default=4.0, help="of processor time that an input may take")
    ask.add_argument("--memory", type=int, default=1_500, help="MB that the process may have")
    args = ask.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (args.memory << 20,) * 2)
    faults = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for source in [args.source] if args.source else SOURCES:
            count, wrong = campaign(
                source, args.seconds, tell=lambda line: print(line, "\n", flush=True), only=args.only
            )
            faults += wrong
            print(f"{source}: {count:,} inputs, {wrong:,} faults", flush=True)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
