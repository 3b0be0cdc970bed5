"""One stream of a client: what it has, what it must get next, and in which order.

A client gets clusters before their endpoints, and routes once it has accepted the clusters: Envoy
does so when it can use them. A cluster that no route names any more is removed last. For each type
there is one response at a time: the next one waits until the client has accepted or rejected it. A
rejected version is not sent again, and the client keeps its last good one.

`wire` has the messages of the two protocols.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from originmap.export.envoy import CLUSTER_TYPE, ENDPOINTS_TYPE, HOST_TYPE, ROUTES_TYPE
from originmap.xds.resources import TYPES, Resource

_DRAIN_SECONDS = 3.0
"""How long requests may still use a cluster after the client has accepted routes without it."""
MOST_BYTES = 64 << 20
"""Maximum of the resources in a response, unless it has only one."""
_ROUTES = (ROUTES_TYPE, HOST_TYPE)

Found = Mapping[str, Mapping[str, Resource]]
"""The resources for a client by type and name."""


class Push(NamedTuple):
    """Resources to send, and the names of those to remove. `version` is that of all resources of
    the type that the client then has; of clusters, `whole` has them all."""

    type_url: str
    nonce: str
    version: str
    changed: Mapping[str, Resource]
    removed: Collection[str]
    whole: Mapping[str, Resource]


class Asked(NamedTuple):
    """What a request says about one type: the nonce of the response that it answers, the error if
    it rejects that, and the names that it adds and drops; `everything` if it names none. The first
    request of a type also has the versions that the client has, or one version of all."""

    type_url: str
    nonce: str = ""
    error: str | None = None
    added: Collection[str] = ()
    dropped: Collection[str] = ()
    everything: bool = False
    versions: Mapping[str, str] | None = None
    version: str = ""


@dataclass
class _Channel:
    """The state of one type."""

    everything: bool
    version: str = ""
    """The version that the client had at first, until it is compared."""
    names: set[str] = field(default_factory=set)
    known: dict[str, str] = field(default_factory=dict)
    """The version that was sent last, by name."""
    rejected: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    """Names of a rejected response with several resources, which are sent one by one."""
    missing: set[str] = field(default_factory=set)
    """Names that the client waits for, to be told if there are no such resources."""
    sent: Push | None = None
    """The response that the client has not answered yet."""
    problem: str = ""

    def wanted(self, found: Mapping[str, Resource]) -> dict[str, Resource]:
        """The resources that the client has asked for."""
        if self.everything:
            return dict(found)
        return {name: resource for name, resource in found.items() if name in self.names}

    def due(self, found: Mapping[str, Resource]) -> dict[str, Resource]:
        """The resources that the client has asked for and does not have."""
        due = {n: r for n, r in self.wanted(found).items() if self.known.get(n) != r.version}
        single = next((name for name in due if name in self.alone), None)
        return due if single is None else {single: due[single]}


class ResourceStream:
    """The state of a stream, without its transport. Times are seconds of a monotonic clock."""

    def __init__(self, *, incremental: bool) -> None:
        self.incremental = incremental
        self.rejections = 0
        """The number of rejected responses."""
        self._channels: dict[str, _Channel] = {}
        self._clusters: dict[str, Resource] = {}
        """The clusters that the client has, as far as they were sent on this stream."""
        self._count = 0
        self._drained_at = 0.0

    @property
    def problem(self) -> str:
        """The client's text about rejected responses, "" if it has accepted all."""
        return "; ".join(each.problem for each in self._channels.values() if each.problem)

    def names(self, type_url: str) -> Collection[str]:
        """The names that the client has asked for."""
        channel = self._channels.get(type_url)
        return channel.names if channel else ()

    def note(self, asked: Asked, now: float) -> None:
        """Note a request."""
        channel = self._channels.get(asked.type_url)
        if channel is None:
            channel = self._channels[asked.type_url] = _Channel(asked.everything, asked.version)
            channel.known.update(asked.versions or {})
            channel.missing |= set(asked.added) - channel.known.keys()
        else:
            # What is asked for again was forgotten.
            channel.missing |= set(asked.added)
            for name in (*asked.added, *asked.dropped):
                channel.known.pop(name, None)
        channel.names = (channel.names | set(asked.added)) - set(asked.dropped)
        channel.missing &= channel.names
        sent = channel.sent
        if sent is not None and asked.nonce == sent.nonce:
            channel.sent = None
            if asked.error is None:
                self._accepted(channel, sent, now)
            else:
                self._rejected(channel, sent, asked.error)

    def _accepted(self, channel: _Channel, sent: Push, now: float) -> None:
        channel.rejected -= sent.changed.keys()
        channel.alone -= sent.changed.keys()
        if not channel.rejected and not channel.alone:
            channel.problem = ""
        if sent.type_url in _ROUTES:
            self._drained_at = now + _DRAIN_SECONDS

    def _rejected(self, channel: _Channel, sent: Push, error: str) -> None:
        self.rejections += 1
        channel.problem = error
        if len(sent.changed) > 1 and self.incremental:
            channel.alone |= sent.changed.keys()
            for name in sent.changed:
                channel.known.pop(name, None)
        else:
            channel.alone -= sent.changed.keys()
            channel.rejected |= sent.changed.keys()

    def awaits(self, push: Push) -> bool:
        """Whether the client has not answered this response yet."""
        return self._channels[push.type_url].sent is push

    def in_step(self, found: Found) -> bool:
        """Whether the client has accepted all that it wants of these resources."""
        return all(self._channel_in_step(type_url, found) for type_url in self._channels)

    def _channel_in_step(self, type_url: str, found: Found) -> bool:
        channel = self._channels.get(type_url)
        return channel is None or not (
            channel.sent or channel.rejected or channel.due(found[type_url])
        )

    def wait(self, now: float) -> float | None:
        """The seconds until `next` may have more without a request; None if it depends on none."""
        left = self._drained_at - now
        return left if left > 0 else None

    def next(self, found: Found, now: float) -> Push | None:
        """The next response that is due; None if there is none now."""
        for type_url in TYPES:
            channel = self._channels.get(type_url)
            if channel is None or channel.sent is not None:
                continue
            if channel.version:
                self._compare(type_url, found[type_url])
            if type_url in _ROUTES and not self._routes_may_follow():
                continue
            changed = channel.due(found[type_url])
            if type_url in _ROUTES:
                changed = self._without_rejected_clusters(changed)
            removed = self._removable(type_url, found, now)
            if changed or removed:
                return self._send(channel, type_url, _portion(changed), removed)
        return None

    def _compare(self, type_url: str, found: Mapping[str, Resource]) -> None:
        """Find out whether the client has these resources, of which it told one version."""
        channel = self._channels[type_url]
        wanted = channel.wanted(found)
        versions = {name: each.version for name, each in wanted.items()}
        if channel.version == _digest(versions):
            channel.known = versions
            if type_url == CLUSTER_TYPE:
                self._clusters = wanted
        channel.version = ""

    def _removable(self, type_url: str, found: Found, now: float) -> list[str]:
        """The names of resources that the client must drop: they were removed, or never existed. A
        cluster stays until the client has no route to it, and keeps its endpoints until then."""
        channel, present = self._channels[type_url], found[type_url]
        gone: set[str] = set()
        if type_url == HOST_TYPE or (type_url == CLUSTER_TYPE and self._routes_settled(found, now)):
            gone = {name for name in channel.known if name not in present}
        if self.incremental:
            gone |= channel.missing - present.keys()
        return sorted(gone)

    def _routes_may_follow(self) -> bool:
        """Whether the client can use the clusters that new routes may lead to."""
        clusters = self._channels.get(CLUSTER_TYPE)
        return clusters is None or clusters.sent is None

    def _without_rejected_clusters(self, routes: Mapping[str, Resource]) -> dict[str, Resource]:
        """The routes that lead to no cluster which the client has rejected: it may not have it."""
        clusters = self._channels.get(CLUSTER_TYPE)
        names = [name.encode() for name in clusters.rejected] if clusters else []
        return {
            name: resource
            for name, resource in routes.items()
            if not any(rejected in resource.content for rejected in names)
        }

    def _routes_settled(self, found: Found, now: float) -> bool:
        """Whether no request uses clusters that the routes do not name."""
        in_step = all(self._channel_in_step(type_url, found) for type_url in _ROUTES)
        return in_step and now >= self._drained_at

    def _send(
        self,
        channel: _Channel,
        type_url: str,
        changed: Mapping[str, Resource],
        removed: Iterable[str],
    ) -> Push:
        removed = list(removed)
        for name in removed:
            channel.known.pop(name, None)
            channel.rejected.discard(name)
            channel.missing.discard(name)
        channel.known.update((name, each.version) for name, each in changed.items())
        channel.missing -= changed.keys()
        if type_url == CLUSTER_TYPE:
            self._clusters = {n: r for n, r in self._clusters.items() if n not in removed}
            self._clusters.update(changed)
            self._resend_endpoints(changed)
        self._count += 1
        version, nonce = _digest(channel.known), str(self._count)
        channel.sent = Push(type_url, nonce, version, changed, removed, self._clusters)
        return channel.sent

    def _resend_endpoints(self, clusters: Iterable[str]) -> None:
        """Send the endpoints of changed clusters again, without which Envoy may wait forever:
        github.com/envoyproxy/go-control-plane/issues/245."""
        channel = self._channels.get(ENDPOINTS_TYPE)
        if channel is not None:
            for name in clusters:
                channel.known.pop(name, None)


def _digest(versions: Mapping[str, str]) -> str:
    """One version of several resources."""
    return hashlib.sha256(repr(sorted(versions.items())).encode()).hexdigest()[:16]


def _portion(changed: Mapping[str, Resource]) -> dict[str, Resource]:
    """The first resources that have at most MOST_BYTES together, but at least one."""
    portion: dict[str, Resource] = {}
    size = 0
    for name, resource in changed.items():
        size += len(resource.content)
        if portion and size > MOST_BYTES:
            break
        portion[name] = resource
    return portion
