# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Completion of dit's tools for bash. Options come from the tool's own --help, so
# they are those of the tool that runs.

# The tool lists options behind two spaces, passes behind six, and options of
# passes, which are no options of its own, behind more.
# Options of the tool $1, one per line; a `=` at the end where a value follows.
_dit_options() {
  "$1" --help 2>/dev/null | sed -nE \
    -e 's/^( {2}| {6})(--?[a-z][a-z0-9-]*)(=<[^>]*>|=)( .*)?$/\2=/p' \
    -e 's/^( {2}| {6})(--?[a-z][a-z0-9-]*)( <[^>]*>)?( +- .*)?$/\2/p' | sort -u
}

# Values of the option $2 of the tool $1: those between < and | and >, as in
# --target=<cpu|reference>.
_dit_values() {
  "$1" --help 2>/dev/null |
    sed -nE "s/^ +$2=<([a-z0-9|-]+\\|[a-z0-9|-]+)>.*/\\1/p" | tr '|' '\n'
}

_dit_complete() {
  local tool=$1 word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local option='' values
  # bash splits words at `=`.
  if [[ $word == '=' ]]; then
    option=$previous word=''
  elif [[ $previous == '=' ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  elif [[ $previous == --* ]]; then
    option=$previous
  fi
  if [[ $option == --* && $word != -* ]]; then
    values=$(_dit_values "$tool" "$option")
    if [[ -n $values ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
      return
    fi
  fi
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_dit_options "$tool")" -- "$word")
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
      compopt -o nospace 2>/dev/null
    fi
    return
  fi
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -F _dit_complete dit-opt dit-run dit-compile dit-reduce dit-lsp-server
