"""The options of `originmap edge`."""

from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from originmap.cli.commands.server.edge import command, duties_of, woken
from originmap.edge.errors import FileTaken
from originmap.edge.file_lock import locked
from originmap.edge.target import Duty

NGINX, HAPROXY = "nginx=/etc/nginx/originmap.conf", "haproxy=/etc/haproxy"
ATS, LOCK = "trafficserver=/etc/trafficserver", Path("/run/trafficserver/manager.lock")


def duties(
    writes: Sequence[str],
    checks: Sequence[str] = (),
    reloads: Sequence[str] = (),
    sockets: Sequence[str] = (),
) -> list[Duty]:
    return duties_of(writes, checks, reloads, sockets, alone=True)


def texts(duty: Duty) -> tuple[list[str], list[str]]:
    return [c.text for c in duty.checks], [c.text for c in duty.reloads]


def test_an_option_without_a_format_applies_to_the_only_format() -> None:
    (duty,) = duties([NGINX], ["nginx -t"], ["nginx -s reload", "logger a=b"])
    assert texts(duty) == (["nginx -t"], ["nginx -s reload", "logger a=b"])
    assert duty.places == [Path("/etc/nginx/originmap.conf")]


def test_with_several_formats_each_option_names_its_format() -> None:
    given = ["haproxy=systemctl reload haproxy", "nginx=nginx -s reload"]
    first, second = duties([NGINX, HAPROXY], [], given, ["haproxy=/run/haproxy/admin.sock"])
    assert texts(first) == ([], ["nginx -s reload"])
    assert texts(second) == ([], ["systemctl reload haproxy"])
    assert second.socket == Path("/run/haproxy/admin.sock")
    assert [path.name for path in second.places] == ["originmap.map", "originmap.cfg"]


def test_the_manager_option_belongs_to_traffic_server() -> None:
    given = duties([NGINX, ATS], [], ["trafficserver=traffic_ctl config reload"])
    assert [duty.manager for duty in woken(given, LOCK)] == [None, LOCK]
    assert [duty.manager for duty in woken(given, None)] == [None, None]


@pytest.mark.parametrize(("write", "reloads"), [(NGINX, ["nginx -s reload"]), (ATS, [])])
def test_a_manager_without_a_reload_of_traffic_server_is_refused(
    write: str, reloads: list[str]
) -> None:
    with pytest.raises(click.UsageError, match="--traffic-manager is for trafficserver, with"):
        woken(duties([write], [], reloads), LOCK)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (([],), "--write is needed"),
        ((["nginx"],), "FORMAT=PATH"),
        ((["nginx="],), "FORMAT=PATH"),
        ((["squid=/etc/squid"],), "no format squid"),
        (([NGINX, NGINX],), "twice"),
        (([NGINX, HAPROXY], ["nginx -t"]), "say for which"),
        (([NGINX], ["nginx -t '"]), "not a command"),
        (([NGINX], [], ["x"], ["/run/socket"]), "--runtime is for haproxy"),
        (([HAPROXY], [], [], ["/run/socket"]), "--reload for all but maps"),
        ((["csv=/"],), "/ is no file"),
        ((["csv=/dev/null"],), "/dev/null is no file"),
        ((["csv=/etc/x/one", "json=/etc/x/../x/one"],), "csv and json would both be"),
        ((["nginx=/etc/haproxy/originmap.cfg", HAPROXY],), "would both be"),
        ((["csv=/etc/envoy/eds/x", "envoy=/etc/envoy"],), "csv: /etc/envoy/eds is for files of"),
        ((["csv=/etc/envoy/eds", "envoy=/etc/envoy"],), "csv: /etc/envoy/eds is for files of"),
        ((["envoy=/etc/envoy"], ["envoy --mode validate"]), "too late"),
    ],
)
def test_invalid_input_is_refused(given: tuple[list[str], ...], says: str) -> None:
    with pytest.raises(click.UsageError, match=says):
        duties(*given)


@pytest.mark.parametrize(
    ("options", "token", "says"),
    [
        (["--name", "a/../b"], "token", "up to 64 letters"),
        (["--name", "a\nb"], "token", "up to 64 letters"),
        ([], "t\xf6ken", "characters that are in none"),
        (["--token-file", __file__], "", "characters that are in none"),
    ],
)
def test_invalid_input_is_refused_before_a_request(
    options: list[str], token: str, says: str
) -> None:
    server = ["--follow", "http://127.0.0.1:1", "--write", "csv=/nowhere/file", *options]
    done = CliRunner().invoke(command, server, env={"ORIGINMAP_TOKEN": token})
    assert (done.exit_code, says in done.output) == (2, True), done.output


def test_an_invalid_url_is_refused(tmp_path: Path) -> None:
    given = ["--write", "csv=/nowhere/file", "--state", str(tmp_path), "--once"]
    done = CliRunner().invoke(
        command, ["--follow", "http://[::1", *given], env={"ORIGINMAP_TOKEN": "token"}
    )
    assert done.exit_code == 2
    assert "'[::1' is not an IPv6 address in brackets" in done.output


def test_a_file_of_another_agent_is_not_written(tmp_path: Path) -> None:
    given = ["--write", f"csv={tmp_path / 'file'}", "--state", str(tmp_path / "state"), "--once"]
    with locked([tmp_path / "file"]):
        follow = ["--follow", "http://127.0.0.1:1", *given]
        shown = CliRunner().invoke(command, follow, env={"ORIGINMAP_TOKEN": "token"})
    assert isinstance(shown.exception, FileTaken)
