"""The shape of the source: small files, small functions, one tree of errors, one version."""

import ast
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import originmap
from originmap.api.errors import TABLE
from originmap.domain import errors
from originmap.domain.access import errors as access_errors
from originmap.domain.errors import OriginmapError
from originmap.domain.hook import errors as hook_errors
from originmap.domain.mapping import own_region_errors
from tests.house.source import ROOT, files_of, nodes_of, tree_of

SOURCE = ROOT / "src" / "originmap"

LONGEST_FUNCTION = 40
LONGEST_FILE = 400
LONGEST_TEST_FILE = 500

SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}

TREE = {
    SOURCE / "domain" / "errors.py",
    SOURCE / "domain" / "access" / "errors.py",
    SOURCE / "domain" / "hook" / "errors.py",
    SOURCE / "domain" / "mapping" / "own_region_errors.py",
}

BRANCHES = (errors, access_errors, own_region_errors, hook_errors)

# These errors end a command, so no response is created from them.
OUTSIDE_THE_TREE = {
    "CannotListen",
    "ClientError",
    "ContextError",
    "ControlError",
    "EdgeError",
    "MapFileError",
    "MissingExtra",
    "NotDetached",
    "NotReady",
    "PlanError",
    "RangesError",
    "RolloutStopped",
    "ServerRefused",
    "UnusableEnvironment",
    "UnusableRegions",
    "VerifyError",
}

# The public names that packages export; everything else is imported from its module.
PUBLIC = {
    "originmap": {"__version__"},
    "originmap.data": {
        "add_regions",
        "catalogue",
        "cities",
        "hubs",
        "permission_groups",
        "topology",
    },
    "originmap.store.migrations": {"Migration", "all_migrations"},
}

# The private names of the source that tests use: faults that have no public way.
FAULTS = {
    "tests/api/test_schemathesis.py": {"_nodeid"},  # of pytest's items
    "tests/api/ui/test_session.py": {"_sessions"},  # how many are kept
    "tests/caches/live_envoy.py": {"_more_clusters", "_node"},  # of its base class in tests
    "tests/cli/test_main.py": {"_uncollected"},  # only around the import of a command
    "tests/edge/test_follower.py": {"_zones"},  # damage in memory
    "tests/forked.py": {"_exit"},  # of os, which documents it
    "tests/service/test_retention.py": {"_clock"},  # a clock that jumps
    "tests/store/postgres/test_lost_connection.py": {"_Attempt", "_was_committed"},  # a lost commit
    "tests/store/postgres/test_pooler.py": {"_pid", "_readers", "_watch"},  # connections that end
    "tests/store/postgres/test_record_changes.py": {"_on_notify", "_watch"},  # a late notification
    "tests/store/test_sqlite.py": {
        "_CHECKPOINT_PAGES",
        "_committer",
        "_file",
        "_reader",
    },  # its disk
    "tests/store/test_sqlite_file.py": {"_file", "_watch_file"},  # damage while the file is open
    "tests/store/test_sqlite_replica.py": {"_LARGEST_CHECKED"},  # a file too large for a check
    "tests/xds/streaming_envoy.py": {"_node"},  # of its base class in tests
    "tests/testing/test_server.py": {"_process"},  # a server that has exited
}
OF_NAMED_TUPLES = {"_asdict", "_replace"}

MODULES = files_of(".py", SOURCE)
OTHERS = files_of(".py", ROOT / "bench", ROOT / "tests")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_module_has_a_docstring() -> None:
    without = [path for path in MODULES if not ast.get_docstring(tree_of(path))]
    assert [shown(path) for path in without] == []


def test_a_module_is_small() -> None:
    long = [path for path in MODULES if lines_of(path) > LONGEST_FILE]
    assert [shown(path) for path in long] == []


