"""Reader of graphs in GML, GraphML and Pajek, by networkx where it is installed: `pip install 'swarmtop[graphs]'`;
and in the Trivial Graph Format (TGF), which networkx does not read.

The links of a graph are read, and a name of each node: its label or name if all nodes have one and all are different,
else its id. Links have weights if all of them have a number as their weight, cost or metric, or in TGF as their label.
The depth of nesting is checked before networkx gets a text, because its readers are recursive.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...api import COST_MAX
from ...errors import InputError, plain
from ...files import NESTING_MAX, check_text
from ...values import dataclass

WEIGHTS = ("weight", "cost", "metric")
BYTES_MAX = 16 << 20
"""networkx takes about twenty times that in memory."""
INSTALL = "pip install 'swarmtop[graphs]'"
# Characters are repeated possessively, and each part of a group begins with another character: so a text that only
# begins like one of the formats is searched once. A group is never possessive, see `tests/test_house.py`.
_KINDS = (
    (
        "GraphML",
        re.compile(
            r"\s*+(?:<\?xml[^>]*+>\s*+)?"
            r"(?:<!--[^-]*+(?:-(?!->)[^-]*+)*-->\s*+|<!DOCTYPE\b[^>\[]*+(?:\[[^\]]*+\])?\s*+>\s*+)*"
            r"<graphml\b"
        ),
    ),
    (
        "GML",
        re.compile(r"(?:\s*+(?:#[^\n]*+|(?:Creator|Version|comment)\b[^\n]*+))*\s*+graph\s*+\[", re.IGNORECASE),
    ),
    ("Pajek", re.compile(r"(?:\s*+%[^\n]*+)*\s*+\*(?:vertices|network)\b", re.IGNORECASE)),
)
ADDRESS = re.compile(r"\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(?:%\w+)?\](?::\d+)?(?![^\s,;|\"'])")
"""An address of IPv6 in brackets, perhaps with a port, as names of peers often are (RFC 3986, 3.2.2)."""
_OTHERS = (
    ("XML", re.compile(r"\s*+<[?!a-zA-Z]")),
    ("JSON", re.compile(rf"\s*+(?!{ADDRESS.pattern})(?:\{{|\[\s*+[\[{{\"\d\]])")),
    ("DIMACS", re.compile(r"(?:c(?:[ \t][^\n]*+)?\n)*p[ \t]++[a-z]++[ \t]++\d++[ \t]++\d++[ \t]*+\n")),
    ("METIS", re.compile(r"(?:%[^\n]*+\n)*[ \t]*+\d++[ \t]++\d++[ \t]*+\n[ \t]*+\d++[ \t]*+\n[ \t]*+\d++[ \t\n]")),
    ("GDF", re.compile(r"\s*+nodedef\s*+>", re.IGNORECASE)),
    ("UCINET DL", re.compile(r"\s*+dl\s(?=[^#]{0,200}?\bn\s{0,9}=)", re.IGNORECASE)),
    ("LEDA", re.compile(r"\s*+LEDA\.GRAPH\b")),
    ("graph6", re.compile(r"\s*+>>(?:di)?graph6<<|\s*+>>sparse6<<")),
    ("DOT", re.compile(r"\s*+(?:strict\s++)?(?:di)?graph\b[^\n\[{]*+\{", re.IGNORECASE)),
)
TGF = "TGF"
_TGF_MARK = re.compile(r"^#[ \t]*$", re.MULTILINE)
"""The line between the nodes and the links."""
_XML_TAG = re.compile(r"<(/?)[a-zA-Z][^<>\"']*+(?:(?:\"[^\"]*+\"|'[^']*+')[^<>\"']*+)*>")
_GML_TOKEN = re.compile(r'"[^"]*+"?|[\[\]]')


@dataclass(frozen=True, slots=True, eq=False)
class ParsedGraph:
    """A graph as it was read.

    labels   of the nodes, in the order of the file
    pairs    int64 (L, 2), the ends of each link as positions in `labels`
    weights  float64 (L,), see `can_be_costs`; None for a graph without weights
    notes    sentences about what is left out
    """

    labels: list[str]
    pairs: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    notes: tuple[str, ...]


def can_be_costs(weights: NDArray[np.float64]) -> bool:
    """Whether all of these are above 0 and at most `COST_MAX`."""
    return bool(((weights > 0) & (weights <= COST_MAX)).all())


def costs_of(weights: NDArray[np.float64]) -> tuple[NDArray[np.int32], bool]:
    """The costs of links with these weights, int32 (L,), whole numbers from 1 to `COST_MAX`; and whether some weights
    had to be rounded."""
    costs = np.maximum(1, np.rint(weights))
    return costs.astype(np.int32), bool((costs != weights).any())


def kind_of(start: str, name: str) -> str:
    """The format of a text, by its beginning; "" if it is none of those that are known. name: of the file."""
    head = start[:20_000]
    found = next((kind for kind, form in (*_KINDS, *_OTHERS) if form.match(head)), "")
    return found or (TGF if name.lower().endswith((".tgf", ".tgf.gz")) or _is_tgf(start) else "")


def _is_tgf(start: str) -> bool:
    """Whether a text has nodes, a line with only `#`, and links between these nodes. Before the mark each line must
    begin with another word, and in some line the second word must not be a node: so an edge list with an empty comment
    is not taken for TGF."""
    mark = _TGF_MARK.search(start)
    if mark is None:
        return False
    nodes = [line.split(None, 1) for line in start[: mark.start()].split("\n") if line.strip()]
    ids = {node[0] for node in nodes}
    if not nodes or len(ids) < len(nodes) or all(node[1:] and node[1].strip() in ids for node in nodes):
        return False
    # The last line may be cut off, at the end of what was read so far.
    links = [line.split(None, 2)[:2] for line in start[mark.end() :].split("\n")[:-1] if line.strip()]
    return bool(links) and all(len(link) == 2 and link[0] in ids and link[1] in ids for link in links[:100])


def too_large(kind: str, name: str) -> str:
    """The error sentence for a text of more than `BYTES_MAX`."""
    return f"{name}: larger than the {BYTES_MAX >> 20} MB of {kind} that are read; an edge list may be larger"


def read(kind: str, text: str, name: str) -> ParsedGraph:
    """Read a whole text of a format that `kind_of` returned. `name` is the file's, for messages.

    Raises InputError for a format that is not read, a damaged text, and if networkx is not installed.
    """
    if kind == TGF:
        return _read_tgf(text, name)
    if kind not in dict(_KINDS):
        kinds = "an edge list, GML, GraphML, Pajek or TGF"
        raise InputError(f"{name}: this looks like {kind}; expected {kinds}")
    check_text(text, name, f"expected {kind}")
    if importlib.util.find_spec("networkx") is None:
        raise InputError(f"{name}: to read {kind}, networkx has to be installed: {INSTALL}")
    _check_nesting(kind, text, name)
    try:
        graph = _parse(kind, text)
    except RecursionError:
        raise InputError(f"{name}: nested more than {NESTING_MAX} deep; expected {kind}") from None
    except Exception as error:  # networkx raises any: KeyError, TypeError, its own, those of the XML parser
        raise InputError(f"{name}{_line(error)}: no {kind} that can be understood{_why(error)}") from None
    return _links_of(kind, graph, name)


def _read_tgf(text: str, name: str) -> ParsedGraph:
    """Lines of a node's id and label, a line with `#`, and lines of two ids and a label of the link."""
    check_text(text, name, f"expected {TGF}")
    named: dict[str, str] = {}
    pairs: list[tuple[int, int]] = []
    at: dict[str, int] = {}
    link_labels: list[str] = []
    in_links = False
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split(None, 2 if in_links else 1)
        if not words:
            continue
        if not in_links and line.strip() == "#":
            in_links = True
        elif not in_links:
            if words[0] in named:
                raise InputError(f"{name}:{number}: the node {plain(words[0], 40)} is there already; expected {TGF}")
            at[words[0]] = len(named)
            named[words[0]] = plain(words[1], 200).strip() if len(words) == 2 else ""
        else:
            if len(words) < 2:
                raise InputError(f"{name}:{number}: expected the ids of two nodes")
            if unknown := next((word for word in words[:2] if word not in at), None):
                raise InputError(f"{name}:{number}: no node has the id {plain(unknown, 40)}")
            pairs.append((at[words[0]], at[words[1]]))
            link_labels += words[2:]
    labels = list(named.values())
    if not all(labels) or len(set(labels)) < len(labels):
        labels = list(named)
    weights = _weights(link_labels) if len(link_labels) == len(pairs) else None
    left_out = link_labels and weights is None
    notes = (f"{name}: of the {TGF} its links are read; left out: label",) if left_out else ()
    return ParsedGraph(labels, np.array(pairs, dtype=np.int64).reshape(-1, 2), weights, notes)


