
# remote NAME AGENT NAME=VALUE...: the connection to a remote node. pcs makes one only with --force, as the node needs the
# cluster's key, too; see the head of this script.
remote() {
    local id=$1
    known+=("$id")
    [ -z "$left_out" ] || return 0
    resources+=("$id")
    if has "//primitive[@id='$id']"; then own "$@"; else edit resource create --force --no-default-ops "$@"; fi
}
