"""Every command with each of its standard streams a terminal, closed, full, a file, or a pipe without a reader.

The state of one stream affects that stream alone: the exit code is right, the other streams have the right output, and
there is no traceback. The dashboard opens if one of the streams is a terminal, or if the process has a controlling
terminal.

    python tests/streams.py [--command NAME]
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
STATES = ("tty", "closed", "full", "file", "gone")
PATIENCE_S = 600.0
SMALL = ("--protocol", "gossip", "--peers", "8")
COMMANDS: dict[str, tuple[str, ...]] = {
    "nope": ("nope",),
    "help": ("--help",),
    "protocols": ("protocols",),
    "run": ("run", *SMALL, "--until", "1", "--json"),
    "replay": ("replay", "run.swarm", "--json"),
    "config": ("config",),
    "scenarios": ("scenarios",),
    "scenario": ("scenarios", "the-court"),
    "themes": ("themes", "--json"),
    "topic": ("help", "keys"),
    "topics": ("help",),
    "completion": ("completion", "bash"),
    "bench": ("bench", "--quick"),
    "dashboard": (*SMALL, "--json"),
}
BEGINS = {"bench": "deliveries a second of processor time"}
"""Command -> what stdout begins with, where the rest differs from run to run."""
DRAWN = {"topic": "Keys of the dashboard"}
"""Command -> a part of what it writes to a terminal, where it writes another form than to a file."""
SAMPLED = {"bench": 11}
"""Command -> only one of so many combinations is tried, as it takes half a minute."""
FULL = "swarmtop: stdout cannot be written: No space left on device\n"
NO_TERMINAL = "swarmtop: the dashboard needs a terminal; swarmtop run works without one\n"
LAUNCH = """
import os, sys
shut, line, *command = sys.argv[1:]
if line != "None":
    import fcntl, termios
    fcntl.ioctl(int(line), termios.TIOCSCTTY, 0)
for number in map(int, shut.strip("[]").split(",") if shut != "[]" else []):
    os.close(number)
