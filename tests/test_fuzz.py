"""2,000 hurt inputs for every decoder. `python tests/fuzz.py` takes 100,000 of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import Decoder, complaint, decoders, fuzz, inputs

from engine import InputError

pytestmark = pytest.mark.uncounted

INPUTS = 2_000


@pytest.mark.parametrize("decoder", decoders(), ids=lambda one: one.name)
def test_an_input_is_read_or_refused_in_one_sentence(decoder: Decoder, tmp_path: Path) -> None:
    fuzz(decoder, INPUTS, seed=1, file=tmp_path / "input")


@pytest.mark.parametrize("decoder", decoders(), ids=lambda one: one.name)
def test_the_injuries_are_of_both_kinds(decoder: Decoder, tmp_path: Path) -> None:
    """Were all refused, or none, the test above would say little."""
    read = refused = 0
    for data in inputs(decoder, 300, seed=2):
        try:
            decoder.decode(data, tmp_path / "input")
            read += 1
        except InputError:
            refused += 1
    assert read > 10
    assert refused > 10


def test_a_decoder_that_breaks_is_found(tmp_path: Path) -> None:
    careless = Decoder("careless", lambda data, file: int(data), (b"12", b"7"))
    assert "ValueError" in complaint(careless, b"1x", tmp_path / "input")
    with pytest.raises(AssertionError, match="careless, input"):
        fuzz(careless, 50, seed=1, file=tmp_path / "input")
