"""Fuzzing of every decoder: a damaged input is read, or refused in one clear sentence.

Inputs begin as valid ones and are then damaged: bytes changed, cut, repeated, spliced from another input, numbers made
extreme, brackets nested, unusual characters inserted. All random choices are seeded, so that a number always names the
same input.

    python tests/fuzz.py [--inputs 100000] [--decoder NAME] [--seed 0]
"""

from __future__ import annotations

import argparse
import functools
import gzip
import random
import sys
import tempfile
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from recording_file import parts, sealed

from engine import InputError, Setup, load_recording, parse_sweep, run, scenario_files
from engine.analysis import selectors
from engine.sim.rng import Stream
from engine.world import access_links, churn, topology
from engine.world.readers import edge_list, rtt_matrix, sessions
from tui.actions.table import ALL
from tui.config import keymap, settings, themes

ROOT = Path(__file__).parents[1]
SENTENCE_MOST = 600
ODD = (
    b"\x00",
    b"\xff\xfe",
    b"\x1b[2J",
    "é".encode(),
    "\u202e".encode(),
    "🦑".encode(),
    b"-1",
    b"1e999",
    b"nan",
    b"9" * 400,
    b"0x10",
    b"[" * 300,
    b"(" * 300,
    b'"',
    b"'''",
    b"#",
    b"=",
    b"\r\n",
    b"\t",
    b",",
    b":",
    b"true",
    b"not ",
    b"and ",
    b"1_000",
    b"{}",
    b"[[at]]\n",
)
DIALECTS = (
    b"\r",
    b"\n",
    b";",
    b"|",
    b"%",
    b"//",
    b"\xef\xbb\xbf",
    b"\xfe\xff",
    b"\xff\xfe\x00\x00",
    "０".encode(),
    "\u00a0".encode(),
    b"nan",
    b"-1",
    b"-",
    b"NA",
    b",,",
    b"inf",
    b"+1",
    b"01",
    b"source,target\n",
    b"graph [",
    b"<graphml>",
    b"*Vertices 3\n",
    b"%%MatrixMarket\n",
    b"{'weight': 3}",
    b"1577836800",
    b"1577836800000",
)
"""Fragments that other programs write into such files, for decoders of tables."""
TABLES = ("edge list", "matrix", "trace", "graph")
Decode = Callable[[bytes, Path], object]
T = TypeVar("T")


@dataclass(frozen=True)
class Decoder:
    """A function that reads an input, and valid inputs to begin with. `file` is a scratch file that it may write."""

    name: str
    decode: Decode
    good: tuple[bytes, ...]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode("utf-8")


def _by_path(load: Callable[[str], object]) -> Decode:
    def decode(data: bytes, file: Path) -> object:
        file.write_bytes(data)
        return load(str(file))

    return decode


def _scenario(data: bytes, file: Path) -> object:
    file.write_bytes(data)
    return scenario_files.load(file)


def _records_decoder(world: list[bytes]) -> Decode:
    """A decoder of the contents of records, each with its size before it: they are read as a recording with right
    checksums, in which an undamaged world follows the first of them."""

    def decode(data: bytes, file: Path) -> object:
        contents, at = [], 0
        while at + 4 <= len(data):
            size = int.from_bytes(data[at : at + 4], "little")
            contents.append(data[at + 4 : at + 4 + size])
            at += 4 + size
        file.write_bytes(sealed([*contents[:1], *world, *contents[1:]]))
        return load_recording(str(file))

    return decode


def _records(recording: bytes) -> Decoder:
    contents = parts(recording)
    world = [part for part in contents if part.startswith(b"\x93\xa5world")]
    rest = [part for part in contents if part not in world]
    return Decoder(
        "records", _records_decoder(world), (b"".join(len(part).to_bytes(4, "little") + part for part in rest),)
    )


