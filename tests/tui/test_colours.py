"""Colourings, and shapes that show the same; crowds, sides of a partition, and how the dead fade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import frames
import numpy as np
import pytest
from person import dashboard
from scenes import flight, picture, quiet, scene, trace
from textual.widgets import OptionList

from engine import Belief, Beliefs, Partition
from tui.draw import density, layout, legend, raster
from tui.draw.colours import COLOURS, STALE_US, ColourBy, Colouring, colouring
from tui.draw.scene import MANY, STAGES_S, WALL, Fading, sides_of
from tui.draw.stage import PLACEMENTS, Stage, why_not
from tui.draw.styles import DYING, HEAT, INK, LEVELS, MODES, SIDE_BITS, STEPS

spread = [(4.0 * i + 1, 2.0) for i in range(8)]


def names(colours: Colouring) -> list[str]:
    return [colours.looks[of].name for of in colours.of.tolist()]


def coloured(by: ColourBy, n: int = 8, held: Beliefs | None = None, **changes: Any) -> Colouring:
    return colouring(by, quiet(n, **changes), trace(n), 0, held)


# --- colourings ---


@pytest.mark.parametrize("by", COLOURS)
@pytest.mark.parametrize("mode", MODES)
def test_shapes_repeat_what_the_colours_say(by: ColourBy, mode: Any) -> None:
    colours = coloured(by, held=Beliefs({3: Belief(None)}))
    shapes = [look.glyph(mode) for look in colours.looks if not look.name.startswith("heat-")]
    assert len(set(shapes)) == len(shapes)
    assert len(set(LEVELS[mode])) == STEPS
    if mode == "ascii":
        assert "".join(shapes).isascii()


@pytest.mark.parametrize("by", [by for by in COLOURS if by != "belief"])
def test_the_dead_and_the_departed_look_the_same_in_every_colouring(by: ColourBy) -> None:
    state = np.array([0, 0, 0, 0, 0, 1, 2, 0], np.uint8)
    looks = names(coloured(by, state=state, load=np.full(8, 5, np.float32)))
    assert looks[5:7] == ["dead", "left"]


def test_load_is_a_gradient_to_the_busiest_with_its_unit() -> None:
    load = np.array([0, 1, 3, 10, 30, 100, 300, 1000], np.float32)
    colours = coloured("load", load=load)
    steps = [int(name[-1]) for name in names(colours)]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, STEPS - 1)
    assert colours.title == "load, messages/s"
    assert colours.ends == ("0", "1,000")


def test_nobody_has_a_load_before_anything_happened() -> None:
    assert set(names(coloured("load", load=np.zeros(8, np.float32)))) == {"heat-0"}


def test_last_heard_is_brightest_for_the_latest_and_a_peer_never_heard_differs() -> None:
    ages_us = np.array([0, 3_000_000, 10_000_000, 30_000_000, 600_000_000], np.int64)
    heard = np.append(700_000_000 - ages_us, -1)
    looks = names(coloured("heard", 6, now_us=700_000_000, last_heard_us=heard))
    assert looks == ["heat-4", "heat-3", "heat-2", "heat-1", "heat-0", "never"]


def test_belief_is_that_of_the_selected_peer_and_can_be_wrong() -> None:
    now_us = 100_000_000
    held = Beliefs(
        {
            1: Belief(now_us - 1),
            2: Belief(now_us - STALE_US - 1),
            3: Belief(None),
            4: Belief(now_us),
            5: Belief(now_us),
            99: Belief(now_us),
        }
    )
    state, censored = np.zeros(8, np.uint8), np.zeros(8, np.bool_)
    state[4], censored[5] = 1, True
    colours = coloured("belief", held=held, now_us=now_us, state=state, censored=censored)
    assert names(colours) == ["self", "known", "stale", "hearsay", "wrong", "wrong", "unknown", "unknown"]
    assert colours.title == "what p000 believes"
    assert "select a peer" in colouring("belief", quiet(8)).title


def test_the_answer_is_told_from_the_asker_outwards() -> None:
    colours = coloured("answer", 6)
    assert names(colours) == ["origin", "bearer", "heat-4", "answered", "unreached", "unreached"]
    assert "choose an ask" in colouring("answer", quiet(8)).title


def test_a_trace_with_fewer_peers_than_the_swarm_is_coloured() -> None:
    for by in COLOURS:
        assert len(colouring(by, quiet(12), trace(6)).of) == 12


def test_roles_have_shapes_of_their_own() -> None:
    snapshot = quiet(4)
    mixed = replace(snapshot, roles=("leaf", "ultrapeer"), role=np.array([0, 1, 0, 1], np.uint8))
    colours = colouring("role", mixed)
    assert names(colours) == ["leaf", "ultrapeer", "leaf", "ultrapeer"]
    assert colours.codes("braille")[2] != colours.codes("braille")[3]


# --- the legend ---


def test_the_legend_matches_the_colours_and_says_where_its_title_is() -> None:
    load = np.linspace(0, 48, 8, dtype=np.float32)
    what = scene(quiet(8, load=load), spread, colours=coloured("load", load=load))
    canvas = picture(what, 60, 10)
    row, first, last = legend.draw(canvas, what)
    text = raster.to_text(canvas).splitlines()[row]
    assert text[first : last + 1].endswith("load, messages/s")
    assert f"0 {LEVELS['braille']} 48" in text
    at = text.index(LEVELS["braille"])
    assert canvas.ink[row, at : at + STEPS].tolist() == list(HEAT)


def test_a_picture_of_a_few_lines_has_no_legend() -> None:
    what = scene(quiet(8), spread)
    assert legend.draw(picture(what, 60, 4), what) == (0, 0, -1)


# --- crowds ---


def test_detail_grows_from_heat_to_dots_to_glyphs() -> None:
    n = MANY + 300
    rng = np.random.default_rng(3)
    near = [(float(x), float(y)) for x, y in rng.uniform(4, 20, (n, 2))]
    far = [(float(x), float(y)) for x, y in rng.uniform(0, 1, (n, 2)) * (239, 159)]
    heat = picture(scene(quiet(n), near), 120, 40)
    assert heat.fullest > 1
    assert set(heat.ink[heat.glyph != 0].tolist()) <= set(HEAT)
    dots = picture(scene(quiet(n), far), 120, 40)
    assert not dots.fullest
    assert not dots.glyph.any()
    assert 0.8 * n < dots.dots.sum() <= n
    glyphs = picture(scene(quiet(200), far[:200]), 120, 40)
    assert (glyphs.glyph == ord("●")).sum() > 150


def test_the_fullest_cell_is_the_hottest() -> None:
    n = MANY + 300
    at = [(5.0, 5.0)] * (n - 60) + [(31.0, 9.0)] * 60
    canvas = picture(scene(quiet(n), at))
    assert HEAT.index(int(canvas.ink[1, 2])) > HEAT.index(int(canvas.ink[2, 15]))


def test_messages_are_seen_on_top_of_a_crowd() -> None:
    n = MANY + 300
    row = [(2.0 + i % 36, 9.0) for i in range(n)]
    snapshot = quiet(n, now_us=50_000, flight=flight((0, 35, 0, 100_000, 0, 0)))
    canvas = picture(scene(snapshot, row))
    assert ord("•") in canvas.glyph[2]


def test_a_crowd_under_the_pointer_is_counted_in_constant_time() -> None:
    col, row = np.array([2, 5, 2, 2, -1]), np.array([1, 1, 1, 0, 1])
    table = density.Sharing(col, row, 6, 2)
    assert table.at(2, 1).tolist() == [0, 2]
    assert table.at(5, 1).tolist() == [1]
    assert table.at(0, 0).tolist() == table.at(9, 9).tolist() == []


# --- partition ---


def test_each_side_of_a_partition_has_its_own_background() -> None:
    group = np.array([0, 1, 0, 1, 2, 7, 7, 0], np.int32)
    assert sides_of(quiet(8, group=group)).tolist() == [0, 1, 0, 1, 2, 3, 3, 0]
    assert not sides_of(quiet(8, group=np.ones(8, np.int32))).any()
    canvas = picture(scene(quiet(8, group=group), [(8.0 * i + 2, 6.0) for i in range(8)]), 40, 5)
    at = [int(canvas.ink[1, 4 * i + 1]) >> SIDE_BITS for i in range(8)]
    assert at == [0, 1, 0, 1, 2, 3, 3, 0]
    assert canvas.ink[1, 4] >> SIDE_BITS == canvas.ink[1, 6] >> SIDE_BITS == 1
    plain = picture(scene(quiet(8), [(8.0 * i + 2, 6.0) for i in range(8)]), 40, 5)
    assert (plain.ink < 1 << SIDE_BITS).all()


@pytest.mark.parametrize("split", [False, True])
def test_a_message_that_crosses_a_partition_shows_the_reason_of_its_loss(split: bool) -> None:
    ends = [(2.0, 9.0), (77.0, 9.0)]
    snapshot = quiet(
        2, now_us=80_000, flight=flight((0, 1, 0, 100_000, 0, 0)), group=np.array([0, int(split)], np.int32)
    )
    canvas = picture(scene(snapshot, ends), 40, 5)
    assert (ord(WALL["braille"]) in canvas.glyph) is split
    assert (ord("•") in canvas.glyph) is not split


# --- the dead ---


def test_the_dead_flash_and_then_fade() -> None:
    fading, state = Fading(), np.zeros(4, np.uint8)
    state[1] = 1
    fading.follow(quiet(4, state=state), 10.0, fresh=True)
    assert not fading.fading(10.0)
    assert fading.stages(10.0)[1] == len(DYING) - 1  # it was dead in the first frame
    state = state.copy()
    state[2] = 1
    fading.follow(quiet(4, state=state), 11.0, fresh=False)
    seen = [int(fading.stages(11.0 + after)[2]) for after in (0.0, *STAGES_S)]
    assert seen == [0, 1, 2, 3]
    assert fading.fading(11.0)
    assert not fading.fading(11.0 + STAGES_S[-1])
    canvas = picture(scene(quiet(4, state=state), spread[:4], dying=fading.stages(11.0)))
    assert [int(canvas.ink[0, 2 * i]) for i in (1, 2)] == [INK["dead"], INK["dead-now"]]


def test_a_revived_peer_may_die_again_and_newcomers_are_taken_in() -> None:
    fading, up, down = Fading(), np.zeros(4, np.uint8), np.array([0, 1, 0, 0], np.uint8)
    for wall_s, state in ((1.0, up), (2.0, down), (3.0, up), (9.0, down)):
        fading.follow(quiet(4, state=state), wall_s, fresh=wall_s == 1.0)
    assert fading.stages(9.0)[1] == 0
    fading.follow(quiet(6), 9.5, fresh=False)
    assert len(fading.stages(9.5)) == 6


# --- placements ---


def test_peers_are_placed_on_the_circle_by_their_identifiers() -> None:
    at = layout.identifiers([0.0, 0.25, 0.5, 0.75, float("nan")])
    assert np.allclose(at[:4], [[0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]], atol=1e-6)
    assert np.abs(at[4] - 0.5).max() < 0.2
    crowded = layout.identifiers(np.full(20, 0.25))
    assert len(np.unique(crowded, axis=0)) == 20
    assert ((crowded >= 0) & (crowded <= 1)).all()


def test_a_placement_that_would_show_nothing_says_so() -> None:
    snapshot = quiet(8)
    assert "identifiers" in why_not("identifiers", snapshot, None)
    assert not why_not("identifiers", replace(snapshot, ident=np.linspace(0, 0.9, 8, dtype=np.float32)), None)
    assert "link" in why_not("communities", snapshot, None)
    assert "ask" in why_not("ask", snapshot, None)
    assert not why_not("ask", snapshot, trace(8))


def test_every_placement_keeps_everybody_in_the_picture() -> None:
    ident = np.linspace(0, 0.99, frames.N, dtype=np.float32)
    snapshot = frames.snapshot(ident=ident)
    for placed in PLACEMENTS:
        stage = Stage(placed)
        stage.animate = False
        stage.resize(160, 80, 1.0)
        stage.follow(snapshot, 0, 1.0, trace())
        x, y = stage.dots(1.0)
        assert ((x >= 0) & (x < 160) & (y >= 0) & (y < 80)).all(), placed


# --- by hand ---


@pytest.mark.anyio
async def test_b_goes_through_the_colourings_and_the_legend_says_which() -> None:
    async with dashboard() as person:
        for by in (*COLOURS[1:], COLOURS[0]):
            await person.press("b")
            assert person.view.colour_by == by
        await person.press("b", "b")
        assert "load, messages/s" in person.view.text


@pytest.mark.anyio
async def test_a_click_on_the_title_of_the_legend_changes_it() -> None:
    async with dashboard() as person:
        row, first, _ = person.view._legend_at
        await person.pilot.click("SwarmView", offset=(first + 3, row + 1))
        assert person.view.colour_by == "role"
        assert person.session.selection.selected is None


@pytest.mark.anyio
async def test_layouts_and_colourings_can_be_chosen_by_name_and_say_why_not() -> None:
    async with dashboard() as person:
        await person.press("B", "l", "enter")
        assert person.view.colour_by == "load"
        await person.press("G", "c", "enter")
        assert person.view.stage.placed == "communities"
        await person.press("G")
        names = person.app.screen.query_one(OptionList)
        assert names.option_count == len(PLACEMENTS)
        await person.press("i", "enter")
        assert "no identifiers" in person.toasts
        assert person.view.stage.placed == "communities"


@pytest.mark.anyio
async def test_g_skips_placements_that_show_nothing() -> None:
    async with dashboard() as person:
        seen = []
        for _ in range(4):
            await person.press("g")
            seen.append(person.view.stage.placed)
        assert seen == ["ring", "hops", "communities", "world"]  # nobody asked yet, and nobody has an identifier


@pytest.mark.anyio
async def test_a_split_network_looks_split() -> None:
    async with dashboard() as person:
        person.session.do(Partition("random 50%"))
        person.main.at_once()
        assert "side 2" in person.view.text
        assert (person.view._canvas.ink >> SIDE_BITS).any()
