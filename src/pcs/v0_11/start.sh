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
