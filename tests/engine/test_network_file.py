"""A network in a file that is named on the command line runs as those of the folder do, also in other processes. Each
mistake of its author ends in one sentence with the line."""

from __future__ import annotations

import ast
import json
import pickle
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from engine import InputError, child, file_of, load_again, network, networks, registry, use_file
from engine.lab.workers import alone
from engine.registry import parts_of
from engine.rules import _in_seconds, check_source
from tui.cli.common import DONE, FAILED, WRONG
from tui.cli.main import main

GOOD = '''"""Echo

A peer asks all that it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ..api import FIND, Ask, CallEnd, Host, Peer, PeerId, Shown
from ..api import message, on, on_reply, on_timeout, option, switch, verb, words_of


@message(over="datagram", part="question")
class Query:
    text: str

    def about(self) -> Iterable[str]:
        return words_of(self.text)


@message(over="datagram", part="answer")
class Found:
    name: str


@dataclass(slots=True)
class Refresh:
    pass


@dataclass(slots=True)
class EchoOptions:
    wait_s: float = option(1.0, "how long it waits for an answer, in s", low=0.1, high=60)


@dataclass(slots=True, eq=False)
class Echo(Peer, name="NAME", options=EchoOptions):
    role = "echo"
    knows = "everyone"
    overlay = False
    goals = (FIND,)
    shows = (Shown("answers", "answers that came", "count"),)

    known: Sequence[PeerId] = ()
    answers: int = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = contacts
        host.every(1_000_000, Refresh())

    @on(Refresh)
    def refresh(self, host: Host, tick: Refresh) -> None:
        pass

    def ask(self, host: Host, ask: Ask) -> None:
        for peer in self.known:
            host.call(peer, Query(ask.text), timeout_us=int(host.options.wait_s * 1e6))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> None:
        for file in host.library.matching(message.text)[:1]:
            host.reply(Found(file.name))

    @on_reply(Query)
    def found(self, host: Host, sender: PeerId, answer: Found, context: object) -> None:
        self.answers += 1
        host.hit(sender, answer.name)

    @on_timeout(Query)
    def silent(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        pass

    def shown(self) -> tuple[float | str, ...]:
        return (self.answers,)

    @verb("hush", about="It forgets what came.")
    def hush(self, host: Host, times: int = 1) -> None:
        self.answers = 0
'''

Write = Callable[..., str]
FOLDER = tuple(registry.files())
"""Networks whose names a file of a test may have, to be refused."""


def forget(names: Iterable[str]) -> None:
    """Remove these network files from the registry and from `sys.modules`."""
    registry._given.files.clear()
    for name in names:
        if name not in FOLDER:
            sys.modules.pop(f"engine.protocols.{name}", None)
    networks.cache_clear()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write the network with other lines into a file, and return its name. It is removed from the registry at the
    end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(child, "network_files", [])
    names: list[str] = []

    def made(old: str = "", new: str = "", *, name: str = "echo_of_tests", called: str = "") -> str:
        assert GOOD.count(old) >= 1
        (tmp_path / f"{name}.py").write_text(GOOD.replace(old, new).replace('"NAME"', f'"{called or name}"'))
        names.append(name)
        return f"{name}.py"

    yield made
    forget(names)


def line_of(text: str) -> int:
    return GOOD[: GOOD.index(text)].count("\n") + 1


# --- it is loaded again --------------------------------------------------------------------------------------------


