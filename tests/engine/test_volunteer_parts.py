"""Work units and results of BOINC, without a network."""

from __future__ import annotations

from random import Random

import pytest

from engine.protocols.volunteer.workunits import (
    Assimilation,
    Reputation,
    Result,
    ResultOutcome,
    ServerState,
    Validity,
    WorkUnit,
    WorkUnitError,
)

DAY_US = 86_400_000_000
ALLOWED = {
    ServerState.UNSENT: {ServerState.UNSENT, ServerState.IN_PROGRESS, ServerState.OVER},
    ServerState.IN_PROGRESS: {ServerState.IN_PROGRESS, ServerState.OVER},
    ServerState.OVER: {ServerState.OVER},
}


def unit(quorum: int = 2, total: int = 10) -> WorkUnit:
    return WorkUnit(1, 7 * DAY_US, quorum, quorum, max_errors=3, max_total=total, max_success=6)


def run(work: WorkUnit, error: float, no_reply: float, rng: Random) -> WorkUnit:
    """Hosts that err alike, or do not answer, until the work unit is over."""
    now_us = 0
    while not work.over:
        work.transition(now_us)
        for one in work.results:
            if one.state is ServerState.UNSENT:
                work.send(one, one.number, now_us)
                if rng.random() >= no_reply:
                    work.report(one, 0 if rng.random() < error else 7)
        if work.needs_validation():
            work.validate()
        now_us += 8 * DAY_US
    work.transition(now_us)
    return work


def test_two_that_agree_make_a_canonical_result_and_the_third_is_not_needed() -> None:
    work = unit()
    first, second = work.transition(0)
    for one in (first, second):
        work.send(one, one.number, 0)
        work.report(one, 42)
    assert work.needs_validation()
    assert [one.validity for one in work.validate()] == [Validity.VALID] * 2
    assert work.transition(1) == []
    assert (work.canonical, work.assimilate(), work.assimilate()) == (0, True, False)


def test_two_that_differ_are_inconclusive_and_a_third_decides() -> None:
    work = unit()
    for one, answer in zip(work.transition(0), (42, 43), strict=True):
        work.send(one, one.number, 0)
        work.report(one, answer)
    assert work.validate() == []
    (third,) = work.transition(0)
    work.send(third, 9, 0)
    work.report(third, 43)
    work.validate()
    assert [one.validity for one in work.results] == [Validity.INVALID, Validity.VALID, Validity.VALID]


def test_a_result_past_its_deadline_is_sent_out_again_and_may_still_come() -> None:
    work = unit()
    first, second = work.transition(0)
    work.send(first, 1, 0)
    work.send(second, 2, 0)
    work.report(second, 42)
    (again,) = work.transition(8 * DAY_US)
    assert (first.outcome, again.number) == (ResultOutcome.NO_REPLY, 2)
    assert work.report(first, 42)
    work.validate()
    work.transition(8 * DAY_US)
    assert again.outcome is ResultOutcome.DIDNT_NEED


def test_too_many_errors_or_results_end_it() -> None:
    work = unit()
    for _ in range(5):
        for one in work.transition(0):
            work.send(one, one.number, 0)
            work.report(one, None)
    assert work.errors & WorkUnitError.TOO_MANY_ERROR_RESULTS
    assert work.assimilation is Assimilation.READY
    few = unit(total=2)
    for one in few.transition(0):
        few.send(one, one.number, 0)
    few.transition(8 * DAY_US)
    assert few.errors == WorkUnitError.TOO_MANY_TOTAL_RESULTS


@pytest.mark.parametrize(("error", "no_reply"), [(0.1, 0.0), (0.2, 0.0), (0.0, 0.3), (0.1, 0.2)])
def test_wrong_results_and_results_a_work_unit_are_what_the_formulas_say(error: float, no_reply: float) -> None:
    rng, tries = Random(7), 3_000
    done = [run(unit(total=60), error, no_reply, rng) for _ in range(tries)]
    wrong = sum(one.results[one.canonical].answer == 0 for one in done) / tries
    expected = 3 * error**2 - 2 * error**3
    assert abs(wrong - expected) <= 4 * (expected * (1 - expected) / tries) ** 0.5
    sent = [sum(each.host >= 0 for each in one.results) for one in done]
    mean = sum(sent) / tries
    deviation = (sum((one - mean) ** 2 for one in sent) / tries) ** 0.5
    assert abs(mean - (2 + 2 * error * (1 - error)) / (1 - no_reply)) < 4 * deviation / tries**0.5


