"""plan, apply and drift of the installed command, against a real server."""

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faulty import Proxy, Seen, cut_after, cut_before, half_applied, refuse
from tests.process import BEARER, EMAIL, KEY, ZONE, Server
from tests.real.commands.planner import Planner, ips

FULL = 3500


@pytest.fixture
def proxy(dev: Server) -> Iterator[Proxy]:
    with Proxy(dev.url) as proxy:
        yield proxy


@pytest.fixture
def user(tmp_path: Path, proxy: Proxy) -> Planner:
    return Planner(tmp_path, proxy.api)


def live(server: Server) -> dict[str, str]:
    found: dict[str, str] = {}
    with httpx.Client(headers=BEARER) as client:
        for page in range(1, 100):
            url = f"{server.mappings}?page={page}&per_page=100"
            entries = client.get(url).json()["result"]
            found |= {e["origin_ip"]: f"{e['vendor']}/{e['region']}" for e in entries}
            if not entries:
                return found
    raise AssertionError("too many pages")


def lines(addresses: list[str], place: str = "aws/us-east-1") -> list[str]:
    return [f"{ip}: {place}" for ip in addresses]


def test_a_full_zone_needs_35_writes_and_36_pages(user: Planner, proxy: Proxy, dev: Server) -> None:
    file = user.zone(lines(ips(FULL)))
    assert user.run("apply", file, "--yes").status == 0
    assert proxy.writes <= 35
    assert len(live(dev)) == FULL

    proxy.seen.clear()
    planned = user.run("plan", file)
    assert (planned.status, planned.err) == (0, "")
    assert planned.out.startswith("nothing to do: 3,500 mappings as planned\n")
    assert proxy.writes == 0
    assert 0 < proxy.lists <= 36

    proxy.seen.clear()
    moved = user.zone(lines(ips(FULL), "gcp/us-central1"))
    assert user.run("apply", moved, "--yes", "--allow-mass-change").status == 0
    assert proxy.writes <= 35
    assert set(live(dev).values()) == {"gcp/us-central1"}


def test_a_full_zone_is_planned_and_applied_within_cloudflares_rate_limit(
    tmp_path: Path,
) -> None:
    limited = ["--rate-limit", "cloudflare"]
    with Server(":memory:", tmp_path, args=limited) as server, Proxy(server.url) as proxy:
        user = Planner(tmp_path, proxy.api)
        file = user.zone(lines(ips(FULL)))
        done = user.run("apply", file, "--yes")
        assert (done.status, done.err) == (0, "")
        assert user.run("plan", file).status == 0
        assert len(proxy.seen) < 1200


def test_apply_waits_instead_of_exceeding_the_rate_limit(tmp_path: Path) -> None:
    with Server(":memory:", tmp_path, args=["--rate-limit", "10/3"]) as server:
        user = Planner(tmp_path, server.api)
        done = user.run("apply", user.zone(lines(ips(700))), "--yes")
        assert done.status == 0
        assert "waiting" in done.err
        logged = [json.loads(line) for line in server.log.read_text().splitlines()]
        assert {line["status"] for line in logged if line["event"] == "request"} == {200}


def test_a_plan_lists_changes_and_moved_upper_tiers(user: Planner) -> None:
    user.run("apply", user.zone([*lines(ips(2)), "192.0.2.1: oci/uk-london-1"]), "--yes")
    file = user.zone(["10.0.0.1: aws/us-west-2", *lines(["10.0.0.2", "2001:db8::1"])])
    planned = user.run("plan", file)
    assert planned.status == 2
    assert planned.out == (
        "zone example.com\n"
        "  ~ 10.0.0.1     aws/us-east-1 -> aws/us-west-2\n"
        "  - 192.0.2.1    oci/uk-london-1\n"
        "  + 2001:db8::1  aws/us-east-1\n"
        "\n"
        "upper tiers move for 3 origins, whose caches start cold:\n"
        "  any colo to IAD: 1 of example.com\n"
        "  IAD to SEA: 1 of example.com\n"
        "  LHR to any colo: 1 of example.com\n"
        "\n"
        "1 to create, 1 to change, 1 to delete; 1 stay (2 writes)\n"
        f"digest {re.search('[0-9a-f]{64}', planned.out)[0]}\n"
    )
    assert "more than 30 %" in planned.err


