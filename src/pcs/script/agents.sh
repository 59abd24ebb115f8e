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

# need AGENT on NODE...: refuses to go on when one of the nodes lacks it, or cannot be asked.
need() {
    local agent=$1 problem
    shift 2
    problem=$(ask_nodes "$agent" "$@") || die "ask the nodes for $agent: python3 failed; nothing was changed"
    [ -z "$problem" ] || die "$problem"
}

# ask_nodes AGENT NODE...: asks pcsd on each node for the agent, as pcs does, and prints what is wrong, if anything.
ask_nodes() {
    python3 -I - "$@" <<'END'
@PROGRAM@
END
}
