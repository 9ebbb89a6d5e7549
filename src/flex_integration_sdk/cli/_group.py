"""Groups of commands that say what was probably meant, and usage errors in one line."""

from __future__ import annotations

import difflib

import click

from ._argument_values import endpoint_of


class Group(click.Group):
    """A group whose error for an unknown command names those that exist.

    Older versions of click only say that the command does not exist.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            path = ctx.command_path
            meant = " or ".join(f"`{path} {each}`" for each in self._meant(word))
            hint = f"Did you mean {meant}?" if meant else f"There are: {', '.join(self.commands)}."
            raise click.UsageError(f"no command is named {word!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def _meant(self, word: str) -> list[str]:
        groups = [(name, each) for name, each in self.commands.items() if isinstance(each, Group)]
        within = [f"{name} {word}" for name, each in groups if word in each.commands]
        if "call" in self.commands and endpoint_of(word) is not None:
            within.append(f"call {word}")
        return within or difflib.get_close_matches(word, self.commands, n=2)


def usage_text(error: click.UsageError) -> str:
    """A usage error as one line: the command, what is wrong, and where its help is."""
    path = "flex-sdk" if error.ctx is None else error.ctx.command_path
    text = " ".join(error.format_message().split())
    end = "" if text.endswith((".", "?", "`")) else "."
    return f"{path}: {text}{end} See `{path} --help`."
