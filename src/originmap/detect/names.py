"""The names that are allowed in the vendors' files: short and printable."""

from typing import Annotated

from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_. -]{1,100}\Z")]
"""A region, service, tag or border group."""
