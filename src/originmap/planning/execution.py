"""Applies a plan batch by batch, then reads the zones again to verify the result.

Writes are idempotent: to continue an interrupted apply, apply the same plan again. A rejected
change is reported with its reason if the mapping still differs at the end.
"""

import time
from collections.abc import Callable

from originmap.client.connection import OnWait
from originmap.client.errors import Refused
from originmap.client.mappings import RemoteMappings, Unapplied
from originmap.domain.mapping import address as addresses
from originmap.domain.plan.plan import Batch, Plan, PoolsPlan, ZonePlan, batches, remaining, shown
from originmap.planning.errors import Failure

_LIMIT_REACHED = 1164
_PATIENCE_SECONDS = (0.5, 1.0, 2.0)


class Apply:
    """One apply. `on_batch` is called with the number of changes in each batch sent, `on_zone`
    with the name of each zone before it is verified."""

    def __init__(
        self,
        remote: RemoteMappings,
        on_batch: Callable[[int], None],
        on_zone: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        on_wait: OnWait = lambda seconds, why: None,
    ) -> None:
        self._remote = remote
        self._on_batch = on_batch
        self._on_zone = on_zone
        self._sleep = sleep
        self._on_wait = on_wait

    def run(self, plan: Plan) -> list[Failure]:
        """Apply every change, and return the mappings that differ from the plan afterwards.
        Raises ClientError if it is interrupted: then only some of the changes are applied, and
        applying the same plan again applies the rest."""
        reasons: dict[tuple[str, str], str] = {}
        for zone in plan.zones:
            self._write_pools(zone)
            for batch in batches(zone):
                for unapplied in self._write(batch):
                    reasons[zone.id, unapplied.origin_ip] = unapplied.error
                self._on_batch(len(batch.changes))
        return [
            failure
            for zone in plan.zones
            if zone.size
            for failure in self._differences(zone, reasons)
        ]

    def _write_pools(self, zone: ZonePlan) -> None:
        """Replace the pools. They come before mappings, so that new origins of a pool do not fill
        through the upper tier of their own region first."""
        if zone.pools and zone.pool_changes:
            self._remote.set_pools(zone.id, zone.pools.after)
            self._on_batch(len(zone.pool_changes))

    def _write(self, batch: Batch) -> list[Unapplied]:
        try:
            return self._remote.write(batch)
        except Refused as error:
            # The server rejected the content of this batch; it may accept the next one.
            if error.status != 400 and _LIMIT_REACHED not in error.codes:
                raise
            texts = (addresses.text(change.address) for change in batch.changes)
            return [Unapplied(text, str(error)) for text in texts]

    def _differences(self, zone: ZonePlan, reasons: dict[tuple[str, str], str]) -> list[Failure]:
        """Compare the live mappings with the plan. Read again if a difference has no reason: the
        API does not promise that a list includes the latest writes at once."""
        self._on_zone(zone.name)
        live = self._remote.mappings(zone.id)
        for seconds in _PATIENCE_SECONDS:
            wrong = remaining(zone.changes, live)
            if all((zone.id, addresses.text(change.address)) in reasons for change in wrong):
                break
            if seconds > 1:
                self._on_wait(seconds, f"{zone.name} does not list all changes yet")
            self._sleep(seconds)
            live = self._remote.mappings(zone.id)
        failures = []
        if zone.pools and zone.pool_changes:
            left = PoolsPlan(self._remote.pools(zone.id), zone.pools.after)
            for name, _, _ in left.changes:
                failures.append(Failure(zone.name, f"pool {name}", "is not as planned"))
        for change in remaining(zone.changes, live):
            text = addresses.text(change.address)
            reason = f"{shown(live.get(change.address))} is live, not {shown(change.after)}"
            failures.append(Failure(zone.name, text, reasons.get((zone.id, text), reason)))
        return failures
