"""Signals, keys and sizes in random orders: the program ends when it has to, and restores the terminal.

Each sequence starts a dashboard as the job of a shell, sends it STOP, CONT, TSTP, WINCH, puts it into the background
and back, presses keys, and ends it by `q`, by a signal, or by closing the window. All random choices are seeded.

    python tests/signals.py [--runs 100] [--seed 0] [--only N]
    python tests/signals.py --terminate 60     SIGTERM alone, at a random moment
    python tests/signals.py --terminate 60 --signal QUIT
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tui"))

from jobs import Job, job

ENDS = ("HUP", "INT", "QUIT", "TERM", "ABRT", "USR1", "ALRM")
END_S = 15.0
KEYS = (
    "\x1b[C",
    " ",
    "?",
    "\x1b",
    "\x10",
    "g",
    "d",
    "/",
    "ro",
    "\r",
    "n",
    ".",
    ";",
    "\x1b[5~",
    "1",
    "9",
    "t",
    "h",
    "x",
)
RUNS = (
    ["--seed", "7", "--peers", "24"],
    ["--seed", "1", "--peers", "64"],
    ["--seed", "1", "--peers", "300", "--speed", "20"],
    ["--protocol", "gossip", "--peers", "100"],
    ["--seed", "3", "--peers", "24", "--record", "run.swarm"],
)
READY = r"alive"


def act(it: Job, rng: random.Random) -> str:
    """Do one random action. Returns its name."""
    what = rng.choice(
        (
            "STOP",
            "CONT",
            "TSTP",
            "WINCH",
            "keys",
            "keys",
            "^z",
            "fg",
            "fg",
            "bg",
            "size",
            "wait",
            "TTIN",
            "TTOU",
            "STOPCONT",
        )
    )
    if what == "keys":
        keys = "".join(rng.choice(KEYS) for _ in range(rng.randint(1, 3)))
        it.type(keys)
        what += repr(keys)
    elif what == "^z":
        it.type("\x1a")
    elif what in ("fg", "bg"):
        (it.fg if what == "fg" else it.bg)()
    elif what == "size":
        it.resize(rng.randint(1, 200), rng.randint(1, 60))
    elif what == "wait":
        it.read(0.6)
    elif what == "STOPCONT":
        for name in rng.choices(("STOP", "CONT", "TSTP"), k=rng.randint(2, 6)):
            it.kill(getattr(signal, f"SIG{name}"))
            what += f" {name}"
    else:
        it.kill(getattr(signal, f"SIG{what}"))
    it.read(rng.choice((0.0, 0.01, 0.1, 0.3)))
    return what


def sequence(number: int, seed: int) -> list[str]:
    """Run one sequence. Returns sentences about what was wrong."""
    rng = random.Random(seed * 100_003 + number)
    done: list[str] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        words = ["-m", "tui", *rng.choice(RUNS)]
        with job(Path(home), words) as it:
            try:
                if rng.random() < 0.8:
                    it.until(READY)
                else:
                    it.read(rng.uniform(0.0, 1.5))
                    done.append("early")
                for _ in range(rng.randint(2, 12)):
                    if "ended" in it.state:
                        break
                    done.append(act(it, rng))
                end = rng.choice(("q", "q", *ENDS))
                done.append(f"end {end}")
                ended_by = None
                if "ended" not in it.state:
                    it.fg()
                    it.fg()
                    if end == "q":
                        it.read(0.5)
                        it.resize(120, 36)
                        ended_by = _quit(it)
                    else:
                        it.kill(getattr(signal, f"SIG{end}"))
                        it.fg()
                if ended_by is None:
                    it.end(END_S)
                code = it.state["ended"]
                number_of = getattr(signal, f"SIG{end}", None)
                good = (0,) if end == "q" else (128 + number_of, -number_of, 0) if number_of else (0,)
                if end in ("INT",):
                    good = (*good, 130)
                if code not in good and "early" not in done:
                    wrong.append(f"exit code {code}, and last: {it.screen.after[-2000:]!r}")
                    wrong += [crash.read_text() for crash in Path(home).rglob("crash.txt")]
                wrong += it.unclean()
                # Before the program has started, Python itself reports an interrupt.
                if "Traceback" in it.written and not ("early" in done and "KeyboardInterrupt" in it.written):
                    wrong.append("a traceback:\n" + it.written[it.written.index("Traceback") :][:3000])
            except AssertionError as error:
                wrong.append(str(error)[:3000])
    return [f"{number}: {' '.join(words[2:])}: {', '.join(done)}", *wrong] if wrong else []


def _quit(it: Job) -> int:
    """Press q until the program ends, since a bar may be open, or the program may not be in the foreground yet."""
    end = time.monotonic() + END_S * 2
    while "ended" not in it.state and time.monotonic() < end:
        it.fg()
        it.type("\x1b")
        it.read(0.4)
        it.type("\x1b")
        it.read(0.4)
        it.type("q")
        it.read(1.0)
    return it.end(1.0)


KINDS = ("start", "seek", "palette", "follower", "stopped", "unread", "picker", "twice", "continued", "resized")


def terminated(number: int, seed: int, by: signal.Signals = signal.SIGTERM) -> list[str]:
    """Send a signal that ends the program at a random moment. Returns sentences about what was wrong."""
    rng = random.Random(seed * 100_003 + number)
    done = ""
    with tempfile.TemporaryDirectory() as home:
        words = ["-m", "tui", *rng.choice(RUNS)]
        with job(Path(home), words) as it:
            try:
                kind = rng.choice(KINDS)
                wait = rng.uniform(0.0, 3.0)
                done = f"{kind} {wait:.2f}"
                if kind == "start":
                    it.read(wait)
                else:
                    it.until(READY)
                    it.read(wait if kind == "follower" else 0.5)
                if kind == "seek":
                    it.type("\x1b[5~" * 3 + "\x1b[H")
                    it.read(wait / 10)
                elif kind == "palette":
                    it.type("\x10")
                    it.read(wait / 3)
                elif kind == "picker":
                    it.type("p")
                    it.read(wait / 10)
                    it.type("\r")
                    it.read(wait / 3)
                elif kind == "stopped":
                    it.kill(rng.choice((signal.SIGSTOP, signal.SIGTSTP)))
                    it.read(0.2)
                elif kind == "continued":
                    for _ in range(rng.randint(1, 5)):
                        it.kill(rng.choice((signal.SIGCONT, signal.SIGCONT, signal.SIGTSTP)))
                        it.read(rng.choice((0.0, 0.001, 0.02)))
                    it.fg()
                    it.read(rng.choice((0.0, 0.001, 0.02)))
                elif kind == "resized":
                    for _ in range(rng.randint(1, 3)):
                        it.resize(rng.randint(1, 200), rng.randint(1, 60))
                        it.read(rng.choice((0.0, 0.01, 0.1)))
                if kind == "unread":
                    time.sleep(wait)
                it.kill(by)
                if kind in ("twice", "start", "continued"):
                    it.read(rng.choice((0.0, 0.01, wait / 10)))
                    it.kill(by)
                    it.fg()
                if kind == "stopped":
                    it.fg()
                if kind == "unread":
                    time.sleep(4)
                begun = time.monotonic()
                code = it.end(END_S)
                took = time.monotonic() - begun
                wrong = it.unclean() if kind != "unread" else []
                if code not in (128 + by, -by):
                    wrong.append(f"exit code {code}, and last: {it.screen.after[-2000:]!r}")
                if took > 6:
                    wrong.append(f"took {took:.1f} s")
            except AssertionError as error:
                wrong = [str(error)[:3000]]
    return [f"{number}: {' '.join(words[2:])}: {done}", *wrong] if wrong else []


def main() -> int:
    """Run the sequences and print what was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    parser.add_argument("--terminate", type=int)
    parser.add_argument("--signal", default="TERM")
    space = parser.parse_args()
    by = signal.Signals[f"SIG{space.signal}"]
    one = sequence if space.terminate is None else partial(terminated, by=by)
    numbers = range(space.terminate or space.runs) if space.only is None else [space.only]
    faults = 0
    for number in numbers:
        wrong = one(number, space.seed)
        faults += bool(wrong)
        print("\n  ".join(wrong) if wrong else f"{number}: no fault", flush=True)
    print(f"{len(numbers)} sequences, {faults} with faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
