"""The inspector explains a peer and offers what can be done to it, and says why where nothing can."""

from __future__ import annotations

from dataclasses import replace

import frames
import numpy as np
import pytest
import scenes
from stage import Stage, lines_of

from engine import Beliefs, Censor, Collude, Defect, File, Kill, Revive, Uncensor
from tui.widgets.inspector import Inspector
from tui.widgets.messages import AskWanted, PeerPicked, RunCommand
from tui.widgets.panel import ActionButton

pytestmark = pytest.mark.anyio


def chosen(peer: int = 17, **changes: object) -> object:
    return frames.frame(selected=peer, ask=12, facts=frames.facts(peer), **changes)


async def test_nothing_selected_says_what_the_dots_are() -> None:
    panel = Inspector()
    async with Stage(panel).run_test(size=(40, 16)) as pilot:
        panel.show(frames.frame())
        await pilot.pause()
        assert "Each dot is a peer" in lines_of(panel, "#peer")
        assert not panel.query_one("#verbs").display


async def test_a_peer_is_described_from_its_state_to_its_beliefs() -> None:
    panel = Inspector()
    async with Stage(panel).run_test(size=(40, 40)) as pilot:
        panel.show(chosen())
        await pilot.pause()
        told = lines_of(panel, "#peer")
        assert "● alive  servent #17" in told
        assert "p003 p012 p020" in told
        assert "blue train" in told
        assert "48 msg/s" in told
        assert "0.3s ago" in told
        assert "p017 · Lisbon" in str(panel.border_title)
        assert "knows 36 of 63 peers, 3 of them wrong" in lines_of(panel, "#believes")
        assert "412 query ids kept" in lines_of(panel, "#believes")


async def test_the_access_link_of_a_peer_is_described() -> None:
    panel = Inspector()
    async with Stage(panel).run_test(size=(50, 40)) as pilot:
        panel.show(chosen())
        await pilot.pause()
        assert "kbit/s" not in lines_of(panel, "#peer")
        snapshot = frames.snapshot()
        n = len(snapshot.state)
        fixed = replace(
            snapshot.fixed,
            up_kbit_s=np.full(n, 96, np.int32),
            down_kbit_s=np.full(n, 1_640, np.int32),
            nat=np.ones(n, np.bool_),
        )
        panel.show(chosen(snapshot=replace(snapshot, fixed=fixed)))
        await pilot.pause()
        told = lines_of(panel, "#peer")
        assert "96 up, 1,640 down kbit/s" in told
        assert "behind a NAT" in told


async def test_the_ask_below_has_its_account_and_then_its_verdict() -> None:
    panel = Inspector()
    async with Stage(panel).run_test(size=(40, 40)) as pilot:
        panel.show(chosen())
        await pilot.pause()
        told = lines_of(panel, "#ask")
        for part in (
            "ask 12 · p017 · “blue train”",
            "41 of 63",
            "hop 3 of 7",
            "163",
            " 75%",
            "first 0.412 s",
            "dead 3",
        ):
            assert part in told
        assert max(len(line) for line in told.splitlines()) <= 36
        panel.show(replace(chosen(), ask=10))
        await pilot.pause()
        assert "No answer: 3 peers hold it" in lines_of(panel, "#ask").replace("\n", " ")


async def test_buttons_act_and_turn_into_their_opposite() -> None:
    panel = Inspector()
    app = Stage(panel)
    async with app.run_test(size=(40, 30)) as pilot:
        panel.show(chosen())
        await pilot.pause()
        for verb in ("kill", "censor", "collude"):
            await pilot.click(f"#verb-{verb}")
        await pilot.click("#verb-ask")
        await pilot.pause()
        assert [m.command for m in app.heard(RunCommand)] == [Kill(17), Censor(17), Collude(17, "blue train")]
        assert [m.origin for m in app.heard(AskWanted)] == [17]
        assert "hides “blue train”" in panel.query_one("#verb-collude", ActionButton).tip

        snap = frames.snapshot()
        snap.censored[17] = snap.colluding[17] = snap.poisoned[17] = True
        snap = replace(snap, held=snap.poisoned.copy())
        panel.show(replace(chosen(snap=snap), facts=frames.facts(ban="blue train")))
        await pilot.pause()
        await pilot.click("#verb-censor")
        await pilot.click("#verb-collude")
        assert [m.command for m in app.heard(RunCommand)][3:] == [Uncensor(17), Defect(17)]
        assert "⊘ censored" in lines_of(panel, "#peer")
        for told in ("◆ colluding", "▲ poisoned", "◧ a link is held"):
            assert told in lines_of(panel, "#peer")


