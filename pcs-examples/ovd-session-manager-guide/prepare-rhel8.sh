#!/bin/bash
# shellcheck disable=SC2034,SC2317,SC2329 # not every scenario needs every function and setting
#
# OVD Session Manager: cluster ovd-sm of osm1.priv, osm2.priv, pcs3.priv, pcs4.priv.
# Written by "inuvika-ha pcs --part prepare" for rhel8. Edit the scenario rather than this.
#
# Run it as root on EVERY node, before the script that makes the cluster. It knows by its addresses which node it is.
# It may be run again at any time: what is right already is left alone. What it edits is kept in
# /var/lib/inuvika-ha/prepare/backup. With --dry-run it only names what it would do; see --help.
#
# It gives hosts neither names nor addresses, and installs nothing of OVD, Abiquo or inuvika-ha itself: they
# come first.

set -euo pipefail
export LC_ALL=C

cluster=ovd-sm
nodes=(osm1.priv osm2.priv pcs3.priv pcs4.priv)
roles=(osm osm quorum quorum)
addresses=(192.168.100.11 192.168.100.12 192.168.100.13 192.168.100.14)
first=osm1.priv
virtual_ip=10.20.1.10
folder=/var/lib/inuvika-ha/prepare
manager=dnf
python=/usr/libexec/platform-python
ssh_unit=sshd
how_to_install='dnf install ./inuvika-ha-*.rpm'

# ---------------------------------------------------------------------------------------------------------------------
# What the steps are made of. The steps themselves begin below at "Step 1".

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run]\n' "${0##*/}"
    printf '  --dry-run   name what would be changed on this node, and change nothing\n'
    printf 'HACLUSTER_PASSWORD_FILE: the file with the password of hacluster; "-" is standard input\n'
    printf 'FIREWALL=mine: the firewall is looked after by others, and is left as it is\n'
    printf 'Exit codes: 0 prepared; 1 refused or failed; 2 wrong option; 3 prepared but for what is named at the end\n'
}

# Says a change and makes it: change TEXT COMMAND...
change() {
    say "    $1"
    changes=$((changes + 1))
    [ -z "$dry_run" ] || return 0
    "${@:2}" || die "$1: failed"
}

# What is left to do for somebody: told at the end.
todo() { left+=("$*"); }

# Runs a command on nodes with one role (ROLE), on every node of the cluster (member), on all that may run resources,
# remote ones too (runner), or on every host (all).
at() {
    case $1 in
        all | "$role") "${@:2}" ;;
        member) [ "$role" = remote ] || "${@:2}" ;;
        runner) [ "$role" = quorum ] || "${@:2}" ;;
    esac
}

# The addresses of the other nodes: with one role, or of the cluster (member).
others() {
    local i
    for i in "${!nodes[@]}"; do
        [ "${nodes[i]}" != "$node" ] || continue
        case $1 in
            member) [ "${roles[i]}" != remote ] || continue ;;
            *) [ "${roles[i]}" = "$1" ] || continue ;;
        esac
        tr ' ' '\n' <<<"${addresses[i]}"
    done
}

# Puts a new text in place of a file, and keeps the old one: replace FILE NEW. The file stays the same inode, with its
# owner, mode and label.
replace() {
    install -d -m 700 "$folder" "$folder/backup" &&
        cp -p "$1" "$folder/backup/$(date +%Y%m%d-%H%M%S)${1//\//_}" &&
        cat "$2" >"$1"
}

# Adds lines to a file, which may not be there yet: append FILE LINE...
append() {
    local file=$1
    shift
    if [ -e "$file" ]; then cp "$file" "$work/appended" || return; else : >"$work/appended"; fi
    # The last line may lack its end.
    [ ! -s "$work/appended" ] || [ -z "$(tail -c 1 "$work/appended")" ] || printf '\n' >>"$work/appended"
    printf '%s\n' "$@" >>"$work/appended"
    if [ -e "$file" ]; then replace "$file" "$work/appended"; else install -m 600 "$work/appended" "$file"; fi
}

# One line from a file that nobody but its owner may read, or from standard input.
read_secret() {
    if [ "$1" = - ]; then
        IFS= read -r secret_text || [ -n "$secret_text" ] || die 'read the password: standard input is empty'
    else
        [ -f "$1" ] || die "read secret: $1 is not a file"
        [ -O "$1" ] || die "read secret: $1 does not belong to $(id -un)"
        case $(stat -Lc %a "$1") in *00) ;; *) die "read secret: others may read $1: chmod 600 it" ;; esac
        IFS= read -r secret_text <"$1" || [ -n "$secret_text" ] || die "read secret: $1 is empty"
    fi
    case $secret_text in '' | *[[:cntrl:]]*) die "read secret: $1 has no first line of plain text" ;; esac
}