def test_a_changed_file_is_loaded_again_and_the_former_network_can_be_restored(write: Write) -> None:
    former = use_file(write())
    assert file_of("echo_of_tests") == Path("echo_of_tests.py").resolve()
    assert file_of("gnutella") is None
    write('role = "echo"', 'role = "ohce"')
    program, back = load_again("echo_of_tests")
    assert (program.role, former.role) == ("ohce", "echo")
    assert network("echo_of_tests") is program
    assert pickle.loads(pickle.dumps(program())).role == "ohce"
    back()
    assert network("echo_of_tests") is former
    assert pickle.loads(pickle.dumps(former())).role == "echo", "what runs can still be stored"
    assert not list(Path().glob("__pycache__")), "nothing is written beside it"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("known: Sequence[PeerId] = ()", "known: Sequence[PeerId] = (", "echo_of_tests.py:46: '(' was never closed"),
        ("@on(Query)", "@on(Qery)", "name 'Qery' is not defined (echo_of_tests.py:"),
        ('name="NAME", ', "", "echo_of_tests.py has no network"),
        ('"NAME"', '"gossip"', 'there is another network called "gossip"'),
    ],
)
def test_a_file_that_cannot_be_used_leaves_the_former_network(write: Write, old: str, new: str, says: str) -> None:
    former = use_file(write())
    write(old, new)
    for _ in range(2):
        with pytest.raises(InputError, match=re.escape(says)):
            load_again("echo_of_tests")
        assert network("echo_of_tests") is former
    Path("echo_of_tests.py").unlink()
    with pytest.raises(InputError, match=r"echo_of_tests.py"):
        load_again("echo_of_tests")
    assert network("echo_of_tests") is former
    write()
    assert load_again("echo_of_tests")[0] is not former
    with pytest.raises(InputError, match='"web" comes from no file'):
        load_again("web")


def test_another_process_that_would_run_other_code_ends_at_once(write: Write) -> None:
    use_file(write())
    process = child.start_module("record.worker")
    process.communicate(timeout=300)
    assert process.returncode == 0
    write("answers: int = 0", "answers: int = 7")
    process = child.start_module("record.worker")
    process.communicate(timeout=300)
    assert process.returncode == 1
    load_again("echo_of_tests")
    process = child.start_module("record.worker")
    process.communicate(timeout=300)
    assert process.returncode == 0


# --- a valid file ------------------------------------------------------------------------------------------------


