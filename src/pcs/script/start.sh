# ---------------------------------------------------------------------------------------------------------------------
# bash reads main to its end before anything runs: writing this file anew meanwhile does no harm. Not indented, because
# it is all of the script.
main() {
dry_run='' trial='' more=''
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=1 ;;
        --prune) prune=1 ;;
        --cib) [ -n "${2-}" ] || { usage >&2; exit 2; }; trial=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---------------------------------------------------------------------------------------------------------------------
# Is this the right place, and is everything here?

for program in pcs cibadmin crm_verify crm_diff crm_resource iconv; do
    command -v "$program" >/dev/null || die "$program is not installed on this host"
done
@PYTHON@
@VERSION@
if ! at_least "$version" "$pcs_from" || at_least "$version" "$pcs_before"; then
    die "this script is written for pcs @TITLE@, but pcs $version is installed"
fi
for agent in ${agents[@]+"${agents[@]}"}; do
    crm_resource --show-metadata "$agent" >/dev/null 2>&1 ||
        die "agent $agent is not installed on this host: install its package first"
done
for file in ${secrets[@]+"${secrets[@]}"}; do read_secret "$file"; done
if [ -n "$trial" ]; then
    [ -f "$trial" ] || die "--cib: $trial is not a file"
    backups=$(dirname "$trial")
    if [ "${#secrets[@]}" -gt 0 ] && [ -z "$dry_run" ]; then
        case $(stat -Lc %a "$trial") in
            *00) ;;
            *) die "--cib: others may read $trial, and secrets are to be written there: chmod 600 it" ;;
        esac
    fi
else
    [ "$(id -u)" = 0 ] || die 'must be run as root'
    here=''
    for address in "${addresses[@]}"; do
        if [ -n "$(ip -oneline address show to "$address" 2>/dev/null)" ]; then here=$address; fi
    done
    [ -n "$here" ] || die "this host has none of the addresses ${addresses[*]}: run it on a node of the cluster"
fi
if [ -z "$dry_run" ]; then
    [ -n "$trial" ] || install -d -m 700 "$backups" || die "cannot make the folder $backups for backups"
    [ -w "$backups" ] || die "cannot write to the folder $backups, where backups go"
fi
