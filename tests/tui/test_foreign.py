"""No code is executed that lies in the current folder, whoever imports it: the program, or a process it starts.

Folders are full of modules that write down that they were executed, under the names of all that a program imports.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import ROOT, terminal

SCRIPT = shutil.which("swarmtop", path=str(Path(sys.executable).parent))
SMALL = ["run", "--peers", "8", "--until", "1", "--json"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "here"
    made.mkdir()
    return made


def swarmtop(folder: Path, *words: str, by: str = "module", **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT)] if by == "script" else [sys.executable, "-m", "tui"]
    return subprocess.run(
        [*command, *words],
        cwd=folder,
        env=environment(folder.parent, **env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("by", "path"),
    [
        ("script", ""),
        ("script", os.pathsep),
        ("module", "."),
        ("module", os.pathsep),
        ("module", f"..{os.pathsep}../here"),
    ],
)
def test_nothing_in_the_current_folder_is_executed(folder: Path, by: str, path: str) -> None:
    if by == "script" and SCRIPT is None:
        pytest.skip("it is not installed")
    if by == "module":
        path = f"{ROOT}{os.pathsep}{path}"
    # The console script looks for `tui` itself, before any line of it is executed.
    told = traps(folder, but=("tui",))
    done = swarmtop(folder, *SMALL, by=by, PYTHONPATH=path)
    assert told.read_text() == ""
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(SCRIPT is None, reason="it is not installed")
def test_nor_in_the_folder_of_the_script(folder: Path) -> None:
    told = traps(folder, but=("tui",))
    shutil.copy(str(SCRIPT), folder / "swarmtop")
    done = subprocess.run(
        [str(folder / "swarmtop"), *SMALL], env=environment(folder.parent), capture_output=True, text=True, check=False
    )
    assert told.read_text() == ""
    assert (done.returncode, done.stderr) == (0, "")


def test_nor_beside_the_packages_where_they_are_run_from_the_current_folder(folder: Path) -> None:
    ours = ("engine", "tui", "themes")
    told = traps(folder, but=ours)
    for name in ours:
        (folder / name).symlink_to(ROOT / name)
    done = swarmtop(folder, *SMALL)
    assert told.read_text() == ""
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes in /proc")
def test_nor_by_the_process_that_takes_checkpoints(folder: Path) -> None:
    told = traps(folder, but=("tui",))
    with terminal(folder, ["-m", "tui", "--peers", "100", "--speed", "100"]) as it:
        children = Path(f"/proc/{it.process.pid}/task/{it.process.pid}/children")
        # It makes itself nicer when all is imported.
        it.until(lambda _: any(niceness(pid) > niceness("self") for pid in children.read_text().split()))
        it.type("q")
        assert it.end() == 0
    assert told.read_text() == ""


def niceness(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16])
    except OSError:
        return 0


class Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"echo bomb > '{self.file}'",)


@pytest.mark.parametrize("protocol", [0, 5])
def test_a_file_is_never_unpickled(folder: Path, protocol: int) -> None:
    from engine import InputError, Setup, Swarm, load_recording, scenario_files

    told, bomb = folder / "executed", folder / "bomb.toml"
    bomb.write_bytes(pickle.dumps(Bomb(told), protocol))
    readers = (
        lambda: load_recording(str(bomb)),
        lambda: scenario_files.find(str(bomb)),
        lambda: Swarm(Setup(topology=str(bomb))),
        lambda: Swarm(Setup(latency=str(bomb))),
    )
    for read in readers:
        with pytest.raises(InputError):
            read()
    assert not told.exists()
