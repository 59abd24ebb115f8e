
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
    @SYSTEM@) ;;
    *) die "this script is written for @RELEASE@, but this is $os $os_version: ask for another with --for" ;;
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
@PASSWORD@
say "This host is $node ($role)."
