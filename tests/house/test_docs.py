"""The documents agree with the code: every error, route, command, setting, path and link."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from originmap import bootstrap, data
from originmap.api.envelope import Message
from originmap.api.errors import TABLE, render
from originmap.api.http.limits import Limits
from originmap.api.http.router import MAX_BODY
from originmap.api.native.tier.topology import LARGE_BODY
from originmap.api.server import GRACE_SECONDS
from originmap.bootstrap_application import build_app
from originmap.cli import main as command_line
from originmap.domain.errors import OriginmapError
from originmap.domain.mapping.batch import MAX_ITEMS
from originmap.domain.mapping.mapping import MAX_MAPPINGS
from originmap.domain.tier.latency import MAX_MEASUREMENTS
from originmap.settings import VARIABLES, Settings
from originmap.store.group import MAX_WAITING
from scripts import docs as generated
from scripts.reference import errors as reference_errors
from tests.api import application
from tests.house.source import ROOT, files_of

SOURCE = ROOT / "src" / "originmap"
DOCS = ROOT / "docs"

PAGES = files_of(".md", ROOT)

EVERY_ERROR = [error for kind in TABLE for error in reference_errors.samples(kind)]


@pytest.mark.parametrize("error", EVERY_ERROR, ids=repr)
def test_the_error_page_has_each_error_as_the_server_returns_it(error: OriginmapError) -> None:
    rows = table_rows(DOCS / "errors.md", f"`{type(error).__name__}`")
    assert len(rows) == 1, f"docs/errors.md needs one row for {type(error).__name__}"
    answer = render(error)
    assert f"| {answer.status} |" in rows[0]
    for message in with_chains(answer.errors):
        assert re.search(rf"\b{message.code}\b", rows[0]), f"code {message.code}: {rows[0]}"
        assert message.message in rows[0]


def test_the_error_page_has_a_remedy_for_each_error() -> None:
    notes = reference_errors.read_notes()
    assert notes.keys() <= {kind.__name__ for kind in TABLE}
    for kind in TABLE:
        (row,) = table_rows(DOCS / "errors.md", f"`{kind.__name__}`")
        cells = re.split(r"(?<!\\) \| ", row.strip("| "))
        assert len(cells) == 6, row
        assert all(cells), row


def test_every_sample_of_an_error_has_a_different_form() -> None:
    forms = [repr(error) for error in EVERY_ERROR]
    assert len(set(forms)) == len(forms)


@pytest.mark.parametrize("page", generated.PAGES)
def test_the_generated_pages_are_up_to_date(page: str) -> None:
    stale = generated.generate(page) != (DOCS / page).read_text("utf-8")
    assert not stale, "run: make docs-generate"


async def test_the_api_page_has_every_route() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    headings = set(re.findall(r"^### `(.+)`$", page, re.MULTILINE))
    assert headings == await served()


def test_the_command_page_has_every_command_and_option() -> None:
    sections = sections_of(DOCS / "cli.md")
    for name, command in commands():
        assert name in sections, f"docs/cli.md needs a section: {name}"
        for option in options_of(command):
            assert f"`{option}`" in sections[name], f"{option} is missing in docs/cli.md, {name}"


def test_the_command_page_names_only_existing_options() -> None:
    sections = sections_of(DOCS / "cli.md")
    for name, command in commands():
        named = set(re.findall(r"`(--[a-z-]+)`", sections[name]))
        assert named <= set(options_of(command)), name


def test_the_options_that_choose_a_server_are_described_once() -> None:
    page = (DOCS / "cli.md").read_text("utf-8")
    described = sections_of(DOCS / "cli.md")["Choosing a server"]
    for option in ("--db", "--server", "--context"):
        help_ = next(each.help for each in options_called(option, "originmap zone list"))
        assert len(re.findall(rf"^\| `{option}`", described, re.MULTILINE)) == 1
        assert help_ is not None
        assert page.count(help_.partition(";")[0]) == 1


def test_the_list_of_commands_has_the_first_sentence_of_their_help() -> None:
    context = click.Context(command_line.group)
    with context:
        listed = command_line.group.get_help(context)
    for name in command_line.group.list_commands(context):
        command = command_line.group.get_command(context, name)
        assert command is not None
        first = " ".join((command.help or "").split("\n\n")[0].split())
        assert first in " ".join(listed.split()), name


@pytest.mark.parametrize("setting", [field.name for field in fields(Settings)])
def test_the_page_of_settings_has_every_setting(setting: str) -> None:
    assert len(table_rows(DOCS / "settings.md", f"`{setting}`")) == 1


def test_the_page_of_settings_has_every_variable() -> None:
    read = {each.name for each in VARIABLES} | {
        option.envvar
        for _, command in commands()
        for option in command.params
        if isinstance(option.envvar, str)
    }
    for name in read:
        assert len(table_rows(DOCS / "settings.md", f"`{name}`")) == 1, name


def test_every_help_text_has_an_example_that_can_be_parsed() -> None:
    for name, command in commands():
        examples = examples_of(command)
        assert examples, f"{name} --help needs an example"
        for example in examples:
            before, found, after = f" {example} ".partition(f" {name} ")
            assert found, example
            assert before.strip() == "" or before.endswith(" |"), example
            arguments = shlex.split(after)
            shell = [arguments.index(sign) for sign in (">", ">>") if sign in arguments]
            command.make_context(name, arguments[: min(shell, default=len(arguments))])


def test_every_path_named_in_the_architecture_exists() -> None:
    named = re.findall(r"`([\w.][\w./-]*(?:\.(?:py|sql|toml|md|csv)|/))`", architecture())
    assert len(named) > 40
    missing = [path for path in named if not exists(path)]
    assert missing == []


def test_every_name_in_the_architecture_exists() -> None:
    words = {
        word
        for path in files_of(".py", SOURCE)
        for word in re.findall(r"\w+", path.read_text("utf-8"))
    }
    named = re.findall(r"`((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)`", architecture())
    unknown = [name for name in named if not exists(name) and not words.issuperset(name.split("."))]
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_relative_link_is_dead(page: Path) -> None:
    dead = [link for link in links_of(page) if not leads_somewhere(page, link)]
    assert dead == []


def test_the_list_of_pages_has_every_page() -> None:
    linked = {link.partition("#")[0] for link in links_of(DOCS / "README.md")}
    pages = {
        str(page.relative_to(DOCS)) for page in [*DOCS.glob("*.md"), *DOCS.glob("guides/*.md")]
    }
    assert pages - linked == {"README.md"}


def test_the_readme_states_the_number_of_regions() -> None:
    count = len(data.catalogue().regions())
    assert f"{count} regions" in (ROOT / "README.md").read_text("utf-8")


def test_the_example_of_the_resolver_prints_its_comment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = (DOCS / "topology.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(example, "topology.md", "exec"), {})
    assert capsys.readouterr().out.strip() == example.strip().rpartition("  # ")[2]


def test_the_limits_are_those_of_the_code() -> None:
    limits = Limits()
    page = ROOT / "SECURITY.md"
    for what, number in {
        "URL": f"{limits.url >> 10} KiB",
        "headers together": f"{limits.headers >> 10} KiB",
        "body": f"{MAX_BODY >> 20} MiB",
        "body of a topology, of what-if, and of measured latencies": f"{LARGE_BODY >> 20} MiB",
        "measured latencies": f"{MAX_MEASUREMENTS:,}",
        "from the first byte to the end of the headers": f"{limits.header_seconds:g} s",
        "from connecting to the first byte": f"{limits.header_seconds:g} s",
        "from the end of the headers to the end of the body": f"{limits.body_seconds:g} s",
        "a client that does not take its answer": f"{limits.write_seconds:g} s",
        "connections": f"{limits.connections:,}",
        "writes that wait": f"{MAX_WAITING:,}",
        "mappings of a zone": f"{MAX_MAPPINGS:,}",
        "items of a batch": f"{MAX_ITEMS}",
        "requests in flight at SIGTERM": f"{GRACE_SECONDS} s",
    }.items():
        (row,) = table_rows(page, what)
        assert row.split(" | ")[1] == number


def test_decisions_have_all_sections() -> None:
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == [*range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        assert "\nStatus: " in text, page.name
        parts = [part for part in sections_of(page) if part]
        assert parts == ["Context", "Decision", "Consequences"], page.name


def test_every_dependency_has_a_reason() -> None:
    page = DOCS / "decisions" / "0002-dependencies.md"
    for file in ("run.in", "test.in", "docs.in", "dist.in"):
        for line in (ROOT / "requirements" / file).read_text("utf-8").splitlines():
            if name := re.match(r"[a-z][a-z0-9-]*", line):
                assert len(table_rows(page, name[0])) == 1, f"{page.name} needs a row: {name[0]}"


def architecture() -> str:
    return (DOCS / "ARCHITECTURE.md").read_text("utf-8")


def exists(path: str) -> bool:
    """Whether `path` exists in the root or in the source or, if it is a bare name, anywhere in
    them.
    """
    if (ROOT / path).exists() or (SOURCE / path).exists():
        return True
    return "/" not in path and any(SOURCE.rglob(path))


def table_rows(page: Path, first: str) -> list[str]:
    """The rows of a page's tables with `first` in the first cell."""
    lines = page.read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith(f"| {first} |")]


