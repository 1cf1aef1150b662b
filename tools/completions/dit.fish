# Part of the dit project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Completion of dit's tools for fish. Options come from the tool's own --help, so
# they are those of the tool that runs.

# The tool lists options behind two spaces, passes behind six, and options of
# passes, which are no options of its own, behind more.
# Options of the tool, with descriptions; a `=` at the end where a value follows.
function __dit_options
    set -l tool (commandline -opc)[1]
    $tool --help 2>/dev/null | sed -nE \
        -e 's/^( {2}| {6})(--?[a-z][a-z0-9-]*)(=<[^>]*>|=)( +- +(.*))?$/\2=\t\5/p' \
        -e 's/^( {2}| {6})(--?[a-z][a-z0-9-]*)( <[^>]*>)?( +- +(.*))?$/\2\t\5/p' | sort -u
end

# Each value of the option that is being written, behind the option.
function __dit_values
    set -l tool (commandline -opc)[1]
    set -l option (string split -m 1 = -- (commandline -ct))[1]
    $tool --help 2>/dev/null |
        sed -nE "s/^ +$option=<([a-z0-9|-]+\\|[a-z0-9|-]+)>.*/\1/p" |
        tr '|' '\n' | sed "s/^/$option=/"
end

for tool in dit-opt dit-run dit-compile dit-reduce dit-lsp-server
    complete -c $tool -n 'string match -q -- "-*" (commandline -ct)' \
        -a '(__dit_options)'
    complete -c $tool -n 'string match -q -- "--*=*" (commandline -ct)' \
        -a '(__dit_values)'
end
