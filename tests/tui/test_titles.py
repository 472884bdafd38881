"""Titles and texts that hold what no terminal should get: everything a person does with them works."""

from __future__ import annotations

from pathlib import Path

import pytest
from person import dashboard
from textual import events

from engine import Scenario, Setup, scenario_files
from tui.session import reproduce

MONSTER = (
    "train \ud800\udcff\x00\x1b[2J\x9b31m\u202e\u200d\ufe0f\U000e0041\u0301\u0301\u0301\u0301\ufffe\u2028\n\t"
    "{app.quit}{0}[red]x[/] [@click=app.quit]y[/] [/]"
)
pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("said", [MONSTER], ids=["monster"])
async def test_the_dashboard_does_everything_under_any_title(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reproduce, "user_folder", lambda: tmp_path / "moments")
    told = Scenario(title=said, about=said, setup=Setup(peers=8, latency="constant:20"), source="injunction")
    async with dashboard(scenario=told) as person:
        for key in ("y", "W", "E", "S", "question_mark", "escape"):
            await person.press(key)
        person.session.ask_for(f"a {said}", 0)
        person.session.say(said)
        person.app.notify(said, title=said, markup=False)
        await person.press("a")
        person.app.post_message(events.Paste(f"\n\n{said}\nb\x1b[31m\n"))
        await person.pilot.pause()
        await person.press("enter", "y", "W", "E", "S")
        assert person.app.broken is None
        written = sorted(path.suffix for path in tmp_path.iterdir() if path.is_file())
        assert {".toml", ".json", ".csv", ".svg", ".txt"} <= set(written)
        for path in tmp_path.glob("*.toml"):
            scenario_files.load(path)