def sections_of(page: Path) -> dict[str, str]:
    """The text under each heading of the second level; under "" the text above the first one."""
    found = {"": ""}
    title = ""
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ")
            found[title] = ""
        else:
            found[title] += line + "\n"
    return found


def with_chains(messages: list[Message]) -> list[Message]:
    return messages + [inner for message in messages for inner in message.error_chain]


async def served() -> set[str]:
    """Every operation, as "PUT /path/{parameter}"; HEAD belongs to GET."""
    async with bootstrap.open_store(bootstrap.MEMORY) as opened:
        allowed = application.served(build_app(opened, lambda: True, Settings(enable_v1=True)))
    return {
        f"{method} {re.sub(r':[a-z0-9]+}', '}', template)}"
        for template, methods in allowed.items()
        for method in methods
        if method != "HEAD"
    }


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that is not a group, by its full name."""
    yield from below("originmap", command_line.group)


def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for child_name in command.list_commands(context):
        child = command.get_command(context, child_name)
        assert child is not None
        yield from below(f"{name} {child_name}", child)


def options_called(name: str, command_name: str) -> list[click.Option]:
    command = dict(commands())[command_name]
    return [p for p in command.params if isinstance(p, click.Option) and name in p.opts]


def examples_of(command: click.Command) -> list[str]:
    """The command lines of a help text, each a paragraph that begins with `Example: `."""
    paragraphs = (" ".join(each.split()) for each in (command.help or "").split("\n\n"))
    return [each.removeprefix("Example: ") for each in paragraphs if each.startswith("Example: ")]


def options_of(command: click.Command) -> list[str]:
    return [
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    ]


def links_of(page: Path) -> list[str]:
    """The targets of a page's relative links, without those in code."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors_of(target)


def anchors_of(page: Path) -> set[str]:
    """The anchor of a heading, by the common rule of GitHub and GitLab."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}


def test_every_page_that_an_error_names_exists() -> None:
    texts = (path.read_text("utf-8") for path in files_of(".py", SOURCE))
    pages = {page for text in texts for page in re.findall(r'^    page = "(.*)"$', text, re.M)}
    assert len(pages) > 8
    assert [page for page in pages if not leads_somewhere(DOCS / "README.md", page)] == []
