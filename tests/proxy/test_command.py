"""The proxy command: errors of its command line, and its output."""

import socket

import pytest
from click.testing import CliRunner

from originmap.cli.main import group
from tests.proxy.process import ProxyProcess

API = "http://127.0.0.1:9/client/v4"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--listen", "0.0.0.0:8787"], "credentials to it in clear text"),
        (["--listen", "[::]:8787"], "add --allow-other-hosts"),
        (["--listen", "8787"], "give HOST:PORT"),
        (["--listen", "::1:8787"], "give HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "give HOST:PORT"),
        (["--listen", "[::1:8787"], "give HOST:PORT"),
        (["--listen", "127.0.0.1:9"], "the proxy would ask itself"),
        (["--listen", "127.0.0.1:0", "--api", "ftp://x"], "the scheme must be http or https"),
        (["--listen", "127.0.0.1:0", "--fresh", "-1"], "--fresh"),
        (["--listen", "127.0.0.1:0", "--wait", "soon"], "--wait"),
    ],
)
def test_the_error_of_a_wrong_command_line_has_a_hint(args: list[str], said: str) -> None:
    done = CliRunner().invoke(group, ["proxy", "--api", API, *args])
    assert done.exit_code == 2
    assert said in done.output


def test_an_address_in_use_is_an_error_with_a_hint(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match="use another --listen; port 0 takes a free port"):
            ProxyProcess(API, tmp_path_factory.mktemp("taken"), ["--listen", f"127.0.0.1:{port}"])


def test_without_a_request_the_proxy_stops_at_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with ProxyProcess(API, tmp_path_factory.mktemp("idle")) as idle:
        assert idle.stop() == (0, 0)
        assert f"Originmap proxy {idle.api} in front of {API}" in idle.printed
        assert f"export CLOUDFLARE_BASE_URL={idle.api}" in idle.printed


def test_the_base_url_has_the_path_of_the_api(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    api = "http://127.0.0.1:9/originmap/client/v4"
    with ProxyProcess(api, tmp_path_factory.mktemp("path")) as below:
        assert below.api.endswith("/originmap/client/v4")
