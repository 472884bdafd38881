"""Runs that are interrupted while they are recorded: what was done before is in the recording."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import PeerFailed, Scenario, Setup, replay, run
from engine.lab import run as running
from engine.sim.kernel import Kernel

BUSY = Scenario(setup=Setup(peers=30, seed=3, asks_per_s=5.0))


@pytest.fixture(autouse=True)
def slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SLICE", 500)


def pressing(times: int, after_s: float = 5.0) -> Callable[[float, float | None, int], None]:
    """A function for progress that sends SIGINT so often, after this virtual time."""
    left = [times]

    def told(now_s: float, end_s: float | None, deliveries: int) -> None:
        while now_s > after_s and left[0]:
            left[0] -= 1
            signal.raise_signal(signal.SIGINT)

    return told


def test_after_an_interrupt_the_recording_is_complete(tmp_path: Path) -> None:
    path = str(tmp_path / "cut.swarm")
    with pytest.raises(KeyboardInterrupt, match="interrupted at") as caught:
        run(BUSY, until=60, record=path, progress=pressing(1))
    again = replay(path)
    assert f"interrupted at {again.report.virtual_s:.3f} s" in str(caught.value)
    assert 5 < again.report.virtual_s < 60
    assert (again.diverged, again.report.warnings) == ("", ())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_after_a_second_interrupt_the_recording_is_not_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "cut.swarm")
    with pytest.raises(KeyboardInterrupt, match="interrupted at"):
        run(BUSY, until=60, record=path, progress=pressing(2))
    again = replay(path)
    assert not again.diverged
    assert "it was never closed" in again.report.warnings[-1]


def test_an_interrupt_in_the_middle_of_a_delivery_waits_for_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "cut.swarm")
    deliver, calls = Kernel._deliver, [0]

    def interrupted(self: Kernel, *args: object) -> object:
        calls[0] += 1
        if calls[0] == 400:
            signal.raise_signal(signal.SIGINT)
        return deliver(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Kernel, "_deliver", interrupted)
    with pytest.raises(KeyboardInterrupt, match="interrupted at"):
        run(BUSY, until=60, record=path)
    assert not replay(path).diverged


def test_a_program_that_fails_leaves_a_recording_up_to_the_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "failed.swarm")
    deliver = Kernel._deliver

    def failing(self: Kernel, *args: object) -> object:
        if self.now_us > 9_000_000:
            self.failure = PeerFailed(3, "Query", KeyError("seen"))
            raise self.failure
        return deliver(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Kernel, "_deliver", failing)
    with pytest.raises(PeerFailed, match="peer #3 failed on Query"):
        run(BUSY, until=60, record=path)
    with pytest.raises(PeerFailed, match="peer #3 failed on Query"):
        replay(path)
    monkeypatch.undo()
    assert replay(path).report.virtual_s > 9