def _weights(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """The weights of all links; None if one of them cannot be a cost."""
    try:
        found = np.array([float(value) for value in values])
    except (TypeError, ValueError, OverflowError):
        return None
    return found if len(found) and can_be_costs(found) else None


def _parse(kind: str, text: str) -> Any:
    import networkx as nx

    if kind == "GraphML":
        return nx.parse_graphml(re.sub(r"^\s*<\?xml[^>]*>", "", text))
    if kind == "Pajek":
        return nx.parse_pajek(text)
    # Two links between the same nodes are an error to networkx unless the graph says that it may have them.
    return nx.parse_gml(re.sub(r"(?i)\bgraph\s*\[", "graph [ multigraph 1\n", text, count=1), label="id")


def _line(error: Exception) -> str:
    place = getattr(error, "position", None)
    if isinstance(place, tuple) and place:
        return f":{place[0]}"
    found = re.search(r"\((\d+), \d+\)", str(error))
    return f":{max(1, int(found[1]))}" if found else ""


def _why(error: Exception) -> str:
    said = str(error)
    if re.search(r"no '(source|target)' attribute|undefined (source|target)", said):
        return ": a link does not name two nodes that are there"
    if re.search(r"no 'id' attribute", said):
        return ": a node has no id"
    return ": an id occurs twice" if "duplicated" in said else ""


def _check_nesting(kind: str, text: str, name: str) -> None:
    depth = 0
    if kind == "GraphML":
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise InputError(f"{name}: it declares entities of its own, which are not read; expected plain GraphML")
        steps = ((found, 0 if found[0].endswith("/>") else -1 if found[1] else 1) for found in _XML_TAG.finditer(text))
    elif kind == "GML":
        steps = ((found, {"[": 1, "]": -1}.get(found[0], 0)) for found in _GML_TOKEN.finditer(text))
    else:
        return
    for found, step in steps:
        depth += step
        if depth > NESTING_MAX:
            line = text.count("\n", 0, found.start()) + 1
            raise InputError(f"{name}:{line}: nested more than {NESTING_MAX} deep; expected {kind}")


def _links_of(kind: str, graph: Any, name: str) -> ParsedGraph:
    nodes = list(graph.nodes(data=True))
    labels = [plain(node, 200) for node, _ in nodes]
    for key in ("label", "name"):
        named = [plain(data[key], 200).strip() for _, data in nodes if isinstance(data.get(key), str | int)]
        if len(named) == len(nodes) == len(set(named)) and all(named):
            labels = named
            break
    number = {node: at for at, (node, _) in enumerate(nodes)}
    pairs = np.array([(number[a], number[b]) for a, b in graph.edges()], dtype=np.int64).reshape(-1, 2)
    links = [data for _, _, data in graph.edges(data=True)]
    found = ((key, _weights([data.get(key) for data in links])) for key in WEIGHTS)
    used, weights = next((each for each in found if each[1] is not None), ("", None))
    if kind == "Pajek" and weights is not None and (weights == 1).all():
        weights = None  # networkx fills them in where the file has none
    attributes = {key for data in links for key in data if key not in ("id", "key", used)}
    attributes |= {key for _, data in nodes for key in data if key not in ("id", "label", "name")}
    if not attributes:
        return ParsedGraph(labels, pairs, weights, ())
    some = ", ".join(plain(key, 30) for key in sorted(map(str, attributes))[:5])
    more = f" and {len(attributes) - 5} more" if len(attributes) > 5 else ""
    notes = (f"{name}: of the {kind} its links are read; left out: {some}{more}",)
    return ParsedGraph(labels, pairs, weights, notes)
