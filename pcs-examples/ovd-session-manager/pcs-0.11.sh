#!/bin/bash
#
# OVD Session Manager behind 10.20.1.10/24: cluster ovd-sm of osm1.priv, osm2.priv, pcs3.priv.
# Written by "inuvika-ha pcs" for pcs 0.11. Edit the scenario rather than this.
#
# Run it as root on ONE node that may run the services (osm1.priv or osm2.priv).
# It may be run again at any time: what is right already is left alone, and what the scenario does not have (any
# more) is left alone as well and named at the end. With --dry-run nothing is pushed; see --help.
#
# Before the first run, on EVERY node:
#   - install pacemaker, corosync, pcs, resource-agents, fence-agents and, where services run, inuvika-ha;
#   - systemctl enable --now pcsd;
#   - passwd hacluster, the same password everywhere. The script asks for it once, or reads it from the file
#     that HACLUSTER_PASSWORD_FILE names.

set -euo pipefail
export LC_ALL=C.UTF-8

cluster=ovd-sm
nodes=(osm1.priv osm2.priv pcs3.priv)
addresses=(192.168.100.11 192.168.100.12 192.168.100.13)
agents=(ocf:heartbeat:IPaddr2 ocf:inuvika:ovd-vip-src)

# ---------------------------------------------------------------------------------------------------------------------
# What the steps are made of. The steps themselves begin below at "Step 1".

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run] [--cib FILE]\n' "${0##*/}"
    printf '  --dry-run   do everything but the push\n'
    printf '  --cib FILE  configure the cluster information base in FILE instead of a running cluster\n'
}

dry_run='' trial=''
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=1 ;;
        --cib) [ -f "${2-}" ] || { usage >&2; exit 2; }; trial=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The name of the cluster that a corosync.conf on stdin describes.
cluster_name() { sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p'; }

# One line from a file that nobody but its owner may read.
read_secret() {
    [ -f "$1" ] || die "read secret: $1 is not a file"
    [ -O "$1" ] || die "read secret: $1 does not belong to $(id -un)"
    case $(stat -Lc %a "$1") in *00) ;; *) die "read secret: others may read $1: chmod 600 it" ;; esac
    secret_text=''
    IFS= read -r secret_text <"$1" || [ -n "$secret_text" ] || die "read secret: $1 is empty"
    case $secret_text in '' | *[[:cntrl:]]*) die "read secret: $1 has no first line of plain text" ;; esac
}

# The password of the user hacluster: from the file named in HACLUSTER_PASSWORD_FILE, else asked for.
read_password() {
    if [ -n "${HACLUSTER_PASSWORD_FILE-}" ]; then
        read_secret "$HACLUSTER_PASSWORD_FILE"
        password=$secret_text
    else
        [ -t 0 ] || die 'no terminal to ask for the password of hacluster: set HACLUSTER_PASSWORD_FILE'
        IFS= read -rsp 'Password of hacluster (the same on every node): ' password
        printf '\n'
    fi
}

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

# Succeeds when the configuration being made has what the XPath expression names.
has() { CIB_file="$work/new.xml" cibadmin --query --xpath "$1" >/dev/null 2>&1; }

# The paths of what an XPath expression names, each ending in [@id='ID']; fails when there is nothing.
paths() { CIB_file="$work/new.xml" cibadmin --query --node-path --xpath "$1" 2>/dev/null; }

# A text as XPath literal.
literal() {
    local q="'"
    case $1 in
        *"$q"*) printf "concat('%s')" "${1//"$q"/"$q,\"$q\",$q"}" ;;
        *) printf "'%s'" "$1" ;;
    esac
}

# Runs pcs on the configuration being made, and says so.
edit() {
    local output
    printf '    pcs'
    printf ' %q' "$@"
    printf '\n'
    output=$(pcs -f "$work/new.xml" "$@" 2>&1) || die "pcs failed: $output"
    # What pcs always says here is left out.
    grep -Ev '^Warning: (Defaults do not apply|Validation for node existence)|^Adding |^$' <<<"$output" || true
}

# Every id that this scenario has.
known=()

# XPath conditions for words NAME=VALUE... [meta NAME=VALUE...]. An empty VALUE: the name is not set.
set_like() {
    local word part=instance_attributes pair
    for word in "$@"; do
        pair="$part/nvpair[@name='${word%%=*}']"
        case $word in
            meta) part=meta_attributes ;;
            *=) printf '[not(%s)]' "$pair" ;;
            *) printf '[%s[@value=%s]]' "$pair" "$(literal "${word#*=}")" ;;
        esac
    done
}