def test_a_function_does_one_thing() -> None:
    long = [
        f"{shown(path)}: {node.name}: {length}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def test_files_of_tests_and_bench_are_small_too() -> None:
    long = [path for path in OTHERS if lines_of(path) > LONGEST_TEST_FILE]
    assert [shown(path) for path in long] == []


def test_a_module_name_names_its_subject() -> None:
    named = [p for p in [*MODULES, *OTHERS] if SAYS_NOTHING & {p.stem, p.parent.name}]
    assert [shown(path) for path in named] == []


def test_the_drawing_of_the_tree_of_errors_is_complete() -> None:
    """The branches of credentials and own regions begin in the first module."""
    kinds = list(walk(OriginmapError))
    for module in BRANCHES:
        drawing = inspect.getdoc(module) or ""
        lines = re.findall(r"^[ │├└─]*([A-Z]\w+)(?= {2}|$)", drawing, re.MULTILINE)
        defined = [kind.__name__ for kind in kinds if kind.__module__ == module.__name__]
        assert [name for name in lines if name in defined] == defined


def test_the_drawing_has_each_class_below_its_parent() -> None:
    parents: dict[int, str] = {}
    for line in (inspect.getdoc(errors) or "").splitlines():
        if match := re.match(r"([ │├└─]*)([A-Z]\w+)(?: {2}|$)", line):
            depth = len(match[1]) // 4
            parents[depth] = match[2]
            kind = next(k for k in walk(OriginmapError) if k.__name__ == match[2])
            expected = parents[depth - 1] if match[2] != "OriginmapError" else "Exception"
            assert kind.__base__ is not None
            assert kind.__base__.__name__ == expected


def test_every_error_that_is_not_a_group_has_a_response() -> None:
    leaves = {kind for kind in walk(OriginmapError) if not in_tree(kind.__subclasses__())}
    assert set(TABLE) == leaves


def test_every_error_is_in_the_tree() -> None:
    names = {kind.__name__ for kind in walk(OriginmapError)}
    elsewhere = {
        node.name
        for path in MODULES
        if path not in TREE
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef)
        and names & {base.id for base in node.bases if isinstance(base, ast.Name)}
    }
    assert elsewhere == OUTSIDE_THE_TREE


def test_a_group_of_errors_is_never_raised() -> None:
    groups = {kind.__name__ for kind in walk(OriginmapError)} - {kind.__name__ for kind in TABLE}
    raised = {(shown(path), name) for path in MODULES for name in raised_in(path) if name in groups}
    assert raised == set()


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## \[(\S+)\]", changes, re.MULTILINE)
    assert newest is not None
    assert originmap.__version__ == project["version"] == newest[1]


def test_locked_and_published_requirements_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = (ROOT / "requirements" / "run.in").read_text("utf-8").splitlines()
    wanted = {line for line in lines if line and not line.startswith(("#", "flit-core"))}
    assert set(project["dependencies"]) == wanted


def test_a_package_exports_the_listed_names() -> None:
    found = {}
    for name in ["originmap", *packages()]:
        path = Path(importlib.import_module(name).__file__ or "")
        if public := set(defined_in(tree_of(path))):
            found[name] = public
    assert found == PUBLIC


def test_private_names_stay_in_their_file() -> None:
    borrowed = [
        f"{shown(path)}: {alias.name}"
        for path in MODULES
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("originmap")
        for alias in node.names
        if alias.name.startswith("_") and alias.name != "__version__"
    ]
    assert borrowed == []


def test_tests_use_only_the_listed_private_names() -> None:
    found = {shown(path): names for path in OTHERS if (names := foreign_names(path))}
    assert found == FAULTS


def foreign_names(path: Path) -> set[str]:
    """The private names in a file that are imported, patched, or attributes of other objects."""
    names = {name for node in nodes_of(path) for name in names_in(node)} - OF_NAMED_TUPLES
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


def names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ImportFrom(module=str(module), names=aliases) if module.startswith("originmap"):
            yield from (alias.name for alias in aliases)
        case ast.Attribute(value=ast.Name(id="self" | "cls")):
            pass
        case ast.Attribute(attr=name):
            yield name
        case ast.Call(
            func=ast.Name(id="setattr") | ast.Attribute(attr="setattr"),
            args=[_, ast.Constant(value=name), *_],
        ):
            yield str(name)


def lines_of(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def walk(kind: type[OriginmapError]) -> Iterator[type[OriginmapError]]:
    """A class and its subclasses, in the order of their definition."""
    yield kind
    for child in in_tree(kind.__subclasses__()):
        yield from walk(child)


def in_tree(kinds: list[type[OriginmapError]]) -> list[type[OriginmapError]]:
    return [kind for kind in kinds if kind.__module__ in {module.__name__ for module in BRANCHES}]


def raised_in(path: Path) -> Iterator[str]:
    """The names of the classes in `raise Class` and `raise Class(…)`."""
    for node in nodes_of(path):
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name | ast.Attribute):
                yield raised.id if isinstance(raised, ast.Name) else raised.attr


def packages() -> list[str]:
    found = pkgutil.walk_packages(originmap.__path__, "originmap.")
    return [module.name for module in found if module.ispkg]


def defined_in(module: ast.Module) -> Iterator[str]:
    """The public names that a module defines itself."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from (n for n in names if not n.startswith("_") or n == "__version__")
