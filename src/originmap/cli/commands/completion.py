"""originmap completion: what makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print a shell completion script.

    Add the script to the start-up file of the shell.

    Example: originmap completion bash >> ~/.bashrc
    """
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root()
    name = "originmap"
    click.echo(found(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())
