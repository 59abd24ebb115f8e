
# quorum_device host=HOST algorithm=ALGORITHM: a host outside the cluster has a vote. In corosync's configuration, so it
# is added at once, not with the push.
quorum_device() {
    if [ -n "$trial$dry_run" ]; then
        say "    a trial or a dry run does not change corosync's configuration: the quorum device $1 is left out"
    elif pcs quorum config 2>/dev/null | grep -qxF "    ${1/=/: }"; then
        return
    elif pcs quorum config 2>/dev/null | grep -q '^Device:'; then
        differs 'the quorum device is another one' "quorum device remove, then run this again"
    elif [ -z "$make" ]; then
        differs "there is no quorum device $1" "quorum device add model net $*"
    else
        pcs quorum device add model net "$@" || die "the quorum device $1 cannot be added"
    fi
}
