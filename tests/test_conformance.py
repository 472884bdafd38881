"""Every network passes every conformance check, and each check detects the network that was broken for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from broken.calling import Calling, Closer, Leaker, Stammerer, Tardy
from broken.chatters import Chatterer
from broken.components import Borrower, Caller, Clutcher, Composed, Drifter, Fickle, Stumbler, Unpicklable
from broken.founds import Founder
from broken.freezes import Frozen
from broken.grows import Clerk, Hoarder, Recorder, Squarer
from broken.guesses import Guesser, Idler
from broken.haunts import Ghost
from broken.keeps_host import Keeper
from broken.lingers import Lingerer
from broken.misreports import Backslider, Busybody, Holdout, Overdoer, Retractor
from broken.places import Narrow, Unplaced
from broken.reads_clock import Punctual
from broken.recovers import Bulky, Counter, Deaf, Deserted, Divider
from broken.rewrites import Rewriter
from broken.shares_memory import Telepath
from broken.shows import Mistyped, Nameless, Overfull, Sly, Stranger, Undeclared, Vain, Wordy
from broken.sound import Sound
from broken.trusts import Truster
from broken.units import Hasty
from broken.walks_set import Walker
from walks import Walking

from engine import InputError, Peer, PeerFailed, networks, registry
from engine.lab.conformance import ASKS, CHECKS, ITEMS_MOST, OF_ROLES, Variant, collected, traffic, variants
from engine.lab.conformance.attacked import ATTACKS

pytestmark = pytest.mark.uncounted

NETWORKS, FAULTS = collected({file: partial(registry.programs_in, file) for file in registry.files()})


def called(network: Variant) -> str:
    return "-".join((network.program.name, *(f"{name}={value}" for name, value in network.options.items())))


def test_every_network_and_every_role_is_checked() -> None:
    assert not FAULTS
    assert sorted(network.program.name for network in NETWORKS if not network.options) == list(networks())
    fleet = next(network for network in NETWORKS if called(network) == "web-servers=3")
    assert [program.role for program in fleet.programs()] == ["client", "balancer", "server"]


@pytest.mark.parametrize(
    ("network", "check"),
    [(network, check) for network in NETWORKS for check in (OF_ROLES if network.options else CHECKS)],
    ids=lambda value: value if isinstance(value, str) else called(value),
)
def test_a_network_conforms(network: Variant, check: str) -> None:
    CHECKS[check](network)


@pytest.mark.parametrize("network", NETWORKS, ids=called)
def test_the_traffic_of_a_network_is_measured(network: Variant, record_property: Callable[[str, object], None]) -> None:
    """Printed at the end of a run of the tests, see `conftest.pytest_terminal_summary`."""
    told = traffic(network)
    assert told.asked[0] > told.idle[0], "asks send messages"
    record_property("traffic", f"{called(network):<24} {told.line()}")


def test_a_network_that_sends_more_has_a_higher_figure() -> None:
    assert traffic(Variant(Chatterer)).idle[0] > 10 * traffic(Variant(Sound)).idle[0]


def test_a_network_that_cannot_be_collected_does_not_keep_others_from_being_checked() -> None:
    def broken() -> dict[str, type[Peer]]:
        raise ImportError("no module named broken")

    found, faults = collected(
        {"broken": broken, "rest": lambda: {"unplaced": Unplaced, "sound": Sound}, "one": lambda: {"narrow": Narrow}}
    )
    assert faults == {"broken": "ImportError: no module named broken", "unplaced": "ValueError: where to?"}
    assert [(network.program, network.options) for network in found] == [
        (Sound, {}),
        (Narrow, {}),
        (Narrow, {"helpers": 2}),
    ]


def test_a_variant_is_within_the_limits_of_its_option() -> None:
    CHECKS["answers"](list(variants(Narrow))[-1])


def test_a_ledger_may_grow_in_proportion() -> None:
    assert 2 * ASKS[-1] > ITEMS_MOST, "one kept for each ask of the long run is too many"
    CHECKS["forgets"](Variant(Recorder))


@pytest.mark.parametrize("check", CHECKS)
def test_the_correct_network_beside_the_broken_ones_conforms(check: str) -> None:
    CHECKS[check](Variant(Sound))


OF_COMPONENTS = ["answers", "survives_trouble", "keeps_no_host", "lives_on_as_a_copy", "starts_alike", "acts"]


@pytest.mark.parametrize("check", OF_COMPONENTS)
def test_a_correct_network_with_a_component_two_programs_and_verbs_conforms(check: str) -> None:
    CHECKS[check](Variant(Composed))


@pytest.mark.parametrize(
    "check", ["answers", "survives_nonsense", "survives_trouble", "forgets", "survives_exodus", "acts"]
)
def test_a_network_of_a_hundred_lines_with_parts_of_the_kit_conforms(check: str) -> None:
    """The network of random walks, whose neighbours and pair of verbs come from the kit."""
    CHECKS[check](Variant(Walking))


@pytest.mark.parametrize(
    "check",
    [
        *("answers", "late_answers", "calls_end", "keeps_no_host", "survives_nonsense", "survives_trouble"),
        *("lives_on_as_a_copy", "ends_when_it_stops", "forgets"),
    ],
)
def test_the_correct_network_of_calls_conforms(check: str) -> None:
    CHECKS[check](Variant(Calling))


@pytest.mark.parametrize(
    ("program", "check", "says"),
    [
        (Keeper, "keeps_no_host", "a program holds a Spy of the engine"),
        (Punctual, "reads_no_clock", "imports time"),
        (Walker, "walks_no_set", "goes through a set"),
        (
            Hasty,
            "means_what_it_says",
            r"host.after\(5, ...\): the delay is in microseconds; host.after_s takes seconds",
        ),
        (Rewriter, "leaves_messages_alone", "became"),
        (Hoarder, "forgets", "the programs grew from"),
        (Clerk, "forgets", "holds 2400 items"),
        (Squarer, "forgets", "the programs grew from"),
        (Guesser, "answers", "nobody found anything"),
        (Idler, "answers", 'asks with the goal "fetch" are not answered, nor does host.failed or verdict say why: '),
        (Frozen, "answers", "what was published is not to be found"),
        (Ghost, "ends_when_it_stops", "sent Hello when it was no more"),
        (Chatterer, "is_calm", "for nothing"),
        (Telepath, "lives_on_as_a_copy", "was changed by the run"),
        (Truster, "survives_nonsense", "index out of range"),
        (Lingerer, "ends_when_it_stops", "set a timer while it said goodbye"),
        (Busybody, "tells_the_truth_of_asks", "told a hit of ask"),
        (Backslider, "tells_the_truth_of_asks", "told 1 after 2.0 of 3"),
        (Overdoer, "tells_the_truth_of_asks", "told that 4 of 3 are done"),
        (Retractor, "tells_the_truth_of_asks", "took back a hit"),
        (Holdout, "tells_the_truth_of_asks", r"keeps ask \d+ open after 3600 s"),
        (Unpicklable, "keeps_no_host", "a program cannot be pickled"),
        (Clutcher, "keeps_no_host", "a program holds a ComponentHost of the engine"),
        (Drifter, "starts_alike", "#0 starts otherwise each time"),
        (Borrower, "starts_alike", "converge drew from the stream of #0"),
        (Caller, "starts_alike", "Caller.converge sent a message"),
        (Fickle, "starts_alike", "cast gives other programs each time"),
        (Stumbler, "acts", "failed on look-up: KeyError: 1000"),
        (Founder, "survives_sybil", "list index out of range"),
        (Founder, "survives_crowd", "list index out of range"),
        (Tardy, "late_answers", "acted on a These when its call had ended"),
        (Leaker, "calls_end", "s for an answer to a Who"),
        (Stammerer, "calls_end", "answered a Who 2 times"),
        (Closer, "keeps_no_host", "the context of a Who is no plain data"),
        (Vain, "shows_what_is_so", "a shown column that depends on who looks"),
        (Sly, "shows_what_is_so", "depends on who looks: it changed the peer"),
        (Wordy, "shows_what_is_so", "failed on shown: Wordy.shown returned 3 values for 2 columns"),
        (Mistyped, "shows_what_is_so", 'column "friends" should be a number, not str'),
        (Overfull, "shows_what_is_so", "is no share in the column full"),
        (Undeclared, "shows_what_is_so", "'bored' is no category in the column mood"),
        (Stranger, "shows_what_is_so", "on nobody's link"),
        (Deaf, "survives_trouble", "when all is well again it does not recover"),
        (Deserted, "survives_exodus", "when the attack is over and all is well again it does not recover"),
        (Bulky, "lives_with_thin_lines", "over thin lines nobody finds anything"),
        (Divider, "survives_any_option", "ZeroDivisionError"),
        (Counter, "repeats", "the same run went differently"),
        (Nameless, "shows_what_is_so", "a role is a word that can be shown, and this one is empty"),
    ],
)
def test_each_check_detects_its_broken_network(program: type[Peer], check: str, says: str) -> None:
    with pytest.raises((AssertionError, InputError, PeerFailed), match=says):
        CHECKS[check](Variant(program))


@pytest.mark.parametrize("check", ["answers", "survives_trouble", *(check.__name__ for check in ATTACKS)])
def test_a_fault_with_newcomers_is_detected_only_where_there_are_some(check: str) -> None:
    if check in ("survives_trouble", "survives_sybil", "survives_eclipse", "survives_crowd"):
        with pytest.raises(PeerFailed, match="Hello: IndexError"):
            CHECKS[check](Variant(Founder))
    else:
        CHECKS[check](Variant(Founder))
