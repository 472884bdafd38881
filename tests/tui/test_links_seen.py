"""What the picture shows of links: contacts where no stream is open, links that are cut, and referrals."""

from __future__ import annotations

import pickle

import frames
import numpy as np
import pytest
from person import Person, dashboard
from scenes import picture, quiet, scene, trace
from wards import Acquaintance, Patient

from engine import Arrivals, AskFor, Cut, CutLinks, Hold, LinkMarks, Links, Mend, Paths, PeerId, Setup, Swarm
from tui.draw import legend
from tui.draw.diagram import timeline
from tui.draw.raster import Canvas
from tui.draw.scene import PATHS_MOST, base, paths_shown
from tui.draw.styles import INK, MODES, Mode
from tui.draw.tree import repeated_questions, tree_of
from tui.widgets.inspector import Inspector
from tui.widgets.menu import Menu
from tui.widgets.panel import TextRows
from tui.widgets.peers_table import PeersTable
from tui.widgets.swarm_view import belief_canvas

ROW = [(float(4 * i), float(2 + 9 * (i % 3))) for i in range(8)]


def test_contacts_are_drawn_lighter_and_the_legend_names_them() -> None:
    a, b = np.array([0, 2], np.int32), np.array([3, 5], np.int32)
    drawn = scene(quiet(8, links=Links(-2, a, b, contacts=True)), ROW)
    canvas = picture(drawn)
    assert INK["contact"] in canvas.ink
    assert INK["link"] not in canvas.ink
    assert "contact" in [word for _, word, _ in legend.entries(drawn, canvas)]
    assert "contact" not in [word for _, word, _ in legend.entries(scene(quiet(8), ROW), canvas)]


def test_a_link_that_is_cut_is_drawn_though_no_stream_is_open_on_it() -> None:
    a, b = np.array([0], np.int32), np.array([7], np.int32)
    cut = scene(quiet(8, cut_links=CutLinks(a, b)), ROW)
    canvas = picture(cut)
    assert INK["cut"] in canvas.ink
    assert INK["cut"] not in picture(scene(quiet(8), ROW)).ink
    assert "cut link" in [word for _, word, _ in legend.entries(cut, canvas)]
    # Of a peer whose links are all cut, the links to peers that it still knows as contacts.
    links = Links(-2, np.array([1], np.int32), np.array([2], np.int32), contacts=True)
    whole = np.arange(8) == 1
    alone = scene(quiet(8, links=links, cut_links=CutLinks(whole=whole)), ROW)
    canvas = picture(alone)
    assert INK["cut"] in canvas.ink
    assert (canvas.glyph == ord("╫")).sum() == 1
    assert "links cut" in [word for _, word, _ in legend.entries(alone, canvas)]


def test_ways_over_several_peers_are_drawn_of_the_selected_peer_or_all_if_they_are_few() -> None:
    def told(hops: list[list[int]], word: list[int]) -> Paths:
        """Ways that end after these hops."""
        count = len(hops)
        ends, loops = np.full(count, -2, np.int32), np.zeros(count, np.bool_)
        return Paths(1, np.array(hops, np.int32), np.array(word, np.uint8), ("", "circuit"), ends, loops)

    paths = told([[0, 3, 5, 7], [2, 3, -1, -1]], [1, 0])
    for chosen, rows in ((None, [0, 1]), (3, [0, 1]), (5, [0]), (2, [1]), (6, [])):
        seen = scene(quiet(8, paths=paths), ROW, selected=chosen)
        assert paths_shown(seen).tolist() == rows
        canvas = picture(seen)
        assert (INK["path"] in canvas.ink) == bool(rows)
        words = [word for _, word, _ in legend.entries(seen, canvas)]
        assert ("circuit" in words) == (0 in rows)
        assert ("way" in words) == (1 in rows)
    many = told([[0, 1 + k % 7] for k in range(PATHS_MOST + 1)], [1] * (PATHS_MOST + 1))
    assert not len(paths_shown(scene(quiet(8, paths=many), ROW)))


