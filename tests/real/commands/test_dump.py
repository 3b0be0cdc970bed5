"""The commands dump, import, export, init, schema and completion."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from tests.faulty import Proxy
from tests.process import BEARER, COMMAND, ZONE, Server
from tests.real.commands.planner import Planner, ips

SAMPLES = Path(__file__).parents[2] / "detect" / "files"
MIXED = [
    "192.0.2.1: aws/us-east-1",
    '"2001:db8::1": gcp/us-central1',
    "198.51.100.7: oci/uk-london-1",
]


@pytest.fixture
def user(tmp_path: Path, dev: Server) -> Planner:
    return Planner(tmp_path, dev.api)


@pytest.fixture
def filled(user: Planner) -> Planner:
    assert user.run("apply", user.zone(MIXED), "--yes").status == 0
    return user


def other_zone(server: Server, name: str) -> str:
    body = {"name": name, "account": {"id": ZONE}}
    made = httpx.post(f"{server.api}/zones", headers=BEARER, json=body).json()
    return str(made["result"]["id"])


@pytest.mark.parametrize("form", ["yaml", "json", "csv"])
def test_the_plan_of_a_dump_is_empty_and_dumps_are_equal(filled: Planner, form: str) -> None:
    file = f"dump.{form}"
    assert filled.run("dump", "--format", form, "--out", file).status == 0
    assert filled.run("plan", file).out.startswith("nothing to do: 3 mappings")
    again = filled.run("dump", "--format", form)
    assert again.out == (filled.folder / file).read_text()


def test_a_dump_has_all_pages_of_all_zones(user: Planner, dev: Server) -> None:
    zones = ["a.example", "b.example", "example.com"]
    for zone in zones[:2]:
        other_zone(dev, zone)
    other_zone(dev, "empty.example")
    text = "".join(
        f"  {zone}:\n    mappings:\n" + "".join(f"      {ip}: aws/us-east-1\n" for ip in ips(250))
        for zone in zones
    )
    assert user.run("apply", user.file(f"zones:\n{text}"), "--yes").status == 0
    with Proxy(dev.url) as proxy:
        dumped = user.run("dump", CLOUDFLARE_BASE_URL=proxy.api)
        assert proxy.lists == 3 * 3 + 1
    document = yaml.safe_load(dumped.out)
    assert {
        zone: len(said["mappings"]) for zone, said in document["zones"].items()
    } == dict.fromkeys(zones, 250)
    assert user.run("plan", user.file(dumped.out)).status == 0


def test_the_dump_can_be_limited_to_zones_and_mappings(filled: Planner, dev: Server) -> None:
    id_ = other_zone(dev, "empty.example")
    assert filled.run("dump", "--zone", id_).out == "zones:\n  empty.example:\n    mappings: {}\n"
    some = filled.run("dump", "--zone", "example.com", "--only", "aws/*").out
    assert some == "zones:\n  example.com:\n    mappings:\n      192.0.2.1: aws/us-east-1\n"
    missing = filled.run("dump", "--zone", "example.net")
    assert missing.status == 1
    assert "no zone is called example.net" in missing.err


def test_a_dump_preserves_comments(filled: Planner) -> None:
    file = filled.zone(["192.0.2.1: {vendor: gcp, region: us-central1, comment: the database}"])
    out = filled.run("dump", "--comments", file).out
    assert '192.0.2.1: {vendor: aws, region: us-east-1, comment: "the database"}' in out


def test_an_unwritable_file_is_reported(filled: Planner) -> None:
    done = filled.run("dump", "--out", "no/such/folder/x.yaml")
    assert done.status == 1
    assert "no/such/folder/x.yaml: No such file or directory" in done.err


def test_an_exported_state_and_the_live_mappings_are_the_same(filled: Planner) -> None:
    """The export is imported again, as a Terraform state."""
    import hcl2

    filled.run("export", "terraform", "--out", "origins.tf")
    parsed = hcl2.loads((filled.folder / "origins.tf").read_text())
    resources = [
        {
            "type": kind.strip('"'),
            "mode": "managed",
            "address": f"{kind}.{name}",
            "values": {k: str(v).strip('"') for k, v in values.items() if not k.startswith("__")},
        }
        for block in parsed["resource"]
        for kind, named in block.items()
        for name, values in named.items()
    ]
    module = {"child_modules": [{"resources": resources[1:]}], "resources": resources[:1]}
    state = {"format_version": "1.0", "values": {"root_module": module}}
    file = filled.file(json.dumps(state), "state.json")
    imported = filled.run("import", "terraform", file, "--out", "imported.yaml")
    assert (imported.status, imported.err) == (
        0,
        "written to imported.yaml\n3 mappings in 1 zone\n",
    )
    assert filled.run("plan", "imported.yaml").status == 0


def test_csv_is_converted_to_yaml(filled: Planner) -> None:
    csv = (
        "zone,origin_ip,vendor,region,comment\nexample.com,::FFFF:192.0.2.1,aws,us-east-1,a note\n"
    )
    done = filled.run("import", "csv", filled.file(csv, "origins.csv"))
    assert done.out == (
        "zones:\n  example.com:\n    mappings:\n"
        '      192.0.2.1: {vendor: aws, region: us-east-1, comment: "a note"}\n'
    )
    wrong = filled.run("import", "csv", filled.file(csv.replace("us-east", "us-esat"), "o.csv"))
    assert wrong.status == 1
    assert "o.csv:2:34: unknown region 'us-esat-1' of aws" in wrong.err


def test_an_invalid_state_is_refused(user: Planner) -> None:
    for text in ("{}", "[]", "nonsense"):
        done = user.run("import", "terraform", user.file(text, "state.json"))
        assert done.status == 1
        assert "terraform show -json" in done.err


@pytest.fixture
def ranges(user: Planner) -> list[str]:
    folder = user.folder / "ranges"
    files = [str(file) for file in sorted(SAMPLES.iterdir())]
    assert user.run("ranges", "import", *files, "--ranges", str(folder)).status == 0
    return ["--ranges", str(folder)]


def test_a_generated_file_has_only_confirmed_mappings(user: Planner, ranges: list[str]) -> None:
    done = user.run("init", "--zone", "example.com", "192.0.2.1", "10.9.9.9", "localhost", *ranges)
    assert (done.status, done.err) == (0, "1 of 3 origins found in published ranges\n") or (
        "1 of 4 origins" in done.err  # localhost can also resolve to ::1
    )
    assert '      "192.0.2.1": aws/' in done.out
    assert '#     "10.9.9.9": vendor/region: it is in no published range\n' in done.out
    assert '#     "127.0.0.1": vendor/region (localhost): it is in no published range' in done.out
    planned = user.run("plan", user.file(done.out), *ranges)
    assert planned.status == 2
    assert "+ 192.0.2.1  aws/" in planned.out


def test_a_mappings_file_is_generated_from_a_zone_file(user: Planner, ranges: list[str]) -> None:
    text = (
        "$ORIGIN example.com.\n$TTL 300\n"
        "@ IN SOA ns hostmaster ( 1 2 3 4\n 5 ) ; a comment\n"
        "www 60 IN A 192.0.2.1\n   IN A 10.9.9.9\napi A 192.0.2.1\nmail MX 10 mx\n* A 0.0.0.0\n"
    )
    file = user.file(text, "example.zone")
    done = user.run("init", "--zone-file", file, *ranges)
    assert done.status == 0
    assert '  "example.com":\n' in done.out
    assert '"192.0.2.1": {vendor: aws, region: ' in done.out
    assert 'comment: "api.example.com www.example.com"}' in done.out
    assert '#     "10.9.9.9": vendor/region (www.example.com)' in done.out
    nonsense = user.run(
        "init", "--zone-file", user.file("$FOO", "bad.zone"), "--zone", "a.b", *ranges
    )
    assert nonsense.status == 1
    assert "not a zone file" in nonsense.err


def test_auto_is_resolved_from_published_ranges(user: Planner, ranges: list[str]) -> None:
    planned = user.run("plan", user.zone(["192.0.2.1: auto"]), *ranges)
    assert planned.status == 2
    assert "+ 192.0.2.1  aws/" in planned.out
    wrong = user.run(
        "plan",
        user.zone(["10.9.9.9: auto", "192.0.2.1: {vendor: gcp, region: auto}"]),
        *ranges,
    )
    assert wrong.status == 1
    assert (
        "mappings.yaml:4:7: auto finds no region for 10.9.9.9: it is in no published" in wrong.err
    )
    assert (
        "mappings.yaml:5:7: auto finds no region for 192.0.2.1: published ranges say aws/"
        in wrong.err
    )


def test_auto_without_ranges_has_a_hint(user: Planner) -> None:
    done = user.run("plan", user.zone(["10.9.9.9: auto"]))
    assert done.status == 1
    assert "originmap ranges fetch" in done.err


def test_invalid_options_of_init_are_reported(user: Planner) -> None:
    assert "give either" in user.run("init").err
    assert "--zone example.com" in user.run("init", "192.0.2.1").err
    said = user.run("init", "--zone", "https://a.b", "192.0.2.1").err
    assert "--zone: not the name or id of a zone: 'https://a.b'" in said


def test_the_schema_is_printed_for_editors(user: Planner) -> None:
    assert json.loads(user.run("schema").out)["properties"]["zones"]


def test_bash_completes_commands_and_options(user: Planner) -> None:
    script = user.file(user.run("completion", "bash").out, "completion.bash")
    complete = (
        f"source {script}\nCOMP_WORDS=({COMMAND} %s)\nCOMP_CWORD=%d\n"
        f"_originmap_completion {COMMAND}\nprintf '%%s\\n' \"${{COMPREPLY[@]}}\"\n"
    )

    def completed(words: str) -> list[str]:
        done = subprocess.run(
            ["bash", "-c", complete % (words, len(words.split()))],
            capture_output=True,
            text=True,
            env=user.env,
        )
        return done.stdout.split()

    assert completed("pl") == ["plan"]
    assert completed("export te") == ["terraform"]
    assert "--allow-mass-change" in completed("apply --a")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_completion_script_too(user: Planner, shell: str) -> None:
    assert "_ORIGINMAP_COMPLETE" in user.run("completion", shell).out
