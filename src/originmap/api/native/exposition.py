"""The metrics of a server for Prometheus: names, help texts, types and labels.

Only this module uses prometheus_client. docs/metrics.md lists the metrics; tests compare it, the
dashboard and the alerts with the response of a server.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import Metric, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import originmap
from originmap.api.traffic import DOUBLINGS, Answered, RequestTally
from originmap.domain.rollout.rollout import RolloutState
from originmap.service.vitals import (
    HooksNow,
    RolloutNow,
    StageNow,
    StandbyNow,
    StreamCounts,
    Vitals,
)

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_LOWEST = 6
"""The first bucket is for less than 2**6 microseconds."""
_PROCESS = ProcessCollector(registry=None)

Tallies = Mapping[Answered, RequestTally]


def expose(tallies: Tallies, vitals: Vitals, accept: str) -> tuple[str, bytes]:
    """The content type and the text, in a version of the format that matches `accept`."""
    encode, content_type = choose_encoder(accept)
    return content_type, encode(_Moment(tallies, vitals))


class _Moment(Collector):
    """All metrics at one time."""

    def __init__(self, tallies: Tallies, vitals: Vitals) -> None:
        self._tallies = tallies
        self._vitals = vitals

    def collect(self) -> Iterable[Metric]:
        """Yield every metric."""
        version = {"version": originmap.__version__}
        yield InfoMetricFamily("originmap_build", "The version of the program.", value=version)
        yield from _requests(self._tallies)
        yield from _store(self._vitals)
        yield from _feed(self._vitals)
        yield from _rollout(self._vitals.rollout)
        yield from _hooks(self._vitals.hooks)
        yield from _xds(self._vitals.xds)
        yield from _PROCESS.collect()


def _requests(tallies: Tallies) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "originmap_requests",
        "Requests answered; status 499 if the client disconnected before the answer.",
        labels=("route", "method", "status"),
    )
    durations = HistogramMetricFamily(
        "originmap_request_duration_seconds",
        "Seconds from the headers of a request to the end of its answer.",
        labels=("route", "method"),
    )
    by_route: defaultdict[tuple[str, str], list[RequestTally]] = defaultdict(list)
    by_status: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for answered, tally in tallies.items():
        labels = (_shown(answered.route), _known(answered.method))
        by_route[labels].append(tally)
        by_status[*labels, str(answered.status)] += sum(tally.by_doubling)
    for labels_of_count, count in by_status.items():
        requests.add_metric(labels_of_count, count)
    for labels, alike in by_route.items():
        seconds = sum(tally.microseconds for tally in alike) / 1e6
        durations.add_metric(labels, _buckets(alike), seconds)
    yield requests
    yield durations


def _shown(route: str) -> str:
    """A path template without the types of its parameters."""
    return re.sub(r":\w+}", "}", route) or "none"


def _known(method: str) -> str:
    """The method as a label; methods that no route supports are counted together."""
    return method if method in _METHODS else "other"


def _buckets(alike: Sequence[RequestTally]) -> list[tuple[str, float]]:
    """Upper bounds in seconds with the cumulative count of each."""
    counts = [sum(column) for column in zip(*(t.by_doubling for t in alike), strict=True)]
    sums = list(accumulate(counts))
    bounds = [(repr(2**n / 1e6), float(sums[n])) for n in range(_LOWEST, DOUBLINGS)]
    return [*bounds, ("+Inf", float(sums[-1]))]


def _store(vitals: Vitals) -> Iterator[Metric]:
    yield _gauge("revision", "The revision of the last committed change.", vitals.revision)
    yield _gauge(
        "oldest_revision", "The history has every change after this revision.", vitals.oldest
    )
    yield _gauge("store_writable", "1 if the last commit succeeded, else 0.", vitals.writable)
    if vitals.size is not None:
        yield _gauge(
            "store_size_bytes", "Size of the database on disk; missing if unknown.", vitals.size
        )
    waiting, groups, writes = vitals.queue
    yield _gauge("writes_waiting", "Writes in the queue; 10,000 is the limit.", waiting)
    yield _counter("writes", "Writes taken from the queue.", writes)
    yield _counter("write_groups", "Transactions that committed the writes.", groups)
    yield from _standby(vitals.standby)


def _standby(standby: StandbyNow | None) -> Iterator[Metric]:
    if standby is None:
        return
    yield _gauge(
        "standby_serves", "With --read-from: 1 if the standby serves reads, else 0.", standby.serves
    )
    yield _gauge(
        "standby_lag_seconds",
        "With --read-from: seconds since the standby had all committed data; +Inf if unknown.",
        standby.lag,
    )
    yield _counter(
        "standby_reads", "With --read-from: reads that the standby served.", standby.reads
    )
    yield _counter(
        "standby_fallbacks",
        "With --read-from: reads that the primary served because the standby could not.",
        standby.fallbacks,
    )


def _feed(vitals: Vitals) -> Iterator[Metric]:
    followers, replica = vitals.followers, vitals.replica
    yield _gauge("watchers", "Connections that changes are streamed to.", vitals.watchers)
    yield _gauge("followers", "Followers seen in the last minute.", followers.heard)
    yield _gauge(
        "followers_silent",
        "Followers seen in the last day, but not in the last minute.",
        followers.silent,
    )
    yield _gauge(
        "follower_lag_revisions",
        "Revisions that the slowest follower seen in the last minute is behind.",
        followers.lag,
    )
    if replica is not None:
        yield _gauge(
            "replica_connected",
            "Of a replica: 1 if it can follow its primary, else 0.",
            replica.connected,
        )
        yield _gauge(
            "replica_age_seconds",
            "Of a replica: seconds since it had all data of its primary; +Inf if unknown.",
            replica.age,
        )


def _rollout(rollout: RolloutNow | None) -> Iterator[Metric]:
    """One series for each state, so that a former state is 0 and not missing."""
    states = GaugeMetricFamily(
        "originmap_rollout_state", "1 for the state of the last rollout, else 0.", labels=("state",)
    )
    for state in RolloutState:
        states.add_metric((state,), float(rollout is not None and rollout.state is state))
    yield states
    stages, released = (rollout.stage_count, rollout.released) if rollout else (0, 0)
    yield _gauge("rollout_stages", "Stages of the last rollout.", stages)
    yield _gauge("rollout_stages_released", "Released stages of the last rollout.", released)
    yield from _stages(rollout.stages if rollout else ())


def _stages(stages: Sequence[StageNow]) -> Iterator[Metric]:
    """One series for each stage of the current rollout, by its number."""
    for name, text, counts in (
        ("nodes", "Nodes of each stage of a rollout that is not done.", [s.nodes for s in stages]),
        (
            "nodes_there",
            "Nodes of each stage that report and serve the revision they may.",
            [s.there for s in stages],
        ),
    ):
        gauge = GaugeMetricFamily(f"originmap_rollout_{name}", text, labels=("stage",))
        for number, count in enumerate(counts, 1):
            gauge.add_metric((str(number),), float(count))
        yield gauge


def _hooks(hooks: HooksNow) -> Iterator[Metric]:
    yield _gauge("hooks", "Webhooks.", hooks.total)
    yield _counter("hook_messages", "Messages that receivers accepted.", hooks.delivered)
    yield _counter("hook_failures", "Attempts that receivers did not accept.", hooks.failed)
    yield _gauge("hook_dead_letters", "Dead letters of all webhooks.", hooks.dead)
    yield _gauge(
        "hook_lag_revisions",
        "Revisions that the slowest webhook delivered by this process is behind.",
        hooks.lag,
    )


def _xds(streams: StreamCounts) -> Iterator[Metric]:
    yield _gauge("xds_streams", "Open streams of nodes that run Envoy.", streams.streams)
    yield _counter("xds_resources_sent", "Resources sent on these streams.", streams.resources)
    yield _counter("xds_rejections", "Responses that nodes rejected (NACK).", streams.rejections)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"originmap_{name}", text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"originmap_{name}", text, value=float(value))
