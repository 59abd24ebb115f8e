# Whether the nodes can be asked for their agents.
can_ask() {
    if [ -n "$trial" ]; then
        say '    --cib: this is a trial, so no node is asked for its agents'
        return 1
    elif [ -n "$missing" ] && [ -z "$make" ]; then
        say '    the nodes do not trust each other yet, so none is asked for its agents'
        return 1
    fi
}

# need AGENT on NODE...: what is to be asked.
needs=()
need() { needs+=("$1 ${*:3}"); }

# Refuses to go on when a node lacks an agent that it needs, or cannot be asked.
check_needs() {
    local problem
    problem=$(ask_nodes "${needs[@]}") || die 'ask the nodes for their agents: Python failed; nothing was changed'
    [ -z "$problem" ] || die "$problem"
}

# ask_nodes "AGENT NODE..."...: asks pcsd on each node for the agents, as pcs does, and prints what is wrong, if
# anything. Every node is asked at the same time.
ask_nodes() {
    "$python" -I - "$@" <<'END'
@PROGRAM@
END
}
