# bash completion for edgewatchctl(1). Verbs and options come from the program's own help.

_edgewatchctl_verbs() {
        edgewatchctl --help 2>/dev/null | sed -n '/^Verbs:/,/^Options:/s/^  \([a-z][a-z-]*\).*/\1/p'
}

_edgewatchctl_options() {
        edgewatchctl --help 2>/dev/null | sed -n '/^Options:/,$s/.*\(--[a-z][a-z-]*=\{0,1\}\).*/\1/p'
}

_edgewatchctl_rules() {
        edgewatchctl rules list --color=never 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_edgewatchctl_incidents() {
        edgewatchctl list --all --color=never 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_edgewatchctl() {
        local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb='' word words=''

        COMPREPLY=()
        case $previous in
        --rules | --directory | -D)
                mapfile -t COMPREPLY < <(compgen -d -- "$current")
                return
                ;;
        --color) words='auto always never' ;;
        esac
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                [[ $word == -* ]] || { verb=$word; break; }
        done

        if [[ -z $words ]]; then
                case $current:$verb in
                -*) words=$(_edgewatchctl_options) ;;
                *:) words=$(_edgewatchctl_verbs) ;;
                *:explain | *:silence) words="$(_edgewatchctl_incidents) $(_edgewatchctl_rules)" ;;
                *:rules)
                        [[ $previous == rules ]] && words='list show lint test catalog' || words=$(_edgewatchctl_rules)
                        ;;
                *:replay)
                        mapfile -t COMPREPLY < <(compgen -f -- "$current")
                        return
                        ;;
                esac
        fi
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}

complete -o filenames -F _edgewatchctl edgewatchctl
