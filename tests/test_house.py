"""The rules of the layout, as tests: what lies where, which way imports point, what is documented."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = {"pyproject.toml", "README.md", "LICENSE", "engine", "tui", "themes", "tests"}
INDEX = re.compile(r"(extra-)?index[-_]url|\bpypi\.")

ENGINE_ROOMS = (
    "errors",
    "files",
    "api",
    "commands",
    "options",
    "setup",
    "sim",
    "measure",
    "world",
    "registry",
    "simulation",
    "analysis",
    "control",
    "swarm",
    "record",
    "lab",
)
"""A room of the engine may import any to its left; these stand beside them, with what they may import."""
BESIDE: dict[str, set[str]] = {
    "kit": {"errors", "api"},
    "protocols": {"errors", "api", "kit"},
    "testing": {"errors", "api", "sim", "registry"},
    "pacer": {"errors"},
    "child": {"errors"},
}


def tracked() -> list[Path]:
    """Files of the project, whether or not they are committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def sources(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path, typing: bool = False) -> Iterator[tuple[str, int]]:
    """Absolute names of what a file imports, with the line; imports for the type checker alone only with `typing`."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree):
        if id(node) in typing_only and not typing:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else ()
            name = ".".join((*base, *(node.module or "").split("."))).strip(".")
            yield from ((f"{name}.{alias.name}", node.lineno) for alias in node.names)


def test_the_top_level_holds_what_it_should_and_nothing_else() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP


@pytest.mark.parametrize("path", sources("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_knows_no_screen(path: Path) -> None:
    for name, line in imports(path):
        assert name.split(".")[0] not in ("tui", "themes", "textual", "rich"), f"{path}:{line} imports {name}"


@pytest.mark.parametrize("path", sources("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_inside_the_engine_point_one_way(path: Path) -> None:
    room = path.relative_to(ROOT / "engine").with_suffix("").parts[0]
    if room == "__init__":
        return
    assert room in ENGINE_ROOMS or room in BESIDE or room == "scenarios", f"{room} has no place among the rooms"
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] != "engine" or len(parts) < 2 or parts[1] == room:
            continue
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        if room in BESIDE:
            assert parts[1] in BESIDE[room], where
        elif parts[1] in BESIDE:
            # The registry finds networks, nobody else names one; a child process is started by record and lab.
            assert (room, parts[1]) in {("registry", "protocols"), ("record", "child"), ("lab", "child")}, where
        else:
            assert ENGINE_ROOMS.index(parts[1]) < ENGINE_ROOMS.index(room), where


def test_no_file_of_the_engine_imports_itself_through_others() -> None:
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources("engine")}
    files = {name.removesuffix(".__init__"): path for name, path in files.items() if name != "engine.__init__"}
    arrows = {name: {to for to in targets(path, files) if to != name} for name, path in files.items()}
    circles = circles_of(arrows)
    assert not circles, circles


def targets(path: Path, files: Mapping[str, Path]) -> set[str]:
    """The files that a file imports, those for the type checker included."""
    return {
        to
        for name, _ in imports(path, typing=True)
        for to in (name, name.rpartition(".")[0])
        if to in files and to != "engine"
    }


def circles_of(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of two and more that reach each other: what is left when all that import nothing left are taken out."""
    left = dict(arrows)
    while free := [name for name, to in left.items() if not to & left.keys()]:
        for name in free:
            del left[name]
    while free := [name for name in left if not any(name in to for to in left.values())]:
        for name in free:
            del left[name]
    return [sorted(left)] if left else []


def test_a_circle_is_found() -> None:
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    assert not circles_of({"a": {"b", "c"}, "b": {"c"}, "c": set()})