async def test_a_click_on_a_name_selects_that_peer() -> None:
    panel = Inspector()
    app = Stage(panel)
    async with app.run_test(size=(60, 40)) as pilot:
        panel.show(chosen(trace=scenes.trace(holders=(3, 9))))
        await pilot.pause()
        rows = lines_of(panel, "#ask").splitlines()
        line = next(number for number, row in enumerate(rows) if row.startswith("answered by p003 p009"))
        await pilot.click("#ask", offset=(rows[line].index("p009") + 2, line))
        await pilot.click("#ask", offset=(2, line))
        links = lines_of(panel, "#peer").splitlines()
        line = next(number for number, row in enumerate(links) if row.startswith("links"))
        await pilot.click("#peer", offset=(links[line].index("p0") + 1, line))
        await pilot.pause()
        first = int(links[line].split()[2][1:])
        assert [m.peer for m in app.heard(PeerPicked)] == [9, first]


async def test_a_dead_peer_can_be_revived_and_other_buttons_say_why_they_are_not_possible() -> None:
    panel = Inspector()
    app = Stage(panel)
    async with app.run_test(size=(40, 30)) as pilot:
        panel.show(chosen(20))
        await pilot.pause()
        for verb in ("kill", "collude", "leave", "ask"):
            await pilot.click(f"#verb-{verb}")
        assert [m.command for m in app.heard(RunCommand)] == [Revive(20)]
        assert not app.heard(AskWanted)
        for verb in ("collude", "leave", "ask"):
            button = panel.query_one(f"#verb-{verb}", ActionButton)
            assert button.disabled
            assert "p020 is dead" in button.tip


async def test_without_any_ask_there_is_no_word_to_suppress() -> None:
    panel = Inspector()
    async with Stage(panel).run_test(size=(40, 30)) as pilot:
        panel.show(replace(chosen(snap=frames.snapshot(asks=(), asks_total=0)), ask=None))
        await pilot.pause()
        button = panel.query_one("#verb-collude", ActionButton)
        assert button.disabled
        assert "no word to hide" in button.tip
        assert lines_of(panel, "#ask") == ""


async def test_who_has_no_file_is_no_free_rider_where_that_is_a_role() -> None:
    inspector, snap = Inspector(), frames.snapshot()
    snap = replace(snap, files=np.zeros_like(snap.files))
    async with Stage(inspector).run_test(size=(44, 30)) as pilot:
        for roles, told in ((("peer",), "nothing (free rider)"), (("peer", "seed", "free rider"), "shares nothing")):
            inspector.show(frames.frame(selected=17, snap=replace(snap, roles=roles), facts=frames.facts(files=())))
            await pilot.pause()
            said = lines_of(inspector, "#peer")
            assert told in said
            assert ("free rider" in said) == (len(roles) == 1)


async def test_names_of_files_are_not_markup() -> None:
    panel = Inspector()
    wild = "[red]x[/] [@click=app.quit]y\x1b[31m\u202e"
    facts = frames.facts(files=(File(wild, 1, 1),), beliefs=Beliefs({}, {wild: wild}))
    async with Stage(panel).run_test(size=(80, 40)) as pilot:
        panel.show(frames.frame(selected=17, facts=facts))
        await pilot.pause()
        shown = pilot.app.export_screenshot()
        assert "[red]x[/]" in shown.replace("&#160;", " ")
        assert "\x1b" not in shown
        assert "\u202e" not in shown


async def test_load_is_remembered_a_second_a_bar_and_forgotten_with_the_peer() -> None:
    panel = Inspector()
    async with Stage(panel).run_test(size=(40, 30)):
        for tenth in range(40):
            load = np.full(64, 10 + tenth, np.float32)
            panel.show(chosen(snap=frames.snapshot(now_us=tenth * 100_000, load=load)))
        assert list(panel._load) == [10, 20, 30, 40]
        panel.show(chosen(18))
        assert len(panel._load) == 1


async def test_a_terminal_of_letters_gets_letters() -> None:
    panel = Inspector()
    async with Stage(panel, glyph_mode="ascii").run_test(size=(40, 30)) as pilot:
        panel.show(chosen())
        await pilot.pause()
        first = panel.query_one("#peer").render_line(0).text
        assert first.startswith("o alive")
        rule = panel.query_one("#ask").render_line(0).text
        assert rule.isascii()
        assert panel.styles.border_top[0] == "ascii"
