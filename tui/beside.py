"""Finds `engine` and `themes` in the folder that contains `tui`, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

PACKAGES = ("engine", "themes")
HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class SiblingFinder:
    """A finder for `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As `importlib` asks for it."""
        return PathFinder.find_spec(name, [HOME]) if name in PACKAGES else None
