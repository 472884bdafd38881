"""The command line: what it starts, and how it refuses wrong words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import common
from tui.cli import main as cli
from tui.cli import run as cli_run

ROOT = Path(__file__).parents[2]
SMALL = ["run", "--protocol", "gossip", "--peers", "8", "--until", "2"]


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The sentence on stderr with which these words are refused, without its prefix."""
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("swarmtop: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("swarmtop: ").strip()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--pears 5", "there is no flag --pears; did you mean --peers?"),
        ("--pears=5", "there is no flag --pears; did you mean --peers?"),
        ("--peer 5", "there is no flag --peer; did you mean --peers?"),
        ("--qqqqqq", "there is no flag --qqqqqq"),
        ("run --peers", "--peers needs a value"),
        ("run --loss -1e3", '--loss should be a number from 0 to less than 1, not "-1e3"'),
        ("run --loss -inf", '--loss should be a number from 0 to less than 1, not "-inf"'),
        ("run --peers -5x", "--peers should be a whole number"),
        ("run --arrivals posson:1", '--arrivals: arrivals "posson:1" is not known; did you mean "poisson"?'),
        ("run --arrivals weibull:1", '--arrivals: arrivals "weibull:1" should be written weibull:SHAPE:SCALE_S'),
        ("run --arivals none", "there is no flag --arivals; did you mean --arrivals?"),
        ("run --peers many", '--peers should be a whole number from 1 to 1,000,000, not "many"'),
        ("run --peers 0", '--peers should be a whole number from 1 to 1,000,000, not "0"'),
        ("run --seed 1.5", "--seed should be a whole number from 0 to"),
        ("run --loss 1", '--loss should be a number from 0 to less than 1, not "1"'),
        ("run --loss nan", '--loss should be a number from 0 to less than 1, not "nan"'),
        ("run --protocol gosip", '--protocol: no network is called "gosip"; did you mean "gossip"?'),
        ("run --protocol gossip --set fanuot=3", '--set: no option is called "fanuot"; did you mean "fanout"?'),
        ("run --protocol gossip --set fanout", '--set: "fanout" should be NAME=VALUE, as in ttl=7'),
        ("run --protocol gossip --set fanout=x", "--set: fanout should be a whole number"),
        ("run --protocol gossip --from p001", "--from says who asks, so it needs --ask"),
        ("run --until soon", '--until should be a number of seconds or "quiet", not "soon"'),
        ("run --until -1", "--until should be a number from 1e-06 to 1,000,000,000"),
        ("run --series", "--series needs --json"),
        ("run --theme dark", "there is no flag --theme"),
        ("run injunctoin", 'no scenario, network or file is called "injunctoin"; did you mean "injunction"?'),
        ("run a b", 'unexpected argument "b"'),
        ("scenaros", 'no scenario, network or file is called "scenaros"; did you mean "scenarios"?'),
        ("rum", 'no scenario, network or file is called "rum"; did you mean "run"?'),
        ("--peers 5 run", '"run" should be the first word: swarmtop run ...'),
        ("--json replay run.swarm", '"replay" should be the first word: swarmtop replay ...'),
        ("--series replay run.swarm", '"replay" should be the first word: swarmtop replay ...'),
        ("--bogus bench", '"bench" should be the first word: swarmtop bench ...'),
        ("--sweep kill:0:1:2 run", '"run" should be the first word: swarmtop run ...'),
        ("injunction run", '"run" should be the first word: swarmtop run ...'),
        ("run injunction replay", 'unexpected argument "replay"'),
        ("protocols gossip web", 'unexpected argument "web"'),
        ("--sweep kill:0:1:2", "there is no flag --sweep for swarmtop, only for swarmtop run"),
        ("run --speed 3", "there is no flag --speed for swarmtop run, only for swarmtop and swarmtop replay"),
        ("--bogus", "there is no flag --bogus"),
        ("run --json=5", "--json takes no value"),
        ("napstr", 'no scenario, network or file is called "napstr"; did you mean "napster"?'),
        ("none/such.toml", 'there is no file "none/such.toml"'),
        ("--glyphs brail", '--glyphs should be braille, block or ascii, not "brail"; did you mean "braille"?'),
        ("protocols gosip", 'no network is called "gosip"; did you mean "gossip"?'),
        ("Napster", 'no scenario, network or file is called "Napster"; did you mean "napster"?'),
        ("run GNUTELLA --json", 'no scenario, network or file is called "GNUTELLA"; did you mean "gnutella"?'),
        ("none/injunction.toml", 'there is no file "none/injunction.toml"; did you mean "injunction"'),
        ("run --protocol the-court", '--protocol: "the-court" is a scenario, and no network'),
        ("protocols the-court", '"the-court" is a scenario: swarmtop scenarios the-court describes it'),
        ("scenarios napster", '"napster" is a network: swarmtop protocols napster describes it'),
        ("help kyes", 'no help topic is called "kyes"; did you mean keys?'),
        ("completion", "completion for which shell? bash, zsh or fish"),
        ("completion bsh", 'completion: "bsh" should be bash, zsh or fish; did you mean bash?'),
        ("run --picture --json", "--picture and --json both print on stdout: leave one out"),
        ("run --size 80x20", "--size needs --picture"),
        ("run --picture --size 80", '--size: "80" should be WIDTHxHEIGHT, as in 100x30'),
        ("run --picture --size 5x20", "--size: the width should be a whole number from 20 to 1,000"),
        ("run --ask-at 5", "--ask-at says when to ask, so it needs --ask"),
        ("run --goal fetch", "--goal says what is wanted of --ask, so it needs --ask"),
        ("run --ask x --goal fech", '--goal: gnutella has no goal "fech"; did you mean "fetch"?'),
        ("run gossip --ask x --goal get", '--goal: gossip has no goal "get" (one of broadcast)'),
        (
            "run swim --ask x --goal change",
            '--goal: only swim itself opens asks with the goal "change": "broadcast" is expected',
        ),
        (
            "run --ask x --goal publish",
            '--goal: "publish" is not asked for, a file is shared by the command publish: "find" or',
        ),
        ("run --ask x --ask-at -1", "--ask-at should be a number from 0"),
        ("themes --yaml", "there is no flag --yaml"),
    ],
)
def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], words: str, sentence: str) -> None:
    assert complaint(capsys, *words.split()).startswith(sentence)


