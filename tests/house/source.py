"""The Python files of the project, each parsed and traversed once."""

import ast
import functools
from pathlib import Path


def tree_of(path: Path) -> ast.Module:
    """The tree of a file."""
    module = nodes_of(path)[0]
    assert isinstance(module, ast.Module)
    return module


@functools.cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a file; the first is the module."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))
