"""Pacing, told with a clock that only moves when the story says so. On asyncio and on trio."""

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
    """A wall clock that sleepers move."""

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


def stop_at(wall: Wall, live: Pacer, seconds: float) -> None:
    end = wall.now + seconds

    def look() -> None:
        if wall.now >= end:
            live.stop()

    wall.watch = look


async def test_virtual_time_follows_the_wall() -> None:
    wall, mill, live = made()
    stop_at(wall, live, 2.0)
    await live.run()
    assert mill.now_us == pytest.approx(2_000_000, abs=50_000)
    assert live.pace == pytest.approx(1.0, rel=0.05)


async def test_speed_scales_it() -> None:
    wall, mill, live = made(speed=0.25)
    stop_at(wall, live, 4.0)
    await live.run()
    assert mill.now_us == pytest.approx(1_000_000, rel=0.05)


async def test_as_fast_as_it_goes_still_gives_the_loop_back() -> None:
    wall, mill, live = made(cost_s=0.0001, speed=math.inf)
    stop_at(wall, live, 1.0)
    await live.run()
    assert mill.now_us > 4_000_000  # 10,000 deliveries a second would fit, a third is left to others
    assert wall.naps > 50
    assert mill.longest_s <= SLICE_S


async def test_a_machine_too_slow_loses_pace_and_owes_nothing() -> None:
    wall, mill, live = made(cost_s=0.01)  # ten times slower than real time
    stop_at(wall, live, 5.0)
    await live.run()
    assert live.pace < 0.15
    mill.cost_s, behind = 0.0, mill.now_us  # the hard part is over
    live.slice()
    live.slice()
    assert mill.now_us - behind < 300_000  # five seconds of debt are not run off at once


async def test_time_that_a_long_tick_took_is_made_up_for() -> None:
    wall, mill, live = made(cost_s=0.0003)  # a third of what there is
    live.tick_s = 1.0
    stop_at(wall, live, 10.0)
    await live.run()
    assert mill.now_us > 8_500_000


async def test_paused_means_asleep() -> None:
    wall, mill, live = made(playing=False)
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        await anyio.wait_all_tasks_blocked()
        assert (wall.naps, mill.now_us) == (0, 0)
        wall.now += 60.0  # a long lunch
        stop_at(wall, live, 1.0)
        live.play()
    assert mill.now_us == pytest.approx(1_000_000, rel=0.05)


async def test_a_step_goes_exactly_so_far_and_stays() -> None:
    _, mill, live = made(cost_s=0.0005, playing=False)
    async with anyio.create_task_group() as group:
        group.start_soon(live.run)
        await anyio.wait_all_tasks_blocked()
        live.step(100_000)
        live.step(100_000)
        while live.busy:
            await anyio.lowlevel.checkpoint()
        assert mill.now_us == 200_000
        assert not live.playing
        live.stop()


async def test_a_step_while_playing_pauses() -> None:
    _, mill, live = made()
    live.step(5_000)
    live.slice()
    assert mill.now_us == 5_000
    assert not live.busy


async def test_slow_motion_lasts_its_span_of_virtual_time() -> None:
    wall, mill, live = made()
    live.slow_for(0.1, 400_000)
    stop_at(wall, live, 3.0)
    await live.run()
    assert mill.now_us == pytest.approx(300_000, rel=0.05)
    assert live.slowed


async def test_after_slow_motion_the_old_speed_is_back() -> None:
    wall, mill, live = made()
    live.slow_for(0.1, 400_000)
    stop_at(wall, live, 5.0)
    await live.run()
    assert not live.slowed
    assert mill.now_us == pytest.approx(1_400_000, rel=0.05)


async def test_slow_motion_never_speeds_up_and_a_person_overrules_it() -> None:
    _, _, live = made(speed=0.05)
    told = []
    live.slow_for(0.1, 400_000)
    told.append(live.slowed)
    live.set_speed(2.0)
    live.slow_for(0.1, 400_000)
    told.append(live.slowed)
    live.set_speed(1.0)
    told.append(live.slowed)
    assert told == [False, True, False]
    assert live.speed == 1.0


async def test_a_failing_engine_pauses_and_is_reported() -> None:
    class Broken(Mill):
        def advance(self, until_us: int, budget: int | None = None) -> int:
            raise ArithmeticError("peer #3 failed")

    wall = Wall()
    heard: list[Exception] = []
    live = Pacer(Broken(wall), clock=wall, sleep=wall.sleep, problem=heard.append)
    wall.now += 1.0
    live.slice()
    assert [str(e) for e in heard] == ["peer #3 failed"]
    assert not live.playing


async def test_another_engine_takes_over() -> None:
    wall, mill, live = made()
    wall.now += 0.5
    live.slice()
    assert mill.now_us == 500_000
    fresh = Mill(wall)
    live.load(fresh)
    wall.now += 0.1
    live.slice()
    assert fresh.now_us == pytest.approx(100_000, abs=2)


def test_a_speed_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        made(speed=0.0)


async def test_it_pauses_where_it_was_told_to_and_goes_on_from_there() -> None:
    wall, mill, live = made()
    live.halt_at(500_000)
    wall.now += 2.0
    live.slice()
    assert mill.now_us == 500_000
    assert not live.playing
    live.play()
    wall.now += 1.0
    live.slice()
    assert mill.now_us == 1_500_000


async def test_a_hunt_goes_on_to_where_it_ends_and_time_stands_there() -> None:
    _, mill, live = made(cost_s=0.001)
    live._per_ms = 1.0  # as playing would have measured it
    slices: list[int] = []

    def hunt(budget: int) -> bool:
        mill.advance(40_000, budget)
        slices.append(mill.now_us)
        there = mill.now_us >= 40_000
        if there:
            live.stop()
        return there

    live.pursue(hunt)
    assert live.busy
    assert not live.playing
    await live.run()
    assert mill.now_us == 40_000
    assert not live.busy
    assert len(slices) > 1, "in bites, as time is"
    assert mill.longest_s <= 2 * SLICE_S


async def test_a_hunt_is_called_off_by_a_pause_and_its_trouble_is_told() -> None:
    _, _, live = made()
    live.pursue(lambda budget: False)
    live.pause()
    assert not live.busy
    told: list[Exception] = []

    def trips(budget: int) -> bool:
        raise RuntimeError("ouch")

    live._problem = told.append
    live.pursue(trips)
    live.slice()
    assert [str(error) for error in told] == ["ouch"]
    assert not live.busy


async def test_time_that_runs_flat_out_rests_while_there_is_strain() -> None:
    strain = 3.0
    wall, mill, live = made(cost_s=0.0005, speed=math.inf)
    live = Pacer(mill, speed=math.inf, clock=wall, sleep=wall.sleep, strain=lambda: strain)
    wall.watch = lambda: live.stop() if wall.now >= 110 else None
    await live.run()
    rested = mill.now_us
    assert 0.15 < rested / 1e3 * 0.0005 / 10 < 0.3, "a quarter of the time at work"
    strain = 0.0
    live = Pacer(mill, speed=math.inf, clock=wall, sleep=wall.sleep, strain=lambda: strain)
    wall.watch = lambda: live.stop() if wall.now >= 120 else None
    await live.run()
    assert mill.now_us - rested > 2 * rested


async def test_time_at_the_pace_of_the_wall_does_not_wait_for_anybody() -> None:
    wall, mill, _ = made()
    live = Pacer(mill, clock=wall, sleep=wall.sleep, strain=lambda: 4.0)
    wall.watch = lambda: live.stop() if wall.now >= 110 else None
    await live.run()
    assert mill.now_us > 9_900_000