def test_a_plan_can_be_printed_as_json(user: Planner) -> None:
    planned = user.run("plan", user.zone(lines(["192.0.2.1"])), "--json")
    document = json.loads(planned.out)
    assert planned.status == 2
    assert document["writes"] == 1
    assert document["upper_tiers"] == [
        {"zone": "example.com", "old": None, "new": "IAD", "origins": 1}
    ]
    (zone,) = document["zones"]
    assert (zone["id"], zone["name"]) == (ZONE, "example.com")
    new = {"vendor": "aws", "region": "us-east-1"}
    assert zone["creates"] == [{"origin_ip": "192.0.2.1", "old": None, "new": new}]


def test_a_plan_can_be_printed_as_markdown(user: Planner) -> None:
    out = user.run("plan", user.zone(lines(["192.0.2.1"])), "--markdown").out
    assert "| + | `192.0.2.1` |  | `aws/us-east-1` |" in out
    assert "| `example.com` | any colo | IAD | 1 |" in out


def test_colours_are_used_only_on_a_terminal(user: Planner) -> None:
    file = user.zone(lines(["192.0.2.1"]))
    assert "\x1b[" not in user.run("plan", file).out
    status, shown = user.on_terminal("plan", file)
    assert status == 2
    assert "\x1b[32m  + 192.0.2.1" in shown


def test_apply_prompts_before_it_writes(user: Planner, dev: Server, proxy: Proxy) -> None:
    file = user.zone(lines(["192.0.2.1"]))
    status, shown = user.on_terminal("apply", file, answer="n")
    assert (status, proxy.writes) == (1, 0)
    assert "Apply this?" in shown
    status, shown = user.on_terminal("apply", file, answer="y")
    assert status == 0
    assert "applying changes" in shown
    assert "1/1" in shown
    assert live(dev) == {"192.0.2.1": "aws/us-east-1"}


def test_apply_without_a_terminal_requires_the_option_yes(user: Planner, proxy: Proxy) -> None:
    done = user.run("apply", user.zone(lines(["192.0.2.1"])))
    assert done.status == 2
    assert "--yes" in done.err
    assert proxy.writes == 0


def test_a_saved_plan_is_applied(user: Planner, dev: Server) -> None:
    file = user.zone(lines(ips(3)))
    assert user.run("plan", file, "--out", "plan.json").status == 2
    file.unlink()
    done = user.run("apply", "plan.json", "--yes")
    assert (done.status, done.last) == (0, "done: 3 changes, read back and as planned")
    assert len(live(dev)) == 3
    again = user.run("apply", "plan.json", "--yes")
    assert again.status == 0
    assert again.out.startswith("nothing to do")


def test_a_saved_plan_is_rejected_if_the_live_mappings_have_changed(
    user: Planner, dev: Server, proxy: Proxy
) -> None:
    user.run("plan", user.zone(lines(ips(3))), "--out", "plan.json")
    body = {"origin_ip": "192.0.2.1", "vendor": "aws", "region": "us-east-1"}
    httpx.put(f"{dev.mappings}/192.0.2.1", headers=BEARER, json=body)
    done = user.run("apply", "plan.json", "--yes")
    assert done.status == 1
    assert "the plan is outdated, nothing was written: example.com changed" in done.err
    assert proxy.writes == 0


def test_a_saved_plan_is_rejected_for_another_api(user: Planner, dev: Server) -> None:
    user.run("plan", user.zone(lines(ips(3))), "--out", "plan.json")
    done = user.run("apply", "plan.json", "--yes", CLOUDFLARE_BASE_URL=dev.api)
    assert done.status == 1
    assert f"not for {dev.api}" in done.err


def test_an_edited_plan_is_rejected(user: Planner, proxy: Proxy) -> None:
    user.run("plan", user.zone(lines(ips(3))), "--out", "plan.json")
    saved = user.folder / "plan.json"
    saved.write_text(saved.read_text().replace("us-east-1", "us-west-2"))
    done = user.run("apply", saved, "--yes")
    assert done.status == 1
    assert "its digest does not match" in done.err
    assert proxy.writes == 0


def test_mass_changes_require_an_option(user: Planner, dev: Server, proxy: Proxy) -> None:
    user.run("apply", user.zone(lines(ips(10))), "--yes")
    proxy.seen.clear()
    fewer = user.zone(lines(ips(6)))
    done = user.run("apply", fewer, "--yes")
    assert done.status == 1
    assert "4 of 10 existing mappings would be changed or deleted" in done.err
    assert "--allow-mass-change" in done.err
    assert proxy.writes == 0
    assert user.run("apply", fewer, "--yes", "--no-delete").status == 0
    assert user.run("apply", fewer, "--yes", "--only", "10.0.0.7").status == 0
    assert len(live(dev)) == 9
    assert user.run("apply", fewer, "--yes", "--allow-mass-change").status == 0
    assert len(live(dev)) == 6


