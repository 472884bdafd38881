"""Volunteer computing (SETI@home, Folding@home)

Users lend their processors to a project. Its server cuts a large computation into work units; a host asks it for work
when it has little left, computes for hours, uploads the result, and reports it with its next request. Nobody can see
whether a host has computed at all. So each work unit is sent to two hosts: only if their answers agree one of them is
accepted (the quorum), and otherwise the unit is sent to a third. If a host does not report by the deadline, the project
waits for it no longer, and sends its work unit to another. The hosts need no connection to each other, and may be
switched off or leave at any time. The one server is a single point of failure: when it is down the hosts go on until
they have no work left, and wait.

An ask is a batch of work units that a user submits to the project. It is done when each of them has a result that the
project accepts as right. The picture shows who works; one day of the project takes one minute here (`day_s`), so a work
unit of eight hours takes about 20 s. With day_s=86400 all times are the true ones: choose a high speed then.

Things to try: ask, and watch the batch. Let a third of the hosts `cheat`: they agree with each other on a wrong answer.
The column "passed" shows how many wrong results the project has accepted as right; the project itself (inspector,
"believes") only sees who agrees with whom. Set adaptive=true: a host with ten valid results in a row computes nearly
always alone from then on; let one cheat after that. Kill the project for a minute and revive it: what the hosts have
computed comes back. Let its operator go bankrupt (attack "operator"): then it does not come back. With `abandon` a host
throws away its work and tells nobody. Shares "2:1" make two projects, of which the first gets two thirds of each
processor.

Source: BOINC (db/boinc_db_types.h, sched/transitioner.cpp, validator.cpp, sched_send.cpp; client/work_fetch.cpp,
pers_file_xfer.cpp), with the numbers of its tools; Anderson, "BOINC: A Platform for Volunteer Computing" (2019).
"""

# `messages.py` has messages and options, `workunits.py` the states of work units and results, `project.py` the server;
# the host is here.
#
# A host has two timers only: one for the end of what it computes, and one (`wake`) for the next time that it has
# something to send to a project. When it is switched off, the state of its program is that of the last checkpoint,
# which is computed from the time of the switching off (`Host.stopped_us`) when it starts again.
#
# What is simplified: a result comes with its input file, and of the checks that the server makes of hosts (disk,
# versions of programs, daily quota) only those of memory and of deadlines are made. Left out: several processors,
# preemption of what is computed (BOINC changes between projects each hour), trickles, and the web site, whose figures
# come with each answer.

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from ...api import (
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Blob,
    CallEnd,
    Cause,
    Facts,
    Goal,
    Host,
    InputError,
    Peer,
    PeerId,
    Rng,
    Shown,
    Station,
    Theory,
    Timer,
    on,
    on_reply,
    on_timeout,
    verb,
)
from ...kit import within
from .messages import (
    CLASSES,
    DAY_S,
    MASK,
    Detach,
    Query,
    ResultReport,
    Status,
    Stored,
    Submit,
    Submitted,
    Task,
    Upload,
    VolunteerOptions,
    WorkReply,
    WorkRequest,
    right_answer,
    scaled_us,
)
from .project import Project, failures

MINUTE, HOUR = 60 / DAY_S, 3_600 / DAY_S
"""In days."""
POLL_DAYS = MINUTE
"""A client waits so long after an answer of a project before it calls the project again."""
REFUSED_DAYS, REFUSED_MOST_DAYS = 10 * MINUTE, 1.0
"""Back-off after an answer without work: doubled each time (WF_MIN_BACKOFF_INTERVAL, WF_MAX_BACKOFF_INTERVAL)."""
FAILED_S, FAILED_MOST_S = 60.0, 4 * 3_600.0
"""Limits of the back-off after a server that does not answer (SCHED_RETRY_DELAY_MIN and MAX)."""
CUSHION_DAYS = 1.0
"""A result is reported at once when its deadline is as near as this (REPORT_DEADLINE_CUSHION)."""
TASKS_MOST = 200
"""The most results that a host has."""
SUBMITTED_MOST = 20
"""The most batches that one user waits for."""
QUERY_DAYS = 0.5
"""Time between two questions of a user how far a batch is."""
PROJECTS_MOST = 8
CHOSEN = "project"
"""The key of the remark on an ask that says to which of several projects the batch was submitted."""
WORDS = ("honest", "cheats alike", "cheats differently")


