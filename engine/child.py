"""Starts further Python processes of this program: the one that takes checkpoints, and the workers of a sweep.

A new Python puts the current folder first on its path (`-c`, `-m`), so that a file `pickle.py` there would be executed.
Here it is started with `-P`, which leaves that folder out, without the relative entries of PYTHONPATH, and with the
absolute entries of the path of this process. The package is loaded from the folder of this one, even if another
`engine` comes first on the path. It knows the networks in `network_files`, as this process does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGE = __name__.partition(".")[0]
PACKAGE_FOLDER = str(Path(os.path.abspath(__file__)).parents[1])
"""The folder that holds the package."""

network_files: list[str] = []
"""Files of networks outside of the package: see `registry.use_file`."""
loaded: dict[str, str] = {}
"""The SHA-1 of each of these files as it was executed. Where its author has changed it since then, another process
would run other code than this one, so it ends at once."""

_BOOT = """
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
folder, module, count, *rest = sys.argv[1:]
networks, sys.path[:] = rest[: 2 * int(count)], rest[2 * int(count) :]
package = module.partition(".")[0]
spec = PathFinder.find_spec(package, [folder])
sys.modules[package] = made = module_from_spec(spec)
spec.loader.exec_module(made)
for network, digest in zip(networks[::2], networks[1::2]):
    import_module(f"{package}.registry").use_file(network)
    if import_module(f"{package}.child").loaded[network] != digest:
        sys.exit(f"{network} has changed")
import_module(module).main()
"""


def start_module(module: str, **options: Any) -> subprocess.Popen[bytes]:
    """Run `main()` of a module of this package in a new process, with pipes for stdin and stdout.

    module: its name below `engine`, as "lab.workers". options: of `subprocess.Popen`. What the process writes to stderr
    is discarded. Raises OSError if no process can be started.
    """
    if not sys.executable:
        raise OSError("the path of Python is not known")
    flags = ["-I" if sys.flags.isolated else "-P"]
    if sys.flags.no_user_site and not sys.flags.isolated:
        flags.append("-s")
    if sys.dont_write_bytecode:
        flags.append("-B")
    paths = [path for path in sys.path if os.path.isabs(path)]
    files = [word for file in network_files for word in (file, loaded.get(file, ""))]
    given = (str(len(network_files)), *files, *paths)
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _BOOT, PACKAGE_FOLDER, f"{PACKAGE}.{module}", *given],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        bufsize=0,
        **options,
    )


def _environment() -> dict[str, str]:
    """The environment, with the absolute entries of PYTHONPATH only."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    kept = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(path)]
    if kept:
        env["PYTHONPATH"] = os.pathsep.join(kept)
    return env
