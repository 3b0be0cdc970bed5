"""The whole API against a model, with any sequence of calls in any spelling.

The model is a dictionary. Hypothesis generates calls; after each call, the response and the list
must agree with the model. The store is SQLite, on disk.
"""

import asyncio
import contextlib
import ipaddress
import tempfile
from collections.abc import Coroutine
from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.api.application import MAPPINGS, dev_client

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

# Few addresses, so that calls use the same ones: neighbours in order, both families, and the
# special range ::/96.
IPS: list[IP] = [
    ipaddress.ip_address(text)
    for text in ("0.0.0.1", "9.9.9.9", "192.0.2.1", "192.0.2.10", "::1", "::1:2", "2001:db8::1",
                 "2001:db8::a:0:0:1")
]  # fmt: skip
PLACES = [
    ("aws", "us-east-1"),
    ("aws", "us-west-2"),
    ("gcp", "us-central1"),
    ("oci", "uk-london-1"),
]
BAD_PLACES = [("AWS", "us-east-1"), ("aws", "us-central1"), ("", ""), ("gcp", "")]
BAD_TEXTS = ["", "nonsense", "192.0.2.1/32", "0.0.0.0", "ff02::1", "192.0.2.01", "::ffff:224.0.0.1"]


def _spellings(ip: IP) -> list[str]:
    if isinstance(ip, ipaddress.IPv4Address):
        return [str(ip), f"::ffff:{ip}", f"::FFFF:{int(ip) >> 16:x}:{int(ip) & 0xFFFF:x}"]
    return [str(ip), ip.exploded, ip.exploded.upper(), str(ip).upper()]


addresses = st.sampled_from(IPS).flatmap(
    lambda ip: st.tuples(st.just(ip), st.sampled_from(_spellings(ip)))
)
places = st.sampled_from(PLACES)
items = st.one_of(
    st.tuples(addresses, places),
    st.tuples(addresses, st.sampled_from(BAD_PLACES)),
    st.tuples(st.tuples(st.none(), st.sampled_from(BAD_TEXTS)), places),
)


