"""The time-space diagram, the tree of who told whom, and what is told of an ask on the map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import frames
import numpy as np
import pytest
from scenes import flight, picture, quiet, scene, trace

from engine import Arrivals, Losses, Trace
from tui.draw import diagram, raster, tree
from tui.draw.layout import View
from tui.draw.styles import INK, MODES, Mode

MS = 1_000


def told(**changes: Any) -> Trace:
    """Peer 0 asked 1 and 2; 1 asked 3, who answered through 1, and 2 asked 1 again; 2's question to 4 was lost."""
    asked = Arrivals(
        np.array([0, 0, 1, 2], np.int32),
        np.array([1, 2, 3, 1], np.int32),
        np.array([0, 0, 50, 60]) * MS,
        np.array([50, 60, 100, 120]) * MS,
        4,
    )
    lost = Losses(
        np.array([2], np.int32),
        np.array([4], np.int32),
        np.array([60 * MS]),
        np.array([140 * MS]),
        np.array([0], np.uint8),
        ("censored",),
        1,
    )
    values: dict[str, Any] = {
        "questions": asked,
        "lost": lost,
        "answers_sent_us": np.array([100, 150], np.int64) * MS,
        "repeats": np.array([0, 1, *[0] * (frames.N - 2)], np.int32),
    }
    return trace(**(values | changes))


def shown(what: Trace, mode: Mode = "braille", view: View | None = None, **snap: Any) -> tuple[raster.Canvas, Any]:
    snapshot = frames.snapshot(now_us=snap.pop("now_us", 300 * MS), **snap)
    canvas = raster.Canvas(60, 12, mode)
    line = diagram.timeline(what, snapshot)
    plot = diagram.plot_of(canvas, snapshot.fixed.labels, line, view or View())
    diagram.draw(canvas, line, plot, snapshot, 3)
    return canvas, (line, plot)


def test_peers_stand_in_the_order_in_which_the_question_came() -> None:
    _, (line, _) = shown(told())
    assert line.order.tolist() == [0, 1, 2, 3, 4]
    assert line.part.tolist() == [
        *[diagram.QUESTION] * 3,
        diagram.DUPLICATE,
        *[diagram.ANSWER] * 2,
        diagram.LOST,
    ]
    assert [why for why in line.reasons if why] == ["censored"]


def test_the_picture_names_peers_marks_answers_and_crosses_losses() -> None:
    canvas, _ = shown(told())
    text = raster.to_text(canvas)
    for piece in ("p000", "p003", "p004", "◈", "★", "✕ censored", "0.1 s"):
        assert piece in text, piece
    for ink in ("question", "way", "duplicate", "lost"):
        assert (canvas.ink == INK[ink]).any(), ink


def test_a_line_goes_down_from_sender_to_receiver_and_an_answer_goes_up() -> None:
    _, (line, plot) = shown(told())
    x0, y0 = plot.spot(line, line.row[line.frm], line.sent_us)
    x1, y1 = plot.spot(line, line.row[line.to], line.at_us)
    assert (x1 > x0).all()
    assert (y1 > y0)[line.part == diagram.QUESTION].all()
    assert (y1 < y0)[line.part == diagram.ANSWER].all()


def test_what_is_under_way_is_drawn_as_far_as_it_has_come() -> None:
    under = flight((1, 5, 50 * MS, 150 * MS, 0, 12), (0, 2, 50 * MS, 150 * MS, 0, 11), (2, 1, 0, 200 * MS, 0, 12))
    _, (line, _) = shown(told(), now_us=100 * MS, flight=under)
    assert line.head[-2:].tolist() == [0.5, 0.5], "the other ask's is left out"
    assert line.part[-2:].tolist() == [diagram.QUESTION, diagram.DUPLICATE]
    assert 5 in line.order.tolist()


@pytest.mark.parametrize("span_ms", [1, 7, 99, 100, 101, 412, 999, 5_000, 61_000, 3_600_000])
def test_the_width_is_a_round_figure_not_much_wider_than_needed(span_ms: int) -> None:
    wide = diagram.round_up(span_ms * MS)
    assert span_ms * MS <= wide <= max(2 * span_ms * MS, 20 * MS)


def test_zoomed_in_fewer_peers_are_named_and_the_click_finds_whose_line_it_is() -> None:
    _, (line, plot) = shown(told())
    assert plot.peer_at(line, 0) == 0
    assert plot.peer_at(line, 10) == 4
    _, (line, near) = shown(told(), view=View().zoomed_at(0.5, 1.0, 4.0))
    assert near.peer_at(line, 0) > 0
    assert near.pitch(line) == pytest.approx(4 * plot.pitch(line))


def test_ten_thousand_peers_share_lines() -> None:
    n = 10_000
    later, sent = np.arange(1, n), np.zeros(n - 1, np.int64)
    asked = Arrivals(sent.astype(np.int32), later.astype(np.int32), sent, later * MS, n - 1)
    hop = np.ones(n, np.int32)
    hop[0] = 0
    frm = np.zeros(n, np.int32)
    frm[0] = -1
    at = np.arange(n, dtype=np.int64) * MS
    what = trace(n, hop=hop, frm=frm, at_us=at, questions=asked, answers_sent_us=np.array([100, 150], np.int64) * MS)
    snapshot = quiet(n, now_us=20_000_000)
    canvas = raster.Canvas(80, 20)
    line = diagram.timeline(what, snapshot)
    plot = diagram.plot_of(canvas, snapshot.fixed.labels, line, View())
    diagram.draw(canvas, line, plot, snapshot, None)
    assert len(line.order) == n
    assert len(raster.to_text(canvas).splitlines()) == 20


