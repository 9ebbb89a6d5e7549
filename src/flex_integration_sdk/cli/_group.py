"""Commands and groups of commands that say what was probably meant."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from ._argument_values import endpoints
from ._endpoint_names import call_meant
from ._meant import of_word, other_command


class Command(click.Command):
    """A command whose errors say of which command they are, and quote what is too much."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True  # they are refused below, in our own words
        typed = [*args]  # click takes them out of its list
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click leaves it out where a value is missing
            raise
        if rest and not ctx.resilient_parsing:
            raise click.UsageError(self._of_too_much(rest), ctx)
        if not ctx.resilient_parsing:
            self._check_options(ctx, typed)
        return rest

    def _check_options(self, ctx: click.Context, typed: list[str]) -> None:
        """Refuses an option without a value, and one that is there twice.

        Otherwise `--profile "$SHOP"` would act on the default if the variable is not set, and of
        two stores the last one would count.
        """
        given: Counter[str] = Counter()
        for option, value in self._given(ctx, typed):
            name = max(option.opts, key=len)
            given[name] += not option.multiple
            if given[name] > 1:
                raise click.UsageError(f"{name} is there twice; give it once", ctx)
            if not str(value).strip():
                takes = {"NAME": "a name", "FILE": "a file"}.get(option.metavar or "", "a value")
                raise click.UsageError(f"{name} needs {takes}, and what was given is empty", ctx)

    def _given(self, ctx: click.Context, typed: list[str]) -> Iterator[tuple[click.Option, Any]]:
        """The options that take a value, as often as they were typed, each with its value."""
        values, _, order = self.make_parser(ctx).parse_args(args=[*typed])
        for param in order:
            if isinstance(param, click.Option) and not param.is_flag and not param.count:
                found = values[param.name or ""]
                yield from ((param, each) for each in (found if param.multiple else [found]))

    def _of_too_much(self, rest: list[str]) -> str:
        """What is wrong with arguments that the command does not take."""
        # Not all of them: the first one is enough to see what is meant.
        if meant := of_word(rest[0], click.get_current_context()):
            return f"{rest[0]!r} is not an option. Did you mean {meant}?"
        if any(isinstance(param, click.Argument) for param in self.params):
            return f"{rest[0]!r} is one argument too many; a value with blanks needs quotes"
        return f"{rest[0]!r} is not an option: they begin with two dashes, such as --help"


class Group(click.Group):
    """A group whose error for an unknown command names those that exist.

    Older versions of click only say that the command does not exist.
    """

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            path = ctx.command_path
            meant = " or ".join(
                each if each.startswith("`") else f"`{path} {each}`" for each in self._meant(args)
            )
            hint = f"Did you mean {meant}?" if meant else f"There are: {', '.join(self.commands)}."
            raise click.UsageError(f"no command is named {word!r}. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def _meant(self, words: list[str]) -> list[str]:
        word = words[0]
        groups = [(name, each) for name, each in self.commands.items() if isinstance(each, Group)]
        within = [f"{name} {word}" for name, each in groups if word in each.commands]
        if meant := other_command(word, self.commands):
            return meant
        if "call" in self.commands:
            actions = [name for name in endpoints() if name.partition(".")[0] == word]
            within += [
                f"call {each}" for each in [call_meant(words) or (actions or [""])[0]] if each
            ]
        return within or difflib.get_close_matches(word, self.commands, n=2)
