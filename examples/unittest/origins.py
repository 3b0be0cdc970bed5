"""The program under test: it writes where origins are."""

from cloudflare import Cloudflare


def map_origins(client: Cloudflare, zone_id: str, regions: dict[str, tuple[str, str]]) -> None:
    """Map addresses to regions, such as {"192.0.2.1": ("aws", "us-east-1")}, in one request.

    Raises ValueError with the addresses that the API refused.
    """
    result = client.cache.origin_cloud_regions.bulk_update(
        zone_id=zone_id,
        body=[
            {"origin_ip": ip, "vendor": vendor, "region": region}
            for ip, (vendor, region) in regions.items()
        ],
    )
    if result.failed:
        refused = (f"{item.origin_ip}: {item.error}" for item in result.failed)
        raise ValueError(f"not mapped: {'; '.join(refused)}")
