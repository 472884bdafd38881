"""Random bytes as input: the program goes on, and after two seconds of silence every key works again.

`python tests/tui/input_fuzz.py parser --count 100000 --seed 1` feeds byte strings, each cut at
random places, to the parser of stdin. After the silence `q`, a lone ESC and ctrl+c must be read as just these keys.
`python tests/tui/input_fuzz.py program --count 200 --seed 1` types them into the real program, which must answer `q`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from textual import events
from textual.message import Message

from tui.terminal_input import InputSplitter, Piece
from tui.textual_compat import Translator

SEEDS: tuple[bytes, ...] = (
    *(b"\x1b[A", b"\x1b[1;5C", b"\x1bOP", b"\x1b[[A", b"\x1b[15~", b"\x1b[3;2~", b"\x1b[Z", b"\x1bx", b"\x1b\r"),
    *(b"\x1b[<0;10;10M", b"\x1b[<0;10;10m", b"\x1b[<35;3;4M", b"\x1b[<64;3;4M", b"\x1b[M \x98*", b"\x1b[32;10;10M"),
    *(b"\x1b[48;24;80;0;0t", b"\x1b[48;24:1;80:2;600;800t", b"\x1b[8;24;80t", b"\x1b[?2026;2$y", b"\x1b[?2048;1$y"),
    *(b"\x1b[97;5u", b"\x1b[1092:1060:97;2;1060u", b"\x1b[97;1:3u", b"\x1b[57399;;48u", b"\x1b[27;5;99~"),
    *(b"\x1b[I", b"\x1b[O", b"\x1b[5;7R", b"\x1b[?62;22c", b"\x1b[0n", b"\x1b[?1u"),
    *(
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1bP>|xterm(1)\x1b\\",
        b"\x1b_Gi=1;OK\x1b\\",
        b"\x1b^a\x1b\\",
        b"\x1bXa\x9c",
    ),
    *(b"\x1b[200~one\ntwo\x1b[201~", b"\x1b[200~caf\xe9", b"\x1b[201~", "Добрый день".encode(), b"caf\xe9", b"\x00"),
    *(
        "\U0001f469\u200d\U0001f4bb".encode(),
        "\ufeff\u202e".encode(),
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80",
        b"\xc0\xaf",
    ),
)
NUMBERS = (b"0", b"1", b"-1", b"65536", b"1114112", b"55296", b"9" * 40, b"9" * 5_000, b"", b":", b";;;;", b"1:2:3:4")


def random_input(rng: random.Random) -> bytes:
    """A random byte string, or a few real sequences that were changed, cut, repeated and inserted into each other."""
    if rng.random() < 0.15:
        return rng.randbytes(rng.randrange(1, 60))
    made = bytearray(b"".join(rng.choice(SEEDS) for _ in range(rng.randrange(1, 4))))
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(made) + 1)
        how = rng.randrange(6)
        if how == 0:
            made[at : at + 1] = rng.randbytes(rng.randrange(3))
        elif how == 1:
            del made[at : at + rng.randrange(1, 5)]
        elif how == 2:
            made[at:at] = rng.choice(NUMBERS)
        elif how == 3:
            made[at:at] = rng.choice(SEEDS)
        elif how == 4:
            made = made[:at] or bytearray(b"\x1b")
        else:
            made[at:at] = bytes([rng.choice(b"\x1b[]P_^XOM<;:?$ ~u\x07\x18\x1a\x9b\x9c")]) * rng.choice((1, 2, 300))
    return bytes(made)


def read(splitter: InputSplitter, translator: Translator, portions: list[bytes]) -> list[Message]:
    """The events that are read from portions of input."""
    pieces: list[Piece] = [piece for portion in portions for piece in splitter.feed(portion)]
    return [event for piece in pieces for event in translator.read(piece)]


def portions_of(rng: random.Random, data: bytes) -> list[bytes]:
    """Cut data at up to three random places."""
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(4)))
    return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def check_parser(count: int, seed: int) -> int:
    """Feed so many strings to the parser. Returns how many of them broke the keys after them."""
    rng, faults = random.Random(seed), 0
    splitter, translator = InputSplitter(), Translator()
    for number in range(count):
        data = random_input(rng)
        try:
            read(splitter, translator, portions_of(rng, data))
            waited = splitter.patience_s
            if waited is not None:
                for piece in splitter.silence():
                    translator.read(piece)
            keys: list[object] = []
            for typed in (b"q", b"\x1b", b"\x03"):
                got = read(splitter, translator, [typed])
                if typed == b"\x1b":
                    got += [event for piece in splitter.silence() for event in translator.read(piece)]
                keys += [event.key if isinstance(event, events.Key) else event for event in got]
            fine = keys == ["q", "escape", "ctrl+c"] and (waited is None or waited <= 1.5)
        except Exception as error:
            fine, keys = False, [repr(error)]
        if not fine:
            faults += 1
            print(f"string {number} of seed {seed}: {data!r} gave {keys}")
            splitter = InputSplitter()
    return faults


def check_program(count: int, seed: int, each: int = 20) -> int:
    """Type so many strings into running programs, `each` into one; after the last one `q` must end it. Returns how many
    programs failed."""
    from terminal import CTRL_C, Terminal, terminal

    def leaves(it: Terminal) -> bool:
        # Some of the bytes were keys, which may have opened a dialog: it is closed first.
        for keys in ("\x1b", "\x1b", "\x1b", "\x1b", "q", CTRL_C * 2):
            end_s = time.monotonic() + (0.5 if keys == "\x1b" else 4.0)
            if it.process.poll() is None:
                it.type(keys)
            while it.process.poll() is None and time.monotonic() < end_s:
                it._read()
        return it.end() in (0, 130) and not it.unclean()

    rng, faults = random.Random(seed), 0
    for first in range(0, count, each):
        with (
            tempfile.TemporaryDirectory() as folder,
            terminal(Path(folder), ["-m", "tui", "--seed", "7", "--peers", "24"]) as it,
        ):
            it.until("● alive")
            typed = []
            for _ in range(min(each, count - first)):
                # Without keys that end or stop the program: q, ctrl+c (also in its second form), ctrl+z and
                # ctrl+backslash.
                data = random_input(rng).translate(None, b"q\x03\x1a\x1c").replace(b"27;5;99~", b"27;5;98~")
                typed.append(data)
                for portion in portions_of(rng, data):
                    it.write(portion)
                    it._read()
                if it.process.poll() is not None:
                    break
            end_s = time.monotonic() + 2.0
            while time.monotonic() < end_s and it.process.poll() is None:
                it._read()
            early = it.process.poll()
            fine = False
            try:
                fine = early is None and leaves(it)
            except AssertionError as error:
                print(error)
            if not fine:
                faults += 1
                print(f"strings {first} to {first + len(typed) - 1} of seed {seed}, exit {early}: {typed!r}\n{it}")
                for crash in Path(folder).rglob("crash.txt"):
                    print(crash.read_text()[-3_000:])
    return faults


def main() -> int:
    """Run a campaign. Returns the exit code: 1 if there was a fault."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("what", choices=("parser", "program"))
    words.add_argument("--count", type=int, default=0)
    words.add_argument("--seed", type=int, default=1)
    said = words.parse_args()
    begun = time.monotonic()
    if said.what == "parser":
        count = said.count or 100_000
        faults = check_parser(count, said.seed)
    else:
        count = said.count or 200
        faults = check_program(count, said.seed)
    print(f"{count:,} byte strings, seed {said.seed}: {faults} faults, {time.monotonic() - begun:.0f} s")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
