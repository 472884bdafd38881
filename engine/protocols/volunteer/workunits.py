"""Work units and their results: the states of BOINC's database, and the daemons that change them.

A work unit is sent out as several results to different hosts. The transitioner makes results, the validator compares
those that came back, the assimilator takes the canonical one. Source: BOINC, `db/boinc_db_types.h`,
`sched/transitioner.cpp`, `sched/validator.cpp`. Names and numbers of the states are those of the source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

HostId = int


class ServerState(IntEnum):
    """`result.server_state`."""

    INACTIVE = 1
    UNSENT = 2
    IN_PROGRESS = 4
    OVER = 5


class ResultOutcome(IntEnum):
    """`result.outcome`, once it is over."""

    INIT = 0
    SUCCESS = 1
    COULDNT_SEND = 2
    CLIENT_ERROR = 3
    NO_REPLY = 4
    DIDNT_NEED = 5
    VALIDATE_ERROR = 6
    CLIENT_DETACHED = 7


class Validity(IntEnum):
    """`result.validate_state`."""

    INIT = 0
    VALID = 1
    INVALID = 2
    NO_CHECK = 3
    INCONCLUSIVE = 4
    TOO_LATE = 5


UNCHECKED = (Validity.INIT, Validity.INCONCLUSIVE)


class WorkUnitError(IntFlag):
    """`workunit.error_mask`."""

    NONE = 0
    COULDNT_SEND = 1
    TOO_MANY_ERROR_RESULTS = 2
    TOO_MANY_SUCCESS_RESULTS = 4
    TOO_MANY_TOTAL_RESULTS = 8
    CANCELLED = 16
    NO_CANONICAL_RESULT = 32


class Assimilation(IntEnum):
    """`workunit.assimilate_state`."""

    INIT = 0
    READY = 1
    DONE = 2


@dataclass(slots=True)
class Result:
    """One copy of a work unit. `answer`: a number in place of the output file that came back."""

    number: int
    host: HostId = -1
    state: ServerState = ServerState.UNSENT
    outcome: ResultOutcome = ResultOutcome.INIT
    validity: Validity = Validity.INIT
    deadline_us: int = 0
    answer: int = 0


@dataclass(slots=True)
class WorkUnit:
    """A work unit with its limits. BOINC's tools have 1 for all of them; with redundancy a project sets quorum 2.

    min_quorum      results that have to agree
    target          results that are aimed at, at least the quorum
    max_errors, max_total, max_success
                    how many results may fail, may be made, and may come back: with more, or if more than `max_total`
                    would be needed, the work unit has failed
    canonical       number of the result that was found right, -1 for none
    hr_class        with homogeneous redundancy: the class of machine of all its results, 0 while none was sent
    batch, key      the batch that it belongs to, and its input, from which each machine computes its answer
    """

    number: int
    delay_bound_us: int
    min_quorum: int = 1
    target: int = 1
    max_errors: int = 1
    max_total: int = 1
    max_success: int = 1
    results: list[Result] = field(default_factory=list)
    canonical: int = -1
    errors: WorkUnitError = WorkUnitError.NONE
    assimilation: Assimilation = Assimilation.INIT
    hr_class: int = 0
    batch: int = 0
    key: int = 0

    @property
    def over(self) -> bool:
        """Whether it has a canonical result or has failed."""
        return self.canonical >= 0 or bool(self.errors)

    def count(self, state: ServerState, outcome: ResultOutcome | None = None) -> int:
        """Results in a state, with an outcome if one is given."""
        return sum(one.state is state and (outcome is None or one.outcome is outcome) for one in self.results)

    # --- scheduler ----------------------------------------------------------------------------------------------

    def send(self, result: Result, host: HostId, now_us: int) -> None:
        """Note that a result is sent to a host. Raises ValueError unless it is unsent."""
        if result.state is not ServerState.UNSENT:
            raise ValueError(f"result {result.number} is {result.state.name}, not UNSENT")
        result.state, result.host = ServerState.IN_PROGRESS, host
        result.deadline_us = now_us + self.delay_bound_us

    def report(self, result: Result, answer: int | None) -> bool:
        """A host reports a result. answer: None if it failed. Returns whether the result counts: also one that comes
        after its deadline does, as long as it can be compared; if the work unit has failed, the result is TOO_LATE.
        Raises ValueError for a result that is not `awaited`."""
        if not self.awaited(result):
            said = "was never sent" if result.host < 0 else "was reported before"
            raise ValueError(f"result {result.number} {said}")
        result.state = ServerState.OVER
        if answer is None:
            result.outcome = ResultOutcome.CLIENT_ERROR
            return False
        result.answer, result.outcome = answer, ResultOutcome.SUCCESS
        if self.assimilation is Assimilation.DONE and self.canonical < 0:
            result.validity = Validity.TOO_LATE
            return False
        return True

    @staticmethod
    def awaited(result: Result) -> bool:
        """Whether its host may still report a result: it was sent, and neither reported nor given back."""
        over = (ResultOutcome.SUCCESS, ResultOutcome.CLIENT_ERROR, ResultOutcome.CLIENT_DETACHED)
        return result.host >= 0 and result.outcome not in over

    def detach(self, result: Result) -> None:
        """Its host has left the project."""
        if result.state is ServerState.IN_PROGRESS:
            result.state, result.outcome = ServerState.OVER, ResultOutcome.CLIENT_DETACHED

    def could_not_send(self, result: Result) -> None:
        """A result is given up, since it is too large for all hosts that asked."""
        result.state, result.outcome = ServerState.OVER, ResultOutcome.COULDNT_SEND
        self.errors |= WorkUnitError.COULDNT_SEND

    def cancel(self) -> None:
        """The project wants the work unit no more. The next transition ends it."""
        if not self.over:
            self.errors |= WorkUnitError.CANCELLED

    # --- transitioner -------------------------------------------------------------------------------------------

    def transition(self, now_us: int) -> list[Result]:
        """Run the transitioner on the work unit. Returns the results that it makes.

        1. results in progress past their deadline are over, without a reply
        2. too many errors end the work unit
        3. results that are missing are made, as far as `max_total` allows
        4. once it is over, unsent results are not needed, and it is ready for the assimilator; if it has failed,
           results that came back are not checked

        With homogeneous redundancy another class of machine is tried if all results so far were errors.
        """
        for one in self.results:
            if one.state is ServerState.IN_PROGRESS and one.deadline_us <= now_us:
                one.state, one.outcome = ServerState.OVER, ResultOutcome.NO_REPLY
        made: list[Result] = []
        if not self.over:
            failed = (ResultOutcome.COULDNT_SEND, ResultOutcome.CLIENT_ERROR, ResultOutcome.VALIDATE_ERROR)
            errors = sum(one.outcome in failed for one in self.results)
            if errors > self.max_errors:
                self.errors |= WorkUnitError.TOO_MANY_ERROR_RESULTS
            successes = self.count(ServerState.OVER, ResultOutcome.SUCCESS)
            if successes > self.max_success:
                self.errors |= WorkUnitError.TOO_MANY_SUCCESS_RESULTS
            unsent, running = self.count(ServerState.UNSENT), self.count(ServerState.IN_PROGRESS)
            if errors and not successes and not running:
                self.hr_class = 0
            needed = self.target - unsent - running - successes
            if needed > 0 and not self.errors:
                allowed = self.max_total - len(self.results)
                if needed > allowed:
                    self.errors |= WorkUnitError.TOO_MANY_TOTAL_RESULTS
                else:
                    made = [Result(len(self.results) + n) for n in range(needed)]
                    self.results += made
        if self.over:
            for one in self.results:
                if one.state is ServerState.UNSENT:
                    one.state, one.outcome = ServerState.OVER, ResultOutcome.DIDNT_NEED
                elif self.errors and one.outcome is ResultOutcome.SUCCESS and one.validity in UNCHECKED:
                    one.validity = Validity.NO_CHECK
            if self.assimilation is Assimilation.INIT:
                self.assimilation = Assimilation.READY
        return made

    # --- validator ------------------------------------------------------------------------------------------------

    def needs_validation(self) -> bool:
        """Whether there is a new result to compare, and either a canonical result or as many results as the quorum."""
        new = any(one.outcome is ResultOutcome.SUCCESS and one.validity is Validity.INIT for one in self.results)
        if not new or self.errors:
            return False
        return self.canonical >= 0 or self.count(ServerState.OVER, ResultOutcome.SUCCESS) >= self.min_quorum

    def validate(self) -> list[Result]:
        """Compare the results that came back. If `min_quorum` of them agree, one of these becomes canonical, and each
        is valid if it agrees with the canonical one, else invalid. Without a quorum all are inconclusive, and one more
        is aimed at. Returns the results that became valid or invalid now."""
        back = [one for one in self.results if one.outcome is ResultOutcome.SUCCESS]
        if self.canonical < 0:
            groups: dict[int, list[Result]] = {}
            for one in back:
                groups.setdefault(one.answer, []).append(one)
            agreed = next((group for group in groups.values() if len(group) >= self.min_quorum), None)
            if agreed is None:
                for one in back:
                    one.validity = Validity.INCONCLUSIVE
                self.target = max(self.target, len(back) + 1)
                return []
            self.canonical = agreed[0].number
        right = self.results[self.canonical].answer
        judged: list[Result] = []
        for one in back:
            if one.validity not in (Validity.VALID, Validity.INVALID):
                one.validity = Validity.VALID if one.answer == right else Validity.INVALID
                judged.append(one)
        return judged

    def assimilate(self) -> bool:
        """Run the assimilator on the work unit. Returns whether it was ready."""
        if self.assimilation is not Assimilation.READY:
            return False
        self.assimilation = Assimilation.DONE
        return True


TRUSTED_AFTER = 10
"""`CONS_VALID_UNREPLICATED` in `sched/sched_config.h`."""


@dataclass(slots=True)
class Reputation:
    """Adaptive replication: how many results of a host were found valid in a row, by comparison with other hosts' ones.

    A host with n valid results, at least `TRUSTED_AFTER`, is trusted with chance 1 - 1/n (`sched_send.cpp`, set_trust);
    its results then need no second one, and do not count here (`validator.cpp`, is_unreplicated). An invalid result,
    and an error, sets n to 0.
    """

    valid: int = 0

    def judged(self, *, valid: bool, replicated: bool = True) -> None:
        """One more result of this host was judged; replicated: there was another to compare it with."""
        if not valid:
            self.valid = 0
        elif replicated:
            self.valid += 1

    def trusted_share(self, after: int = TRUSTED_AFTER) -> float:
        """The chance that a work unit is sent to this host alone. after: valid results in a row that are needed for
        it."""
        return 1.0 - 1.0 / self.valid if self.valid >= max(1, after) else 0.0
