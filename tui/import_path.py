"""Takes the current folder and the script's folder off the import path: no code in these folders is executed.

`python -m tui` puts the current folder first, a console script its own folder, and an empty or relative entry of
PYTHONPATH means the current folder too. Our own packages need none of these, see `beside`.

While the path is still open, only what Python has in memory from its start is imported: not even `__future__`.
"""

import os
import sys

PROGRAM = "swarmtop"


def is_program(argv: list[str]) -> bool:
    """Whether this process is swarmtop, and not another program that imports a part of it. While Python looks for the
    module that `-m` names, the first argument is `-m`."""
    name = os.path.basename(argv[0]) if argv else ""
    return name == "-m" or os.path.splitext(name)[0].removesuffix("-script") == PROGRAM


def close() -> None:
    """Keep on the path only the folders that were given by an absolute name, or that an installation put there."""
    first = _first_entry()
    if first and sys.path and _real_path(sys.path[0]) == first:
        del sys.path[0]
    listed = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    named = listed.split(os.pathsep) if listed else []
    relative = {_real_path(path) for path in named if not os.path.isabs(path)}
    relative -= {_real_path(path) for path in named if os.path.isabs(path)}
    sys.path[:] = [path for path in sys.path if os.path.isabs(path) and _real_path(path) not in relative]
    from .beside import SiblingFinder

    if SiblingFinder not in sys.meta_path:
        sys.meta_path.insert(0, SiblingFinder)


def _first_entry() -> str:
    """The folder that Python itself has put first on the path; empty if it has put none."""
    if sys.flags.safe_path:
        return ""
    program = sys.argv[0] if sys.argv else ""
    if program in ("-m", "-c", ""):
        return _real_path("")
    return _real_path(os.path.dirname(os.path.realpath(program))) if os.path.isfile(program) else ""


def _real_path(path: str) -> str:
    """The real path of a folder, so that two names of one folder are equal."""
    try:
        return os.path.realpath(path or os.curdir)
    except OSError:  # the current folder has been deleted
        return path
