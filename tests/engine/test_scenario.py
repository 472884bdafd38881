"""Scenario files and options: what is read, and the sentences with which mistakes are refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.api import Peer, option
from engine.commands import SET_RANGES, AskFor, Collude, Kill, Set
from engine.errors import InputError
from engine.lab import scenario as lab
from engine.lab.scenario import Flags, Scenario, find, load, parse
from engine.options import options_for, set_option
from engine.registry import network_named, networks
from engine.setup import LinkSpec, Setup
from engine.swarm import Swarm

WHOLE = """
title    = "The injunction"
about    = '''What to watch,
in two sentences.'''
protocol = "toy"
peers    = 20
seed     = 7
topology = "ring"
latency  = "constant:50"
loss     = 0.25

[options]
ttl = 5

[content]
items = 10
replicas = 2
zipf = 0.5
free_riders = 0

[asks]
per_s = 0.5

[churn]
session = "weibull:0.59:2514"

[[caption]]
s = 20
say = "In ten seconds a judge switches the index off."
predict = "How many of the next searches will be answered?"

[[caption]]
s = 0
say = "Everybody logs in."

[[at]]
s = 30
do = "kill"
peers = "role=index"

[[at]]
s = 2.5
do = "collude"
peers = "#1"
word = "blue"
leak = 0.006

[[at]]
s = 2.5
do = "ask"
peers = 3
text = "blue train"

