"""`checkpoints completion SHELL`."""

from __future__ import annotations

import click

from checkpoints.cli._completion import complete_shell

__all__ = ["completion"]

_EXAMPLES = """\b
Examples:
  eval "$(checkpoints completion bash)"       # in ~/.bashrc
  eval "$(checkpoints completion zsh)"        # in ~/.zshrc, after compinit
  checkpoints completion fish | source        # in ~/.config/fish/config.fish
"""
_BASH = r"""
_checkpoints_completion() {
    local kind text
    COMPREPLY=()
    while read -r kind text; do
        case $kind in
            word) COMPREPLY+=("$text ") ;;
            part) COMPREPLY+=("$text") ;;
            file | folder)
                compopt -o filenames +o nospace 2>/dev/null
                [ $kind = file ] && kind=-f || kind=-d
                while IFS= read -r text; do
                    COMPREPLY+=("$text")
                done < <(compgen $kind -- "$2") ;;
        esac
    done < <(_CHECKPOINTS_COMPLETE=bash "$1" "${COMP_LINE:0:COMP_POINT}" \
        "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -o nospace -F _checkpoints_completion checkpoints
"""
_ZSH = r"""
_checkpoints_completion() {
    local line kind text
    local -a whole parts before
    before=("${(@Q)words[2,CURRENT-1]}")
    for line in "${(@f)$(_CHECKPOINTS_COMPLETE=zsh ${words[1]} \
            "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        kind=${line%% *} text=${line#* }
        case $kind in
            word) whole+=("$text") ;;
            part) parts+=("$text") ;;
            file | folder)
                [[ -n $text ]] && compset -P '*='
                if [[ $kind = file ]]; then _path_files; else _path_files -/; fi ;;
        esac
    done
    (( $#whole )) && compadd -- "${whole[@]}"
    (( $#parts )) && compadd -S '' -- "${parts[@]}"
    return 0
}
compdef _checkpoints_completion checkpoints
"""
_FISH = r"""
function __checkpoints_completion
    set -l before (commandline -opc)
    set -l last (commandline -ct)
    set -lx _CHECKPOINTS_COMPLETE fish
    for line in ($before[1] $before[2..-1] "$last" 2>/dev/null)
        set -l pair (string split -m 1 ' ' -- $line)
        set -l from (math 1 + (string length -- "$pair[2]"))
        set -l path (string sub -s $from -- "$last")
        switch $pair[1]
            case word part
                echo $pair[2]
            case file
                printf '%s\n' $pair[2](__fish_complete_path $path)
            case folder
                printf '%s\n' $pair[2](__fish_complete_directories $path)
        end
    end
end
complete -c checkpoints -f -a '(__checkpoints_completion)'
"""
_SCRIPTS = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}


@click.command(epilog=_EXAMPLES)
@click.argument(
    "shell", type=click.Choice(list(_SCRIPTS)), shell_complete=complete_shell
)
def completion(shell: str) -> None:
    """
    Print the script that completes commands in a shell.

    It completes commands, options, files, folders, modules, names, tags and their
    values.

    The exit code is 0.
    """
    click.echo(_SCRIPTS[shell].strip())
