"""The service file of a `service` parameter (PostgreSQL documentation, 34.17)."""

import configparser
from pathlib import Path

from originmap.domain.errors import StoreUnusable


def read_service(name: str, source: str, file: str, redacted_url: str) -> dict[str, str]:
    """Return the parameters of a service. `source` is the parameter or variable that names it.
    Raises StoreUnusable."""
    path = Path(file or "~/.pg_service.conf")
    parser = configparser.ConfigParser(interpolation=None)
    hint = f"add a section [{name}] to it, or set PGSERVICEFILE to another file"
    try:
        with path.expanduser().open(encoding="utf-8") as lines:
            parser.read_file(lines)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreUnusable(
            redacted_url, f"{source}={name}: the file {path}: {why}", hint
        ) from None
    except (configparser.Error, UnicodeDecodeError):  # its text may quote secrets
        reason = f"{source}={name}: the file {path} is not a service file"
        raise StoreUnusable(redacted_url, reason, hint) from None
    if name not in parser:
        raise StoreUnusable(
            redacted_url, f"{source}={name}: the file {path} has no such service", hint
        )
    return dict(parser[name])
