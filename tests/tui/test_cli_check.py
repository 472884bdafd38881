"""`swarmtop check`: what an author of a network is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import child, networks, registry
from engine.lab.conformance import CHECKS
from tui.cli.common import DONE, FAILED, WRONG
from tui.cli.main import main

NAME = "leaflet_of_tests"
TEXT = '''"""Leaflet

Whoever gets one hands it on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..api import BROADCAST, Ask, Host, Peer, PeerId, message, on
from ..kit import put_bounded


@message(part="question", about="text")
class Leaflet:
    key: int
    text: str


@dataclass(slots=True, eq=False)
class Reader(Peer, name="leaflet_of_tests"):
    goals = (BROADCAST,)
    knows = "everyone"
    overlay = False
    shares_files = False

    known: Sequence[PeerId] = ()
    read: dict[int, None] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = [peer for peer in contacts if peer != host.me]

    def ask(self, host: Host, ask: Ask) -> None:
        self.hear(host, host.me, Leaflet(host.rng.getrandbits(64), ask.text))

    @on(Leaflet)
    def hear(self, host: Host, sender: PeerId, leaflet: Leaflet) -> None:
        if leaflet.key not in self.read:
            put_bounded(self.read, leaflet.key, None, 50)
            host.multicast(self.known, leaflet)
'''


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(child, "network_files", [])
    path = Path(f"{NAME}.py")
    path.write_text(TEXT)
    yield path
    registry._given.files.clear()
    sys.modules.pop(f"engine.protocols.{NAME}", None)
    networks.cache_clear()


FEW = ("answers", "is_calm", "reads_no_clock", "walks_no_set")


def test_a_line_is_printed_for_each_check_and_the_exit_code_is_0_if_all_pass(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(file), *FEW]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:-1]] == [[name, "passed"] for name in FEW]
    assert lines[1] == "is_calm                        passed  When nobody asks, few messages are sent."
    assert lines[0].endswith("one for what was just published too, and asks come to an end.")
    assert lines[-1] == f"{NAME}: 4 checks, all passed"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("host.multicast(self.known", "host.multicast(self.known[:1]", " FAILED  nobody found anything, or few "),
        ("        if leaflet.key", "        assert sender >= 0 and not self.read\n        if leaflet.key",
         " FAILED  peer #"),
        ("from dataclasses import", "import time\nfrom dataclasses import", "FAILED  leaflet_of_tests.py imports time"),
    ],
)  # fmt: skip
def test_a_check_that_fails_says_what_was_wrong(
    file: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    file.write_text(TEXT.replace(old, new))
    assert main(["check", str(file), *FEW]) == FAILED
    told = capsys.readouterr().out
    assert says in told
    assert told.splitlines()[-1].startswith(f"{NAME}: 4 checks, ")
    assert told.splitlines()[-1].endswith(" failed")
    assert len(told.splitlines()) == 5, "one line each, and no traceback"


def test_json_has_each_check_and_its_reason(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TEXT.replace("host.multicast(self.known", "host.multicast(self.known[:1]"))
    assert main(["check", str(file), "answers", "is_calm", "--json"]) == FAILED
    told = json.loads(capsys.readouterr().out)
    assert (told["protocol"], told["failed"]) == (NAME, 1)
    assert [(row["check"], row["passed"], row["why"]) for row in told["checks"]] == [
        (
            "answers",
            False,
            "nobody found anything, or few heard of it: "
            "2 of 12 peers heard of it at most, and half of all users are expected",
        ),
        ("is_calm", True, ""),
    ]


HIT = """    def ask(self, host: Host, ask: Ask) -> None:
        host.hit({holder}, {content})
"""


@pytest.mark.parametrize(
    ("holder", "content", "says"),
    [
        ("host.me", '"it"', ' was told a hit of "it", and the text is expected'),
        ("1", "ask.text", " names #1, which has it not, as its `keeps` returns False"),
        ("self.known[0]", "ask.text.upper()", ", and the text is expected"),
    ],
)
def test_hits_that_do_not_count_are_reported_with_the_reason(
    file: Path, capsys: pytest.CaptureFixture[str], holder: str, content: str, says: str
) -> None:
    begin, end = TEXT.index("    def ask("), TEXT.index("    @on(Leaflet)")
    text = TEXT[:begin] + HIT.format(holder=holder, content=content) + "\n" + TEXT[end:]
    file.write_text(text.replace("BROADCAST", "FIND"))
    assert main(["check", str(file), "answers", "--json"]) == FAILED
    [row] = json.loads(capsys.readouterr().out)["checks"]
    assert says in row["why"]


KEEPS = """    def keeps(self, text: str) -> bool:
        return {keeps}

"""


@pytest.mark.parametrize(("keeps", "says"), [(True, ""), (False, ", which has it not, as its `keeps` returns False")])
def test_in_a_network_without_files_a_hit_counts_where_the_peer_says_that_it_has_it(
    file: Path, capsys: pytest.CaptureFixture[str], keeps: bool, says: str
) -> None:
    begin, end = TEXT.index("    def ask("), TEXT.index("    @on(Leaflet)")
    found = HIT.format(holder="host.me", content="ask.text") + "\n" + KEEPS.format(keeps=keeps)
    text = TEXT[:begin] + found + TEXT[end:]
    file.write_text(text.replace("BROADCAST", "FIND"))
    assert "shares_files = False" in text
    assert main(["check", str(file), "answers", "--json"]) == (FAILED if says else DONE)
    [row] = json.loads(capsys.readouterr().out)["checks"]
    assert row["passed"] == (not says)
    assert says in row["why"]


def test_a_sentence_is_printed_three_times_at_most(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(TEXT.replace("    def start(self, host: Host", "    def start(self, host_: Host"))
    assert main(["check", str(file), "--json"]) == FAILED
    told = json.loads(capsys.readouterr().out)
    assert len({row["why"] for row in told["checks"]}) == 1
    assert (len(told["checks"]), told["failed"]) == (3, 3)
    assert told["not_run"] > 25


def test_variants_of_a_network_with_further_roles_are_checked_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "web", "reads_no_clock", "repeats", "--json"]) == DONE
    rows = json.loads(capsys.readouterr().out)["checks"]
    assert [(row["check"], row["options"]) for row in rows] == [
        ("repeats", {}),
        ("reads_no_clock", {}),
        ("reads_no_clock", {"servers": 3}),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "check what? swarmtop check my_net.py checks a network of your own, swarmtop check NAME any"),
        (["gosip"], 'no network is called "gosip"; did you mean "gossip"?'),
        (["gossip", "anwsers"], 'no check is called "anwsers"; did you mean "answers"?'),
        (["nothing.py"], "nothing.py"),
        (["broken.py"], "broken.py:1: "),
    ],
)
def test_wrong_input_is_one_sentence(
    file: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    Path("broken.py").write_text("def (")
    assert main(["check", *words]) == WRONG
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_check_refuses_to_run_without_assert_statements() -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-m", "tui", "check", "gossip", "is_calm"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert "Python was started with -O or PYTHONOPTIMIZE, with which no check could fail" in done.stderr


def test_the_checks_need_nothing_that_only_the_tests_have() -> None:
    code = "import sys, engine.lab.conformance; print([m for m in ('pytest', 'hypothesis') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2]
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert len(CHECKS) > 30