[[expect]]
metric = "success"
from_s = 35
to_s = 60
max = 0.0
"""


@dataclass(slots=True)
class ToyOptions:
    ttl: int = option(7, "hops", low=1, high=15)
    rate: float = option(0.5, "a second", low=0.0)
    loud: bool = option(False, "or quiet")
    tone: str = option("blue", "of voice")


class Toy(Peer, options=ToyOptions):
    name = "toy"


class Mute(Peer):
    name = "mute"


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"toy": Toy, "mute": Mute, "gnutella": Toy}
    monkeypatch.setattr(lab, "networks", lambda: known)
    monkeypatch.setattr(lab, "network_named", known.get)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse(text, "x.toml")
    return str(caught.value)


def test_a_whole_scenario_is_read() -> None:
    made = parse(WHOLE, "x.toml")
    assert made.title == "The injunction"
    assert made.about == "What to watch, in two sentences."
    setup = made.setup
    assert (setup.protocol, setup.peers, setup.seed, setup.topology) == ("toy", 20, 7, "ring")
    assert (setup.latency, setup.loss, setup.churn, setup.asks_per_s) == ("constant:50", 0.25, "weibull:0.59:2514", 0.5)
    assert setup.options == {"ttl": 5}
    assert (setup.content.items, setup.content.replicas, setup.content.free_riders) == (10, 2, 0)
    # Commands are in the order of their times, and those of one instant in the order of the file.
    assert setup.schedule == (
        (2_500_000, Collude(peers="#1", word="blue", leak=0.006)),
        (2_500_000, AskFor(peers=3, text="blue train")),
        (30_000_000, Kill(peers="role=index")),
    )
    assert [(c.at_s, c.predict is None) for c in made.captions] == [(0, True), (20, False)]
    assert made.expects[0].sentence() == "success from 35 to 60 s: at most 0"


def test_an_empty_file_is_the_plain_swarm() -> None:
    made = parse("", "x.toml")
    assert made.setup == Scenario().setup
    assert made.end_s == 60


def test_a_run_lasts_until_its_last_expectation_can_be_judged() -> None:
    # An ask at 60 s may be answered until 70 s.
    assert parse(WHOLE, "x.toml").end_s == 70
    assert parse('[[caption]]\ns = 80\nsay = "x"', "x.toml").end_s == 85
    assert parse('[[at]]\ns = 80\ndo = "heal"', "x.toml").end_s == 90
    assert parse('[[expect]]\nmetric = "alive"\nfrom_s = 0\nto_s = 61\nmin = 1', "x.toml").end_s == 61


def test_a_scenario_runs_no_file_of_a_network(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise SystemExit('it was run')")
    (tmp_path / "x.toml").write_text('protocol = "mine.py"')
    with pytest.raises(InputError, match=r"it runs no program\. If it is yours, .*: --protocol mine\.py"):
        load(tmp_path / "x.toml")
    assert load(tmp_path / "x.toml", Flags("toy")).setup.protocol == "toy"


def test_asks_of_the_command_line_come_first_and_alone() -> None:
    made = parse(WHOLE, "x.toml").asking(["tin soldier"], "random 3")
    assert made.setup.asks_per_s == 0
    assert made.setup.schedule[0] == (0, AskFor(peers="random 3", text="tin soldier"))
    assert len(made.setup.schedule) == 4
    assert made.asks == (("tin soldier", "random 3", ""),)
    assert Scenario().asking(["x"]).asks == (("x", "#0", ""),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pears = 3", 'x.toml: pears is no key of a scenario; did you mean "peers"?'),
        ("peers = 0", "x.toml: peers should be a whole number from 1 to 1,000,000, not 0"),
        ("peers = 1_000_001", "x.toml: peers should be a whole number from 1 to 1,000,000, not 1000001"),
        ('peers = "64"', 'x.toml: peers should be a whole number from 1 to 1,000,000, not "64"'),
        ("peers = true", "x.toml: peers should be a whole number from 1 to 1,000,000, not true"),
        ("peers = 64.0", "x.toml: peers should be a whole number from 1 to 1,000,000, not 64.0"),
        ("seed = -1", "x.toml: seed should be a whole number from 0 to"),
        ("seed = 0x" + "f" * 9000, "x.toml: a number is too long"),
        ("loss = 1", "x.toml: loss should be a number from 0 to less than 1, not 1"),
        ("loss = nan", "x.toml: loss should be a number from 0 to less than 1, not nan"),
        ("loss = inf", "x.toml: loss should be a number from 0 to less than 1, not inf"),
        ("latency = 50", 'x.toml: latency should be a text such as "constant:50", not 50'),
        ("title = ''", "x.toml: title is empty"),
        ("title = 1979-05-27", 'x.toml: title should be a text such as "The injunction", not 1979-05-27'),
        ('protocol = "gnutela"', 'x.toml: no network is called "gnutela"; did you mean "gnutella"?'),
        ("options = 3", "x.toml: options should be a table that begins with [options]"),
        ("[options]\ntll = 3", 'x.toml: [options]: no option is called "tll"; did you mean "ttl"?'),
        ("[options]\nttl = 99", "x.toml: [options]: ttl should be a whole number from 1 to 15, not 99"),
        ("[content]\nitem = 3", 'x.toml: content.item is no key of a scenario; did you mean "items"?'),
        ("[content]\nfree_riders = 1.5", "x.toml: content.free_riders should be a number from 0 to 1, not 1.5"),
        ("[content]\nzipf = []", "x.toml: content.zipf should be a number from 0 to 5, not a list"),
        ("[asks]\nper_s = -1", "x.toml: asks.per_s should be a number from 0 to 10,000, not -1"),
        ("[churn]\nsessions = ''", 'x.toml: churn.sessions is no key of a scenario; did you mean "session"?'),
        (
            '[churn]\nsession = "weibul:1:2"',
            'x.toml: churn.session: churn "weibul:1:2" is not known; did you mean "weibull"?',
        ),
        (
            '[[at]]\ns = 3\ndo = "kill"\npeers = "rolle=index"',
            'x.toml: [[at]] 1: peers: selector "rolle=index", character 1: "rolle" is no property of a peer',
        ),
        ("[at]\ns = 3", "x.toml: at should be tables that each begin with [[at]]"),
        ('[[at]]\ndo = "heal"', 'x.toml: [[at]] 1: it needs "s", as in s = 30'),
        ("[[at]]\ns = 3", 'x.toml: [[at]] 1: it needs "do", as in do = "kill"'),
        ('[[at]]\ns = -3\ndo = "heal"', "x.toml: [[at]] 1: s should be a number from 0 to 1,000,000,000, not -3"),
        ("[[at]]\ns = 3\ndo = 5", 'x.toml: [[at]] 1: do should be a text such as "kill", not 5'),
        ('[[at]]\ns = 3\ndo = "kil"', 'x.toml: [[at]] 1: no command is called "kil"; did you mean "kill"?'),
        ('[[at]]\ns = 3\ndo = "kill"', 'x.toml: [[at]] 1: "kill" needs "peers"'),
        ('[[at]]\ns = 3\ndo = "kill"\npeers = ""', "x.toml: [[at]] 1: peers is empty"),
        (
            '[[at]]\ns = 3\ndo = "collude"\npeers = "#1"\nword = "x"\nleak = nan',
            "x.toml: [[at]] 1: leak should be a number from 0 to 1, not nan",
        ),
        (
            '[[at]]\ns = 3\ndo = "ask"\npeers = "#1"\ntext = "x"\nwant = "fnd"',
            'x.toml: [[at]] 1: toy has no goal "fnd"; did you mean "find"?',
        ),
        (
            '[[at]]\ns = 3\ndo = "ask"\npeers = "#1"\ntext = "x"\ngoal = "broadcast"',
            'x.toml: [[at]] 1: toy has no goal "broadcast" (one of find)',
        ),
        (
            '[[at]]\ns = 3\ndo = "set"\nname = "tll"\nvalue = 4',
            'x.toml: [[at]] 1: nothing called "tll" can be set; did you mean "ttl"?',
        ),
        (
            '[[at]]\ns = 3\ndo = "set"\nname = "ttl"\nvalue = 0',
            "x.toml: [[at]] 1: ttl should be a whole number from 1 to 15, not 0",
        ),
        (
            '[[at]]\ns = 3\ndo = "set"\nname = "loss"\nvalue = 1.0',
            "x.toml: [[at]] 1: loss should be a number from 0 to 0.99, not 1.0",
        ),
        ('[[caption]]\nsay = "x"', 'x.toml: [[caption]] 1: it needs "s"'),
        ('[[caption]]\ns = 1\nsays = "x"', 'x.toml: [[caption]] 1: says is no key of a scenario; did you mean "say"?'),
        (
            '[[expect]]\nmetric = "sucess"\nfrom_s = 1\nto_s = 2\nmin = 0',
            'x.toml: [[expect]] 1: no metric is called "sucess"; did you mean "success"?',
        ),
        (
            '[[expect]]\nmetric = "success"\nfrom_s = 3\nto_s = 2\nmin = 0',
            "x.toml: [[expect]] 1: to_s should be later than from_s = 3, not 2",
        ),
        (
            '[[expect]]\nmetric = "success"\nfrom_s = 1\nto_s = 2',
            'x.toml: [[expect]] 1: it needs "min" or "max", or both',
        ),
        (
            '[[expect]]\nmetric = "success"\nfrom_s = 1\nto_s = 2\nmin = 1\nmax = 0',
            "x.toml: [[expect]] 1: min = 1 is above max = 0",
        ),
        ("peers = \n", "x.toml: line 1, column 9: not TOML: a value is expected"),
        ("a = " + "[" * 5000, "x.toml: line 1: not TOML that can be read: nested too deeply"),
    ],
)
def test_a_mistake_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    assert refusal(text).startswith(sentence)
    assert "\n" not in refusal(text)


def test_a_file_is_refused_before_it_is_read_to_its_end(tmp_path: Path) -> None:
    for name, data, sentence in (
        ("binary.toml", bytes(range(128, 256)), "line 1 is not UTF-8 text"),
        ("huge.toml", b"#" * 2_000_000, "larger than the 1,000,000 bytes"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(InputError, match=sentence):
            load(path)
    with pytest.raises(InputError, match="a directory"):
        load(tmp_path)
    with pytest.raises(InputError, match="there is no file"):
        find(str(tmp_path / "none.toml"))
    with pytest.raises(InputError, match="cannot be read"):
        load(Path("a\0b"))


def test_a_file_named_in_a_scenario_is_looked_for_beside_it(tmp_path: Path) -> None:
    (tmp_path / "crawl.txt").write_text("0 1\n")
    (tmp_path / "x.toml").write_text('\ufefftopology = "crawl.txt"\nlatency = "elsewhere.txt"\n')
    setup = find(str(tmp_path / "x.toml")).setup
    assert setup.topology == str(tmp_path / "crawl.txt")
    assert setup.latency == str(tmp_path / "elsewhere.txt"), "an error tells where it was expected"


def test_a_word_of_a_spec_is_no_file_beside_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ring", "none", "world"):
        (tmp_path / name).write_text("0 1\n")
    text = 'topology = "{}"\nlatency = "world"\n[churn]\nsession = "none"\n'
    (tmp_path / "x.toml").write_text(text.format("ring"))
    (tmp_path / "y.toml").write_text(text.format("./ring"))
    setup = find(str(tmp_path / "x.toml")).setup
    assert (setup.topology, setup.latency, setup.churn) == ("ring", "world", "none")
    assert find(str(tmp_path / "y.toml")).setup.topology == str(tmp_path / "ring")
    monkeypatch.chdir(tmp_path)
    assert find("y.toml").setup.topology == "./ring"


def test_an_unknown_name_gets_the_nearest_of_those_shipped() -> None:
    with pytest.raises(InputError, match='is called "injuction"; did you mean "injunction"'):
        find("injuction")
    with pytest.raises(InputError, match='did you mean "scenarios"'):
        find("scenaros", also=("scenarios",))


def test_every_shipped_scenario_has_captions_and_expectations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "networks", networks)
    monkeypatch.setattr(lab, "network_named", network_named)
    stories = lab.shipped()
    assert {"injunction", "ninety-nine-point-four", "digicash", "one-censored", "everybody-colludes"} <= {
        story.source for story in stories
    }
    for story in stories:
        # Blocks, work units and the timers of routers take their time, and a person speeds a run up.
        most_s = {"bitcoin": 3_600, "volunteer": 86_400 * 7, "routing": 600}.get(story.setup.protocol, 120)
        assert 40 <= story.end_s <= most_s, story.source
        assert story.about.count(".") >= 2, story.source
        assert any(caption.predict for caption in story.captions), story.source
        assert story.expects, story.source


# --- options ------------------------------------------------------------------------------------------


def test_options_are_read_from_texts_as_the_type_they_have() -> None:
    made = options_for(Toy, {"ttl": "5", "rate": "2", "loud": "yes", "tone": "red"}, "--set")
    assert made == ToyOptions(ttl=5, rate=2.0, loud=True, tone="red")
    assert isinstance(made.rate, float)
    assert options_for(Toy, {"rate": 3}, "--set").rate == 3.0
    assert options_for(Toy, {}, "--set") == ToyOptions()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("tll", 3, '--set: no option is called "tll"; did you mean "ttl"?'),
        ("ttl", "x", '--set: ttl should be a whole number from 1 to 15, not "x"'),
        ("ttl", True, "--set: ttl should be a whole number from 1 to 15, not true"),
        ("ttl", "16", '--set: ttl should be a whole number from 1 to 15, not "16"'),
        ("rate", "nan", '--set: rate should be a number from 0 to 1,000,000,000, not "nan"'),
        ("rate", 10**400, "--set: rate should be a number from 0 to 1,000,000,000, not a number that long"),
        ("loud", 2, "--set: loud should be true or false, not 2"),
        ("tone", 2, "--set: tone should be a text, not 2"),
    ],
)
def test_an_invalid_option_is_refused_and_nothing_changes(name: str, value: object, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        options_for(Toy, {name: value}, "--set")
    assert str(caught.value) == sentence
    live = ToyOptions()
    with pytest.raises(InputError):
        set_option(live, name, value, "--set")
    assert live == ToyOptions()


def test_an_option_changes_while_it_runs() -> None:
    live = ToyOptions()
    set_option(live, "ttl", "3", "set")
    assert live.ttl == 3


def test_a_network_without_options_has_none() -> None:
    assert options_for(Mute, {}, "--set") is None
    with pytest.raises(InputError, match="has no options"):
        options_for(Mute, {"ttl": 1}, "--set")
    with pytest.raises(InputError, match="has no options"):
        set_option(None, "ttl", 1, "set")


@pytest.mark.parametrize("name", SET_RANGES)
def test_a_set_command_beyond_the_limits_of_the_run_is_refused_before_anything_runs(name: str) -> None:
    least, most = SET_RANGES[name]
    for value in (least - 0.001, most + 0.001):
        with pytest.raises(InputError, match=f"{name} should be a number from"):
            parse(f'[[at]]\ns = 3\ndo = "set"\nname = "{name}"\nvalue = {value}', "x.toml")
        swarm = Swarm(Setup(protocol="gnutella", peers=4, links=LinkSpec(capacity="saroiu")))
        with pytest.raises(InputError, match=f"{name} should be a number from"):
            swarm.do(Set(name=name, value=value))


def test_a_set_command_may_name_the_world() -> None:
    made = parse('[[at]]\ns = 3\ndo = "set"\nname = "latency"\nvalue = 4', "x.toml")
    assert made.setup.schedule[0][1] == Set(name="latency", value=4)


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ('do = "collude"\npeers = "all"\nword = "!"', 'word should be words, such as "blue train", not "!"'),
        ('do = "publish"\npeers = "all"\ntext = "..."', "text should be words"),
        ('do = "partition"\npeers = "all"\nby = "citty"', 'partition does not go by "citty"; did you mean "city"'),
        ('do = "calloff"\nname = "sybl"', 'no attack is called "sybl"; did you mean "sybil"'),
    ],
)
def test_an_impossible_command_is_refused_before_anything_runs(deed: str, words: str) -> None:
    with pytest.raises(InputError, match=f"x: \\[\\[at\\]\\] 1: {words}"):
        parse(f"[[at]]\ns = 3\n{deed}\n", "x")
