"""Errors about options that came from the environment: they name the variable."""

import os

import click
from click.core import ParameterSource


def name_variable(error: click.UsageError) -> None:
    """Have the error of a wrong value name the variable that it came from, if it is from one."""
    if not isinstance(error, click.BadParameter) or error.param_hint is not None:
        return
    context, option = error.ctx, error.param
    if context is None or option is None or option.name is None:
        return
    if context.get_parameter_source(option.name) is not ParameterSource.ENVIRONMENT:
        return
    named = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    variable = next((each for each in named if os.environ.get(each)), None)
    if variable is None:
        variable = f"{context.auto_envvar_prefix}_{option.name.upper()}"
    error.param_hint = f"{variable} ({option.get_error_hint(context)})"
