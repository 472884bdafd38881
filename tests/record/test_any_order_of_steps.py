"""Random orders of seeks, commands and recordings; and files that are damaged afterwards.

`python tests/fuzz_recordings.py` tries thousands of each.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from fuzz_recordings import (
    KINDS,
    SETUPS,
    RandomRun,
    RandomSession,
    Step,
    damaged,
    order,
    step,
    try_damaged,
    try_order,
    undamaged,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording_file import values

pytestmark = pytest.mark.uncounted

SECOND = 1_000_000
DAMAGED_FILES = 150
STEPS = st.lists(st.builds(step, st.sampled_from(list(KINDS)), st.randoms(use_true_random=False)), max_size=25)


@pytest.mark.parametrize("kind", [RandomRun, RandomSession])
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(setup=st.integers(0, len(SETUPS) - 1), steps=STEPS)
def test_any_order_of_steps_leaves_files_that_replay(
    kind: type[RandomRun], setup: int, steps: list[Step], tmp_path: Path
) -> None:
    try_order(setup, [("record",), *steps], tmp_path, kind)


@pytest.mark.parametrize("number", range(10))
def test_a_long_order_of_steps_leaves_files_that_replay(number: int, tmp_path: Path) -> None:
    try_order(*order(random.Random(f"gate/{number}")), tmp_path)


BACK = [("advance", 40_000, None), ("seek", 0.3, 3), ("do", 3)]
ORDERS: dict[str, list[Step]] = {
    "goes back before anything was written": [("record",), *BACK],
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
@pytest.mark.parametrize("case", ORDERS)
def test_a_file_of_each_of_these_orders_replays(case: str, setup: int, tmp_path: Path) -> None:
    assert try_order(setup, ORDERS[case], tmp_path) == 1


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return undamaged(tmp_path_factory.mktemp("undamaged"))


def test_a_damaged_file_is_refused_or_reported_as_incomplete(good: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "damaged.swarm"
    results = []
    for number in range(DAMAGED_FILES):
        rng = random.Random(f"hurt/{number}")
        data = damaged(rng.choice(good), good, rng)
        if data not in good:
            file.write_bytes(data)
            results.append(try_damaged(file))
    assert results.count("refused") > DAMAGED_FILES // 2


def test_each_flipped_bit_of_the_story_and_of_the_end_is_found(good: list[bytes], tmp_path: Path) -> None:
    file, data = tmp_path / "damaged.swarm", good[0]
    story = range(data.index(b"expect"), data.index(b"expect") + 60)
    for at in (*story, *range(len(data) - 60, len(data))):
        bit = 1 << at % 8
        file.write_bytes(data[:at] + bytes((data[at] ^ bit,)) + data[at + 1 :])
        assert try_damaged(file) == "refused"


def test_a_recording_names_nothing_of_the_code(good: list[bytes], tmp_path: Path) -> None:
    """Modules and classes may be moved and renamed, and the recording still replays."""
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
