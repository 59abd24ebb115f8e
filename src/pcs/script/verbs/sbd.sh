
# sbd watchdog=DEVICE [device=DEVICE...] NAME=VALUE...: nodes switch themselves off. Only a cluster that starts anew has it.
sbd() {
    if [ -n "$trial$dry_run" ]; then
        say '    a trial or a dry run does not change the settings of nodes: sbd is left out'
    elif [ -n "$make" ]; then
        pcs stonith sbd enable "$@" || die 'sbd cannot be enabled'
        pcs cluster stop --all && pcs cluster start --all --wait=120 || die 'the cluster cannot be restarted for sbd'
    elif ! pcs stonith sbd status 2>/dev/null | grep -q 'YES'; then
        differs 'sbd is not enabled' "stonith sbd enable $*, then pcs cluster stop --all and start --all"
    fi
}
