"""originmap export: mappings for caches and other programs, a module for each family."""

import importlib

import click

from originmap.export.formats import FORMATS

# The module of `commands.plan` that has the command, and what it says in the list.
_COMMANDS = {
    "terraform": ("export_terraform", "Export the live mappings as Terraform resources."),
    "pulumi": ("export_pulumi", "Export the live mappings as a Pulumi program in YAML."),
}
_CACHES = {known.name: known for known in FORMATS}


class _Exports(click.Group):
    """Loads only the command that is run, as the main group does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_CACHES, *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _CACHES:
            from originmap.cli.commands import export_caches

            return export_caches.command(_CACHES[cmd_name])
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(
            f"originmap.cli.commands.plan.{_COMMANDS[cmd_name][0]}"
        ).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("From a database, for caches"):
            formatter.write_dl([(name, known.help) for name, known in _CACHES.items()])
        with formatter.section("From an API, for mappings as code"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])


@click.command("export", cls=_Exports)
def command() -> None:
    """Export mappings for caches and for other programs."""
