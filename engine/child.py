"""Starts other Python processes of this program: the one that takes checkpoints, and the workers of a sweep.

A new Python puts the current folder first on its path (`-c`, `-m`), so a `pickle.py` that lies there would be executed.
Here it is started with `-P`, which leaves that folder out, without the relative entries of PYTHONPATH, and with the
path of this process, of which only absolute entries are handed on. The package itself is loaded from where this one
lies, whatever else is called `engine`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGE = __name__.partition(".")[0]
HOME = str(Path(os.path.abspath(__file__)).parents[1])
"""The folder in which the package lies."""

_BOOT = """
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
home, module, *sys.path[:] = sys.argv[1:]
package = module.partition(".")[0]
spec = PathFinder.find_spec(package, [home])
sys.modules[package] = made = module_from_spec(spec)
spec.loader.exec_module(made)
import_module(module).main()
"""


def start(module: str, **options: Any) -> subprocess.Popen[bytes]:
    """Run `main()` of a module of this package in a process of its own, with pipes for stdin and stdout.

    `options` are those of `subprocess.Popen`. What the process says on stderr is thrown away. Raises OSError where no
    process can be had.
    """
    if not sys.executable:
        raise OSError("it is not known where Python is")
    flags = ["-I" if sys.flags.isolated else "-P"]
    if sys.flags.no_user_site and not sys.flags.isolated:
        flags.append("-s")
    if sys.dont_write_bytecode:
        flags.append("-B")
    paths = [path for path in sys.path if os.path.isabs(path)]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _BOOT, HOME, f"{PACKAGE}.{module}", *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_surroundings(),
        bufsize=0,
        **options,
    )


def _surroundings() -> dict[str, str]:
    """The environment, with the absolute entries of PYTHONPATH only."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    kept = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(path)]
    if kept:
        env["PYTHONPATH"] = os.pathsep.join(kept)
    return env
