
# Is the cluster there, or has it to be made?
missing=''
if [ -z "$trial" ]; then
    name=$(cluster_name 2>/dev/null </etc/corosync/corosync.conf) || true
    case $name in
        "$cluster")
            for node in "${nodes[@]}"; do
                grep -Eq "^[[:space:]]*(name|ring0_addr):[[:space:]]*${node//./\\.}[[:space:]]*$" \
                    /etc/corosync/corosync.conf ||
                    die "$node is not in the cluster $cluster yet: install inuvika-ha there," \
                        'then @AUTH@ and pcs cluster node add'
            done
            compare_cluster </etc/corosync/corosync.conf
            ;;
        '' | debian) missing=1 ;; # debian: the empty cluster that the corosync package of Debian and Ubuntu brings
        *) die "this host is in the cluster $name already" ;;
    esac
fi
if [ -n "$missing" ] && ! covers cluster && ! covers auth; then
    die "there is no cluster $cluster on this host yet: make it first (--part auth,cluster)"
fi
make=$missing
if [ -n "$missing" ] && [ -n "$dry_run" ]; then
    say "Dry run: there is no cluster $cluster yet; steps 1 to 3 would create it."
    make=''
fi