@pytest.mark.parametrize("mode", MODES)
def test_each_alphabet_draws_it(mode: Mode) -> None:
    canvas, _ = shown(told(), mode)
    text = raster.to_text(canvas)
    assert text.isascii() == (mode == "ascii")
    assert "p000" in text


# --- the tree --------------------------------------------------------------------------------------------


def test_the_tree_hangs_each_peer_on_who_first_told_it() -> None:
    made = tree.tree_of(told())
    assert made.nodes.tolist() == [0, 1, 2, 3, 4]
    assert [made.nodes[up] for up in made.parent[1:]] == [0, 0, 1, 2]
    assert made.depth.tolist() == [0, 1, 1, 2, 2]
    assert [made.reasons[why] for why in made.why] == ["", "", "", "", "censored"]


def test_branches_do_not_cross_and_a_parent_stands_amid_its_branch() -> None:
    rng = np.random.default_rng(3)
    n = 200
    frm = np.array([-1, *(int(rng.integers(0, i)) for i in range(1, n))], np.int32)
    hop = np.zeros(n, np.int32)
    for i in range(1, n):
        hop[i] = hop[frm[i]] + 1
    made = tree.tree_of(trace(n, frm=frm, hop=hop, at_us=np.arange(n, dtype=np.int64), holders=()))
    leaves = [i for i in range(n) if i not in set(made.parent.tolist())]
    assert sorted(made.height[leaves].tolist()) == pytest.approx([(k + 0.5) / len(leaves) for k in range(len(leaves))])
    assert tree.leaves_of(made) == len(leaves)
    for node in range(n):
        below = [i for i in range(n) if made.parent[i] == node]
        if below:
            assert min(made.height[below]) <= made.height[node] <= max(made.height[below])
    spans = []
    for top in (i for i in range(n) if made.depth[i] == 1):
        members, grown = {top}, True
        while grown:
            more = {i for i in range(n) if made.parent[i] in members} - members
            members |= more
            grown = bool(more)
        heights = made.height[sorted(members)]
        spans.append((heights.min(), heights.max()))
    spans.sort()
    assert all(spans[i][1] < spans[i + 1][0] for i in range(len(spans) - 1))


def test_the_route_of_an_answer_is_highlighted_and_duplicates_are_counted() -> None:
    what, snapshot = told(), frames.snapshot()
    made = tree.tree_of(what)
    canvas = raster.Canvas(60, 12)
    x, y = tree.spots(made, canvas, View())
    tree.draw(canvas, made, x, y, what, snapshot, None, 1.0)
    text = raster.to_text(canvas)
    assert "★ p003" in text
    assert "✕ p004 censored" in text
    assert (canvas.ink == INK["way"]).any()
    repeated = told(repeats=np.array([0, 0, 0, 7, *[0] * (frames.N - 4)], np.int32))
    canvas = raster.Canvas(60, 12)
    tree.draw(canvas, made, x, y, repeated, snapshot, None, 1.0)
    assert "p003 +7" in raster.to_text(canvas)


# --- on the map ------------------------------------------------------------------------------------------

PLACES = [(4.0, 10.0), (20.0, 4.0), (20.0, 16.0), (30.0, 4.0), (36.0, 16.0)]


def small(what: Trace, **snap: Any) -> raster.Canvas:
    snapshot = quiet(5, **snap)
    cut = replace(what, frm=what.frm[:5], hop=what.hop[:5], at_us=what.at_us[:5], repeats=what.repeats[:5])
    return picture(scene(snapshot, PLACES, trace=cut), 30, 6)


def test_a_loss_is_marked_where_it_died_with_its_reason_and_passes() -> None:
    assert "censored" in raster.to_text(small(told(), now_us=200 * MS))
    assert "censored" not in raster.to_text(small(told(), now_us=5_000 * MS))


def test_links_that_told_nothing_new_are_dotted_below_the_tree() -> None:
    assert (small(told(), now_us=200 * MS).ink == INK["duplicate"]).any()
    assert not (small(trace(), now_us=200 * MS).ink == INK["duplicate"]).any()


def test_the_front_is_who_was_just_reached() -> None:
    early, late = small(told(), now_us=70 * MS), small(told(), now_us=2_000 * MS)
    stood = (early.owner == 1) & (early.glyph != 0)
    assert (early.ink[stood] == INK["question"]).all()
    assert (late.ink[(late.owner == 1) & (late.glyph != 0)] == INK["asked"]).all()


def test_peers_of_the_minimum_cut_have_a_ring() -> None:
    plain = picture(scene(quiet(5), PLACES), 30, 6)
    ringed = picture(scene(quiet(5), PLACES, ringed=(2,)), 30, 6)
    assert not (plain.ink == INK["censored"]).any()
    assert (ringed.ink == INK["censored"]).any()
