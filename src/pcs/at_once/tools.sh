say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run] [--wait] [--cib FILE] [--print]\n' "${0##*/}"
    printf '  --dry-run   do everything but the change\n'
    printf '  --wait      wait up to five minutes for the cluster to have done it\n'
    printf '  --cib FILE  configure the cluster information base in FILE instead of the running cluster\n'
    printf '  --print     print the configuration as it stands in this script, and do nothing\n'
}

# merge LIVE WANTED NEW: puts what is wanted into what is there, and says what changes.
