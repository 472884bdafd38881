"""Whether a file, or the files of a folder, have been saved since somebody last looked.

Looking is one `stat`, or one listing with a `stat` a file: some microseconds, once a second, which no figure shows. A
library that is told by the system would be one more dependency, and would not work on all file systems.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

Seen: TypeAlias = dict[str, tuple[int, int, int]]


class Watch:
    """`changed()` says whether the `.toml` files under these paths are others than at the last call. Raises nothing."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether one was saved, made, renamed or deleted."""
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> Seen:
        seen: Seen = {}
        for path in self.paths:
            try:
                if path.is_dir():
                    with os.scandir(path) as entries:
                        seen |= {entry.path: _mark(entry.stat()) for entry in entries if entry.name.endswith(".toml")}
                else:
                    seen[str(path)] = _mark(path.stat())
            except OSError:
                continue
        return seen


def _mark(stat: os.stat_result) -> tuple[int, int, int]:
    # An editor may write a new file and rename it over the old one, within one tick of a coarse clock.
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
