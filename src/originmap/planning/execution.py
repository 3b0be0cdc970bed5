"""Carrying a plan out: batch after batch, and a look at the end that proves the result.

Every write may be made twice, so an apply that broke off is carried on by applying the same plan
again. What was refused is told with its reason where it is still so at the end.
"""

import time
from collections.abc import Callable

from originmap.client.errors import Refused
from originmap.client.mappings import RemoteMappings, Unapplied
from originmap.domain.mapping import address as addresses
from originmap.domain.plan.plan import Batch, Plan, ZonePlan, batches, remaining, shown
from originmap.planning.errors import Failure

_LIMIT_REACHED = 1164
_PATIENCE_SECONDS = (0.5, 1.0, 2.0)


class Apply:
    """One apply. `on_batch` is told how many changes were just sent, `on_zone` which zone is
    about to be looked at."""

    def __init__(
        self,
        remote: RemoteMappings,
        on_batch: Callable[[int], None],
        on_zone: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._remote = remote
        self._on_batch = on_batch
        self._on_zone = on_zone
        self._sleep = sleep

    def run(self, plan: Plan) -> list[Failure]:
        """Make every change; what is not as planned afterwards. Raises ClientError when it
        breaks off: then some changes are made, and the same again makes the others."""
        reasons: dict[tuple[str, str], str] = {}
        for zone in plan.zones:
            for batch in batches(zone):
                for unapplied in self._write(batch):
                    reasons[zone.id, unapplied.origin_ip] = unapplied.error
                self._on_batch(len(batch.changes))
        return [
            failure
            for zone in plan.zones
            if zone.changes
            for failure in self._differences(zone, reasons)
        ]

    def _write(self, batch: Batch) -> list[Unapplied]:
        try:
            return self._remote.write(batch)
        except Refused as error:
            # The batch itself was refused, for what is in it: the next may be taken.
            if error.status != 400 and _LIMIT_REACHED not in error.codes:
                raise
            texts = (addresses.text(change.address) for change in batch.changes)
            return [Unapplied(text, str(error)) for text in texts]

    def _differences(self, zone: ZonePlan, reasons: dict[tuple[str, str], str]) -> list[Failure]:
        """Look at what is live now; again where a difference has no reason, since nobody says
        that a list shows at once what was written."""
        self._on_zone(zone.name)
        live = self._remote.mappings(zone.id)
        for seconds in _PATIENCE_SECONDS:
            wrong = remaining(zone.changes, live)
            if all((zone.id, addresses.text(change.address)) in reasons for change in wrong):
                break
            self._sleep(seconds)
            live = self._remote.mappings(zone.id)
        failures = []
        for change in remaining(zone.changes, live):
            text = addresses.text(change.address)
            found = f"{shown(live.get(change.address))} is live, not {shown(change.after)}"
            failures.append(Failure(zone.name, text, reasons.get((zone.id, text), found)))
        return failures
