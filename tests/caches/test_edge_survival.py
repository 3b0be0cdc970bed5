"""An agent with kills, disconnects, load and changes by others; nginx represents all caches."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.caches.network import free_port
from tests.caches.node import Visitor, listed
from tests.caches.primary import NEAR_FRA, NEAR_IAD, put
from tests.caches.programs.cache import IP
from tests.caches.programs.nginx import Nginx
from tests.caches.site import Site
from tests.process import COMMAND


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site"), Nginx) as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    running.refresh()
    return running


def test_the_cache_serves_its_last_state_without_the_server(site: Site) -> None:
    strangers = site.edge.said("the file was changed by another program")
    with Visitor(site.cache) as visitor:
        put(site.server, NEAR_FRA)
        site.edge.serves_all(site.server)
        site.cache.comes_to("FRA")
        site.server.kill()
        assert site.edge.stop(signal.SIGKILL) == -signal.SIGKILL
        # As after a reboot: another program changed the file, and there is no server.
        site.file.write_text("upstream")
        site.edge.start()
        site.edge.waits_for(lambda: site.file.read_text() != "upstream", "the file")
        site.cache.comes_to("FRA")
        site.server = site.serve()
        put(site.server, NEAR_IAD)
        site.cache.comes_to("IAD")
    assert visitor.failed == 0
    assert site.edge.said("the file was changed by another program") == strangers + 1
    assert site.edge.stop() == 0


def test_a_burst_of_writes_causes_few_reloads_and_ends_with_the_last_write(site: Site) -> None:
    before = site.edge.said("up to date")
    with Visitor(site.cache) as visitor:
        for n in range(200):
            put(site.server, NEAR_IAD, f"192.0.2.{n}")
        put(site.server, NEAR_FRA, IP)
        site.edge.serves_all(site.server)
        site.cache.comes_to("FRA")
    assert visitor.failed == 0
    assert 1 <= site.edge.said("up to date") - before < 50


def test_a_change_without_an_effect_on_the_files_causes_no_reload(site: Site) -> None:
    # The upper tier of an unmapped origin is the same.
    put(site.server, NEAR_FRA, "198.51.100.77")
    reloads = site.edge.said("up to date")
    site.edge.serves_all(site.server)
    assert site.edge.said("up to date") == reloads


def test_a_failed_check_restores_the_old_file(site: Site) -> None:
    config = site.cache.folder / "nginx.conf"
    good, before = config.read_text(), site.file.read_text()
    with Visitor(site.cache) as visitor:
        config.write_text("nonsense")
        put(site.server, NEAR_FRA)
        site.edge.waits_for(lambda: listed(site.server, site.edge.name)["problem"], "a problem")
        assert "nginx -t" in listed(site.server, site.edge.name)["problem"]
        db = str(site.folder / "dev.db")
        done = subprocess.run([COMMAND, "followers", "--db", db], capture_output=True, text=True)
        assert re.search(r"^sin-nginx .* nginx in SIN +nginx: nginx -t", done.stdout, re.MULTILINE)
        assert site.file.read_text() == before
        site.cache.comes_to("IAD")
        config.write_text(good)
        site.edge.signal(signal.SIGHUP)
        site.cache.comes_to("FRA")
        site.edge.serves_all(site.server)
    assert visitor.failed == 0


def test_a_restart_after_a_kill_during_a_check_restores_the_old_file(
    site: Site,
) -> None:
    before = site.file.read_text()
    slow, begun = site.cache.folder / "slow", site.cache.folder / "begun"
    assert site.edge.stop() == 0
    # The second agent's check never ends: the new file is in place, and no cache has loaded it.
    slow.touch()
    hanging = f"sh -c 'touch {begun}; test ! -e {slow} || sleep 20'"
    site.edge.start("--check", hanging)
    put(site.server, NEAR_FRA)
    site.edge.waits_for(begun.exists, "the check")
    site.edge.stop(signal.SIGKILL)
    assert site.file.read_text() != before
    site.server.kill()
    (site.cache.folder / "nginx.conf").rename(site.cache.folder / "aside")
    try:
        site.edge.start()  # its check fails, so the file in place is the restored one
        site.edge.waits_for(lambda: site.file.read_text() == before, "the old file")
        site.edge.waits_for(
            lambda: site.edge.said("restored the old files of an interrupted update"), "a word"
        )
    finally:
        (site.cache.folder / "aside").rename(site.cache.folder / "nginx.conf")
    site.edge.signal(signal.SIGHUP)
    site.cache.comes_to("FRA")


def test_a_second_agent_with_the_same_state_refuses_to_start(site: Site) -> None:
    done = site.edge.run("--once")
    assert (done.returncode, "--state" in done.stderr) == (1, True)


def test_a_dry_run_prints_what_would_change_and_changes_nothing(site: Site) -> None:
    before = site.file.read_text()
    assert site.edge.stop() == 0
    put(site.server, NEAR_FRA)
    done = site.edge.run("--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"{site.file} would change" in done.stdout
    assert f'-    "example.com/{IP}" originmap_iad_fra;' in done.stdout
    assert site.file.read_text() == before


def test_the_option_once_updates_the_cache_and_exits(site: Site) -> None:
    assert site.edge.stop() == 0
    put(site.server, NEAR_FRA)
    done = site.edge.run("--once")
    assert (done.returncode, done.stdout[:15]) == (0, "nginx: reloaded"), done.stderr
    site.cache.comes_to("FRA")
    site.server.kill()
    done = site.edge.run("--once")
    assert done.returncode == 0
    assert done.stdout.startswith("nginx: nothing to do")
    assert "using the last saved state" in done.stderr


def test_the_option_once_fails_without_state_and_server(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            COMMAND, "edge", "--once", "--follow", f"http://127.0.0.1:{free_port()}",
            "--write", f"json={tmp_path}/originmap.jsonl", "--state", str(tmp_path / "state"),
        ],
        capture_output=True,
        text=True,
        env={"ORIGINMAP_TOKEN": "x"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "originmap: " in done.stderr