def test_a_guard_that_cannot_be_evaluated_stops_the_run(user: Planner, proxy: Proxy) -> None:
    """Without the whole list the 30 % limit cannot be computed."""
    user.run("apply", user.zone(lines(ips(250))), "--yes")
    proxy.seen.clear()

    def wrong_total(handler, body: bytes) -> None:
        answer = handler.forward(body).json()
        answer["result_info"]["total_count"] += 1
        handler.send(200, json.dumps(answer).encode(), {})

    proxy.faults = lambda number, seen: wrong_total if seen.lists else None
    done = user.run("apply", user.zone(lines(ips(249))), "--yes", "--allow-mass-change")
    assert done.status == 1
    assert "the server announced 251 items but sent 250" in done.err
    assert proxy.writes == 0


def test_ignored_and_adopted_mappings_are_unchanged(user: Planner, dev: Server) -> None:
    user.run("apply", user.zone(lines([*ips(8), "192.0.2.1", "198.51.100.1"])), "--yes")
    text = user.zone(lines(ips(8))).read_text()
    file = user.file(text + "    ignore: [192.0.2.0/24]\n    adopt: [198.51.100.*]\n")
    planned = user.run("plan", file)
    assert planned.status == 0
    assert "198.51.100.1  aws/us-east-1  (adopt: not in the file yet)" in planned.out
    assert "192.0.2.1" not in planned.out
    assert len(live(dev)) == 10


def test_an_ignored_mapping_cannot_be_in_the_file(user: Planner) -> None:
    text = user.zone(lines(["192.0.2.1"])).read_text()
    done = user.run("plan", user.file(text + "    ignore: [192.0.2.0/24]\n"))
    assert done.status == 1
    assert "mappings.yaml:4:7: 192.0.2.1 is in the file, but an ignore rule matches it" in done.err


@pytest.mark.parametrize("fault", [cut_before, cut_after, half_applied, refuse(500), refuse(429)])
def test_transient_failures_are_retried(user: Planner, proxy: Proxy, dev: Server, fault) -> None:
    met = set()

    def faults(number: int, seen: Seen):
        if seen.writes and proxy.writes not in met:
            met.add(proxy.writes + 1)
            return fault if proxy.writes % 2 else None
        return None

    proxy.faults = faults
    done = user.run("apply", user.zone(lines(ips(450))), "--yes")
    assert done.status == 0
    assert len(live(dev)) == 450


def test_rejected_mappings_are_listed_by_address(user: Planner, proxy: Proxy) -> None:
    file = user.zone([*lines(ips(3)), "192.0.2.1: aws/moon-1", "192.0.2.2: aws/moon-1"])
    done = user.run("apply", file, "--yes", "--any-region")
    assert done.status == 1
    assert "2 mappings not as planned" in done.err
    assert "example.com: 192.0.2.1: The vendor provided doesn't exist" in done.err
    assert "example.com: 192.0.2.2: The vendor provided doesn't exist" in done.err


def test_a_write_that_was_lost_is_detected_at_the_end(user: Planner, proxy: Proxy) -> None:
    """The server acknowledges a write that it did not make."""
    body = json.dumps(
        {"success": True, "errors": [], "messages": [], "result": {"succeeded": [], "failed": []}}
    )
    proxy.faults = lambda number, seen: (
        (lambda handler, _: handler.send(200, body.encode(), {})) if seen.writes else None
    )
    done = user.run("apply", user.zone(lines(["192.0.2.1"])), "--yes")
    assert done.status == 1
    assert "example.com: 192.0.2.1: - is live, not aws/us-east-1" in done.err


def test_a_saved_plan_resumes_after_the_process_was_killed(
    user: Planner, proxy: Proxy, dev: Server
) -> None:
    file = user.zone(lines(ips(1000)))
    user.run("plan", file, "--out", "plan.json")

    def slow(handler, body: bytes) -> None:
        answer = handler.forward(body)
        time.sleep(0.2)
        handler.reply(answer)

    proxy.faults = lambda number, seen: slow if seen.writes else None
    process = user.start("apply", "plan.json", "--yes")
    while proxy.writes < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 0 < len(live(dev)) < 1000
    assert len(list(user.state.iterdir())) == 1

    proxy.faults = lambda number, seen: None
    done = user.run("apply", "plan.json", "--yes")
    assert done.status == 0
    assert "it goes on with what is left" in done.err
    assert len(live(dev)) == 1000
    assert list(user.state.iterdir()) == []