# Whether the cluster may run something on this host already. A remote node has nothing of corosync: its key tells.
in_cluster() {
    case $role in
        remote) [ -s /etc/pacemaker/authkey ] ;;
        *) [ "$(cluster_here)" = "$cluster" ] ;;
    esac
}

# The name of the cluster that this host is in, if any.
cluster_here() { sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p' /etc/corosync/corosync.conf 2>/dev/null || true; }

# Whether a package is installed.
installed() { rpm -q --whatprovides "$1" >/dev/null 2>&1; }

# Whether nothing is half done.
check_packages() {
    rpm -q "$manager" >/dev/null 2>&1 || die "the database of packages does not answer: rpm -q $manager"
}

# packages NAME...: they have to be there.
packages() { wanted+=("$@"); }

# Whether a repository that is enabled has a package.
available() { "$manager" -q list available "$1" >/dev/null 2>&1; }

# from_repository PACKAGE RHEL-ID OTHER-ID...: where a package is from; RHEL and those built from it call that
# differently. RHEL-ID none: RHEL has it no more.
from_repository() {
    local package=$1 id rhel=${2/ARCH/$(uname -m)}
    if installed "$package" || available "$package"; then return 0; fi
    if [ "$os" = rhel ] && [ "$rhel" != EPEL ] && [ "$rhel" != none ]; then
        change "enable the repository $rhel" subscription-manager repos --enable="$rhel"
        return
    fi
    for id in "${@:3}"; do
        # The first word of a line; yum writes !ID/RELEASE/ARCH.
        if "$manager" -q repolist all 2>/dev/null | grep -E "^!?$id(/| |\$)" >/dev/null; then
            change "enable the repository $id" enable_repository "$id"
            return
        fi
    done
    if [ "$rhel" = EPEL ] && available epel-release; then
        change 'install epel-release' rpm_install epel-release
        return
    fi
    [ "$rhel" != none ] || die "no repository of this host has $package, as RHEL has no Resilient Storage any more"
    die "no repository of this host has $package: enable the one that has it ($rhel), then run this again"
}

enable_repository() {
    case $manager in
        yum) installed yum-utils || rpm_install yum-utils; yum-config-manager --enable "$1" >/dev/null ;;
        *)
            dnf config-manager --help >/dev/null 2>&1 || rpm_install dnf-plugins-core
            dnf -q config-manager --set-enabled "$1"
            ;;
    esac
}

# Installs what is missing.
install_packages() {
    local name missing=()
    for name in "${wanted[@]}"; do installed "$name" || missing+=("$name"); done
    [ "${#missing[@]}" -gt 0 ] || return 0
    change "install ${missing[*]}" rpm_install "${missing[@]}"
}

rpm_install() {
    "$manager" -q -y install "$@" >"$work/log" 2>&1 || die "$manager install $*: $(tail -n 1 "$work/log")"
}

# The agents of inuvika-ha that this node has to have: agents NAME...
agents() {
    local name
    for name in "$@"; do
        [ -x "/usr/lib/ocf/resource.d/inuvika/$name" ] || { todo "install inuvika-ha: $how_to_install"; return 0; }
    done
}

# Names in /etc/hosts: host ADDRESS NAME
host() { hosts+=("$1 $2"); }

