"""`originmap.testing.Server` without pytest's fixtures."""

import asyncio
import subprocess
import sys
import unittest

import httpx
import pytest

from originmap.testing import ControlError, Server


def test_a_server_is_a_context_manager() -> None:
    with Server() as server:
        assert server.mappings() == {}
        url = server.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


async def test_a_server_is_an_asynchronous_context_manager() -> None:
    async with Server() as server, httpx.AsyncClient(base_url=server.base_url) as client:
        client.headers["Authorization"] = f"Bearer {server.token}"
        path = f"/zones/{server.zone_id}/origin/cloud_regions/192.0.2.1"
        await client.put(
            path, json={"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
        )
        assert server.mappings() == {"192.0.2.1": ("aws", "us-east-1")}
        waiting = asyncio.to_thread(server.requests.wait, "get_mapping")
        _, found = await asyncio.gather(client.get(path), waiting)
        assert [r.status for r in found] == [200]


def test_a_server_can_be_used_with_unittest() -> None:
    class Case(unittest.TestCase):
        @classmethod
        def setUpClass(cls) -> None:
            cls.server = Server().start()
            cls.addClassCleanup(cls.server.stop)

        def setUp(self) -> None:
            self.server.reset()

        def test_zone(self) -> None:
            headers = {"Authorization": f"Bearer {self.server.token}"}
            answer = httpx.get(f"{self.server.base_url}/zones", headers=headers)
            assert answer.json()["result"][0]["name"] == "example.com"

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


def test_two_servers_are_independent() -> None:
    with Server() as one, Server() as other:
        assert one.url != other.url
        one.load(one.save().replace("example.com", "example.net"))
        assert "example.com" in other.save()


def test_the_use_of_a_stopped_server_is_an_error() -> None:
    with Server() as server:
        server.control.ask("POST", "/stop")
        server._process._process.wait(20)  # type: ignore[union-attr]
        with pytest.raises(ControlError, match="no answer from the development server at http"):
            server.reset()


def test_the_use_of_a_server_before_its_start_is_an_error() -> None:
    with pytest.raises(AssertionError, match="use it in a with statement"):
        _ = Server().base_url


def test_invalid_options_are_explained() -> None:
    with pytest.raises(ControlError, match="--rate-limit"):
        Server(rate_limit="lots").start()


def test_serve_does_not_import_the_package() -> None:
    program = (
        "import sys, originmap.bootstrap_server, originmap.cli.commands.server.serve;"
        "sys.exit(any(m.startswith(('originmap.dev', 'originmap.testing')) for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