def test_an_interruption_is_reported_and_the_same_command_resumes(
    user: Planner, proxy: Proxy
) -> None:
    file = user.zone(lines(ips(300)))
    proxy.faults = lambda number, seen: refuse(403, 10000) if proxy.writes == 3 else None
    done = user.run("apply", file, "--yes")
    assert done.status == 1
    assert "broke off after 200 of 300 changes" in done.err
    assert "Zone Settings Write" in done.err
    proxy.faults = lambda number, seen: None
    done = user.run("apply", file, "--yes")
    assert (done.status, done.last) == (0, "done: 100 changes, read back and as planned")
    assert "this plan has the rest" in done.err
    assert list(user.state.iterdir()) == []


def test_drift_prints_nothing_without_a_difference(user: Planner, dev: Server) -> None:
    file = user.zone(lines(ips(3)))
    user.run("apply", file, "--yes")
    assert user.run("drift", file) == (0, "", "")
    httpx.delete(f"{dev.mappings}/10.0.0.1", headers=BEARER)
    done = user.run("drift", file, "--report", "drift.json")
    assert done.status == 2
    assert "+ 10.0.0.1  aws/us-east-1" in done.out
    report = json.loads((user.folder / "drift.json").read_text())
    assert [change["origin_ip"] for change in report["zones"][0]["creates"]] == ["10.0.0.1"]
    assert json.loads(user.run("drift", file, "--json").out) == report


def test_moved_upper_tiers_are_computed_from_a_topology_file(user: Planner, dev: Server) -> None:
    colo = {"code": "AMS", "city": "Amsterdam", "country": "NL", "latitude": 52, "longitude": 4}
    topology = user.file(json.dumps({"colos": [colo]}), "topology.json")
    planned = user.run("plan", user.zone(lines(["192.0.2.1"])), "--topology", topology)
    assert "any colo to AMS: 1 of example.com" in planned.out


def test_moves_are_not_reported_without_a_known_topology(user: Planner, proxy: Proxy) -> None:
    proxy.faults = lambda number, seen: refuse(400, 7003) if "/originmap/" in seen.path else None
    planned = user.run("plan", user.zone(lines(["192.0.2.1"])), "--json")
    assert json.loads(planned.out)["upper_tiers"] is None


def test_a_usage_error_changes_nothing(user: Planner) -> None:
    assert user.run("plan", "--nonsense").status == 1
    assert user.run("drift", "a.yaml", "b.yaml").status == 1
    assert user.run("plan", "missing.yaml").status == 1


def test_credentials_come_from_the_variables_of_the_official_tools(user: Planner) -> None:
    file = user.zone(lines(["192.0.2.1"]))
    without = user.run("plan", file, CLOUDFLARE_API_TOKEN="")
    assert without.status == 1
    assert "set CLOUDFLARE_API_TOKEN" in without.err
    wrong = user.run("plan", file, CLOUDFLARE_API_TOKEN="x" * 40)
    assert wrong.status == 1
    assert "set CLOUDFLARE_API_TOKEN" in wrong.err
    pair = {"CLOUDFLARE_EMAIL": EMAIL, "CLOUDFLARE_API_KEY": KEY}
    assert user.run("plan", file, CLOUDFLARE_API_TOKEN="", **pair).status == 2


def test_host_names_are_pinned_in_the_plan(user: Planner, dev: Server) -> None:
    user.run("plan", user.zone(["localhost: aws/us-east-1"]), "--out", "plan.json")
    saved = json.loads((user.folder / "plan.json").read_text())
    assert "127.0.0.1" in saved["pins"]["localhost"]
    assert user.run("apply", "plan.json", "--yes").status == 0
    assert live(dev)["127.0.0.1"] == "aws/us-east-1"


def test_an_unresolvable_hostname_stops_the_run(user: Planner) -> None:
    done = user.run("plan", user.zone(["nowhere.invalid: aws/us-east-1"]))
    assert done.status == 1
    assert "mappings.yaml:4:7: cannot resolve nowhere.invalid" in done.err
