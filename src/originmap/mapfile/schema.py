"""The JSON Schema of mappings files, for editors."""

from importlib.resources import files


def text() -> str:
    """The text of the schema."""
    return files(__package__).joinpath("mappings.schema.json").read_text("utf-8")
