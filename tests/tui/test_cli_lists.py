"""Lists, help topics, completion and pictures on the command line."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from engine import networks, scenario_files
from tui.cli import help_topics
from tui.cli.common import COMMANDS
from tui.cli.completion import SHELLS, fish, known, zsh
from tui.cli.main import main, parsers
from tui.config.themes import available


def out(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def test_every_list_has_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert [it["name"] for it in json.loads(out(capsys, "protocols", "--json"))] == list(networks())
    assert [it["name"] for it in json.loads(out(capsys, "scenarios", "--json"))] == list(scenario_files.shipped_names())
    assert [it["name"] for it in json.loads(out(capsys, "themes", "--json"))] == [name for name, _ in available()]
    assert [it["topic"] for it in json.loads(out(capsys, "help", "--json"))] == help_topics.topics()
    one = json.loads(out(capsys, "protocols", "gnutella", "--json"))
    assert list(one["goals"]) == ["find", "fetch"]
    assert "fetch  Find it and get it." in out(capsys, "protocols", "gnutella")
    assert "--goal" not in out(capsys, "protocols", "gossip")
    assert one["options"]["ttl"]["default"] == 7
    told = json.loads(out(capsys, "config", "--json"))
    assert told["path"].endswith("config.toml")
    assert json.loads(out(capsys, "config", "--json"))["new"] is False


def test_a_scenario_is_described_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for one in scenario_files.shipped():
        told = " ".join(out(capsys, "scenarios", one.source).split())
        for sentence in (one.about, *(caption.say for caption in one.captions)):
            assert " ".join(sentence.split()) in told
        for expect in one.expects:
            assert expect.sentence() in told
        as_json = json.loads(out(capsys, "scenarios", one.source, "--json"))
        assert len(as_json["at"]) == len(one.setup.schedule)
        assert [it["s"] for it in as_json["at"]] == [at_us / 1e6 for at_us, _ in one.setup.schedule]
    file = tmp_path / "own.toml"
    file.write_text('peers = 8\n[[at]]\ns = 2\ndo = "kill"\npeers = "random 10%"\n')
    assert "kill: peers random 10%" in out(capsys, "scenarios", str(file))


def test_a_topic_is_printed_as_it_is_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    listed = out(capsys, "help")
    for topic in help_topics.topics():
        assert f"  {topic} " in listed
        told = out(capsys, "help", topic)
        assert told.startswith("# ")
        assert "<!--" not in told
        assert "\x1b" not in told
    assert out(capsys, "help", "run") == out(capsys, "help", "run")
    assert "usage: swarmtop run" in out(capsys, "help", "run")
    assert out(capsys, "help", "napster") == out(capsys, "protocols", "napster")
    assert out(capsys, "help", "the-court") == out(capsys, "scenarios", "the-court")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("swarmtop nap", {"napster"}),
        ("swarmtop inj", {"injunction"}),
        ("swarmtop ru", {"run"}),
        ("swarmtop run --prot", {"--protocol"}),
        ("swarmtop run --protocol ", set(networks())),
        ("swarmtop run --protocol=gos", {"gossip"}),
        ("swarmtop run gossip --set fan", {"fanout="}),
        ("swarmtop --set tt", {"ttl="}),
        ("swarmtop run --seed ", set()),
        ("swarmtop run --topology ri", {"ring"}),
        ("swarmtop help sel", {"selectors"}),
        ("swarmtop scenarios the-c", {"the-court"}),
        ("swarmtop themes --", {"--help", "--json"}),
        ("swarmtop --theme pap", {"paper"}),
    ],
)
def test_bash_completes(typed: str, offered: set[str], script: Path, tmp_path: Path) -> None:
    split = typed.replace("=", " = ").split() + ([""] if typed.endswith(" ") else [])
    code = f"""
