
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