def test_the_commands_are_those_of_the_parser() -> None:
    assert set(cli.parsers()) == {*common.COMMANDS, cli.DASHBOARD}


def test_a_value_is_typed_when_it_has_been_read() -> None:
    line = "run x --peers 5 --seed 2 --loss 0.5 --set ttl=3 --set a=b --until 3 --sweep kill:0:1:2 --jobs 2 --nat 0.25"
    space = cli.parse(line.split())
    assert (space.scenario, space.peers, space.seed, space.loss, space.until) == ("x", 5, 2, 0.5, 3.0)
    assert (space.set, space.sweep.shares, space.jobs, space.nat) == ([("ttl", "3"), ("a", "b")], (0.0, 1.0), 2, 0.25)
    space = cli.parse(["--fps", "30", "--glyphs", "ascii", "--until", "quiet"])
    assert (space.scenario, space.fps, space.glyphs, space.speed, space.until) == (None, 30.0, "ascii", 1.0, "quiet")


def test_a_network_may_be_named_in_the_place_of_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "napster", "--peers", "8", "--until", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["protocol"], told["peers"]) == ("napster", 8)


def test_control_characters_are_not_repeated_in_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in complaint(capsys, "--glyphs", "\x1b[2J")
    assert "\x1b" not in complaint(capsys, "\x1b[2J")


def test_a_run_prints_one_json_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*SMALL, "--json", "--series"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["protocol"], told["peers"], told["virtual_s"]) == ("gossip", 8, 2.0)
    assert "series" in told
    assert err == ""


