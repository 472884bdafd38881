"""Random orders of seeks, commands and recordings; and files that are damaged afterwards.

`python tests/fuzz_recordings.py` tries thousands of each.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from fuzz_recordings import KINDS, SETUPS, AtTheScreen, Restless, Step, hurt, order, sound, step, try_hurt, try_order
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording_file import values

pytestmark = pytest.mark.uncounted

SECOND = 1_000_000
HURTS = 150
STEPS = st.lists(st.builds(step, st.sampled_from(list(KINDS)), st.randoms(use_true_random=False)), max_size=25)


@pytest.mark.parametrize("kind", [Restless, AtTheScreen])
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(setup=st.integers(0, len(SETUPS) - 1), steps=STEPS)
def test_any_order_of_steps_leaves_files_that_replay(
    kind: type[Restless], setup: int, steps: list[Step], tmp_path: Path
) -> None:
    try_order(setup, [("record",), *steps], tmp_path, kind)


@pytest.mark.parametrize("number", range(10))
def test_so_does_a_long_order(number: int, tmp_path: Path) -> None:
    try_order(*order(random.Random(f"gate/{number}")), tmp_path)


BACK = [("advance", 40_000, None), ("seek", 0.3, 3), ("do", 3)]
ORDERS: dict[str, list[Step]] = {
    "goes back before anything was handed over": [("record",), *BACK],
    "begins to record late": [("advance", 40_000, None), ("record",), ("seek", 0.3, 3), ("do", 3)],
    "begins to record in the past": [("advance", 130_000, None), ("seek", 0.3, 3), ("record",), ("do", 3)],
    "acts before a seek has landed": [("record",), ("do", 3), ("second",), ("begin", 0.2, 1), ("do", 5), ("second",)],
    "acts in the past while another seek is under way": [
        ("record",), ("do", 2), ("second",), ("do", 3), ("second",), ("seek", 0.3, 9), ("begin", 0.9, 1), ("do", 4),
        ("resume", 0, 5), ("second",),
    ],
    "undoes while a seek is under way": [
        ("record",), ("do", 2), ("second",), ("do", 3), ("second",), ("begin", 0.6, 1), ("undo", 3), ("resume", 0, 3),
        ("undo", 1), ("resume", 1, 3), ("second",),
    ],
}  # fmt: skip


@pytest.mark.parametrize("setup", range(len(SETUPS)))
@pytest.mark.parametrize("who", ORDERS)
def test_a_file_of_every_writer_replays(who: str, setup: int, tmp_path: Path) -> None:
    assert try_order(setup, ORDERS[who], tmp_path) == 1


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return sound(tmp_path_factory.mktemp("sound"))


def test_a_hurt_file_is_refused_or_said_not_to_be_whole(good: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "hurt.swarm"
    came = []
    for number in range(HURTS):
        rng = random.Random(f"hurt/{number}")
        data = hurt(rng.choice(good), good, rng)
        if data not in good:
            file.write_bytes(data)
            came.append(try_hurt(file))
    assert came.count("refused") > HURTS // 2


def test_each_flipped_bit_of_the_story_and_of_the_end_is_found(good: list[bytes], tmp_path: Path) -> None:
    file, data = tmp_path / "hurt.swarm", good[0]
    story = range(data.index(b"expect"), data.index(b"expect") + 60)
    for at in (*story, *range(len(data) - 60, len(data))):
        bit = 1 << at % 8
        file.write_bytes(data[:at] + bytes((data[at] ^ bit,)) + data[at + 1 :])
        assert try_hurt(file) == "refused"


def test_a_recording_names_nothing_of_the_code(good: list[bytes], tmp_path: Path) -> None:
    """So that modules and classes may be moved and renamed, and it still replays."""
    file = tmp_path / "run.swarm"
    for data in good:
        file.write_bytes(data)
        words = set(texts([value for value in values(file) if not (isinstance(value, list) and value[0] == "world")]))
        assert not {word for word in words if word.startswith(("engine", "tui")) or "Setup" in word or "__" in word}
        verbs = {value[3] for value in values(file) if isinstance(value, list) and value[0] == "do"}
        assert all(verb.islower() for verb in verbs)


def texts(value: Any) -> list[str]:
    """All texts in a value."""
    if isinstance(value, dict):
        return [word for pair in value.items() for each in pair for word in texts(each)]
    if isinstance(value, list):
        return [word for each in value for word in texts(each)]
    return [value] if isinstance(value, str) else []