source {script}
COMP_LINE=$1 COMP_POINT=${{#1}}; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_swarmtop
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", code, "bash", typed, *split], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert (set(done.stdout.split()), done.stderr) == (offered, "")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tui.cli.completion import bash

    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    path = tmp_path_factory.mktemp("completion") / "swarmtop.bash"
    path.write_text(bash(known(parsers())))
    return path


def test_each_shell_gets_every_word(script: Path) -> None:
    made = known(parsers())
    texts = {"bash": script.read_text(), "zsh": zsh(made), "fish": fish(made)}
    assert set(texts) == set(SHELLS)
    for shell, text in texts.items():
        for word in (*COMMANDS, *networks(), *scenario_files.shipped_names(), *help_topics.topics(), "ttl=", "paper"):
            assert word in text, (shell, word)
        for parser in parsers().values():
            for flag in parser.flags:
                assert (f"-l {flag[2:]}" if shell == "fish" and flag.startswith("--") else flag) in text or (
                    shell == "fish" and f"-s {flag[1:]}" in text
                ), (shell, flag)
        if shell != "bash" and shutil.which(shell):
            assert subprocess.run([shell, "-n"], input=text, text=True, check=False).returncode == 0


def test_a_picture_has_the_size_asked_for_and_no_colours_off_a_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = out(capsys, "run", "napster", "--peers", "9", "--until", "1", "--picture", "--size", "60x12")
    *rows, sentence = told.rstrip("\n").split("\n")
    assert len(rows) == 12
    assert max(map(len, rows)) <= 60
    assert sentence == "napster at 1 s: 10 alive"
    assert "index" in told
    assert "\x1b" not in told


def test_colours_are_those_of_the_theme() -> None:
    from engine import Setup, Swarm
    from tui.cli.picture import _coloured, drawn
    from tui.config.themes import find

    swarm = Swarm(Setup(peers=9))
    canvas = drawn(swarm.snapshot(), None, 40, 10, "braille")
    assert _coloured(canvas, find("swarm")).count("\n") == 9


def test_a_file_with_the_name_of_a_network_is_told_from_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("napster").write_text('protocol = "gossip"\npeers = 5\n')
    Path("storm.toml").write_text("peers = 5\n")
    names = {}
    for word in ("napster", "./napster"):
        assert main(["run", word, "--peers", "8", "--until", "1", "--json"]) == 0
        told = capsys.readouterr()
        names[word] = json.loads(told.out)["protocol"], told.err
    assert names["napster"] == ("napster", 'swarmtop: "napster" is the network of that name; ./napster is the file\n')
    assert names["./napster"] == ("gossip", "")
    assert main(["run", "strom.toml"]) == 2
    assert 'there is no file "strom.toml"; did you mean "storm.toml"?' in capsys.readouterr().err
    assert main(["run", "storm.toml", "--until", "1", "--record", "storm.rec"]) == 0
    for words in (["replay", "strom.rec"], ["strom.rec"], ["run", "gossip", "--topology", "./strom.rec"]):
        capsys.readouterr()
        assert main(words) == 2
        told = capsys.readouterr().err
        assert "did you mean" in told, words
        assert 'storm.rec"?' in told, words
    for words in (["storm.rec"], ["run", "storm.rec"]):
        assert main(words) == 2
        told = capsys.readouterr().err
        assert "storm.rec is a recording, and no scenario: swarmtop replay storm.rec shows it" in told, words


def test_an_ask_may_come_later(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["run", "gossip", "--peers", "8", "--ask", "x", "--ask-at", "2.5", "--json", "--until"]
    told = json.loads(out(capsys, *line, "5"))
    assert [(ask["text"], ask["goal"]) for ask in told["asks"]] == [("x", "broadcast")]
    assert json.loads(out(capsys, *line, "2"))["asks"] == []


def test_the_time_in_which_an_answer_counts_is_that_of_the_goal(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["run", "kazaa", "--peers", "8", "--ask", "x", "--until", "5"]
    assert "within 60 s" in out(capsys, *line, "--goal", "fetch")
    assert "within 10 s" in out(capsys, *line)


def test_an_ask_may_have_another_goal(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["run", "napster", "--peers", "8", "--ask", "x", "--goal", "fetch", "--json", "--until", "5"]
    assert [ask["goal"] for ask in json.loads(out(capsys, *line))["asks"]] == ["fetch"]
