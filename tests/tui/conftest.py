"""Fixtures of the tests of the dashboard. They run on asyncio alone, as Textual supports no other event loop."""

from __future__ import annotations

from pathlib import Path

import controlled_time
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder `uncounted`: coverage measures what the engine's own tests reach of the engine.
    pytest gives this hook the tests of all folders."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.uncounted)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def time_is_controlled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let frames be drawn, and the pilot go on, only when a test says so."""
    controlled_time.control(monkeypatch)
