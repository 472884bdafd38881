"""Screens run on asyncio, and only there: Textual knows no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import told_time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is measured is how much of the engine its own tests reach: through a screen it costs much and shows little.
    This hook is given the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.uncounted)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are drawn, and the pilot goes on, when a test says so."""
    told_time.told(monkeypatch)
