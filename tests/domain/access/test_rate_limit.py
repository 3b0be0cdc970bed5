"""Rate limits: the requests in a window, and the block after too many."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from originmap.domain.access.rate_limit import (
    MICROSECONDS,
    Quota,
    QuotaVerdict,
    Window,
    parse,
    take,
)

QUOTAS = st.builds(Quota, st.integers(1, 5), st.integers(1, 3))
STEPS = st.lists(st.integers(0, MICROSECONDS), min_size=1, max_size=60)


def _verdicts(quota: Quota, steps: list[int]) -> list[tuple[int, Window, QuotaVerdict]]:
    """The decisions about a client's requests at these intervals, in microseconds."""
    verdicts: list[tuple[int, Window, QuotaVerdict]] = []
    window: Window | None = None
    for now in itertools.accumulate(steps, initial=1):
        window, verdict = take(quota, window, now)
        verdicts.append((now, window, verdict))
    return verdicts


@given(QUOTAS, STEPS)
def test_a_window_never_exceeds_the_limit(quota: Quota, steps: list[int]) -> None:
    taken: dict[int, int] = {}
    for _, window, verdict in _verdicts(quota, steps):
        taken[window.until] = taken.get(window.until, 0) + verdict.taken
    assert max(taken.values()) <= quota.limit


@given(QUOTAS, STEPS)
def test_a_client_within_the_quota_is_never_refused(quota: Quota, steps: list[int]) -> None:
    apart = quota.seconds * MICROSECONDS // quota.limit + 1
    verdicts = _verdicts(quota, [apart + step for step in steps])
    assert all(verdict.taken for _, _, verdict in verdicts)


@pytest.mark.proves("P-RATE-1")
@given(QUOTAS, STEPS)
def test_a_client_over_the_quota_is_blocked_for_one_window(quota: Quota, steps: list[int]) -> None:
    verdicts = _verdicts(quota, steps)
    free_again = 0
    for (_, _, before), (now, window, verdict) in itertools.pairwise(verdicts):
        if before.taken and not verdict.taken:
            free_again = now + quota.seconds * MICROSECONDS
            assert window.until == free_again
        assert verdict.taken == (now >= free_again)
        if not verdict.taken:
            assert take(quota, window, now + verdict.reset * MICROSECONDS)[1].taken


@given(QUOTAS, STEPS)
def test_windows_move_forward_and_count_each_request(quota: Quota, steps: list[int]) -> None:
    for (_, before, first), (_, after, second) in itertools.pairwise(_verdicts(quota, steps)):
        assert after.until >= before.until
        if after.until == before.until:
            assert second.remaining == max(0, first.remaining - 1)


@given(QUOTAS, STEPS)
def test_remaining_and_reset_are_correct(quota: Quota, steps: list[int]) -> None:
    for now, window, verdict in _verdicts(quota, steps):
        assert 0 <= verdict.remaining < quota.limit
        assert 1 <= verdict.reset <= quota.seconds
        assert window.until <= now + verdict.reset * MICROSECONDS < window.until + MICROSECONDS
        assert verdict.taken or verdict.remaining == 0


def test_requests_while_blocked_do_not_prolong_the_block() -> None:
    quota = Quota(1, 10)
    second = MICROSECONDS
    verdicts = _verdicts(quota, [second] * 11)
    assert [verdict.taken for _, _, verdict in verdicts] == [True] + [False] * 10 + [True]
    assert [verdict.reset for _, _, verdict in verdicts][:3] == [10, 10, 9]


def test_seconds_are_rounded_up() -> None:
    quota = Quota(5, 10)
    window, _ = take(quota, None, 0)
    assert take(quota, window, 1)[1].reset == 10
    assert take(quota, window, 9_999_999)[1].reset == 1
    assert take(quota, window, 10_000_000)[1] == QuotaVerdict(True, 4, 10)


@pytest.mark.parametrize(
    ("text", "quotas"),
    [
        ("off", (None, None)),
        ("cloudflare", (Quota(1200, 300), Quota(200, 1))),
        ("1200/300,200/1", (Quota(1200, 300), Quota(200, 1))),
        ("5/60", (Quota(5, 60), None)),
    ],
)
def test_quotas_are_parsed_as_requests_per_seconds(
    text: str, quotas: tuple[Quota | None, Quota | None]
) -> None:
    assert parse(text) == quotas


@pytest.mark.parametrize(
    "text",
    ["", "on", "5", "5/", "/60", "0/60", "5/0", "-5/60", "5/60,", ",5/60", "5/60/1", "5.5/6",
     "5/60,x", "5/60,200/1,1/1", "1e3/60", "½/60", "٥/60", "+5/60", "5_0/60",
     " 5/60", "9" * 5_000 + "/60", "5/" + "9" * 5_000],
)  # fmt: skip
def test_an_invalid_quota_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not REQUESTS/SECONDS") as caught:
        parse(text)
    assert len(str(caught.value)) < 200
