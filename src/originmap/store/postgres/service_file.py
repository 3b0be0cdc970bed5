"""The file of services that a `service` parameter names (PostgreSQL documentation, 34.17)."""

import configparser
from pathlib import Path

from originmap.domain.errors import StoreUnusable


def read_service(name: str, where: str, file: str, shown: str) -> dict[str, str]:
    """The parameters of a service. `where` names what asks for it. Raises StoreUnusable."""
    path = Path(file or "~/.pg_service.conf")
    parser = configparser.ConfigParser(interpolation=None)
    hint = f"write a section [{name}] into it, or name another file in PGSERVICEFILE"
    try:
        with path.expanduser().open(encoding="utf-8") as lines:
            parser.read_file(lines)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreUnusable(shown, f"{where}={name}: the file {path}: {why}", hint) from None
    except (configparser.Error, UnicodeDecodeError):  # whose text quotes the file
        reason = f"{where}={name}: the file {path} is not a file of services"
        raise StoreUnusable(shown, reason, hint) from None
    if name not in parser:
        raise StoreUnusable(shown, f"{where}={name}: the file {path} has no such service", hint)
    return dict(parser[name])