@pytest.mark.parametrize("mode", MODES)
def test_words_of_links_and_ways_differ_without_colours(mode: Mode) -> None:
    """Each in the legend has a line of its own, and lines of two words between the same places have other dots."""
    words = ("", *(f"word {number}" for number in range(1, 6)))
    ends = np.array([0], np.int32), np.array([7], np.int32)
    links = Links(-2, np.arange(5, dtype=np.int32), np.arange(1, 6, dtype=np.int32))
    codes = np.arange(1, 6, dtype=np.uint8)
    hops = np.array([[0, 1], [1, 0], [4, 5], [4, 6]], np.int32)
    ways = np.array([1, 1, 1, 2], np.uint8)
    paths = Paths(1, hops, ways, ("", "next hop", "in use"), np.array([1, 0, -2, -2], np.int32), hops[:, 0] < 2)
    seen = scene(quiet(8, links=links, marks=LinkMarks(1, words, codes, codes), paths=paths), ROW, selected=4)
    named = {*words, "next hop", "in use", "loop"}
    lines = [shape for shape, word, _ in legend.entries(seen, Canvas(60, 12, mode)) if word in named]
    assert len(lines) == 8
    assert len(set(lines)) == 8
    drawn = set()
    for chosen in (None, 0):
        for code in range(1, 6):
            word = np.array([code], np.uint8)
            one = scene(quiet(8, links=Links(-2, *ends), marks=LinkMarks(1, words, word, word)), ROW, selected=chosen)
            under = Canvas(60, 12, mode)
            base(under, one)
            assert under.dots.any()
            drawn.add((chosen, under.dots.tobytes()))
    assert len(drawn) == 10, "no two words have the same dots"


def test_a_loop_of_ways_is_drawn_whoever_is_selected_and_told_once_in_the_legend() -> None:
    hops = np.array([[0, 1], [1, 0], [4, 5]], np.int32)
    onward, loops = np.array([1, 0, -2], np.int32), np.array([True, True, False])
    paths = Paths(1, hops, np.ones(3, np.uint8), ("", "next hop"), onward, loops)
    for chosen, rows, told in ((7, [0, 1], []), (4, [0, 1, 2], ["next hop"])):
        seen = scene(quiet(8, paths=paths), ROW, selected=chosen)
        assert paths_shown(seen).tolist() == rows
        words = [word for _, word, _ in legend.entries(seen, picture(seen))]
        assert [word for word in words if word in ("next hop", "loop")] == [*told, "loop"]


def test_a_snapshot_has_the_links_that_are_cut_also_in_a_copy_of_the_swarm() -> None:
    swarm = Swarm(Setup(protocol="ward", peers=12, topology="ring", asks_per_s=0.0), Patient)
    assert not len(swarm.snapshot().cut_links.a)
    swarm.do(Cut((3, 5, 4)))
    swarm.do(Cut(8))
    swarm.do(Hold(2))
    for one in (swarm, pickle.loads(pickle.dumps(swarm))):
        snapshot = one.snapshot()
        pairs = set(zip(snapshot.cut_links.a.tolist(), snapshot.cut_links.b.tolist(), strict=True))
        assert pairs == {(3, 4), (3, 5), (4, 5)}
        assert np.flatnonzero(snapshot.cut_links.whole).tolist() == [8]
        assert np.flatnonzero(snapshot.cut).tolist() == [3, 4, 5, 8]
        assert np.flatnonzero(snapshot.held).tolist() == [2]
    swarm.do(Mend((3, 4, 5)))
    swarm.do(Mend(8))
    assert not len(swarm.snapshot().cut_links.a)
    assert not len(swarm.snapshot().cut_links.whole)


def test_a_referral_is_a_line_of_the_tree_and_of_the_diagram_and_no_duplicate() -> None:
    # Peer 0 asked 1, which referred it to 2; 2 is below 1, and the message to it came from 0.
    told = trace(8)
    frm, hop, at = told.frm.copy(), told.hop.copy(), told.at_us.copy()
    frm[[1, 2, 3]], hop[[1, 2, 3]], at[[1, 2, 3]] = [0, 1, 2], [1, 2, 3], [10, 30, 50]
    asked = Arrivals(
        np.array([0, 0, 0, 0], np.int32),
        np.array([1, 2, 3, 2], np.int32),
        np.array([0, 20, 40, 55], np.int64),
        np.array([10, 30, 50, 60], np.int64),
        4,
    )
    none = np.zeros(0, np.int32)
    referred = trace(
        8,
        frm=frm,
        hop=hop,
        at_us=at,
        questions=asked,
        holders=(),
        answers_frm=none,
        answers_to=none,
        answers_at_us=none.astype(np.int64),
    )
    assert repeated_questions(referred).tolist() == [False, False, False, True]
    line = timeline(referred, quiet(8))
    assert line.frm[:4].tolist() == [0, 1, 2, 0]
    tree = tree_of(referred)
    assert tree.nodes.tolist()[:4] == [0, 1, 2, 3]
    assert tree.parent.tolist()[:4] == [-1, 0, 1, 2]
    inks = picture(scene(quiet(8), ROW, trace=referred)).ink
    assert INK["tree"] in inks


