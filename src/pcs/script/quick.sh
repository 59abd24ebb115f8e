# pcs takes half a second to start, most of it for loading its modules, and cibadmin 30 ms to look something up. So one
# process of pcs's own interpreter loads pcs once, then forks for each command, and it looks things up itself. Where
# that does not work, $quick stays empty and the programs are started each time: that takes longer, and is the same.
quick='' version=''
start_quick() {
    local interpreter program ready
    program=$(type -P pcs) && [ -r "$program" ] || return 0
    interpreter=$(sed -n '1s/^#![[:space:]]*//p;q' "$program")
    case $interpreter in *python*) ;; *) return 0 ;; esac
    quick_program >"$work/quick.py"
    mkfifo "$work/ask" "$work/answer" 2>/dev/null || return 0
    # shellcheck disable=SC2086 # a program and its options
    $interpreter "$work/quick.py" "$program" "$work/said" <"$work/ask" >"$work/answer" 2>"$work/trouble" &
    disown # bash need not say how it ended
    unset TMOUT # which would be for "read" as well
    exec {ask}>"$work/ask" {answer}<"$work/answer"
    if IFS= read -r version <&"$answer" && IFS= read -r ready <&"$answer" && [ "$ready" = ready ]; then
        quick=1
    else
        version=''
        exec {ask}>&- {answer}<&-
    fi
}

# ask pcs WORD..., ask find FILE XPATH: has that process do it.
ask() {
    local status=''
    (trap '' PIPE; printf '%s\0' "$#" "$@" >&"$ask") 2>/dev/null || true
    IFS= read -r status <&"$answer" || true
    case $status in
        0 | 1) return "$status" ;;
        *) die "the process that runs pcs was ended; nothing was pushed: $(tail -n 1 "$work/trouble")" ;;
    esac
}

# pcs WORD...; what it says goes to the file "said".
run_pcs() { if [ -n "$quick" ]; then ask pcs "$@"; else pcs "$@" >"$work/said" 2>&1; fi; }

# The paths of what an XPath expression names in the configuration being made, each ending in [@id='ID']; fails when
# there is nothing.
paths() {
    if [ -n "$quick" ]; then
        ask find "$work/new.xml" "$1" && cat "$work/said"
    else
        CIB_file="$work/new.xml" cibadmin --query --node-path --xpath "$1" 2>/dev/null
    fi
}
has() { paths "$1" >/dev/null; }

# After the last look. What was asked in a subshell, and not answered, is found out here at the latest.
end_quick() {
    has /cib || die 'the copy of the configuration cannot be read any more; nothing was pushed'
    [ -z "$quick" ] || exec {ask}>&- {answer}<&-
    quick=''
}

# The program of that process. On stdin: how many words come, and the words, each with a zero byte at its end.
quick_program() {
    cat <<'END'
@PROGRAM@
END
}
