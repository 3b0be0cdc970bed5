"""Records what a server answers to 2,000 requests over all routes, to compare two versions of it.

    python -m tests.wire_recording record FILE [--command path/to/originmap] [--document FILE]
    python -m tests.wire_recording compare OLD NEW

The requests are the same in every run. They come from the OpenAPI document of the server, or from
another one, so that a version with more routes is asked the same: each path with each
method, credential, query and body in turn, right and wrong ones. IDs, secrets and times are
replaced by names that count them, so that two recordings of the same behaviour are equal.
"""

import argparse
import gzip
import http.client
import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.process import COMMAND, EMAIL, KEY, TOKEN, ZONE

REQUESTS = 2_000
_SHOWN = 2_000
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001%3Adb8%3A%3A2", "::ffff:192.0.2.3",
             "192.0.2.999", "a%2Fb", "0.0.0.0")  # fmt: skip
ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353"
GOOD = {"Authorization": f"Bearer {TOKEN}"}
CREDENTIALS: tuple[dict[str, str], ...] = (
    *[GOOD] * 20, {"X-Auth-Email": EMAIL, "X-Auth-Key": KEY}, {}, {"Authorization": "Basic x"},
    {"Authorization": "Bearer " + "a" * 40}, {"X-Auth-Key": KEY}, {"X-Auth-Email": EMAIL},
)  # fmt: skip
EXTRAS: tuple[dict[str, str], ...] = (
    *[{}] * 16, {"If-Match": "*"}, {"If-Match": '"1"'}, {"If-None-Match": "*"},
    {"Accept-Encoding": "gzip"}, {"X-Forwarded-For": "203.0.113.1"}, {"Accept": "text/html"},
)  # fmt: skip
QUERIES = ("", "", "", "?page=2&per_page=1", "?page=0", "?per_page=1000", "?unknown=1",
           "?name=example.com", "?limit=5", "?since=x", "?colo=SIN&upstream=%7Bcolo%7D.cache:80",
           "?direction=desc", "?zone=example.com", "?ip=192.0.2.1", "?at=1",
           "?whole=true")  # fmt: skip
MAPPING = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
BODIES: tuple[Any, ...] = (
    None, MAPPING, MAPPING | {"origin_ip": "2001:db8::1"}, MAPPING | {"region": "nowhere"},
    MAPPING | {"vendor": 1}, [MAPPING, MAPPING, 5], ["192.0.2.1", "192.0.2.1", None], [], {}, b"{",
    b"\xff", {"value": "on"}, {"value": "off"}, {"paused": True}, {"paused": False},
    {"name": "b.example.com", "account": {"id": ACCOUNT}}, {"name": "-"},
    {"states": {"IAD": "draining"}}, {"states": {"IAD": "active"}}, {"addresses": ["192.0.2.1"]},
    {"to": 1}, {"node": {"locality": {"zone": "SIN"}}}, {"action": "start", "stages": ["100%"]},
)  # fmt: skip
# Records that all other requests need.
_NEEDED = re.compile(rf"/(zones|tokens)/{ZONE}(/value)?/?(\?|$)")
POLICY = {
    "effect": "allow", "permission_groups": [{"id": "517b21aee92c4d89936c976ba6e4be55"}],
    "resources": {f"com.cloudflare.api.account.zone.{ZONE}": "*"},
}  # fmt: skip
FITTING: tuple[tuple[str, Any], ...] = (
    ("cloud_regions/{origin_ip}", MAPPING), ("cloud_regions/batch", [MAPPING]),
    ("cloud_regions/batch", ["192.0.2.1"]), ("origin_cloud_regions", MAPPING | {"ip": "192.0.2.1"}),
    ("tokens", {"name": "t", "policies": [POLICY]}), ("tier", {"value": "on"}),
    ("/zones/{zone_id}", {"paused": False}), ("topology", {"states": {"IAD": "draining"}}),
    ("topology", {"states": {"IAD": "active"}}), ("detect", {"addresses": ["192.0.2.1"]}),
    ("rollback", {"revision": 9}), ("whatif", {"states": {"IAD": "down"}}),
)  # fmt: skip


class Server(NamedTuple):
    """The address on which the server listens."""

    host: str
    port: int


class Names:
    """Replaces values that differ between runs by the names <id1>, <id2>, …"""

    _VARIES = re.compile(
        r"\d{4}-\d\d-\d\dT[0-9:.]+Z|\b[0-9a-f]{32}\b|\b[0-9a-f]{64}\b|(?<=value\\\":\\\")[\w-]{40}"
        r"|\b[0-9a-f]{16}(?=[-\\\\\"])|\b1[78][0-9]{14}\b"
    )
    _STAY = frozenset({ZONE, ACCOUNT})

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def replace(self, text: str) -> str:
        """`text` with names in place of the values that vary."""
        return self._VARIES.sub(self._name, text)

    def _name(self, match: re.Match[str]) -> str:
        text = match[0]
        if text in self._STAY:
            return text
        if re.match(r"\d{4}-\d\d-\d\dT", text) or (len(text) == 16 and text.isdigit()):
            return "<time>"
        return self._names.setdefault(text, f"<id{len(self._names) + 1}>")


