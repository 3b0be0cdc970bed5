"""Rate limits: how much is taken in a window, and how long who asked for more must wait."""

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


def _asked(quota: Quota, steps: list[int]) -> list[tuple[int, Window, QuotaVerdict]]:
    """A caller who asks again and again, so many microseconds after the last time."""
    answers: list[tuple[int, Window, QuotaVerdict]] = []
    window: Window | None = None
    for now in itertools.accumulate(steps, initial=1):
        window, verdict = take(quota, window, now)
        answers.append((now, window, verdict))
    return answers


@given(QUOTAS, STEPS)
def test_never_more_than_the_limit_is_taken_in_a_window(quota: Quota, steps: list[int]) -> None:
    taken: dict[int, int] = {}
    for _, window, verdict in _asked(quota, steps):
        taken[window.until] = taken.get(window.until, 0) + verdict.taken
    assert max(taken.values()) <= quota.limit


@given(QUOTAS, STEPS)
def test_requests_within_the_quota_are_never_refused(quota: Quota, steps: list[int]) -> None:
    apart = quota.seconds * MICROSECONDS // quota.limit + 1
    answers = _asked(quota, [apart + step for step in steps])
    assert all(verdict.taken for _, _, verdict in answers)


@pytest.mark.proves("P-RATE-1")
@given(QUOTAS, STEPS)
def test_over_the_limit_requests_are_refused_for_a_window(quota: Quota, steps: list[int]) -> None:
    answers = _asked(quota, steps)
    free_again = 0
    for (_, _, before), (now, window, verdict) in itertools.pairwise(answers):
        if before.taken and not verdict.taken:
            free_again = now + quota.seconds * MICROSECONDS
            assert window.until == free_again
        assert verdict.taken == (now >= free_again)
        if not verdict.taken:
            assert take(quota, window, now + verdict.reset * MICROSECONDS)[1].taken


@given(QUOTAS, STEPS)
def test_windows_only_move_forward_and_are_used_up_one_by_one(
    quota: Quota, steps: list[int]
) -> None:
    for (_, before, first), (_, after, second) in itertools.pairwise(_asked(quota, steps)):
        assert after.until >= before.until
        if after.until == before.until:
            assert second.remaining == max(0, first.remaining - 1)


@given(QUOTAS, STEPS)
def test_a_verdict_matches_its_window(quota: Quota, steps: list[int]) -> None:
    for now, window, verdict in _asked(quota, steps):
        assert 0 <= verdict.remaining < quota.limit
        assert 1 <= verdict.reset <= quota.seconds
        assert window.until <= now + verdict.reset * MICROSECONDS < window.until + MICROSECONDS
        assert verdict.taken or verdict.remaining == 0


def test_asking_while_blocked_does_not_prolong_it() -> None:
    quota = Quota(1, 10)
    second = MICROSECONDS
    answers = _asked(quota, [second] * 11)
    assert [verdict.taken for _, _, verdict in answers] == [True] + [False] * 10 + [True]
    assert [verdict.reset for _, _, verdict in answers][:3] == [10, 10, 9]


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
def test_quotas_are_written_as_requests_in_seconds(
    text: str, quotas: tuple[Quota | None, Quota | None]
) -> None:
    assert parse(text) == quotas


@pytest.mark.parametrize(
    "text",
    ["", "on", "5", "5/", "/60", "0/60", "5/0", "-5/60", "5/60,", ",5/60", "5/60/1", "5.5/6",
     "5/60,x", "5/60,200/1,1/1", "1e3/60", "½/60", "٥/60", "+5/60", "5_0/60",
     " 5/60", "9" * 5_000 + "/60", "5/" + "9" * 5_000],
)  # fmt: skip
def test_an_invalid_quota_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not REQUESTS/SECONDS") as caught:
        parse(text)
    assert len(str(caught.value)) < 200
