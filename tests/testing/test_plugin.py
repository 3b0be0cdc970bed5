"""The pytest plugin in separate test runs, like in other projects."""

import sys

import pytest

pytest_plugins = ["pytester"]

PLAIN = (
    *("-p", "no:cacheprovider"),
    *("-p", "no:schemathesis", "-p", "no:hypothesispytest"),  # which take seconds to start
)
"""The options of a run."""

DEPLOY = """
import cloudflare

def deploy(base_url, token, zone_id):
    with cloudflare.Cloudflare(base_url=base_url, api_token=token) as client:
        client.put(
            f"/zones/{zone_id}/origin/cloud_regions/192.0.2.1",
            cast_to=object,
            body={"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"},
        )
"""
TESTS = """
import os
import pytest
from deploy import deploy

def test_origin_is_mapped(originmap):
    deploy(originmap.base_url, originmap.token, originmap.zone_id)
    assert originmap.mappings() == {"192.0.2.1": ("aws", "us-east-1")}
    assert [r.operation for r in originmap.requests] == ["put_mapping"]

def test_each_test_starts_clean(originmap):
    assert originmap.mappings() == {}
    assert len(originmap.requests) == 0

def test_one_process_serves_the_session(originmap, originmap_server):
    assert originmap is originmap_server

def test_the_environment_of_the_official_tools_is_set(originmap, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_API_KEY", "other")
    originmap.setenv(monkeypatch)
    import cloudflare
    with cloudflare.Cloudflare() as client:
        assert str(client.base_url).rstrip("/") == originmap.base_url
        assert client.user.tokens.verify().status == "active"
    assert "CLOUDFLARE_API_KEY" not in os.environ
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(deploy=DEPLOY)
    pytester.makepyfile(TESTS)
    return pytester


def test_the_fixture_gives_each_test_a_clean_server(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess(*PLAIN)
    result.assert_outcomes(passed=4)


def test_each_worker_has_a_server_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(deploy=DEPLOY)
    pytester.makepyfile(
        """
        import pytest
        from deploy import deploy

        @pytest.mark.parametrize("number", range(40))
        def test_only_its_own_mapping_is_there(originmap, number):
            assert originmap.mappings() == {}
            deploy(originmap.base_url, originmap.token, originmap.zone_id)
            assert len(originmap.requests) == 1
        """
    )
    result = pytester.runpytest_subprocess(*PLAIN, "-n", "2")
    result.assert_outcomes(passed=40)


def test_a_test_that_depends_on_a_weaker_fact_than_required_has_an_error(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\noriginmap_basis = published\n")
    pytester.makepyfile(deploy=DEPLOY)
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess(*PLAIN, "-k", "mapped or clean")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*answers rest on less than published facts: 1 observed*"])


def test_settings_are_passed_to_the_server(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\noriginmap_strict = true\noriginmap_rate_limit = 1/300\n")
    pytester.makepyfile(
        """
        import json
        import urllib.error
        import urllib.request
        import pytest

        def status(originmap):
            url = f"{originmap.base_url}/zones?cursor=x"
            request = urllib.request.Request(url)
            request.add_header("Authorization", f"Bearer {originmap.token}")
            with pytest.raises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(request)
            raised.value.close()
            return raised.value.code

        def test_strict_and_limited(originmap):
            assert [status(originmap), status(originmap)] == [400, 429]

        def test_each_test_has_the_whole_quota(originmap):
            assert [status(originmap), status(originmap)] == [400, 429]
        """
    )
    result = pytester.runpytest_subprocess(*PLAIN)
    result.assert_outcomes(passed=2)


def test_a_run_without_the_fixture_loads_no_modules(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            ours = {name for name in sys.modules if name.startswith("originmap")}
            assert ours <= {"originmap", "originmap.pytest_plugin"}
        """
    )
    result = pytester.runpytest_subprocess(*PLAIN)
    result.assert_outcomes(passed=1)


def test_the_server_exits_if_its_test_run_is_killed(pytester: pytest.Pytester) -> None:
    script = pytester.makepyfile(
        run="""
        import os, signal
        from originmap.testing import Server
        server = Server().start()
        print(server.url, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = pytester.run(sys.executable, script)
    url = result.outlines[0]
    gone = pytester.run(sys.executable, "-c", GONE, url)
    assert gone.ret == 0


GONE = """
import sys, time, urllib.request
for _ in range(200):
    try:
        urllib.request.urlopen(sys.argv[1] + "/healthz", timeout=5).close()
    except OSError:
        sys.exit(0)
    time.sleep(0.05)
sys.exit("the server still answers")
"""
