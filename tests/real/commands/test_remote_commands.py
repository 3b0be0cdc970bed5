"""Operator commands over TCP, with a token of each kind of access."""

from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from originmap import data
from originmap.cli import main
from tests.hook.post import SECRET
from tests.hook.receiver import Receiver
from tests.process import BEARER, TOKEN, ZONE, Server
from tests.real.command import output, run

RIGHTS = ("everything", "write", "read", "edge", "replicate", "unknown")
# Addresses, because a machine without a network looks a name up for five seconds.
UPSTREAM = [
    word for colo in data.topology().colos for word in ("--upstream", f"{colo.code}=192.0.2.1:80")
]

# For each kind of access, in the order of RIGHTS: whether the command is executed.
TABLE = """
zone list                               yes yes yes no  no  no
zone create NEW                         yes no  no  no  no  no
token list                              yes no  no  no  no  no
token create t --access edge            yes no  no  no  no  no
token revoke TOKEN                      yes no  no  no  no  no
resolve example.com 192.0.2.1           yes yes yes yes yes no
resolve example.com 192.0.2.1 --explain yes yes yes yes yes no
pool list example.com                   yes yes yes no  no  no
pool set example.com web 192.0.2.1      yes yes no  no  no  no
pool remove example.com POOL            yes yes no  no  no  no
topology show                           yes yes yes yes yes no
topology set TOPOLOGY                   yes no  no  no  no  no
topology drain IAD                      yes no  no  no  no  no
topology activate IAD                   yes no  no  no  no  no
topology down IAD                       yes no  no  no  no  no
topology rebalance                      yes no  no  no  no  no
cache add EWR CACHE 192.0.2.11          yes no  no  no  no  no
cache set iad-1 --weight 2              yes no  no  no  no  no
cache drain iad-1                       yes no  no  no  no  no
cache down iad-1                        yes no  no  no  no  no
cache activate iad-1                    yes no  no  no  no  no
cache remove iad-2                      yes no  no  no  no  no
cache list                              yes yes yes yes yes no
cache import CACHES                     yes no  no  no  no  no
cache import CACHES --dry-run           yes yes yes yes yes no
cache export                            yes yes yes yes yes no
catalogue show                          yes yes yes yes yes no
catalogue add acme a-1 POSITION         yes no  no  no  no  no
catalogue import REGIONS                yes no  no  no  no  no
catalogue remove acme b-1               yes no  no  no  no  no
whatif --drain IAD                      yes yes yes no  no  no
audit-mappings example.com RANGES       yes yes yes no  no  no
audit                                   yes no  no  no  no  no
history example.com                     yes yes yes no  no  no
diff example.com 0                      yes yes yes no  no  no
rollback example.com --to 0 --dry-run   yes yes no  no  no  no
followers                               yes no  no  no  no  no
rollout status                          yes no  no  yes yes no
rollout hold                            yes no  no  no  no  no
rollout start --stages 100% --by-hand    yes no  no  no  no  no
rollout advance                         yes no  no  no  no  no
rollout pause                           yes no  no  no  no  no
rollout resume --by-hand                yes no  no  no  no  no
rollout abort                           yes no  no  no  no  no
rollout kill                            yes no  no  no  no  no
rollout finish --yes                    yes no  no  no  no  no
hook add HOOK --on drift                yes no  no  no  no  no
hook list                               yes no  no  no  no  no
hook test SPARE                         yes no  no  no  no  no
hook dead SPARE                         yes no  no  no  no  no
hook retry SPARE                        yes no  no  no  no  no
hook discard SPARE --revision 1         yes no  no  no  no  no
hook remove SPARE                       yes no  no  no  no  no
report drift DRIFT                      yes no  no  no  no  no
report ranges RANGES                    yes no  no  no  no  no
promote                                 yes no  no  no  no  no
export nginx UPSTREAM                   yes yes yes yes yes no
export haproxy UPSTREAM OUT             yes yes yes yes yes no
export varnish UPSTREAM                 yes yes yes yes yes no
export trafficserver UPSTREAM OUT       yes yes yes yes yes no
export envoy UPSTREAM OUT               yes yes yes yes yes no
export mmdb                             yes yes yes yes yes no
export csv                              yes yes yes yes yes no
export json                             yes yes yes yes yes no
"""
ROWS = [(line[:40].split(), line[40:].split()) for line in TABLE.splitlines() if line]
CONFLICTS = ("rollout advance", "rollout pause", "rollout resume", "rollout start", "rollout abort")
"""Steps that the rollout's state may not allow; their error is about the state."""
REGIONS = "- {vendor: acme, region: b-1, latitude: 50, longitude: 8}\n"
SAMPLE = Path(__file__).parents[2] / "detect" / "files" / "aws.json"


