"""Azure: ServiceTags_Public_*.json
(https://learn.microsoft.com/azure/virtual-network/service-tags-overview).

A *tag* is a service, or a service in a region: `Storage`, `Storage.FranceCentral`. Only the tags
`AzureCloud.<region>` define the region of an address. The prefixes of other services lie inside
those, and take the region and the services of all tags around them.

Some tags use another region name than Azure's documentation: `AzureCloud.centralfrance` for
francecentral. The tags of other services have both names, the documented one in the tag's name and
the other as a property. The aliases are read from them, because they change with the file.
"""

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import msgspec

from originmap.detect.content import Content, Name
from originmap.domain.detection import prefix
from originmap.domain.detection.prefix import Prefix
from originmap.domain.detection.ranges import Publication, Range, RangeConflict, merge

VENDOR = "azure"
PAGE = "https://www.microsoft.com/en-us/download/details.aspx?id=56519"
"""The page with the link to the newest file, whose name changes every week."""

_PLACES = "AzureCloud."
_DATE = re.compile(r"ServiceTags_Public_(\d{8})")


class _Properties(msgspec.Struct):
    addressPrefixes: list[str]
    region: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9]{0,100}\Z")] = ""


class _Tag(msgspec.Struct):
    name: Name
    properties: _Properties


class _File(msgspec.Struct):
    cloud: str
    values: list[_Tag]


def read(content: Content) -> Publication:
    """Read the file. It has no date, so that of its name is used, else its modification time.
    Raises ValueError."""
    file = msgspec.json.decode(content.data, type=_File)
    if file.cloud != "Public":
        raise ValueError(f"the cloud is {file.cloud[:60]!r}; only Public is supported")
    return Publication(VENDOR, _published(content), _ranges(file.values))


def aliases(regions: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The documented names of regions by their names in tags. `regions` has, for each service tag,
    the end of its name and its property: ("FranceCentral", "centralfrance").

    If services use several names for a region, the most frequent one is used.
    """
    documented: dict[str, Counter[str]] = defaultdict(Counter)
    for suffix, region in regions:
        documented[region][suffix.lower()] += 1
    return {
        region: min(names, key=lambda name: (-names[name], name))
        for region, names in documented.items()
    }


def _published(content: Content) -> datetime.datetime:
    if match := _DATE.search(content.name.rpartition("/")[2]):
        try:
            day = datetime.datetime.strptime(match[1], "%Y%m%d")
        except ValueError:
            return content.modified
        return day.replace(tzinfo=datetime.UTC)
    return content.modified


def _ranges(tags: Sequence[_Tag]) -> tuple[Range, ...]:
    names = aliases(
        (tag.name.rpartition(".")[2], tag.properties.region)
        for tag in tags
        if tag.properties.region and "." in tag.name and not tag.name.startswith(_PLACES)
    )
    places: dict[Prefix, Range] = {}
    for tag in tags:
        if tag.name.startswith(_PLACES):
            region = names.get(tag.properties.region, tag.properties.region) or None
            for text in tag.properties.addressPrefixes:
                row = Range(prefix.parse(text), VENDOR, region, ("AzureCloud",))
                first = places.setdefault(row.prefix, row)
                if first.region != region:
                    raise RangeConflict(first, row)
    return tuple(_placed(merge([*places.values(), *_services(tags, places)])))


def _services(tags: Iterable[_Tag], places: dict[Prefix, Range]) -> Iterator[Range]:
    """The rows of all other tags, with the region of an AzureCloud tag with the same prefix."""
    for tag in tags:
        if tag.name.startswith(_PLACES):
            continue
        service = tag.name.rpartition(".")[0] if tag.properties.region else ""
        for text in tag.properties.addressPrefixes:
            key = prefix.parse(text)
            region = place.region if (place := places.get(key)) else None
            yield Range(key, VENDOR, region, (service or tag.name,))


def _placed(ranges: Iterable[Range]) -> Iterator[Range]:
    """Add to each of the sorted ranges the services of the prefixes around it, and their region if
    it has none."""
    around: list[Range] = []
    for row in ranges:
        while around and prefix.after(around[-1].prefix) <= prefix.number(row.prefix.start):
            around.pop()
        if around:
            outer = around[-1]
            services = tuple(sorted({*outer.services, *row.services}))
            row = Range(row.prefix, VENDOR, row.region or outer.region, services)
        around.append(row)
        yield row
