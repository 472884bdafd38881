"""300 damaged inputs for every decoder. `python tests/fuzz.py` tries 100,000 of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import DECODERS, Decoder, complaint, decoders, fuzz, inputs

from engine import InputError

pytestmark = pytest.mark.uncounted

INPUTS = 300


@pytest.mark.parametrize("name", DECODERS)
def test_an_input_is_read_or_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    fuzz(decoders()[name], INPUTS, seed=1, file=tmp_path / "input")


@pytest.mark.parametrize("name", DECODERS)
def test_some_damaged_inputs_are_read_and_some_refused(name: str, tmp_path: Path) -> None:
    """If all were refused, or none, the test above would prove little."""
    decoder = decoders()[name]
    read = refused = 0
    for data in inputs(decoder, 300, seed=2):
        try:
            decoder.decode(data, tmp_path / "input")
            read += 1
        except InputError:
            refused += 1
    assert read > 3
    assert refused > 3


def test_a_decoder_that_breaks_is_found(tmp_path: Path) -> None:
    careless = Decoder("careless", lambda data, file: int(data), (b"12", b"7"))
    assert "ValueError" in complaint(careless, b"1x", tmp_path / "input")
    with pytest.raises(AssertionError, match="careless, input"):
        fuzz(careless, 50, seed=1, file=tmp_path / "input")