class Remote:
    """A server, a token of each kind of access, and input files of commands."""

    def __init__(self, server: Server, folder: Path, receiver: Receiver) -> None:
        self.server = server
        self.folder = folder
        self.receiver = receiver
        self.tokens = {"unknown": "x" * 40}
        self.made = 0
        for access in RIGHTS[:-1]:
            self.tokens[access] = self._token(access)
        caches = {"iad-1": "192.0.2.8", "iad-2": "192.0.2.9"}
        body = {"caches": {n: {"colo": "IAD", "address": ip} for n, ip in caches.items()}}
        url = f"{server.url}/originmap/v1/topology"
        httpx.patch(url, json=body, headers=BEARER).raise_for_status()
        topology = httpx.get(url, headers=BEARER)
        (folder / "topology.json").write_text(topology.text.partition('"result":')[2][:-16])
        (folder / "regions.yaml").write_text(REGIONS)
        output("ranges", "import", SAMPLE, "--ranges", folder / "ranges")
        (folder / "mappings.yaml").write_text("zones: {example.com: {mappings: {}}}\n")
        drift = ("drift", folder / "mappings.yaml", "--report", folder / "drift.json")
        run(*drift, "--api", server.api, env={"CLOUDFLARE_API_TOKEN": TOKEN})
        (folder / "hook.secret").touch(0o600)
        (folder / "hook.secret").write_text(SECRET)

    def _token(self, access: str) -> str:
        body = {"name": access, "access": access}
        answer = httpx.post(
            f"{self.server.url}/originmap/v1/tokens", json=body, headers=BEARER
        ).raise_for_status()
        return str(answer.json()["result"]["secret"])

    def spare_token(self) -> str:
        """The ID of a token that the test can revoke."""
        body = {"name": "spare", "access": "read"}
        url = f"{self.server.url}/originmap/v1/tokens"
        return str(httpx.post(url, json=body, headers=BEARER).json()["result"]["id"])

    def _caches(self) -> str:
        """A file with a cache that does not exist yet."""
        file = self.folder / "caches.csv"
        file.write_text(f"colo,name,address\nLHR,lhr-{self.made},198.51.100.{self.made}\n")
        return str(file)

    def spare_pool(self) -> str:
        """The name of a pool that the test can remove."""
        body = {"pools": [{"name": "spare", "members": ["192.0.2.9"]}]}
        url = f"{self.server.url}/originmap/v1/zones/{ZONE}/pools"
        httpx.put(url, json=body, headers=BEARER).raise_for_status()
        return "spare"

    def spare_hook(self) -> str:
        """The name of a hook that the test can remove."""
        body = {"name": "spare", "url": self.receiver.url, "on": ["drift"], "secret": SECRET}
        httpx.post(f"{self.server.url}/originmap/v1/hooks", json=body, headers=BEARER)
        return "spare"

    def run(self, right: str, words: list[str]) -> Result:
        args = list[str]()
        for word in words:
            args += {
                "NEW": [f"new-{self.made}.example"],
                "TOKEN": [self.spare_token() if "revoke" in words else word],
                "POOL": [self.spare_pool() if "remove" in words else word],
                "SPARE": [self.spare_hook() if "hook" in words else word],
                "HOOK": [self.receiver.url, "--secret-file", str(self.folder / "hook.secret")],
                "DRIFT": [str(self.folder / "drift.json")],
                "TOPOLOGY": [str(self.folder / "topology.json")],
                "CACHE": [f"ewr-{self.made}"],
                "CACHES": [self._caches()],
                "POSITION": ["--latitude", "50.1", "--longitude", "8.7"],
                "REGIONS": [str(self.folder / "regions.yaml")],
                "RANGES": ["--ranges", str(self.folder / "ranges")],
                "UPSTREAM": UPSTREAM,
                "OUT": ["--out", str(self.folder / "out")],
            }.get(word, [word])
        self.made += 1
        args += ["--server", self.server.url]
        env = {"ORIGINMAP_TOKEN": self.tokens[right]}
        return CliRunner().invoke(main.group, args, env=env)


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("remote")
    args = ["--no-log-requests"]
    with Receiver() as receiver, Server(str(folder / "dev.db"), folder, args=args) as server:
        yield Remote(server, folder, receiver)


