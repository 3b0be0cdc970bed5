"""Names that Python lacks on Windows are used in few modules, which work without them there."""

import ast
from functools import cache
from pathlib import Path

import mypy
import pytest

from tests.house.source import ROOT, files_of, tree_of

SOURCE = ROOT / "src" / "originmap"
TYPESHED = Path(mypy.__file__).parent / "typeshed" / "stdlib"
MODULES = ("fcntl", "grp", "os", "pwd", "resource", "select", "signal", "socket", "termios", "time")

DO_WITHOUT = {
    "api/descriptors.py",
    "exclusive_lock.py",
    "file_mode.py",
    "operator_socket.py",
    "rollout/health.py",
    "settings.py",
    "store/clock.py",
    "store/sqlite/file_state.py",
    "atomic_file.py",
}
"""They check whether a name exists, and work without it. tests/platforms runs them."""

UNREACHED = {
    "api/operator_listener.py",  # used only after operator_socket.obstacle
    "client/unix_socket.py",
    "bootstrap_edge.py",  # the agent refuses to start on Windows
    "cli/commands/server/edge.py",
    "edge/command.py",
    "edge/file_lock.py",
    "edge/haproxy_runtime.py",
    "edge/render/output.py",
    "edge/render/update.py",
    "edge/traffic_manager.py",
}
"""They do not run on Windows."""


def test_names_that_windows_lacks_are_used_only_in_listed_modules() -> None:
    using = {
        str(path.relative_to(SOURCE)): names
        for path in files_of(".py", SOURCE)
        if (names := sorted(set(lacking(tree_of(path)))))
    }
    elsewhere = {path: using[path] for path in using.keys() - DO_WITHOUT - UNREACHED}
    assert elsewhere == {}
    assert using.keys() == DO_WITHOUT | UNREACHED


@pytest.mark.parametrize("name", ["os.fork", "socket.AF_UNIX", "signal.SIGHUP", "fcntl.flock"])
def test_names_that_windows_lacks_are_found(name: str) -> None:
    assert lacking(ast.parse(f"import {name.partition('.')[0]}\n{name}")) == [name]


@pytest.mark.parametrize("name", ["os.umask", "socket.AF_INET", "signal.SIGTERM", "time.time_ns"])
def test_names_that_windows_has_are_not_found(name: str) -> None:
    assert lacking(ast.parse(f"import {name.partition('.')[0]}\n{name}")) == []


def lacking(tree: ast.Module) -> list[str]:
    """The uses of `module.name`, also in hasattr, that Python lacks on Windows."""
    imported = {
        n.name for each in ast.walk(tree) if isinstance(each, ast.Import) for n in each.names
    }
    modules, used = imported.intersection(MODULES), []
    if not modules:
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.append((node.value.id, node.attr))
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "hasattr"
            and isinstance(node.args[0], ast.Name)
            and isinstance(node.args[1], ast.Constant)
        ):
            used.append((node.args[0].id, str(node.args[1].value)))
    return [f"{m}.{name}" for m, name in used if m in modules and name not in on_windows(m)]


@cache
def on_windows(module: str) -> frozenset[str]:
    """The names of a module on Windows, from the type stubs of the standard library."""
    stub = TYPESHED / f"{module}.pyi"
    stub = stub if stub.exists() else TYPESHED / module / "__init__.pyi"
    return frozenset(names_of(ast.parse(stub.read_text("utf-8")).body))


def names_of(body: list[ast.stmt]) -> list[str]:
    names: list[str] = []
    for node in body:
        if isinstance(node, ast.If):
            condition = ast.unparse(node.test)
            if "sys.platform == 'win32'" in condition or "sys.platform" not in condition:
                names += names_of(node.body)
            if "sys.platform != 'win32'" in condition or "win32" not in condition:
                names += names_of(node.orelse)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.append(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            names += [ast.unparse(target) for target in node.targets]
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names += [alias.asname or alias.name for alias in node.names]
    return names
