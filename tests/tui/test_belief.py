"""The network as one peer believes it to be."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from person import dashboard

from engine import Belief, Beliefs, Censor, Cut, Setup, Swarm, beliefs_of
from tui.draw import belief, raster
from tui.draw.styles import INK
from tui.widgets.inspector import belief_rows
from tui.widgets.swarm_view import believed_title

NOW = 42_180_000
KNOWN = Beliefs(
    {
        1: Belief(NOW - 3_000_000, "neighbour", True, 12),
        2: Belief(NOW - 31_000_000, "neighbour", True),
        3: Belief(None, "host cache"),
        20: Belief(NOW - 1_000_000, "neighbour", True),  # dead
        31: Belief(NOW - 40_000_000, "neighbour", True),  # censored
        5: Belief(NOW - 2_000_000, "set aside", alive=False),  # well, but given up
        52: Belief(NOW - 2_000_000, "set aside", alive=False),  # dead, and known to be
    },
    {"routes": "412 query ids"},
)


def test_beliefs_are_compared_with_the_truth() -> None:
    mind = belief.mind(frames.snapshot(), 17, KNOWN)
    assert np.flatnonzero(mind.known).tolist() == [1, 2, 3, 5, 20, 31, 52]
    assert np.flatnonzero(mind.wrong).tolist() == [5, 20, 31], "dead and censored alike, and who is given up but well"
    assert np.flatnonzero(mind.silent).tolist() == [2, 31]
    assert np.flatnonzero(mind.hearsay).tolist() == [3]
    assert belief.headline(mind, "p017") == "as p017 believes it: knows 7 of 63, 3 of them wrong"


def test_nobody_knows_oneself_or_who_does_not_exist() -> None:
    mind = belief.mind(frames.snapshot(), 17, Beliefs({17: Belief(0), 999: Belief(0), -1: Belief(0)}))
    assert not mind.known.any()


@pytest.mark.anyio
@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_a_dead_peer_and_one_that_left_say_why_they_believe_nothing(size: tuple[int, int]) -> None:
    async with dashboard(size=size, seed=1, peers=24, asks_per_s=0.0) as person:
        await person.wait(3.0)
        for key, why in (("x", "is dead"), ("l", "has left")):
            person.main.pick(7 if key == "x" else 9)
            await person.pilot.pause()
            label = person.session.swarm.labels[person.session.selection.selected or 0]
            if not person.session.analysis.show_belief:
                await person.press("v")
            await person.press(key)
            await person.wait(2.0)
            frame = person.main.frame
            assert frame is not None
            told = f"{why}: its memory is gone, it knows nothing"
            assert believed_title(frame) == f"{label} {told}"
            assert str(person.view.border_title).strip().startswith(f"{label} {why}")
            rows = ["".join(text for text, _ in row) for row in belief_rows(frame, 60)]
            assert rows[1:] == [f"It {told}."]
            await person.press(key)
            await person.wait(5.0)
            again = person.main.frame
            assert again is not None
            assert "believes it" in believed_title(again), "it runs again"


def test_ages_are_put_into_words() -> None:
    mind = belief.mind(frames.snapshot(), 17, KNOWN)
    assert [belief.age_words(mind, p, NOW) for p in (1, 2, 3)] == ["3 s", "silent 31 s", ""]


def test_unknown_peers_are_specks_and_wrong_ones_are_crossed() -> None:
    snapshot = frames.snapshot()
    mind = belief.mind(snapshot, 17, KNOWN)
    canvas = raster.Canvas(130, 12)
    x, y = np.arange(frames.N) * 4.0, (np.arange(frames.N) % 11) * 4.0
    belief.draw(canvas, snapshot, mind, x, y, (1, 2), names=True)
    stamped = [
        (int(canvas.owner[at]), chr(canvas.glyph[at])) for at in zip(*np.nonzero(canvas.owner >= 0), strict=True)
    ]
    glyphs = {peer: glyph for peer, glyph in stamped if glyph in "·○●◉✕◈"}
    assert [glyphs[p] for p in (1, 2, 3, 20, 31, 5, 40, 17)] == ["●", "◉", "○", "✕", "✕", "✕", "·", "◈"]
    assert "p002 silent 31 s" in raster.to_text(canvas)
    assert (canvas.ink == INK["link-selected"]).any(), "it knows its own streams"


def test_the_inspector_lists_them_the_wrong_ones_first() -> None:
    snap = frames.snapshot()
    frame = frames.frame(snap=snap, selected=17, facts=frames.facts(beliefs=KNOWN))
    rows = ["".join(text for text, _ in row) for row in belief_rows(frame, 50)]
    assert rows[1] == "knows 7 of 63 peers, 3 of them wrong"
    assert rows[2] == "routes 412 query ids"
    assert {row.split()[1] for row in rows[3:6]} == {"p005", "p020", "p031"}
    assert any("in truth censored" in row and "dead or blocked?" in row for row in rows)
    assert any("p001" in row and "neighbour, 12 files" in row for row in rows)


def test_the_table_of_a_router_is_shown_beside_the_truth() -> None:
    options = {"rip.horizon": "off", "rip.triggered": False, "rip.in_order": True, "hosts_share": 0.0}
    setup = Setup("routing", 4, topology="tree:2", latency="constant:10", asks_per_s=0.0, options=options)
    swarm = Swarm(setup)
    swarm.advance(30_050_000)
    swarm.do(Cut((0, 2)))
    swarm.advance(31_000_000)
    program, snapshot = swarm.peer(0), swarm.snapshot()
    assert program is not None
    laid = belief.mind(snapshot, 0, beliefs_of(program))
    assert (laid.said.tolist(), laid.hops.tolist()) == ([0, 1, 3, 2], [0, 1, -1, 2])
    assert laid.wrong.tolist() == [False, False, True, False]
    frame = frames.frame(snap=snapshot, selected=0, facts=frames.facts(peer=0, beliefs=beliefs_of(program)))
    rows = ["".join(text for text, _ in row) for row in belief_rows(frame, 60)]
    assert "✕ p002   3 hops, in truth no way  by way of #1" in rows
    assert "  p003   2 hops  by way of #1" in rows
    swarm.do(Censor(3))
    censored = frames.frame(snap=swarm.snapshot(), selected=0, facts=frames.facts(peer=0, beliefs=beliefs_of(program)))
    rows = ["".join(text for text, _ in row) for row in belief_rows(censored, 60)]
    assert any(row.startswith("✕ p003   2 hops, in truth censored") for row in rows)
