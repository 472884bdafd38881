"""The rules of the layout, as tests: which files there are, the direction of imports, what is documented."""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP = {"pyproject.toml", "README.md", "LICENSE", "engine", "tui", "themes", "tests"}
INDEX = re.compile(r"(extra-)?index[-_]url|\bpypi\.")

ENGINE_ORDER = (
    "values",
    "errors",
    "files",
    "arrays",
    "api",
    "commands",
    "options",
    "programs",
    "setup",
    "sim",
    "measure",
    "world",
    "rules",
    "registry",
    "simulation",
    "analysis",
    "control",
    "swarm",
    "record",
    "lab",
)
"""Parts of the engine: each may import those before it."""
BESIDE: dict[str, set[str]] = {
    "kit": {"values", "errors", "api"},
    "protocols": {"errors", "api", "kit"},
    "testing": {"values", "errors", "api", "programs", "sim", "registry"},
    "pacer": {"errors"},
    "child": {"errors"},
}
"""Parts of the engine outside that order, with what they may import."""
PURE = ("binascii", "bisect", "enum", "functools", "graphlib", "hashlib", "heapq", "itertools", "unicodedata")
"""Modules of the standard library that a network may use besides those that every file uses."""
TUI_ORDER = (
    "beside",
    "import_path",
    "interrupts",
    "terminal_input",
    "textual_compat",
    "terminal_diff",
    "draw",
    "config",
    "help",
    "input_queue",
    "session",
    "widgets",
    "preferences",
    "first_frame",
    "screens",
    "actions",
    "app",
    "cli",
    "__main__",
)
"""Parts of the dashboard: each may import those before it."""


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


def for_each_file(paths: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make a check of one file a test of all these files, which reports each file that fails."""

    def made(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            assert paths
            wrong = []
            for path in paths:
                try:
                    check(path)
                except (AssertionError, pytest.fail.Exception) as error:
                    wrong.append(f"{path.relative_to(ROOT)}: {error}")
            assert not wrong, "\n".join(wrong)

        return test

    return made


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a file of ours, collected once for all tests."""
    return tuple(ast.walk(parsed(path)))


@pytest.fixture(scope="module", autouse=True)
def caches_cleared_afterwards() -> Iterator[None]:
    """The syntax trees are a million objects, which the garbage collector would visit in all tests that follow."""
    yield
    for kept in (parsed, nodes, imports):
        kept.cache_clear()


@functools.cache
def imports(path: Path, typing: bool = False) -> tuple[tuple[str, int], ...]:
    """Absolute names of what a file imports, with the line; imports for the type checker alone only with `typing`."""
    return tuple(imported(path, typing))


def imported(path: Path, typing: bool) -> Iterator[tuple[str, int]]:
    typing_only = {
        id(inner)
        for node in nodes(path)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in nodes(path):
        if id(node) in typing_only and not typing:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else ()
            name = ".".join((*base, *(node.module or "").split("."))).strip(".")
            yield from ((f"{name}.{alias.name}", node.lineno) for alias in node.names)


def test_the_top_level_has_the_expected_files_only() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP


@for_each_file(sources("engine"))
def test_the_engine_knows_no_screen(path: Path) -> None:
    for name, line in imports(path):
        assert name.split(".")[0] not in ("tui", "themes", "textual", "rich"), f"{path}:{line} imports {name}"


@for_each_file(sources("engine"))
def test_imports_inside_the_engine_have_one_direction(path: Path) -> None:
    part = path.relative_to(ROOT / "engine").with_suffix("").parts[0]
    if part == "__init__":
        return
    assert part in ENGINE_ORDER or part in BESIDE or part == "scenarios", f"{part} has no place in the order of imports"
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] != "engine" or len(parts) < 2 or parts[1] == part:
            continue
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        if part in BESIDE:
            assert parts[1] in BESIDE[part], where
        elif parts[1] in BESIDE:
            # Only the registry imports networks. It gives child processes the network files that a person named;
            # record and lab start these processes.
            exceptions = {("registry", "protocols"), ("registry", "child"), ("record", "child"), ("lab", "child")}
            assert (part, parts[1]) in exceptions, where
        else:
            assert ENGINE_ORDER.index(parts[1]) < ENGINE_ORDER.index(part), where


@for_each_file(sources("tui"))
def test_imports_inside_the_dashboard_have_one_direction(path: Path) -> None:
    part = path.relative_to(ROOT / "tui").with_suffix("").parts[0]
    if part == "__init__":
        return
    assert part in TUI_ORDER, f"{part} has no place in the order of imports"
    for name, line in imports(path, typing=True):
        parts = name.split(".")
        if parts[0] == "tui" and len(parts) > 1 and parts[1] != part:
            where = f"{path.relative_to(ROOT)}:{line} imports {name}"
            assert TUI_ORDER.index(parts[1]) < TUI_ORDER.index(part), where


@pytest.mark.parametrize(("folder", "order"), [("engine", ENGINE_ORDER), ("tui", TUI_ORDER)])
def test_the_help_on_the_source_lists_all_parts_in_their_order(folder: str, order: Sequence[str]) -> None:
    listed = (ROOT / "tui" / "help" / "source.md").read_text().split(f"    {folder}/ ")[1].split("\n    t")[0]
    names = re.findall(r"(\w+)(?:/|\.py)", listed)
    assert [name for name in names if name in order] == [name for name in order if not name.startswith("__")]
    parts = {path.relative_to(ROOT / folder).parts[0].removesuffix(".py") for path in sources(folder)}
    assert {part for part in parts if not part.startswith("__")} <= set(names)


@pytest.mark.parametrize("folder", ["engine", "tui"])
def test_there_is_no_import_circle(folder: str) -> None:
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources(folder)}
    files = {name.removesuffix(".__init__"): path for name, path in files.items() if name != f"{folder}.__init__"}
    arrows = {name: {to for to in targets(path, files) if to != name} for name, path in files.items()}
    circles = circles_of(arrows)
    assert not circles, circles


