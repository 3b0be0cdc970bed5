"""The servers that a user has named, in one file that only the user can read: it has tokens."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from originmap.atomic_file import replacing
from originmap.domain.errors import OriginmapError
from originmap.file_mode import others_may_access
from originmap.settings import config_folder

_MODE = 0o600


class ContextError(OriginmapError):
    """The file of contexts, or one in it, cannot be used."""

    page = "cli.md#choosing-a-server"

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


class ServerContext(msgspec.Struct, frozen=True):
    """A server, by its URL, and a token of it."""

    server: str
    token: str


class Contexts(msgspec.Struct, frozen=True):
    """Contexts by name; `current` is the one in use, "" for none."""

    current: str = ""
    contexts: Mapping[str, ServerContext] = {}

    def called(self, name: str) -> ServerContext:
        """A context. Raises ContextError."""
        found = self.contexts.get(name)
        if found is None:
            known = ", ".join(self.contexts) or "none"
            hint = f"there are: {known}; originmap context add makes one"
            raise ContextError(f"there is no context {name}", hint)
        return found


def read_contexts() -> Contexts:
    """All of them. Raises ContextError for a file that others may read, or that is damaged."""
    file = _file()
    if file is None:
        return Contexts()
    try:
        mode = file.stat().st_mode
        text = file.read_bytes()
    except FileNotFoundError:
        return Contexts()
    except OSError as error:
        raise ContextError(f"{file}: {error.strerror}", "make it readable for yourself") from None
    if others_may_access(mode):
        hint = f"chmod 600 {file}, and replace the tokens in it if others may have read them"
        raise ContextError(f"{file} holds tokens, and others may read it", hint)
    try:
        return msgspec.json.decode(text, type=Contexts)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ContextError(f"{file}: {error}", "mend it, or remove it and begin anew") from None


def write_contexts(contexts: Contexts) -> None:
    """Replace them all, whole or not at all. Raises ContextError."""
    file = _file()
    if file is None:
        raise ContextError("you have no home folder", "set XDG_CONFIG_HOME to a folder of yours")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(file, _MODE) as target:
            target.write(msgspec.json.format(msgspec.json.encode(contexts), indent=2) + b"\n")
    except OSError as error:
        raise ContextError(f"cannot write {file}: {error.strerror}", "make it yours") from None


def _file() -> Path | None:
    folder = config_folder()
    return None if folder is None else folder / "contexts.json"
