# Sourced from /etc/bash.bashrc by interactive shells: says once in a new terminal where the student
# is in the lesson, completes the words of the `lesson` command, and tells the IDE's terminal when a
# command has ended. Whoever removes it loses nothing else.

case $- in
    *i*) ;;
    *) return 0 ;;
esac

_hexhub_complete_lesson() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}
    local flags='--json --locale --help'
    [ "$command" = check ] && flags="$flags --watch"
    [ "$command" = reset ] && flags="$flags --undo --yes"
    case $word in
        -*) COMPREPLY=($(compgen -W "$flags" -- "$word")); return ;;
    esac
    case $COMP_CWORD in
        1) COMPREPLY=($(compgen -W "check done help hint history locale next reset solution steps task" -- "$word")) ;;
        2)
            case $command in
                locale) COMPREPLY=($(compgen -W "en ru" -- "$word")) ;;
                reset) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")) ;;
                check | done | hint | history | task)
                    COMPREPLY=($(compgen -W "$(lesson steps --names 2>/dev/null)" -- "$word")) ;;
            esac ;;
    esac
}
complete -F _hexhub_complete_lesson lesson

# Shells within this one inherit the mark, so that only a new terminal is greeted.
if [ -z "${HEXHUB_GREETED-}" ] && [ -t 1 ]; then
    export HEXHUB_GREETED=1
    lesson greet 2>/dev/null || :
fi

# HEXHUB_TERMINAL is there only in terminals of the IDE, which read what is written here and do not
# show it (hexhub_lesson/finished_commands.py). No process is started, but where the lesson records
# the text of commands.
if [ -n "${HEXHUB_TERMINAL-}" ] && [ -t 1 ] && [ "${BASH_VERSINFO[0]}" -ge 5 ]; then
    _hexhub_began='' _hexhub_number=''

    _hexhub_report() {
        local status=$? now=${EPOCHREALTIME/[.,]/} text='' number=''
        [ -n "$_hexhub_began" ] || return 0
        if [ "${HEXHUB_RECORDS-}" = command_text ]; then
            text=$(HISTTIMEFORMAT='' builtin history 1)
            text=${text#"${text%%[![:space:]]*}"}
            number=${text%%[![:digit:]]*}
            text=${text#"$number"}
            text=${text:2}
            # A line that begins with a space is nobody's business; the history may leave it out.
            [ "$number" != "$_hexhub_number" ] && [ "$text" = "${text#[[:space:]]}" ] || text=''
            _hexhub_number=$number
            text=${text//[[:cntrl:]]/ }
            text=${text:0:500}
        fi
        builtin printf '\e]633;HX;%s;%s;%s;%s\a' \
            "$HEXHUB_TERMINAL" "$status" "$(((now - _hexhub_began) / 1000))" "$text"
        _hexhub_began=''
        return 0
    }

    # PS0 is written between Enter and the command; the sum in it notes the time, in this shell.
    PS0='${PS0:$((_hexhub_began=${EPOCHREALTIME/[.,]/}, 0)):0}'"${PS0-}"
    PROMPT_COMMAND=(_hexhub_report "${PROMPT_COMMAND[@]}")
fi
