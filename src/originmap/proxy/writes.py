"""Groups writes of single mappings into batches.

Each credential has a queue for each zone, and one batch of it at a time is sent, so that two writes
to one address happen in the order of their arrival. While a batch is sent, further writes gather
for the next one. A caller is answered after the API has answered; a write that is alone, or with
one other, is forwarded unchanged.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from originmap.api import envelope
from originmap.api.http.response import Response
from originmap.domain.errors import RateLimited
from originmap.domain.mapping import address as addresses
from originmap.domain.mapping.address import Address
from originmap.domain.mapping.batch import MAX_ITEMS
from originmap.proxy import batch
from originmap.proxy.batch import BatchItems, BatchVerdict
from originmap.proxy.call import ProxyCall
from originmap.proxy.reads import ListKey, MappingReads
from originmap.proxy.upstream import NoAnswer, Upstream, UpstreamAnswer

QUIET_SECONDS, GATHER_SECONDS = 0.005, 0.05
"""A group is closed when no write has arrived for the first time, or after the second."""

REQUESTS_OF_A_BATCH = {"PUT": 2, "DELETE": 1}
"""A GET follows a batch of PUTs, to read the time of the change. Fewer writes are not grouped."""

_AT_ONCE = 8


class SentMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a PUT, and its item of a batch."""

    origin_ip: str
    vendor: str
    region: str


class SingleWrite(NamedTuple):
    """A valid write of one mapping. `item` is its item of a batch; `target` the path of its zone's
    list."""

    call: ProxyCall
    zone_id: str
    address: Address
    item: SentMapping | str
    target: str

    @property
    def method(self) -> str:
        """PUT or DELETE."""
        return self.call.request.method


class _Entry(msgspec.Struct, omit_defaults=True, kw_only=True):
    modified_on: str | None = None
    origin_ip: str
    region: str
    vendor: str


_Waiting = tuple[SingleWrite, asyncio.Future[Response]]
_Outcome = Response | BaseException


