
# Every node of the cluster is asked for the agents that will run there, by pcsd, before anything is pushed.
if [ -n "$trial" ]; then
    say '--cib: the nodes are not asked for their agents.'
elif [ -n "$missing" ] && [ -z "$make" ]; then
    say 'Dry run: the nodes are not asked for their agents.'
elif [ -z "$installed" ]; then
    ask_nodes || die 'nothing was changed. Install what is missing (or, when it is there: --agents-installed)'
fi
