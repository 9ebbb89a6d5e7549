"""Completion for bash and zsh that adds no blank after ``title=``: the value follows there.

click's own scripts end every word with a blank; fish does this right by itself.
"""

from __future__ import annotations

from click.shell_completion import BashComplete, ZshComplete, add_completion_class

_BASH_WORD = "COMPREPLY+=($value)"
_ZSH_WORDS = "_describe -V unsorted completions_with_descriptions -U"


class Bash(BashComplete):
    """For bash 4.4 and newer."""

    source_template = BashComplete.source_template.replace(
        _BASH_WORD, f"{_BASH_WORD}\n            [[ $value == *= ]] && compopt -o nospace"
    )


class Zsh(ZshComplete):
    """For zsh."""

    source_template = ZshComplete.source_template.replace(
        _ZSH_WORDS,
        "local -a end\n"
        '        [[ "$completions_with_descriptions[1]" == *=:* ]] && end=(-S "")\n'
        f'        {_ZSH_WORDS} "${{end[@]}}"',
    )


def register() -> None:
    """Makes click use these classes in this program."""
    add_completion_class(Bash)
    add_completion_class(Zsh)