def batch_names(titles: Sequence[str], users: int) -> Sequence[str]:
    """Names of batches that a user might give."""
    return [f"tape {number:02d}mr{number + 10}" for number in range(1, 9)]


def batch_name(titles: Sequence[str], rng: Rng, now_us: int) -> str:
    """The name of a batch as SETI@home's tapes had it."""
    return f"tape {rng.randrange(28) + 1:02d}mr{rng.randrange(90) + 10}"


BATCH = Goal(
    "batch",
    "compute",
    "Have a batch of work units computed by volunteers.",
    success_s=14 * DAY_S,
    audience="one",
    reached_by=frozenset({"question", "transfer"}),
    draw=batch_name,
    fetched=True,
    did="issued",
    one="project",
    doing="being computed",
    what="a name for the batch",
    examples=batch_names,
)


@dataclass(slots=True)
class Ended:
    """The program has computed a result."""

    part: ClassVar = "transfer"
    unit: int
    result: int


@dataclass(slots=True)
class Wake:
    """Time to see whether there is something to send to a project."""


@dataclass(slots=True)
class GiveUp:
    """The time that a user waits for a batch is over."""

    part: ClassVar = "notice"
    number: int


@dataclass(slots=True)
class LookAgain:
    """Time to submit a batch again, or to ask how far it is."""

    part: ClassVar = "notice"
    number: int


@dataclass(slots=True)
class Work:
    """A result to compute. `left_us` of computing remains, of `run_us`."""

    project: PeerId
    unit: int
    result: int
    text: str
    key: int
    run_us: int
    left_us: int
    deadline_us: int
    cause: Cause

    @property
    def name(self) -> tuple[int, int]:
        """The work unit and the result."""
        return self.unit, self.result


@dataclass(slots=True)
class Output:
    """What a host has computed, to be uploaded and reported. `ready_us`: when it was uploaded, -1 before."""

    report: ResultReport
    deadline_us: int
    cause: Cause
    ready_us: int = -1


@dataclass(slots=True)
class Membership:
    """What a host keeps of a project.

    share       of the host's processor, 0 to 1; used_us: the processor time that it has had
    outputs     results that were computed and are not reported yet
    refusals, work_us
                answers without work in a row, and when it is asked for work again
    failures, talk_us
                requests without an answer in a row, and until when it is not called again
    coming      results that its last answer announced and that have not come; coming_us: until when they may come
    busy        what waits for an answer: "request", "upload", or "" for nothing
    heard_us    when it answered last
    falsified   wrong results that the host returned, as it knows itself
    The rest is what the project has said of this host.
    """

    share: float
    used_us: int = 0
    outputs: list[Output] = field(default_factory=list)
    refusals: int = 0
    work_us: int = 0
    failures: int = 0
    talk_us: int = 0
    coming: int = 0
    coming_us: int = 0
    busy: str = ""
    heard_us: int | None = None
    falsified: dict[tuple[int, int], None] = field(default_factory=dict)
    valid: int = 0
    invalid: int = 0
    credit: float = 0.0
    recent: float = 0.0
    trusted: bool = False


@dataclass(slots=True)
class Submission:
    """A batch that this user has submitted; `batch`: its number at the project, 0 while it is not known; `until_us`:
    how long the user waits for it; `tries`: calls without an answer in a row; `give_up`, `again`: timers."""

    text: str
    cause: Cause
    project: PeerId
    until_us: int
    batch: int = 0
    tries: int = 0
    done: int = 0
    units: int = 0
    give_up: Timer | None = None
    again: Timer | None = None