# Every name stands for the scenario's address. A line that gives it another one is somebody's decision; only a loopback
# address, which installers give a host's own name, is taken away: corosync would listen there, and nowhere else.
write_hosts() {
    local line conflict
    conflict=$(printf '%s\n' "${hosts[@]}" | awk '
        NR == FNR { want[$2] = $1; next }
        /^[[:space:]]*#/ || /^[[:space:]]*(127\.|::1[[:space:]])/ { next }
        { sub(/#.*/, "") }
        { for (i = 2; i <= NF; i++) if ($i in want && $1 != want[$i]) print $i " at " $1 ", not " want[$i] }
        ' - /etc/hosts | head -n 1)
    [ -z "$conflict" ] || die "/etc/hosts has $conflict as in the scenario: put one of the two right"
    printf '%s\n' "${hosts[@]}" | awk '
        NR == FNR { want[$2] = $1; order[++count] = $2; next }
        /^[[:space:]]*(127\.|::1[[:space:]])/ {
            kept = 0; found = 0; line = $1
            for (i = 2; i <= NF && $i !~ /^#/; i++) if ($i in want) found = 1; else { line = line " " $i; kept = 1 }
            if (found) { if (kept) print line; next }
        }
        { print; sub(/#.*/, ""); for (i = 2; i <= NF; i++) if ($i in want && $1 == want[$i]) there[$i] = 1 }
        END { for (i = 1; i <= count; i++) if (!(order[i] in there)) print want[order[i]] " " order[i] }
        ' - /etc/hosts >"$work/hosts"
    if cmp -s /etc/hosts "$work/hosts"; then return 0; fi
    while read -r line; do
        change "/etc/hosts: $line" true
    done < <(diff /etc/hosts "$work/hosts" | grep '^[<>]' || true)
    [ -n "$dry_run" ] || replace /etc/hosts "$work/hosts"
}

# What the cluster mounts must not be mounted at boot: not_in_fstab DIRECTORY
not_in_fstab() {
    awk -v at="$1" '
        $1 !~ /^#/ && $2 == at && $4 !~ /(^|,)noauto(,|$)/ { printf "# the cluster mounts it: " }
        { print }' /etc/fstab >"$work/fstab" 2>/dev/null || return 0
    cmp -s /etc/fstab "$work/fstab" ||
        change "/etc/fstab: not $1 any more, as the cluster mounts it" replace /etc/fstab "$work/fstab"
}

# A kernel module that a service needs: module NAME
module() {
    modprobe -n -q "$1" || grep -q "^$1 " /proc/modules ||
        todo "this kernel has no module $1: install its package (Ubuntu: linux-modules-extra, RHEL: kernel-modules)"
}

# Units that the cluster starts: they are switched off at boot. Where there is no cluster yet, they are stopped as well;
# but not on $first, which goes on serving until the cluster takes it over.
off() { boot_off "$first" "$@"; }

# Units that the cluster has something else for: they are stopped on every node.
replaced() { boot_off '' "$@"; }

boot_off() {
    local unit serves=$1
    shift
    for unit in "$@"; do
        systemctl cat "$unit" >/dev/null 2>&1 || [ -e "/etc/init.d/$unit" ] || continue
        case $(systemctl is-enabled "$unit" 2>/dev/null || true) in
            enabled* | linked*) change "switch $unit off at boot" systemctl --quiet disable "$unit" ;;
        esac
        ! in_cluster || continue
        systemctl --quiet is-active "$unit" || continue
        if [ "$node" = "$serves" ]; then
            say "    $unit runs, and is left to the cluster"
        else
            change "stop $unit" systemctl stop "$unit"
        fi
    done
}

# A unit that runs, and starts at boot.
on() {
    if systemctl --quiet is-enabled "$1" 2>/dev/null && systemctl --quiet is-active "$1"; then return 0; fi
    change "start $1, now and at boot" systemctl --quiet enable --now "$1"
}

# What sbd needs: watchdog DEVICE DISK...
watchdog() {
    local disk
    [ -c "$1" ] || todo "this host has no $1: load the driver of its watchdog, now and at boot"
    for disk in "${@:2}"; do [ -b "$disk" ] || todo "this host has no disk $disk, which sbd is to use"; done
    # The package of Debian and Ubuntu has corosync wait for sbd before anybody has told sbd what to do.
    in_cluster || case $(systemctl is-enabled sbd 2>/dev/null || true) in
        enabled*) change 'switch sbd off until the cluster gives it its settings' systemctl --quiet disable sbd ;;
    esac
}

# A file that somebody has to bring: needs FILE WHAT
needs() { [ -s "$1" ] || todo "$1 is missing: $2"; }

# What must come in: allow PROTOCOL PORTS from WHOM for WHAT. WHOM: a role, member, or everybody.
allow() {
    local address
    if [ "$4" = everybody ]; then
        open "$1" "$2" '' "${*:6}"
    else
        while read -r address; do open "$1" "$2" "$address" "${*:6}"; done < <(others "$4")
    fi
}

# What must come in as well, but only somebody else knows the ports of: allow_by_hand WHAT
allow_by_hand() {
    case $firewall in
        none | mine) ;;
        *) todo "let in what only you know: $1; FIREWALL=mine says that it was done" ;;
    esac
}

# Which firewall looks after this host. (No grep -q behind a pipe: it would end before the other program does.)
find_firewall() {
    zones=() client_zones=() opened=''
    if [ "${FIREWALL-}" = mine ]; then
        firewall=mine
    elif command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
        firewall=firewalld
        local address zone
        # Each address may be on a link with a zone of its own; clients come by the link of the virtual address.
        for address in $own; do
            zone=$(zone_of "$address")
            case " ${zones[*]-} " in *" $zone "*) ;; *) zones+=("$zone") ;; esac
        done
        client_zones=("${zones[@]}")
        [ -z "$virtual_ip" ] || client_zones=("$(zone_of "$virtual_ip")")
    elif command -v ufw >/dev/null && ufw status 2>/dev/null | grep '^Status: active' >/dev/null; then
        firewall=ufw
    elif command -v iptables >/dev/null && iptables -S INPUT 2>/dev/null | grep -E "$closes_input" >/dev/null; then
        firewall=iptables
    elif command -v nft >/dev/null && nft list ruleset 2>/dev/null | awk "$drops_input"; then
        firewall=nft
    else
        firewall=none
    fi
    say "    firewall: $firewall${zones[*]:+, zone ${zones[*]}${virtual_ip:+, for clients ${client_zones[*]}}}"
}

