"""The parts of the hash table that need no host: identifiers, k-buckets, the list of a lookup, records, and the tables
of a network that has been running for long."""

from __future__ import annotations

import pickle
import random
from hashlib import sha1

import pytest

from engine.kit import ID_BITS, converged_buckets, is_id, key_of, near, nearest
from engine.protocols.kademlia.lookup import Lookup
from engine.protocols.kademlia.records import TOKEN_PERIOD_US, Records, copy_ttl_us, good_token, token
from engine.protocols.kademlia.table import Contact, RoutingTable
from engine.sim.rng import Stream

SECOND = 1_000_000
SILENT = 900 * SECOND
ME = 0
ME_NODE = Contact(99, 99)


def with_prefix(shared: int, number: int = 1) -> Contact:
    """A contact that shares exactly so many leading bits with the identifier 0."""
    return Contact(1 << (ID_BITS - 1 - shared) | number, 1_000 * shared + number)


def full_of(shared: int, k: int) -> RoutingTable:
    """A table of two buckets or more in which the bucket of this number is full, heard of at 0, 1, ... seconds."""
    table = RoutingTable(Contact(ME, 0))
    for at in range(k):
        assert table.heard(with_prefix(shared, at + 1), at * SECOND, k, SILENT)
    deep = [with_prefix(shared + 1, at + 1) for at in range(k)]
    for one in deep:
        table.heard(one, 0, k, SILENT)
    return table


def test_a_key_is_the_sha1_of_the_words() -> None:
    assert key_of("Blue  Train!") == int(sha1(b"blue train").hexdigest(), 16)
    assert key_of(" - ") is None


def test_an_identifier_near_a_key_shares_so_many_bits_with_it() -> None:
    key = key_of("blue train") or 0
    drawn = [near(key, 40, Stream(f"{seed}")) for seed in range(20)]
    assert all(ID_BITS - (one ^ key).bit_length() >= 40 and is_id(one) for one in drawn)
    assert len(set(drawn)) == 20
    assert near(key, ID_BITS, Stream("x")) == key


def test_only_whole_numbers_of_160_bits_are_identifiers() -> None:
    assert is_id(0)
    assert is_id((1 << 160) - 1)
    assert not any(map(is_id, (-1, 1 << 160, True, 1.0, None, "1")))


def test_a_full_bucket_is_split_only_if_the_own_identifier_is_in_its_range() -> None:
    k, table = 4, RoutingTable(Contact(ME, 0))
    far = [with_prefix(0, number) for number in range(1, 7)]
    for one in far[:4]:
        assert table.heard(one, 0, k, SILENT) == one
    assert len(table.buckets) == 1
    assert table.heard(far[4], 0, k, SILENT) is None, "nobody was silent for long, so nobody is pinged"
    assert [len(bucket.nodes) for bucket in table.buckets] == [4, 0], "the split has made no room: all are far"
    close = [with_prefix(shared, 1) for shared in range(1, 9)]
    for one in close:
        assert table.heard(one, 0, k, SILENT) == one
    assert len(table) == 4 + len(close)
    assert [len(bucket.nodes) for bucket in table.buckets] == [4, 1, 1, 1, 1, 4]
    assert all(one in table for one in (*far[:4], *close))
    assert far[4] not in table


def test_the_least_recently_heard_is_pinged_only_after_a_long_silence() -> None:
    k = 4
    table, newcomer = full_of(0, k), with_prefix(0, 99)
    assert table.heard(newcomer, SILENT - 1, k, SILENT) is None
    oldest = with_prefix(0, 1)
    assert table.heard(newcomer, SILENT, k, SILENT) == oldest
    assert table.heard(with_prefix(0, 98), SILENT, k, SILENT) is None, "one ping of a bucket at a time"
    table.checked(oldest)
    table.heard(oldest, SILENT + 1, k, SILENT)
    assert list(table.buckets[0].nodes) == [with_prefix(0, number) for number in (2, 3, 4, 1)]
    assert list(table.buckets[0].spare or ()) == [newcomer, with_prefix(0, 98)]


