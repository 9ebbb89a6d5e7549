"""``flex-sdk completion``, and what click's scripts lack.

The scripts of click end every word with a blank, also ``title=``, whose value follows, and a folder
in a path. And bash cuts words at ``=``, ``:`` and ``@``, so that click does not know the word that
is being typed.
"""

from __future__ import annotations

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from ._group import Command
from ._shell_variable import COMPLETES

PROGRAM = "flex-sdk"
_BASH_WORD = "COMPREPLY+=($value)"
_ZSH_WORDS = "_describe -V unsorted completions_with_descriptions -U"
_ZSH_PLAIN = "compadd -U -V unsorted -a completions"
_FISH_SPLIT = "(string split"
_PIECE = re.compile(r"[=:@]+")


class Bash(BashComplete):
    """For bash 4.4 and newer."""

    source_template = BashComplete.source_template.replace(
        _BASH_WORD, f"{_BASH_WORD}\n            [[ $value == *[=/] ]] && compopt -o nospace"
    )
    _before = ""

    @staticmethod
    def _check_version() -> None:
        """The script may be made where there is no bash."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words that were typed, joined where bash has cut them, and the last one."""
        words = split_arg_string(os.environ["COMP_WORDS"])[: int(os.environ["COMP_CWORD"]) + 1]
        words += [""] * (int(os.environ["COMP_CWORD"]) + 1 - len(words))
        joined: list[str] = []
        cut = False
        for word in words[1:]:
            is_piece = _PIECE.fullmatch(word) is not None
            if joined and (cut or is_piece):
                joined[-1] += word
            else:
                joined.append(word)
            cut = is_piece
        last = joined.pop() if joined else ""
        # Of it, bash keeps what is before the piece that it replaces.
        if _PIECE.fullmatch(words[-1]):
            self._before = last
        elif words[-1] != last:
            self._before = last.removesuffix(words[-1])
        return joined, last

    def format_completion(self, item: CompletionItem) -> str:
        """A completion, without what bash has already."""
        item.value = item.value.removeprefix(self._before)
        return super().format_completion(item)


class _Whole(ShellComplete):
    """For a shell that wants whole words, also ``--store=file``, of which click offers the end."""

    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is being typed, and that one."""
        words, last = super().get_completion_args()
        option = re.match(r"--[\w-]+=", last)
        self._before = option[0] if option else ""
        return words, last

    def format_completion(self, item: CompletionItem) -> str:
        """A completion as a whole word."""
        item.value = self._before + item.value
        return super().format_completion(item)


class Zsh(_Whole, ZshComplete):
    """For zsh."""

    source_template = ZshComplete.source_template.replace(
        _ZSH_WORDS,
        "local -a end\n"
        '        [[ "$completions_with_descriptions[1]" == *=:* ]] && end=(-S "")\n'
        f'        {_ZSH_WORDS} "${{end[@]}}"',
    ).replace(
        _ZSH_PLAIN,
        "local -a folder\n"
        '        [[ "$completions[1]" == */ ]] && folder=(-S "")\n'
        f'        compadd "${{folder[@]}}" {_ZSH_PLAIN.removeprefix("compadd ")}',
    )


class Fish(_Whole, FishComplete):
    """For fish, whose script would cut a completion, or its help, at a comma."""

    source_template = FishComplete.source_template.replace(_FISH_SPLIT, f"{_FISH_SPLIT} -m 1")


_SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


@click.command(cls=Command, short_help="Print what makes a shell complete `flex-sdk`.")
@click.argument("shell", metavar="SHELL", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes bash (4.4 or newer), zsh or fish complete `flex-sdk`.

    Put it where the shell reads it, and start a new shell:

    \b
    bash, in ~/.bashrc:
      eval "$(flex-sdk completion bash)"
    zsh, in ~/.zshrc, below compinit:
      eval "$(flex-sdk completion zsh)"
    fish:
      flex-sdk completion fish > ~/.config/fish/completions/flex-sdk.fish

    It completes commands, options, stores and their options, profiles, calls and parameters.
    """
    made = _SHELLS[shell](ctx.find_root().command, {}, PROGRAM, COMPLETES)
    click.echo(made.source())


def register() -> None:
    """Makes click use these classes in this program."""
    add_completion_class(Bash)
    add_completion_class(Zsh)
    add_completion_class(Fish)
