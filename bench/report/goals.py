"""The goals: bounds for figures and ratios, and whether a run meets them."""

import operator
from collections.abc import Callable
from dataclasses import dataclass

from bench.cases import (
    catchup,
    exports,
    large,
    lookups,
    plans,
    postgres,
    processes,
    shared,
    snapshots,
    starts,
    testing,
    throughput,
    ui,
    updates,
    watchers,
)
from bench.harness.figures import Figures
from bench.harness.servers import BARE_ASGI, BARE_FALCON, FOR_TESTS, ORIGINMAP, USUAL_STACK

Key = tuple[str, str]


@dataclass(frozen=True)
class Goal:
    """A figure, or its ratio to another, with a bound."""

    text: str
    figure: Key
    bound: float
    against: Key | None = None
    at_most: bool = False
    unit: str = "x"

    def value(self, figures: Figures) -> float | None:
        """The measured value, or None if it was not measured."""
        if self.figure not in figures:
            return None
        value = figures[self.figure].value
        if self.against is None:
            return value
        if self.against not in figures:
            return None
        return value / figures[self.against].value

    def met(self, value: float) -> bool:
        """Whether `value` is within the bound."""
        within: Callable[[float, float], bool] = operator.le if self.at_most else operator.ge
        return within(value, self.bound)


GOALS = (
    Goal(
        "GET one against the bare ASGI app",
        (throughput.GET.name, ORIGINMAP.name),
        0.65,
        against=(throughput.GET.name, BARE_ASGI.name),
    ),
    Goal(
        "GET one against the usual stack",
        (throughput.GET.name, ORIGINMAP.name),
        15,
        against=(throughput.GET.name, USUAL_STACK.name),
    ),
    Goal(
        "durable PUT, 32 callers, against the usual stack",
        (throughput.PUT.name, ORIGINMAP.name),
        12,
        against=(throughput.PUT.name, USUAL_STACK.name),
    ),
    Goal("batch PUT", (throughput.BATCH.name, ORIGINMAP.name), 100_000, unit="mappings/s"),
    Goal(
        "first answer after start",
        (starts.FIRST_ANSWER, ORIGINMAP.name),
        250,
        at_most=True,
        unit="ms",
    ),
    Goal(
        "memory when idle",
        (starts.IDLE_MEMORY, ORIGINMAP.name),
        60,
        at_most=True,
        unit="MiB",
    ),
    Goal(
        "durable PUT on PostgreSQL, 32 callers",
        (postgres.PUT, postgres.NAME),
        8_000,
        unit="requests/s",
    ),
    Goal(
        "GET on PostgreSQL, 4 processes, against bare asyncpg",
        (processes.get(4), postgres.NAME),
        1,
        against=(processes.get(4), processes.ANCHOR),
    ),
    Goal(
        "durable PUT on PostgreSQL, 4 processes, against bare asyncpg",
        (processes.put(4), postgres.NAME),
        0.5,
        against=(processes.put(4), processes.ANCHOR),
    ),
    Goal(
        "last of 100 watchers",
        (watchers.after_answer(100), ORIGINMAP.name),
        4,
        at_most=True,
        unit="ms",
    ),
    Goal(
        "last of 1,000 watchers",
        (watchers.after_answer(1_000), ORIGINMAP.name),
        15,
        at_most=True,
        unit="ms",
    ),
    Goal(shared.NAME, (shared.NAME, shared.SLOWEST), 3, at_most=True, unit="s"),
    Goal(
        "catching up",
        (catchup.applied(catchup.IN_BATCHES), ORIGINMAP.name),
        50_000,
        unit="changes/s",
    ),
    Goal(
        "catching up, each change of a request of its own",
        (catchup.applied(catchup.ONE_BY_ONE), ORIGINMAP.name),
        50_000,
        unit="changes/s",
    ),
    Goal(
        "snapshot of 1 M mappings taken and loaded",
        (snapshots.LOADED, ORIGINMAP.name),
        10,
        at_most=True,
        unit="s",
    ),
    Goal(
        "1 M mappings on disk",
        (snapshots.SIZE, ORIGINMAP.name),
        60,
        at_most=True,
        unit="MiB",
    ),
    Goal("range lookups", (lookups.LOOKUP, lookups.PROCESS), 700_000, unit="lookups/s"),
    Goal(
        "building the range table",
        (lookups.BUILD, lookups.PROCESS),
        1000,
        at_most=True,
        unit="ms",
    ),
    Goal("resolver", (lookups.RESOLVE, lookups.PROCESS), 500_000, unit="resolves/s"),
    Goal("plan of a full zone", (plans.PLAN, ORIGINMAP.name), 500, at_most=True, unit="ms"),
    Goal(
        "plan of 100 full zones",
        (plans.PLAN_MANY, ORIGINMAP.name),
        60_000,
        at_most=True,
        unit="ms",
    ),
    Goal(
        "memory of the plan of 100 full zones",
        (plans.MEMORY_MANY, ORIGINMAP.name),
        200,
        at_most=True,
        unit="MiB",
    ),
    Goal("1 M mappings as text", (exports.TEXT, exports.COMMAND), 20, at_most=True, unit="s"),
    Goal("1 M mappings as MMDB", (exports.MMDB, exports.COMMAND), 60, at_most=True, unit="s"),
    Goal(
        "memory for 1 M mappings as MMDB",
        (exports.MMDB_MEMORY, exports.COMMAND),
        400,
        at_most=True,
        unit="MiB",
    ),
    *(
        Goal(
            updates.title(zones),
            (updates.title(zones), updates.SLOWEST),
            bound,
            at_most=True,
            unit="ms",
        )
        for zones, bound in ((updates.MIDDLE, 100), (updates.LARGE, 200))
    ),
    *(
        Goal(
            updates.memory_title(zones),
            (updates.memory_title(zones), updates.LARGEST),
            150,
            at_most=True,
            unit="MiB",
        )
        for zones in (updates.MIDDLE, updates.LARGE)
    ),
    Goal(
        "start of the server for tests",
        (testing.START, ORIGINMAP.name),
        400,
        at_most=True,
        unit="ms",
    ),
    # The same on a machine of any speed: bare Falcon took 141 ms on the one that 400 ms are for.
    Goal(
        "start of the server for tests against bare Falcon",
        (testing.START, ORIGINMAP.name),
        2.8,
        against=(testing.START, BARE_FALCON.name),
        at_most=True,
    ),
    Goal(
        "reset of the server for tests",
        (testing.RESET, ORIGINMAP.name),
        5,
        at_most=True,
        unit="ms",
    ),
    Goal(
        "GET with the journal against GET without",
        (testing.JOURNAL, FOR_TESTS.name),
        0.9,
        against=(testing.JOURNAL, ORIGINMAP.name),
    ),
    Goal("web page ready", (ui.READY, ORIGINMAP.name), 500, at_most=True, unit="ms"),
    Goal("search in a full zone", (ui.SEARCH, ORIGINMAP.name), 50, at_most=True, unit="ms"),
    Goal("change shown in the page", (ui.CHANGE, ORIGINMAP.name), 1000, at_most=True, unit="ms"),
    Goal(
        "GET with 10 M mappings against 10,000",
        (large.GET, large.LARGE.label),
        0.8,
        against=(large.GET, large.SMALL.label),
    ),
    Goal(
        "PUT with 10 M mappings against 10,000",
        (large.PUT, large.LARGE.label),
        0.8,
        against=(large.PUT, large.SMALL.label),
    ),
)
