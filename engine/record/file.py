"""Writes a run into a file while it goes on.

The file is made of records under checksums, see `sealed`. The content of each is one MessagePack value. First a map,
the header: `setup`, and `story`, what the program that recorded wants to have again. Then lists, each with a word in
front:

    ["world", name, packed]                        pieces of the world as it was drawn, see `worlds`
    ["do", at_us, by, verb, fields, said, drawn]   a command from outside, its selectors resolved; as it was said
    ["print", at_us, fingerprint]                  at the sample of that second of virtual time
    ["at", at_us]                                  the run came as far as this
    ["back", at_us, commands]                      somebody went back, and what came after is discarded
    ["end", at_us, fingerprint]                    the run ended here, and nobody tore the file

Names in it are those of scenarios and of the command line, never those of Python modules or classes, so that the code
may be moved and recordings still be read.

What a file says is always a moment of the run that is written: before anything is discarded, the file is brought to
where the run had come. Commands are handed to the operating system at once, and the rest when `FLUSH_S` have passed:
whoever kills the writer loses what was in its memory, and that is less than a second of it. A clock is handed in, as
the engine has none.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgpack

from ..errors import InputError, plain
from ..setup import Setup
from ..world.world import World
from .codec import of_command, of_setup
from .log import Given, Position
from .sealed import FIRST_LINE, RECORD_MAX, Sealer
from .worlds import WORLD_MAX, pieces

FLUSH_S = 0.4


class Scribe:
    """One recording in the making. Raises InputError when the file cannot be written, then or later."""

    def __init__(
        self, path: str, setup: Setup, world: World, story: Mapping[str, Any], clock: Callable[[], float]
    ) -> None:
        self.path = path
        self._clock = clock
        self._pack = msgpack.Packer(unicode_errors="surrogatepass").pack
        self._seal = Sealer().seal
        self._waiting = bytearray(FIRST_LINE)
        self._at_us = 0
        """How far the run has come, as the file tells it."""
        try:
            self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115 - open for as long as the run goes on
        except (OSError, ValueError) as error:
            raise self._trouble(error) from None
        try:
            self._begin(setup, world, story)
        except InputError:
            self._file.close()
            raise

    def _begin(self, setup: Setup, world: World, story: Mapping[str, Any]) -> None:
        self._put({"setup": of_setup(setup), "story": dict(story)})
        size = 0
        for name, data in pieces(world):
            size += len(data)
            if size > WORLD_MAX:
                raise InputError(f"a run whose world has more than {WORLD_MAX >> 20} MB cannot be recorded")
            self._put(["world", name, zlib.compress(data, 6)])
            if len(self._waiting) > 1 << 20:
                self.flush()
        self.flush()

    def did(self, given: Given) -> None:
        """A command from outside."""
        verb, values = of_command(given.meant)
        said = {name: each for name, each in of_command(given.said)[1].items() if each != values[name]}
        self._put(["do", given.at_us, given.by, verb, values, said, given.drawn])
        self._at_us = given.at_us
        self.flush()

    def print(self, at_us: int, fingerprint: str) -> None:
        """What the run was like at a sample."""
        self._put(["print", at_us, bytes.fromhex(fingerprint)])
        self._at_us = at_us

    def back(self, from_us: int, to: Position) -> None:
        """The run had come to `from_us`, and all after that position is discarded."""
        self._reached(from_us)
        self._put(["back", *to])
        self._at_us = to[0]
        self.flush()

    def came(self, at_us: int) -> None:
        """The run has come that far; written when it is time to."""
        if self._clock() - self._flushed_s >= FLUSH_S:
            self._reached(at_us)
            self.flush()

    def close(self, at_us: int, fingerprint: str) -> None:
        """The end."""
        self._put(["end", at_us, bytes.fromhex(fingerprint)])
        self.flush()
        self._file.close()

    def break_off(self) -> None:
        """Somebody interrupted, maybe in the middle of an entry: what is in the file stands."""
        self._file.close()

    def past(self, log: Iterable[Given], prints: Mapping[int, str], end_us: int) -> None:
        """What had been before the recording began, in a run that came as far as `end_us`."""
        marks = [*((given.at_us, 1, given) for given in log), *((at, 0, text) for at, text in prints.items())]
        for at_us, _, what in sorted(marks, key=lambda mark: mark[:2]):
            if isinstance(what, Given):
                self.did(what)
            else:
                self.print(at_us, str(what))
        self._reached(end_us)
        self.flush()

    def _reached(self, at_us: int) -> None:
        if at_us > self._at_us:
            self._put(["at", at_us])
            self._at_us = at_us

    def _put(self, value: Any) -> None:
        content = self._pack(value)
        if len(content) > RECORD_MAX:
            raise InputError(
                f'"{plain(self.path)}": one entry is longer than the {RECORD_MAX:,} bytes that are written'
            )
        self._waiting += self._seal(content)

    def flush(self) -> None:
        """Hand over to the operating system what has been written."""
        self._flushed_s = self._clock()
        try:
            while self._waiting:
                del self._waiting[: self._file.write(self._waiting)]
        except (OSError, ValueError) as error:
            raise self._trouble(error) from None

    def _trouble(self, error: Exception) -> InputError:
        why = getattr(error, "strerror", None) or "it is no name of a file"
        return InputError(f'"{plain(self.path)}" cannot be written: {why}')