class _Queue:
    """The writes of one credential to one zone that wait."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiting] = deque()

    async def gather(self) -> None:
        """Wait for more writes."""
        now = asyncio.get_running_loop().time
        end, count = now() + GATHER_SECONDS, 0
        while count < len(self.waiting) < MAX_ITEMS and now() < end:
            count = len(self.waiting)
            await asyncio.sleep(QUIET_SECONDS)

    def next_group(self) -> list[_Waiting]:
        """Take the writes of the next batch: of one method, and of different addresses."""
        method = self.waiting[0][0].method
        group, kept = list[_Waiting](), deque[_Waiting]()
        seen = set[Address]()
        for write, answer in self.waiting:
            fits = write.method == method and write.address not in seen and len(group) < MAX_ITEMS
            (group if fits else kept).append((write, answer))
            seen.add(write.address)  # a later write to an address never overtakes
        self.waiting = kept
        return group


class MappingWrites:
    """The queues."""

    def __init__(self, upstream: Upstream, reads: MappingReads) -> None:
        self._upstream = upstream
        self._reads = reads
        self._queues: dict[ListKey, _Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, write: SingleWrite) -> Response:
        """The response to a write. Raises NoAnswer, RateLimited."""
        key = ListKey(write.call.credential, write.zone_id)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue()
            task = asyncio.create_task(self._send_all(key, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.waiting.append((write, answer))
        return await answer

    async def _send_all(self, key: ListKey, queue: _Queue) -> None:
        """Send batches until no write waits."""
        while queue.waiting:
            await queue.gather()
            group = queue.next_group()
            outcomes: Sequence[_Outcome]
            try:
                outcomes = await self._send([write for write, _ in group])
            except Exception as error:  # a bug too: the callers must not wait forever
                outcomes = [error] * len(group)
            self._reads.invalidate(key.zone_id)
            for (_, answer), outcome in zip(group, outcomes, strict=True):
                if answer.done():
                    continue  # the server stops
                if isinstance(outcome, Response):
                    answer.set_result(outcome)
                else:
                    answer.set_exception(outcome)
        del self._queues[key]

    async def _send(self, writes: Sequence[SingleWrite]) -> Sequence[_Outcome]:
        """The outcome of each write of a group. Raises what is the outcome of all of them."""
        method, call, target = writes[0].method, writes[0].call, writes[0].target
        if len(writes) <= REQUESTS_OF_A_BATCH[method]:
            return await self._singly(writes)
        now = asyncio.get_running_loop().time
        began = now()
        body = [write.item for write in writes]
        answer = await self._upstream.ask(call, method, f"{target}/batch", body)
        verdict = batch.verdict(answer)
        if verdict is BatchVerdict.RELAYED:
            return [answer.relayed() for _ in writes]
        if verdict is BatchVerdict.SINGLY and (method == "PUT" or answer.status >= 300):
            return await self._singly(writes)
        items = batch.items_of(answer)
        if method == "PUT":
            written = [write for write in writes if write.address in items.succeeded]
            await self._add_times(written, items, answer, now() - began)
        again = [write for write in writes if _is_repeated(write, items)]
        outcomes = dict(zip(again, await self._singly(again), strict=True))
        return [outcomes.get(write) or _outcome(write, items) for write in writes]

    async def _singly(self, writes: Sequence[SingleWrite]) -> Sequence[_Outcome]:
        """Forward each write."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def send(write: SingleWrite) -> Response:
            async with limit:
                return await self._upstream.forward(write.call, repeat=write.method == "PUT")

        return await asyncio.gather(*map(send, writes), return_exceptions=True)

    async def _add_times(
        self,
        writes: Sequence[SingleWrite],
        items: BatchItems,
        answer: UpstreamAnswer,
        seconds: float,
    ) -> None:
        """Add the `modified_on` that a batch does not report: that of one of its mappings is that
        of all. If it is older than the batch, which took `seconds`, this mapping was not changed,
        and each is read."""
        undated = [write for write in writes if items.succeeded[write.address].modified_on is None]
        if not undated:
            return
        first = await self._time(undated[0])
        times = [first] * len(undated)
        if first is not None and batch.is_older(first, answer, seconds):
            limit = asyncio.Semaphore(_AT_ONCE)

            async def read(write: SingleWrite) -> str | None:
                async with limit:
                    return await self._time(write)

            times[1:] = await asyncio.gather(*map(read, undated[1:]))
        for write, time in zip(undated, times, strict=True):
            items.succeeded[write.address].modified_on = time

    async def _time(self, write: SingleWrite) -> str | None:
        """When a mapping was changed; None if the API does not say it: it is no reason to report
        a write that succeeded as failed."""
        target = f"{write.target}/{addresses.text(write.address)}"
        try:
            return batch.modified_on(await self._upstream.ask(write.call, "GET", target))
        except (NoAnswer, RateLimited):
            return None


def _is_repeated(write: SingleWrite, items: BatchItems) -> bool:
    """Whether a write is sent again as a single one. A DELETE is only sent again if it certainly
    failed: after one that succeeded, it would report that there is no mapping."""
    if write.address in items.succeeded:
        return False
    return write.method == "PUT" or write.address in items.failed


def _outcome(write: SingleWrite, items: BatchItems) -> _Outcome:
    """The outcome of a write that is not repeated."""
    item = items.succeeded.get(write.address)
    if item is None:
        return NoAnswer("its response to a batch has no outcome for this address")
    if isinstance(write.item, str):
        return Response(envelope.success({"origin_ip": item.origin_ip}))
    entry = _Entry(
        modified_on=item.modified_on,
        origin_ip=item.origin_ip,
        region=item.region or write.item.region,
        vendor=item.vendor or write.item.vendor,
    )
    return Response(envelope.success(entry))