os.execv(command[0], command)
"""
VARIES = re.compile(r'"(wall_s|cpu_s|deliveries_per_s)": [\d.]+|run in [\d.]+ s|[\d,]+ a second')


@dataclass(frozen=True)
class Result:
    """The result of a command. `tty`: what was written to the terminal, without its line ends."""

    code: int
    out: str
    err: str
    tty: str


def prepare(folder: Path) -> Path:
    """Make a folder with a home that has a configuration file."""
    (folder / "home" / "swarmtop").mkdir(parents=True, exist_ok=True)
    (folder / "home" / "swarmtop" / "config.toml").write_text("tour = false\n")
    return folder


def result_of(folder: Path, words: Sequence[str], states: Sequence[str], controlling: bool = False) -> Result:
    """Run a command with stdin, stdout and stderr in these states; `q` is typed as soon as there is a picture.
    `controlling`: the process has a controlling terminal (`/dev/tty`)."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    broken_read, other = os.pipe()
    os.close(other)
    other, broken_write = os.pipe()
    os.close(other)
    names = ("in", "out", "err")
    files = [folder / f"{name}.txt" for name in names]
    for file in files:
        file.write_bytes(b"")
    fds, shut = [], []
    for number, state in enumerate(states):
        if state == "closed":
            shut.append(number)
            fds.append(subprocess.DEVNULL)
        elif state in ("full", "file"):
            path = "/dev/full" if state == "full" else str(files[number])
            fds.append(os.open(path, os.O_WRONLY if number else os.O_RDONLY))
        else:
            fds.append(slave if state == "tty" else broken_write if number else broken_read)
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    env |= {f"XDG_{kind}_HOME": str(folder / "home") for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    if words != COMMANDS["dashboard"]:  # text is wrapped alike in a file and on a terminal
        env["COLUMNS"] = "80"
    launch = [sys.executable, "-I", "-S", "-c", LAUNCH, repr(shut), repr(slave if controlling else None)]
    process = subprocess.Popen(
        [*launch, sys.executable, "-m", "tui", *words],
        stdin=fds[0],
        stdout=fds[1],
        stderr=fds[2],
        pass_fds=(slave,) if controlling else (),
        cwd=folder,
        env=env,
        start_new_session=True,
    )
    seen, typed, end = b"", False, time.monotonic() + PATIENCE_S
    while True:
        ended = process.poll() is not None
        if select.select([master], [], [], 0 if ended else 0.05)[0]:
            seen += os.read(master, 65536)
        elif ended:
            break
        if not typed and b"under way" in seen:
            typed = True
            os.write(master, b"q")
        if time.monotonic() > end:
            process.kill()
    for number in {master, slave, broken_read, broken_write, *(fd for fd in fds if fd >= 0)}:
        os.close(number)
    out, err = (file.read_text() for file in files[1:])
    return Result(process.returncode, out, err, seen.decode(errors="replace").replace("\r\n", "\n"))


def wrong(
    base: Result, result: Result, states: Sequence[str], screen: bool, controlling: bool = False, whole: bool = True
) -> str:
    """A sentence about what is wrong with a result, or empty. `base`: the result with all three streams in files.
    whole: the output must equal that of `base`, else contain it."""
    text = result.out + result.err + result.tty
    if re.search("Traceback|Exception ignored|Error:", text):
        return "a traceback"
    code, out, err = base.code, base.out, base.err
    if screen:
        opened = "tty" in states or controlling
        code, out, err = (0, '{"protocol": "gossip"', "") if opened else (2, "", NO_TERMINAL)
        if opened != ("\x1b[?1049h" in result.tty):
            return f"the dashboard {'did not open' if opened else 'opened'}"
        if opened and result.tty.count("\x1b[?1049l") != 1:
            return "the terminal was not given back"
        if opened and "\x1b[36;" not in result.tty and "\x1b[35;" not in result.tty:
            return "the size of the terminal was not found"
    if states[1] == "full" and out:
        code, err = 2, err + FULL
    if result.code != code:
        return f"exit code {result.code}, not {code}"
    for state, got, want in ((states[1], result.out, out), (states[2], result.err, err)):
        if state == "file" and (plain(got) != plain(want) if whole else plain(want) not in plain(got)):
            return f"{got[:200]!r} is not {want[:200]!r}"
        if state == "tty" and plain(base.tty if want == out and base.tty else want) not in plain(result.tty):
            return f"{want[:200]!r} is not on the terminal"
    return ""


def plain(text: str) -> str:
    return VARIES.sub("", text)


def campaign(folder: Path, name: str, every: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a sentence for each combination of states with a wrong result."""
    words, screen = COMMANDS[name], name == "dashboard"
    if name == "replay" and not (folder / "run.swarm").exists():
        result = result_of(folder, ("run", *SMALL, "--until", "1", "--record", "run.swarm"), ("file",) * 3)
        assert result.code == 0, result
    base = Result(0, "", "", "") if screen else result_of(folder, words, ("file",) * 3)
    if name in BEGINS:
        assert base.out.startswith(BEGINS[name]), base
        base = replace(base, out=BEGINS[name])
    base = replace(base, tty=DRAWN.get(name, ""))
    for states in every:
        for controlling in (False, True) if screen and "tty" not in states else (False,):
            result = result_of(folder, words, states, controlling)
            if why := wrong(base, result, states, screen, controlling, whole=name not in BEGINS and not screen):
                yield f"{name} with {', '.join(states)}{' in a terminal' if controlling else ''}: {why}"


def main() -> int:
    """Try all states of all commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--command", choices=COMMANDS, action="append")
    args = parser.parse_args()
    every = list(itertools.product(STATES, repeat=3))
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = prepare(Path(name))
        for command in args.command or COMMANDS:
            found = 0
            some = every[:: SAMPLED.get(command, 1)]
            for sentence in campaign(folder, command, some):
                found += 1
                print(sentence, flush=True)
            print(f"{command}: {len(some)} combinations, {found} wrong", flush=True)
            bad += found
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