def requests(paths: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, str], Any]]:
    """Method, URL, headers and body of each request."""
    chance = random.Random(2_000)
    templates = sorted(paths)
    served = [
        (template, method.upper())
        for template in templates
        for method in sorted(paths[template])
        if method.upper() in METHODS
    ]
    for template, method in itertools.cycle(served):
        stray = chance.random() < 0.05
        path = template + ("/" if chance.random() < 0.02 else "")
        query = chance.choice(QUERIES) if method == "GET" or chance.random() < 0.1 else ""
        url = _filled(path, chance) + query
        headers = chance.choice(CREDENTIALS) | chance.choice(EXTRAS)
        used = chance.choice(METHODS) if stray else method
        if used in ("DELETE", "PUT") and re.search(
            rf"/(zones|tokens)/{ZONE}(/value)?/?(\?|$)", url
        ):
            continue  # records that all other requests need
        yield used, url, headers, _body(template, chance) if used not in ("GET", "HEAD") else None


def _body(template: str, chance: random.Random) -> Any:
    """A body, in most cases one that the route accepts."""
    fitting = [body for part, body in FITTING if part in template]
    return chance.choice(fitting if fitting and chance.random() < 0.6 else BODIES)


def _filled(template: str, chance: random.Random) -> str:
    values = {
        "origin_ip": chance.choice(ADDRESSES),
        "zone": chance.choice(("example.com", "example.com", ZONE, "nowhere.example")),
        "format": chance.choice(("csv", "jsonl", "nginx", "haproxy", "envoy", "mmdb", "nothing")),
        "name": "sin-1",
    }
    return re.sub(
        r"\{(\w+)(?::\w+)?\}",
        lambda m: values.get(m[1], chance.choice((*[ZONE] * 8, "0" * 32, "x"))),
        template,
    )


def record(command: str, described: Path | None) -> Iterator[str]:
    """A line for each request with its response."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [command, "dev", "--port", "0", "--db", f"{folder}/r.db", "--enable-v1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
        )  # fmt: skip
        try:
            server = _listening(process)
            own = _ask(server, "GET", "/originmap/v1/openapi.json", {}, None)[2]
            document = json.loads(described.read_text("utf-8") if described else own)
            names = Names()
            for number, sent in enumerate(itertools.islice(requests(document["paths"]), REQUESTS)):
                method, url, headers, body = sent
                status, answered, content = _ask(server, method, url, headers, body)
                if url.startswith("/metrics"):
                    content = "".join(sorted(set(re.findall(r"^# \w+ \w+", content, re.M))))
                    answered.pop("content-length", None)
                if url.startswith("/originmap/v1/openapi.json") and status == 200:
                    content = ""  # the requests compare the routes
                    answered.pop("content-length", None)
                if url.startswith("/originmap/v1/snapshot"):  # ordered by IDs, which vary
                    content = "".join(sorted(re.findall(r'"kind":"\w+"', content)))
                if "application/octet-stream" in answered.get("content-type", ""):
                    content = f"{len(content)} characters"  # one of them is the time
                shown = {
                    "number": number, "method": method, "url": url, "headers": headers,
                    "body": body if not isinstance(body, bytes) else repr(body),
                    "status": status, "answered": answered, "content": content,
                }  # fmt: skip
                yield names.replace(json.dumps(shown, sort_keys=True))
        finally:
            process.terminate()
            process.wait(20)


def _listening(process: "subprocess.Popen[str]") -> Server:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"(http://\S+)/client/v4", line):
            parts = urlsplit(found[1])
            assert parts.hostname
            assert parts.port
            return Server(parts.hostname, parts.port)
    raise SystemExit("the server ended before it listened")


def _ask(
    server: Server, method: str, url: str, headers: dict[str, str], body: Any
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, url, content, headers)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    answered = {k.lower(): v for k, v in answer.getheaders() if k.lower() not in ("date", "cf-ray")}
    if answered.get("content-encoding") == "gzip" and data:
        data = gzip.decompress(data)
    return answer.status, answered, data.decode("utf-8", "backslashreplace")


def compare(old: Path, new: Path) -> int:
    """Print the requests with different responses; return their number."""
    before, after = old.read_text("utf-8").splitlines(), new.read_text("utf-8").splitlines()
    different = [pair for pair in itertools.zip_longest(before, after) if pair[0] != pair[1]]
    for first, second in different[:20]:
        print(f"- {str(first)[:_SHOWN]}\n+ {str(second)[:_SHOWN]}")
    print(f"{len(different)} of {max(len(before), len(after))} requests have different responses")
    return len(different)


def main() -> None:
    """The command-line arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    recording = actions.add_parser("record")
    recording.add_argument("file", type=Path)
    recording.add_argument("--command", default=COMMAND)
    recording.add_argument("--document", type=Path)
    comparing = actions.add_parser("compare")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    given = parser.parse_args()
    if given.action == "compare":
        sys.exit(min(compare(given.old, given.new), 1))
    started = time.monotonic()
    lines = list(record(given.command, given.document))
    given.file.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines)} requests recorded in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
