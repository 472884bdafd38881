"""Records of asks that closed long ago take little memory, and can still be read."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from engine import FIND, AskFor, Setup, Swarm
from engine.measure.archive import BESIDE_MOST, LATEST, PAGE, AskArchive
from engine.measure.asks import PATHS_MOST, AskRecord

SECOND = 1_000_000


def busy(seconds: int = 35, **changes: object) -> Swarm:
    """A run of twelve peers with twenty asks a second, each of which closes soon."""
    setup = Setup(protocol="web", peers=12, seed=3, asks_per_s=20.0, latency="constant:10", churn="exponential:30")
    swarm = Swarm(replace(setup, **changes))
    swarm.advance(seconds * SECOND)
    return swarm


def closed(ask: int, **values: object) -> AskRecord:
    account = AskRecord(ask, ask % 7, f"title {ask % 5}", FIND, "background", ask * SECOND)
    account.closed_us = ask * SECOND + 5
    account.hits = {ask % 11: ask * SECOND + 3}
    account.by_part = [ask, 2, 3, 4]
    account.verdict = f"Found: 1 holder, the first after {ask} s."
    for name, value in values.items():
        setattr(account, name, value)
    return account


def filled(count: int) -> AskArchive:
    archive = AskArchive(AskRecord(0, -1, "", FIND, "", 0))
    for ask in range(1, count):
        archive.append(closed(ask))
        archive.compact()
    return archive


def test_a_long_run_keeps_the_last_asks_and_pages_of_the_others() -> None:
    swarm = busy()
    archive = swarm.simulation.shared.records
    assert len(archive) > 2 * LATEST
    assert archive.live < LATEST + 2 * PAGE
    assert len(swarm._paths) <= PATHS_MOST
    size = sum(len(page.data) for page in archive._pages.values())
    assert size < 100 * (len(archive) - archive.live)


def test_all_asks_are_listed_as_if_none_had_been_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = busy()
    monkeypatch.setattr(AskArchive, "compact", lambda self: None)
    other = busy()
    assert other.simulation.shared.records.live == len(other.asks()) > LATEST
    assert swarm.asks() == other.asks()
    assert swarm.fingerprint() == other.fingerprint()
    assert swarm.asked(0, 35) == other.asked(0, 35)
    assert swarm.record(1) == other.record(1) == swarm.asks()[0]
    assert swarm.trace(1) is None
    assert [row.id for row in swarm.snapshot().asks] == [row.id for row in other.snapshot().asks]


def test_of_many_hits_who_and_the_first_moment_stay() -> None:
    archive = filled(1)
    for ask in range(1, 600):
        archive.append(closed(ask, hits={4: ask * SECOND + 3, 2: ask * SECOND + 1, 9: ask * SECOND + 9}))
        archive.compact()
    assert archive.live < 500
    assert list(archive[70].hits) == [4, 2, 9]
    assert archive[70].row().first_hit_us == 1
    assert archive[70].row().hits == 3


def test_writing_to_an_archived_record_loads_it() -> None:
    archive = filled(600)
    looked = archive[70]
    archive[70].verdict = "changed on a copy"
    reopened = archive.reopen(70)
    assert (reopened.id, reopened.verdict) == (70, closed(70).verdict)
    assert reopened is archive[70] is not looked
    reopened.closed_us, reopened.verdict = None, "open again"
    page = archive._pages[1]
    for ask in range(71, 71 + BESIDE_MOST):
        archive.reopen(ask)
    for _ in range(20):
        archive.compact()
    assert archive[70] is reopened, "it is open"
    assert archive._pages[1] is page
    reopened.closed_us = 900 * SECOND
    for _ in range(20):
        archive.compact()
    assert archive[70] is not reopened, "a new page has it"
    assert archive._pages[1].closed_us == 900 * SECOND
    assert (archive[70].verdict, archive[70].by_part) == ("open again", [70, 2, 3, 4])
    assert [account.id for account in archive] == list(range(600))
    assert [account.id for account in reversed(archive)] == list(range(599, -1, -1))


def test_an_ask_that_never_closes_keeps_its_own_page_alone() -> None:
    archive = AskArchive(AskRecord(0, -1, "", FIND, "", 0))
    for ask in range(1, 2_000):
        archive.append(closed(ask, closed_us=None if ask == 5 else ask))
        archive.compact()
    assert archive[5] is archive.reopen(5)
    assert archive.live < LATEST + 3 * PAGE


def test_a_ledger_pickles_with_its_pages() -> None:
    archive = filled(500)
    copy = pickle.loads(pickle.dumps(archive))
    assert [account.packed() for account in copy] == [account.packed() for account in archive]
    assert copy.live == archive.live < 400


def test_an_ask_of_a_gossip_that_opens_again_is_still_one_ask() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=8, asks_per_s=0.0, latency="constant:10"))
    for number in range(2 * LATEST + 100):
        swarm.do(AskFor(number % 8, "news"))
        swarm.advance(swarm.now_us + 100_000)
    assert swarm.simulation.shared.records.live < LATEST + 3 * PAGE
    assert {row.reached for row in swarm.asks()} <= set(range(8))
    assert all(row.verdict.startswith("Heard by ") for row in swarm.asks())


def test_nothing_refers_to_a_timer_that_has_run() -> None:
    swarm = Swarm(Setup(peers=40, churn="weibull:0.59:20", asks_per_s=4.0))
    swarm.advance(30 * SECOND)
    waiting = [timer for seat in swarm.simulation.peer_hosts for timer in seat.waiting.values()]
    assert waiting
    assert all(timer.live for timer in waiting)
    assert {timer.record.closed_us for timer in waiting if isinstance(timer.record, AskRecord)} == {None}
