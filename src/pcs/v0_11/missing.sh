# Sets missing when the cluster has to be made.
missing=''
if [ -z "$trial" ]; then
    name=''
    [ ! -f /etc/corosync/corosync.conf ] || name=$(cluster_name </etc/corosync/corosync.conf)
    case $name in
        "$cluster")
            for node in "${nodes[@]}"; do
                grep -q "^[[:space:]]*name:[[:space:]]*${node//./\\.}[[:space:]]*$" /etc/corosync/corosync.conf ||
                    die "$node is not in the cluster $cluster: pcs host auth it, pcs cluster node add it, then run this again"
            done
            ;;
        '' | debian) missing=1 ;; # debian: the empty cluster that the corosync package of Debian and Ubuntu brings
        *) die "this host is in the cluster $name already" ;;
    esac
    if [ -n "$missing" ] && [ -n "$dry_run" ]; then
        say "Dry run: there is no cluster $cluster yet; steps 1 and 2 would create it."
        exit 0
    fi
fi

# pcs refuses to make a cluster of nodes that are in one. Only the packages' own empty cluster may be overwritten.
refuse_other_clusters() {
    local node conf
    force=()
    for node in "${nodes[@]}"; do
        if conf=$(pcs cluster corosync "$node" 2>&1); then
            case $(cluster_name <<<"$conf") in
                debian) force=(--force) ;;
                *) die "$node is in the cluster $(cluster_name <<<"$conf") already" ;;
            esac
        else
            # pcsd answers 400 where there is no corosync.conf.
            case $conf in *'HTTP error: 400'*) ;; *) die "ask $node for its cluster: $conf" ;; esac
        fi
    done
}