# The zone of firewalld for an address: that of the link that has it, or that leads to it.
zone_of() {
    local link
    link=$(ip -oneline address show to "$1" | awk '{ print $2; exit }')
    [ -n "$link" ] || link=$(ip -oneline route get "$1" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
    firewall-cmd --get-zone-of-interface="$link" 2>/dev/null || firewall-cmd --get-default-zone
}

closes_input='^-P INPUT DROP|^-A INPUT -j (DROP|REJECT)'
# Succeeds when a chain that sees what comes in drops whatever no rule lets in.
drops_input='/^\tchain/ { base = 0 } /hook input/ { base = 1; if (/policy drop/) found = 1 }
    base && /^\t\t(counter packets [0-9]+ bytes [0-9]+ )?(drop|reject)/ { found = 1 } END { exit !found }'

# One rule: open PROTOCOL PORTS ADDRESS WHAT; no address: everybody.
open() {
    local rule=() family=ip port=$2
    case $3 in *:*) family=ip6 ;; esac
    case $firewall in
        firewalld)
            # pcs, corosync and pacemaker_remote are what its service high-availability is for.
            case $4 in cluster*) firewalld service=high-availability "${zones[@]}"; return ;; esac
            if [ -z "$3" ]; then firewalld "port=${port/:/-}/$1" "${client_zones[@]}"; return; fi
            case $family in ip) family=ipv4 ;; *) family=ipv6 ;; esac
            printf -v port 'port="%s" protocol="%s"' "$port" "$1"
            firewalld "rich-rule=rule family=\"$family\" source address=\"$3\" port $port accept" "${zones[@]}"
            ;;
        ufw)
            rule=(allow from "${3:-any}" to any port "$port" proto "$1")
            [ -n "$3" ] || rule=(allow "$port/$1")
            ufw show added 2>/dev/null | grep -xF "ufw ${rule[*]}" >/dev/null ||
                change "ufw ${rule[*]}  ($4)" quietly ufw "${rule[@]}"
            ;;
        nft)
            rule=(${3:+"$family" saddr "$3"} "$1" dport "${port/:/-}" accept)
            nft list ruleset | grep -F "${rule[*]}" >/dev/null ||
                todo "let $4 in: in the chain of /etc/nftables.conf for input: ${rule[*]}"
            ;;
        iptables)
            rule=(INPUT ${3:+-s "$3"} -p "$1" --dport "$port" -j ACCEPT)
            local program=iptables
            [ "$family" = ip ] || program=ip6tables
            "$program" -C "${rule[@]}" 2>/dev/null ||
                todo "let $4 in: $program -I ${rule[*]}, and where it is kept over the next boot"
            ;;
    esac
}

# Now, and over the next boot: firewalld KIND=VALUE ZONE...
firewalld() {
    local where zone
    case $opened in *"|$1|"*) return 0 ;; esac
    opened+="|$1|"
    for zone in "${@:2}"; do
        for where in --permanent ''; do
            firewall-cmd ${where:+"$where"} --zone="$zone" "--query-$1" >/dev/null 2>&1 ||
                change "firewall-cmd ${where:+$where }--zone=$zone --add-$1" \
                    quietly firewall-cmd ${where:+"$where"} --zone="$zone" "--add-$1"
        done
    done
}

