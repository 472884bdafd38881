"""Shown columns, roles that change, and the words by which the ends of a link mark it."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import Diary, host, make_swarm
from wards import SECOND, Acquaintance, Nurse, Patient

from engine import (
    Arrive,
    Ask,
    AskFor,
    Attack,
    FakeHost,
    Host,
    InputError,
    Kill,
    PeerFailed,
    Revive,
    RoleChanged,
    Shown,
    Swarm,
    TimeMachine,
    networks,
    replay,
    run,
    scenario_files,
    series_csv,
    to_toml,
)
from engine.measure.shown import SERIES_VALUES_MOST
from engine.record.checkpoints import Checkpoints
from engine.registry import check_names
from engine.world.content import file_of
from tui.draw.colours import value_text


def ward(peers: int = 5, **changes: Any) -> Swarm:
    return make_swarm(peers, Patient, topology="ring", **changes)


def test_a_patient_by_itself() -> None:
    fake, patient = FakeHost(me=3), Patient()
    patient.start(fake, (2, 4, 7), None)
    patient.neighbours(fake, (2, 7))
    assert fake.marks == {(2, ""): "close", (7, ""): "distant"}
    fake.mark(7, "late", topic="letters")
    fake.mark(7)
    assert fake.marks == {(2, ""): "close", (7, "letters"): "late"}
    fake.unlink(7)
    assert fake.marks == {(2, ""): "close"}
    assert fake.role == ""
    patient.infect(fake)
    fake.wait(patient, 4 * SECOND)
    assert (fake.roles, fake.role) == (["survivor"], "survivor")
    assert patient.shown() == (1.0, "removed", 0)
    with pytest.raises(ValueError, match="a role is a word that can be shown, and this one is empty"):
        fake.set_role(" \x1b")


def test_the_columns_of_all_programs_are_offered_and_only_those_asked_for_are_read() -> None:
    swarm = ward()
    plain = swarm.snapshot()
    assert [column.name for column in plain.fixed.shows] == ["cured", "epidemic", "coughs", "shift"]
    assert plain.shown == {}
    swarm.do(AskFor(0, "x"))
    swarm.do(Kill(3))
    swarm.advance(1_500_000)
    frame = swarm.snapshot(("epidemic", "shift", "cured"))
    assert list(frame.shown) == ["epidemic", "shift", "cured"]
    one: Any = swarm.peer(1)
    cured = [getattr(swarm.peer(peer), "cured", np.nan) for peer in range(6)]
    assert min(cured[:3]) > 0
    np.testing.assert_array_equal(frame.shown["cured"].values, cured)
    np.testing.assert_array_equal(frame.shown["shift"].values, [*[np.nan] * 5, -1.5])
    epidemic = frame.shown["epidemic"]
    assert epidemic.names == ("", "susceptible", "infected", "removed")
    assert epidemic.codes.tolist() == [2, 2, 2, 0, 1, 0]
    assert epidemic.counts == (0, 1, 3, 0)
    assert swarm.shown_of(1) == tuple(zip(Patient.shows, (one.cured, "infected", one.coughs), strict=True))
    assert swarm.shown_of(3) == ()
    with pytest.raises(InputError, match=r'no column is called "cued"; did you mean "cured"\?'):
        swarm.snapshot(("cued",))
    with pytest.raises(InputError, match='no column is called "cured"; this network shows none'):
        make_swarm().snapshot(("cured",))


class Chain(Diary, name="chain"):
    """Its category has many values."""

    shows = (Shown("tip", "", "category"), Shown("height", "", "count"))

    def __init__(self) -> None:
        super().__init__()
        self.tip: Any = "genesis"
        self.height: Any = 0

    def shown(self) -> tuple[Any, ...]:
        return (self.tip, self.height) if self.height != "one too few" else (self.tip,)


def chain(*tips: object) -> Swarm:
    swarm = make_swarm(len(tips), Chain, topology="ring")
    give(swarm, *tips)
    return swarm


def give(swarm: Swarm, *tips: object) -> None:
    for peer, tip in enumerate(tips):
        program: Any = swarm.peer(peer)
        program.tip = tip


def test_six_values_of_a_category_have_a_number_and_keep_it() -> None:
    swarm = chain(*"aabbccddeeffgggh", "")
    first = swarm.snapshot(("tip",)).shown["tip"]
    assert first.names == ("", "g", "a", "b", "c", "d", "e", "other")
    assert first.codes.tolist() == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 1, 1, 1, 7, 0]
    assert first.counts == (1, 3, 2, 2, 2, 2, 2, 3)
    give(swarm, *"ffffffccddeefggga")
    swarm.advance(SECOND)
    later = swarm.snapshot(("tip",)).shown["tip"]
    assert later.names == ("", "g", "a", "f", "c", "d", "e"), "what nobody has gives way, and the others stay"


def test_texts_of_a_category_are_made_harmless() -> None:
    swarm = chain("\x1b[31mred", "a" * 200)
    assert swarm.snapshot(("tip",)).shown["tip"].names == ("", "[31mred", "a" * 23 + "…")


@pytest.mark.parametrize(
    ("tip", "height", "says"),
    [
        (7, 0, 'column "tip" should be a text, not int'),
        (None, 0, 'column "tip" should be a text, not NoneType'),
        ("x", "7", 'column "height" should be a number, not str'),
        ("x", None, 'column "height" should be a number, not NoneType'),
        ("x", "one too few", "Chain.shown returned 1 values for 2 columns"),
    ],
)
def test_a_value_of_a_wrong_type_is_the_failure_of_that_peer(tip: object, height: object, says: str) -> None:
    swarm = make_swarm(3, Chain)
    program: Any = swarm.peer(1)
    program.tip, program.height = tip, height
    with pytest.raises(PeerFailed, match=f"peer #1 failed on shown: .*{says}"):
        swarm.snapshot(("height",))
    with pytest.raises(PeerFailed, match=f"peer #1 failed on shown: .*{says}"):
        swarm.shown_of(1)


def test_infinity_is_shown_as_no_value() -> None:
    swarm = make_swarm(2, Chain)
    program: Any = swarm.peer(0)
    program.height = float("inf")
    np.testing.assert_array_equal(swarm.snapshot(("height",)).shown["height"].values, [np.nan, 0.0])


def test_a_role_changes_and_ends_with_the_process() -> None:
    swarm = ward()
    assert swarm.snapshot().roles == ("patient", "nurse", "survivor"), "also those that nobody has yet"
    assert swarm.select("role=survivor") == ()
    assert swarm.completions("role=") == ["nurse", "patient", "survivor"]
    swarm.do(AskFor(0, "x"))
    swarm.advance(4_500_000)
    frame = swarm.snapshot()
    assert [frame.roles[code] for code in frame.role] == [*["survivor"] * 5, "nurse"]
    assert swarm.select("role=survivor") == (0, 1, 2, 3, 4)
    told = [event for event in swarm.events() if isinstance(event, RoleChanged)]
    assert sorted((event.peer, event.role, event.before) for event in told) == [
        (peer, "survivor", "patient") for peer in range(5)
    ]
    swarm.do(Kill(2))
    assert swarm.select("role=survivor") == (0, 1, 2, 3, 4), "the dead keep their last one"
    swarm.do(Revive(2))
    assert swarm.select("role=patient") == (2,)
    before = swarm.events(told[-1].seq)
    host(swarm, 2).set_role("patient")
    assert not [event for event in before if isinstance(event, RoleChanged)], "a first role is no change"


def test_a_role_that_no_list_has_is_accepted_and_made_harmless() -> None:
    swarm = ward()
    swarm.advance(SECOND)
    host(swarm, 1).set_role("\x1bsuper spreader " + "!" * 80)
    assert swarm.snapshot().roles[-1] == "super spreader !!!!!!!!…"
    for number in range(1_000):
        host(swarm, 1).set_role(f"role {number}")
    frame = swarm.snapshot()
    assert frame.roles[frame.role[1]] == "other"
    with pytest.raises(ValueError, match="a role is a word"):
        host(swarm, 1).set_role("")


def says(swarm: Swarm, topic: str = "") -> dict[tuple[int, int], tuple[str, str]]:
    frame = swarm.snapshot(topic=topic)
    links, marks = frame.links, frame.marks
    return {
        (a, b): (marks.words[x], marks.words[y])
        for a, b, x, y in zip(*(column.tolist() for column in (links.a, links.b, marks.a, marks.b)), strict=True)
    }


def test_links_have_the_words_of_both_ends_until_they_end() -> None:
    swarm = ward(4)
    assert says(swarm) == {
        (0, 1): ("close",) * 2,
        (0, 3): ("distant",) * 2,
        (1, 2): ("close",) * 2,
        (2, 3): ("close",) * 2,
    }
    assert swarm.snapshot().marks is swarm.snapshot().marks
    host(swarm, 3).mark(0, "near")
    host(swarm, 0).mark(3)
    frame = swarm.snapshot()
    assert frame.marks.words == ("", "close", "distant", "near"), "those of the legend first"
    assert says(swarm)[0, 3] == ("", "near")
    host(swarm, 0).unlink(1)
    host(swarm, 0).link(1)
    assert says(swarm)[0, 1] == ("", ""), "another stream has none"
    assert says(swarm)[2, 3] == ("close", "close"), "rows that move take their words along"
    swarm.do(Kill(3))
    assert says(swarm) == {(0, 1): ("", ""), (1, 2): ("close", "close")}
    host(swarm, 0).mark(2, "far")
    host(swarm, 0).mark(99, "far")
    host(swarm, 3).mark(1, "far")
    assert swarm.marks_of(0) == swarm.marks_of(3) == (), "no link, no mark"


def test_a_time_is_shown_as_how_long_ago_it_is() -> None:
    class Dated(Diary, name="dated"):
        shows = (Shown("newest", "how long ago it asked", "age"),)

        def ask(self, host: Host, ask: Ask) -> None:
            self.newest = host.now_us

        def shown(self) -> tuple[float | str, ...]:
            return (getattr(self, "newest", math.nan),)

    swarm = make_swarm(3, Dated)
    swarm.advance(2 * SECOND)
    swarm.follow(["newest"])
    swarm.do(AskFor(1, "x"))
    swarm.advance(6_500_000)
    values = swarm.snapshot(("newest",)).shown["newest"].values
    assert np.isnan(values[[0, 2]]).all()
    assert values[1] == 4.5
    assert swarm.select("newest>4") == swarm.select("newest<4.6") == (1,)
    assert swarm.select("newest<4") == ()
    [(column, value)] = swarm.shown_of(1)
    assert (value, value_text(column, value), value_text(column, 7200.0)) == (4.5, "4.5 s", "7,200 s")
    assert swarm.series().columns["newest"][-1] == 4.0, "at the sample before, of those that have a value"


def test_marks_of_one_link_differ_by_topic() -> None:
    swarm = ward(4)
    host(swarm, 0).mark(1, "eager", topic="blocks")
    host(swarm, 0).mark(1, "lazy", topic="votes")
    assert says(swarm)[0, 1] == ("close", "close")
    assert says(swarm, "blocks")[0, 1] == ("eager", "")
    assert says(swarm, "votes")[0, 1] == ("lazy", "")
    assert swarm.snapshot().marks.topics == ("blocks", "votes")
    host(swarm, 0).mark(1)
    assert says(swarm)[0, 1] == ("eager", "close")
    assert swarm.marks_of(0) == ((1, "blocks", "eager"), (1, "votes", "lazy"), (3, "", "distant"))
    host(swarm, 0).mark(1, topic="blocks")
    host(swarm, 0).mark(1, topic="votes")
    assert says(swarm)[0, 1] == ("", "close")


def test_contacts_without_streams_can_be_marked() -> None:
    swarm = make_swarm(4, Acquaintance)
    host(swarm, 0).mark(2, "fresh")
    host(swarm, 2).mark(0, "stale", topic="bucket 3")
    assert swarm.marks_of(0) == ((2, "", "fresh"),)
    swarm.do(Kill(0))
    assert swarm.marks_of(0) == ()
    assert swarm.marks_of(2) == ((0, "bucket 3", "stale"),), "it does not know yet"
    host(swarm, 2).mark(0, topic="bucket 3")
    assert swarm.marks_of(2) == ()


def test_a_copy_has_the_same_roles_and_marks_and_goes_on_alike() -> None:
    swarm = ward()
    swarm.do(AskFor(0, "x"))
    swarm.advance(2_300_000)
    host(swarm, 0).mark(1, "mine", topic="t")
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert says(copy) == says(swarm)
    for each in (swarm, copy):
        host(each, 1).unlink(2)
        each.advance(7_000_000)
    assert says(copy) == says(swarm)
    assert copy.marks_of(0) == swarm.marks_of(0)
    assert copy.snapshot().role.tolist() == swarm.snapshot().role.tolist()
    assert copy.snapshot(("epidemic",)).shown["epidemic"].counts == (0, 0, 0, 5)
    assert copy.fingerprint() == swarm.fingerprint()


def test_marks_and_roles_are_no_part_of_the_fingerprint() -> None:
    quiet, loud = ward(), ward()
    for swarm in (quiet, loud):
        swarm.do(AskFor(0, "x"))
        swarm.advance(SECOND)
    host(loud, 0).mark(1, "other")
    host(loud, 0).set_role("other")
    for swarm in (quiet, loud):
        swarm.advance(9 * SECOND)
    assert loud.fingerprint() == quiet.fingerprint()


def test_newcomers_have_a_role_and_columns() -> None:
    swarm = ward()
    swarm.do(Arrive(2))
    swarm.advance(SECOND)
    frame = swarm.snapshot(("cured", "epidemic"))
    assert [frame.roles[code] for code in frame.role] == [*["patient"] * 5, "nurse", "patient", "patient"]
    assert frame.shown["epidemic"].codes.tolist() == [1, 1, 1, 1, 1, 0, 1, 1]


# --- over time ------------------------------------------------------------------------------------------


def pairs(swarm: Swarm, name: str) -> list[float]:
    return [round(value, 6) for value in swarm.series().columns[name].tolist()]


def test_a_series_begins_when_its_column_is_first_read() -> None:
    swarm = ward()
    swarm.do(AskFor(0, "x"))
    swarm.advance(2 * SECOND)
    assert not [name for name in swarm.series().columns if name.startswith(("cured", "epidemic", "role"))]
    swarm.snapshot(("epidemic",))
    swarm.follow(("role", "cured"))
    swarm.advance(7 * SECOND)
    series = swarm.snapshot().series
    assert series.t_s.tolist() == [1, 2, 3, 4, 5, 6, 7]
    counts = np.array([series.columns[f"epidemic.{value}"] for value in ("susceptible", "infected", "removed")])
    assert np.isnan(counts[:, :2]).all()
    assert counts[:, 2:].sum(axis=0).tolist() == [5] * 5, "nurses are no users"
    assert counts[:, -1].tolist() == [0, 0, 5]
    assert series.columns["cured"][-1] == 1.0
    assert series.columns["role.survivor"][-1] == 5
    assert np.array_equal(series.columns["role.survivor"][2:], counts[2, 2:])
    assert series is swarm.snapshot().series


def test_a_value_that_comes_later_counts_from_the_begin_of_its_series() -> None:
    swarm = chain("a", "a", "")
    swarm.advance(SECOND)
    swarm.follow(("tip",))
    swarm.advance(2 * SECOND)
    give(swarm, "a", "b", "")
    swarm.advance(3 * SECOND)
    assert pairs(swarm, "tip.a")[1:] == [2, 1]
    assert pairs(swarm, "tip.b")[1:] == [0, 1]
    assert "tip." not in swarm.series().columns
    wide = chain(*map(str, range(40)))
    wide.follow(("tip.39",))
    wide.advance(SECOND)
    columns = wide.series().columns
    assert (columns["tip.39"][-1], columns["tip.other"][-1]) == (1, 40 - SERIES_VALUES_MOST)


def test_reading_a_column_changes_nothing() -> None:
    quiet, watched = ward(8, sample_s=0.5), ward(8, sample_s=0.5)
    for number in range(1, 30):
        for swarm in (quiet, watched):
            if number == 2:
                swarm.do(AskFor(0, "x"))
            if number == 20:
                swarm.do(Kill("top 2 cured"))
            swarm.advance(number * 200_000)
        watched.snapshot(("cured", "epidemic", "coughs", "shift"))
        watched.select("epidemic=infected")
    assert watched.fingerprint() == quiet.fingerprint()
    assert pickle.dumps(watched.simulation.metrics.time_series) == pickle.dumps(quiet.simulation.metrics.time_series)
    assert len(pickle.dumps(watched)) == len(pickle.dumps(quiet)), "no series of a shown column is in a checkpoint"


def test_a_command_reads_columns_as_they_are_and_not_as_a_view_last_saw_them() -> None:
    swarm = chain(*"a" * 3_000)
    swarm.snapshot(("tip",))
    give(swarm, "b")
    swarm.advance(1_000)
    assert swarm.select("tip=b") == (0,)
    assert swarm.do(Kill("tip=b")) == (0,)


def test_going_back_keeps_the_series() -> None:
    machine = TimeMachine(ward(), program=Patient, checkpoints=Checkpoints(spacing=1))
    machine.swarm.follow(("epidemic", "role"))
    machine.swarm.do(AskFor(0, "x"))
    for second in range(1, 9):
        machine.advance(second * SECOND)
    was = machine.swarm.series()
    for to_s in (3.5, 7.0, 0.5, 8.0):
        assert list(machine.seek(round(to_s * SECOND)))
        now = machine.swarm.series()
        rows = int(to_s)
        assert now.t_s.tolist() == was.t_s.tolist()[:rows]
        for name in ("epidemic.infected", "epidemic.removed", "role.survivor"):
            assert now.columns[name].tolist() == was.columns[name].tolist()[:rows], (to_s, name)


@pytest.mark.parametrize(
    ("shows", "says"),
    [
        ((Shown("degree", "", "count"),), '"degree" is a word of selectors'),
        ((Shown("keeps", "", "count"),), '"keeps" is a word of selectors'),
        ((Shown("kill", "", "count"),), '"kill" is a command'),
        ((Shown("reach", "", "count"),), '"reach" is a time series of every network'),
        ((Shown("Pieces left", "", "count"),), "should have a name of small letters, digits and _"),
        ((Shown("pieces", "", "counts"),), 'is no "counts"; did you mean "count"'),  # type: ignore[arg-type]
        ((Shown("pieces", "", "count"), Shown("pieces", "", "count")), "there is another column of that name"),
        ((Shown("shift", "", "share"),), "there is another column of that name"),
        ((Shown("shift.early", "", "share"),), 'beside "shift" it reads as a value of the other'),
    ],
)
def test_a_column_with_the_name_of_something_else_is_refused(shows: tuple[Shown, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_names([Nurse, type("Odd", (Diary,), {"shows": shows})])


def test_a_swarm_of_such_a_network_cannot_be_made() -> None:
    class Clash(Diary, name="clash"):
        shows = (Shown("load", "", "count"),)

    with pytest.raises(InputError, match='the column "load" of Clash needs another name'):
        make_swarm(2, Clash)


# --- in a scenario --------------------------------------------------------------------------------------

STORY = """
protocol = "ward"
peers = 6
topology = "ring"
latency = "constant:10"
sample_s = 0.5
asks = {per_s = 0}
[[at]]
s = 0
do = "ask"
peers = "#0"
text = "x"
[[at]]
s = 3
do = "kill"
peers = "top 1 cured and epidemic=infected"
[[expect]]
metric = "epidemic.infected"
from_s = 0
to_s = 1
min = 6
max = 6
[[expect]]
metric = "cured"
from_s = 5
to_s = 9
min = 1
[[expect]]
metric = "role.survivor"
from_s = 6
to_s = 9
min = 6
"""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(networks(), "ward", Patient)


@pytest.mark.usefixtures("known")
def test_a_scenario_names_shown_columns() -> None:
    story = scenario_files.parse(STORY, "x.toml")
    assert story.setup.sample_s == 0.5
    report = run(story, until=9.0)
    assert [checked.held for checked in report.expectations] == [True, True, False]
    assert report.expectations[2].told() == "From 6 to 9 s role.survivor was 5 on average; not as expected: at least 6."
    assert report.series is None
    again = run(story, until=9.0, series=True)
    assert again.fingerprint == report.fingerprint
    told = again.to_json()["series"]
    assert {"cured", "coughs", "epidemic.infected", "role.survivor", "role.patient"} <= set(told)
    assert told["cured"][-1] == (9.0, 1.0)
    assert again.series is not None
    assert "epidemic.removed" in series_csv(again.series).splitlines()[0].split(",")
    text = to_toml(story.setup, story.title, expects=story.expects)
    assert scenario_files.parse(text, "y.toml").setup == story.setup


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('"cured"', '"curd"', '[[expect]] 2: no metric is called "curd"; did you mean "cured"?'),
        ('"cured"', '"epidemic"', '[[expect]] 2: no metric is called "epidemic"'),
        ("epidemic.infected", "epidemic.infectd", 'no epidemic is called "infectd"; did you mean "infected"?'),
        ("epidemic=", "epidmic=", '"epidmic" is no property of a peer; did you mean "epidemic"?'),
        ("sample_s = 0.5", "sample_s = 0", "x.toml: sample_s should be a number from 0.01 to 3,600, not 0"),
    ],
)
def test_a_mistake_in_a_scenario_is_reported_before_it_runs(was: str, becomes: str, says: str) -> None:
    assert was in STORY
    with pytest.raises(InputError) as caught:
        scenario_files.parse(STORY.replace(was, becomes), "x.toml")
    assert says in str(caught.value)


@pytest.mark.usefixtures("known")
def test_a_recording_of_it_plays_back_alike(tmp_path: Path) -> None:
    story, path = scenario_files.parse(STORY, "x.toml"), str(tmp_path / "ward.swarm")
    report = run(story, until=9.0, record=path)
    again = replay(path, series=True)
    assert not again.diverged
    assert again.report.fingerprint == report.fingerprint
    assert [checked.held for checked in again.report.expectations] == [True, True, False]


# --- contacts as links ----------------------------------------------------------------------------------


def asked(swarm: Swarm) -> int:
    return sum(getattr(swarm.peer(peer), "asked", 0) for peer in range(len(swarm.labels)))


def acquaintances(peers: int = 6) -> Swarm:
    return make_swarm(peers, Acquaintance)


def test_contacts_are_links_where_no_stream_is_open() -> None:
    swarm = acquaintances(9)
    assert len(swarm.snapshot().links.a) == 0
    assert asked(swarm) == 0, "nobody is asked unless somebody reads them"
    links = swarm.snapshot(contacts=True).links
    wanted = {tuple(sorted((p, q))) for p in range(9) for q in (0, (p + 1) % 9, (p + 2) % 9) if p != q}
    assert links.contacts
    assert list(zip(links.a.tolist(), links.b.tolist(), strict=True)) == sorted(wanted)
    assert swarm.select("degree=8") == (0,)
    assert swarm.select("near #3") == (0, 4, 5)
    assert swarm.neighbours_of((3,)) == (0, 1, 2, 4, 5), "also those that have it as a contact"
    assert swarm.neighbours_of((3, 4)) == (0, 1, 2, 5, 6)
    degrees = np.bincount(links.a, minlength=9) + np.bincount(links.b, minlength=9)
    assert [len(swarm.neighbours_of((peer,))) for peer in range(9)] == degrees.tolist()
    assert swarm.select("top 1 betweenness") == (0,)
    assert asked(swarm) == 9, "once in a second"
    host(swarm, 2).mark(3, "fresh")
    marks = swarm.snapshot(contacts=True).marks
    row = list(zip(links.a.tolist(), links.b.tolist(), strict=True)).index((2, 3))
    assert (marks.words[marks.a[row]], marks.words[marks.b[row]]) == ("fresh", "")
    swarm.advance(SECOND - 1)
    assert swarm.snapshot(contacts=True).links is links
    swarm.advance(SECOND)
    assert swarm.snapshot(contacts=True).links is links, "the same, though asked again"
    assert asked(swarm) == 18
    swarm.do(Kill(0))
    after = swarm.snapshot(contacts=True).links
    assert after.version != links.version
    assert 0 not in after.a, "who is gone is no link"
    host(swarm, 1).link(5)
    assert not swarm.snapshot(contacts=True).links.contacts, "a stream is a link, and then nobody is asked"
    assert swarm.select("near #1") == (5,)
    assert [swarm.neighbours_of(one) for one in ((1,), (3,), (1, 5), (1, 3))] == [(5,), (), (), (5,)]
    host(swarm, 1).unlink(5)
    assert swarm.snapshot(contacts=True).links.contacts


def test_a_network_without_contacts_has_no_links() -> None:
    swarm = make_swarm(3, Diary)
    for peer in range(3):
        for other in list(swarm.links_of(peer)):
            host(swarm, peer).unlink(other)
    assert not swarm.snapshot(contacts=True).links.contacts
    assert swarm.select("degree>0") == ()


def test_attacks_go_by_contacts_and_not_by_what_a_view_saw() -> None:
    runs = []
    for looks in (False, True):
        swarm = acquaintances(8)
        if looks:
            swarm.snapshot(contacts=True)
            swarm.select("degree>3")
        for peer in range(8):
            program: Any = swarm.peer(peer)
            program.table = (5, (peer + 1) % 8)
        assert next(preset for preset in swarm.attacks() if preset.name == "eclipse").why_not == ""
        swarm.advance(500_000)
        swarm.do(Attack("degree", share=0.1))
        assert not swarm.peer(5)
        swarm.do(Attack("eclipse", peers=1, count=3, over_s=4.0, word="x"))
        swarm.advance(9 * SECOND)
        runs.append(swarm.fingerprint())
    assert runs[0] == runs[1]


def test_an_eclipse_removes_the_contacts_of_its_victim() -> None:
    swarm = acquaintances(8)
    swarm.do(Attack("eclipse", peers=3, count=2, over_s=4.0, word="x"))
    assert [peer for peer in range(8) if not swarm.peer(peer)] == [0, 4, 5]
    lonely = next(preset for preset in make_swarm(4, Loner).attacks() if preset.name == "eclipse")
    assert lonely.why_not.startswith("Users keep no links")


class Loner(Diary, name="loner"):
    """Neither streams nor contacts."""

    overlay = False


def test_a_smallest_cut_goes_along_contacts() -> None:
    swarm = acquaintances(7)
    for peer in range(7):
        program: Any = swarm.peer(peer)
        program.table = (peer + 1,) if peer < 6 else ()
    swarm.library(6).add(file_of("blue train", 1))
    cut = swarm.min_cut(0, "blue train")
    assert len(cut.peers) == 1
    assert cut.holders == (6,)


class Failing(Acquaintance, name="failing"):
    """Raises when its contacts are read."""

    def contacts(self) -> Any:
        raise KeyError("bucket")


def test_a_failure_of_contacts_is_that_of_the_peer() -> None:
    with pytest.raises(PeerFailed, match=r"peer #0 failed on contacts: KeyError"):
        make_swarm(3, Failing).select("degree>1")
