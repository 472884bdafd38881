"""The exit code is that of what ended the program, also where something fails while it ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import Scenario, Setup, SwarmError
from tui.app import SwarmApp, open_dashboard
from tui.first_frame import LEAVE, FirstFrame

SMALL = Scenario(setup=Setup(protocol="gossip", peers=8, seed=1))
BY_QUIT = 128 + signal.SIGQUIT


def exit_code_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: Any) -> int:
    """The exit code of a dashboard whose loop is replaced by this function."""
    monkeypatch.setattr("tui.session.reproduce.user_folder", lambda: tmp_path / "scenarios")
    monkeypatch.setattr(SwarmApp, "run_async", does)
    return open_dashboard(SMALL)


@pytest.mark.parametrize("error", [RuntimeError("no"), OSError(5, "no"), asyncio.CancelledError()])
def test_an_error_after_a_signal_changes_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException
) -> None:
    async def signalled_and_fails(app: SwarmApp) -> None:
        signal.raise_signal(signal.SIGQUIT)
        raise error

    assert exit_code_of(monkeypatch, tmp_path, signalled_and_fails) == BY_QUIT


def test_an_error_in_a_widget_before_the_first_picture_changes_no_exit_code_after_a_signal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def signalled_and_fails(app: SwarmApp) -> int | None:
        signal.raise_signal(signal.SIGQUIT)
        assert app.handle_failure(ValueError("before the loop has heard of it"))
        await asyncio.sleep(0)
        assert app.handle_failure(ValueError("while it waits for the first picture"))
        return app.return_value

    assert exit_code_of(monkeypatch, tmp_path, signalled_and_fails) == BY_QUIT
    assert "waits for the first picture" in (tmp_path / "late.txt").read_text()


def test_an_error_without_a_signal_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def fails(app: SwarmApp) -> None:
        raise ZeroDivisionError("division by zero")

    with pytest.raises(SwarmError, match=r"ZeroDivisionError: .*crash\.txt says where"):
        exit_code_of(monkeypatch, tmp_path, fails)


def test_the_first_frame_is_left_while_the_stream_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Python refuses to write to a stream within a write to it, as a signal handler would."""
    with (tmp_path / "screen").open("w+") as file:

        class Busy:
            def write(self, text: str) -> int:
                raise RuntimeError("reentrant call inside <_io.BufferedWriter>")

            flush = write

            def fileno(self) -> int:
                return file.fileno()

        monkeypatch.setattr(sys, "__stderr__", Busy())
        first = FirstFrame("gossip", story=False, ascii_only=False)
        first.shown = True
        first.leave()
        assert (tmp_path / "screen").read_text() == LEAVE
        assert not first.shown
