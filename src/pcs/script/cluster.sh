
# Names something that is otherwise than in the scenario, and the command that changes it.
differs() {
    say "    $1: $2"
    more=1
}

# Names what a corosync.conf on stdin, and the start at boot, have otherwise than the scenario.
compare_cluster() {
    local key value name='' rings='' live_token='' i links=$((${#addresses[@]} / ${#nodes[@]})) wanted
    local -A live=()
    while read -r key value; do
        case $key in
            node) name='' rings='' ;;
            name:) name=$value ;;
            ring[0-7]_addr:) rings+=" $value" ;;
            token:) live_token=$value ;;
            '}')
                # Where nodes have no names of their own, their first address is one.
                name=${name:-${rings# }}
                name=${name%% *}
                [ -z "$name" ] || live[$name]=${rings# }
                name='' rings=''
                ;;
        esac
    done < <(sed 's/:[[:space:]]*/: /; s/[[:space:]]*$//')
    [ "$live_token" = "$token" ] ||
        differs "the token timeout is ${live_token:-the default}, not ${token:-the default}" \
            "@TOKEN@"
    for i in "${!nodes[@]}"; do
@WANTED@
        [ "${live[${nodes[i]}]-}" = "$wanted" ] ||
            differs "the addresses of ${nodes[i]} are ${live[${nodes[i]}]-unknown}, not $wanted" \
                '@LINKS@'
    done
    command -v systemctl >/dev/null || return 0
    key=disable
    if systemctl --quiet is-enabled corosync 2>/dev/null && systemctl --quiet is-enabled pacemaker 2>/dev/null; then
        key=enable
    fi
    [ "$key" = "$at_boot" ] || differs "the start at boot is ${key}d on this node" "pcs cluster $at_boot --all"
}

# Why the configuration in orig.xml is none that this scenario may change; nothing when it is one.
obstacle() {
    local node
    for node in "${nodes[@]}"; do
        grep -qxF "$node" "$work/nodes" ||
            {
                say "$node is in the scenario, but not in the cluster's configuration:" \
                    'install inuvika-ha there, then pcs cluster node add'
                return
            }
    done
    while read -r node; do
        case " ${nodes[*]} " in *" $node "*) continue ;; esac
        say "$node is in the cluster, but not in the scenario:" \
            "add it there (role quorum: it only votes), or pcs cluster node remove $node"
        return
    done <"$work/nodes"
    [ -n "$trial$missing" ] && [ -z "$make" ] || has "/cib[@have-quorum='1']" ||
        say 'this part of the cluster has no quorum: start the other nodes (pcs cluster start --all)'
}

# Copies the configuration to orig.xml and new.xml and says what is wrong with it, if anything.
copy() {
    if [ -n "$trial" ]; then
        CIB_file=$trial cibadmin --query >"$work/orig.xml" 2>/dev/null ||
            { say "--cib: $trial holds no configuration; cibadmin --query prints that of a cluster"; return; }
    elif [ -n "$missing" ] && [ -z "$make" ]; then
        empty_copy
    else
        cibadmin --query >"$work/orig.xml" 2>/dev/null || {
            say "the cluster $cluster does not run on this node: pcs cluster start --all, then run this again"
            return
        }
    fi
    cp "$work/orig.xml" "$work/new.xml"
    CIB_file="$work/new.xml" cibadmin --query --xpath "//nodes/node[not(@type='remote')]" 2>/dev/null |
        sed -n 's/.* uname="\([^"]*\)".*/\1/p' >"$work/nodes" || true
    obstacle
}

# What a new cluster has, as far as a dry run needs it.
empty_copy() {
    local i list=''
    for i in "${!nodes[@]}"; do list+="<node id=\"$((i + 1))\" uname=\"${nodes[i]}\"/>"; done
    cibadmin --empty | sed "s|<nodes/>|<nodes>$list</nodes>|" >"$work/orig.xml"
}
