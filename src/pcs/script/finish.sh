@FORGET@
name_foreign
reveal_secrets
@END_QUICK@
verdict=$(crm_verify -V --xml-file "$work/new.xml" 2>&1) || {
    printf '%s\n' "$verdict" >&2
    # Warnings are about the state the cluster is in (a node that is down); errors are about the configuration.
    case $verdict in *'Warnings found'*) ;; *) die 'crm_verify refuses the configuration; nothing was changed' ;; esac
}

if crm_diff --no-version --original "$work/orig.xml" --new "$work/new.xml" >/dev/null 2>&1; then
    if [ -n "$more" ]; then
        say 'What the scenario says is configured already: nothing to push. What differs from it is named above.'
    else
        say 'The cluster is configured like this already: nothing to push.'
    fi
    exit 0
fi
if [ -n "$dry_run" ]; then
    say 'Dry run: nothing was pushed.'
    exit 0
fi
backup=$backups/cib-$cluster-$(date +%Y%m%d-%H%M%S.%3N).xml
install -m 600 "$work/orig.xml" "$backup"
@CHECK@
if [ -n "$trial" ]; then
    pcs -f "$trial" cluster cib-push "$work/new.xml" @HOW@
else
    pcs cluster cib-push "$work/new.xml" @HOW@@WAIT@ ||
        die "@FAILED@: see pcs status; the old configuration is $backup"
@SETTLED@
fi
say "Done. The configuration before is in $backup (it holds secrets, as the cluster's own copy does)."
if [ -n "$trial" ]; then
    say "To go back: cp $backup $trial"
else
    say "To go back: pcs cluster cib-push $backup --config"
    # Without fencing Pacemaker decides nothing, not even what is no resource any more.
    grep -qE 'class="stonith"|name="stonith-enabled" value="(false|no|off|0)"' "$work/orig.xml" ||
        say 'It has no fencing device: before you go back stop what runs (pcs resource disable), or it goes on running.'
    say 'To see how it is doing: pcs status'
fi