quietly() { "$@" >/dev/null; }

# Whether hacluster has this password: the hash is compared by whatever language is here. Neither is an argument.
has_password() {
    local hash
    hash=$(getent shadow hacluster | cut -d: -f2)
    case $hash in '' | '!'* | '*'*) return 1 ;; esac
    if command -v perl >/dev/null; then
        printf '%s\n' "$1" "$hash" |
            perl -e 'chomp(my ($p, $h) = <STDIN>); exit((crypt($p, $h) // "") eq $h ? 0 : 1)'
    else
        printf '%s\n' "$1" "$hash" | "$python" -W ignore -c '
import crypt, sys
p, h = sys.stdin.read().split("\n")[:2]
sys.exit(0 if crypt.crypt(p, h) == h else 1)' 2>/dev/null
    fi
}

# Whether it has any.
has_any_password() { case $(getent shadow hacluster | cut -d: -f2) in '' | '!'* | '*'*) return 1 ;; esac }

# The password of the user hacluster, in $password: from the file named in HACLUSTER_PASSWORD_FILE, else asked for. One
# that was set before, and is not given, stays.
read_password() {
    password='' secret_text=''
    if [ -n "${HACLUSTER_PASSWORD_FILE-}" ]; then
        read_secret "$HACLUSTER_PASSWORD_FILE"
        password=$secret_text secret_text=''
    elif has_any_password; then
        return 0
    elif [ -t 0 ]; then
        IFS= read -rsp 'Password of hacluster (the same on every node): ' password
        printf '\n'
        case $password in '' | *[[:cntrl:]]*) die 'the password is not one line of plain text' ;; esac
    elif [ -z "$dry_run" ]; then
        die 'no terminal to ask for the password of hacluster: set HACLUSTER_PASSWORD_FILE'
    fi
}

set_password() {
    if [ -z "$password" ]; then
        has_any_password || change 'set the password of hacluster' false
        return
    fi
    if ! has_password "$password"; then change 'set the password of hacluster' give_password; fi
    password=''
}

give_password() { printf 'hacluster:%s\n' "$password" | chpasswd; }

# Two nodes that log in on each other by ssh: login KEY KNOWN_HOSTS USER PORT PEER...
# What the other node has to know stands in a card, a file of public keys: each node writes its own, and reads that of
# the other one, which somebody brings. So nobody has to believe a key that comes over the network.
login() {
    local key=$1 known=$2 user=$3 port=$4 peer='' other='' i one card home name kind blob
    shift 4
    for i in "${!nodes[@]}"; do
        if [ "${roles[i]}" != "$role" ] || [ "${nodes[i]}" = "$node" ]; then continue; fi
        other=${nodes[i]} from=${addresses[i]// /,}
    done
    for one in "$@"; do
        case " $node $here $(hostname) " in *" $one "*) ;; *) peer=$one ;; esac
    done
    [ -n "$peer" ] || die "none of $* is the other node"
    [ -e "$key" ] || [ ! -e "$key.pub" ] || die "there is $key.pub, but not $key: put the key back, or remove both"
    [ -e "$key" ] || change "make the key $key" make_key "$key"
    [ -n "$dry_run" ] || [ -e "$key.pub" ] || change "write $key.pub anew" public_key "$key"
    systemctl --quiet is-active ssh.service ssh.socket sshd.service || on "$ssh_unit"
    write_card "$key.pub"
    card=$folder/$other.keys
    if [ ! -e "$card" ]; then
        todo "run this on $other as well, and bring its $card here, then run this again"
        todo "bring $folder/$node.keys of this node to $other, into the same folder"
        return 0
    fi
    home=$(getent passwd "$user" | cut -d: -f6)
    check_card "$card"
    [ -d "$home" ] || die "the user $user has no home folder on this node"
    while read -r name kind blob; do
        case $name in
            user-key) admit "$home" "$user" "$kind" "$blob" ;;
            host-key) know "$known" "$peer" "$port" "$kind" "$blob" ;;
        esac
    done <"$card"
    [ -n "$dry_run" ] || ssh -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="$known" -i "$key" -p "$port" "$user@$peer" true </dev/null 2>"$work/log" ||
        todo "$peer does not let this node in yet ($(tail -n 1 "$work/log")): run this there, too"
}

