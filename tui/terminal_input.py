"""What a terminal sends, cut into pieces: characters, whole escape sequences, pastes. Bytes in, pieces out; no clock.

A terminal sends what is typed, pasted or answered in portions that end at any byte. So nothing here raises, and nothing
is waited for without end: a sequence that is cut off or never ends is dropped, at the byte that cannot belong to it or
after a silence, and what comes next is read as usual.

Sequences are read as ECMA-48 has them: a control sequence is `ESC [`, parameters (0x30 to 0x3F), intermediate bytes
(0x20 to 0x2F) and a final byte (0x40 to 0x7E); a control string (OSC, DCS, APC, PM, SOS) lasts until BEL or `ESC \\`.
Control strings only ever answer questions that this program does not ask, so their content is not kept.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

ESCAPE_S = 0.1
"""Seconds of silence after which ESC was the key and not the beginning of a sequence."""
SEQUENCE_S, STRING_S, PASTE_S = 0.5, 1.0, 1.5
"""Seconds of silence after which a sequence, a control string and a paste count as ended without an end sequence."""
SEQUENCE_MOST = 256
"""Bytes of a sequence. No known one has a fifth of it."""
PASTE_MOST = 1 << 20
"""Bytes of a paste that are kept."""

PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"
CSI = re.compile(rb"\x1b\[(?:<[0-9;-]*[Mm]|[0-?]*[ -/]*[@-~])")
CSI_PART = re.compile(rb"\x1b\[(?:<[0-9;-]*)?[0-?]*[ -/]*")
"""A report of the mouse has a minus where the pointer is outside of the window."""
SS3 = re.compile(rb"\x1bO[0-9;]*[:<-~]")
SS3_PART = re.compile(rb"\x1bO[0-9;]*")
STRING_ENDS = re.compile(rb"[\x00-\x1f]")
STRINGS = b"]PX^_"
MEANT_WITH_ALT = b"\t\r\x08\x7f"
"""Control characters that a person types together with alt. Any other one after ESC is a key of its own."""

Kind = Literal["text", "alone", "sequence", "paste"]
State = Literal["ground", "string", "long", "paste"]


class Piece(NamedTuple):
    """`text`: characters typed; `alone`: ESC, the key; `sequence`: a whole one, ESC first; `paste`: what was pasted."""

    kind: Kind
    text: str


class InputSplitter:
    """Pass `feed` what was read. When nothing came for `patience_s` seconds, call `silence`."""

    def __init__(self, escape_s: float = ESCAPE_S) -> None:
        self._escape_s = escape_s
        self._rest = b""
        """What has been read and is not complete; it begins with ESC, except in a paste."""
        self._state: State = "ground"
        self._pasted = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def patience_s(self) -> float | None:
        """Seconds of silence after which what is unfinished is given up; None when nothing is."""
        if self._state == "paste":
            return PASTE_S
        if self._state == "string":
            return STRING_S
        if self._rest == b"\x1b":
            return self._escape_s
        return SEQUENCE_S if self._rest or self._state == "long" or self._decoder.getstate()[0] else None

    def silence(self) -> Iterator[Piece]:
        """Nothing more came: what is unfinished will not be finished."""
        state, rest = self._state, self._rest
        self._state, self._rest = "ground", b""
        if state == "paste":
            yield self._paste(rest)
        elif rest == b"\x1b":
            yield Piece("alone", "\x1b")
        elif rest and state == "ground":
            # Alt and a key that also begins sequences, or one that ends as none should: rxvt has `ESC [ 7 $`.
            yield Piece("sequence", rest.decode("utf-8", "replace"))
        yield from self._characters(b"", final=True)

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Pieces that are whole by now."""
        data, self._rest = self._rest + data, b""
        at = 0
        while at < len(data):
            if self._state == "paste":
                ends = data.find(PASTE_ENDS, at)
                if ends < 0:
                    # The end may have been cut in two.
                    kept = max(at, len(data) - len(PASTE_ENDS) + 1)
                    self._keep(data[at:kept])
                    self._rest = data[kept:]
                    return
                yield self._paste(data[at:ends])
                self._state, at = "ground", ends + len(PASTE_ENDS)
            elif self._state == "string":
                at = self._leave_string(data, at)
            elif self._state == "long":
                at = self._leave_long(data, at)
            elif data[at] != 0x1B:
                ends = data.find(b"\x1b", at)
                yield from self._characters(data[at : ends if ends >= 0 else len(data)], final=ends >= 0)
                at = ends if ends >= 0 else len(data)
            else:
                yield from self._characters(b"", final=True)
                piece, after = self._sequence(data, at)
                if after is None:
                    self._rest = data[at:]
                    return
                at = after
                if piece is not None:
                    yield piece

    def _characters(self, data: bytes, *, final: bool) -> Iterator[Piece]:
        text = self._decoder.decode(data, final)
        if text:
            yield Piece("text", text)

    def _keep(self, data: bytes) -> None:
        self._pasted += data[: max(0, PASTE_MOST - len(self._pasted))]

    def _paste(self, last: bytes) -> Piece:
        self._keep(last)
        text = self._pasted.decode("utf-8", "replace")
        self._pasted.clear()
        return Piece("paste", text)

    def _leave_string(self, data: bytes, at: int) -> int:
        """Where to read on: behind the end of a control string, or at a character that no such string has."""
        found = STRING_ENDS.search(data, at)
        if found is None:
            return len(data)
        self._state = "ground"
        end = found.start()
        if data[end] == 0x07:
            return end + 1
        return end  # `ESC \` by itself means nothing

    def _leave_long(self, data: bytes, at: int) -> int:
        """Behind the final byte of a sequence that is longer than any, or at a byte that cannot belong to it."""
        while at < len(data) and 0x20 <= data[at] <= 0x3F:
            at += 1
        if at < len(data):
            self._state = "ground"
            return at + 1 if 0x40 <= data[at] <= 0x7E else at
        return at

    def _sequence(self, data: bytes, at: int) -> tuple[Piece | None, int | None]:
        """What begins with the ESC at `at`, and where to read on: None when it is not whole yet."""
        if at + 1 == len(data):
            return None, None
        second = data[at + 1]
        if second == 0x1B:
            return Piece("alone", "\x1b"), at + 1
        if second == 0x5B:
            return self._control(data, at)
        if second == 0x4F:
            whole = SS3.match(data, at, at + SEQUENCE_MOST)
            if whole is not None:
                return Piece("sequence", whole[0].decode("ascii")), whole.end()
            part = SS3_PART.match(data, at)
            return self._broken(data, at, part.end() if part is not None else at + 2)
        if second in STRINGS:
            if at + 2 == len(data):
                return None, None
            self._state = "string"
            return None, at + 2
        if second == 0x5C:  # the end of a control string, whose beginning may have been given up
            return None, at + 2
        if second < 0x20 and second not in MEANT_WITH_ALT:
            return Piece("alone", "\x1b"), at + 1
        length = 1 if second < 0xC0 else 2 if second < 0xE0 else 3 if second < 0xF0 else 4
        if at + 1 + length > len(data):
            return None, None
        text = data[at + 1 : at + 1 + length].decode("utf-8", "replace")
        if length > 1 and len(text) > 1:
            return None, at + 2  # no character begins so; what follows may well be one
        return Piece("sequence", "\x1b" + text), at + 1 + length

    def _control(self, data: bytes, at: int) -> tuple[Piece | None, int | None]:
        whole = CSI.match(data, at, at + SEQUENCE_MOST)
        if whole is None:
            part = CSI_PART.match(data, at)
            end = part.end() if part is not None else at + 2
            if end < len(data) and 0x20 <= data[end] <= 0x3F:
                # Its parts are in a wrong order. As in terminals all of it is ignored, and none of it is typed.
                self._state = "long"
                return None, end
            return self._broken(data, at, end)
        if whole[0] == b"\x1b[M":
            return self._old_mouse(data, at)
        if whole[0] == b"\x1b[[":  # function keys of the Linux console
            if whole.end() == len(data):
                return None, None
            if not 0x40 <= data[whole.end()] <= 0x7E:
                return None, whole.end()
            return Piece("sequence", "\x1b[[" + chr(data[whole.end()])), whole.end() + 1
        if whole[0] == PASTE_BEGINS:
            self._state = "paste"
            return None, whole.end()
        return Piece("sequence", whole[0].decode("ascii")), whole.end()

    def _broken(self, data: bytes, at: int, end: int) -> tuple[Piece | None, int | None]:
        """A sequence that is valid as far as `end`: more may come, or a byte is there that cannot belong to it."""
        if end - at > SEQUENCE_MOST:
            self._state = "long"
            return None, end
        return (None, None) if end == len(data) else (None, end)

    def _old_mouse(self, data: bytes, at: int) -> tuple[Piece | None, int | None]:
        """A report of the mouse as X10 had it, three bytes of button, column and row, in the form used since."""
        report = data[at + 3 : at + 6]
        cut = next((index for index, byte in enumerate(report) if byte < 0x20), None)
        if cut is not None:
            return None, at + 3 + cut
        if len(report) < 3:
            return None, None
        button, column, row = (byte - 32 for byte in report)
        up = not button & 0x60 and button & 3 == 3
        return Piece("sequence", f"\x1b[<{button & ~3 if up else button};{column};{row}{'m' if up else 'M'}"), at + 6
