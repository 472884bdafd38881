"""Random use and random damage of recordings.

    python tests/fuzz_recordings.py [--orders 2000] [--damaged 5000] [--seed 0]

An order is a list of steps: time goes on, a seek begins or is abandoned, a command is done or undone, a recording is
started or stopped. Each file that was closed must replay as the run that was recorded, which is run again
without going back; each file that was cut must replay up to the cut, and say so. A damaged file must be refused in one
sentence, or reported as incomplete. All random choices are seeded, so that a number always names the same order.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import msgpack
from fuzz import complaint_of
from recording_file import FIRST_LINE, parts, sealed

from engine import (
    Act,
    Arrive,
    AskFor,
    Attack,
    CallOff,
    Caption,
    Censor,
    Checkpoints,
    Collude,
    Command,
    ContentSpec,
    Court,
    Cut,
    Depart,
    Expect,
    Heal,
    Hold,
    InputError,
    Kill,
    Leave,
    LinkSpec,
    Mend,
    Pacer,
    Partition,
    Poison,
    Publish,
    Release,
    Revive,
    Scenario,
    Set,
    Setup,
    Swarm,
    TimeMachine,
    load_recording,
    replay,
    run,
    story_of,
)
from tui.session.session import Session

Step: TypeAlias = tuple[Any, ...]
SECOND = 1_000_000
LONGEST_US = 12 * SECOND
"""An order is stopped when its run is longer than this, so that each one is quick to replay."""
COMMANDS: tuple[Command, ...] = (
    AskFor("random 2", "the"),
    AskFor("#3", "blue train"),
    Kill("random 1"),
    Kill("#2"),
    Revive("random 50%"),
    Leave("random 1"),
    Censor("top 1 degree"),
    Collude("random 3", "the", 0.3),
    Poison("random 1"),
    Partition("random 40%"),
    Heal(),
    Hold("random 2"),
    Release("not random 50%"),
    Cut("random 2"),
    Mend("not random 50%"),
    Publish("random 1", "a song unheard"),
    Set("loss", 0.1),
    Set("latency", 0.5),
    Set("churn", "exponential:3"),
    Set("churn", "FILE"),
    Arrive(2, 1.0),
    Arrive(1, via="random 2"),
    Depart("random 2", 1.0, 0.5),
    Court(0.5),
    Attack("random", share=0.2),
    Attack("collusion", word="the"),
    Attack("crowd", count=3, over_s=2.0),
    CallOff(),
    Act("random 1", "block"),
    Act("random 1", "stop-seeding"),
    Act("random 2", "mute"),
    Act("random 2", "speak"),
    Kill("nobody called that"),
)
"""Commands of a person. The last one is refused, as are verbs that a network does not have. FILE is replaced by a file
with other sessions each time, which is removed afterwards."""
SETUPS: tuple[Setup, ...] = tuple(
    Setup(
        protocol=protocol,
        peers=8,
        seed=seed,
        topology="random:3",
        content=ContentSpec(items=8, replicas=2.0),
        **changes,
    )
    for seed, (protocol, changes) in enumerate(
        (
            ("gnutella", {"churn": "exponential:6", "asks_per_s": 1.0, "latency": "constant:40"}),
            ("gossip", {"schedule": ((0, AskFor("random 1", "the")), (900_000, Kill("random 1")))}),
            ("napster", {"asks_per_s": 2.0, "latency": "constant:500", "links": LinkSpec("saroiu", nat=0.3)}),
            ("web", {"churn": "exponential:3", "asks_per_s": 1.0, "latency": "uniform:5-40"}),
            ("kademlia", {"churn": "exponential:6", "asks_per_s": 1.0, "latency": "constant:40"}),
            ("bittorrent", {"asks_per_s": 0.5, "latency": "constant:40", "links": LinkSpec("saroiu")}),
            ("bitcoin", {"asks_per_s": 0.5, "churn": "exponential:9", "loss": 0.02}),
            ("limewire", {"asks_per_s": 1.0, "latency": "uniform:5-40"}),
            ("swim", {"churn": "exponential:6", "latency": "constant:40"}),
        )
    )
)
"""With churn, background asks, slow lines, and commands of a scenario. Newcomers come by commands of `COMMANDS`."""
KINDS: dict[str, int] = {
    "advance": 8,
    "slices": 4,
    "step": 2,
    "seek": 6,
    "begin": 4,
    "resume": 6,
    "drop": 1,
    "undo": 3,
    "do": 8,
    "record": 3,
    "stop": 2,
    "cut": 1,
    "tend": 1,
    "second": 1,
}
"""Kind of step -> its weight when steps are drawn."""


def step(kind: str, rng: random.Random) -> Step:
    """Draw a step of this kind."""
    match kind:
        case "advance":
            return kind, rng.choice((0, 1, 1_000, 40_000, 130_000, 500_000, SECOND)), rng.choice((None, 1, 3, 50))
        case "slices":
            return kind, rng.randrange(1, 9), rng.choice((0.1, 1.0, 20.0))
        case "step":
            return kind, rng.choice((10_000, 100_000, SECOND))
        case "seek" | "begin":
            return kind, rng.choice((0.0, 1.0, rng.random())), rng.randrange(4)
        case "resume":
            return kind, rng.randrange(4), rng.randrange(1, 6)
        case "drop":
            return kind, rng.randrange(4)
        case "undo":
            return kind, rng.randrange(4)
        case "do":
            return kind, rng.randrange(len(COMMANDS))
        case "cut":
            return kind, rng.random()
        case _:
            return (kind,)


def order(rng: random.Random) -> tuple[int, list[Step]]:
    """Draw the number of a setup, and the steps of an order."""
    kinds = rng.choices(list(KINDS), list(KINDS.values()), k=rng.randrange(5, 40))
    return rng.randrange(len(SETUPS)), [step(kind, rng) for kind in kinds]


@dataclass
class Written:
    """A file, and the run that it should replay as. `given`: the commands until the file was closed or cut; `end_us`:
    the end of the run then; `whole`: it was closed, and not cut."""

    path: str
    given: tuple[tuple[int, Command, str, bytes | None], ...]
    end_us: int
    whole: bool
    short: bool = False
    """It was cut within the records of the world, so nothing of it can be replayed."""


class RandomRun:
    """Does the steps of an order with a `TimeMachine`, and keeps what was written."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        self.setup, self.folder = setup, folder
        # Checkpoints close together, so that seeks begin at one, and none at all in every second setup.
        checkpoints = Checkpoints(spacing=60) if setup.seed % 2 else None
        self.machine = TimeMachine(Swarm(setup), checkpoints=checkpoints, freeze_gc=setup.seed == 0)
        self.live = Pacer(self.machine, playing=False, clock=self.clock)
        self.prepare()

    def prepare(self) -> None:
        """Set what a run and a dashboard have alike."""
        self.time_s = 0.0
        ticks = itertools.count()
        self.flushing = lambda: next(ticks) * 0.13
        """The clock of a recording, which writes what it has at every fourth call, so that files are sometimes
        behind."""
        self.begun: list[Iterator[float]] = []
        self.written: list[Written] = []
        self.files = itertools.count()

    time_s = 0.0

    def clock(self) -> float:
        """A wall clock, in s, on which two milliseconds pass with each call."""
        self.time_s += 0.002
        return self.time_s

    def take(self, one: Step) -> None:
        """Do one step."""
        machine, live = self.machine, self.live
        match one:
            case ("advance", us, budget):
                machine.advance(machine.now_us + us, budget)
            case ("slices", count, speed):
                live.set_speed(speed)
                live.play()
                for _ in range(count):
                    self.time_s += 0.03
                    live.slice()
                live.pause()
            case ("step", us):
                live.step(us)
                live.slice()
            case ("seek", share, slices):
                live.run_job(machine.seek(round(share * machine.end_us)))
                for _ in range(slices):
                    live.slice()
            case ("begin", share, steps):
                self.begun.append(machine.seek(round(share * machine.end_us)))
                self.go_on(self.begun[-1], steps)
            case ("resume", number, steps) if self.begun:
                self.go_on(self.begun[number % len(self.begun)], steps)
            case ("drop", number) if self.begun:
                self.begun.pop(number % len(self.begun))
            case ("undo", steps):
                self.begun.append(machine.undo())
                self.go_on(self.begun[-1], steps)
            case ("do", number):
                self.do_one(COMMANDS[number])
            case ("record",):
                self.closing()
                path = str(self.folder / f"{next(self.files)}.swarm")
                machine.record(path, story_of(Scenario()), self.flushing)
            case ("stop",):
                self.closing()
                machine.stop_recording()
            case ("cut", share) if machine.recording:
                self.written.append(self.cut(Path(machine.recording).read_bytes(), share))
            case ("tend",):
                machine.poll()
            case ("second",):
                # To the next whole second: where samples are, and so are the fingerprints of a file.
                machine.advance((machine.now_us // SECOND + 1) * SECOND, None)

    @staticmethod
    def go_on(steps: Iterator[float], count: int) -> None:
        """Do so many steps of a seek."""
        for _ in itertools.islice(steps, count):
            pass

    def do_one(self, command: Command) -> None:
        """Do a command; FILE is replaced by a file of sessions."""
        if command != Set("churn", "FILE"):
            self.do(command)
            return
        file, begin_s = self.folder / f"sessions-{next(self.files)}.csv", self.machine.now_us / 1e6
        file.write_text("".join(f"#{peer},{peer / 7},{begin_s + peer}\n" for peer in range(1, 6)))
        self.do(Set("churn", str(file)))
        file.unlink()

    def do(self, command: Command) -> None:
        """Do a command, and ignore that it is refused."""
        with suppress(InputError):
            self.machine.swarm.do(command)

    def as_it_is(self, path: str, whole: bool) -> Written:
        """What a file should replay as that is closed or cut now."""
        machine = self.machine
        given = tuple((one.at_us, one.command, one.by, one.contents) for one in machine.log)
        return Written(path, given, max(machine.end_us, machine.now_us), whole)

    def cut(self, data: bytes, share: float) -> Written:
        """A copy of the file as it is if its writer is killed now: it may end anywhere in what was written last."""
        world = whole_records(data)
        behind = [i for i, part in enumerate(parts(data)) if i and msgpack.unpackb(part)[0] != "world"]
        begins = len(data) - sum(map(len, world[behind[0] :])) if behind else len(data)
        data = data[: round(len(data) - share * share * min(len(data), 500))]
        path = self.folder / f"{next(self.files)}.swarm"
        path.write_bytes(data)
        return replace(self.as_it_is(str(path), whole=False), short=len(data) < begins)

    def closing(self) -> None:
        """Keep what the present file should replay as, before it is closed."""
        if self.machine.recording:
            self.written.append(self.as_it_is(self.machine.recording, whole=True))

    def end(self) -> None:
        """End the run, and close its file."""
        self.closing()
        self.machine.close()


class RandomSession(RandomRun):
    """Does the steps of an order with a `Session`, as the keys of the dashboard do, with frames between them."""

    def __init__(self, setup: Setup, folder: Path) -> None:
        self.setup, self.folder = setup, folder
        self.session = Session(Scenario(setup=setup), clock=self.clock)
        self.machine, self.live = self.session.player.machine, self.session.player.pacer
        self.prepare()

    def take(self, one: Step) -> None:
        session = self.session
        match one:
            case ("step" | "begin", amount, *_):
                session.player.step_by(round(amount * (1 if one[0] == "step" else -SECOND)))
            case ("seek", share, slices):
                (session.player.scrub_to if slices % 2 else session.player.seek_to)(
                    round(share * session.player.end_us)
                )
            case ("resume", number, _):
                session.player.play_or_pause()
                if number:
                    session.frame(30.0)
            case ("undo", *_):
                session.player.undo()
            case ("drop", *_):
                session.player.go_live()
            case ("record",):
                if not session.player.recording:
                    session.player.record(str(self.folder / f"{next(self.files)}.swarm"))
            case ("stop",):
                self.closing()
                session.player.stop_recording()
            case ("tend",):
                session.player.poll()
            case ("advance" | "second", *_):
                self.time_s += 0.3
                self.live.slice()
            case _:
                super().take(one)

    def do(self, command: Command) -> None:
        self.session.do(command)

    def end(self) -> None:
        self.closing()
        self.session.stop()


def fingerprint_without_seeks(setup: Setup, written: Written) -> str:
    """The fingerprint of a run with the same commands in which nobody goes back."""
    swarm = Swarm(setup)
    for at_us, command, by, contents in written.given:
        swarm.advance(at_us)
        swarm.do(command, by, contents)
    swarm.advance(written.end_us)
    return swarm.fingerprint()


def check(setup: Setup, written: Written) -> None:
    """Raise AssertionError unless a file replays as it should."""
    if not written.whole:
        note = try_damaged(Path(written.path))
        if note == "refused":
            assert written.short, "a file that has the whole world should be read"
            return
        assert not written.short
        again = replay(written.path)
        assert not again.diverged, again.diverged
        assert any("stops at" in warning for warning in again.report.warnings)
        return
    again = replay(written.path)
    assert not again.diverged, again.diverged
    assert not any("stops at" in warning for warning in again.report.warnings)
    assert round(again.report.virtual_s * 1e6) == written.end_us
    assert again.report.fingerprint == fingerprint_without_seeks(setup, written)


def try_order(number: int, steps: list[Step], folder: Path, kind: type[RandomRun] = RandomRun) -> int:
    """Do the steps of an order with a setup of that number, and check each file. Returns the number of files.

    Raises AssertionError, or what the engine raises."""
    person = kind(SETUPS[number], folder)
    for one in steps:
        person.take(one)
        if person.machine.end_us > LONGEST_US:
            break
    person.end()
    for written in person.written:
        check(SETUPS[number], written)
        Path(written.path).unlink(missing_ok=True)
    return len(person.written)


# --- damaged files ------------------------------------------------------------------------------------------------


def undamaged(folder: Path) -> list[bytes]:
    """Two undamaged recordings with a story. In the second one the run goes back once."""
    caption = Caption(1.0, "It begins", "most answers are found")
    expect = Expect("success", 0.0, 4.0, 0.0, 1.0)
    scenario = Scenario(title="a story", setup=SETUPS[0], captions=(caption,), expects=(expect,))
    first, second = folder / "first.swarm", folder / "second.swarm"
    run(scenario.asking(["blue train"], "#0"), until=5.0, record=str(first))
    machine = TimeMachine(Swarm(SETUPS[1]))
    machine.record(str(second), story_of(scenario), lambda: 0.0)
    for command in COMMANDS[:8]:
        machine.advance(machine.now_us + 700_000)
        machine.swarm.do(command)
    for _ in machine.seek(2 * SECOND):
        pass
    machine.swarm.do(Kill("#1"))
    machine.advance(4 * SECOND)
    machine.close()
    return [first.read_bytes(), second.read_bytes()]


def damaged(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Damage a recording in one place: a bit, bytes, whole records, its end, or data after its end."""
    at = rng.randrange(len(data))
    # The story and the commands are small beside the world: half of the damage is done there.
    if rng.random() < 0.5:
        at = rng.choice((rng.randrange(min(len(data), 1_500)), len(data) - 1 - rng.randrange(min(len(data), 1_000))))
    match rng.randrange(11):
        case 0 | 1 | 2:
            return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
        case 3:
            other = rng.randrange(len(data))
            swapped = bytearray(data)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            return bytes(swapped)
        case 4:
            return data[: at + 1] + bytes((rng.randrange(256),)) + data[at + 1 :]
        case 5:
            return data[:at]
        case 6:
            return data + rng.randbytes(rng.choice((1, 4, 7, 8, 20, 300)))
        case 7:
            return data + rng.choice(others)
        case 8:
            return data[:at] + data[at + rng.choice((1, 2, 16, 40)) :]
        case _:
            return shuffled(data, others, rng)


def shuffled(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Whole records, with the checksums that they had, deleted, doubled, exchanged, or taken from another file."""
    records = whole_records(data)
    one, two = rng.randrange(len(records)), rng.randrange(len(records))
    match rng.randrange(4):
        case 0:
            del records[one]
        case 1:
            records.insert(one, records[two])
        case 2:
            records[one], records[two] = records[two], records[one]
        case _:
            records[one] = rng.choice(whole_records(rng.choice(others)))
    return FIRST_LINE + b"".join(records)


def whole_records(data: bytes) -> list[bytes]:
    """The records of a file, each with its size and checksum."""
    found, at = [], len(FIRST_LINE)
    for content in parts(data):
        found.append(data[at : at + len(content) + 16])
        at += len(content) + 16
    assert sealed(parts(data)) == data
    return found


def try_damaged(file: Path) -> str:
    """Read a damaged file: "refused", or "reported" if it is read and said to be incomplete. Else AssertionError."""

    def load() -> str:
        return load_recording(str(file))[1].note

    note, wrong = complaint_of(load)
    assert not wrong, wrong
    if note is None:
        return "refused"
    assert "stops at" in note, "it is read as if it were whole"
    return "reported"


def main() -> None:
    """Try random orders, then damaged files, and print how many went wrong."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--orders", type=int, default=2_000)
    ask.add_argument("--damaged", type=int, default=5_000)
    ask.add_argument("--seed", type=int, default=0)
    args = ask.parse_args()
    wrong = files = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.orders):
            setup, steps = order(random.Random(f"{args.seed}/{number}"))
            try:
                files += try_order(setup, steps, Path(folder), RandomSession if number % 3 == 0 else RandomRun)
            except Exception:
                wrong += 1
                print(
                    f"order {number} of seed {args.seed}, setup {setup}: {steps}\n{traceback.format_exc()}", flush=True
                )
        print(f"{args.orders:,} orders, {files:,} recordings replayed, {wrong} orders went wrong", flush=True)
        counts = {"refused": 0, "reported": 0, "wrong": 0}
        good, file = undamaged(Path(folder)), Path(folder) / "damaged.swarm"
        for number in range(args.damaged):
            rng = random.Random(f"{args.seed}/hurt/{number}")
            data = rng.choice(good)
            bad = damaged(data, good, rng)
            if bad in good:
                continue
            try:
                file.write_bytes(bad)
                counts[try_damaged(file)] += 1
            except AssertionError as error:
                counts["wrong"] += 1
                print(f"damaged file {number} of seed {args.seed}: {error}", flush=True)
        print(f"damaged recordings: {counts}", flush=True)
    sys.exit(1 if wrong or counts["wrong"] else 0)


if __name__ == "__main__":
    main()
