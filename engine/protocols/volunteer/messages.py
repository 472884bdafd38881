"""Messages and options of volunteer computing.

The messages are those of BOINC's scheduler requests, file transfers and remote job submission, with only those fields
that have an effect here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...api import Blob, message, option

DAY_S = 86_400.0
REFERENCE_GFLOPS = 1.87
"""The machine that `work_h` is given for: the mean of `engine.world.machines`."""


@message(part="question", about="text")
class Submit:
    """Make a batch of work units of this name."""

    text: str

    def without(self, word: str) -> Submit:
        """A batch without a name, which is declined."""
        return Submit("")


@message(part="answer")
class Submitted:
    """The batch was made and has a number, or 0 if it was declined; `why`: the reason."""

    batch: int
    units: int
    why: str


@message(part="question")
class Query:
    """How far is a batch?"""

    batch: int


@message(part="notice")
class Status:
    """How many work units of a batch are done, and how many have failed, of `units`; that is 0 if the project does not
    know the batch."""

    batch: int
    done: int
    failed: int
    units: int


@dataclass(frozen=True, slots=True)
class ResultReport:
    """What became of a result at its host. `answer` stands for the output file; `failed`: the program crashed."""

    unit: int
    result: int
    answer: int
    failed: bool


@message()
class WorkRequest:
    """A scheduler request. `wanted_s`: processor time that is wanted, 0 for none; `queued_s`: that of the work in the
    host's queue; both in s of the project, see `day_s`. Then the machine, and the results that have been uploaded."""

    wanted_s: float
    queued_s: float
    gflops: float
    memory_mb: int
    hr_class: int
    reports: tuple[ResultReport, ...]


@message()
class WorkReply:
    """The scheduler's answer; its tasks come as messages of their own. `valid`, `invalid`, `credit`, `recent` and
    `trusted` are what the project's web site says of this host; `judged`: its results that were compared since the last
    answer, as (work unit, result, whether it is valid)."""

    tasks: int
    valid: int
    invalid: int
    credit: float
    recent: float
    trusted: bool
    judged: tuple[tuple[int, int, bool], ...]


@message(part="transfer", about="text")
class Task:
    """A result to compute, with its input file. `key` is what is computed from; `deadline_us` is in virtual time."""

    unit: int
    result: int
    text: str
    key: int
    gflop: float
    deadline_us: int
    data: Blob


@message(part="transfer")
class Upload:
    """The output file of a result."""

    unit: int
    result: int
    data: Blob


@message()
class Stored:
    """The output file has come."""

    unit: int
    result: int


@message()
class Detach:
    """The host leaves the project; what it has is not computed."""


@dataclass(slots=True)
class VolunteerOptions:
    """Times are those of the project: one of its days takes `day_s` of virtual time."""

    day_s: float = option(
        60.0, "what a day of the project takes; 86400 for true times, in s of virtual time", low=1.0, high=86_400.0,
        fixed=True,
    )  # fmt: skip
    shares: str = option(
        "1", "parts of the processor time that projects get: 2:1 makes two of them", example="2:1", fixed=True
    )
    batch_units: int = option(5, "work units of a batch", low=1, high=1_000_000, unit="units")
    work_h: float = option(8.0, "processor time of a work unit on a machine of 1.87 GFLOPS, in h", low=0.01, high=1_000)
    input_kb: float = option(350.0, "input file of a work unit (SETI@home), in KB of 1,000", low=0.0, high=1e6)
    output_kb: float = option(30.0, "output file of a result, in KB of 1,000", low=0.0, high=1e6)
    needs_mb: int = option(100, "memory that a work unit needs", low=0, high=1_000_000, unit="MB")
    quorum: int = option(2, "results that have to agree", low=1, high=20, unit="results")
    redundancy: int = option(2, "results made at first, at least the quorum", low=1, high=20, unit="results")
    max_errors: int = option(3, "results of a work unit that may fail", low=0, high=100, unit="results")
    max_total: int = option(10, "results of a work unit of all kinds", low=1, high=1_000, unit="results")
    max_success: int = option(6, "results of a work unit that may come back", low=1, high=1_000, unit="results")
    deadline_days: float = option(7.0, "when a result is due, in days after it was sent", low=0.01, high=1_000)
    adaptive: bool = option(False, "trusted hosts compute alone (adaptive replication)")
    trusted_after: int = option(10, "valid results in a row until a host may be trusted", low=2, high=1_000)
    same_class: bool = option(False, "all results of a work unit go to one class of machine (homogeneous redundancy)")
    unstable: bool = option(False, "right answers differ between classes of machines")
    feeder: int = option(100, "results that the scheduler chooses from (BOINC's shared memory)", low=1, high=10_000)
    units_most: int = option(1_000, "work units that a project takes at a time", low=1, high=100_000_000)
    buffer_days: float = option(0.1, "a host asks for work when it has less than this, in days", low=0.0, high=100.0)
    extra_days: float = option(0.5, "work that it then asks for beyond that, in days", low=0.0, high=100.0)
    report_h: float = option(1.0, "how long an uploaded result may wait to be reported, in h", low=0.0, high=1_000)
    checkpoint_s: float = option(60.0, "a program writes its state so often, in s", low=0.0, high=86_400.0)
    mistakes: float = option(0.0, "share of results that come out wrong by mistake, all alike", low=0.0, high=1.0)
    crashes: float = option(0.0, "share of results whose program crashes", low=0.0, high=1.0)
    vanish: float = option(0.0, "share of results that never come back", low=0.0, high=1.0)
    timeout_s: float = option(30.0, "how long a host waits for the server, in s of virtual time", low=0.1, high=250.0)
    patience_days: float = option(14.0, "a batch that is not done by then is given up, in days", low=0.1, high=1_000)


MASK = (1 << 62) - 1


def scaled_us(options: VolunteerOptions, days: float) -> int:
    """Days of the project, in us of virtual time."""
    return int(days * options.day_s * 1e6)


def gflop_of(options: VolunteerOptions) -> float:
    """The computation of a work unit, in 10**9 floating-point operations."""
    return options.work_h * 3_600 * REFERENCE_GFLOPS


def right_answer(key: int, hr_class: int) -> int:
    """What an honest machine of a class computes from an input; class 0 if all classes compute the same. It is an even
    number, and odd numbers are wrong."""
    mixed = ((key & MASK) * 0x9E3779B97F4A7C15 + (hr_class << 1)) & MASK
    return (mixed ^ mixed >> 29) & ~1


def is_right(key: int, answer: int) -> bool:
    """Whether an answer is what an honest machine of some class computes."""
    return any(answer == right_answer(key, hr_class) for hr_class in range(len(CLASSES) + 1))


CLASSES = (
    ("Windows on Intel", 0.55),
    ("Windows on AMD", 0.25),
    ("Linux", 0.10),
    ("Mac on PowerPC", 0.05),
    ("Mac on Intel", 0.05),
)
"""Classes of machines that compute alike (BOINC's coarse homogeneous redundancy: operating system and processor), with
their shares of all hosts: our own, for about 2006. They are numbered from 1 on."""
