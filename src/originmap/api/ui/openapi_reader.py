"""The packaged OpenAPI document as the reference shows it: operations with their parts resolved."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

METHODS = ("get", "put", "post", "patch", "delete")
Node = dict[str, Any]
"""An object of the document."""


class ReferenceOperation(NamedTuple):
    """An operation. `body` and `examples` are of the request; `fields` the members of its body."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[Node]
    fields: list[Node]
    examples: list[Any]
    responses: list[Node]


class Reference(NamedTuple):
    """The operations by their IDs, and the descriptions of their groups."""

    title: str
    description: str
    tags: dict[str, str]
    operations: dict[str, ReferenceOperation]


@lru_cache(maxsize=1)
def read_reference(document: bytes) -> Reference:
    """Read the document."""
    root = msgspec.json.decode(document)
    operations = {
        operation["operationId"]: _operation(root, path, method, item, operation)
        for path, item in root["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }
    tags = {tag["name"]: tag.get("description", "") for tag in root["tags"]}
    info = root["info"]
    return Reference(info["title"], info.get("description", ""), tags, operations)


def _operation(
    root: Node, path: str, method: str, item: Node, operation: Node
) -> ReferenceOperation:
    given = [*item.get("parameters", ()), *operation.get("parameters", ())]
    body = _resolved(root, operation.get("requestBody", {}))
    media: Node = next(iter(body.get("content", {}).values()), {})
    examples = [_resolved(root, each) for each in media.get("examples", {}).values()]
    responses = [
        {"status": status, "description": _resolved(root, response).get("description", "")}
        for status, response in sorted(operation["responses"].items())
    ]
    return ReferenceOperation(
        operation["operationId"],
        operation["tags"][0],
        method.upper(),
        path,
        operation["summary"],
        operation.get("description", ""),
        [_parameter(root, each) for each in given],
        list(_fields(root, media.get("schema", {}))),
        [each["value"] for each in examples if "value" in each],
        responses,
    )


def _parameter(root: Node, node: Node) -> Node:
    found = _resolved(root, node)
    return {
        "name": found["name"],
        "place": found["in"],
        "required": found.get("required", False),
        "type": _type(root, found.get("schema", {})),
        "description": found.get("description", ""),
    }


def _fields(root: Node, schema: Node) -> Iterator[Node]:
    """The members of an object, or of the items of an array."""
    found = _resolved(root, schema)
    if "items" in found:
        found = _resolved(root, found["items"])
    for part in found.get("allOf", ()):
        yield from _fields(root, part)
    for name, member in found.get("properties", {}).items():
        resolved = _resolved(root, member)
        yield {
            "name": name,
            "required": name in found.get("required", ()),
            "type": _type(root, resolved),
            "description": resolved.get("description", ""),
        }


def _type(root: Node, schema: Node) -> str:
    found = _resolved(root, schema)
    if "enum" in found:
        return " or ".join(msgspec.json.encode(value).decode() for value in found["enum"])
    kind = found.get("type", "any")
    name = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if name == "array" and "items" in found:
        return f"array of {_type(root, found['items'])}"
    return name


def _resolved(root: Node, node: Node) -> Node:
    """What a reference refers to; any other object itself."""
    while "$ref" in node:
        found: Any = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node
