
# corosync gets the names of the nodes and resolves them itself: the addresses have to be those of the scenario.
check_names() {
    local i links=$((${#addresses[@]} / ${#nodes[@]}))
    for i in "${!nodes[@]}"; do
        getent ahosts "${nodes[i]}" | grep -q "^${addresses[i * links]//./\\.}[[:space:]]" ||
            die "${nodes[i]} is not ${addresses[i * links]} here: put that into /etc/hosts, on every node"
    done
}
