"""What is drawn where and in which ink, and how the places of peers change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scenes import flight, picture, quiet, scene, trace

from engine import Links
from tui.draw import legend, raster
from tui.draw.colours import LOOK, LOOKS, STATE, colouring, looks_of
from tui.draw.raster import lay
from tui.draw.scene import MANY
from tui.draw.stage import MOVE_S, Stage
from tui.draw.styles import INK, SIDE_BITS, SIDES, Mode
from tui.draw.styles import TABLE as INKS
from tui.screens.frame_clock import FramePace
from tui.session.panels import behind, shown_panels


def test_a_message_is_drawn_where_it_is_and_nowhere_else() -> None:
    ends = [(2.0, 9.0), (37.0, 9.0)]
    for now_us, col in ((0, 1), (50_000, 9), (100_000, 18)):
        snapshot = quiet(2, now_us=now_us, flight=flight((0, 1, 0, 100_000, 0, 0)))
        canvas = picture(scene(snapshot, ends))
        found = np.flatnonzero(canvas.glyph[2] == ord("•"))
        if now_us in (0, 100_000):
            assert not len(found)  # it is at a peer, which is drawn on top
        else:
            assert abs(int(found[0]) - col) <= 1
        assert not canvas.dots[:, col * 2 + 4 :].any()


def test_the_front_of_the_chosen_ask_draws_its_way_behind_it() -> None:
    ends = [(2.0, 9.0), (37.0, 9.0), (-9.0, 9.0), (-9.0, 9.0)]
    snapshot = quiet(4, now_us=80_000, flight=flight((0, 1, 0, 100_000, 0, 12)))
    none = np.zeros(0, np.int32)
    nobody = np.full(4, -1, np.int32)
    begun = trace(4, frm=nobody, hop=nobody, holders=(), answers_frm=none, answers_to=none)
    own = picture(scene(snapshot, ends, trace=begun))
    other = picture(scene(snapshot, ends))
    assert own.dots.any(axis=0)[4:28].all()
    assert not other.dots.any(axis=0)[4:20].any()


def test_upkeep_is_shown_only_on_demand() -> None:
    snapshot = quiet(2, now_us=50_000, flight=flight((0, 1, 0, 100_000, 3, 0)))
    ends = [(2.0, 9.0), (37.0, 9.0)]
    assert not picture(scene(snapshot, ends)).dots.any()
    assert picture(scene(snapshot, ends, upkeep=True)).dots.any()


def test_the_state_is_shown_by_shape_and_by_ink() -> None:
    snapshot = quiet(
        5,
        state=np.array([0, 1, 2, 0, 0], np.uint8),
        censored=np.array([0, 0, 0, 1, 0], np.bool_),
        colluding=np.array([0, 0, 0, 0, 1], np.bool_),
    )
    canvas = picture(scene(snapshot, [(4.0 * i + 1, 2.0) for i in range(5)]))
    shapes = [chr(canvas.glyph[0, 2 * i]) for i in range(5)]
    assert shapes == ["●", "✕", "○", "⊘", "◆"]
    assert [int(canvas.ink[0, 2 * i]) for i in range(5)] == [
        INK[name] for name in ("alive", "dead", "left", "censored", "colluding")
    ]


def test_an_ask_colours_whom_it_reached_and_who_answered_but_the_dead_stay_dead() -> None:
    state = np.zeros(6, np.uint8)
    state[2] = 1
    looks = looks_of(quiet(6, state=state), trace(6))
    assert [int(look) for look in looks] == [LOOK[w] for w in ("origin", "asked", "dead", "answered", "alive", "alive")]


def test_who_has_it_who_named_it_and_who_keeps_a_record_are_three_looks() -> None:
    told = trace(8, holders=(3, 6), answerers=(5, 6))
    looks = looks_of(quiet(8), told, keepers=(4, 5, 6))
    assert [LOOKS[look] for look in looks[3:].tolist()] == ["answered", "keeper", "answerer", "answered", "alive"]
    by_hop = colouring("answer", quiet(8), told, keepers=(4, 5, 6))
    assert [by_hop.looks[look].name for look in by_hop.of[3:7].tolist()] == [
        "answered",
        "keeper",
        "answerer",
        "answered",
    ]
    shapes = {by_hop.looks[look].glyph("ascii") for look in by_hop.of[3:6].tolist()}
    assert len(shapes) == 3


def test_a_line_on_top_does_not_light_up_the_dots_below() -> None:
    under, over = raster.Canvas(4, 2), raster.Canvas(4, 2)
    raster.lines(under, [0], [0], [7], [0], INK["link"])
    raster.lines(over, [0], [3], [3], [3], INK["tree"])
    lay(under, over)
    assert under.dots[0].tolist() == [False] * 4 + [True] * 4
    assert under.dots[3].tolist() == [True] * 4 + [False] * 4
    assert under.ink[0].tolist() == [INK["tree"]] * 2 + [INK["link"]] * 2


def test_many_peers_show_only_the_links_of_the_chosen_one() -> None:
    n = 200
    a = np.arange(n - 1, dtype=np.int32)
    snapshot = quiet(n, links=Links(1, a, a + 1))
    at = [(float(2 * (i % 20)), float(4 * (i // 20) + 2)) for i in range(n)]
    assert not picture(scene(snapshot, at), 20, 40).dots.any()
    canvas = picture(scene(snapshot, at, selected=50), 20, 40)
    assert canvas.dots.any()
    assert INK["link"] not in canvas.ink[canvas.dots.reshape(40, 4, 20, 2).any(axis=(1, 3))]


def test_links_cut_by_a_partition_are_told_apart() -> None:
    one = np.zeros(1, np.int32)
    group = np.array([0, 1], np.int32)
    snapshot = quiet(2, links=Links(1, one, one + 1), group=group)
    assert INK["cut"] in picture(scene(snapshot, [(2.0, 9.0), (37.0, 9.0)])).ink


def test_in_a_crowded_cell_a_rare_state_is_shown() -> None:
    n = MANY + 500
    told = trace(n)
    canvas = picture(scene(quiet(n), [(5.0, 5.0)] * n, trace=told))
    assert chr(canvas.glyph[1, 2]) == "◈"
    assert canvas.owner[1, 2] >= 0


def test_the_legend_names_only_what_is_to_be_seen() -> None:
    what = scene(quiet(3), [(2.0, 2.0)] * 3)
    canvas = raster.Canvas(60, 10)
    words = [word for _, word, _ in legend.entries(what, canvas)]
    assert words == ["alive", "dead", "question"]
    asked = scene(quiet(4), [(2.0, 2.0)] * 4, trace=trace(4))
    words = [word for _, word, _ in legend.entries(asked, canvas)]
    assert {"not reached", "asker", "asked", "has it"} <= {*words, "not reached"}
    legend.draw(canvas, asked)
    assert "asker" in raster.to_text(canvas)


def test_an_ink_and_a_side_fit_into_a_byte() -> None:
    assert len(INKS) <= 1 << SIDE_BITS
    assert len(SIDES) << SIDE_BITS <= 256


# --- the stage -------------------------------------------------------------------------------------------


def test_a_new_placement_glides_and_then_rests() -> None:
    stage, snapshot = Stage("ring"), quiet(8)
    stage.resize(160, 80, 1.0)
    stage.follow(snapshot, 0, 0.0)
    ring_x, _ = stage.dots(0.0)
    stage.place("world")
    stage.follow(snapshot, 0, 1.0)
    assert stage.moving(1.0 + MOVE_S / 2)
    assert np.allclose(stage.dots(1.0)[0], ring_x, atol=12)
    assert not stage.moving(1.1 + MOVE_S)
    version = stage.version
    stage.follow(snapshot, 0, 5.0)
    assert stage.version == version


def test_rings_of_hops_follow_the_links_once_a_second_at_most() -> None:
    stage = Stage("hops")
    stage.resize(160, 80, 1.0)
    one = np.zeros(1, np.int32)
    seen = []
    snapshot = quiet(4)
    for number, wall_s in enumerate((0.0, 0.2, 0.4, 1.4), 1):
        stage.follow(replace(snapshot, links=Links(number, one, one + number % 3 + 1)), 0, wall_s)
        seen.append(stage.version)
    assert seen[0] == seen[1] == seen[2] < seen[3]


def test_stations_are_placed_inside_the_ring() -> None:
    snapshot = quiet(9)
    stations = np.arange(9) == 4
    snapshot = replace(snapshot, fixed=replace(snapshot.fixed, infrastructure=stations))
    stage = Stage("ring")
    stage.resize(160, 80, 1.0)
    stage.follow(snapshot, 0, 0.0)
    x, y = stage.dots(0.0)
    assert (round(float(x[4]), 1), round(float(y[4]), 1)) == (79.5, 39.5)


# --- pace and room ------------------------------------------------------------------------------------------


def test_slow_pictures_are_drawn_less_often_and_fast_ones_as_asked() -> None:
    pace = FramePace(20.0)
    for number in range(40):
        pace.painted(number * 0.1, 0.06)
    assert pace.slot_s > 0.1
    for number in range(40, 120):
        pace.painted(number * 0.1, 0.001)
    assert pace.slot_s == pytest.approx(0.05)


def test_room_is_given_by_importance_and_first_to_opened_panels() -> None:
    assert shown_panels(80, 24, {}) == {"swarm", "figures"}
    assert shown_panels(80, 24, {}, selected=True) == {"swarm", "figures", "inspector"}
    assert shown_panels(120, 36, {}) == {"swarm", "inspector", "asks", "controls", "charts", "feed"}
    assert "controls" not in shown_panels(120, 36, {"controls": False})
    assert "feed" in shown_panels(80, 24, {"feed": True})
    assert {"story", "inspector"} <= shown_panels(120, 36, {}, story=True)


def test_a_panel_names_those_that_share_its_place() -> None:
    told = shown_panels(120, 36, {}, story=True)
    assert "controls" not in told
    assert behind(120, 36, {}, told, story=True)["story"] == ("controls",)
    wished = shown_panels(120, 36, {"controls": True}, story=True)
    assert "controls" in wished
    assert behind(120, 36, {"controls": True}, wished, story=True)["controls"] == ("story",)
    assert {"story", "controls"} <= shown_panels(200, 50, {}, story=True)


def test_the_panel_that_was_opened_last_has_the_place() -> None:
    assert "asks" not in shown_panels(120, 36, {"peers": True})
    assert "kinds" in shown_panels(120, 36, {"peers": True, "kinds": True})
    assert "peers" in shown_panels(120, 36, {"kinds": True, "peers": True})
    both = shown_panels(200, 50, {"peers": True, "kinds": True})
    assert {"peers", "kinds"} <= both
    assert behind(200, 50, {"peers": True, "kinds": True}, both)["peers"] == ("asks",)


def test_one_panel_may_have_the_whole_screen() -> None:
    assert shown_panels(120, 36, {"feed": False}, selected=True, whole="peers") == {"peers"}


@pytest.mark.parametrize("mode", ["braille", "ascii"])
def test_decoys_and_held_links_are_shown_without_colours(mode: Mode) -> None:
    flags = np.eye(6, dtype=np.bool_)
    snapshot = quiet(6, poisoned=flags[1] | flags[3] | flags[4], held=flags[2] | flags[3], censored=flags[4])
    snapshot.state[5] = 1
    snapshot.poisoned[5] = True
    looks = [LOOKS[look] for look in looks_of(snapshot, None).tolist()]
    assert looks == ["alive", "poisoned", "held", "poisoned", "censored", "dead"]
    assert len({STATE[LOOK[look]].glyph(mode) for look in looks}) == len(set(looks))