def test_flags_override_the_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.toml"
    path.write_text('protocol = "gossip"\npeers = 5\nseed = 3\n[options]\nfanout = 2\n')
    assert cli.main(["run", str(path), "--peers", "6", "--until", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["peers"], told["seed"]) == (6, 3)


def test_flags_of_access_links_override_those_of_a_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.toml"
    path.write_text('protocol = "gossip"\npeers = 30\n[links]\nnat = 1.0\n')
    ask = ["run", str(path), "--ask", "x", "--until", "quiet", "--json"]
    drops = []
    for flags in ([], ["--nat", "0", "--capacity", "saroiu", "--jitter", "5"]):
        assert cli.main([*ask, *flags]) == 0
        drops.append(json.loads(capsys.readouterr().out)["messages"]["dropped_by"])
    assert list(drops[0]) == ["nat"]
    assert drops[1] == {}
    for flags, words in (("--capacity saroi", "saroiu"), ("--jitter -1", "--jitter"), ("--nat 2", "--nat")):
        assert cli.main(["run", *flags.split()]) == 2
        assert words in capsys.readouterr().err


def test_newcomers_by_a_flag_have_the_limit_of_the_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.toml"
    path.write_text('protocol = "gossip"\npeers = 5\n[arrivals]\nlaw = "none"\nmost = 3\n')
    alive = []
    for flags in ([], ["--arrivals", "poisson:5"]):
        assert cli.main(["run", str(path), "--until", "5", "--json", *flags]) == 0
        alive.append(json.loads(capsys.readouterr().out)["peers_by_state"]["alive"])
    assert alive == [5, 8]


def test_options_of_another_network_are_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.toml"
    path.write_text('protocol = "gossip"\npeers = 5\n[options]\nfanout = 2\n')
    assert cli.main(["run", str(path), "--protocol", "web", "--until", "1", "--json"]) == 0
    assert "the options of gossip" in capsys.readouterr().err


STALE = """peers = 20
{}
[[at]]
s = 2
do = "censor"
peers = "dht.stale<50"
[[at]]
s = 1
do = "set"
name = "dht.k"
value = 9
[[expect]]
metric = "dht.stale"
from_s = 1
to_s = 3
max = 1
"""


def test_a_scenario_is_checked_against_the_network_of_the_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(STALE.format(""))
    assert "[[at]] 1: peers: selector" in complaint(capsys, "run", str(path))
    assert cli.main(["run", str(path), "--protocol", "kademlia", "--until", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["peers_by_state"]["censored"] == 20
    assert told["expectations"][0]["held"]
    opened = common.scenario_of(cli.parse([str(path), "--protocol", "kademlia"]))
    assert (opened.setup.protocol, len(opened.setup.schedule)) == ("kademlia", 2)
    # A scenario for a network that has such a thing is refused with one that does not, as without the flag.
    path.write_text(STALE.format('protocol = "kademlia"'))
    assert cli.main(["run", str(path), "--until", "4"]) == 0
    capsys.readouterr()
    assert '"dht.stale" is no property of a peer' in complaint(capsys, "run", str(path), "--protocol", "gossip")
    # Its options are those of the network of the flags if it names none.
    path.write_text(STALE.format("[options]\ndht.k = 7"))
    opened = common.scenario_of(cli.parse([str(path), "--protocol", "kademlia", "--set", "dht.alpha=2"]))
    assert opened.setup.options == {"dht.k": 7, "dht.alpha": "2"}
    assert capsys.readouterr().err == ""
    assert "[options]" in complaint(capsys, "run", str(path), "--protocol", "gossip")


def test_an_expectation_that_fails_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.toml"
    expect = '[[expect]]\nmetric = "alive"\nfrom_s = 0\nto_s = 2\nmin = {}\n'
    path.write_text('protocol = "gossip"\npeers = 5\n' + expect.format(5) + expect.format(6))
    assert cli.main(["run", str(path), "--until", "3"]) == 1
    out = capsys.readouterr().out
    assert "held         alive from 0 to 2 s: at least 5  (5)" in out
    assert "FAILED       alive from 0 to 2 s: at least 6  (5)" in out


def test_lists_name_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for word, name in (("protocols", "gossip"), ("scenarios", "injunction"), ("themes", "")):
        assert cli.main([word]) == 0
        assert name in capsys.readouterr().out
    assert cli.main(["protocols", "gossip"]) == 0
    assert "fanout=" in capsys.readouterr().out


def test_an_interrupted_run_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_args: object, **_kw: object) -> None:
        raise KeyboardInterrupt("interrupted at 1.000 s of virtual time")

    monkeypatch.setattr("engine.run", interrupted)
    assert cli.main(SMALL) == 130
    assert capsys.readouterr().err == "swarmtop: interrupted at 1.000 s of virtual time\n"


def test_progress_waits_a_second_and_cleans_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 0.5, 1.5, 1.6, 2.0])
    monkeypatch.setattr("tui.cli.run.time.monotonic", lambda: next(clock))
    progress = cli_run.Progress()
    progress(1.0, 60.0, 10)
    assert capsys.readouterr().err == ""
    progress(3.0, 60.0, 30_000)
    progress(3.1, 60.0, 30_100)
    progress(4.0, None, 0)
    progress.clear()
    assert capsys.readouterr().err == "\r\x1b[K3.0 of 60 s  30,000 deliveries\r\x1b[K4.0 s\r\x1b[K"


def swarmtop(
    *words: str, code: str = "from tui.cli.main import main; sys.exit(main())"
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; {code}", *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_and_wrong_words_are_answered_before_numpy_and_textual_are_imported() -> None:
    heavy = "{'textual', 'rich', 'numpy', 'engine', 'anyio', 'msgpack'}"
    code = f"""
from tui.cli.main import main
try:
    main()
except SystemExit:
    pass
print(sorted({heavy} & set(sys.modules)))
"""
    for words in (["--help"], ["run", "--help"], ["--version"], ["--pears"], ["run", "--series"]):
        done = swarmtop(*words, code=code)
        assert done.stdout.splitlines()[-1] == "[]", words


def test_a_run_imports_no_screen() -> None:
    code = "from tui.cli.main import main; main(); print(sorted({'textual', 'rich'} & set(sys.modules)))"
    assert swarmtop(*SMALL, code=code).stdout.splitlines()[-1] == "[]"


def test_a_reader_that_closes_the_pipe_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "tui", "scenarios"], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