make_key() {
    install -d -m 700 "$(dirname "$1")" &&
        ssh-keygen -q -t rsa -b 4096 -N '' -C "inuvika-ha@$node" -f "$1"
}
public_key() { ssh-keygen -y -P '' -f "$1" >"$1.pub"; }

# The public keys of this node, for the other one.
write_card() {
    local file kind blob rest
    [ -e "$1" ] || return 0
    {
        read -r kind blob rest <"$1" && printf 'user-key %s %s\n' "$kind" "$blob"
        for file in /etc/ssh/ssh_host_*_key.pub; do
            [ -e "$file" ] || continue
            read -r kind blob rest <"$file" && printf 'host-key %s %s\n' "$kind" "$blob"
        done
    } >"$work/card"
    cmp -s "$work/card" "$folder/$node.keys" || change "write $folder/$node.keys" keep_card
}
keep_card() { install -d -m 700 "$folder" && install -m 600 "$work/card" "$folder/$node.keys"; }

# A card has public keys and nothing else.
check_card() {
    local wrong
    wrong=$(grep -Evn '^(user|host)-key [a-z0-9@.-]+ [A-Za-z0-9+/]+=*$' "$1" | head -n 1 | cut -d: -f1) || true
    [ -z "$wrong" ] || die "$1:$wrong: is no public key: bring the file from $other again"
    if ! grep -q '^user-key ' "$1" || ! grep -q '^host-key ' "$1"; then
        die "$1 lacks keys: bring the file from $other again"
    fi
}

# The other node may log in, from its own addresses, and do what lsyncd needs: admit HOME USER TYPE KEY
admit() {
    local file=$1/.ssh/authorized_keys options
    ! grep -qsF "$4" "$file" || return 0
    options="from=\"$from\",no-pty,no-user-rc,no-agent-forwarding,no-port-forwarding,no-X11-forwarding"
    change "$file: let $other in, from $from" add_key "$2" "$file" "$options $3 $4 inuvika-ha@$other"
}
add_key() {
    install -d -m 700 -o "$1" "$(dirname "$2")" && append "$2" "$3" && chown "$1" "$2"
}

# The other node's host key: know FILE NAME PORT TYPE KEY
know() {
    local name=$2 found
    [ "$3" = 22 ] || name="[$2]:$3"
    found=$(ssh-keygen -F "$name" -f "$1" 2>/dev/null | awk -v kind="$4" '$2 == kind { print $3 }') || true
    case $found in
        '') change "$1: the $4 key of $name" add_host "$1" "$name $4 $5" ;;
        *"$5"*) ;;
        *) die "$1 has another $4 key of $name: if that node is new, ssh-keygen -R '$name' -f $1 first" ;;
    esac
}
add_host() {
    install -d -m 700 "$(dirname "$1")" && append "$1" "$2"
}

# ---------------------------------------------------------------------------------------------------------------------
# bash reads main to its end before anything runs: writing this file anew meanwhile does no harm. Not indented, because
# it is all of the script.
main() {
dry_run='' changes=0 left=() wanted=() hosts=()
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=1 ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || die 'must be run as root'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---------------------------------------------------------------------------------------------------------------------
# Is this the right system, and which node is it?

# shellcheck disable=SC1091 # it is there on every system that this is for
os=$(. /etc/os-release && printf '%s' "$ID")
# shellcheck disable=SC1091
os_version=$(. /etc/os-release && printf '%s' "$VERSION_ID")
case "$os $os_version" in
    'rhel 8' | 'rhel 8'.* | \
        'centos 8' | 'centos 8'.* | \
        'almalinux 8' | 'almalinux 8'.* | \
        'rocky 8' | 'rocky 8'.* | \
        'ol 8' | 'ol 8'.*) ;;
    *) die "this script is written for rhel8, but this is $os $os_version: ask for another with --for" ;;
esac
[ -d /run/systemd/system ] || die 'systemd does not run on this host'
node='' here='' own='' role='' lacking=''
for i in "${!nodes[@]}"; do
    for address in ${addresses[i]}; do
        if [ -z "$(ip -oneline address show to "$address" 2>/dev/null)" ]; then
            lacking+=" ${nodes[i]}=$address"
            continue
        fi
        [ -z "$node" ] || [ "$node" = "${nodes[i]}" ] || die "this host has addresses of $node and of ${nodes[i]}"
        [ "$node" = "${nodes[i]}" ] || here=$address
        node=${nodes[i]} own=${addresses[i]} role=${roles[i]}
    done
