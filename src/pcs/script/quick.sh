# pcs takes half a second to start, most of it for loading its modules, and cibadmin 30 ms to look something up. So one
# process of pcs's own interpreter loads pcs once, then forks for each command, and it looks things up itself. Where
# that does not work, $quick stays empty and the programs are started each time: that takes longer, and is the same.
quick='' version=''
start_quick() {
    local interpreter program
    program=$(command -v pcs)
    interpreter=$(sed -n '1s/^#![[:space:]]*//p;q' "$program")
    case $interpreter in *python*) ;; *) return 0 ;; esac
    quick_program >"$work/quick.py"
    mkfifo "$work/ask" "$work/answer"
    # shellcheck disable=SC2086 # a program and its options
    $interpreter -I "$work/quick.py" "$program" "$work/said" <"$work/ask" >"$work/answer" 2>/dev/null &
    disown # bash need not say how it ended
    exec {ask}>"$work/ask" {answer}<"$work/answer"
    if IFS= read -r version <&"$answer"; then quick=1; fi
}

# ask pcs WORD..., ask find FILE XPATH: has that process do it.
ask() {
    local status=''
    (trap '' PIPE; printf '%s\0' "$#" "$@" >&"$ask") 2>/dev/null || true
    IFS= read -r status <&"$answer" || die 'the process that runs pcs was ended; nothing was changed'
    return "$status"
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

# The program of that process. On stdin: how many words come, and the words, each with a zero byte at its end.
quick_program() {
    cat <<'END'
@PROGRAM@
END
}
