import pytest

from publisher.syndication.limit import BURST, MAKING_COSTS, PER_SECOND, Limit


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_script_that_never_stops_is_told_to_wait() -> None:
    watch = Stopwatch()
    limit = Limit(burst=10, per_second=2, seconds=watch)

    waits = [limit.wait_s("203.0.113.9") for _ in range(12)]

    assert waits == [0] * 10 + [1, 1]


def test_who_waits_as_long_as_told_is_served() -> None:
    watch = Stopwatch()
    limit = Limit(burst=10, per_second=0.1, seconds=watch)
    for _ in range(10):
        limit.wait_s("203.0.113.9")

    watch.seconds += limit.wait_s("203.0.113.9")

    assert limit.wait_s("203.0.113.9") == 0


def test_one_address_costs_no_other_its_requests() -> None:
    limit = Limit(burst=1, per_second=0.001)
    limit.wait_s("203.0.113.9")

    assert limit.wait_s("203.0.113.9")
    assert not limit.wait_s("203.0.113.10")


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    """A household has 2^64 of them."""
    limit = Limit(burst=1, per_second=0.001)
    limit.wait_s("2001:db8:1:2::1")

    assert limit.wait_s("2001:db8:1:2:ffff::1")
    assert not limit.wait_s("2001:db8:1:3::1")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_is_not_limited(address: str) -> None:
    limit = Limit(burst=1, per_second=0.001)

    assert [limit.wait_s(address) for _ in range(3)] == [0, 0, 0]


def test_an_aggregator_with_all_feeds_of_a_large_site_is_a_normal_reader() -> None:
    """Two thousand feeds at once, every quarter of an hour, and a walk through a hundred archives."""
    watch = Stopwatch()
    limit = Limit(seconds=watch)
    waits = []
    for _ in range(4):
        waits += [limit.wait_s("203.0.113.9") for _ in range(2_000)]
        waits += [limit.wait_s("203.0.113.9", MAKING_COSTS) for _ in range(90)]
        watch.seconds += 15 * 60

    assert not any(waits)
    assert PER_SECOND * 15 * 60 > BURST


def test_memory_stays_bounded_whoever_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.syndication.limit.ADDRESSES_AT_MOST", 100)
    limit = Limit()

    for number in range(1_000):
        limit.wait_s(f"198.51.{number // 250}.{number % 250}")

    assert len(limit._buckets) == 100
