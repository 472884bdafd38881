"""The palette: what a person types, and what has to be found."""

from __future__ import annotations

import pytest
from person import dashboard

from tui.actions.palette import ActionFinder
from tui.actions.table import ACTIONS
from tui.screens.main import MainScreen
from tui.textual_compat import SteadyPalette
from tui.widgets.matching import SYNONYM, TIP, TITLE, found, ranked, typed_after, words_of
from tui.widgets.options_panel import Options, OptionTable

pytestmark = pytest.mark.anyio

SOUGHT = {
    "crash": "peer.kill",
    "fail": "peer.kill",
    "node down": "peer.kill",
    "recover": "peer.kill",
    "offline": "peer.kill",
    "block": "peer.censor",
    "firewall": "peer.censor",
    "blackhole": "peer.censor",
    "drop packets": "peer.censor",
    "byzantine": "peer.collude",
    "malicious": "peer.collude",
    "disconnect": "peer.leave",
    "churn": "peer.leave",
    "pollution": "peer.poison",
    "partition": "peer.partition",
    "split brain": "peer.partition",
    "netsplit": "peer.partition",
    "reconnect": "peer.heal",
    "outage": "peer.shutdown",
    "upload": "peer.publish",
    "degree": "peer.filter",
    "hubs": "panel.7",
    "neighbors": "peer.neighbours",
    "query": "ask.here",
    "search": "ask.here",
    "download": "ask.here",
    "rumour": "ask.here",
    "flood": "ask.here",
    "lookup": "ask.here",
    "response": "ask.answerer",
    "slow motion": "ask.slow",
    "step": "ask.next",
    "min cut": "ask.silence",
    "bottleneck": "ask.silence",
    "single point of failure": "ask.silence",
    "pause": "time.pause",
    "resume": "time.pause",
    "rewind": "time.start",
    "time travel": "time.back",
    "undo": "time.undo",
    "speed": "time.faster",
    "fast forward": "time.faster",
    "latency": "panel.3",
    "RTT": "Setting: latency",
    "delay": "Setting: latency",
    "loss": "panel.3",
    "ttl": "Option: ttl",
    "options": "panel.options",
    "bandwidth": "panel.8",
    "log": "panel.5",
    "trace": "view.picture",
    "histogram of messages": "",
    "sequence diagram": "view.picture",
    "routing table": "view.belief",
    "heartbeat": "view.upkeep",
    "force directed": "view.place_communities",
    "dht": "view.place_identifiers",
    "heat map": "view.colour_load",
    "csv": "run.export",
    "export": "run.export",
    "json": "run.export",
    "screenshot": "run.screenshot",
    "svg": "run.screenshot",
    "replay": "run.record",
    "takedown": "run.court",
    "sybil": "Attack: sybil",
    "ddos": "panel.9",
    "scenario": "run.network",
    "dark mode": "app.theme",
    "shortcuts": "app.help",
    "tutorial": "app.tour",
    "preferences": "app.config",
    "partiton": "peer.partition",
    "latancy": "panel.3",
}
"""What a user of the field types, and the row or the entry that is among the first eight; empty: nothing is found."""


async def test_what_people_type_finds_what_they_mean() -> None:
    assert len(SOUGHT) >= 60
    async with dashboard(peers=8) as person:
        palette = ActionFinder(person.main)
        ids = {name: row.id for way in (False, True) for name, row in palette.rows(person.main, impossible=way)}
        wrong = {}
        for typed, sought in SOUGHT.items():
            hits = [str(hit.text) async for hit in palette.search(typed)]
            shown = [ids.get(name) or name for name in hits]
            if not any(one.startswith(sought) for one in shown[:8]) if sought else shown:
                wrong[typed] = shown[:8]
        assert wrong == {}


async def test_its_key_opens_the_palette_that_acts_once() -> None:
    async with dashboard() as person:
        await person.press("ctrl+p")
        assert isinstance(person.app.screen, SteadyPalette)


@pytest.mark.parametrize("key", ["ctrl+p", "p", "T"])
async def test_a_list_may_have_no_room(key: str) -> None:
    async with dashboard() as person:
        await person.press(key)
        for width in (40, *range(12, 0, -1), 60):
            await person.pilot.resize_terminal(width, 12)
            await person.pilot.pause()
        await person.press("escape")
        assert person.app.screen is person.app.main


async def first_hit(main: MainScreen, typed: str) -> str:
    return next(iter([str(hit.text) async for hit in ActionFinder(main).search(typed)]))


@pytest.mark.parametrize("typed", ["spend-twice", "spend twice"])
async def test_a_verb_of_the_network_is_found_by_its_name_and_says_when_a_peer_is_missing(typed: str) -> None:
    async with dashboard(peers=8, protocol="bitcoin") as person:
        first = await first_hit(person.main, typed)
        assert first == "Peer: Spend twice"
        person.main.perform(dict(ActionFinder(person.main).more(person.main))[first])
        await person.pilot.pause()
        assert "Select a peer first" in person.toasts
        await person.press("right")
        first = await first_hit(person.main, typed)
        assert first.startswith("Peer: Spend twice: p00")


async def test_an_option_of_the_running_network_opens_in_its_panel() -> None:
    async with dashboard(peers=8) as person:
        row = dict(ActionFinder(person.main).more(person.main))["Option: ttl"]
        person.main.perform(row)
        await person.pilot.pause()
        assert not person.main.why_not(row)
        assert person.main.query_one(Options).display
        assert person.main.query_one(OptionTable).wishes.at == "ttl"


def test_each_row_of_the_table_has_synonyms_of_its_own() -> None:
    without = {row.id for row in ACTIONS if not row.synonyms}
    assert without <= {f"peer.{way}" for way in ("up", "down", "left", "right")}
    for row in ACTIONS:
        assert all(word == word.strip() and word for word in row.synonyms.split(", ") if row.synonyms), row.id


@pytest.mark.parametrize("word", ["delay", "Délay", "DELAY"])
def test_a_title_comes_before_a_synonym_and_this_before_a_tip(word: str) -> None:
    lines = [("a", (), "the delay."), ("b", ("delay",), ""), ("a delay", (), ""), ("c", (), "no"), ("delay", (), "")]
    assert [n for n, _ in ranked(word, lines)] == [4, 2, 1, 0]
    assert [hit.where for _, hit in ranked(word, lines)] == [TITLE, TITLE, SYNONYM, TIP]


def test_letters_that_were_found_are_marked() -> None:
    hit = found(words_of("net gnu"), "Network: gnutella")
    assert hit is not None
    assert ["Network: gnutella"[a:b] for a, b in hit.spans] == ["Net", "gnu"]
    assert found(words_of("xyz"), "Network: gnutella") is None
    assert [n for n, _ in ranked("gnu", [("gnu", (), ""), ("the gnu", (), ""), ("x", ("gnu",), "")], first=2)] == [
        0,
        1,
        2,
    ]
    assert ranked("ngn", [("Network: gnutella", (), "")])[0][1].where == 0
    assert [n for n, _ in ranked("", [("b", (), ""), ("a", (), "")])] == [0, 1]


def test_what_is_typed_in_a_list_is_changed_by_each_key() -> None:
    assert typed_after("gn", "u", "u") == "gnu"
    assert typed_after("gnu", "backspace", None) == "gn"
    assert typed_after("gnu", "ctrl+u", "\x15") == ""
    assert typed_after("", "ctrl+u", "\x15") is None, "there is nothing to take back, so it is another key's turn"
    assert typed_after("gnu", "f2", None) is None
