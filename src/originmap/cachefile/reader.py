"""Reads a file of caches in any format: the suffix and the content decide which one."""

from pathlib import Path

from originmap.cachefile import ansible, csv_table, file_sd
from originmap.cachefile.draft import CacheDraft
from originmap.cachefile.tree import NotTree, TreeNode, read_json, read_yaml
from originmap.mapfile.errors import UnusableFile, WrongSource
from originmap.mapfile.reader import text_of

FORMATS = ("csv", "ansible", "file_sd")
HINT = "the formats are in docs/topology.md#files-of-caches"
_YAML = (".yaml", ".yml")


def read_caches(path: Path, form: str | None = None, colo: str | None = None) -> CacheDraft:
    """Read a file. `form` is one of `FORMATS`, by default the one that the file has; `colo` is the
    variable or label with the colo.

    Raises UnusableFile, or WrongSource with all problems.
    """
    file, text, draft = str(path), text_of(path), CacheDraft()
    form = form or _format(path, text)
    try:
        if form == "csv":
            csv_table.read(file, text, draft)
        elif form == "ansible":
            ansible.read(_tree(path, text), colo or ansible.COLO, draft)
        else:
            file_sd.read(_tree(path, text), colo or file_sd.COLO, draft)
    except NotTree as error:
        draft.problem(error.where, str(error))
    if draft.problems:
        raise WrongSource(
            [f"{where}: {problem}" for where, problem in sorted(draft.problems)], HINT
        )
    if not draft.entries:
        raise UnusableFile(file, _empty(draft, form, colo), HINT)
    return draft


def _format(path: Path, text: str) -> str:
    suffix, start = path.suffix.lower(), text.lstrip()
    if suffix == ".csv":
        return "csv"
    listed = start.startswith(("[", "- ", "---\n- "))
    if suffix in _YAML or suffix == ".json":
        return "file_sd" if listed else "ansible"
    if suffix == ".ini" or (start.startswith("[") and start[1:].lstrip()[:1] not in ("{", "]")):
        hint = f"print it as YAML: ansible-inventory -i {path} --list --yaml"
        raise UnusableFile(str(path), "this looks like an inventory in INI", hint)
    if listed or start.startswith("{"):
        return "file_sd" if listed else "ansible"
    heading = start.partition("\n")[0].lower()
    if "colo" in heading and "address" in heading:
        return "csv"
    raise UnusableFile(str(path), "unknown format", f"give --format: {', '.join(FORMATS)}")


def _tree(path: Path, text: str) -> TreeNode:
    if path.suffix.lower() not in _YAML and text.lstrip().startswith(("[", "{")):
        return read_json(str(path), text)
    return read_yaml(str(path), text)


def _empty(draft: CacheDraft, form: str, colo: str | None) -> str:
    if not draft.skipped:
        return "no caches in this file"
    default = file_sd.COLO if form == "file_sd" else ansible.COLO
    return f"no caches in this file: {len(draft.skipped):,} hosts, all without {colo or default}"