class MappingsMachine(RuleBasedStateMachine):
    """A zone's mappings by canonical address."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[IP, tuple[str, str]] = {}
        self.stamps: dict[IP, str] = {}
        self.loop = asyncio.new_event_loop()
        self.stack = contextlib.AsyncExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.client: httpx.AsyncClient = self._run(
            self.stack.enter_async_context(dev_client(f"{folder}/a.db"))
        )

    def teardown(self) -> None:
        self._run(self.stack.aclose())
        self.loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = self._run(self.client.request(method, MAPPINGS + path, json=body))
        return answer.status_code, answer.json()

    @rule(address=addresses, place=places, body=st.integers(0, 3), encode=st.booleans())
    def put(self, address: tuple[IP, str], place: tuple[str, str], body: int, encode: bool) -> None:
        ip, text = address
        sent = _item(_spellings(ip)[body % len(_spellings(ip))], place)
        path = text.replace(":", "%3A") if encode else text
        status, answer = self._call("PUT", f"/{path}", sent)
        assert status == 200
        result = answer["result"]
        stamp = result.pop("modified_on")
        assert result == _item(str(ip), place)
        if self.model.get(ip) == place:
            assert stamp == self.stamps[ip]
        else:
            assert stamp > self.stamps.get(ip, "")
        self.model[ip], self.stamps[ip] = place, stamp

    @rule(address=addresses, place=st.sampled_from(BAD_PLACES))
    def put_nowhere(self, address: tuple[IP, str], place: tuple[str, str]) -> None:
        status, answer = self._call("PUT", f"/{address[1]}", _item(address[1], place))
        assert (status, answer["errors"][0]["code"]) == (400, 1157)

    @rule(address=addresses)
    def get(self, address: tuple[IP, str]) -> None:
        ip, text = address
        status, answer = self._call("GET", f"/{text}")
        if ip in self.model:
            expected = {**_item(str(ip), self.model[ip]), "modified_on": self.stamps[ip]}
            assert (status, answer["result"]) == (200, expected)
        else:
            assert (status, answer["errors"][0]["code"]) == (404, 1142)

    @rule(address=addresses)
    def delete(self, address: tuple[IP, str]) -> None:
        ip, text = address
        status, answer = self._call("DELETE", f"/{text}")
        if self.model.pop(ip, None):
            assert (status, answer["result"]) == (200, {"origin_ip": str(ip)})
        else:
            assert (status, answer["errors"][0]["code"]) == (404, 1142)

    @rule(batch=st.lists(items, min_size=1, max_size=12))
    def put_many(self, batch: list[tuple[tuple[IP | None, str], tuple[str, str]]]) -> None:
        sent = [_item(text, place) for (_, text), place in batch]
        good: dict[IP, tuple[str, str]] = {}
        for (ip, _), place in batch:
            if ip is not None and place in PLACES and ip not in good:
                good[ip] = place
        status, answer = self._call("PUT", "/batch", sent)
        result = answer["result"]
        assert status == 200
        assert result["succeeded"] == [_item(str(ip), place) for ip, place in good.items()]
        assert len(result["failed"]) == len(batch) - len(good)
        self._take_over(good)

    @rule(batch=st.lists(st.one_of(addresses, st.tuples(st.none(), st.sampled_from(BAD_TEXTS))),
                         min_size=1, max_size=12))  # fmt: skip
    def delete_many(self, batch: list[tuple[IP | None, str]]) -> None:
        gone: dict[IP, tuple[str, str]] = {}
        for ip, _ in batch:
            if ip is not None and ip in self.model:
                gone[ip] = self.model.pop(ip)
        status, answer = self._call("DELETE", "/batch", [text for _, text in batch])
        result = answer["result"]
        assert status == 200
        assert result["succeeded"] == [_item(str(ip), place) for ip, place in gone.items()]
        assert len(result["failed"]) == len(batch) - len(gone)

    @rule(per_page=st.integers(1, 5))
    def every_page(self, per_page: int) -> None:
        seen, page = [], 1
        while True:
            status, answer = self._call("GET", f"?page={page}&per_page={per_page}")
            assert status == 200
            assert answer["result_info"]["count"] == len(answer["result"])
            if not answer["result"]:
                break
            seen += answer["result"]
            page += 1
        assert [entry["origin_ip"] for entry in seen] == self._sorted()
        assert page - 1 == answer["result_info"]["total_pages"]

    @invariant()
    def list_is_the_model(self) -> None:
        status, answer = self._call("GET", "?per_page=100")
        assert status == 200
        assert answer["result"] == [
            {**_item(str(ip), self.model[ip]), "modified_on": self.stamps[ip]}
            for ip in sorted(self.model, key=lambda ip: (ip.version, int(ip)))
        ]
        assert answer["result_info"]["total_count"] == len(self.model)

    def _sorted(self) -> list[str]:
        return [str(ip) for ip in sorted(self.model, key=lambda ip: (ip.version, int(ip)))]

    def _take_over(self, good: dict[IP, tuple[str, str]]) -> None:
        """Record the mappings that a batch wrote, and check that all have one time, later than
        before.
        """
        changed = [ip for ip, place in good.items() if self.model.get(ip) != place]
        listed = {e["origin_ip"]: e for e in self._call("GET", "?per_page=100")[1]["result"]}
        stamps = {listed[str(ip)]["modified_on"] for ip in changed}
        assert len(stamps) <= 1
        for ip in changed:
            stamp = listed[str(ip)]["modified_on"]
            assert stamp > self.stamps.get(ip, "")
            self.model[ip], self.stamps[ip] = good[ip], stamp


def _item(ip: str, place: tuple[str, str]) -> dict[str, str]:
    return {"origin_ip": ip, "vendor": place[0], "region": place[1]}


TestMappings = MappingsMachine.TestCase
TestMappings.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
