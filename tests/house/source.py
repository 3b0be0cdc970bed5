"""The files of the project. Each Python file is parsed and traversed once."""

import ast
import functools
import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
_NOT_OURS = {
    ".git", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__",
    "build", "dist", "node_modules",
}  # fmt: skip


def files_of(suffix: str, *folders: Path) -> list[Path]:
    """Our own files with this suffix, sorted. Folders that programs write are not entered: they
    have many times more files."""
    found = []
    for top in folders:
        for folder, inner, names in os.walk(top):
            inner[:] = [name for name in inner if name not in _NOT_OURS]
            found += [Path(folder, name) for name in names if name.endswith(suffix)]
    return sorted(found)


def tree_of(path: Path) -> ast.Module:
    """The tree of a file."""
    module = nodes_of(path)[0]
    assert isinstance(module, ast.Module)
    return module


@functools.cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a file; the first is the module."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))