def _recorded(protocol: str) -> bytes:
    """A small recording, as `swarmtop run --record` writes one: long enough that not all of it is the world."""
    begun = replace(scenario_files.Scenario(), setup=Setup(protocol=protocol, peers=4, latency="constant:20"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.swarm"
        run(begun.asking(["blue train"], "#0"), until=300.0, record=str(path))
        return path.read_bytes()


def _configured(text: str) -> object:
    """Read the dashboard's configuration: each mistake in it gives a sentence, and the rest is used."""
    made = settings.read(text, Path("config.toml"))
    table, said = keymap.remapped(ALL, made.keys)
    wrong = [*made.complaints, *said]
    if wrong:
        raise InputError(" ".join(wrong)[:SENTENCE_MOST])
    return table


def _line(parse: Callable[[str], object]) -> Decode:
    return lambda data, file: parse(_text(data))


DECODERS = (
    "scenario", "selector", "edge list", "matrix", "churn", "trace", "graph", "arrivals", "lines", "topology", "sweep",
    "recording", "records", "configuration", "theme",
)  # fmt: skip
"""The names of all decoders. To make the decoders takes a second, as some of them need recordings."""


@functools.cache
def decoders() -> dict[str, Decoder]:
    """All functions that read input from users or files, by name."""
    scenarios = tuple(path.read_bytes() for path in sorted((ROOT / "engine" / "scenarios").glob("*.toml")))
    looks = tuple(path.read_bytes() for path in sorted((ROOT / "themes").glob("*.toml"))[:4])
    edges = b"# Directed graph\n# Nodes: 4 Edges: 4\n# FromNodeId\tToNodeId\n0\t1\n0\t2\n1\t3\n2\t3\n"
    named = b"alice bob\nbob carol\ncarol alice\n"
    trips = b"0 10.5 20\n10.5 0 31\n20 31 0\n"
    asked = (
        b"p017",
        b"#17",
        b"role=index and not state=dead",
        b'holds "blue train" or top 5 degree',
        b"(random 10% and city=Lisbon) or degree>10",
        b"top 5% load",
        b"operator=acme",
    )
    churns = (b"weibull:0.59:2514", b"exponential:60", b"pareto:1.5:30", b"none")
    graphs = (b"random:4", b"small-world:4:0.1", b"scale-free:2", b"ring", b"tree:3", b"complete")
    traces = (b"peer,start_s,end_s\np000,0,12.5\n1,3,4\nalice,7,1e3\n", b"p001,0,5\np001,9,11\n")
    recorded = tuple(_recorded(name) for name in ("gnutella", "gossip"))
    spoken = tuple(
        text.replace(",", sep).replace("\n", end).encode(code)
        for sep, end, code in (
            (";", "\r\n", "utf-8-sig"),
            ("\t", "\r", "utf-16"),
            ("|", "\n", "utf-32"),
            (" ", "\n", "utf-8"),
        )
        for text in ("source,target,weight\n0,1,2.5\n1,2,3\n2,0,4\n", '"a","b"\n"b","c"\n')
    )
    measured = (b",a,b\na,0,12\nb,-1,0\n", b"0;12,5;nan\n12,5;0;3\n-;3;0\n", "0\t7\n7\t0\n".encode("utf-16"))
    seen = (
        b"id;start;end\r\np000;0;\r\np001;3,5;inf\r\n",
        b"p000 1577836800 1577836900\rp001 1577836805 -\r",
        "p000\t1577836800000\t1577836900000\n".encode("utf-16"),
    )
    drawn = (
        b'graph [\n node [ id 0 label "a" ]\n node [ id 1 ]\n edge [ source 0 target 1 latency "1 ms" ]\n]\n',
        b'<graphml><graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="a" target="b"/></graph>'
        b"</graphml>",
        b'*Vertices 2\n1 "a"\n2 "b"\n*Edges\n1 2 1.0\n',
    )
    wishes = (settings.template(ALL).encode(), b'theme = "paper"\nfps = 20\n[keys]\n"peer.kill" = "ctrl+k, X"\n')
    made = [
        Decoder("scenario", _scenario, scenarios),
        Decoder("selector", _line(selectors.parse), asked),
        Decoder("edge list", _by_path(edge_list.load), (edges, named, gzip.compress(edges, mtime=0), *spoken)),
        Decoder("matrix", _by_path(rtt_matrix.read), (trips, gzip.compress(trips, mtime=0), *measured)),
        Decoder("churn", _line(churn.parse), churns),
        Decoder("trace", _by_path(lambda path: sessions.load(path, ("p000", "p001", "alice"))), (*traces, *seen)),
        Decoder("graph", _by_path(edge_list.load), drawn),
        Decoder("arrivals", _line(churn.parse_arrivals), (b"poisson:0.5", b"weibull:0.62:12", b"none")),
        Decoder("lines", _line(access_links.parse), (b"saroiu", b"384:3000", b"none")),
        Decoder("topology", _line(lambda spec: topology.build(spec, 12, Stream("fuzz"))), graphs),
        Decoder("sweep", _line(parse_sweep), (b"kill:0:0.9:10", b"collude:blue train:0:1:5", b"censor:0.5:1:2")),
        Decoder("recording", _by_path(load_recording), recorded),
        _records(recorded[0]),
        Decoder("configuration", _line(_configured), wishes),
        Decoder("theme", _line(lambda text: themes.load(text, "mine.toml")), looks),
    ]
    assert tuple(one.name for one in made) == DECODERS
    return {one.name: one for one in made}


def inputs(decoder: Decoder, count: int, seed: int) -> Iterator[bytes]:
    """`count` damaged inputs; the first ones are the valid inputs unchanged."""
    rng = random.Random(f"{seed}/{decoder.name}")
    yield from decoder.good[:count]
    for _ in range(count - len(decoder.good)):
        data = rng.choice(decoder.good)
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            signs = (*ODD, *DIALECTS) if decoder.name in TABLES else ODD
            data = damaged(data, rng, decoder.good, signs)
        yield data[:20_000]


def damaged(data: bytes, rng: random.Random, others: tuple[bytes, ...], signs: tuple[bytes, ...] = ODD) -> bytes:
    """Damage an input in one place."""
    at = rng.randrange(len(data) + 1)
    to = min(len(data), at + rng.choice((1, 2, 5, 20, 100)))
    match rng.randrange(8):
        case 0:
            return data[:at] + bytes((rng.randrange(256),)) + data[at + 1 :]
        case 1:
            return data[:at] + data[to:]
        case 2:
            return data[:at]
        case 3:
            return data[:at] + data[at:to] * rng.choice((2, 3, 50)) + data[to:]
        case 4:
            return data[:at] + rng.choice(signs) + data[at:]
        case 5:
            return data[:at] + rng.choice(signs) + data[to:]
        case 6:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            return data[:at] + other[start : start + 60] + data[at:]
        case _:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            return b"\n".join(lines)


def complaint(decoder: Decoder, data: bytes, file: Path) -> str:
    """What went wrong when a decoder handled an input, or empty."""
    return complaint_of(lambda: decoder.decode(data, file))[1]


def complaint_of(read: Callable[[], T]) -> tuple[T | None, str]:
    """What was read, or None if it was refused; and what went wrong, or empty."""
    try:
        return read(), ""
    except InputError as error:
        return None, unclear(str(error))
    except Exception:
        return None, traceback.format_exc()


def unclear(said: str, most: int = SENTENCE_MOST) -> str:
    """What is wrong with the sentence of an error, or empty. most: characters that it may have."""
    if not said.strip():
        return "it was refused without a word"
    if len(said) > most:
        return f"it was refused in {len(said)} characters"
    if any(unicodedata.category(ch) in ("Cc", "Cf", "Cs", "Zl", "Zp") for ch in said):
        return f"the sentence has control characters: {said!r}"
    return ""


def fuzz(decoder: Decoder, count: int, seed: int, file: Path) -> None:
    """Give damaged inputs to a decoder. Raises AssertionError with the first input that it handled wrongly."""
    for number, data in enumerate(inputs(decoder, count, seed)):
        wrong = complaint(decoder, data, file)
        assert not wrong, f"{decoder.name}, input {number} of seed {seed}: {data[:300]!r}\n{wrong}"


def main() -> None:
    """Fuzz all decoders, or one, with any number of inputs."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--inputs", type=int, default=100_000)
    ask.add_argument("--decoder", default="")
    ask.add_argument("--seed", type=int, default=0)
    args = ask.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for decoder in decoders().values():
            if args.decoder in ("", decoder.name):
                try:
                    fuzz(decoder, args.inputs, args.seed, Path(folder) / "input")
                    print(f"{decoder.name}: {args.inputs:,} inputs, each read or refused in a sentence", flush=True)
                except AssertionError as error:
                    wrong += 1
                    print(error, flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