def of_table(person: Person, peer: PeerId) -> int:
    """The links that the table of peers tells of one."""
    data = person.main.query_one(PeersTable).data
    assert data is not None
    return int(data.degrees()[peer])


async def diagram(person: Person) -> None:
    """Show the diagram of an ask in place of the picture, which shows links."""
    person.session.slow_motion.enabled = False
    person.session.do(AskFor(0, "blue train"))
    await person.wait(1.0)
    await person.press("d")
    assert person.main.picture is not person.view


@pytest.mark.anyio
async def test_contacts_are_read_only_while_the_picture_or_the_table_shows_them() -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Acquaintance), peers=9, asks_per_s=0.0) as person:
        await person.wait(1.0)
        frame = person.main.frame
        assert frame is not None
        assert frame.snapshot.links.contacts
        assert len(frame.snapshot.links.a)
        assert "contacts" in str(person.view.border_title)
        program = person.session.swarm.peer(3)
        assert isinstance(program, Acquaintance)
        await person.press("7")  # the table of peers, and then over the whole screen
        await person.press("f")
        before = program.asked
        await person.wait(5.0)
        assert program.asked > before
        assert [of_table(person, peer) for peer in (0, 3)] == [8, 5]
        await person.press("f", "7", "5", "f")  # the feed over the whole screen
        assert not person.main.query_one(PeersTable).display
        before = program.asked
        await person.wait(5.0)
        assert program.asked == before


@pytest.mark.anyio
async def test_table_inspector_and_menu_tell_the_same_links_where_no_stream_is_open() -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Acquaintance), peers=9, asks_per_s=0.0) as person:
        await diagram(person)
        await person.press("7")  # the table of peers
        person.main.pick(3)
        await person.wait(1.0)
        near = person.main.neighbours()
        assert near == (0, 1, 2, 4, 5), "peers 1 and 2 have it as a contact"
        assert of_table(person, 3) == len(near)
        frame = person.main.frame
        assert frame is not None
        assert frame.facts is not None
        assert (frame.facts.links, frame.facts.contacts) == (near, True)
        words = person.main.query_one(Inspector).query_one("#peer", TextRows).text
        assert "links      5  p000 p001 p002" in words
        await person.press("backslash")
        menu = person.main.query_one(Menu)
        assert "Choose their 5 neighbours" in [line.says for line in menu.lines]
        await person.press("escape")
        # A stream is a link, and then no peer is asked for its contacts.
        person.session.swarm.simulation.peer_hosts[3].link(7)
        await person.wait(2.0)
        assert person.main.neighbours() == (7,)
        assert [of_table(person, peer) for peer in (0, 3)] == [0, 1]


@pytest.mark.anyio
async def test_for_the_selected_peer_contacts_are_read_only_while_the_inspector_is_there() -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Acquaintance), peers=9, asks_per_s=0.0) as person:
        person.main.pick(3)
        await diagram(person)
        program = person.session.swarm.peer(4)
        assert isinstance(program, Acquaintance)
        reads = []
        for _ in range(2):
            before = program.asked
            await person.wait(5.0)
            reads.append(program.asked > before)
            await person.press("1", "1")  # go to the inspector, and close it
        assert reads == [True, False]
        assert not person.main.query_one(Inspector).display
        frame = person.main.frame
        assert frame is not None
        assert frame.facts is not None


def test_what_a_peer_believes_has_no_lines_to_peers_that_only_know_it() -> None:
    drawn = scene(quiet(8), ROW, selected=3)
    pictures = []
    for links, contacts in (((), False), ((1, 5), True), ((1, 5), False)):
        facts = frames.facts(3, links=links, contacts=contacts)
        frame = frames.frame(snap=quiet(8), selected=3, facts=facts, show_belief=True)
        pictures.append(belief_canvas(frame, drawn, MODES[0], 40, 30, legend=False).ink.tolist())
    assert pictures[0] == pictures[1]
    assert pictures[0] != pictures[2]


@pytest.mark.anyio
async def test_a_peer_that_fails_when_its_contacts_are_read_for_the_inspector_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Acquaintance), peers=9, asks_per_s=0.0) as person:
        await diagram(person)
        monkeypatch.setattr(Acquaintance, "contacts", lambda self: [][0])
        person.main.pick(3)
        await person.wait(3.0)
        assert "contacts" in person.session.player.alarm
        assert person.main.neighbours() == ()
        frame = person.main.frame
        assert frame is not None
        assert frame.facts is not None
        assert (frame.facts.links, frame.facts.contacts) == ((), False)
