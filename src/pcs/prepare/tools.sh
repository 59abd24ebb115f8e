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