@dataclass(slots=True)
class Disk:
    """What a client keeps on disk. `queue`: its work; the first is being computed since `begun_us` (-1: nothing is)."""

    hr_class: int = 0
    projects: dict[PeerId, Membership] = field(default_factory=dict)
    queue: list[Work] = field(default_factory=list)
    begun_us: int = -1
    submitted: dict[int, Submission] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Volunteer(Peer, name="volunteer", options=VolunteerOptions):
    """A user's machine, which computes for projects, and whose user may submit batches.

    ending    the timer for the end of what is computed; wake, wake_us: the timer `Wake`, and when it ends
    honesty   an index of `WORDS`; cheat_share: the share of its results that are wrong when it is not honest
    computed  results that it computed; passed: wrong ones that a project accepted as right
    """

    role = "volunteer"
    goals = (BATCH,)
    remark_keys = (CHOSEN,)
    overlay = False
    shares_files = False
    shows = (
        Shown("does", "what the host does", "category", ("computes", "has no work", "gets no answer")),
        Shown("work", "results that it has, to compute or to report", "count"),
        Shown("accepted", "of its results that were compared, those found valid", "share"),
        Shown("credit", "in Cobblestones: 200 are a day at 1 GFLOPS", "number"),
        Shown("trust", "whether it may compute alone (adaptive=true)", "category", ("trusted", "not trusted")),
        Shown("honesty", "whether it computes what it should, which no project knows", "category", WORDS),
        Shown("passed", "wrong results of it that a project took for right", "count"),
    )

    disk: Disk = field(default_factory=Disk)
    ending: Timer | None = None
    wake: Timer | None = None
    wake_us: int = 0
    honesty: int = 0
    cheat_share: float = 1.0
    computed: int = 0
    passed: int = 0

    # --- the network ----------------------------------------------------------------------------------------------

    @classmethod
    def stations(cls, options: VolunteerOptions, peers: int) -> Sequence[Station]:
        """One server for each of the shares, each with an operator of its own. Raises InputError."""
        count = len(shares_of(options.shares))
        labels = ["project"] if count == 1 else [project_label(at) for at in range(count)]
        return [Station(Project, label, f"{label} operator") for label in labels]

    @classmethod
    def verdict(cls, facts: Facts, options: VolunteerOptions) -> str | None:
        """How far the batch came, and what is missing."""
        if facts.goal != BATCH.name:
            return None
        done, of = int(facts.done), int(facts.of)
        if of and done >= of:
            if of == 1:
                return "Done: its work unit has a result that the project takes for right."
            return f"Done: all {of:,} work units have a result that the project takes for right."
        asked = facts.remarks.get(CHOSEN, facts.stations)
        down = [
            f"the {label} is {state}"
            for label, state in facts.stations.items()
            if label in asked and state not in ("alive", "colluding")
        ]
        server = f"{' and '.join(down)}, and nobody else knows the work units" if down else ""
        rest = [part for part in (facts.setback, server) if part]
        if not facts.hits:
            if facts.trouble and not facts.setback:
                return f"Not known whether it is begun: the asker {facts.trouble}."
            return f"Not begun: {'; '.join(rest) or 'no project has answered'}."
        if facts.trouble and not facts.setback:
            told = f"{done:,} of {of:,} work units were done when the asker heard of them last"
            rest.append(f"the asker {facts.trouble}, so that nobody waits for them")
        else:
            told = f"{done:,} of {of:,} work units are done"
        return f"{'Not done' if facts.setback else 'Not done yet'}: {'; '.join((told, *rest))}."

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: VolunteerOptions) -> Sequence[Theory]:
        """The results that a work unit takes, and the share of wrong work units, if all mistakes give the same answer;
        `max_total` and other limits are left out. Nothing if right answers differ too, or if no result comes back."""
        if facts["goal"] != BATCH.name or options.quorum != 2 or options.redundancy > 2 or options.adaptive:
            return ()
        wrong, back = options.mistakes, (1 - options.vanish) * (1 - options.crashes)
        if back <= 0 or (options.unstable and not options.same_class):
            return ()
        results = (2 + 2 * wrong * (1 - wrong)) / back
        return (
            Theory(
                "results a work unit", results, "(2 + 2 e (1 - e)) / (1 - p), e wrong by mistake, p lost or crashed"
            ),
            Theory(
                "wrong work units", wrong**2 * (3 - 2 * wrong), "3 e^2 - 2 e^3: two wrong ones come first, or third"
            ),
        )

    # --- begin and end ----------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """A client that was switched off goes on from its last checkpoint. Others call their projects within some
        minutes."""
        if isinstance(saved, Disk):
            self.disk = saved
            self.resume(host)
            return
        shares = shares_of(host.options.shares)
        self.disk.hr_class = drawn_class(host.rng)
        for project, share in zip(contacts, shares, strict=False):
            self.disk.projects[project] = Membership(share)
        self.plan_look(host, host.now_us + int(host.rng.random() * scaled_us(host.options, 10 * MINUTE)))

    def resume(self, host: Host) -> None:
        """Start again from the disk."""
        disk = self.disk
        if disk.begun_us >= 0 and disk.queue:
            ran_us = max(0, (host.stopped_us or 0) - disk.begun_us)
            each_us = scaled_us(host.options, host.options.checkpoint_s / DAY_S)
            work = disk.queue[0]
            work.left_us -= min(work.left_us, ran_us - ran_us % each_us if each_us else ran_us)
        disk.begun_us = -1
        for membership in disk.projects.values():
            membership.busy, membership.coming = "", 0
        self.compute(host)
        self.look_at_projects(host)
        for number, one in disk.submitted.items():
            one.give_up = host.after(max(0, one.until_us - host.now_us), GiveUp(number), cause=one.cause)
            one.again = host.after(scaled_us(host.options, MINUTE), LookAgain(number), cause=one.cause)

    def saved(self) -> object | None:
        return self.disk

    def joined(self, links: Sequence[PeerId]) -> bool:
        return any(one.heard_us is not None for one in self.disk.projects.values())

    def stop(self, host: Host) -> None:
        """A user that leaves detaches the host from its projects. A host that is switched off stays attached."""
        host.multicast(list(self.disk.projects), Detach(), cause=None)
        self.drop_work()

    # --- computing ------------------------------------------------------------------------------------------------

    def compute(self, host: Host) -> None:
        """Begin to compute the next result, if none is being computed. Results that might miss their deadlines come
        first, then those of the project that has had least of its share."""
        disk = self.disk
        if disk.begun_us >= 0 or not disk.queue:
            return
        now_us = host.now_us
        if any(one.deadline_us <= now_us for one in disk.queue):
            for lost in [one for one in disk.queue if one.deadline_us <= now_us and one.left_us == one.run_us]:
                disk.queue.remove(lost)
                host.log("too late to begin", cause=lost.cause, unit=lost.unit)
            if not disk.queue:
                return
        urgent = [one for one in disk.queue if one.deadline_us - now_us < 2 * one.left_us]
        if urgent:
            work = min(urgent, key=lambda one: one.deadline_us)
        elif len(disk.projects) == 1:
            work = disk.queue[0]
        else:
            first = min({one.project: None for one in disk.queue}, key=self.time_per_share)
            work = next(one for one in disk.queue if one.project == first)
        if work is not disk.queue[0]:
            disk.queue.remove(work)
            disk.queue.insert(0, work)
        disk.begun_us = now_us
        self.ending = host.after(work.left_us, Ended(work.unit, work.result), cause=work.cause)

    def time_per_share(self, project: PeerId) -> float:
        """The processor time that a project has had, divided by its share."""
        membership = self.disk.projects[project]
        return membership.used_us / membership.share

    @on(Ended)
    def ended(self, host: Host, tick: Ended) -> None:
        """A result is computed: keep it to be uploaded, and begin with the next one."""
        disk = self.disk
        if disk.begun_us < 0 or not disk.queue or disk.queue[0].name != (tick.unit, tick.result):
            return
        work = disk.queue.pop(0)
        disk.begun_us, self.ending = -1, None
        membership = disk.projects[work.project]
        membership.used_us += work.run_us
        report = self.outcome(host, membership, work)
        if report is not None:
            membership.outputs.append(Output(report, work.deadline_us, work.cause))
        self.compute(host)
        self.look_at_projects(host)

    def outcome(self, host: Host, membership: Membership, work: Work) -> ResultReport | None:
        """The outcome of the program: an answer or a crash; None if nothing is ever returned."""
        options, rng = host.options, host.rng
        self.computed += 1
        if options.vanish and rng.random() < options.vanish:
            return None
        if options.crashes and rng.random() < options.crashes:
            return ResultReport(work.unit, work.result, 0, True)
        answer = right_answer(work.key, self.disk.hr_class if options.unstable else 0)
        by_mistake = options.mistakes and rng.random() < options.mistakes
        if self.honesty and (self.cheat_share >= 1.0 or rng.random() < self.cheat_share):
            answer = wrong_answer(work.key) if self.honesty == 1 else rng.getrandbits(61) | 1
        elif by_mistake:
            answer = wrong_answer(work.key)
        if answer & 1:
            membership.falsified[work.name] = None
            while len(membership.falsified) > TASKS_MOST:
                del membership.falsified[next(iter(membership.falsified))]
        return ResultReport(work.unit, work.result, answer, False)

    # --- talking with projects --------------------------------------------------------------------------------------

    def queued_us(self, now_us: int) -> int:
        """Computing time of all that is in the queue."""
        disk = self.disk
        ran_us = now_us - disk.begun_us if disk.begun_us >= 0 else 0
        return max(0, sum(one.left_us for one in disk.queue) - ran_us)

    @staticmethod
    def full_us(host: Host) -> int:
        """Computing time of a full buffer."""
        return scaled_us(host.options, host.options.buffer_days + host.options.extra_days)

    def look_at_projects(self, host: Host) -> None:
        """Upload what is computed, report what is uploaded, ask for work, and plan when to do so again.

        A request that reports also asks for work, if there is room (`work_fetch.cpp`, piggyback_work_request)."""
        disk, options, now_us = self.disk, host.options, host.now_us
        queued_us = self.queued_us(now_us)
        least_us = scaled_us(options, options.buffer_days)
        wants = queued_us <= least_us and len(disk.queue) < TASKS_MOST
        next_us = -1 if wants else now_us + queued_us - least_us
        memberships = disk.projects
        order = list(memberships) if len(memberships) == 1 else sorted(memberships, key=self.time_per_share)
        expects = False
        for one in memberships.values():
            if one.coming > 0 and now_us >= one.coming_us:
                one.coming = 0
            if one.coming > 0:
                next_us = one.coming_us if next_us < 0 else min(next_us, one.coming_us)
            if one.coming > 0 or one.busy == "request":
                wants, expects = False, True
        for project in order:
            membership = memberships[project]
            if membership.busy:
                continue
            upload, due_us = None, -1
            for output in membership.outputs:
                if output.ready_us < 0 and not output.report.failed:
                    upload, due_us = output, now_us
                    break
            else:
                if membership.outputs:
                    due_us = self.due_us(host, membership.outputs)
            if wants and (due_us < 0 or membership.work_us < due_us):
                due_us = max(membership.work_us, 0)
            if due_us < 0:
                continue
            due_us = max(due_us, membership.talk_us)
            if due_us > now_us:
                next_us = due_us if next_us < 0 else min(next_us, due_us)
            elif upload is not None:
                self.upload_output(host, project, membership, upload)
            else:
                has_room = wants or (project == order[0] and queued_us < self.full_us(host))
                asks = has_room and not expects and membership.work_us <= now_us
                self.call_scheduler(host, project, membership, queued_us, asks)
                if asks:
                    wants, expects = False, True
        if next_us >= 0:
            self.plan_look(host, max(next_us, now_us + 1))

    def due_us(self, host: Host, outputs: Sequence[Output]) -> int:
        """When uploaded results have to be reported at the latest, in us of virtual time, 0 or more."""
        wait_us = scaled_us(host.options, host.options.report_h * HOUR)
        cushion_us = scaled_us(host.options, CUSHION_DAYS)
        return max(0, min(min(max(0, one.ready_us) + wait_us, one.deadline_us - cushion_us) for one in outputs))

    def plan_look(self, host: Host, at_us: int) -> None:
        """Set the timer `Wake`, unless it ends earlier already."""
        if self.wake is not None:
            if host.now_us < self.wake_us <= at_us:
                return
            host.cancel(self.wake)
        self.wake_us = at_us
        self.wake = host.after(at_us - host.now_us, Wake(), cause=None)

    @on(Wake)
    def woken(self, host: Host, tick: Wake) -> None:
        self.wake = None
        self.look_at_projects(host)

    def upload_output(self, host: Host, project: PeerId, membership: Membership, output: Output) -> None:
        """Upload an output file."""
        membership.busy = "upload"
        report = output.report
        data = Blob(int(host.options.output_kb * 1_000), report.answer)
        host.call(
            project,
            Upload(report.unit, report.result, data),
            timeout_s=host.options.timeout_s,
            context=(report.unit, report.result),
            cause=output.cause,
        )

    @on_reply(Upload)
    def stored(self, host: Host, sender: PeerId, answer: Stored, context: tuple[int, int]) -> None:
        membership = self.disk.projects[sender]
        self.reached(host, membership)
        for output in membership.outputs:
            if (output.report.unit, output.report.result) == context:
                output.ready_us = host.now_us
        self.look_at_projects(host)

    @on_timeout(Upload)
    def not_stored(self, host: Host, to: PeerId, context: tuple[int, int], reason: CallEnd) -> None:
        self.no_answer(host, self.disk.projects[to])

    def call_scheduler(self, host: Host, project: PeerId, membership: Membership, queued_us: int, asks: bool) -> None:
        """Report what is uploaded, and ask for as much work as there is room for in the buffer."""
        options = host.options
        membership.busy = "request"
        to_day = DAY_S / options.day_s / 1e6
        wanted_s = max((self.full_us(host) - queued_us) * to_day, 1.0) if asks else 0.0
        reports = tuple(one.report for one in membership.outputs if one.ready_us >= 0 or one.report.failed)
        machine = host.machine
        host.call(
            project,
            WorkRequest(
                wanted_s,
                queued_us * to_day,
                machine.gflops,
                machine.memory_mb,
                self.disk.hr_class,
                reports[:TASKS_MOST],
            ),
            timeout_s=options.timeout_s,
            context=(asks, tuple((one.unit, one.result) for one in reports[:TASKS_MOST])),
            cause=None,
        )

    @on_reply(WorkRequest)
    def answered(
        self, host: Host, sender: PeerId, answer: WorkReply, context: tuple[bool, tuple[tuple[int, int], ...]]
    ) -> None:
        """Remove the results that were reported. If the project had no work, it is not asked for a while."""
        options = host.options
        membership = self.disk.projects[sender]
        asked, reported = context
        self.reached(host, membership)
        membership.talk_us = host.now_us + scaled_us(options, POLL_DAYS)
        gone = dict.fromkeys(reported)
        membership.outputs = [one for one in membership.outputs if (one.report.unit, one.report.result) not in gone]
        membership.valid, membership.invalid = max(0, answer.valid), max(0, answer.invalid)
        membership.credit, membership.recent, membership.trusted = answer.credit, answer.recent, answer.trusted
        for unit, result, valid in answer.judged:
            if (unit, result) in membership.falsified:
                del membership.falsified[unit, result]
                self.passed += valid
        if asked and answer.tasks > 0:
            membership.refusals = membership.work_us = 0
            # `coming` is negative if results came before the answer that announces them.
            membership.coming = max(0, membership.coming + answer.tasks)
            membership.coming_us = host.now_us + int(options.timeout_s * 1e6)
        elif asked:
            days = min(REFUSED_DAYS * 2 ** min(membership.refusals, 20), REFUSED_MOST_DAYS)
            membership.refusals += 1
            membership.work_us = host.now_us + scaled_us(options, days * host.rng.uniform(0.5, 1.5))
        self.look_at_projects(host)

    @on_timeout(WorkRequest)
    def unanswered(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        self.no_answer(host, self.disk.projects[to])

    def reached(self, host: Host, membership: Membership) -> None:
        """The project has answered."""
        membership.busy, membership.failures, membership.heard_us = "", 0, host.now_us

    def no_answer(self, host: Host, membership: Membership) -> None:
        """The project has not answered: call it again after a time that grows with each failure."""
        membership.busy, membership.coming = "", 0
        membership.failures += 1
        membership.talk_us = host.now_us + scaled_us(host.options, backoff_s(membership.failures, host.rng) / DAY_S)
        self.look_at_projects(host)

    @on(Task)
    def task(self, host: Host, sender: PeerId, message: Task) -> None:
        """A result to compute has come, with its input."""
        membership, disk = self.disk.projects.get(sender), self.disk
        if membership is None:
            return
        membership.coming -= 1
        fits = math.isfinite(message.gflop) and 0 < message.gflop <= 1e12
        known = any(one.project == sender and one.name == (message.unit, message.result) for one in disk.queue)
        if not fits or known or len(disk.queue) >= TASKS_MOST:
            return
        options = host.options
        run_us = max(1, scaled_us(options, message.gflop / host.machine.gflops / DAY_S))
        work = Work(
            *(sender, message.unit, message.result, message.text, message.key & MASK, run_us, run_us),
            *(message.deadline_us, host.cause),
        )
        disk.queue.append(work)
        self.compute(host)
        if membership.coming <= 0 and not membership.busy:
            # Else the answer or the next result will come, and leads to a look.
            self.look_at_projects(host)

    # --- batches of this user ---------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """Submit a batch to one of the projects."""
        if ask.goal == PUBLISH.name:
            return
        if not self.disk.projects:
            host.failed("this host knows no project")
            return
        if len(self.disk.submitted) >= SUBMITTED_MOST:
            host.failed(f"its user waits for {SUBMITTED_MOST} batches already")
            return
        project = host.rng.choice(list(self.disk.projects))
        if len(self.disk.projects) > 1:
            host.remark(CHOSEN, project_label(list(self.disk.projects).index(project)))
        patience_us = scaled_us(host.options, host.options.patience_days)
        one = self.disk.submitted[ask.id] = Submission(ask.text, host.cause, project, host.now_us + patience_us)
        one.give_up = host.after(patience_us, GiveUp(ask.id))
        self.submit(host, ask.id, one)

    def submit(self, host: Host, number: int, one: Submission) -> None:
        """Submit a batch, or ask how far it is."""
        message = Query(one.batch) if one.batch else Submit(one.text)
        timeout_us = int(host.options.timeout_s * 1e6)
        host.call(one.project, message, timeout_us=timeout_us, context=number, cause=one.cause)

    @on(LookAgain)
    def look_again(self, host: Host, tick: LookAgain) -> None:
        one = self.disk.submitted.get(tick.number)
        if one is not None:
            one.again = None
            self.submit(host, tick.number, one)

    def call_later(self, host: Host, number: int, one: Submission, days: float) -> None:
        """Submit the batch again, or ask again how far it is, after a time in days of the project."""
        if one.again is not None:
            host.cancel(one.again)
        one.again = host.after(scaled_us(host.options, days), LookAgain(number), cause=one.cause)

    @on_reply(Submit)
    def submitted(self, host: Host, sender: PeerId, answer: Submitted, context: int) -> None:
        one = self.disk.submitted.get(context)
        if one is None:
            return
        if answer.batch <= 0 or answer.units <= 0:
            self.close(host, context, one, f"the project declined: {answer.why or 'it does not say why'}")
            return
        one.batch, one.tries, one.units = answer.batch, 0, answer.units
        host.hit(sender, one.text)
        host.progress(0, one.units)
        self.call_later(host, context, one, QUERY_DAYS)

    @on_timeout(Submit)
    def not_submitted(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        self.try_again(host, context)

    @on_timeout(Query)
    def query_failed(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        self.try_again(host, context)

    def try_again(self, host: Host, number: int) -> None:
        one = self.disk.submitted.get(number)
        if one is not None:
            one.tries += 1
            self.call_later(host, number, one, backoff_s(one.tries, host.rng) / DAY_S)

    @on_reply(Query)
    def status_answered(self, host: Host, sender: PeerId, answer: Status, context: int) -> None:
        one = self.disk.submitted.get(context)
        if one is None or answer.batch != one.batch:
            return
        one.tries = 0
        if answer.units != one.units:
            self.close(host, context, one, "the project does not know it any more")
            return
        self.call_later(host, context, one, QUERY_DAYS)
        self.use_status(host, context, one, answer)

    @on(Status)
    def status(self, host: Host, sender: PeerId, message: Status) -> None:
        """The project says by itself how far a batch is."""
        for number, one in self.disk.submitted.items():
            if one.project == sender and one.batch == message.batch and one.units == message.units > 0:
                self.use_status(host, number, one, message)
                return

    def use_status(self, host: Host, number: int, one: Submission, status: Status) -> None:
        done, failed = status.done, status.failed
        if failed < 0 or not one.done <= done <= one.units - failed:
            return
        one.done = done
        host.progress(done, one.units, cause=one.cause)
        if done == one.units:
            host.fetched(one.project, one.text, cause=one.cause)
            self.close(host, number, one)
        elif done + failed == one.units:
            self.close(host, number, one, failures(failed, one.units))

    @on(GiveUp)
    def give_up(self, host: Host, tick: GiveUp) -> None:
        one = self.disk.submitted.get(tick.number)
        if one is not None:
            self.close(host, tick.number, one, f"given up after {host.options.patience_days:g} days")

    def close(self, host: Host, number: int, one: Submission, why: str = "") -> None:
        """End a submission: the user waits for it no longer. why: the failure that is reported, "" for none."""
        del self.disk.submitted[number]
        for timer in (one.give_up, one.again):
            if timer is not None:
                host.cancel(timer)
        if why:
            host.failed(why, cause=one.cause)

    # --- what a person does and sees --------------------------------------------------------------------------------

    @verb(
        "cheat",
        undo="be-honest",
        about="It returns wrong results: the same as all that cheat alike, so that they agree, or each a new one.",
        why_not=lambda peer: f"it {WORDS[peer.honesty]} already" if peer.honesty else None,
        values={"how": "e.g. alike", "share": "e.g. 0.5"},
        checks={"share": within(0, 1)},
    )
    def cheat(self, host: Host, how: Literal["alike", "differently"] = "alike", share: float = 1.0) -> None:
        """Return wrong results. share: the share of its results that are wrong, 0 to 1."""
        self.honesty = 1 if how == "alike" else 2
        self.cheat_share = share

    @verb(
        "be-honest",
        undo="cheat",
        about="It computes what it should.",
        why_not=lambda peer: None if peer.honesty else "it is honest",
    )
    def be_honest(self, host: Host) -> None:
        self.honesty = 0

    @verb(
        "abandon",
        about="It throws away the work that it has, and tells nobody: the project notices it at the deadlines.",
        why_not=lambda peer: None if peer.has_work() else "it has no work",
    )
    def abandon(self, host: Host) -> None:
        if self.ending is not None:
            host.cancel(self.ending)
        self.ending = None
        self.drop_work()
        self.look_at_projects(host)

    def drop_work(self) -> None:
        """Throw away all that is to be computed or reported."""
        self.disk.queue, self.disk.begun_us = [], -1
        for membership in self.disk.projects.values():
            membership.outputs = []

    def has_work(self) -> bool:
        """Whether there is something to compute or to report."""
        return bool(self.disk.queue) or any(one.outputs for one in self.disk.projects.values())

    def shown(self) -> tuple[float | str, ...]:
        disk = self.disk
        projects = disk.projects.values()
        valid, compared = sum(one.valid for one in projects), sum(one.valid + one.invalid for one in projects)
        does = (
            "computes" if disk.queue else "gets no answer" if any(one.failures for one in projects) else "has no work"
        )
        return (
            does,
            len(disk.queue) + sum(len(one.outputs) for one in projects),
            valid / compared if compared else math.nan,
            sum(one.credit for one in projects),
            "trusted" if any(one.trusted for one in projects) else "not trusted",
            WORDS[self.honesty],
            self.passed,
        )

    def contacts(self) -> Iterable[PeerId]:
        """Only the projects: hosts do not know each other."""
        return self.disk.projects

    def beliefs(self) -> Beliefs:
        disk = self.disk
        known = {}
        for project, one in disk.projects.items():
            said = f"share {100 * one.share:.0f} %, {one.credit:,.0f} credit, {one.recent:,.1f} a day"
            known[project] = Belief(one.heard_us, said, alive=not one.failures)
        outputs = [each for one in disk.projects.values() for each in one.outputs]
        facts = {
            "machine": CLASSES[disk.hr_class - 1][0] if disk.hr_class else "-",
            "computes": f"{disk.queue[0].text}, work unit {disk.queue[0].unit}" if disk.queue else "-",
            "waiting": str(max(0, len(disk.queue) - 1)),
            "to report": str(len(outputs)),
            "computed": str(self.computed),
            "submitted": ", ".join(f"{s.text} {s.done}/{s.units}" for s in disk.submitted.values()) or "-",
        }
        return Beliefs(known, facts)


def shares_of(text: str) -> tuple[float, ...]:
    """The share of each project, 0 to 1, from a text such as "2:1". Raises InputError for any other text."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if not 0 < len(numbers) <= PROJECTS_MOST or not all(0 < one < 1e6 for one in numbers):
        raise InputError(f'shares should be 1 to {PROJECTS_MOST} numbers above 0 such as 2:1, not "{text[:40]}"')
    return tuple(one / sum(numbers) for one in numbers)


def project_label(at: int) -> str:
    """The label of one of several projects; at: its place among the shares, from 0 on."""
    return f"project{at + 1}"


def drawn_class(rng: Rng) -> int:
    """A class of machine, from 1 on."""
    left = rng.random()
    for number, (_, share) in enumerate(CLASSES, 1):
        left -= share
        if left < 0:
            return number
    return len(CLASSES)


def wrong_answer(key: int) -> int:
    """The answer that all hosts return which cheat alike, or are wrong by mistake. It is odd, and right ones are
    even."""
    return right_answer(key, 0) | 1


def backoff_s(failures: int, rng: Rng) -> float:
    """How long a server that does not answer is not called, in s of the project: drawn from a minute to e^n seconds,
    where n is `failures`; at most four hours (`client/client_state.h`, calculate_exponential_backoff)."""
    # Rounded, as the last bit of an exponential differs between machines.
    most_s = min(max(round(math.exp(min(failures, 20)), 3), FAILED_S), FAILED_MOST_S)
    return rng.uniform(FAILED_S, most_s)
