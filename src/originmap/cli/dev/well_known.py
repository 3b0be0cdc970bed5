"""The well-known credentials of a development server, for those who use it."""

from urllib.parse import urlsplit

from originmap.dev_access import DevAccess
from originmap.service import initial_data


def access_to(url: str) -> DevAccess:
    """The access to the development server at `url`."""
    return DevAccess(
        url,
        f"{url}/client/v4",
        urlsplit(url).port or 80,
        initial_data.DEV_TOKEN,
        initial_data.DEV_EMAIL,
        initial_data.DEV_KEY,
        initial_data.DEV_ID,
        initial_data.DEV_ID,
        initial_data.DEV_ZONE,
    )
