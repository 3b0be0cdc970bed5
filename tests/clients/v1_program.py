"""A program for the last release of PyPI's `cloudflare` with the deprecated v1 routes.

Run it with that release on the path: it cannot be installed beside the one with v2. Settings come
from CLOUDFLARE_* variables, as in any program. It calls all eight operations, checks each response
against the client's models, and prints the responses.
"""

import json
import sys

import cloudflare
from cloudflare import Cloudflare

ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
AWS = {"vendor": "aws", "region": "us-east-1"}
GCP = {"vendor": "gcp", "region": "us-central1"}


def main() -> None:
    """Call each operation, in the order of a mapping's life."""
    with Cloudflare(_strict_response_validation=True) as client:
        regions = client.cache.origin_cloud_regions
        shown("client", cloudflare.__version__)
        shown("empty list", regions.list(zone_id=ZONE))
        shown("create", regions.create(zone_id=ZONE, ip="192.0.2.1", **AWS))
        shown("create again", refusal(lambda: regions.create(zone_id=ZONE, ip="192.0.2.1", **GCP)))
        shown("edit", regions.edit(zone_id=ZONE, ip="2001:DB8::1", **GCP))
        shown("get", regions.get("2001:db8::1", zone_id=ZONE))
        batch = [{"ip": "192.0.2.7", **AWS}, {"ip": "nonsense", **AWS}]
        shown("bulk edit", regions.bulk_edit(zone_id=ZONE, body=batch))
        doomed = ["192.0.2.7", "192.0.2.99"]
        shown("bulk delete", regions.bulk_delete(zone_id=ZONE, extra_body=doomed))
        shown("delete", regions.delete("192.0.2.1", zone_id=ZONE))
        shown("delete again", refusal(lambda: regions.delete("192.0.2.1", zone_id=ZONE)))
        shown("get again", refusal(lambda: regions.get("192.0.2.1", zone_id=ZONE)))
        shown("list", regions.list(zone_id=ZONE))
        supported = regions.supported_regions(zone_id=ZONE)
        shown("vendors", sorted(supported.vendors))
        headers = regions.with_raw_response.list(zone_id=ZONE).headers
        shown("headers", {name: headers[name] for name in ("deprecation", "sunset", "link")})


def refusal(call):
    """The status and code of a refused call."""
    try:
        call()
    except cloudflare.APIStatusError as error:
        return [error.status_code, error.errors[0].code]
    return None


def shown(what, answer):
    """Print the name of a step with its response as JSON, without times, because they differ."""
    if hasattr(answer, "to_dict"):
        answer = without_times(answer.to_dict(mode="json"))
    sys.stdout.write(json.dumps([what, answer]) + "\n")


def without_times(value):
    """`value` with each time replaced by "time"."""
    if isinstance(value, list):
        return [without_times(item) for item in value]
    if isinstance(value, dict):
        return {
            name: ("time" if item else None) if name == "modified_on" else without_times(item)
            for name, item in value.items()
        }
    return value


if __name__ == "__main__":
    main()
