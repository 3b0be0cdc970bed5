"""The JSON Schema of files of mappings, for editors."""

from importlib.resources import files


def text() -> str:
    """The schema as it is packaged."""
    return files(__package__).joinpath("mappings.schema.json").read_text("utf-8")