def test_the_command_line_and_the_configuration_are_in_no_import_circle() -> None:
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources("tui")}
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    arrows = {name: {to for to in targets(path, files) if to not in (name, "tui")} for name, path in files.items()}
    parts = ("tui.cli", "tui.config", "tui.first_frame")
    circles = [name for circle in circles_of(arrows) for name in circle if name.startswith(parts)]
    assert not circles, circles
    for name, to in arrows.items():
        if not name.startswith(("tui.cli", "tui.__main__")):
            assert not [each for each in to if each.startswith("tui.cli")], f"{name} imports the command line"


def targets(path: Path, files: Mapping[str, Path]) -> set[str]:
    """The files that a file imports, those for the type checker included."""
    return {
        to
        for name, _ in imports(path, typing=True)
        for to in (name, name.rpartition(".")[0])
        if to in files and to not in ("engine", "tui")
    }


def circles_of(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """Import circles: what is left after files that import no other, and files that no other imports, are removed."""
    left = dict(arrows)
    while free := [name for name, to in left.items() if not to & left.keys()]:
        for name in free:
            del left[name]
    while free := [name for name in left if not any(name in to for to in left.values())]:
        for name in free:
            del left[name]
    return [sorted(left)] if left else []


def test_an_import_circle_is_detected() -> None:
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
    assert not circles_of({"a": {"b", "c"}, "b": {"c"}, "c": set()})


@for_each_file([*sources("engine"), *sources("tui")])
def test_a_file_has_a_docstring_and_a_class_has_three_bases_at_most(path: Path) -> None:
    assert ast.get_docstring(parsed(path)), f"{path}: the first line of a file says what is in it"
    for node in nodes(path):
        if isinstance(node, ast.ClassDef):
            assert len(node.bases) <= 3, f"{path}:{node.lineno}: {node.name} has {len(node.bases)} bases"


EXTENDS = {"limewire": "gnutella", "bittorrent": "kademlia"}
"""Network -> one from which it may import what is the same: an older version of the same protocol, or a component."""


@for_each_file(sources("engine/protocols"))
def test_a_network_imports_only_what_protocols_may(path: Path) -> None:
    mine = path.relative_to(ROOT / "engine" / "protocols").with_suffix("").parts[0]
    for name, line in imports(path):
        parts = name.split(".")
        own = parts[1:2] == ["protocols"] and parts[2] in (mine, EXTENDS.get(mine))
        allowed = parts[0] != "engine" or parts[1] in ("api", "kit") or own
        assert allowed, f"{path}:{line} imports {name}"
        library = ("collections", "dataclasses", "functools", "heapq", "math", "typing", "__future__", *PURE)
        assert parts[0] in ("engine", *library)


def test_a_class_has_a_name_of_its_own() -> None:
    """Two networks may share names, since a specification gives these."""
    places: dict[str, set[str]] = {}
    for path in sources("engine"):
        inside = path.relative_to(ROOT / "engine").parts
        place = "/".join(inside[:2]).removesuffix(".py") if inside[0] == "protocols" else str(path)
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(place)
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not {name: where for name, where in twice.items() if not all(one.startswith("protocols/") for one in where)}


def test_a_class_of_the_dashboard_has_a_name_of_its_own() -> None:
    names = [node.name for path in sources("tui") for node in parsed(path).body if isinstance(node, ast.ClassDef)]
    assert not {name for name in names if names.count(name) > 1}


def test_no_option_of_a_network_is_named_outside_of_its_own_file() -> None:
    """Neither as an identifier nor as a string that could name an attribute. The benchmarks are left out: they set the
    options of the network that they measure."""
    from engine import Peer, networks

    options = {field.name for program in networks().values() for field in dataclasses.fields(program.options_type)}
    options -= {*dir(Peer), *(name for program in networks().values() for name in program.components)}
    # An option of routers; elsewhere the word means the network.
    options -= {"protocol"}
    options -= {"shares"}  # of processors (volunteer); elsewhere parts of anything
    options -= {"timeout_s"}  # how long the calls of a network wait; `Host.call` takes it by this name
    assert {"ttl", "fanout"} <= options
    benchmarks = {ROOT / "engine" / "lab" / name for name in ("bench.py", "rivals.py")}
    for path in sources("engine"):
        if "protocols" in path.parts or path.name == "kit.py" or path in benchmarks:
            continue
        text = path.read_text()
        found = options & set(words_in_code(nodes(path)))
        assert not found, f"{path.relative_to(ROOT)} knows {sorted(found)}"
        for phrase in ("infect and die", "infect_and_die", " TTL"):
            assert phrase not in text, f"{path.relative_to(ROOT)} says {phrase!r}"


def words_in_code(code: Iterable[ast.AST]) -> Iterator[str]:
    """Identifiers and whole strings of a source text, without its comments."""
    for node in code:
        for name in ("id", "attr", "arg", "name", "value"):
            word = getattr(node, name, None)
            if isinstance(word, str):
                yield word


def test_each_kind_of_use_of_an_option_is_found() -> None:
    for line in (
        "options.ttl",
        "getattr(options, 'ttl', None)",
        "ttl = 1",
        "f(ttl=1)",
        "def f(ttl): ...",
        "{'ttl': 1}",
    ):
        assert "ttl" in set(words_in_code(ast.walk(ast.parse(line)))), line
    assert "ttl" not in set(words_in_code(ast.walk(ast.parse("'as in ttl=7'  # ttl"))))


@for_each_file(sources("engine"))
def test_the_engine_uses_no_clock_thread_or_random_module(path: Path) -> None:
    edge = path.relative_to(ROOT / "engine").parts[0] in ("pacer.py", "lab")
    for name, line in imports(path):
        top = name.split(".")[0]
        if top in ("random", "threading", "socket", "asyncio", "secrets", "uuid"):
            pytest.fail(f"{path}:{line} imports {name}")
        if top in ("time", "anyio"):
            assert edge, f"{path}:{line} imports {name}"
        if top == "msgpack":
            assert path.name == "encoding.py" or path.parent.name == "record", f"{path}:{line} imports {name}"


@for_each_file(sources("tui"))
def test_the_dashboard_uses_public_names_of_the_engine_only(path: Path) -> None:
    for name, line in imports(path):
        assert name.split(".")[0] != "engine" or name.count(".") <= 1, f"{path}:{line} imports {name}"


@for_each_file(sources("tui/draw"))
def test_draw_imports_no_textual(path: Path) -> None:
    for name, line in imports(path):
        assert name.split(".")[0] != "textual", f"{path}:{line} imports {name}"


@for_each_file(sources("tui/session"))
def test_the_session_knows_no_screen(path: Path) -> None:
    for name, line in imports(path, typing=True):
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        assert name.split(".")[0] not in ("textual", "rich"), where
        if name.split(".")[0] == "tui":
            assert name.split(".")[1] in ("session", "draw", "config"), where


@for_each_file(sources("tui/actions"))
def test_no_action_draws(path: Path) -> None:
    """The screen draws one frame after each action."""
    for node in nodes(path):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("at_once", "changed", "refresh", "refresh_keys", "tick"), ast.unparse(node)


@for_each_file([*sources("tui/widgets"), *sources("tui/screens")])
def test_lines_are_painted_by_a_few_bases(path: Path) -> None:
    """Every other widget that paints lines derives from one of them."""
    bases = ("RowWidget", "VirtualList", "CanvasWidget", "Choices")
    for node in nodes(path):
        if isinstance(node, ast.ClassDef) and node.name not in bases:
            painting = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
            assert not {"render", "render_line"} & set(painting), node.name


def test_each_message_of_a_panel_is_sent_and_handled() -> None:
    sent, handled = ("\n".join(map(Path.read_text, sources(f"tui/{folder}"))) for folder in ("widgets", "screens"))
    messages = [node.name for node in parsed(ROOT / "tui/widgets/messages.py").body if isinstance(node, ast.ClassDef)]
    assert len(messages) > 10
    for name in messages:
        handler = "on_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert f"({name}(" in sent, f"nobody sends {name}"
        assert f"@on(say.{name})" in handled or f"def {handler}(" in handled, f"nobody handles {name}"


POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{[\d,]+\})\+|\(\?>")


@for_each_file([*sources("engine"), *sources("tui")])
def test_toml_is_read_in_one_place(path: Path) -> None:
    """tomlkit, which keeps comments and order, is for files that are written."""
    places = {"tomllib": {"engine/files.py"}, "tomlkit": {"tui/config/settings.py", "engine/lab/scenario.py"}}
    for name, line in imports(path):
        allowed = places.get(name.split(".")[0])
        assert allowed is None or str(path.relative_to(ROOT)) in allowed, f"{path}:{line} imports {name}"


@pytest.mark.parametrize(
    "code",
    [
        "import engine",
        "from tui.cli.main import main; main(['run', '--until', '1'])",
        "\n".join(
            f"import {'.'.join(path.relative_to(ROOT).with_suffix('').parts)}" for path in sources("tui/session")
        ),
    ],
)
def test_no_screen_is_loaded_where_none_is_needed(code: str) -> None:
    ask = f"{code}\nimport sys\nassert not any(m.split('.')[0] == 'textual' for m in sys.modules), 'textual is loaded'"
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_needs_neither_engine_nor_numpy() -> None:
    ask = (
        "import sys\nfrom tui.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'numpy', 'textual', 'engine'} & set(sys.modules), 'loaded for --help'"
    )
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_that_the_first_picture_does_not_show_is_loaded_before_it() -> None:
    late = ("tui.screens.late", "tui.screens.jump", "tui.widgets.attacks", "tui.actions.palette", "anyio")
    late += ("engine.record.file", "engine.lab.run", "engine.lab.sweep", "engine.testing")
    ask = (
        "import sys, tui.app\nfrom engine import Scenario\nfrom tui.session.session import Session\n"
        f"app = tui.app.SwarmApp(Session(Scenario()))\n"
        f"loaded = set({late!r}) & set(sys.modules)\nassert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_public_names_are_complete() -> None:
    import engine

    assert sorted(engine.__all__) == sorted(set(engine.__all__))
    for name in engine.__all__:
        assert getattr(engine, name) is not None


def test_a_public_name_comes_from_where_type_checkers_look_for_it() -> None:
    import engine

    typed = {name for name, _ in imports(ROOT / "engine" / "__init__.py", typing=True) if name.startswith("engine.")}
    table = {f"engine{home}.{name}" for home, names in engine.NAMES.items() for name in names}
    modules = {f"engine{home}" for home in engine.MODULES.values()}
    assert table | modules == typed
    assert {name for names in engine.NAMES.values() for name in names} | engine.MODULES.keys() == set(engine.__all__)


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


# --- private names of Textual ---------------------------------------------------------------------------------------


@functools.cache
def private_names_by_class() -> dict[tuple[str, str], set[str]]:
    """Names with one underscore that the classes of the installed Textual define: methods, class attributes and
    attributes set on `self`, by module and class."""
    import textual

    found: dict[tuple[str, str], set[str]] = {}
    root = Path(textual.__file__).parent
    for path in root.rglob("*.py"):
        module = ".".join(("textual", *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                found[module, node.name] = {name for name in defined(node) if is_private(name)}
    return found


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def defined(owner: ast.ClassDef) -> Iterator[str]:
    for node in owner.body:
        for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
            if isinstance(target, ast.Name):
                yield target.id
    for node in ast.walk(owner):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            yield node.attr


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_uses(code: Sequence[ast.AST], names: set[str]) -> Iterator[tuple[int, str]]:
    """Where a private name is used on another object than `self`, by attribute or by `getattr`, or is imported."""
    modules = {alias.asname or alias.name for node in code if isinstance(node, ast.Import) for alias in node.names}
    for node in code:
        if isinstance(node, ast.Attribute) and node.attr in names and not is_self(node.value):
            if not (isinstance(node.value, ast.Name) and node.value.id in modules):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("attr"):
            if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) and node.args[1].value in names:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "textual":
            for alias in node.names:
                path = f"{node.module}.{alias.name}"
                if any(map(is_private, path.split("."))):
                    yield node.lineno, path


COMPAT = ROOT / "tui" / "textual_compat.py"


def test_private_names_of_textual_are_used_in_one_file_only() -> None:
    names = set[str]().union(*private_names_by_class().values())
    assert {"_compositor", "_border_title", "_scroll_update", "_driver", "_delta_x"} <= names
    found = [
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in sources("tui")
        if path != COMPAT
        for line, what in private_uses(nodes(path), names)
    ]
    assert not found, found
    assert list(private_uses(nodes(COMPAT), names))


@pytest.mark.parametrize(
    "line",
    [
        "app._driver",
        "super()._display(screen)",
        "event._delta_x += 1",
        "getattr(app, '_driver')",
        "from textual._compositor import Compositor",
        "from textual.keys import _character_to_key",
    ],
)
def test_each_kind_of_use_of_a_private_name_is_found(line: str) -> None:
    assert list(private_uses(tuple(ast.walk(ast.parse(line))), {"_driver", "_display", "_delta_x"}))


def test_no_widget_of_ours_uses_or_redefines_a_private_name_of_its_bases() -> None:
    """Uses belong into `textual_compat`. A name that is redefined by chance breaks the base class."""
    private = private_names_by_class()
    found = []
    for path in sources("tui"):
        if path == COMPAT:
            continue
        classes = {node.name: node for node in nodes(path) if isinstance(node, ast.ClassDef)}
        if not classes or "textual" not in path.read_text():
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, node in classes.items():
            made = getattr(module, name, None)
            if made is None:
                continue
            names = set[str]().union(*(private.get((base.__module__, base.__name__), set()) for base in made.__mro__))
            used = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute) and is_self(part.value)}
            found += [f"{path.relative_to(ROOT)}: {name}.{clash}" for clash in names & (used | set(defined(node)))]
    assert not found, sorted(found)


def test_no_method_of_a_widget_is_called_by_textual_as_the_handler_of_a_key() -> None:
    # Textual calls a method `key_at` of the focused widget when the key "at" (@) is pressed.
    for path in sources("tui"):
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                names = [each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
                wrong = [name for name in names if name.startswith(("key_", "_key_"))]
                assert not wrong, f"{path.relative_to(ROOT)}: {node.name}.{', '.join(wrong)}"


@for_each_file([*sources("engine"), *sources("tui")])
def test_no_group_of_a_pattern_is_repeated_possessively(path: Path) -> None:
    """Before 3.11.5 Python matched such a group wrongly where a part of it had to be given back (CPython issue 106052):
    a line with too few values was skipped without an error."""
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not POSSESSIVE_GROUP.search(node.value), f"{path}:{node.lineno}: {node.value}"
