"""Holds requests back until the rate limits of the API allow them.

Two limits are published: 1,200 requests in five minutes for a user, which responses report in
`Ratelimit` and `Retry-After`, and 200 requests a second for an address, which they do not report.
A user that exceeds the first one is blocked for five minutes, so requests in flight count as made.
"""

import asyncio
import contextlib
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping

from originmap.client import pace
from originmap.domain.errors import RateLimited

A_SECOND = 180
"""Requests a second to the API, for all credentials together: some less than the limit of an
address, because the network does not keep their distances."""

MOST_CREDENTIALS = 10_000
_SAME_WINDOW_SECONDS = 2.0
_LOOK_SECONDS = 1.0
_BLOCKED_SECONDS = 5.0
"""The wait after a 429 without Retry-After."""


class RequestBudget:
    """The requests that a credential has left in the current window."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._left = math.inf  # those in flight not subtracted
        self._renewal = math.inf
        self._blocked_until = 0.0
        self.in_flight = 0
        self.turn = asyncio.Lock()  # requests leave in the order in which they arrived
        self.changed = asyncio.Event()

    def delay(self) -> float:
        """Seconds until the next request may be sent; infinite if another one must be answered
        first."""
        now = self._now()
        if now < self._blocked_until:
            return self._blocked_until - now
        if now >= self._renewal:  # one request finds out how many the new window has
            self._left, self._renewal = self.in_flight + 1, math.inf
        first = not self.in_flight and math.isinf(self._renewal)
        if self._left > self.in_flight or first:
            return 0.0
        # If there may be some left, the responses to those in flight say so.
        return math.inf if self._left > 0 and self.in_flight else self._renewal - now

    def note(self, headers: Mapping[str, str]) -> None:
        """Take over what the headers of a response say."""
        quota = pace.quota_left(headers)
        if quota is None:
            self._left -= 1
            return
        renewal = self._now() + quota.renewal
        same = abs(renewal - self._renewal) <= _SAME_WINDOW_SECONDS
        # Responses overtake each other, and within a window requests only get fewer.
        self._left = min(self._left, quota.requests) if same else quota.requests
        self._renewal = renewal

    def block(self, seconds: float | None) -> float:
        """Send nothing for the seconds of a 429; returns them."""
        seconds = _BLOCKED_SECONDS if seconds is None else seconds
        self._blocked_until = max(self._blocked_until, self._now() + seconds)
        self._left, self._renewal = self.in_flight + 1, math.inf
        return seconds

    def wake(self) -> None:
        """Let the request that waits look again."""
        self.changed.set()


class RequestPace:
    """The budgets of all credentials, and the limit of the address."""

    def __init__(self, at_most: int = MOST_CREDENTIALS) -> None:
        """`at_most` is the number of budgets in memory; the longest unused are dropped."""
        self._at_most = at_most
        self._now = asyncio.get_running_loop().time
        self._budgets: OrderedDict[bytes, RequestBudget] = OrderedDict()
        self._sent: deque[float] = deque(maxlen=A_SECOND)
        self._stopped = False

    def budget(self, credential: bytes) -> RequestBudget:
        """The budget of a credential."""
        budget = self._budgets.get(credential)
        if budget is None:
            budget = self._budgets[credential] = RequestBudget(self._now)
            if len(self._budgets) > self._at_most:
                self._budgets.popitem(last=False)
        self._budgets.move_to_end(credential)
        return budget

    def stop(self) -> None:
        """Let no request wait any longer: those that must wait are refused."""
        self._stopped = True
        for budget in self._budgets.values():
            budget.wake()

    @property
    def stopped(self) -> bool:
        """Whether nothing waits any longer."""
        return self._stopped

    async def take(self, budget: RequestBudget, deadline: float) -> None:
        """Wait for permission to send a request, which then is in flight until `answered`. Raises
        RateLimited at once if that would be after the deadline."""
        try:
            async with asyncio.timeout_at(deadline), budget.turn:
                while delay := budget.delay():
                    if self._stopped or (math.isfinite(delay) and self._now() + delay > deadline):
                        raise RateLimited(_seconds(delay))
                    await _changed(budget, delay)
                await self._space()
                budget.in_flight += 1
        except TimeoutError:
            raise RateLimited(_seconds(budget.delay())) from None

    def answered(self, budget: RequestBudget) -> None:
        """A request is no longer in flight."""
        budget.in_flight -= 1
        budget.wake()

    async def _space(self) -> None:
        """Keep within the limit of the address."""
        now = self._now()
        at = max(now, self._sent[0] + 1) if len(self._sent) == A_SECOND else now
        self._sent.append(at)
        if at > now:
            await asyncio.sleep(at - now)


async def _changed(budget: RequestBudget, seconds: float) -> None:
    budget.changed.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(seconds, _LOOK_SECONDS)):
            await budget.changed.wait()


def _seconds(delay: float) -> int:
    """A value for Retry-After."""
    return max(1, math.ceil(delay)) if math.isfinite(delay) else 1
