"""The skype network: single machines, then small swarms."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from tiny import run_for

from engine import (
    AskFor,
    Censor,
    FakeHost,
    Kill,
    Line,
    LinkSpec,
    NatKind,
    Noted,
    Revive,
    Setup,
    Swarm,
    can_meet,
)
from engine.kit import relay_share
from engine.protocols.skype import (
    DIRECT,
    FIRST_ROUND,
    PUNCHED,
    RELAYED,
    REVERSED,
    Client,
    SkypeOptions,
)
from engine.protocols.skype.login import LoginServer
from engine.protocols.skype.messages import (
    Answer,
    Attach,
    Attached,
    Card,
    Find,
    LoggedIn,
    Login,
    LoginLater,
    NoPlace,
    Promote,
    Ring,
)

SECOND = 1_000_000
LOGIN, BUILT_IN = 50, 51


def machine(nat: NatKind = NatKind.OPEN, **options: Any) -> tuple[FakeHost, Client]:
    """A client that has started, and logged in."""
    fake, one = FakeHost(me=0, options=SkypeOptions(built_in=1, **options)), Client()
    fake.line = Line(nat=nat)
    fake.start(one, contacts=(LOGIN, BUILT_IN))
    one.certified = True
    return fake, one


def card(user: int, nat: NatKind = NatKind.OPEN, node: int = 9) -> Card:
    return Card(user, f"user{user}", f"user{user}", int(nat), node, True)


def attach(user: int, able: bool = False) -> Attach:
    nat = NatKind.OPEN if able else NatKind.SYMMETRIC
    return Attach(f"user{user}", int(nat), able, (f"song {user}",), ())


# --- one machine -------------------------------------------------------------------------------------------------


def test_a_full_super_node_names_others_and_makes_a_newcomer_one_that_can_be_one() -> None:
    fake, one = machine(clients=2)
    one.become_super(fake)
    one.learn(fake, (7, 8))
    for user in (1, 2):
        fake.give_request(one, attach(user), sender=user)
    assert [type(answer) for _, answer in fake.replies] == [Attached, Attached]
    assert fake.linked[-2:] == [1, 2]
    fake.give_request(one, attach(3, able=True), sender=3)
    answer = fake.replies[-1][1]
    assert isinstance(answer, NoPlace)
    assert not answer.stopped
    assert set(answer.nodes) == {7, 8}
    assert [(call.to, call.request) for call in fake.calls if isinstance(call.request, Promote)] == [(3, Promote())]


def test_with_more_logins_than_it_bears_it_leaves_and_comes_back_later() -> None:
    fake, one = machine(logins_per_s=0.2, backoff_s=100.0)
    one.become_super(fake)
    for user in (1, 2):
        fake.give_request(one, attach(user), sender=user)
    assert fake.role == "super node"
    fake.give_request(one, attach(3), sender=3)
    assert fake.role == "client"
    assert not one.entries
    assert set(fake.unlinked) == {1, 2}
    assert not one.able(fake)
    fake.now_us += 100 * SECOND
    assert one.able(fake)


def test_only_a_public_address_and_a_fast_line_make_a_super_node() -> None:
    for line, able in ((Line(), True), (Line(64, 64), False), (Line(512, 512), True)):
        fake, one = machine()
        fake.line = line
        assert one.able(fake) == able
    for nat in NatKind:
        fake, one = machine(nat)
        assert one.able(fake) == (nat == NatKind.OPEN)


def test_the_login_server_lets_in_as_many_as_it_should() -> None:
    fake, server = FakeHost(me=LOGIN, options=SkypeOptions(admit_per_s=2.0)), LoginServer()
    let_in = 0
    for _ in range(100):
        fake.give_request(server, Login("user1"), sender=1)
        let_in += isinstance(fake.replies[-1][1], LoggedIn)
        assert isinstance(fake.replies[-1][1], LoggedIn | LoginLater)
        fake.now_us += SECOND // 10
    assert abs(let_in - 2 * 10) <= 3
    fake.options.admit_per_s = 0.0
    fake.give_request(server, Login("user1"), sender=1)
    assert isinstance(fake.replies[-1][1], LoggedIn)


def test_a_search_asks_four_then_eight_then_sixteen() -> None:
    fake, one = machine()
    one.become_super(fake)
    one.learn(fake, range(100, 128))
    fake.calls.clear()
    fake.ask(one, ask("user77"))
    asked = []
    for rounds in range(3):
        calls = [call for call in fake.calls if isinstance(call.request, Find) and not call.over]
        assert len(calls) == FIRST_ROUND * 2**rounds
        asked += [call.to for call in calls]
        for call in calls:
            fake.time_out(one, call)
            one.learn(fake, (call.to,))
    assert len(set(asked)) == len(asked) == 28
    assert fake.noted("failed") == [{"why": "no super node knows of one"}]


@pytest.mark.parametrize("mine", NatKind)
def test_the_kind_of_a_call_follows_from_both_nats(mine: NatKind) -> None:
    for other in NatKind:
        for punching in (True, False):
            fake, one = machine(mine, punching=punching)
            way = one.way_to(fake, card(1, other))
            if other == NatKind.OPEN:
                assert way == DIRECT
            elif mine == NatKind.OPEN:
                assert way == REVERSED
            else:
                assert way == (PUNCHED if punching and can_meet(mine, other) else RELAYED)


def test_senseless_messages_change_nothing() -> None:
    fake, one = machine()
    one.become_super(fake)
    fake.give_request(one, Attach("x" * 10_000, 0, True, (), ()), sender=1)
    fake.give_request(one, Attach("x", 77, True, (), ()), sender=1)
    assert not one.entries
    fake.give_request(one, Ring(1, 0, 5, 77, DIRECT, -1), sender=5)
    fake.give_request(one, Ring(1, 0, 5, 0, "by pigeon", -1), sender=5)
    fake.give_request(one, Ring(1, 0, 0, 0, DIRECT, -1), sender=5)
    assert not one.sessions
    assert not any(answer.taken for _, answer in fake.replies[-3:])


def test_a_called_user_that_hangs_up_before_the_relay_answers_is_not_called_the_caller() -> None:
    fake, one = machine()
    fake.give_request(one, Ring(1, 0, 5, int(NatKind.OPEN), RELAYED, 7), sender=5)
    assert not fake.replies
    fake.act(one, "hang_up")
    assert [answer for _, answer in fake.replies] == [Answer(False, "the other ended the call")]


def ask(text: str) -> Any:
    from engine import Ask

    return Ask(1, "call", text)


# --- swarms ------------------------------------------------------------------------------------------------------


def swarm(nat: str | float = "usual", peers: int = 24, seed: int = 3, **options: object) -> Swarm:
    links = LinkSpec(nat=nat)
    made = Swarm(Setup("skype", peers, seed, latency="constant:20", asks_per_s=0.0, options=options, links=links))
    made.advance(SECOND)
    return made


def buddies_of(made: Swarm, user: int) -> dict[int, bool]:
    """Each buddy on the list of a user, and whether the user believes that the buddy is on line."""
    program = made.peer(user)
    assert isinstance(program, Client)
    return {one: online for one, (_, online) in program.buddies.items()}


def ways(made: Swarm) -> Counter[str]:
    return Counter(each.facts["way"] for each in made.events() if isinstance(each, Noted) and each.kind == "call")


@pytest.mark.parametrize("punching", [True, False])
def test_as_many_calls_are_relayed_as_the_formula_says(punching: bool) -> None:
    made = swarm("full:0.1,port:0.3,symmetric:0.3,blocked:0.1", 40, call_s=1.0, relayed_most=1_000, punching=punching)
    kinds = made.snapshot().fixed.nat[:40].tolist()
    pairs = [(a, (a + step) % 40) for a in range(40) for step in (1, 7, 16)]
    for a, b in pairs:
        made.do(AskFor(a, f"user{b}"))
    run_for(made, 15)
    assert all(row.hits for row in made.asks())
    apart = sum(
        not can_meet(NatKind(kinds[a]), NatKind(kinds[b])) if punching else bool(kinds[a] and kinds[b])
        for a, b in pairs
    )
    assert ways(made)[RELAYED] == apart > 0
    [theory] = made.theory(1)
    shares = {NatKind(kind): count / 40 for kind, count in Counter(kinds).items()}
    expected = relay_share(shares, punching)
    assert theory.value == pytest.approx(expected)
    assert abs(apart / len(pairs) - expected) < 4 * (expected * (1 - expected) / len(pairs)) ** 0.5


def test_the_formula_is_that_of_the_specification() -> None:
    o, f, a, p, s, b = 0.25, 0.12, 0.06, 0.43, 0.10, 0.04
    kinds = (NatKind.FULL_CONE, NatKind.ADDRESS_RESTRICTED, NatKind.PORT_RESTRICTED, NatKind.SYMMETRIC)
    shares = dict(zip((*kinds, NatKind.UDP_BLOCKED), (f, a, p, s, b), strict=True))
    assert relay_share(shares) == pytest.approx(s * s + 2 * s * p + b * b + 2 * b * (1 - o - b))
    assert relay_share(shares, punching=False) == pytest.approx((1 - o) ** 2)


@pytest.mark.parametrize("takeover", [True, False])
def test_a_call_whose_relay_dies_goes_on_if_another_takes_over(takeover: bool) -> None:
    made = swarm("symmetric:0.6", call_s=20.0, takeover=takeover)
    callers = made.select("nat=symmetric")
    for a, b in pairwise(callers[:5]):
        made.do(AskFor(a, f"user{b}"))
    run_for(made, 8)
    assert ways(made) == {RELAYED: 4}
    relays = made.select("relaying>0")
    assert relays
    made.do(Kill(relays))
    run_for(made, 45)
    verdicts = Counter(row.verdict.partition(":")[2].strip() for row in made.asks())
    if takeover:
        assert verdicts == {"": 4}
        assert all(row.verdict == "They spoke for 20 of 20 s." for row in made.asks())
    else:
        assert verdicts == {"its relay is gone.": 4}
    assert not any(made.peer(one).sessions for one in callers)


def test_users_are_told_who_of_their_list_comes_and_goes() -> None:
    made = swarm(buddies=3)
    user = next(one for one in range(24) if not made.peer(one).super and len(buddies_of(made, one)) == 3)
    fans = list(buddies_of(made, user))
    assert all(buddies_of(made, fan)[user] for fan in fans), "two that know each other are on both lists"
    made.do(Kill(user))
    run_for(made, 2)
    assert not any(buddies_of(made, fan)[user] for fan in fans)
    made.do(Revive(user))
    run_for(made, 12)
    assert all(buddies_of(made, fan)[user] for fan in fans)
    assert buddies_of(made, user) == dict.fromkeys(fans, True), "one that comes is told who is there"


def test_one_that_was_called_knows_the_caller_when_it_comes_again() -> None:
    made = swarm(buddies=0, call_s=2.0)
    caller, callee = [one for one in range(24) if not made.peer(one).super][:2]
    made.do(AskFor(caller, f"user{callee}"))
    run_for(made, 10)
    made.do(Kill(caller))
    run_for(made, 2)
    made.do(Revive(caller))
    run_for(made, 12)
    assert buddies_of(made, callee) == {caller: True}
    assert buddies_of(made, caller) == {callee: True}
    run_for(made, 60)
    made.do(Kill(callee))
    run_for(made, 2)
    assert buddies_of(made, caller) == {callee: False}


def test_a_user_who_has_gone_can_be_found_for_some_time() -> None:
    made = swarm(seen_h=0.1)
    gone = next(p for p in range(24) if not made.peer(p).super)
    made.do(Kill(gone))
    caller = (gone + 1) % 24
    verdicts = []
    for wait in (1, 500):
        run_for(made, wait)
        made.do(AskFor(caller, f"user{gone}"))
        run_for(made, 15)
        verdicts.append(made.asks()[-1].verdict)
    assert verdicts == [
        "No call: who was found is not on line.",
        "No call: no super node knows of one.",
    ]


def test_one_whose_datagrams_are_blocked_finds_calls_and_is_called() -> None:
    made = swarm("blocked:0.5", peers=60, call_s=4.0)
    blocked, others = made.select("nat=blocked"), made.select("nat=no")
    pairs = [(blocked[0], blocked[1]), (blocked[2], others[0]), (others[1], blocked[3]), (blocked[4], blocked[5])]
    for a, b in pairs:
        made.do(AskFor(a, f"user{b}"))
    run_for(made, 20)
    assert [row.verdict for row in made.asks()] == ["They spoke for 4 of 4 s."] * 4
    assert ways(made) == {RELAYED: 2, DIRECT: 1, REVERSED: 1}
    assert made.snapshot().totals.by_kind["Voice"] == 0


def test_the_verdict_says_why_a_call_failed() -> None:
    made = swarm(call_s=20.0)
    login, built_in = made.select('role="login server"')[0], made.select('role="built-in super node"')[0]
    for asker, text in ((login, "user3"), (built_in, "user3"), (3, "user3"), (3, "user99")):
        made.do(AskFor(asker, text))
    run_for(made, 10)
    assert [row.verdict for row in made.asks()] == [
        "No call: a machine of Skype has no user.",
        "No call: a machine of Skype has no user.",
        "No call: it is the name of the user itself.",
        "No call: no super node knows of one.",
    ]


def test_a_call_that_ends_at_once_is_a_call_in_the_verdict() -> None:
    made = swarm(nat=0.0, call_s=20.0)
    caller, callee = [one for one in range(24) if not made.peer(one).super][:2]
    made.do(AskFor(caller, f"user{callee}"))
    run_for(made, 1)
    made.do(Kill(caller))
    run_for(made, 30)
    assert made.asks()[0].verdict == "They spoke for 0 of 20 s; the caller is dead."


def test_two_behind_nats_that_can_be_opened_meet_by_the_help_of_a_super_node() -> None:
    made = swarm("port:0.6", call_s=4.0)
    a, b = made.select("nat=port")[:2]
    made.do(AskFor(a, f"user{b}"))
    run_for(made, 4)
    assert made.paths_of(a) == (((b,), "call, punched"),)
    run_for(made, 8)
    assert made.asks()[0].verdict == "They spoke for 4 of 4 s."
    assert ways(made) == {PUNCHED: 1}
    assert made.paths_of(a) == ()


# --- minimum cuts --------------------------------------------------------------------------------------------------


def calling() -> Swarm:
    swarm = Swarm(Setup(protocol="skype", seed=1, asks_per_s=0.0))
    swarm.advance(10 * SECOND)
    return swarm


def hits_without(silenced: tuple[int, ...], origin: int, text: str, goal: str) -> int:
    """Hits of an ask in a swarm where these are silent, until one client has noticed that its super node is."""
    swarm = calling()
    users = [one for one in swarm.simulation.programs if isinstance(one, Client)]
    before = [one.node for one in users]
    swarm.do(Censor(silenced))
    swarm.do(AskFor(origin, text, goal))
    while not swarm.record(1).hits and swarm.now_us < 60 * SECOND and before == [one.node for one in users]:
        swarm.advance(swarm.now_us + SECOND // 10)
    return swarm.record(1).hits


def askers(swarm: Swarm) -> tuple[int, int]:
    """A client and a super node of users who can be called by others: neither is user9 nor writes "blue train"."""
    users = {p: swarm.peer(p) for p in range(64) if p != 9 and not swarm.library(p).matching("blue train")}
    nodes = [p for p, one in users.items() if isinstance(one, Client) and one.super]
    return next(p for p in users if p not in nodes), nodes[0]


@pytest.mark.parametrize("goal", ["call", "find"])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("text", ["user9", "blue train"])
def test_the_minimum_cut_keeps_a_user_from_being_found_and_one_fewer_does_not(goal: str, which: int, text: str) -> None:
    swarm = calling()
    origin = askers(swarm)[which]
    cut = swarm.min_cut(origin, text, goal)
    assert cut.sentence.startswith("Silencing ")
    assert hits_without(cut.peers, origin, text, goal) == 0
    # Which of several users is called is drawn at random: it may be a silenced one.
    spared = cut.peers if goal == "find" or len(cut.peers) == 1 else ()
    for one in spared:
        assert hits_without(tuple(p for p in cut.peers if p != one), origin, text, goal) > 0


def test_the_minimum_cut_tells_how_long_a_super_node_is_missed() -> None:
    swarm = calling()
    client, _ = askers(swarm)
    program = swarm.peer(client)
    assert isinstance(program, Client)
    cut = swarm.min_cut(client, "user9", "find")
    assert cut.peers == (program.node,)
    assert " until it notices, 68 s later at most, and attaches to another" in cut.sentence
    swarm.do(Censor(cut.peers))
    swarm.advance(swarm.now_us + 68 * SECOND)
    assert program.node not in cut.peers
    swarm.advance(swarm.now_us + 10 * SECOND)
    swarm.do(AskFor(client, "user9", "find"))
    swarm.advance(swarm.now_us + 10 * SECOND)
    assert swarm.record(1).hits == 1


def test_no_other_user_has_a_name_that_nobody_has_or_that_is_the_own_one() -> None:
    swarm = calling()
    for text in ("nobody", "user21"):
        told = swarm.min_cut(21, text).sentence
        assert told.startswith("No user on line who has this name or writes this is up and would answer")


def test_who_writes_the_same_about_itself_still_needs_others_to_call() -> None:
    swarm = calling()
    one = next(p for p in range(64) if swarm.library(p).matching("blue train"))
    cut = swarm.min_cut(one, "blue train")
    assert cut.peers
    assert one not in cut.peers
