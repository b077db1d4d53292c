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

# Before each prompt: says which limit of the machine was met since it was last said, by the counters
# that the kernel keeps for the machine. With the shell's own words alone, as no program can be
# started where the limit of processes is met. What was said is kept for all terminals.
_hexhub_read() { # FILE [WORD]: the number in FILE, or the one after WORD there; 0 where there is none
    local word number _
    _hexhub_number=0
    [ -r "$1" ] || return 0
    while read -r word number _; do
        if [ -z "${2-}" ]; then
            _hexhub_number=$word
        elif [ "$word" = "$2" ]; then
            _hexhub_number=$number
        fi
    done <"$1"
}

_hexhub_limits() {
    local status=$? top=/sys/fs/cgroup memory processes limit told_memory told_processes
    local told=/tmp/.hexhub-limits-$UID
    _hexhub_read $top/memory.events oom_kill # cgroup v2
    [ "$_hexhub_number" != 0 ] || _hexhub_read $top/memory/memory.oom_control oom_kill # v1
    memory=$_hexhub_number
    _hexhub_read $top/pids.events max
    [ "$_hexhub_number" != 0 ] || _hexhub_read $top/pids/pids.events max
    processes=$_hexhub_number
    [ "$memory$processes" != 00 ] || return $status
    read -r told_memory told_processes 2>/dev/null <"$told" || told_memory=0 told_processes=0
    # Both begin at 0 again when the machine is started.
    [ "$told_memory" -le "$memory" ] 2>/dev/null || told_memory=0
    [ "$told_processes" -le "$processes" ] 2>/dev/null || told_processes=0
    if [ "$memory" -gt "$told_memory" ]; then
        _hexhub_read $top/memory.max
        [ "$_hexhub_number" != 0 ] || _hexhub_read $top/memory/memory.limit_in_bytes
        limit=$((_hexhub_number / 1048576))
        printf '\e[1;33m%s\n%s\e[0m\n' \
            "This machine's memory ran out ($limit MB), and a program was ended." \
            "Память этой машины кончилась ($limit МБ), и программа была завершена." >&2
    fi
    if [ "$processes" -gt "$told_processes" ]; then
        _hexhub_read $top/pids.max
        [ "$_hexhub_number" != 0 ] || _hexhub_read $top/pids/pids.max
        printf '\e[1;33m%s\n%s\e[0m\n' \
            "This machine has as many processes as it may ($_hexhub_number): more were refused." \
            "У этой машины столько процессов, сколько можно ($_hexhub_number): новым отказано." >&2
    fi
    if [ "$memory $processes" != "$told_memory $told_processes" ]; then
        { echo "$memory $processes" >"$told"; } 2>/dev/null || :
    fi
    return $status
}
PROMPT_COMMAND="_hexhub_limits${PROMPT_COMMAND:+; $PROMPT_COMMAND}"

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
