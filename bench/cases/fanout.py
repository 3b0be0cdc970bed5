"""The messages of the fan-out case, one kind per server.

Event number `n` of a run is about the mapping `dataset.address(n)`. A watcher has received it when
it has read that address and the end of the message.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.harness import dataset

_CHANNEL = b"changes"
# The length of an event in Originmap's feed, so that all servers send the same number of bytes.
_PADDING = b"." * 400


@dataclass(frozen=True)
class Kind:
    """The protocol of the watchers and the writer with one kind of server.

    `write` takes the number of the event and the number of the run. A watcher has received an event
    after `mark` and `end`; the writer has its response after `answered`.
    """

    watch: bytes
    watching: bytes
    mark: Callable[[int], bytes]
    end: bytes
    write: Callable[[int, int], bytes]
    answered: Callable[[bytes], bool]


def _address(number: int) -> str:
    return dataset.address(number % dataset.ZONE_SIZE)


def _put(number: int, run: int) -> bytes:
    region = dataset.region_pair(run)[0]
    request = dataset.put_request(dataset.ZONE, _address(number), region)
    head = (
        f"PUT {request.path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {dataset.TOKEN}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(request.body)}\r\n\r\n"
    )
    return (head + request.body).encode()


def _put_answered(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200") and b'"success":true}' in answer


def _resp(*words: bytes) -> bytes:
    """A command in Redis's protocol (https://redis.io/docs/latest/develop/reference/protocol-
    spec/).
    """
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


def _publish(number: int, run: int) -> bytes:
    return _resp(b"PUBLISH", _CHANNEL, f'"id":"{_address(number)}"'.encode() + _PADDING)


EVENTS = Kind(
    watch=(
        "GET /originmap/v1/changes HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n"
        f"authorization: Bearer {dataset.TOKEN}\r\n\r\n"
    ).encode(),
    watching=b": originmap\n\n\r\n",
    mark=lambda number: f'"id":"{_address(number)}"'.encode(),
    end=b"\n\n\r\n",
    write=_put,
    answered=_put_answered,
)
REDIS = Kind(
    watch=_resp(b"SUBSCRIBE", _CHANNEL),
    watching=b":1\r\n",
    mark=EVENTS.mark,
    end=b"\r\n",
    write=_publish,
    answered=lambda answer: answer.startswith(b":") and answer.endswith(b"\r\n"),
)
KINDS = {"events": EVENTS, "redis": REDIS}
