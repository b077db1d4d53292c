# Sourced from /etc/bash.bashrc by interactive shells: says once in a new terminal where the student
# is in the lesson, and completes the words of the `lesson` command.

case $- in
    *i*) ;;
    *) return 0 ;;
esac

_hexhub_complete_lesson() {
    local word=${COMP_WORDS[COMP_CWORD]}
    case $COMP_CWORD in
        1) COMPREPLY=($(compgen -W "check done help hint locale next solution steps task" -- "$word")) ;;
        2)
            case ${COMP_WORDS[1]} in
                locale) COMPREPLY=($(compgen -W "en ru" -- "$word")) ;;
                check | done | hint | task)
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
