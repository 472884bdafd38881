"""The server of a project: its database, and the daemons that work on it.

The feeder offers unsent results to the scheduler, which sends them to hosts that ask; the transitioner times out late
results and makes new ones; the validator compares results that came back, and the assimilator takes the canonical ones.
Daemons run when there is something to do, not every few seconds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from ...api import (
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Blob,
    Cause,
    Host,
    Peer,
    PeerId,
    Shown,
    Timer,
    on,
    words_of,
)
from ...kit import put_bounded
from .messages import (
    CLASSES,
    DAY_S,
    Detach,
    Query,
    ResultReport,
    Status,
    Stored,
    Submit,
    Submitted,
    Task,
    Upload,
    WorkReply,
    WorkRequest,
    gflop_of,
    is_right,
    scaled_us,
)
from .workunits import Reputation, Result, ServerState, Validity, WorkUnit

REQUEST_MOST_S = 28 * DAY_S
"""No host is given more work than that (`sched_send.cpp`)."""
TASKS_MOST = 50
"""The most results in one answer."""
BATCHES_A_USER = 10
"""Batches of one user at a time."""
BATCHES_KEPT = 200
"""Finished batches whose status the project keeps."""
JUDGED_KEPT = 200
"""The most compared results of a host that are kept until it is told."""
INFEASIBLE_MOST = 100
"""A result that was too large for more hosts than this is given up (COULDNT_SEND)."""
COBBLESTONES = 200.0
"""Credit for a day of computing at 1 GFLOPS."""
HALF_LIFE_S = 7 * DAY_S
"""Half-life of the recent average credit."""
STEPS_TOLD = 50
"""How often a submitter is told at most how far its batch is."""


@dataclass(slots=True)
class HostRecord:
    """What the project knows of a host. `credit` in Cobblestones, `recent` in Cobblestones a day; `judged`: compared
    results that it is to be told of; `errors`: results whose program crashed; `late`: results that did not come by
    their deadline."""

    heard_us: int = 0
    reputation: Reputation = field(default_factory=Reputation)
    valid: int = 0
    invalid: int = 0
    credit: float = 0.0
    recent: float = 0.0
    recent_us: int = 0
    in_progress: int = 0
    errors: int = 0
    late: int = 0
    judged: list[tuple[int, int, bool]] = field(default_factory=list)

    def grant(self, credit: float, now_us: int, day_us: int) -> None:
        """Grant credit for a valid result. The recent average halves each week (`lib/average.cpp`, update_average)."""
        self.credit += credit
        days = max((now_us - self.recent_us) / day_us, 1e-6)
        weight = math.exp(-days * DAY_S * math.log(2) / HALF_LIFE_S)
        # Rounded, as the last bit of an exponential differs between machines.
        self.recent = round(self.recent * weight + (1 - weight) * credit / days, 3)
        self.recent_us = now_us


@dataclass(slots=True)
class Batch:
    """Some work units that were submitted together. They are cancelled at `until_us`. `steps_told`: steps that its
    submitter was told of."""

    number: int
    text: str
    cause: Cause
    origin: PeerId
    units: int
    until_us: int
    done: int = 0
    failed: int = 0
    steps_told: int = 0

    @property
    def over(self) -> bool:
        """Whether no work unit is left."""
        return self.done + self.failed >= self.units


@dataclass(slots=True)
class Slot:
    """A result that the feeder offers. `infeasible`: hosts that it was too large for."""

    unit: int
    result: int
    infeasible: int = 0


@dataclass(slots=True)
class Database:
    """All that the project keeps on its disk.

    unsent     results that the feeder does not offer yet
    slots      results that it offers
    deadlines  heap of (when, work unit)
    batches    batches that are under way; finished: the last `BATCHES_KEPT` that are over
    assimilated, failed
               numbers of work units; wrong: assimilated ones whose canonical result is wrong (nobody in the project
               knows that number)
    sent, returned
               numbers of results
    """

    units: dict[int, WorkUnit] = field(default_factory=dict)
    unsent: deque[Slot] = field(default_factory=deque)
    slots: list[Slot] = field(default_factory=list)
    deadlines: list[tuple[int, int]] = field(default_factory=list)
    hosts: dict[PeerId, HostRecord] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    finished: dict[int, Batch] = field(default_factory=dict)
    last_unit: int = 0
    last_batch: int = 0
    assimilated: int = 0
    failed: int = 0
    wrong: int = 0
    sent: int = 0
    returned: int = 0


@dataclass(slots=True)
class Late:
    """The earliest deadline has passed."""


@dataclass(slots=True)
class Expired:
    """The time for a batch is over."""

    batch: int


@dataclass(slots=True, eq=False)
class Project(Peer):
    """The server of a project, with all of its daemons. `db` is on disk; `timer` is due at the earliest deadline."""

    role = "project"
    overlay = False
    shares_files = False
    has_all = True
    shows = (
        Shown("units", "work units that are not done", "count"),
        Shown("unsent", "results that wait for a host", "count"),
        Shown("sent", "results that hosts have and are not late with", "count"),
        Shown("done", "work units with a canonical result", "count"),
        Shown("mistaken", "of these, in truth wrong, which the project cannot know", "share"),
    )

    db: Database = field(default_factory=Database)
    timer: Timer | None = None
    timer_us: int = 0

    def start(self, host: Host, contacts: object, saved: object | None) -> None:
        """After a restart the database is as it was. Hosts report now what they have finished meanwhile."""
        if isinstance(saved, Database):
            self.db = saved
            self.arm(host)
            for batch in self.db.batches.values():
                if batch.origin == host.me:
                    host.keep_open(batch.cause)
                host.after(max(0, batch.until_us - host.now_us), Expired(batch.number), cause=None)

    def saved(self) -> object | None:
        return self.db

    # --- batches ------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """A user of the project's own machine makes a batch."""
        if ask.goal == PUBLISH.name:
            return
        made = self.make_batch(host, host.me, ask.text)
        if isinstance(made, str):
            host.failed(made)
            return
        host.keep_open()
        host.hit(host.me, ask.text)
        host.progress(0, made.units)

    @on(Submit)
    def submit(self, host: Host, sender: PeerId, message: Submit) -> None:
        """A user submits a batch."""
        made = self.make_batch(host, sender, message.text)
        if isinstance(made, str):
            host.reply(Submitted(0, 0, made))
        else:
            host.reply(Submitted(made.number, made.units, ""))

    def make_batch(self, host: Host, origin: PeerId, text: str) -> Batch | str:
        """Create the work units of a batch. Returns why not, if it is declined."""
        options, db = host.options, self.db
        if not words_of(text):
            return "it has no name that the project allows"
        if len(text) > 2_000:
            return "its name is too long"
        if sum(batch.origin == origin for batch in db.batches.values()) >= BATCHES_A_USER:
            return f"this user has {BATCHES_A_USER} batches there already"
        if len(db.units) + options.batch_units > options.units_most:
            return f"it has {len(db.units):,} work units to do, and takes no more"
        db.last_batch += 1
        patience_us = scaled_us(options, options.patience_days)
        batch = Batch(db.last_batch, text, host.cause, origin, options.batch_units, host.now_us + patience_us)
        db.batches[batch.number] = batch
        host.after(patience_us, Expired(batch.number), cause=None)
        alone = options.adaptive
        for _ in range(batch.units):
            db.last_unit += 1
            unit = db.units[db.last_unit] = WorkUnit(
                db.last_unit,
                scaled_us(options, options.deadline_days),
                1 if alone else options.quorum,
                1 if alone else max(options.quorum, options.redundancy),
                options.max_errors,
                options.max_total,
                options.max_success,
                batch=batch.number,
                key=host.rng.getrandbits(61),
            )
            self.transition(host, unit)
        return batch

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> None:
        batch = self.db.batches.get(message.batch) or self.db.finished.get(message.batch)
        if batch is None or batch.origin != sender:
            host.reply(Status(message.batch, 0, 0, 0))
        else:
            host.reply(Status(batch.number, batch.done, batch.failed, batch.units))

    @on(Expired)
    def expired(self, host: Host, tick: Expired) -> None:
        """A batch has taken too long: cancel its work units."""
        if tick.batch in self.db.batches:
            for unit in [unit for unit in self.db.units.values() if unit.batch == tick.batch]:
                unit.cancel()
                self.transition(host, unit)

    def report_progress(self, host: Host, batch: Batch) -> None:
        """One more work unit of a batch is over: report it to the submitter, and finish the batch with the last."""
        step = (batch.done + batch.failed) * STEPS_TOLD // batch.units
        if step == batch.steps_told and not batch.over:
            return
        batch.steps_told = step
        if batch.origin != host.me:
            status = Status(batch.number, batch.done, batch.failed, batch.units)
            host.send(batch.origin, status, cause=batch.cause)
        else:
            host.progress(batch.done, batch.units, cause=batch.cause)
        if not batch.over:
            return
        put_bounded(self.db.finished, batch.number, self.db.batches.pop(batch.number), BATCHES_KEPT)
        if batch.origin == host.me:
            if batch.failed:
                host.failed(failures(batch.failed, batch.units), cause=batch.cause)
            else:
                host.fetched(host.me, batch.text, cause=batch.cause)
            host.let_close(batch.cause)

    # --- scheduler ----------------------------------------------------------------------------------------------

    @on(WorkRequest)
    def request(self, host: Host, sender: PeerId, message: WorkRequest) -> None:
        """Take the results that a host reports, and send it work."""
        options, db = host.options, self.db
        record = db.hosts.get(sender)
        if record is None:
            record = db.hosts[sender] = HostRecord(recent_us=host.now_us)
        record.heard_us = host.now_us
        for report in message.reports:
            self.take_report(host, sender, record, report)
        sent = 0
        if message.wanted_s > 0 and message.gflops > 0 and math.isfinite(message.gflops):
            takes_s = gflop_of(options) / message.gflops
            left_s = min(message.wanted_s, REQUEST_MOST_S)
            queued_s = max(0.0, message.queued_s)
            trusted = options.adaptive and host.rng.random() < record.reputation.trusted_share(options.trusted_after)
            hr_class = min(max(0, message.hr_class), len(CLASSES))
            while left_s > 0 and sent < TASKS_MOST:
                late = queued_s + takes_s > options.deadline_days * DAY_S
                found = None if late else self.match(host, sender, message.memory_mb, hr_class)
                if found is None:
                    break
                self.send_result(host, sender, record, *found, hr_class, trusted)
                sent += 1
                left_s -= takes_s
                queued_s += takes_s
        host.reply(
            WorkReply(
                sent,
                record.valid,
                record.invalid,
                round(record.credit, 3),
                record.recent,
                options.adaptive and record.reputation.trusted_share(options.trusted_after) > 0,
                tuple(record.judged),
            )
        )
        record.judged = []

    def match(self, host: Host, sender: PeerId, memory_mb: int, hr_class: int) -> tuple[WorkUnit, Result] | None:
        """The first result on offer that a host may get, with its work unit: the host has no other result of that work
        unit, is of the right class of machine (option `same_class`), and has enough memory. If there is none, results
        that were looked at wait behind the others."""
        options, db = host.options, self.db
        slots, unsent = db.slots, db.unsent
        skipped: list[Slot] = []
        found = None
        tries = options.feeder
        while found is None and tries and (slots or unsent):
            slot = slots.pop(0) if slots else unsent.popleft()
            unit = db.units.get(slot.unit)
            result = unit.results[slot.result] if unit is not None else None
            if unit is None or result is None or result.state is not ServerState.UNSENT:
                continue
            tries -= 1
            if memory_mb < options.needs_mb:
                slot.infeasible += 1
                if slot.infeasible > INFEASIBLE_MOST:
                    unit.could_not_send(result)
                    self.transition(host, unit)
                else:
                    skipped.append(slot)
            elif any(one.host == sender for one in unit.results) or (
                options.same_class and unit.hr_class not in (0, hr_class)
            ):
                skipped.append(slot)
            else:
                found = unit, result
        if found is None:
            unsent.extend(skipped)
        else:
            slots[:0] = skipped
        while unsent and len(slots) < options.feeder:
            slots.append(unsent.popleft())
        return found

    def send_result(
        self,
        host: Host,
        sender: PeerId,
        record: HostRecord,
        unit: WorkUnit,
        result: Result,
        hr_class: int,
        trusted: bool,
    ) -> None:
        """Send a result to a host. With adaptive replication, a work unit of a host that is not trusted is sent to
        others too."""
        options, db = host.options, self.db
        unit.send(result, sender, host.now_us)
        unit.hr_class = hr_class if options.same_class else 0
        db.sent += 1
        record.in_progress += 1
        heappush(db.deadlines, (result.deadline_us, unit.number))
        self.arm(host)
        batch = db.batches.get(unit.batch)
        task = Task(
            unit.number,
            result.number,
            batch.text if batch else "",
            unit.key,
            gflop_of(options),
            result.deadline_us,
            Blob(int(options.input_kb * 1_000), unit.key),
        )
        host.send(sender, task, cause=batch.cause if batch else None)
        if options.adaptive and not trusted and unit.target < max(2, options.quorum):
            unit.min_quorum = unit.target = max(2, options.quorum)
            self.transition(host, unit)

    @on(Upload)
    def upload(self, host: Host, sender: PeerId, message: Upload) -> None:
        host.reply(Stored(message.unit, message.result))

    @on(Detach)
    def detached(self, host: Host, sender: PeerId, message: Detach) -> None:
        """A host has left the project: its results are sent to others."""
        record = self.db.hosts.get(sender)
        if record is None or not record.in_progress:
            return
        for unit in list(self.db.units.values()):
            for result in unit.results:
                if result.host == sender and result.state is ServerState.IN_PROGRESS:
                    unit.detach(result)
                    record.in_progress -= 1
                    self.transition(host, unit)

    # --- transitioner, validator, assimilator -------------------------------------------------------------------

    def take_report(self, host: Host, sender: PeerId, record: HostRecord, report: ResultReport) -> None:
        """A host reports a result."""
        unit = self.db.units.get(report.unit)
        if unit is None or not 0 <= report.result < len(unit.results):
            return
        result = unit.results[report.result]
        if result.host != sender or not unit.awaited(result):
            return
        if result.state is ServerState.IN_PROGRESS:
            record.in_progress -= 1
        self.db.returned += 1
        unit.report(result, None if report.failed else report.answer)
        if report.failed:
            record.errors += 1
            record.reputation.judged(valid=False)
        if unit.needs_validation():
            self.validate(host, unit)
        self.transition(host, unit)

    def validate(self, host: Host, unit: WorkUnit) -> None:
        options = host.options
        credit = gflop_of(options) / DAY_S * COBBLESTONES
        judged = unit.validate()
        if unit.canonical < 0:
            batch = self.db.batches.get(unit.batch)
            host.log(
                "results differ", cause=batch.cause if batch else None, unit=unit.number, results=len(unit.results)
            )
        for result in judged:
            record = self.db.hosts[result.host]
            valid = result.validity is Validity.VALID
            record.reputation.judged(valid=valid, replicated=unit.target > 1)
            if valid:
                record.valid += 1
                record.grant(credit, host.now_us, scaled_us(options, 1.0))
            else:
                record.invalid += 1
            if len(record.judged) < JUDGED_KEPT:
                record.judged.append((unit.number, result.number, valid))

    def transition(self, host: Host, unit: WorkUnit) -> None:
        """Run the transitioner and the assimilator on a work unit, and delete it when all of it is over."""
        db = self.db
        for result in unit.results:
            if result.state is ServerState.IN_PROGRESS and result.deadline_us <= host.now_us:
                record = db.hosts[result.host]
                record.in_progress -= 1
                record.late += 1
                batch = db.batches.get(unit.batch)
                host.log("no reply", cause=batch.cause if batch else None, unit=unit.number, host=result.host)
        made = [Slot(unit.number, result.number) for result in unit.transition(host.now_us)]
        if len(made) < len(unit.results):
            # A further result of a work unit goes first: other results wait for it (priority_order,
            # reliable_priority_on_over).
            db.slots[:0] = made
        else:
            db.unsent.extend(made)
        while db.unsent and len(db.slots) < host.options.feeder:
            db.slots.append(db.unsent.popleft())
        if unit.assimilate():
            batch = db.batches.get(unit.batch)
            if unit.canonical >= 0:
                db.assimilated += 1
                db.wrong += not is_right(unit.key, unit.results[unit.canonical].answer)
            else:
                db.failed += 1
            if batch is not None:
                if unit.canonical >= 0:
                    batch.done += 1
                else:
                    batch.failed += 1
                self.report_progress(host, batch)
        if unit.over and all(result.state is ServerState.OVER for result in unit.results):
            db.units.pop(unit.number, None)

    @on(Late)
    def late(self, host: Host, tick: Late) -> None:
        """Time out results that are past their deadlines."""
        self.timer = None
        deadlines = self.db.deadlines
        while deadlines and deadlines[0][0] <= host.now_us:
            unit = self.db.units.get(heappop(deadlines)[1])
            if unit is not None:
                self.transition(host, unit)
        self.arm(host)

    def arm(self, host: Host) -> None:
        """Set the timer for the earliest deadline of a work unit that is still there."""
        deadlines = self.db.deadlines
        while deadlines and deadlines[0][1] not in self.db.units:
            heappop(deadlines)
        if not deadlines or (self.timer is not None and self.timer_us <= deadlines[0][0]):
            return
        if self.timer is not None:
            host.cancel(self.timer)
        self.timer_us = deadlines[0][0]
        self.timer = host.after(max(0, self.timer_us - host.now_us), Late(), cause=None)

    # --- what is seen ---------------------------------------------------------------------------------------------

    def shown(self) -> tuple[float | str, ...]:
        db = self.db
        running = sum(record.in_progress for record in db.hosts.values())
        mistaken = db.wrong / db.assimilated if db.assimilated else math.nan
        return len(db.units), len(db.unsent) + len(db.slots), running, db.assimilated, mistaken

    def contacts(self) -> Iterable[PeerId]:
        """A project calls nobody: hosts call it."""
        return ()

    def beliefs(self) -> Beliefs:
        """What the project knows of its hosts: who agreed with whom, but not who is right."""
        db = self.db
        known = {}
        for peer, record in db.hosts.items():
            said = f"{record.valid} valid, {record.invalid} invalid, {record.in_progress} in progress"
            said += f", {record.late} late, {record.errors} crashed"
            row = record.reputation.valid
            known[peer] = Belief(record.heard_us, f"{said}, {row} valid in a row, {record.credit:,.0f} credit")
        facts = {
            "work units": f"{len(db.units):,} under way, {db.assimilated:,} done, {db.failed:,} failed",
            "results": f"{db.sent:,} sent, {db.returned:,} came back",
            "results a work unit": f"{db.sent / db.assimilated:.2f}" if db.assimilated else "-",
            "unsent": f"{len(db.slots):,} on offer, {len(db.unsent):,} behind them",
            "batches": ", ".join(f"{one.text} {one.done}/{one.units}" for one in list(db.batches.values())[:5]) or "-",
        }
        return Beliefs(known, facts)


def failures(failed: int, units: int) -> str:
    """The end of a sentence about a batch that is over."""
    return f"{failed:,} of {units:,} work units failed"