# XPath conditions for words op ACTION NAME=VALUE...: these operations and no others.
timed_like() {
    local word count=0
    for word in "$@"; do
        case $word in
            op)
                [ "$count" = 0 ] || printf ']]'
                printf '[operations/op[@id'
                count=$((count + 1))
                ;;
            OCF_CHECK_LEVEL=*) printf " and .//nvpair[@name='OCF_CHECK_LEVEL'][@value='%s']" "${word#*=}" ;;
            *=*) printf " and @%s='%s'" "${word%%=*}" "${word#*=}" ;;
            *) printf " and @name='%s'" "$word" ;;
        esac
    done
    printf ']][count(operations/op)=%d]' "$count"
}

# Makes a resource, or changes one that differs:
# apply resource|stonith ID AGENT NAME=VALUE... [meta NAME=VALUE...] [op ACTION NAME=VALUE...]...
apply() {
    local kind=$1 id=$2 agent=$3 word given=() values=() operations=() options=() path
    shift 3
    known+=("$id")
    for word in "$@"; do
        case $word in *=) ;; *) given+=("$word") ;; esac
        if [ "$word" = op ] || [ "${#operations[@]}" -gt 0 ]; then operations+=("$word"); else values+=("$word"); fi
    done
    if ! has "//primitive[@id='$id']"; then
        [ "$kind" = stonith ] || options=(--no-default-ops)
        edit "$kind" create "$id" "$agent" "${options[@]}" "${given[@]}"
        return
    fi
    has "//primitive[@id='$id'][@type='${agent##*:}']" || die "$id is there with another agent: remove it first"
    has "//primitive[@id='$id']$(set_like "${values[@]}")" || edit "$kind" update "$id" "${values[@]}"
    if has "//primitive[@id='$id']$(timed_like "${operations[@]}")"; then return; fi
    # pcs cannot change one of two monitors, so all operations are taken out and added again.
    while path=$(paths "//primitive[@id='$id']/operations/op"); do
        path=${path%%$'\n'*} path=${path##*"op[@id='"}
        edit resource op remove "${path%"']"}"
    done
    given=()
    for word in "${operations[@]:1}" op; do
        if [ "$word" != op ]; then
            given+=("$word")
        else
            edit resource op add "$id" "${given[@]}"
            given=()
        fi
    done
}
resource() { apply resource "$@"; }
fencing() { apply stonith "$@"; }

