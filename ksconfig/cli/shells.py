"""How each shell asks for completions, and is answered: click's own classes, with what they lack."""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

#: Marks where the cursor is, so that the word before it is known to be empty behind a space.
_CURSOR = "\ue000"


class _Whole(ShellComplete):
    """Answers with whole words: click leaves ``--allow=`` out where the value behind it is completed."""

    def complete(self) -> str:
        """The answer to the script."""
        arguments, incomplete = self.get_completion_args()
        found = self.get_completions(arguments, incomplete)
        option, equals, _ = incomplete.partition("=")
        joined = option + equals if option.startswith("-") and equals else ""
        kept = self.kept(incomplete)
        for one in found:
            one.value = (joined + one.value)[kept:]
        return "\n".join(map(self.format_completion, found))

    def kept(self, _: str, /) -> int:
        """How many characters of the word the shell keeps, and wants no answer for."""
        return 0


class Bash(_Whole, BashComplete):
    """Bash from 3.2 on, whose words end at ``=``, ``:`` and ``@`` too, unless they are quoted.

    So the script hands on the line instead of the words, and the end of it that bash is going to replace.
    """

    # Before 4.4 there is no nosort, and before 4.0 no compopt.
    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value

    response=$(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="$2" \
%(complete_var)s=bash_complete "$1" 2>/dev/null)

    for completion in $response; do
        IFS=',' read -r type value <<< "$completion"

        if [[ $type == 'file' ]]; then
            compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$2"))
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("$value")
            [[ $value == *= ]] && compopt -o nospace 2>/dev/null
        fi
    done

    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""

    def source(self) -> str:
        """The script; click would first complain of a bash before 4.4."""
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words up to the cursor, and the one before it."""
        _, *words, incomplete = split_arg_string(os.environ["COMP_WORDS"] + _CURSOR)
        return words, incomplete.removesuffix(_CURSOR)

    def kept(self, incomplete: str, /) -> int:
        """All before the end that bash replaces."""
        replaced = os.environ["COMP_CWORD"]
        return len(incomplete) - len(replaced) if incomplete.endswith(replaced) else 0

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """One line."""
        return f"{item.type},{item.value}"


class Zsh(_Whole, ZshComplete):
    """No space comes behind ``TARGET=``, files are found behind ``--filename=``, and compinit is not a must."""

    source_template = (
        ZshComplete.source_template.replace(
            "compadd -U -V unsorted -a completions",
            "compadd -U -V unsorted -- ${completions:#*=}\n"
            "        compadd -U -V unsorted -S '' -- ${(M)completions:#*=}\n"
            "        return 0",
        )
        .replace(
            "            _path_files -f",
            "            [[ $PREFIX == -*=* ]] && compset -P 1 '*='\n            _path_files -f",
        )
        .replace(
            "    compdef %(complete_func)s",
            "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }\n    compdef %(complete_func)s",
        )
    )


class Fish(_Whole, FishComplete):
    """Commas in values and descriptions stay: only the first one of an answer separates.

    Files are found by fish itself, as for a command that it does not know: behind ``--filename=`` and ``~`` too.
    """

    source_template = FishComplete.source_template.replace('string split "," $', 'string split -m 1 "," -- $').replace(
        "__fish_complete_path $metadata[2]", "complete -C \"'' \"(commandline -ct)"
    )


#: What completes, by the name of its shell.
SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