@pytest.mark.parametrize("path", sources("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_says_what_it_is_and_no_class_is_put_together_of_parts(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path}: the first line of a file says what is in it"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert len(node.bases) <= 3, f"{path}:{node.lineno}: {node.name} has {len(node.bases)} bases"


@pytest.mark.parametrize("path", sources("engine/protocols"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_network_knows_only_the_words_it_is_written_in(path: Path) -> None:
    mine = path.relative_to(ROOT / "engine" / "protocols").with_suffix("").parts[0]
    for name, line in imports(path):
        parts = name.split(".")
        allowed = parts[0] != "engine" or parts[1] in ("api", "kit") or parts[1:3] == ["protocols", mine]
        assert allowed, f"{path}:{line} imports {name}"
        assert parts[0] in ("engine", "collections", "dataclasses", "typing", "__future__", "math", "heapq", "hashlib")


@pytest.mark.parametrize("path", sources("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_clocks_threads_and_dice_stay_outside(path: Path) -> None:
    edge = path.relative_to(ROOT / "engine").parts[0] in ("pacer.py", "lab")
    for name, line in imports(path):
        top = name.split(".")[0]
        if top in ("random", "threading", "socket", "asyncio", "secrets", "uuid"):
            pytest.fail(f"{path}:{line} imports {name}")
        if top in ("time", "anyio"):
            assert edge, f"{path}:{line} imports {name}"
        if top == "msgpack":
            assert path.name == "encoding.py" or path.parent.name == "record", f"{path}:{line} imports {name}"


@pytest.mark.parametrize("path", sources("tui"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_dashboard_uses_the_public_face_of_the_engine(path: Path) -> None:
    for name, line in imports(path):
        assert name.split(".")[0] != "engine" or name.count(".") <= 1, f"{path}:{line} imports {name}"


@pytest.mark.parametrize("path", sources("tui/draw"), ids=lambda p: str(p.relative_to(ROOT)))
def test_drawing_is_arithmetic(path: Path) -> None:
    for name, line in imports(path):
        assert name.split(".")[0] != "textual", f"{path}:{line} imports {name}"


@pytest.mark.parametrize("code", ["import engine", "from tui.cli import main; main(['run', '--until', '1'])"])
def test_no_screen_is_loaded_where_none_is_needed(code: str) -> None:
    ask = f"{code}\nimport sys\nassert not any(m.split('.')[0] == 'textual' for m in sys.modules), 'textual is loaded'"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_needs_neither_engine_nor_numpy() -> None:
    ask = (
        "import sys\nfrom tui.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'numpy', 'textual', 'engine'} & set(sys.modules), 'something heavy is loaded'"
    )
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_face_is_what_it_says() -> None:
    import engine

    assert sorted(engine.__all__) == sorted(set(engine.__all__))
    for name in engine.__all__:
        assert getattr(engine, name) is not None


def test_public_classes_and_functions_are_documented() -> None:
    """Public is what `engine` offers. Ruff asks for a docstring in each module; private names need none."""
    import engine

    offered = [(name, getattr(engine, name)) for name in engine.__all__]
    kinds = [(name, it) for name, it in offered if inspect.isclass(it) or inspect.isfunction(it)]
    assert len(kinds) > 100
    # A dataclass without a docstring gets its signature as one.
    bare = [name for name, it in kinds if not it.__doc__ or it.__doc__.startswith(f"{name}(")]
    assert not bare


def test_the_gate_runs_the_command_of_the_readme() -> None:
    command = (ROOT / ".ci" / "run").read_text().strip().splitlines()[-1]
    assert command in [line.strip() for line in (ROOT / "README.md").read_text().splitlines()]


def test_no_lock_file_and_no_index_address() -> None:
    for path in tracked():
        assert path.name not in ("uv.lock", "poetry.lock", "requirements.txt", "Pipfile.lock")
        if path.suffix in (".toml", ".md", ".py", ".cfg", "") and path.name != "test_house.py":
            text = path.read_text(errors="replace")
            assert not INDEX.search(text), path


def test_the_licence_is_mit_and_dependencies_are_bounded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    for need in project["dependencies"]:
        assert ">=" in need, need
        assert "<" in need, need
