"""originmap export: mappings for other programs, a command in a file of its own for each family."""

import importlib

import click

# The module beside this one that has the command, and what it says in the list.
_COMMANDS = {
    "terraform": ("export_terraform", "Print the live mappings as HCL with import blocks."),
    "pulumi": ("export_pulumi", "Print the live mappings as a Pulumi program in YAML."),
}


class _Exports(click.Group):
    """Loads only the command that is run, as the main group does."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"originmap.cli.{_COMMANDS[cmd_name][0]}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])


@click.command("export", cls=_Exports)
def command() -> None:
    """Print mappings in the forms of other programs."""
