"""No code in the current folder is executed, neither by the program nor by a process that it starts.

The folder has modules with the names of all that the program imports; each writes into a file that it was executed.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import ROOT

SCRIPT = shutil.which("swarmtop", path=str(Path(sys.executable).parent))
SMALL = ["run", "--peers", "8", "--until", "1", "--json"]


OTHERS = {
    *("anyio", "linkify_it", "markdown_it", "mdit_py_plugins", "msgpack", "numpy", "platformdirs", "pygments", "rich"),
    *("textual", "typing_extensions", "ipywidgets", "networkx", "scipy", "simpy", "sniffio", "tree_sitter", "trio"),
    *("uvloop", "yaml", "engine", "themes", "tui"),
}
BY_PYTHON = "import runpy, sys, re; print(*{name.split('.')[0] for name in sys.modules})"
"""Prints the modules that Python has imported before the first line of the program, by `-m` or by the console
script."""
TRAP = "with open({path!r}, 'a') as file:\n    file.write({name!r} + chr(10))\n"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """An empty home in `folder`, and no PYTHONPATH."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env |= {f"XDG_{kind}_HOME": str(folder / "home") for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    return env | more


def set_traps(folder: Path, but: tuple[str, ...] = ()) -> Path:
    """Write such modules into a folder. Returns the file with the names of those that were executed."""
    known = subprocess.run([sys.executable, "-I", "-c", BY_PYTHON], capture_output=True, text=True, check=True)
    early = {*known.stdout.split(), *but}
    executed = folder.parent / "executed.txt"
    executed.write_text("")
    for name in {*sys.stdlib_module_names, *OTHERS} - early:
        text = TRAP.format(path=str(executed), name=name)
        if len(name) % 2:
            (folder / f"{name}.py").write_text(text)
        else:
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(text)
    return executed


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
        ("script", os.pathsep),
        pytest.param("module", os.pathsep, marks=pytest.mark.campaign),
        ("module", f"..{os.pathsep}../here"),
    ],
)
def test_nothing_in_the_current_folder_is_executed(folder: Path, by: str, path: str) -> None:
    if by == "script" and SCRIPT is None:
        pytest.skip("it is not installed")
    if by == "module":
        path = f"{ROOT}{os.pathsep}{path}"
    # The console script imports `tui` before any line of it is executed.
    executed = set_traps(folder, but=("tui",))
    done = swarmtop(folder, *SMALL, by=by, PYTHONPATH=path)
    assert executed.read_text() == ""
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(SCRIPT is None, reason="it is not installed")
def test_nothing_in_the_folder_of_the_script_is_executed(folder: Path) -> None:
    executed = set_traps(folder, but=("tui",))
    shutil.copy(str(SCRIPT), folder / "swarmtop")
    done = subprocess.run(
        [str(folder / "swarmtop"), *SMALL], env=environment(folder.parent), capture_output=True, text=True, check=False
    )
    assert executed.read_text() == ""
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_beside_the_packages_in_the_current_folder_is_executed(folder: Path) -> None:
    ours = ("engine", "tui", "themes")
    executed = set_traps(folder, but=ours)
    for name in ours:
        (folder / name).symlink_to(ROOT / name)
    done = swarmtop(folder, *SMALL)
    assert executed.read_text() == ""
    assert (done.returncode, done.stderr) == (0, "")


WITH_CHECKPOINTS = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from engine import Setup, Swarm, TimeMachine
from engine.record.worker import CheckpointWorker
checkpoints = CheckpointWorker(spacing=60, start_cost=100)
machine = TimeMachine(Swarm(Setup(peers=24, asks_per_s=1.0)), checkpoints=checkpoints)
end = time.monotonic() + 300
while not checkpoints.store.checkpoints and time.monotonic() < end:
    machine.advance(machine.swarm.now_us + 1_000_000)
    machine.on_advanced()
    time.sleep(0.05)
print(len(checkpoints.store.checkpoints) > 0)
machine.close()
"""


def test_the_process_of_checkpoints_executes_nothing_in_the_current_folder(folder: Path) -> None:
    executed = set_traps(folder)
    command = [sys.executable, "-P", "-c", WITH_CHECKPOINTS]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder.parent), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert executed.read_text() == ""


class Bomb:
    """Writes a file when it is unpickled."""

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


EARLY = """
import os, signal, sys
sys.argv[0] = "swarmtop"
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
sys.path.insert(0, {root!r})
from tui.cli.main import script
sys.argv[1:] = {words!r}
script()
"""


@pytest.mark.parametrize(
    "name",
    [
        "argparse",
        *(pytest.param(name, marks=pytest.mark.campaign) for name in ("tui.cli.streams", "numpy", "msgpack")),
        "engine.swarm",
    ],
)
def test_an_interrupt_during_an_import_ends_the_program_without_output(folder: Path, name: str) -> None:
    text = EARLY.format(name=name, root=str(ROOT), words=SMALL)
    done = subprocess.run(
        [sys.executable, "-P", "-c", text], cwd=folder, env=environment(folder.parent), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
