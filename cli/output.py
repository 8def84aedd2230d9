"""Where words go: a terminal gets colours and wrapping, anything else whole lines without a single escape sequence."""

from __future__ import annotations

import sys
from io import StringIO

import click
from rich.console import Console, RenderableType

WIDE = 20_000
"""Columns of what is not a terminal: a line is a line, whoever reads it may wrap it."""


def on_terminal() -> bool:
    """Whether a person watches standard output."""
    return sys.stdout.isatty()


def console() -> Console:
    """The console of standard output, when it is a terminal."""
    return Console(highlight=False, markup=False, emoji=False)


def as_text(renderable: RenderableType, width: int = WIDE) -> str:
    """What is shown where there is no terminal: plain text, no trailing blanks."""
    buffer = StringIO()
    Console(
        file=buffer, width=width, force_terminal=False, no_color=True, color_system=None, highlight=False, markup=False
    ).print(renderable)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


def show(renderable: RenderableType) -> None:
    """Print to standard output, as fits it."""
    if on_terminal():
        console().print(renderable)
    else:
        click.echo(as_text(renderable))


def say(line: str) -> None:
    """One line on standard output, at once."""
    click.echo(line)
    sys.stdout.flush()


def tell(line: str) -> None:
    """One line on standard error."""
    click.echo(line, err=True)
