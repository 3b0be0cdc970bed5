"""Caches in Ansible inventories."""

from pathlib import Path

import pytest

from originmap.cachefile.reader import read_caches
from originmap.domain.tier.cache import Cache, CacheState
from tests.cachefile.files import ENCODINGS, caches, read, refusal

NESTED = """---
all:
  vars: {originmap_port: 8080, originmap_weight: 1}
  hosts:
    db-1: {ansible_host: 10.0.0.1}
  children:
    fleet:
      vars: {originmap_weight: 2, originmap_colo: SIN}
      children:
        iad:
          vars: {originmap_colo: iad, originmap_port: 80}
          hosts:
            cache[08:10].iad.example.net:
        lhr:
          vars: {originmap_colo: LHR}
          hosts:
            lhr_1:
              ansible_host: 2001:db8::1
              originmap_weight: 7
              originmap_tags: [nvme, rack=3]
              originmap_state: down
              secret: !vault |
                $ANSIBLE_VAULT;1.1;AES256
            lhr_2: {ansible_host: 198.51.100.2, originmap_name: second}
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_hosts_of_nested_groups_are_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_bytes(ENCODINGS[encoding] + NESTED.encode(encoding))
    draft = read_caches(file)
    first = {f"cache{n}-iad-example-net": f"cache{n}.iad.example.net" for n in ("08", "09", "10")}
    assert caches(draft) == {
        **{name: ("IAD", Cache(name, host, 80, 2)) for name, host in first.items()},
        "lhr-1": (
            "LHR",
            Cache("lhr-1", "2001:db8::1", 8080, 7, CacheState.DOWN, ("nvme", "rack=3")),
        ),
        "second": ("LHR", Cache("second", "198.51.100.2", 8080, 2)),
    }
    assert draft.skipped == ["db-1"]


def test_a_group_that_is_named_in_two_places_is_one_group(tmp_path: Path) -> None:
    text = """
all: {children: {iad: }}
iad: {hosts: {a: , b: {originmap_colo: LHR}}}
east: {children: {iad: }, vars: {originmap_colo: IAD}}
"""
    found = caches(read(tmp_path, "i.yml", text))
    assert found == {"a": ("IAD", Cache("a", "a")), "b": ("LHR", Cache("b", "b"))}


def test_ranges_of_letters_and_numbers_are_those_of_ansible(tmp_path: Path) -> None:
    text = "all: {vars: {originmap_colo: IAD}, hosts: {'a[y:B]b[8:12:2]': , 'c[3:3]': }}"
    hosts = [f"a{x}b{n}" for x in "yzab" for n in (8, 10, 12)]
    assert [cache.address for _, cache in caches(read(tmp_path, "i.yml", text)).values()] == [
        *hosts,
        "c3",
    ]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("edge-[c:a].example.net", "the range [c:a] starts after its end"),
        ("edge-[5:1]", "the range [5:1] starts after its end"),
        ("a[1:3]b[09:08:2]", "the range [09:08:2] starts after its end"),
        ("[A:z]", "the range [A:z] starts after its end"),
        ("[a:3]", "the range [a:3] has a number and a letter as its ends"),
        ("[1:c]", "the range [1:c] has a number and a letter as its ends"),
    ],
)
def test_a_range_without_hosts_is_refused(tmp_path: Path, pattern: str, problem: str) -> None:
    text = f"all:\n  hosts:\n    ok: {{originmap_colo: IAD}}\n    '{pattern}':\n"
    assert refusal(tmp_path, "i.yml", text) == [f"i.yml:4:5: hosts {pattern}: {problem}"]


def test_anchors_and_merge_keys_are_followed(tmp_path: Path) -> None:
    text = """
all:
  hosts:
    a: &a {originmap_colo: IAD, originmap_weight: 3, ansible_host: 192.0.2.1}
    b: {<<: *a, ansible_host: 192.0.2.2}
"""
    found = caches(read(tmp_path, "i.yml", text))
    assert found["b"] == ("IAD", Cache("b", "192.0.2.2", 80, 3))


def test_another_variable_can_have_the_colo(tmp_path: Path) -> None:
    text = "all: {hosts: {a: {pop: iad}, c: {originmap_colo: IAD}}}"
    draft = read(tmp_path, "i.yml", text, colo="pop")
    assert (caches(draft), draft.skipped) == ({"a": ("IAD", Cache("a", "a"))}, ["c"])
    assert refusal(tmp_path, "i.yml", text, colo="site") == [
        "i.yml: no caches in this file: 2 hosts, all without site"
    ]


def test_every_problem_has_its_line(tmp_path: Path) -> None:
    text = """all:
  hosts:
    a: {originmap_colo: IAD, ansible_host: "{{ address }}"}
    b: {originmap_colo: IAD, ansible_host: 192.0.2.300}
    c: [1]
    d: {originmap_colo: IAD, originmap_weight: {a: b}}
  colo: IAD
"""
    assert refusal(tmp_path, "i.yml", text) == [
        "6 errors",
        "i.yml:3:5: cache a: address '{{ address }}' is neither an IP address nor a host name in"
        " lower case",
        "i.yml:3:44: ansible_host: only Ansible can evaluate this value",
        "i.yml:4:5: cache b: address '192.0.2.300' is neither an IP address nor a host name in"
        " lower case",
        "i.yml:5:8: host c must be a mapping",
        "i.yml:6:48: originmap_weight must be text",
        "i.yml:7:3: group all: 'colo' is not hosts, vars or children",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "i.yml:1:1: an inventory is a mapping of groups"),
        ("all: {hosts: ", "i.yml:2:1: not YAML: did not find expected node content"),
        ("all: [1]", "i.yml:1:6: group all must be a mapping"),
        ("all: {hosts: {a: , a: }}", "i.yml:1:20: a second key a; the first is at i.yml:1:15"),
        ("a: &x {b: *x}", "i.yml:1:11: no anchor x before"),
        ("x: " + "[" * 200, "i.yml:1:104: nested more than 100 levels deep"),
        ("all: {}\n---\nall: {}", "i.yml:2:1: a second document starts here: write all of it as"),
        ("all: {}\n---\nall: [", "i.yml:2:1: a second document starts here"),
        ("all: {}\n...\n@", "i.yml:3:1: not YAML: found character that cannot start any token"),
        ("x: {children: {y: {children: {x: {hosts: {a: }}}}}}", "i.yml:1:43: a group contains"),
        ("all: {hosts: {'a[1:999999]': {originmap_colo: IAD}}}", "i.yml:1:15: more than 10,000"),
    ],
)
def test_a_broken_inventory_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert refusal(tmp_path, "i.yml", text)[0].startswith(problem)


def test_few_lines_cannot_stand_for_billions_of_values(tmp_path: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    (problem,) = refusal(tmp_path, "i.yml", f"l0: &l0 [a]\n{levels}")
    assert problem.endswith("more than 1,000,000 values")


def test_an_inventory_in_ini_has_a_hint(tmp_path: Path) -> None:
    assert refusal(tmp_path, "hosts", "[iad]\niad-1 ansible_host=192.0.2.1\n") == [
        "hosts: this looks like an inventory in INI"
    ]
