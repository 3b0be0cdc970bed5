"""The messages of the fan-out case, one kind per server.

Event number `n` of a run is about the mapping `dataset.address(n)`. A watcher has received it when
it has read that address and the end of the message.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from bench.harness import dataset

_CHANNEL = b"changes"
# The length of an event in Originmap's feed, so that all servers send the same number of bytes.
_PADDING = b"." * 400


@dataclass(frozen=True)
class Kind:
    """The protocol of the watchers and the writer with one kind of server.

    `watch` takes the number of the watcher, `write` the number of the event and the number of the
    run. A watcher has received an event after `mark` and `end`; the writer has its response after
    `answered`.
    """

    watch: Callable[[int], bytes]
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


_EVENT_STREAM = (
    "GET /originmap/v1/changes HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n"
    f"authorization: Bearer {dataset.TOKEN}\r\n\r\n"
).encode()
_CONNECT = b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'
STREAM, BARE_STREAM = "ORIGINMAP", "BARE"
"""The streams of originmap publish nats, and of a writer without it."""


def _message(subject: str, number: int, reply: str = "") -> bytes:
    """A message in the protocol of NATS (https://docs.nats.io/reference/reference-protocols)."""
    body = f'"id":"{_address(number)}"'.encode() + _PADDING
    return f"PUB {subject} {reply} {len(body)}\r\n".encode() + body + b"\r\n"


def _consume(stream: str) -> Callable[[int], bytes]:
    """An ordered consumer for each watcher, from the next message on. Its subject is new, because
    the server keeps those of an earlier process for some seconds, which would deliver too."""

    def watch(number: int) -> bytes:
        deliver, reply = (f"_INBOX.{use}.{os.getpid()}.{number}" for use in ("bench", "reply"))
        config = {
            "deliver_subject": deliver,
            "deliver_policy": "new",
            "ack_policy": "none",
            "max_deliver": 1,
            "mem_storage": True,
            "num_replicas": 1,
        }
        body = json.dumps({"stream_name": stream, "config": config}).encode()
        return (
            _CONNECT
            + f"SUB {deliver} 1\r\nSUB {reply} 2\r\n".encode()
            + f"PUB $JS.API.CONSUMER.CREATE.{stream} {reply} {len(body)}\r\n".encode()
            + body
            + b"\r\n"
        )

    return watch


def _store(number: int, run: int) -> bytes:
    opening = _CONNECT + b"SUB _INBOX.writer 1\r\n" if number == 0 else b""
    return opening + _message(f"{BARE_STREAM}.bench", number, "_INBOX.writer")


def _send(number: int, run: int) -> bytes:
    return (_CONNECT if number == 0 else b"") + _message("bench", number) + b"PING\r\n"


EVENTS = Kind(
    watch=lambda number: _EVENT_STREAM,
    watching=b": originmap\n\n\r\n",
    mark=lambda number: f'"id":"{_address(number)}"'.encode(),
    end=b"\n\n\r\n",
    write=_put,
    answered=_put_answered,
)
REDIS = Kind(
    watch=lambda number: _resp(b"SUBSCRIBE", _CHANNEL),
    watching=b":1\r\n",
    mark=EVENTS.mark,
    end=b"\r\n",
    write=_publish,
    answered=lambda answer: answer.startswith(b":") and answer.endswith(b"\r\n"),
)
JETSTREAM = Kind(
    watch=_consume(STREAM),
    watching=b'"num_pending"',
    mark=EVENTS.mark,
    end=b"\r\n",
    write=_put,
    answered=_put_answered,
)
BARE_JETSTREAM = Kind(
    watch=_consume(BARE_STREAM),
    watching=b'"num_pending"',
    mark=EVENTS.mark,
    end=b"\r\n",
    write=_store,
    answered=lambda answer: b'"seq":' in answer and answer.endswith(b"\r\n"),
)
NATS = Kind(
    watch=lambda number: _CONNECT + b"SUB bench 1\r\nPING\r\n",
    watching=b"PONG\r\n",
    mark=EVENTS.mark,
    end=b"\r\n",
    write=_send,
    answered=lambda answer: b"PONG\r\n" in answer,  # an INFO can follow
)
KINDS = {
    "events": EVENTS,
    "redis": REDIS,
    "jetstream": JETSTREAM,
    "bare-jetstream": BARE_JETSTREAM,
    "nats": NATS,
}
