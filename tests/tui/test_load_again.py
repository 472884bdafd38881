"""An author edits the file of a network, and the dashboard loads it again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from person import dashboard

from engine import Scenario, Setup, child, networks, registry, use_file
from tui.actions.table import ACTIONS

pytestmark = pytest.mark.anyio

NAME = "hearsay_of_tests"
TEXT = '''"""Hearsay

A peer tells all that it knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..api import BROADCAST, Ask, Host, Peer, PeerId, Shown, message, on, option


@message(part="question", about="text")
class Word:
    text: str


@dataclass(slots=True)
class HearsayOptions:
    fans: int = option(3, "peers that it tells", low=1, high=9)


@dataclass(slots=True, eq=False)
class Hearsay(Peer, name="hearsay_of_tests", options=HearsayOptions):
    role = "teller"
    knows = "everyone"
    overlay = False
    shares_files = False
    goals = (BROADCAST,)
    shows = (Shown("heard", "words that it heard", "count"),)

    known: Sequence[PeerId] = ()
    heard: int = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = contacts

    def ask(self, host: Host, ask: Ask) -> None:
        host.multicast(host.rng.sample(self.known, host.options.fans), Word(ask.text))

    @on(Word)
    def hear(self, host: Host, sender: PeerId, message: Word) -> None:
        self.heard += 1

    def shown(self) -> tuple[float | str, ...]:
        return (self.heard,)
'''

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write the network, with another line if one is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(child, "network_files", [])

    def made(old: str = "", new: str = "") -> None:
        assert TEXT.count(old) >= 1
        Path(f"{NAME}.py").write_text(TEXT.replace(old, new))

    made()
    use_file(f"{NAME}.py")
    yield made
    registry._given.files.clear()
    sys.modules.pop(f"engine.protocols.{NAME}", None)
    networks.cache_clear()


def plan(**changes: object) -> Scenario:
    return Scenario(setup=Setup(**{"protocol": NAME, "peers": 12, "seed": 7} | changes))  # type: ignore[arg-type]


async def test_the_same_seed_begins_with_the_new_code_and_the_same_peer_is_selected(write: Write) -> None:
    async with dashboard(scenario=plan()) as one:
        one.session.selection.select(4)
        await one.wait(3)
        assert one.session.swarm.now_us > 0
        write('role = "teller"', 'role = "gossip"')
        await one.press("L")
        swarm = one.session.swarm
        assert type(swarm.peer(3)).role == "gossip"
        assert swarm.now_us == 0
        assert swarm.setup.seed == 7
        assert one.session.selection.selected == 4
        assert one.session.notice.text == "Hearsay, loaded again from its file: the same seed, from the start"
        await one.wait(3)
        assert one.session.swarm.now_us > 0


async def test_the_present_run_goes_on_where_the_file_cannot_be_used(write: Write) -> None:
    async with dashboard(scenario=plan()) as one:
        await one.wait(2)
        before = one.session.swarm
        for old, new, says in (
            (
                "@on(Word)",
                "@on(Wrod)",
                'Not loaded: the network "hearsay_of_tests" cannot be used: NameError: name \'Wr',
            ),
            ("self.known = contacts", "self.known = contacs", "failed on start: NameError: name 'contacs' is not def"),
        ):
            write(old, new)
            await one.press("L")
            assert says in one.session.notice.text, one.session.notice.text
            assert "\n" not in one.session.notice.text
            assert one.session.swarm is before
            now_us = before.now_us
            await one.wait(1)
            assert before.now_us > now_us, "it goes on"
        Path(f"{NAME}.py").unlink()
        await one.press("L")
        assert f"{NAME}.py" in one.session.notice.text
        assert one.session.swarm is before


async def test_an_option_that_is_gone_is_left_out(write: Write) -> None:
    async with dashboard(scenario=plan(options={"fans": 2})) as one:
        write("fans", "listeners")
        await one.press("L")
        assert one.session.player.setup.options == {}
        assert "which has no fans any more: the same seed" in one.session.notice.text


async def test_a_run_that_failed_is_begun_again_when_its_file_was_mended(write: Write) -> None:
    write("self.heard += 1", "self.heard += one")
    async with dashboard(scenario=plan(asks_per_s=5.0), size=(160, 40)) as one:
        await one.press("L")
        await one.wait(5)
        assert "name 'one' is not defined" in one.session.player.alarm
        assert "This run cannot go on: L loads its file again." in str(one.main.query_one("#notice").render())
        write()
        await one.press("L")
        await one.wait(5)
        assert one.session.player.alarm == ""
        assert one.session.swarm.asks_total


async def test_a_network_that_comes_with_the_program_says_why_it_is_not() -> None:
    async with dashboard() as one:
        before = one.session.swarm
        await one.press("L")
        assert one.session.swarm is before
        assert "This network comes with swarmtop: only one that you opened by its file" in one.toasts


def test_it_is_found_by_what_people_call_it() -> None:
    [action] = [each for each in ACTIONS if each.id == "run.load"]
    for word in ("reload", "restart", "file", "hot reload"):
        assert word in action.synonyms