# Sets cluster properties, or defaults of all resources, that differ: NAME=VALUE...
settings() {
    local word path=$1
    shift
    for word in "$@"; do path+="[*/nvpair[@name='${word%%=*}'][@value=$(literal "${word#*=}")]]"; done
    has "$path"
}
property() { settings /cib/configuration/crm_config "$@" || edit property set "$@"; }
defaults() { settings /cib/configuration/rsc_defaults "$@" || edit resource defaults update "$@"; }

# A constraint has its whole meaning in its id and its attributes; one that differs is made anew.
constraint() {
    local id=$1 same=$2
    shift 2
    known+=("$id")
    if has "//constraints/*[@id='$id']$same"; then return; fi
    ! has "//constraints/*[@id='$id']" || edit constraint remove "$id"
    edit "$@"
}
# never RESOURCE on NODE: neither run nor looked for there. avoid: not run there. prefer: started there at first.
never() { location "$1" "$3" never -INFINITY resource-discovery=never; }
avoid() { location "$1" "$3" avoid -INFINITY; }
prefer() { location "$1" "$3" prefer 1; }
location() {
    local id="location-$1-$2-$3" same="[@rsc='$1'][@node='$2'][@score='$4']"
    [ $# = 4 ] || same+="[@resource-discovery='${5#*=}']"
    constraint "$id" "$same" -- constraint location add "$id" "$1" "$2" "${@:4}"
}
# colocation RESOURCE with OTHER score=SCORE
colocation() {
    local id="colocation-$1-$3"
    constraint "$id" "[@rsc='$1'][@with-rsc='$3'][@score='${4#score=}']" \
        constraint colocation add "$@" "id=$id"
}
# order RESOURCE after FIRST kind=KIND
order() {
    local id="order-$3-$1"
    constraint "$id" "[@first='$3'][@then='$1'][@kind='${4#kind=}']" \
        constraint order "$3" 'then' "$1" "$4" "id=$id"
}

# Secrets stand in the configuration as placeholders while pcs works on it: an argument can be seen by every user.
# secret RESOURCE OPTION FILE
placeholders=() nvpairs=() texts=()
secret() {
    local text
    read_secret "$3"
    text=${secret_text//&/'&amp;'}
    text=${text//</'&lt;'}
    text=${text//>/'&gt;'}
    text=${text//\"/'&quot;'}
    placeholders+=("value=\"@$1:$2@\"")
    nvpairs+=("id=\"$1-instance_attributes-$2\" name=\"$2\" ")
    texts+=("value=\"$text\"")
    swap_secrets texts placeholders
}
swap_secrets() {
    local -n from=$1 to=$2
    local i xml
    xml=$(<"$work/new.xml")
    xml=${xml//'&apos;'/"'"} # Pacemaker versions differ in whether they write it like this
    for i in "${!nvpairs[@]}"; do xml=${xml//"${nvpairs[i]}${from[i]}"/"${nvpairs[i]}${to[i]}"}; done
    printf '%s\n' "$xml" >"$work/new.xml"
}

# ---------------------------------------------------------------------------------------------------------------------
# Is this the right place?

for program in pcs cibadmin crm_verify crm_diff crm_resource; do
    command -v "$program" >/dev/null || die "$program is not installed on this host"
done
version=$(pcs --version)
case $version in
    0.11.*) ;;
    *) die "this script is written for pcs 0.11, but pcs $version is installed" ;;
esac
for agent in "${agents[@]}"; do
    crm_resource --show-metadata "$agent" >/dev/null 2>&1 ||
        die "agent $agent is not installed on this host: install its package on every node that may run it"
done
if [ -z "$trial" ]; then
    [ "$(id -u)" = 0 ] || die 'must be run as root'
    here=''
    for address in "${addresses[@]}"; do
        if [ -n "$(ip -oneline address show to "$address" 2>/dev/null)" ]; then here=$address; fi
    done
    [ -n "$here" ] || die "this host has none of the addresses ${addresses[*]}: run it on a node of the cluster"
fi

# Is the cluster there, or has it to be made?
missing=''
if [ -z "$trial" ]; then
    name=$(cluster_name 2>/dev/null </etc/corosync/corosync.conf) || true
    case $name in
        "$cluster")
            for node in "${nodes[@]}"; do
                grep -q "^[[:space:]]*name:[[:space:]]*${node//./\\.}[[:space:]]*$" /etc/corosync/corosync.conf ||
                    die "$node is not in the cluster $cluster yet: add it with pcs host auth and pcs cluster node add"
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

# ---------------------------------------------------------------------------------------------------------------------
# Step 1: the nodes trust each other
# Only when there is no cluster of this name yet.
say 'Step 1: the nodes trust each other'
if [ -n "$missing" ]; then
    read_password
    printf '%s\n' "$password" | pcs host auth osm1.priv addr=192.168.100.11 osm2.priv addr=192.168.100.12 pcs3.priv \
        addr=192.168.100.13 -u hacluster >/dev/null
    unset password secret_text
fi

# ---------------------------------------------------------------------------------------------------------------------
# Step 2: the cluster exists
# Only when there is no cluster of this name yet. Traffic between the nodes is encrypted.
# A silent node counts as lost after corosync's own token timeout.
say 'Step 2: the cluster exists'
if [ -n "$missing" ]; then
    refuse_other_clusters
    pcs cluster setup ovd-sm osm1.priv addr=192.168.100.11 osm2.priv addr=192.168.100.12 pcs3.priv addr=192.168.100.13 \
        --enable --start --wait=120 "${force[@]}"
fi

# From here on everything is done to a copy of the configuration; the cluster sees one change, at the end, or none.
if [ -n "$trial" ]; then
    CIB_file=$trial cibadmin --query >"$work/orig.xml"
else
    cibadmin --query >"$work/orig.xml" 2>/dev/null ||
        die "the cluster $cluster does not run on this node: pcs cluster start --all, then run this again"
fi
cp "$work/orig.xml" "$work/new.xml"

# ---------------------------------------------------------------------------------------------------------------------
# Step 3: cluster properties
# A part of the cluster that has lost the majority stops everything: the other part may be running it.
say 'Step 3: cluster properties'
property no-quorum-policy=stop

# ---------------------------------------------------------------------------------------------------------------------
# Step 4: fencing
# A node that is not heard of any more is switched off before another node takes over: so nothing runs twice.
# The device that switches a node off is watched from another node.
say 'Step 4: fencing'
property stonith-enabled=true
secret fence-osm1.priv password /etc/inuvika-ha/ipmi.secret
fencing fence-osm1.priv fence_ipmilan \
    ip=192.168.200.11 lanplus=1 username=fence password=@fence-osm1.priv:password@ pcmk_host_list=osm1.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
avoid fence-osm1.priv on osm1.priv
secret fence-osm2.priv password /etc/inuvika-ha/ipmi.secret
fencing fence-osm2.priv fence_ipmilan \
    ip=192.168.200.12 lanplus=1 username=fence password=@fence-osm2.priv:password@ pcmk_host_list=osm2.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
avoid fence-osm2.priv on osm2.priv
secret fence-pcs3.priv password /etc/inuvika-ha/ipmi.secret
fencing fence-pcs3.priv fence_ipmilan \
    ip=192.168.200.13 lanplus=1 username=fence password=@fence-pcs3.priv:password@ pcmk_host_list=pcs3.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
avoid fence-pcs3.priv on pcs3.priv

# ---------------------------------------------------------------------------------------------------------------------
# Step 5: when services move
# stickiness: nothing moves back by itself when a node returns (every resource adds this much).
# migration-threshold: after so many failures on one node the next one is tried, not the same for ever.
# failure-timeout: after so long failures are forgotten; in hours, so that one that comes back is seen.
say 'Step 5: when services move'
defaults resource-stickiness=1000 migration-threshold=3 failure-timeout=4h

# ---------------------------------------------------------------------------------------------------------------------
# Step 6: the virtual IP address
# Everything else stands around this address like a star. It starts on the first node of the scenario, the one
# that has the data; the preference is too weak to move it back there later (score 1 against the stickiness).
# Nodes that only vote never run it and are never even asked for it: they need no software of OVD.
say 'Step 6: the virtual IP address'
resource virtual_ip ocf:heartbeat:IPaddr2 \
    ip=10.20.1.10 cidr_netmask=24 nic=eth0 \
    op monitor interval=10s timeout=20s \
    op start interval=0s timeout=20s \
    op stop interval=0s timeout=20s
prefer virtual_ip on osm1.priv
never virtual_ip on pcs3.priv

# ---------------------------------------------------------------------------------------------------------------------
# Step 7: vip_src
# Connections that the active node opens leave with the virtual IP as their source, so that the OVD servers
# see one Session Manager, whichever node that is.
# critical=false: when it fails, even at start, it is repaired or left stopped, and nothing else moves.
# kind=Optional: it starts after the address and stops before it; an address that recovers in place does
# not restart it.
say 'Step 7: vip_src'
resource vip_src ocf:inuvika:ovd-vip-src \
    virtual_ip=10.20.1.10 nic=eth0 destinations=10.20.1.0/24 exclude= backend= arp_check= \
    meta critical=false \
    op start interval=0s timeout=20s \
    op stop interval=0s timeout=20s \
    op monitor interval=10s timeout=10s \
    op monitor interval=60s timeout=20s OCF_CHECK_LEVEL=10 \
    op reload-agent interval=0s timeout=20s
never vip_src on pcs3.priv
colocation vip_src with virtual_ip score=INFINITY
order vip_src after virtual_ip kind=Optional

# ---------------------------------------------------------------------------------------------------------------------
# Step 8: check and push
# crm_verify reads the whole configuration, then the cluster gets the difference in one piece.
say 'Step 8: check and push'
swap_secrets placeholders texts
verdict=$(crm_verify -V --xml-file "$work/new.xml" 2>&1) || {
    printf '%s\n' "$verdict" >&2
    # Warnings are about the state the cluster is in (a node that is down); errors are about the configuration.
    case $verdict in *'Warnings found'*) ;; *) die 'crm_verify refuses the configuration; nothing was changed' ;; esac
}

for path in $(paths '//resources/*|//constraints/*'); do
    id=${path##*"[@id='"} id=${id%"']"}
    case " ${known[*]} " in *" $id "*) ;; *) say "    not in the scenario, left as it is: $id" ;; esac
done

if crm_diff --no-version --original "$work/orig.xml" --new "$work/new.xml" >/dev/null 2>&1; then
    say 'The cluster is configured like this already: nothing to push.'
    exit 0
fi
if [ -n "$dry_run" ]; then
    say 'Dry run: nothing was pushed.'
    exit 0
fi
backup=/var/backups
[ -z "$trial" ] || backup=$(dirname "$trial")
backup=$backup/cib-$cluster-$(date +%Y%m%d-%H%M%S).xml
install -m 600 "$work/orig.xml" "$backup"
if [ -n "$trial" ]; then
    pcs -f "$trial" cluster cib-push "$work/new.xml" diff-against="$work/orig.xml"
else
    pcs cluster cib-push "$work/new.xml" diff-against="$work/orig.xml" --wait=300 ||
        die "the push failed or the cluster did not settle in 300 s: see pcs status; the old configuration is $backup"
fi
say "Done. The configuration before is in $backup (it holds secrets, as the cluster's own copy does)."
if [ -n "$trial" ]; then
    say "To go back: cp $backup $trial"
else
    say "To go back: pcs cluster cib-push $backup --config"
    say 'To see how it is doing: pcs status'
fi
