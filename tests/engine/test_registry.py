"""How networks are found, and how a file with an error is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import InputError, PeerFailed, message, network_faults, networks, protocols
from engine.registry import network, network_named


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A further folder with networks."""
    here = tmp_path / "protocols"
    here.mkdir()
    monkeypatch.setattr(protocols, "__path__", [*protocols.__path__, str(here)])
    networks.cache_clear()
    return here


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def broken(:\n", "network_of_tests.py:1: invalid syntax"),
        ("\nimport no_module_of_this_name\n", "ModuleNotFoundError: .* \\(network_of_tests.py:2\\)"),
        ("raise SystemExit(3)\n", "SystemExit: 3 \\(network_of_tests.py:1\\)"),
    ],
)
def test_a_broken_file_is_reported_with_its_place_and_harms_no_other_network(
    folder: Path, text: str, says: str
) -> None:
    (folder / "network_of_tests.py").write_text(text)
    assert {"gossip", "gnutella"} <= set(networks())
    assert network("gossip").name == "gossip"
    with pytest.raises(InputError, match=says):
        network_named("network_of_tests")
    [told] = network_faults()
    assert told.startswith('the network "network_of_tests" cannot be used: ')
    networks.cache_clear()


def test_words_that_a_message_does_not_have_are_refused_with_those_that_it_has() -> None:
    with pytest.raises(ValueError, match="over of a message should be one of stream, datagram, not 'udp'"):
        message(over="udp")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"part of a message should be one of question, answer, .*, not 'reply'"):
        message(part="reply")  # type: ignore[arg-type]


def test_a_handler_that_fails_is_reported_with_its_line(folder: Path) -> None:
    path = folder / "fails.py"
    path.write_text("def handler():\n    raise KeyError('x')\n")
    space: dict[str, object] = {"__name__": "engine.protocols.fails"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    with pytest.raises(KeyError) as raised:
        space["handler"]()  # type: ignore[operator]
    assert str(PeerFailed(3, "Submit", raised.value)) == "peer #3 failed on Submit: KeyError: 'x' (fails.py:2)"
    networks.cache_clear()
