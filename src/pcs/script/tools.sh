# ---------------------------------------------------------------------------------------------------------------------
# What the steps are made of. The steps themselves begin below at "Step 1".

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run] [--prune] [--cib FILE]\n' "${0##*/}"
    printf '  --dry-run   do everything but the push\n'
    printf '  --prune     remove what the scenario does not have (any more), instead of naming it\n'
    printf '  --cib FILE  configure the cluster information base in FILE instead of a running cluster\n'
}

# Whether the version $1 is $2 or a later one.
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# Whether this script is for that part of the scenario: one of $parts, or any when that is empty.
covers() { [ -z "$parts" ] || case " $parts " in *" $1 "*) ;; *) return 1 ;; esac; }

# The name of the cluster that a corosync.conf on stdin describes.
cluster_name() { sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p'; }

# One line from a file that nobody but its owner may read.
read_secret() {
    [ -f "$1" ] || die "read secret: $1 is not a file"
    [ -O "$1" ] || die "read secret: $1 does not belong to $(id -un)"
    case $(stat -Lc %a "$1") in *00) ;; *) die "read secret: others may read $1: chmod 600 it" ;; esac
    secret_text=''
    IFS= read -r secret_text <"$1" || [ -n "$secret_text" ] || die "read secret: $1 is empty"
    printf '%s' "$secret_text" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1 || die "read secret: $1 is not UTF-8 text"
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
    force=''
    for node in "${nodes[@]}"; do
        if conf=$(pcs cluster corosync "$node" 2>&1); then
            case $(cluster_name <<<"$conf") in
                debian) force=--force ;;
                "$cluster")
                    die "$node is in a cluster $cluster already, but this host is not: run this on $node," \
                        'or, if that cluster is a remnant, "pcs cluster destroy" there first'
                    ;;
                *) die "$node is in the cluster $(cluster_name <<<"$conf") already" ;;
            esac
        else
            # pcsd answers so where there is no corosync.conf.
            case $conf in @NO_CONFIGURATION@) ;; *) die "ask $node for its cluster: $conf" ;; esac
        fi
    done
}

@RUN@

# A text as XPath literal.
literal() {
    local q="'" text=$1
    local separate="$q,\"$q\",$q"
    case $text in
        *"$q"*) printf "concat('%s')" "${text//$q/$separate}" ;;
        *) printf "'%s'" "$text" ;;
    esac
}

# The id at the end of such a path, in $id.
id_of() { id=${1##*"[@id='"} id=${id%"']"}; }

# Runs pcs on the configuration being made, and says so.
edit() {
    local always='Defaults do not apply|Validation for node existence|Validating resource options using'
    printf '    pcs'
    printf ' %q' "$@"
    printf '\n'
    run_pcs -f "$work/new.xml" "$@" || die "pcs failed: $(cat "$work/said")"
    # What pcs always says here is left out.
    grep -Ev "^Warning: ($always)|^Adding |^$" "$work/said" || true
}