def test_a_network_runs_by_its_file_by_the_flag_and_by_name(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    file = write()
    fingerprints = []
    for words in ([file], ["--protocol", file], ["echo_of_tests"]):
        assert main(["run", *words, "--peers", "8", "--until", "20", "--json"]) == DONE
        told = json.loads(capsys.readouterr().out)
        assert told["protocol"] == "echo_of_tests"
        assert told["success"] > 0
        fingerprints.append(told["fingerprint"])
    assert len(set(fingerprints)) == 1
    assert main(["protocols", file]) == DONE
    assert "wait_s=1.0" in capsys.readouterr().out


def test_a_recording_of_it_is_replayed_with_its_file(
    write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, recording = write(), str(tmp_path / "run.swarm")
    assert main(["run", path, "--until", "2", "--record", recording]) == DONE
    assert main(["replay", recording, "--json", "--protocol", path]) == DONE
    forget(["echo_of_tests"])
    capsys.readouterr()
    assert main(["replay", recording, "--json"]) == WRONG
    assert "give its file: --protocol" in capsys.readouterr().err
    assert main(["replay", recording, "--json", "--protocol", "gnutella"]) == WRONG
    assert "should be the file of a network" in capsys.readouterr().err


def test_a_scenario_that_names_no_network_is_checked_against_the_file(
    write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    story = tmp_path / "story.toml"
    act = '[[at]]\ns = 1\ndo = "act"\nname = "hush"\npeers = "answers<5"\n'
    expect = '[[expect]]\nmetric = "answers"\nfrom_s = 2\nto_s = 4\nmax = 0\n'
    story.write_text(f"peers = 8\n[asks]\nper_s = 0\n{act}{expect}", encoding="utf-8")
    assert main(["run", str(story), "--until", "5"]) == WRONG
    assert '"answers" is no property of a peer' in capsys.readouterr().err
    assert main(["run", str(story), "--protocol", write(), "--until", "5"]) == DONE


STORY = """peers = 8
[[at]]
s = 3
do = "kill"
peers = "role={}"
"""
HUB_OR_ECHO = '"hub" if host.me else self.role'


@pytest.mark.parametrize(
    ("roles", "given", "asked", "says"),
    [
        ("()", '"hub"', "hub", ""),
        ("()", '"hub"', "spoke", ""),
        ("('hub',)", '"hub"', "hub", ""),
        ("('hub',)", '"hub"', "echo", ""),
        ("('hub',)", HUB_OR_ECHO, "hbu", 'at 3 s, kill: no role is called "hbu"; did you mean "hub"?'),
        ("('hub',)", 'f"tier {host.me}"', "tier 3", ""),
        ("('hub',)", "role='spoke'", "spoke", ""),
        ("()", "", "hub", 'at 3 s, kill: no role is called "hub" (one of echo)'),
    ],
)
def test_a_role_that_nobody_has_at_the_start_is_refused_only_if_nobody_can_get_it(
    write: Write, capsys: pytest.CaptureFixture[str], tmp_path: Path, roles: str, given: str, asked: str, says: str
) -> None:
    story = tmp_path / "story.toml"
    story.write_text(STORY.format(asked), encoding="utf-8")
    line = '    role = "echo"\n'
    path = write(line, f"{line}    roles = {roles}\n")
    if given:
        tick = "tick: Refresh) -> None:\n        "
        text = Path(path).read_text(encoding="utf-8")
        Path(path).write_text(text.replace(f"{tick}pass", f"{tick}host.set_role({given})"), encoding="utf-8")
    code = main(["run", str(story), "--protocol", path, "--until", "5", "--json"])
    told = capsys.readouterr()
    assert code == (WRONG if says else DONE), told.err
    assert says in told.err
    if not says:
        dead = json.loads(told.out)["peers_by_state"]["dead"]
        assert dead == (asked != "echo") * (1 if "tier" in asked else 8 * (asked in given))


def test_child_processes_know_the_network(write: Write) -> None:
    registry.use_file(write())
    assert alone(registry.title_of, network("echo_of_tests")) == "Echo"


def test_a_network_of_the_folder_may_be_named_by_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(registry.protocols.__path__[0]))
    assert main(["run", "gossip.py", "--peers", "8", "--until", "1", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["protocol"] == "gossip"


@pytest.mark.parametrize(
    ("name", "called", "says"),
    [
        ("gossip", "", 'gossip.py: there is another network file of that name, so "gossip.py" needs another'),
        ("echo_of_tests", "gossip", 'echo_of_tests.py: there is another network called "gossip"'),
        ("echo-of-tests", "", "the name of a network's file should be a word that Python can import, as my_net.py"),
        ("__init__", "", "__init__.py: only a network in one file can be named; a folder belongs in"),
    ],
)
def test_a_name_of_another_network_is_refused(
    write: Write, capsys: pytest.CaptureFixture[str], name: str, called: str, says: str
) -> None:
    assert main(["run", write(name=name, called=called)]) == WRONG
    assert says in capsys.readouterr().err
    assert network("gossip").__module__ == "engine.protocols.gossip"


def test_a_missing_file_and_a_file_without_a_network_are_refused(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "nowhere.py"]) == WRONG
    assert "nowhere.py: no such file; expected a network, in Python" in capsys.readouterr().err
    assert main(["run", write(', name="NAME"', "")]) == WRONG
    assert "echo_of_tests.py has no network: a class that derives from Peer with a name" in capsys.readouterr().err


@pytest.mark.parametrize("docstring", ["", '"""  \n"""'])
def test_a_network_without_a_title_is_called_by_its_name(
    write: Write, capsys: pytest.CaptureFixture[str], docstring: str
) -> None:
    program = registry.use_file(write(GOOD[: GOOD.index("from __future__")], f"{docstring}\n"))
    assert registry.title_of(program) == "echo_of_tests"
    assert registry.help_of(program) == ""
    assert main(["protocols"]) == DONE
    assert "echo_of_tests" in capsys.readouterr().out


def test_a_file_that_ends_the_program_is_reported(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(END, f"{END}\n\nraise SystemExit(3)\n")
    assert main(["run", path]) == WRONG
    assert 'the network "echo_of_tests" cannot be used: SystemExit: 3 (echo_of_tests.py:' in capsys.readouterr().err


# --- mistakes -----------------------------------------------------------------------------------------------------

LATER = "    def shown(self)"
CLASSMETHOD = "    @classmethod\n    def {}:\n        {}\n\n" + LATER
REFRESH = "    def refresh(self, host: Host, tick: Refresh) -> None:\n        pass"
QUERY = "def query(self, host: Host, sender: PeerId, message: Query)"
OPTION = 'wait_s: float = option(1.0, "how long it waits for an answer, in s", low=0.1, high=60)'
SHOWS = 'shows = (Shown("answers", "answers that came", "count"),)'
ECHO = 'class Echo(Peer, name="NAME", options=EchoOptions):'
ORPHAN = "@message()\nclass Orphan:\n    n: int\n\n\n"
OVERRIDE = (
    "\n\nclass Loud(Echo):\n    def query(self, host: Host, sender: PeerId, message: Query) -> None:\n        return\n"
)
END = "        self.answers = 0\n"
FORGETS = 'about="It forgets what came."'

REFUSED = {
    "tick": ("@on(Refresh)\n    def", "def", "Echo has no handler of this tick: a method with @on(Refresh) is"),
    "tick class": ("000, Refresh())", "000, Refresh)", "the class Refresh is set as a tick, and an object is expected"),
    "reply names answer": (
        *("@on_reply(Query)", "@on_reply(Found)"),
        "Echo.found has @on_reply(Found), which names the class of the request, and no program of the network handles "
        "Found with @on",
    ),
    "timeout names answer": ("@on_timeout(Query)", "@on_timeout(Found)", "Echo.silent has @on_timeout(Found), which"),
    "orphan": ("@dataclass(slots=True)\nclass Refresh", f"{ORPHAN}@dataclass(slots=True)\nclass Refresh",
               "nobody handles the message Orphan: a method of a program with @on(Orphan) is expected"),
    "seconds": ("host.every(1_000_000, ", "host.every(1, ",
                "host.every(1, ...): the period is in microseconds; host.every_s takes seconds"),
    "seconds of an option": ("timeout_us=int(host.options.wait_s * 1e6)", "timeout_us=host.options.wait_s",
                             "host.call(timeout_us=host.options.wait_s): the time is in microseconds; timeout_s="),
    "microseconds": ("timeout_us=int(host.options.wait_s * 1e6)", "timeout_s=host.now_us",
                     "host.call(timeout_s=host.now_us): the time is in seconds; timeout_us= takes microseconds"),
    "answer sent": ("host.reply(Found(file.name))", "host.send(sender, Found(file.name))",
                    "host.send sends a Found, which answers a call: by itself nobody gets it; host.reply(Found(...))"),
    "answer sent later": ("host.reply(Found(file.name))",
                          "answer = Found(file.name)\n            host.send(sender, answer)",
                          "host.send sends a Found, which answers a call: by itself nobody gets it"),
    "unknown kind": ("@on(Query)", "@on(Qery)", "NameError: name 'Qery' is not defined"),
    "no class": ("@on(Query)", "@on('Query')", "@on(Query) of Echo.query should name a class"),
    "two handlers": (LATER, f"    @on(Query)\n    {QUERY.replace('query', 'other')} -> None:\n        pass\n\n{LATER}",
                     "Echo.query and .other both have @on(Query): one of them is expected"),
    "override": (END, END + OVERRIDE, "Loud.query overrides a handler of Echo and is none itself: @on(Query) is"),
    "signature": (QUERY, "def query(self, host: Host, message: Query)",
                  "Echo.query takes (self, host, message), and (self, host, sender, message) is expected"),
    "signature of tick": ("host: Host, tick: R", "host: Host, sender: PeerId, tick: R",
                          "of Echo.refresh takes a sender, so Refresh should be a message"),
    "signature of reply": ("Found, context: object)", "Found)", "(self, host, sender, answer, context) is expected"),
    "signature of start": (", saved: object | None)", ")", "and (self, host, contacts, saved) is expected"),
    "annotation": (QUERY, QUERY.replace("message: Query", "message: Found"),
                   "says that what it handles is a Found: Query is expected"),
    "async": ("    def refresh", "    async def refresh", "Echo.refresh is async, and a plain method is expected"),
    "yield": (REFRESH, REFRESH.replace("pass", "yield"), "of Echo.refresh has a yield, so it would not run"),
    "no message": ('@message(over="datagram", part="answer")', "@dataclass", "says that the answer is a Found, and a"),
    "field": ("    name: str", "    name: strr", "the message Found: an annotation cannot be read: name 'strr' is not"),
    "shown raises": ("(self.answers,)", "(1 / 0,)", "failed on shown: ZeroDivisionError: division by zero"),
    "shown too few": ("(self.answers,)", "()", "Echo.shown returned 0 values for 1 columns"),
    "shown nothing": ("return (self.answers,)", "return None", "Echo.shown returned a NoneType, which is no tuple"),
    "shown text": ("(self.answers,)", "('x',)", 'column "answers" should be a number, not str'),
    "kind of column": ('"count")', '"counts")', 'is no "counts"; did you mean "count"?'),
    "shows": (SHOWS, SHOWS.replace("= (", "= ").replace(",)", ""), "Echo.shows should be a tuple of Shown(...)"),
    "goals": ("(FIND,)", "FIND", "Echo.goals should be a tuple of Goal(...), which with one entry ends in a comma"),
    "remark keys": ("    overlay = False", '    overlay = False\n    remark_keys = ("watcher")',
                    "Echo.remark_keys should be a tuple of texts, which with one entry ends in a comma"),
    "examples": ("(FIND,)", '(replace(FIND, examples=["a", "b"]),)',
                 'the goal "find" of Echo: examples should be "title", a tuple of texts or a function, not [\'a'),
    "draw": ("(FIND,)", '(replace(FIND, draw="titles"),)',
             'the goal "find" of Echo: draw should be "title" or a function, not titles'),
    "no end of calls": ("    @on_timeout(Query)\n", "",
                        "Echo.found is told of answers to Query, and nothing of a call that ends without one: a method "
                        "with @on_timeout(Query) is expected, or here answer: Found | None"),
    "goal text": ("(FIND,)", "(replace(FIND, what=None),)", 'the goal "find" of Echo: what should be a text, not None'),
    "knows": ('"everyone"', '"all"', 'Echo.knows should be "overlay" or "everyone", not all'),
    "name": ('"NAME"', '"my net"', "Echo.name should be one word, which is typed on the command line"),
    "name type": ('"NAME"', "7", "Echo.name should be one word, which is typed on the command line, not 7"),
    "verb type": ("times: int", "times: list[int]", '"times" should be a str, int, float, bool or Literal'),
    "verb default": ("times: int = 1", "times: int = 'x'", '"times": its default should be a whole number, not "x"'),
    "verb annotation": ("times: int", "times: Nothing", "an annotation cannot be read: name 'Nothing' is not defined"),
    "verb host": ("hush(self, host: Host, ", "hush(self, ", 'verb "hush" should take (self, host), and then'),
    "option below": ("option(1.0", "option(0.0", "wait_s: its default should be a number from 0.1 to 60, not 0.0"),
    "option type": ("wait_s: float", "wait_s: list[float]", "wait_s should be a bool, int, float, str or Literal"),
    "option annotation": ("wait_s: float", "wait_s: flot", "an annotation cannot be read: name 'flot' is not defined"),
    "option limits": ("low=0.1", "low=90", "wait_s is at least 90 and at most 60, which no value is"),
    "option default": (OPTION, "wait_s: float", "wait_s needs a default, as option(3, ...)"),
    "options": ("@dataclass(slots=True)\nclass EchoOptions", "class EchoOptions", "should be a dataclass"),
    "option read": ("options.wait_s", "options.wait", "AttributeError: 'EchoOptions' object has no attribute 'wait'"),
    "reply": (REFRESH, REFRESH.replace("pass", "host.reply(Found('x'))"), "there is no request to answer"),
    "reply class": ("host.reply(Found(file.name))", "host.reply(Found)", "the class Found is sent, and an object is"),
    "reply text": ("host.reply(Found(file.name))", "host.reply(file.name)", "a value of the class str is sent"),
    "send": (REFRESH, REFRESH.replace("pass", "host.send(0, tick)"), "a value of the class Refresh is sent"),
    "unanswered": ("@on_reply(Query)\n    def found(", "@on(Found)\n    def found_(",
                   "Echo.found_ takes (self, host, sender, answer, context), and (self, host, sender, message) is"),
    "hook": (LATER, f"    def neighbors(self, host: Host, links: object) -> None:\n        pass\n\n{LATER}",
             'nothing calls or reads Echo.neighbors; did you mean "neighbours"?'),
    "attribute": ("overlay = False", "overlays = False", 'nothing calls or reads Echo.overlays; did you mean "ov'),
    "shared": ("    overlay = False", "    overlay = False\n    table = {}", "Echo.table is one dict that"),
    "stations": (LATER, CLASSMETHOD.format("stations(cls, options, peers)", "return [1 / 0]"),
                 "Echo.stations failed: ZeroDivisionError: division by zero"),
    "no station": (LATER, CLASSMETHOD.format("stations(cls, options, peers)", "return ['x']"),
                   "Echo.stations should return Station(program, label, operator), not x"),
    "classmethod": (LATER, f"    def stations(self, options, peers):\n        return []\n\n{LATER}",
                    "Echo.stations should be a @classmethod"),
    "cast": (LATER, CLASSMETHOD.format("cast(cls, options, members, rng)", "return [1 / 0]"),
             "Echo.cast failed: ZeroDivisionError: division by zero"),
    "no truth value": ("overlay = False", 'overlay = "no"', "Echo.overlay should be True or False, not no"),
    "role": ('role = "echo"', "role = 7", "Echo.role should be a text, not 7"),
    "reach": ("    overlay = False", '    overlay = False\n    reach = "all"',
              'Echo.reach should be "anyone" or "links", not all'),
    "no goals": ("goals = (FIND,)", "goals = ()", "Echo.goals should be a tuple of one Goal at least"),
    "goal twice": ("(FIND,)", "(FIND, replace(FIND))", 'the goal "find" of Echo is defined twice'),
    "audience": ("(FIND,)", '(replace(FIND, audience="holder"),)',
                 'the goal "find" of Echo has no audience "holder"; did you mean "holders"?'),
    "reached by": ("(FIND,)", '(replace(FIND, reached_by=("answer",)),)', 'Echo: reached_by should be a frozenset of'),
    "part": ("(FIND,)", '(replace(FIND, reached_by=frozenset({"x"})),)', 'Echo: reached_by should be a frozenset of'),
    "no dataclass": (f"@dataclass(slots=True, eq=False)\n{ECHO}",
                     f"{ECHO}\n    more: list[int] = field(default_factory=list)",
                     "Echo.more is a field(...), and Echo is no dataclass: @dataclass(slots=True, eq=False) is"),
    "signature with a name": ("host: Host, tick: Refresh)", "host: Host, tick: Refresh, *, n: int)",
                              "Echo.refresh takes (self, host, tick, n), and (self, host, tick) is expected"),
    "reply to no message": ("@on_reply(Query)", "@on_reply(Refresh)",
                            "@on_reply(Refresh) of Echo.found should name a message, which is a class with @m"),
    "default before none": ("class Found:\n", "class Found:\n    size: int = 1\n",
                            "TypeError: non-default argument 'name' follows default argument"),
    "list as default": ("class Found:\n", "class Found:\n    sizes: list = []\n",
                        "ValueError: mutable default <class 'list'> for field sizes is not allowed"),
    "verb twice": (END, f'{END}\n    @verb("hush", about="")\n    def still(self, host: Host) -> None:\n        pass\n',
                   'Echo: the verb "hush" is defined twice, in .hush and .still'),
    "verb twice by a switch": (END, f'{END}\n    x: bool = switch("rest", "rest", about="", off_about="")\n',
                               'Echo: the verb "rest" is defined twice, in ._x_on and ._x_off'),
    "verb of no text": ('@verb("hush"', "@verb(3", 'Echo: verb "3" should be one word'),
    "verb about": ('about="It forgets what came."', "about=7", 'verb "hush": about should be a text, not 7'),
    "verb undo": (FORGETS, f"{FORGETS}, undo=7", 'verb "hush": undo should be a text, not 7'),
    "verb why not": (FORGETS, f'{FORGETS}, why_not="no"', 'verb "hush": why_not should be a function of the peer'),
    "verb values": (FORGETS, f'{FORGETS}, values=["times"]', 'verb "hush": values should be a dict by the names of'),
    "verb checks": (FORGETS, f'{FORGETS}, checks=["times"]', 'verb "hush": checks should be a dict by the names of'),
    "verb check": (FORGETS, f'{FORGETS}, checks={{"times": 5}}', 'the check for "times" should be a function, not 5'),
    "verb example and check": (
        FORGETS, f'{FORGETS}, values={{"times": "e.g. 0"}}, checks={{"times": (1).__truediv__}}',
        '"times": its hint has an example, what follows "e.g. ", which its check refuses: ZeroDivisionError',
    ),
    "verb async": ("    def hush", "    async def hush", "should be a plain method, neither async nor with a yield"),
    "verb rest": ("times: int = 1", "*times: int", '"times" should be an ordinary parameter, which has a name'),
    "no ask": ("    def ask(", "    def wanted(", "Echo has no method ask(self, host, ask), which begins what "),
    "hit the other way round": ("hit(sender, answer.name)", "hit(answer.name, sender)",
                                "host.hit: the holder should be the number of a peer, not "),
    "seconds for microseconds": ("every(1_000_000, ", "every(len(self.role), ",
                                 "every(4, ...): the period is in microseconds and should be at least 1,000"),
    "a method near a method": ("def shown(", "def show(", 'nothing calls or reads Echo.show; did you mean "shown"?'),
    "beliefs": (LATER, f"    def beliefs(self) -> list[int]:\n        return []\n\n{LATER}",
                "Echo.beliefs returned a list, and Beliefs(...) is expected"),
    "verdict": (LATER, CLASSMETHOD.format("verdict(cls, facts, options)", "return facts.nothing"),
                "failed on verdict: AttributeError: 'Facts' object has no attribute 'nothing'"),
}  # fmt: skip
"""(the right text, the mistake of the author) -> the sentence. All name the line."""


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_of_an_author_ends_in_one_sentence(
    write: Write, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    old, new, says = REFUSED[mistake]
    code = main(["run", write(old, new), "--peers", "8", "--until", "25", "--json"])
    told = capsys.readouterr()
    assert code in (WRONG, FAILED), told.out
    assert says in told.err
    assert told.err.count("\n") == 1
    assert "echo_of_tests.py:" in told.err, "it names the line"


def test_a_check_of_a_value_that_raises_is_reported_with_its_line(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(FORGETS, f'{FORGETS}, checks={{"times": lambda times: {{}}[times]}}')
    plan = tmp_path / "plan.toml"
    plan.write_text('[[at]]\ns = 1\ndo = "act"\nname = "hush"\npeers = "#1"\nvalues = { times = 5 }\n')
    assert main(["run", str(plan), "--protocol", path, "--peers", "8", "--until", "2"]) == WRONG
    told = capsys.readouterr().err
    assert told.endswith(f'"times" of "hush": its check failed: KeyError: 5 (echo_of_tests.py:{line_of(FORGETS)})\n')
    assert told.count("\n") == 1


def test_a_call_whose_answer_nobody_is_told_is_refused(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    start, end = GOOD.index("    @on_reply(Query)"), GOOD.index(LATER)
    heard = "    @on(Found)\n    def heard(self, host: Host, sender: PeerId, message: Found) -> None:\n        pass\n\n"
    assert main(["run", write(GOOD[start:end], heard), "--peers", "8", "--until", "25"]) == FAILED
    said = "Echo calls with Query, and has no handler of the answer: a method with @on_reply(Query) is expected"
    assert f"{said} (echo_of_tests.py:{line_of('host.call(peer')})" in capsys.readouterr().err


def test_the_line_is_that_of_the_mistake(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", write("@on_reply(Query)", "@on_reply(Found)")]) == WRONG
    assert f"(echo_of_tests.py:{line_of('@on_reply(Query)')})" in capsys.readouterr().err


def test_hits_that_belong_to_no_ask_are_reported(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """An easy mistake: the answer to a call of upkeep belongs to no ask, so no ask is answered."""
    assert main(["run", write('part="question"', 'part="upkeep"'), "--peers", "8", "--until", "25"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"stray hits +\d+, which belong to no ask", told)
    assert main(["run", write(name="echo_that_is_right"), "--peers", "8", "--until", "25"]) == 0
    assert "stray hits" not in capsys.readouterr().out


def test_malformed_messages_are_reported_with_their_field(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", write("Found(file.name)", "Found(7)"), "--peers", "8", "--until", "25"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"dropped by +malformed \d+ \(Found.\w+ should be str, and is a value of int\)", told)


# --- names of a host ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("host.hit(sender, answer.name)", "host.hti(sender, answer.name)", 'has no hti; did you mean "hit"?'),
        ("host.hit(sender, answer.name)", "later = lambda: host.fialed('x')", 'has no fialed; did you mean "failed"?'),
        (
            "host: Host, tick: Refresh) -> None:\n        pass",
            "host, tick):\n        return host.now",
            "a host has no now",
        ),
        ("        self.answers = 0\n", "        self.answers = host.libary\n", 'no libary; did you mean "library"?'),
    ],
)
def test_a_name_that_no_host_has_is_reported_when_the_file_is_read(
    write: Write, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    assert main(["run", write(old, new), "--peers", "8", "--until", "1"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert re.search(r"\(echo_of_tests\.py:\d+\)", said)


@pytest.mark.parametrize(
    "new",
    [
        "visit = [host.upper() for host in ('a', 'b')]",
        "self.name_of('a')\n\n    @staticmethod\n    def name_of(host: str) -> str:\n        return host.upper()",
        "later = lambda host: host.upper()",
        "_ = host.hit if not hasattr(host, 'beep') else host.beep",
    ],
)
def test_a_variable_called_host_that_is_no_host_is_not_checked(write: Write, new: str) -> None:
    assert main(["run", write("host.hit(sender, answer.name)", new), "--peers", "8", "--until", "1"]) == 0


# --- times in the source --------------------------------------------------------------------------------------------

SECONDS = """5 | 0.5 | 999 | WAIT | host.options.wait_s | wait_s | self.pause_ms | 2 * wait_s | wait_s * 2 |
wait_s / 3 | int(host.options.wait_s) | int(wait_s * host.rng.random()) | max(1, wait_s) | max(1, 5) | (1, 2) |
[wait_s, 1_000_000] | host.rng.uniform(1, 5) | int(host.rng.uniform(0.5, 1.5)) | host.rng.randrange(20) | wait_s + 1 |
0 if known else wait_s | wait_s * host.rng.uniform(0.5, 1.5) | round(wait_s)"""
MICROSECONDS = """0 | 1_000 | 1_000_000 | 5_000_000 | wait_us | self.wait_us | WAIT_US | NEXT_US | UNKNOWN | -5 | None |
int(host.options.wait_s * 1e6) | int(wait_s * SECOND_US) | 1_000_000 * wait_s | int(wait_s * scale) | max(1, wait_us) |
host.options.kbit_s | host.options.asks_per_s | int(size / host.options.kbit_s) | until_us - host.now_us |
(wait_us, wait_us) | host.rng.randrange(WAIT_US) | int(host.rng.random() * 1e6) | later(wait_s) | waits_us[0] |
2 * wait_us | wait_us + 1 | int(host.rng.expovariate(1 / mean_us)) | wait_us if known else 1 | True | "soon" |
days * host.options.day_s * 1e6 | max(1_000_000, int(next_us * 1e6)) | host.rng.uniform(0.5, 1.0) * wait_us |
int(1e6 / host.options.asks_per_s)"""
KNOWN = {"WAIT": 5, "WAIT_US": 1, "NEXT_US": 1, "SECOND_US": 1_000_000}


@pytest.mark.parametrize(("expressions", "seconds"), [(SECONDS, True), (MICROSECONDS, False)])
def test_a_time_is_taken_for_seconds_where_it_cannot_be_microseconds(expressions: str, seconds: bool) -> None:
    for expression in expressions.replace("\n", " ").split("|"):
        node = ast.parse(expression.strip(), mode="eval").body
        assert _in_seconds(node, KNOWN) is seconds, expression


def test_the_networks_of_the_folder_give_times_in_their_units() -> None:
    programs = networks().values()
    assert programs
    for program in programs:
        check_source(parts_of((program,)))
