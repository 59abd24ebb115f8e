# Whether there is anything to say about the agents of other nodes: this pcs cannot ask for them.
can_ask() {
    if [ -n "$trial" ]; then
        say '    --cib: this is a trial, so nothing is said of the agents that nodes need'
        return 1
    fi
    say '    this pcs cannot ask other nodes for their agents; these commands must succeed there, or do not go on:'
}

# need AGENT on NODE...: says what has to be there.
need() {
    local agent=$1
    shift 2
    say "    on $*: crm_resource --show-metadata $agent >/dev/null"
}
