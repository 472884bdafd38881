"""What all tests may ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def crawl() -> Callable[[str], Path]:
    """`crawl("08")` is the file of a published Gnutella crawl (snap.stanford.edu: p2p-Gnutella08).

    They are looked for in the folder that SWARMTOP_DATA names, else in `shared/data` beside the checkout. A test
    that needs one where there is none skips itself, and says so.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SWARMTOP_DATA") or beside) / "gnutella"

    def find(number: str) -> Path:
        path = folder / f"p2p-Gnutella{number}.txt"
        if not path.exists():
            pytest.skip(f"{path.name} is not here; set SWARMTOP_DATA to the folder that has gnutella/{path.name}")
        return path

    return find


def pytest_addoption(parser: pytest.Parser) -> None:
    """Stories are rewritten by a flag, and the diff is read by a person."""
    parser.addoption("--rewrite-stories", action="store_true", help="write what stories say now into their files")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """What is marked `uncounted` runs without the counting of lines, as fast as the program does. pytest-cov has a mark
    for that, `no_cover`, which does nothing in the processes of pytest-xdist."""
    if item.get_closest_marker("uncounted") is None:
        return (yield)
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
