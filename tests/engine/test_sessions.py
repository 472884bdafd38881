"""Recorded sessions in a file: which peer was up from when to when."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import SECOND, make_swarm

from engine import ALIVE, InputError, Kill, Revive, Set, Setup, Swarm, scenario_files, to_toml
from engine.world.churn import is_trace
from engine.world.readers.sessions import load

LABELS = ("p000", "p001", "p002", "a,b", "7")

STORY = """\
# who was there
peer,start_s,end_s
p000, 0, 3
p000, 5, 9      # comes back
#1, -30, 4
p002, 2, 1e9
"""


def trace(tmp_path: Path, text: str, name: str = "trace.csv") -> str:
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def up(swarm: Swarm, at_s: float) -> list[int]:
    swarm.advance(round(at_s * SECOND))
    return [peer for peer, state in enumerate(swarm.snapshot().state.tolist()) if state == ALIVE]


def test_peers_join_and_leave_as_recorded(tmp_path: Path) -> None:
    swarm = make_swarm(4, churn=trace(tmp_path, STORY))
    assert up(swarm, 1) == [0, 1, 3], "whom the trace does not name stays"
    assert swarm.snapshot().up_since_us.tolist() == [0, -30 * SECOND, 0, 0]
    assert up(swarm, 2.5) == [0, 1, 2, 3]
    assert up(swarm, 3.5) == [1, 2, 3]
    assert up(swarm, 4.5) == [2, 3]
    assert up(swarm, 6) == [0, 2, 3]
    assert up(swarm, 10) == up(swarm, 1000) == [2, 3]


def test_sessions_may_be_adjacent_and_in_any_order(tmp_path: Path) -> None:
    swarm = make_swarm(2, churn=trace(tmp_path, "0,2,4\n0,0,2\n"))
    assert up(swarm, 1) == up(swarm, 3) == [0, 1]
    assert swarm.snapshot().up_since_us[0] > 2 * SECOND - 1, "it is a session of its own"
    assert up(swarm, 5) == [1]


def test_a_label_has_precedence_over_an_index_and_may_be_quoted(tmp_path: Path) -> None:
    made = load(trace(tmp_path, '7,0,1\n"a,b",0,1\n#2,0,1\n'), LABELS)
    assert sorted(made.begins_us) == [2, 3, 4]


def test_sessions_that_ended_before_the_start_are_left_out(tmp_path: Path) -> None:
    swarm = make_swarm(2, churn=trace(tmp_path, "p000,-9,-3\n"))
    assert up(swarm, 5) == [1]


def test_the_trace_goes_on_after_commands_to_its_peers(tmp_path: Path) -> None:
    swarm = make_swarm(2, churn=trace(tmp_path, "p000,0,3\np000,6,9\n"))
    up(swarm, 1)
    swarm.do(Kill("p000"))
    assert up(swarm, 7) == [1], "who was killed by hand is not brought back"
    swarm.do(Revive("p000"))
    assert up(swarm, 8) == [0, 1]
    assert up(swarm, 10) == [1]
    swarm.do(Revive("p000"))
    assert up(swarm, 99) == [0, 1], "the trace has nothing more to say of it"


def test_a_trace_may_be_set_while_it_runs(tmp_path: Path) -> None:
    swarm = make_swarm(3)
    up(swarm, 4.5)
    swarm.do(Set("churn", trace(tmp_path, STORY)))
    assert up(swarm, 4.6) == [2]
    assert up(swarm, 6) == [0, 2]
    swarm.do(Set("churn", "none"))
    assert up(swarm, 20) == [0, 2]
    with pytest.raises(InputError, match="no such file"):
        swarm.do(Set("churn", "no/such.csv"))


def test_a_scenario_finds_a_trace_in_its_folder_and_keeps_it(tmp_path: Path) -> None:
    trace(tmp_path, "p000,0,3\n", "days.csv")
    path = tmp_path / "story.toml"
    path.write_text('[churn]\nsession = "days.csv"\npolite = 0.5\n')
    scenario = scenario_files.load(path)
    assert scenario.setup.churn == str(tmp_path / "days.csv")
    again = scenario_files.parse(to_toml(scenario.setup, "again"), "again")
    assert again.setup == scenario.setup
    assert up(Swarm(scenario.setup), 5)[0] == 1


def test_a_trace_that_is_set_later_is_found_beside_the_scenario(tmp_path: Path) -> None:
    days = trace(tmp_path, "p000,0,3\n", "days.csv")
    path = tmp_path / "story.toml"
    path.write_text('[[at]]\ns = 1\ndo = "set"\nname = "churn"\nvalue = "days.csv"\n')
    path.write_text(path.read_text() + '[[at]]\ns = 2\ndo = "set"\nname = "churn"\nvalue = "days"\n')
    (tmp_path / "days").write_text("p001,0,3\n")
    setup = scenario_files.load(path).setup
    assert setup.schedule == ((1_000_000, Set("churn", days)), (2_000_000, Set("churn", str(tmp_path / "days"))))
    swarm = Swarm(setup)
    Path(days).unlink()
    swarm.advance(4_000_000)
    assert not swarm.warnings, "it was read before the run began"
    with pytest.raises(InputError, match=r"at 1 s, set: .*days.csv: no such file; expected sessions"):
        Swarm(setup)


def test_a_trace_that_is_set_later_is_written_with_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    days = trace(tmp_path, "p000,0,3\n", "days.csv")
    written = to_toml(Setup(schedule=((1_000_000, Set("churn", "days.csv")),)), "again")
    assert scenario_files.parse(written, "again").setup.schedule == ((1_000_000, Set("churn", days)),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no sessions in it"),
        ("peer,start_s,end_s\n# nobody\n", "no sessions in it"),
        ("p000,0\n", r"trace.csv:1: expected peer,start_s,end_s, found 2 values"),
        ("p000,0,1\n\np000,2,3,4\n", r"trace.csv:3: expected peer,start_s,end_s, found 4 values"),
        ("p000,0,ten\n", r'trace.csv:1: end_s should be a number of seconds, not "ten"'),
        ("p000,nan,3\n", "start_s should be a number"),
        ("p000,1_0,30\n", "start_s should be a number"),
        ("p000,0,1e300\n", "end_s is too large"),
        ("p000,3,3\n", "end_s should be later than start_s, but 3 is not after 3"),
        ("p0001,0,3\n", 'no peer is called "p0001"; did you mean "p00'),
        ("5,0,3\n", "there is no peer #5; the last one is #4"),
        ("p000,0,5\np001,0,9\np000,4,9\n", r"trace.csv:3: p000 is up already, by the session of line 1"),
        ("p000,4,9\n#0,0,5\n", r"trace.csv:2: p000 is up already, by the session of line 1"),
        ('"p000,0,3\n', r"trace.csv:1: a quote .* is not closed"),
        ("p000,0,3\n\0\n", r"trace.csv:2: binary data"),
    ],
)
def test_a_bad_trace_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        load(trace(tmp_path, text), LABELS)
    assert "\n" not in str(error.value)


def test_a_packed_trace_is_read_too(tmp_path: Path) -> None:
    path = str(tmp_path / "sessions.csv.gz")
    Path(path).write_bytes(gzip.compress(b"p000,0,3\np001,4,9\n"))
    assert is_trace("sessions.gz"), "a file that is missing is told of as one"
    assert load(path, LABELS).begins_us == {0: [0], 1: [4_000_000]}
    Path(path).write_bytes(gzip.compress(b"p000,0,3\n" * 500)[:-9])
    with pytest.raises(InputError, match="gzip packing is broken or cut short"):
        load(path, LABELS)


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path, words in ((str(tmp_path), "a directory"), ("no/such.csv", "no such file"), ("/dev/null", "not a plain")):
        assert is_trace(path)
        with pytest.raises(InputError, match=words):
            load(path, LABELS)
    (tmp_path / "latin.csv").write_bytes(b"p000,0,1\n\xe9,0,1\n")
    with pytest.raises(InputError, match=r"latin.csv:2: no UTF-8"):
        load(str(tmp_path / "latin.csv"), LABELS)
    assert not is_trace("weibull:1:2")
    assert not is_trace("")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(LABELS), st.integers(-5, 20), st.integers(1, 6)), max_size=12))
def test_any_sessions_are_followed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, int]]
) -> None:
    text = "".join(f'"{who}",{begin},{begin + length}\n' for who, begin, length in rows)
    path = trace(tmp_path_factory.mktemp("any"), text)
    by_label: dict[str, list[tuple[int, int]]] = {}
    for who, begin, length in rows:
        by_label.setdefault(who, []).append((begin, begin + length))
    crossing = any(
        a[0] < b[1] and b[0] < a[1] for some in by_label.values() for i, a in enumerate(some) for b in some[:i]
    )
    try:
        made = load(path, LABELS)
    except InputError:
        assert crossing or not rows
        return
    assert not crossing
    for who, some in by_label.items():
        peer = LABELS.index(who)
        for at in range(27):
            assert made.up(peer, at * SECOND + 1) == any(begin <= at < end for begin, end in some)
