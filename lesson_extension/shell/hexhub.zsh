# Sourced from /etc/zsh/zshrc by interactive shells; what hexhub.sh is for bash.

[[ -o interactive ]] || return 0

if (( ! $+functions[compdef] )); then
    autoload -Uz compinit && compinit -u
fi

if [[ -z ${HEXHUB_GREETED-} && -t 1 ]]; then
    export HEXHUB_GREETED=1
    lesson greet 2>/dev/null || :
fi

if [[ -n ${HEXHUB_TERMINAL-} && -t 1 ]] && zmodload zsh/datetime 2>/dev/null; then
    typeset -g _hexhub_began='' _hexhub_text=''

    _hexhub_begin() {
        _hexhub_began=$EPOCHREALTIME
        _hexhub_text=$1
    }

    _hexhub_report() {
        local code=$?
        emulate -L zsh
        [[ -n $_hexhub_began ]] || return 0
        local text='' milliseconds
        # A line that begins with a space is nobody's business, as in bash's history.
        if [[ ${HEXHUB_RECORDS-} == command_text && $_hexhub_text != ' '* ]]; then
            text=${${_hexhub_text//[[:cntrl:]]/ }[1,500]}
        fi
        (( milliseconds = (EPOCHREALTIME - _hexhub_began) * 1000 ))
        builtin printf '\e]633;HX;%s;%s;%s;%s\a' \
            "$HEXHUB_TERMINAL" "$code" "${milliseconds%%.*}" "$text"
        _hexhub_began=''
    }

    preexec_functions+=(_hexhub_begin)
    precmd_functions=(_hexhub_report $precmd_functions)
fi
