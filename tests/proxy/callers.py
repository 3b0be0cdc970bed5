"""Concurrent requests on many connections; the Python clients are too slow for that."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.process import BEARER, ZONE
from tests.proxy.process import ProxyProcess

PATH = f"/zones/{ZONE}/origin/cloud_regions"


class Called(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        return self.json()["result"]


class Sent(NamedTuple):
    """A request; `path` is below the base URL."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = BEARER


def entry(address: str, region: str = "us-east-1") -> dict[str, str]:
    return {"origin_ip": address, "vendor": "aws", "region": region}


def get(address: str) -> Sent:
    return Sent("GET", f"{PATH}/{address}")


def put(address: str, region: str = "us-east-1", **changed: Any) -> Sent:
    body = json.dumps(entry(address, region) | changed)
    return Sent("PUT", f"{PATH}/{address}", body.encode())


def delete(address: str) -> Sent:
    return Sent("DELETE", f"{PATH}/{address}")


async def over(
    connections: int,
    proxy: ProxyProcess,
    addresses: Sequence[str],
    call: Callable[[str], Sent],
) -> dict[str, Called]:
    """Send a request for each address, on a number of connections."""
    answers: dict[str, Called] = {}
    waiting = iter(addresses)
    await asyncio.gather(*(_work(proxy, waiting, call, answers) for _ in range(connections)))
    return answers


async def _work(
    proxy: ProxyProcess,
    addresses: Iterator[str],
    call: Callable[[str], Sent],
    answers: dict[str, Called],
) -> None:
    reader, writer = await _connect(proxy)
    try:
        for address in addresses:
            writer.write(_raw(call(address)))
            answers[address] = await asyncio.wait_for(_read(reader), 30)
    finally:
        writer.close()


async def at_once(proxy: ProxyProcess, *calls: Sent) -> list[Called]:
    """Send requests, each on its own connection; return their responses. The proxy is paused
    meanwhile, so that it receives all of them together, on a slow machine too."""
    with proxy.paused():
        connections = [await _connect(proxy) for _ in calls]
        for (_, writer), call in zip(connections, calls, strict=True):
            writer.write(_raw(call))
    try:
        return await asyncio.gather(
            *(asyncio.wait_for(_read(reader), 30) for reader, _ in connections)
        )
    finally:
        for _, writer in connections:
            writer.close()


async def _connect(proxy: ProxyProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = proxy.url.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def one(proxy: ProxyProcess, call: Sent) -> Called:
    """Send a request."""
    return (await at_once(proxy, call))[0]


def _raw(sent: Sent) -> bytes:
    lines = [f"{sent.method} /client/v4{sent.path} HTTP/1.1", "host: proxy"]
    lines += [f"{name}: {value}" for name, value in sent.headers.items()]
    lines += [f"content-length: {len(sent.body)}"] if sent.body else []
    return "\r\n".join([*lines, "", ""]).encode() + sent.body


async def _read(reader: asyncio.StreamReader) -> Called:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {
        name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)
    }
    body = await reader.readexactly(int(headers["content-length"]))
    return Called(int(first.split()[1]), headers, body)
