"""The pacer, with a clock that moves only when a test says so. On asyncio and on trio."""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest

from engine.pacer import SLICE_S, Pacer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Wall:
    """A wall clock, in s, on which time passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.naps = 0
        self.watch: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps += 1
        self.watch()
        await anyio.lowlevel.checkpoint()


class Mill:
    """An engine with one delivery a virtual millisecond, each of which takes `cost_s` of the wall."""

    def __init__(self, wall: Wall, cost_s: float = 0.0) -> None:
        self.now_us = 0
        self.wall, self.cost_s = wall, cost_s
        self.longest_s = 0.0

    def advance(self, until_us: int, budget: int | None = None) -> int:
        todo = (until_us - self.now_us) // 1000
        done = todo if budget is None else min(todo, budget)
        self.wall.now += done * self.cost_s
        self.longest_s = max(self.longest_s, done * self.cost_s)
        self.now_us = until_us if done == todo else self.now_us + done * 1000
        return done


def made(cost_s: float = 0.0, speed: float = 1.0, playing: bool = True) -> tuple[Wall, Mill, Pacer]:
    wall = Wall()
    mill = Mill(wall, cost_s)
    return wall, mill, Pacer(mill, speed=speed, playing=playing, clock=wall, sleep=wall.sleep)


def stop_at(wall: Wall, pacer: Pacer, seconds: float) -> None:
    end = wall.now + seconds

    def look() -> None:
        if wall.now >= end:
            pacer.stop()

    wall.watch = look


async def test_virtual_time_follows_the_wall() -> None:
    wall, mill, pacer = made()
    stop_at(wall, pacer, 2.0)
    await pacer.run()
    assert mill.now_us == pytest.approx(2_000_000, abs=50_000)
    assert pacer.pace == pytest.approx(1.0, rel=0.05)


async def test_speed_scales_it() -> None:
    wall, mill, pacer = made(speed=0.25)
    stop_at(wall, pacer, 4.0)
    await pacer.run()
    assert mill.now_us == pytest.approx(1_000_000, rel=0.05)


async def test_as_fast_as_possible_still_lets_the_event_loop_run() -> None:
    wall, mill, pacer = made(cost_s=0.0001, speed=math.inf)
    stop_at(wall, pacer, 1.0)
    await pacer.run()
    assert mill.now_us > 4_000_000  # 10,000 deliveries a second would fit, a third is left to other tasks
    assert wall.naps > 50
    assert mill.longest_s <= SLICE_S


async def test_a_slow_machine_loses_pace_and_does_not_catch_up() -> None:
    wall, mill, pacer = made(cost_s=0.01)  # ten times slower than real time
    stop_at(wall, pacer, 5.0)
    await pacer.run()
    assert pacer.pace < 0.15
    mill.cost_s, behind = 0.0, mill.now_us  # deliveries are cheap again
    pacer.slice()
    pacer.slice()
    assert mill.now_us - behind < 300_000  # the five seconds that were lost are not made up for


async def test_time_that_a_long_tick_took_is_made_up_for() -> None:
    wall, mill, live = made(cost_s=0.0003)  # a third of what there is
    live.tick_s = 1.0
    stop_at(wall, live, 10.0)
    await live.run()
    assert mill.now_us > 8_500_000


async def test_while_paused_nothing_runs() -> None:
    wall, mill, pacer = made(playing=False)
    async with anyio.create_task_group() as group:
        group.start_soon(pacer.run)
        await anyio.wait_all_tasks_blocked()
        assert (wall.naps, mill.now_us) == (0, 0)
        wall.now += 60.0  # paused for a long time
        stop_at(wall, pacer, 1.0)
        pacer.play()
    assert mill.now_us == pytest.approx(1_000_000, rel=0.05)


async def test_a_step_goes_exactly_so_far_and_stays() -> None:
    _, mill, pacer = made(cost_s=0.0005, playing=False)
    async with anyio.create_task_group() as group:
        group.start_soon(pacer.run)
        await anyio.wait_all_tasks_blocked()
        pacer.step(100_000)
        pacer.step(100_000)
        while pacer.busy:
            await anyio.lowlevel.checkpoint()
        assert mill.now_us == 200_000
        assert not pacer.playing
        pacer.stop()


async def test_a_step_while_playing_pauses() -> None:
    _, mill, pacer = made()
    pacer.step(5_000)
    pacer.slice()
    assert mill.now_us == 5_000
    assert not pacer.busy


async def test_slow_motion_lasts_its_span_of_virtual_time() -> None:
    wall, mill, pacer = made()
    pacer.slow_motion(0.1, 400_000)
    stop_at(wall, pacer, 3.0)
    await pacer.run()
    assert mill.now_us == pytest.approx(300_000, rel=0.05)
    assert pacer.slowed


async def test_after_slow_motion_the_old_speed_is_back() -> None:
    wall, mill, pacer = made()
    pacer.slow_motion(0.1, 400_000)
    stop_at(wall, pacer, 5.0)
    await pacer.run()
    assert not pacer.slowed
    assert mill.now_us == pytest.approx(1_400_000, rel=0.05)


async def test_slow_motion_never_speeds_up_and_ends_when_a_person_sets_the_speed() -> None:
    _, _, pacer = made(speed=0.05)
    told = []
    pacer.slow_motion(0.1, 400_000)
    told.append(pacer.slowed)
    pacer.set_speed(2.0)
    pacer.slow_motion(0.1, 400_000)
    told.append(pacer.slowed)
    pacer.set_speed(1.0)
    told.append(pacer.slowed)
    assert told == [False, True, False]
    assert pacer.speed == 1.0


async def test_a_failing_engine_pauses_and_is_reported() -> None:
    class Broken(Mill):
        def advance(self, until_us: int, budget: int | None = None) -> int:
            raise ArithmeticError("peer #3 failed")

    wall = Wall()
    heard: list[Exception] = []
    pacer = Pacer(Broken(wall), clock=wall, sleep=wall.sleep, on_error=heard.append)
    wall.now += 1.0
    pacer.slice()
    assert [str(e) for e in heard] == ["peer #3 failed"]
    assert not pacer.playing


async def test_another_engine_takes_over() -> None:
    wall, mill, pacer = made()
    wall.now += 0.5
    pacer.slice()
    assert mill.now_us == 500_000
    fresh = Mill(wall)
    pacer.load(fresh)
    wall.now += 0.1
    pacer.slice()
    assert fresh.now_us == pytest.approx(100_000, abs=2)


def test_a_speed_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        made(speed=0.0)


async def test_it_pauses_where_it_was_told_to_and_goes_on_from_there() -> None:
    wall, mill, pacer = made()
    pacer.halt_at(500_000)
    wall.now += 2.0
    pacer.slice()
    assert mill.now_us == 500_000
    assert not pacer.playing
    pacer.play()
    wall.now += 1.0
    pacer.slice()
    assert mill.now_us == 1_500_000


async def test_run_until_runs_in_slices_and_stays_paused_at_its_end() -> None:
    _, mill, pacer = made(cost_s=0.001)
    pacer._per_ms = 1.0  # as playing would have measured it
    slices: list[int] = []

    def condition(budget: int) -> bool:
        mill.advance(40_000, budget)
        slices.append(mill.now_us)
        there = mill.now_us >= 40_000
        if there:
            pacer.stop()
        return there

    pacer.run_until(condition)
    assert pacer.busy
    assert not pacer.playing
    await pacer.run()
    assert mill.now_us == 40_000
    assert not pacer.busy
    assert len(slices) > 1, "in chunks, as `advance` is"
    assert mill.longest_s <= 2 * SLICE_S


async def test_run_until_ends_with_a_pause_and_its_error_is_reported() -> None:
    _, _, pacer = made()
    pacer.run_until(lambda budget: False)
    pacer.pause()
    assert not pacer.busy
    told: list[Exception] = []

    def trips(budget: int) -> bool:
        raise RuntimeError("ouch")

    pacer._on_error = told.append
    pacer.run_until(trips)
    pacer.slice()
    assert [str(error) for error in told] == ["ouch"]
    assert not pacer.busy


async def test_time_as_fast_as_possible_rests_under_backpressure() -> None:
    pressure = 3.0
    wall, mill, pacer = made(cost_s=0.0005, speed=math.inf)
    pacer = Pacer(mill, speed=math.inf, clock=wall, sleep=wall.sleep, backpressure=lambda: pressure)
    wall.watch = lambda: pacer.stop() if wall.now >= 110 else None
    await pacer.run()
    rested = mill.now_us
    assert 0.15 < rested / 1e3 * 0.0005 / 10 < 0.3, "a quarter of the time at work"
    pressure = 0.0
    pacer = Pacer(mill, speed=math.inf, clock=wall, sleep=wall.sleep, backpressure=lambda: pressure)
    wall.watch = lambda: pacer.stop() if wall.now >= 120 else None
    await pacer.run()
    assert mill.now_us - rested > 2 * rested


async def test_at_the_pace_of_the_wall_clock_backpressure_is_ignored() -> None:
    wall, mill, _ = made()
    pacer = Pacer(mill, clock=wall, sleep=wall.sleep, backpressure=lambda: 4.0)
    wall.watch = lambda: pacer.stop() if wall.now >= 110 else None
    await pacer.run()
    assert mill.now_us > 9_900_000
