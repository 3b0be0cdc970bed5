"""Azure: ServiceTags_Public_*.json
(https://learn.microsoft.com/azure/virtual-network/service-tags-overview).

A *tag* is a service, or a service in a region: `Storage`, `Storage.FranceCentral`. Only the tags
`AzureCloud.<region>` place an address; the other services' prefixes lie inside those and get
their region from them, and with it the services of all tags around.

Tags call some regions otherwise than Azure does elsewhere: `AzureCloud.centralfrance` for
francecentral. The other services' tags carry both names, the proper one in their own name, the
other as a property; the aliases are read from there, for they change with the file.
"""

import datetime
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import msgspec

from originmap.detect.content import Content
from originmap.detect.names import Name
from originmap.domain.detection import prefix
from originmap.domain.detection.prefix import Prefix
from originmap.domain.detection.ranges import Publication, Range, RangeConflict, merge

VENDOR = "azure"
PAGE = "https://www.microsoft.com/en-us/download/details.aspx?id=56519"
"""Where the link to the newest file is: its name changes every week."""

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
    """Raises ValueError. The file has no date: its name's counts, else its modification's."""
    file = msgspec.json.decode(content.data, type=_File)
    if file.cloud != "Public":
        raise ValueError(f"it lists the cloud {file.cloud[:60]!r}; only the Public one is read")
    return Publication(VENDOR, _published(content), _ranges(file.values))


def aliases(regions: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The proper names of regions, by what tags call them. `regions` has the name at the end of
    a tag and its property, of services' tags: ("FranceCentral", "centralfrance").

    A region with several proper names has the one that most services use.
    """
    proper: dict[str, Counter[str]] = defaultdict(Counter)
    for suffix, region in regions:
        proper[region][suffix.lower()] += 1
    return {
        region: min(names, key=lambda name: (-names[name], name))
        for region, names in proper.items()
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
                found = Range(prefix.parse(text), VENDOR, region, ("AzureCloud",))
                first = places.setdefault(found.prefix, found)
                if first.region != region:
                    raise RangeConflict(first, found)
    return tuple(_placed(merge([*places.values(), *_services(tags, places)])))


def _services(tags: Iterable[_Tag], places: dict[Prefix, Range]) -> Iterator[Range]:
    """The rows of all other tags; where a place has the same prefix, with its region."""
    for tag in tags:
        if tag.name.startswith(_PLACES):
            continue
        service = tag.name.rpartition(".")[0] if tag.properties.region else ""
        for text in tag.properties.addressPrefixes:
            key = prefix.parse(text)
            region = place.region if (place := places.get(key)) else None
            yield Range(key, VENDOR, region, (service or tag.name,))


def _placed(ranges: Iterable[Range]) -> Iterator[Range]:
    """Sorted ranges, each with what the prefixes around it say: their services, and the region
    where it has none itself."""
    around: list[Range] = []
    for found in ranges:
        while around and prefix.after(around[-1].prefix) <= prefix.number(found.prefix.start):
            around.pop()
        if around:
            outer = around[-1]
            services = tuple(sorted({*outer.services, *found.services}))
            found = Range(found.prefix, VENDOR, found.region or outer.region, services)
        around.append(found)
        yield found