def test_a_contact_that_does_not_answer_is_replaced_by_the_latest_of_the_cache() -> None:
    k = 4
    table = full_of(0, k)
    for number in (91, 92):
        table.heard(with_prefix(0, number), 10 * SECOND + number, k, SILENT)
    gone = with_prefix(0, 3)
    table.failed(gone, 20 * SECOND, SECOND, 5)
    assert gone not in table
    assert with_prefix(0, 92) in table
    assert with_prefix(0, 91) not in table
    assert list(table.buckets[0].nodes)[-1] == with_prefix(0, 92), "it was heard of last"


def test_without_a_replacement_a_contact_stays_and_is_left_alone_for_longer_each_time() -> None:
    table = full_of(0, 4)
    one, now = with_prefix(0, 2), 0
    pauses = []
    for _ in range(5):
        table.failed(one, now, SECOND, 5)
        start = now
        while one not in table.closest(one.id, 1, now):
            now += SECOND
        pauses.append((now - start) // SECOND)
        assert one not in table.closest(one.id, 4), "it is not named to others"
    assert pauses == [2, 4, 8, 16, 32]
    assert one in table, "the bucket is not full of others"
    assert table.heard(with_prefix(0, 77), now, 4, SILENT) == with_prefix(0, 77), "a stale contact gives way at once"
    assert one not in table
    other = with_prefix(0, 3)
    table.failed(other, now, SECOND, 5)
    table.heard(other, now, 4, SILENT)
    assert other in table.closest(other.id, 1), "it has been heard of again"


def test_an_identifier_keeps_its_address_while_the_node_there_answers() -> None:
    table = RoutingTable(Contact(ME, 0))
    one = with_prefix(0)
    table.heard(one, 0, 4, SILENT)
    assert table.heard(one._replace(peer=7), 1, 4, SILENT) is None
    assert list(table.contacts()) == [one]
    table.forget(one)
    assert table.heard(one._replace(peer=7), 1, 4, SILENT) == one._replace(peer=7)
    assert table.heard(Contact(ME, 9), 1, 4, SILENT) is None, "it does not have itself as a contact"


@pytest.mark.parametrize("k", [1, 3, 20])
def test_the_closest_are_those_that_sorting_all_would_find(k: int) -> None:
    rng = random.Random(k)
    table = RoutingTable(Contact(rng.getrandbits(160), 0))
    close = [Contact(near(table.me.id, rng.randrange(20), Stream(f"{at}")), at) for at in range(1, 400)]
    for one in close:
        table.heard(one, 0, k, SILENT)
    for failed in list(table.contacts())[::5]:
        table.failed(failed, 0, SECOND, 5)
    known = list(table.contacts())
    living = [one for one in known if one not in table.failures]
    for target in [rng.getrandbits(160) for _ in range(40)] + [
        near(table.me.id, bits, Stream("x")) for bits in range(30)
    ]:
        for count in (1, k, 3 * k):
            by_distance = sorted(living, key=lambda one: one.id ^ target)
            assert table.closest(target, count) == by_distance[:count]
            assert table.closest(target, count, 3 * SECOND) == sorted(known, key=lambda one: one.id ^ target)[:count]


def test_a_bucket_is_due_when_nothing_was_looked_for_in_its_range() -> None:
    table = full_of(0, 4)
    for at in range(len(table.buckets)):
        target = table.draw(at, Stream(f"{at}"))
        assert table.index(target) == at
        table.looked(target, (100 + at) * SECOND)
    assert table.due(161 * SECOND, 60 * SECOND) == [0, 1]


def test_a_table_pickles() -> None:
    table = pickle.loads(pickle.dumps(full_of(0, 4)))
    assert [len(bucket.nodes) for bucket in table.buckets] == [4, 4]


# --- lookup ----------------------------------------------------------------------------------------------------


def lookup(k: int = 4) -> Lookup:
    made = Lookup(1, 0, "node", k, None)
    made.learn([Contact(number, number) for number in range(20, 10, -1)], me=ME_NODE)
    return made


def over(one: Lookup) -> bool:
    return one.next(0, False) is None


def test_in_flight_one_answer_lets_one_more_be_asked_and_a_round_waits_for_all() -> None:
    for rounds in (False, True):
        one = lookup()
        asked = one.next(3, rounds)
        assert [node.id for node in asked] == [11, 12, 13]
        assert one.next(3, rounds) == []
        one.ended(asked[0], True)
        assert [node.id for node in one.next(3, rounds)] == ([] if rounds else [14])
        for node in asked[1:]:
            one.ended(node, True)
        assert [node.id for node in one.next(3, rounds)] == ([14] if rounds else [])
        assert one.rounds == 2


def test_it_is_over_when_the_k_nearest_have_answered_and_one_that_failed_does_not_count() -> None:
    one = lookup(k=2)
    first, second = one.next(2, False)
    one.ended(first, True)
    assert not over(one)
    one.ended(second, False)
    assert not over(one), "the third is one of the two nearest now"
    [third] = one.next(2, True)
    one.ended(third, True)
    assert over(one)
    assert [node.id for node in one.nearest()] == [11, 13]
    assert (one.asked, one.failed) == (3, 1)
    assert not one.ended(third, True), "it was not being asked"


def test_the_chain_that_led_to_a_node_is_kept() -> None:
    one = lookup()
    asked = one.next(1, False)[0]
    one.ended(asked, True)
    one.learn([Contact(1, 1), Contact(99, 5)], me=ME_NODE, by=asked)
    deeper = one.next(1, False)[0]
    assert deeper == Contact(1, 1)
    assert one.via[deeper] == asked.peer
    assert one.depth[deeper] == 2
    one.ended(deeper, True)
    one.learn([Contact(2, 2), Contact(1, 1)], me=ME_NODE, by=deeper)
    assert one.depth[Contact(2, 2)] == 3
    assert one.depth[deeper] == 2
    assert Contact(99, 5) not in one.state, "it does not ask itself"
    assert one.nearer_than(asked) == 2


def test_a_lookup_keeps_the_nearest_of_what_others_name_without_end() -> None:
    one = lookup(k=2)
    for start in range(10_000, 100, -100):
        one.learn([Contact(start + number, 0) for number in range(50)], me=ME_NODE)
    assert len(one.order) == 40
    assert one.order == sorted(one.order)
    one.learn([Contact(1, 1)], me=ME_NODE)
    assert one.next(1, False) == [Contact(1, 1)]


# --- records ---------------------------------------------------------------------------------------------------


def test_records_expire_and_the_latest_are_named_first() -> None:
    records = Records()
    for value, ttl in ((1, 10), (2, 30), (3, 20)):
        records.store(7, value, 0, ttl, copied=False, keys=9, values=9)
    assert records.values(7, 5, 9) == (3, 2, 1)
    assert records.values(7, 10, 1) == (3,)
    assert records.values(8, 0, 9) == ()
    records.expire(20)
    assert list(records.kept[7]) == [2]
    assert records.pairs() == 1
    records.expire(30)
    assert not records.kept


def test_records_are_bounded_and_the_first_go_first() -> None:
    records = Records()
    for key in range(5):
        for value in range(5):
            records.store(key, value, 0, 10, copied=False, keys=3, values=2)
    assert {key: list(under) for key, under in records.kept.items()} == {2: [3, 4], 3: [3, 4], 4: [3, 4]}


def test_a_copy_changes_nothing_of_a_stored_record_and_is_not_republished() -> None:
    records = Records()
    store = {"keys": 9, "values": 9}
    records.store(1, 5, 0, 100, copied=False, **store)
    records.store(1, 5, 50, 100, copied=True, **store)
    records.store(1, 6, 0, 10, copied=True, **store)
    assert records.stored(1, 60) == [(5, 40)]
    assert records.due(60, 60) == [1]
    assert records.due(59, 60) == []
    records.store(2, 6, 0, 10, copied=True, **store)
    assert records.due(10_000, 60) == [1]
    records.store(2, 6, 5, 100, copied=False, **store)
    assert records.stored(2, 5) == [(6, 100)], "a true record takes the place of a copy"


def test_a_copy_lives_half_as_long_for_each_node_nearer_to_the_key() -> None:
    day = 86_400 * SECOND
    assert [copy_ttl_us(day, nearer) / day for nearer in (0, 1, 5)] == [1, 0.5, 1 / 32]
    assert copy_ttl_us(day, 1_000) == 0


def test_a_token_is_good_for_its_receiver_for_five_to_ten_minutes() -> None:
    given = token(77, 3, 100)
    assert len(given) == 8
    assert good_token(given, 77, 3, 100)
    assert good_token(given, 77, 3, 2 * TOKEN_PERIOD_US - 1)
    assert not good_token(given, 77, 3, 2 * TOKEN_PERIOD_US)
    assert not good_token(given, 77, 4, 100)
    assert not good_token(given, 78, 3, 100)
    assert not good_token(b"", 77, 3, 100)


# --- converged tables ------------------------------------------------------------------------------------------


def shared(one: int, other: int, bits: int) -> int:
    return bits - (one ^ other).bit_length()


@pytest.mark.parametrize(("n", "bits", "k"), [(1, 160, 8), (2, 160, 8), (9, 160, 8), (300, 160, 4), (200, 10, 3)])
def test_converged_buckets_have_k_of_each_range_or_all(n: int, bits: int, k: int) -> None:
    rng = random.Random(n)
    ids = rng.sample(range(1 << bits), n) if bits < 64 else [rng.getrandbits(bits) for _ in range(n)]
    tables = converged_buckets(ids, bits, k, Stream("tables"))
    for own, buckets in zip(ids, tables, strict=True):
        for at, members in enumerate(buckets):
            last = at == len(buckets) - 1
            lengths = [shared(own, ids[other], bits) for other in members]
            inside = [s for s in (shared(own, one, bits) for one in ids if one != own) if s == at or (last and s > at)]
            assert all(length == at or (last and length > at) for length in lengths)
            assert len(members) == len(set(members)) == min(k, len(inside))
            assert not last or len(inside) <= k
    assert converged_buckets(ids, bits, k, Stream("tables")) == tables, "the same draws give the same tables"


def test_the_members_of_a_bucket_are_drawn_evenly() -> None:
    """Each of the 64 on the other side is in the first bucket of one on this side with probability 8 / 64: of 64 times
    40 draws of such buckets it is expected in 160, with a standard deviation of 11.8."""
    ids = [at << 153 for at in range(128)]
    counts = dict.fromkeys(range(128), 0)
    first = dict.fromkeys(range(128), 0)
    rng = Stream("even")
    for _ in range(20):
        for buckets in converged_buckets(ids, 160, 8, rng)[:64]:
            for at in buckets[0]:
                counts[at] += 1
            first[buckets[0][0]] += 1
    assert all(160 - 5 * 11.8 < counts[at] < 160 + 5 * 11.8 for at in range(64, 128))
    assert all(0 < first[at] < 20 + 5 * 4.5 for at in range(64, 128)), "their order is drawn too"
    assert not any(counts[at] for at in range(64))


def test_the_nearest_of_sorted_identifiers() -> None:
    rng = random.Random(3)
    for n in (1, 5, 700):
        ids = sorted(rng.getrandbits(160) for _ in range(n))
        for key in (0, (1 << 160) - 1, *ids[:3], *(rng.getrandbits(160) for _ in range(20))):
            for k in (1, 4, 20):
                assert nearest(ids, key, 160, k) == sorted(ids, key=lambda one: one ^ key)[:k]
