"""Checks that read the source of a network: time and random numbers come from the host, nothing depends on the order of
a set, and it states whether it shares files."""

from __future__ import annotations

import ast

from ...errors import InputError
from ...registry import parts_of
from ...rules import check_source
from .inside import files_of
from .watch import Variant

OUTSIDE = {"time", "datetime", "random", "secrets", "uuid", "os", "sys", "threading", "asyncio", "socket", "numpy"}

ORDERED = {"list", "tuple", "iter", "next", "enumerate", "zip", "map", "filter", "multicast", "choice", "sample"}
"""Calls by which the order of what they are given becomes part of a run."""


def reads_no_clock(network: Variant) -> None:
    """Time and random numbers come from the host, and `hash` and `id`, which differ from process to process, are not
    called."""
    for path in files_of(network.programs()):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("hash", "id", "open"), f"{path.name}:{node.lineno} calls {node.func.id}"
            for name in names:
                assert name.split(".")[0] not in OUTSIDE, f"{path.name} imports {name}"


def walks_no_set(network: Variant) -> None:
    """No program depends on the order of a set, which pickling does not keep."""
    for path in files_of(network.programs()):
        tree = ast.parse(path.read_text())
        known = _sets(tree)
        for node in ast.walk(tree):
            walked: list[ast.expr] = []
            if isinstance(node, (ast.For, ast.comprehension)):
                walked = [node.iter]
            elif isinstance(node, ast.Starred):
                walked = [node.value]
            elif isinstance(node, ast.Call):
                name = _name(node.func)
                walked = node.args if name in ORDERED else []
                if isinstance(node.func, ast.Attribute) and name == "pop" and not node.args:
                    walked = [node.func.value]
            for each in walked:
                assert not _is_set(each, known), f"{path.name}:{each.lineno} goes through a set in its order"


def tells_whether_it_shares_files(network: Variant) -> None:
    """A network that reads its library says that its users share files (`shares_files`), and no other does: only there
    decoys are offered."""
    reads = any(
        isinstance(node, ast.Attribute) and node.attr == "library"
        for path in files_of(network.programs())
        for node in ast.walk(ast.parse(path.read_text()))
    )
    assert network.program.shares_files == reads, f"its library is {'read' if reads else 'never read'}"


def means_what_it_says(network: Variant) -> None:
    """Only attributes that hosts have are used, times are in the unit that is expected, and an answer to a call is sent
    by `reply`."""
    try:
        check_source(parts_of(network.programs()))
    except InputError as error:
        raise AssertionError(str(error)) from error


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _sets(tree: ast.AST) -> dict[str, None]:
    """Names and attributes that hold sets, as far as one file tells."""
    known: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation is not None:
            if ast.unparse(node.annotation).split("[")[0] in ("set", "frozenset"):
                known[_name(node.target) if isinstance(node, ast.AnnAssign) else node.arg] = None
        elif isinstance(node, ast.Assign) and _is_set(node.value, known):
            known.update(dict.fromkeys(_name(target) for target in node.targets))
    return known


def _is_set(node: ast.AST, known: dict[str, None]) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, known) or _is_set(node.right, known)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return _name(node) in known if isinstance(node, (ast.Name, ast.Attribute)) else False