@pytest.mark.parametrize(("words", "expected"), ROWS, ids=[" ".join(words) for words, _ in ROWS])
def test_each_kind_of_access_can_run_exactly_its_commands(
    remote: Remote, words: list[str], expected: list[str]
) -> None:
    told = {}
    for right in RIGHTS:
        done = remote.run(right, words)
        said = str(done.exception)
        assert done.exception is None or ": 40" in said, (right, said)
        refused = ": 403: " in said or ": 401: " in said
        told[right] = "no" if refused else "yes"
        if not refused and done.exit_code:
            assert " ".join(words[:2]) in CONFLICTS, said
    assert told == dict(zip(RIGHTS, expected, strict=True))


def test_every_command_that_uses_a_server_is_in_the_table() -> None:
    def walk(command: click.Command, name: str) -> Iterator[str]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for each in command.list_commands(context):
                found = command.get_command(context, each)
                assert found is not None
                yield from walk(found, f"{name} {each}".strip())
        elif any(option.name == "context" for option in command.params):
            yield name

    wanted = set(walk(main.group, ""))
    named = {" ".join(words) for words, _ in ROWS}
    missing = {name for name in wanted if not any(row.startswith(name) for row in named)}
    assert not missing


def test_a_token_of_a_colo_reports_only_as_that_colo(remote: Remote) -> None:
    body = {"name": "sin-1", "access": "edge", "colo": "SIN"}
    url = f"{remote.server.url}/originmap/v1"
    made = httpx.post(f"{url}/tokens", json=body, headers=BEARER).json()["result"]
    signed = {"Authorization": f"Bearer {made['secret']}"}
    report = {"revision": 1, "serves": "nginx", "applied": 1}

    def report_as(colo: str) -> int:
        answer = httpx.put(f"{url}/followers/n", json={**report, "colo": colo}, headers=signed)
        return answer.status_code

    assert (report_as("SIN"), report_as("FRA")) == (200, 403)


def test_a_command_prints_the_same_over_every_connection(remote: Remote, tmp_path: Path) -> None:
    item = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    url = f"{remote.server.mappings}/192.0.2.1"
    httpx.put(url, json=item, headers=BEARER).raise_for_status()
    local = CliRunner()
    for words in ("zone list", "topology show", "history example.com", f"resolve {ZONE} 192.0.2.1",
                  "diff example.com 0 --json", "export csv", "rollout status"):  # fmt: skip
        here = local.invoke(
            main.group, [*words.split(), "--db", str(remote.folder / "dev.db")]
        ).output
        assert here
        there = local.invoke(
            main.group,
            [*words.split(), "--server", remote.server.url],
            env={"ORIGINMAP_TOKEN": TOKEN},
        ).output
        assert there == here
