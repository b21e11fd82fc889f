# bash completion for edgewatchctl(1). Verbs, their parts and options come from the program's own help, symptoms from the
# rules, incidents from the daemon.

_edgewatchctl_help() {
        edgewatchctl --help 2>/dev/null
}

_edgewatchctl_verbs() {
        _edgewatchctl_help | sed -n '/^Verbs:/,/^Options:/s/^  \([a-z][a-z-]*\).*/\1/p'
}

# list, show … of `rules`; nothing for a verb that has no parts.
_edgewatchctl_parts() {
        _edgewatchctl_help | sed -n "/^Verbs:/,/^Options:/s/^  $1 \([a-z|]\{1,\}\)\( .*\)\{0,1\}\$/\1/p" | tr '|' ' '
}

_edgewatchctl_options() {
        _edgewatchctl_help | sed -n '/^Options:/,$s/^ .\{0,5\}\(--[a-z][a-z-]*=\{0,1\}\).*/\1/p'
}

# What an option takes (DIR, FILE, …), given by its long name or its letter; nothing when it takes nothing.
_edgewatchctl_value() {
        _edgewatchctl_help | sed -n "/^Options:/,\$s/^  .*$1[ ,=].*--[a-z-]*=\([A-Z=]*\).*/\1/p;/^Options:/,\$s/^  .*$1=\([A-Z=]*\).*/\1/p" |
                head -n 1
}

# The ids of a JSON answer. In a text the quotes would have a backslash before them.
_edgewatchctl_ids() {
        edgewatchctl "$@" --json 2>/dev/null | grep -o '"id": *"[^"\\]*"' | cut -d '"' -f 4
}

_edgewatchctl_subjects() {
        _edgewatchctl_ids list --all
        _edgewatchctl_ids rules list
}

_edgewatchctl_words_of_value() {
        case $1 in
        WHEN) echo auto always never ;;
        TIME) echo today yesterday -1h -8h -2d ;;
        DURATION) echo 10min 1h 8h 2d ;;
        esac
}

_edgewatchctl_files() {
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen "-$1" -- "$2")
}

_edgewatchctl() {
        local current=${COMP_WORDS[COMP_CWORD]} option='' value='' word i words
        local -a plain=()

        COMPREPLY=()
        # Readline splits at "=": --color=ne is "--color", "=", "ne".
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [[ $word == = ]]; then
                        option=${COMP_WORDS[i - 1]}
                elif [[ -n $option ]]; then
                        option=
                elif [[ $word == -* ]]; then
                        [[ -n $(_edgewatchctl_value "$word") ]] && option=$word
                else
                        plain+=("$word")
                fi
        done
        if [[ $current == = ]]; then
                current=
        fi
        if [[ -n $option ]]; then
                value=$(_edgewatchctl_value "$option")
                case $value in
                DIR) _edgewatchctl_files d "$current"; return ;;
                FILE) _edgewatchctl_files f "$current"; return ;;
                esac
                words=$(_edgewatchctl_words_of_value "$value")
        elif [[ $current == -* ]]; then
                words=$(_edgewatchctl_options)
        else
                case ${#plain[@]}:${plain[*]} in
                0:) words=$(_edgewatchctl_verbs) ;;
                1:explain | 1:silence | 2:fix\ plan | 2:fix\ apply) words=$(_edgewatchctl_subjects) ;;
                2:silence\ *) words='off 1h 8h 2d' ;;
                1:record) _edgewatchctl_files d "$current"; return ;;
                1:replay) _edgewatchctl_files f "$current"; return ;;
                1:*) words=$(_edgewatchctl_parts "${plain[0]}") ;;
                2:fix\ undo) words=$(edgewatchctl fix history --json 2>/dev/null | grep -o '"run": *"[^"\\]*"' | cut -d '"' -f 4) ;;
                *:rules\ list* | *:rules\ catalog*) words= ;;
                *:rules\ *) words=$(_edgewatchctl_ids rules list) ;;
                *) words= ;;
                esac
        fi
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
                compopt -o nospace 2>/dev/null
        fi
}

complete -F _edgewatchctl edgewatchctl