@pytest.mark.parametrize("seed", range(4))
def test_states_change_only_as_the_source_says(seed: int) -> None:
    rng = Random(seed)
    for _ in range(60):
        work, now_us = unit(rng.choice((1, 2, 3)), rng.choice((2, 5, 12))), 0
        before: dict[int, ServerState] = {}
        for _ in range(60):
            now_us += rng.randrange(2 * DAY_US)
            one: Result | None = rng.choice(work.results) if work.results else None
            act = rng.randrange(4)
            if act == 0:
                work.transition(now_us)
            elif act == 1 and one is not None and one.state is ServerState.UNSENT:
                work.send(one, rng.randrange(50), now_us)
            elif (
                act == 2
                and one is not None
                and one.host >= 0
                and one.outcome in (ResultOutcome.INIT, ResultOutcome.NO_REPLY)
            ):
                work.report(one, rng.choice((None, 1, 2)))
            elif act == 3 and work.needs_validation():
                work.validate()
            for each in work.results:
                assert each.state in ALLOWED[before.get(each.number, each.state)]
                before[each.number] = each.state
                assert (each.state is ServerState.OVER) == (each.outcome is not ResultOutcome.INIT)
            assert len(work.results) <= work.max_total
            if work.canonical >= 0:
                right = work.results[work.canonical]
                agree = [each for each in work.results if each.answer == right.answer and each.validity]
                assert len([each for each in agree if each.outcome is ResultOutcome.SUCCESS]) >= work.min_quorum


def test_a_host_is_trusted_after_ten_valid_results_and_an_invalid_one_resets_it() -> None:
    host = Reputation()
    for _ in range(9):
        host.judged(valid=True)
    assert host.trusted_share() == 0.0
    host.judged(valid=True)
    assert host.trusted_share() == 0.9
    host.judged(valid=False)
    assert host.trusted_share() == 0.0


def test_what_came_back_of_a_work_unit_that_failed_is_not_checked() -> None:
    work = unit()
    first, second = work.transition(0)
    for one in (first, second):
        work.send(one, one.number, 0)
    work.report(first, 42)
    work.cancel()
    assert work.transition(1) == []
    assert (work.errors, first.validity) == (WorkUnitError.CANCELLED, Validity.NO_CHECK)
    assert work.assimilate()
    assert not work.report(second, 42)
    assert second.validity is Validity.TOO_LATE


def test_errors_alone_let_another_class_of_machine_try_and_a_detached_host_cannot_report() -> None:
    work = unit()
    first, second = work.transition(0)
    for one in (first, second):
        work.send(one, one.number, 0)
    work.hr_class = 3
    work.report(first, None)
    work.transition(0)
    assert work.hr_class == 3, "one is in progress"
    work.detach(second)
    assert len(work.transition(0)) == 1
    assert (work.hr_class, second.outcome) == (0, ResultOutcome.CLIENT_DETACHED)
    with pytest.raises(ValueError, match="reported before"):
        work.report(second, 42)
    with pytest.raises(ValueError, match="never sent"):
        work.report(work.results[-1], 42)


def test_a_result_that_cannot_be_sent_ends_its_work_unit() -> None:
    work = unit()
    first, second = work.transition(0)
    work.could_not_send(first)
    work.transition(0)
    assert work.errors == WorkUnitError.COULDNT_SEND
    assert (first.outcome, second.outcome) == (ResultOutcome.COULDNT_SEND, ResultOutcome.DIDNT_NEED)


def test_what_was_not_compared_does_not_count_for_trust() -> None:
    host = Reputation()
    for _ in range(10):
        host.judged(valid=True)
    host.judged(valid=True, replicated=False)
    assert (host.valid, host.trusted_share(), host.trusted_share(after=11)) == (10, 0.9, 0.0)