done
[ -n "$node" ] || die "this host has none of the addresses ${addresses[*]}: give it its addresses first"
case "$lacking" in
    *" $node="*)
        lacking=${lacking#*" $node="}
        die "this host is $node, but lacks its address ${lacking%% *}: give it all of them first"
        ;;
esac
case $(cluster_here) in
    '' | debian | "$cluster") ;; # debian: the empty cluster that the corosync package of Debian and Ubuntu brings
    *) die "this host is in the cluster $(cluster_here) already" ;;
esac
check_packages
[ "$role" = remote ] || read_password
say "This host is $node ($role)."

# ---------------------------------------------------------------------------------------------------------------------
# Step 1: packages
# Nothing is removed for it. Daemons that a package starts are looked after below.
# The cluster's packages are in a repository of their own (High Availability), which has to be enabled.
say 'Step 1: packages'
at member agents ovd-osm ovd-lsyncd
at osm agents ovd-vip-src
at member from_repository pcs rhel-8-for-ARCH-highavailability-rpms ha highavailability HighAvailability ol8_addons
at osm from_repository lsyncd EPEL epel
at member packages pacemaker corosync pcs resource-agents fence-agents-all
at osm packages lsyncd rsync openssh-server openssh-clients
install_packages

# ---------------------------------------------------------------------------------------------------------------------
# Step 2: the names of the nodes
# In /etc/hosts: the cluster must not depend on a name server. The address is that of the cluster's first network.
say 'Step 2: the names of the nodes'
host 192.168.100.11 osm1.priv
host 192.168.100.12 osm2.priv
host 192.168.100.13 pcs3.priv
host 192.168.100.14 pcs4.priv
write_hosts

# ---------------------------------------------------------------------------------------------------------------------
# Step 3: the firewall
# corosync 3: UDP 5405 for the first link, one port more for each further one; 5404 for those without knet.
# firewalld has the service high-availability for all of the cluster; ufw gets a rule for each other node. Rules that
# somebody has written by hand (nftables, iptables) are not edited: what they lack is named at the end.
say 'Step 3: the firewall'
find_firewall
at member allow tcp 2224 from member for 'cluster: pcsd'
at member allow udp 5404:5412 from member for 'cluster: corosync'
at osm allow tcp 22 from osm for ssh

# ---------------------------------------------------------------------------------------------------------------------
# Step 4: the password of hacluster
# pcs uses it between the nodes: the same on every node. It is asked for, or read from HACLUSTER_PASSWORD_FILE; a
# password that is set already, and is not given, stays.
say 'Step 4: the password of hacluster'
at member set_password

# ---------------------------------------------------------------------------------------------------------------------
# Step 5: the nodes log in on each other
# lsyncd copies files by ssh. Each node has a key of its own and knows the other one's host key; from any other address
# that key opens nothing.
say 'Step 5: the nodes log in on each other'
at osm login /root/.ssh/sync_rsa /root/.ssh/known_hosts root 22 osm1.priv osm2.priv

# ---------------------------------------------------------------------------------------------------------------------
# Step 6: what the cluster starts
# A service that starts at boot may run on two nodes at once. Where there is no cluster yet, all but the first node
# stop it, too; the first one serves until the cluster takes over.
say 'Step 6: what the cluster starts'
at osm off httpd
at osm replaced lsyncd

# ---------------------------------------------------------------------------------------------------------------------
# Step 7: what runs before the cluster
# corosync and pacemaker are started, and switched on at boot if the scenario says so, when the cluster is made.
say 'Step 7: what runs before the cluster'
at member on pcsd

# ---------------------------------------------------------------------------------------------------------------------
if [ -n "$dry_run" ]; then
    say "Dry run: $changes changes would be made."
elif [ "$changes" = 0 ]; then
    say 'Nothing had to be changed.'
else
    say "$changes changes were made. What was edited is kept in $folder/backup."
fi
if [ "${#left[@]}" -gt 0 ]; then
    say 'Left to do:'
    printf '  - %s\n' "${left[@]}"
    [ -n "$dry_run" ] || exit 3
else
    say "$node is prepared. When every node is: inuvika-ha pcs SCENARIO > cluster.sh, and run that on one member."
fi
}
main "$@"; exit
