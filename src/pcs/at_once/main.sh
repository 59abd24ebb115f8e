merge() {
    "$python" -I - "$@" <<'END'
@MERGE@
END
}

# Writes the configuration to wanted.xml.
make_wanted() {
@MAKE@
}

# ---------------------------------------------------------------------------------------------------------------------
# bash reads main to its end before anything runs: writing this file anew meanwhile does no harm.
main() {
    local dry_run='' trial='' wait='' where=() verdict backup agent tool
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) dry_run=1 ;;
            --wait) wait=1 ;;
            --cib) [ -n "${2-}" ] || { usage >&2; exit 2; }; trial=$2; shift ;;
            --print) configuration; exit 0 ;;
            --help) usage; exit 0 ;;
            *) usage >&2; exit 2 ;;
        esac
        shift
    done
    for tool in "$program" cibadmin crm_verify crm_diff crm_resource; do
        command -v "$tool" >/dev/null || die "$tool is not installed on this host"
    done
    find_python
    for agent in "${agents[@]}"; do
        crm_resource --show-metadata "$agent" >/dev/null 2>&1 ||
            die "agent $agent is not installed on this host: install its package first"
    done
    umask 077
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT

    if [ -n "$trial" ]; then
        [ -f "$trial" ] || die "--cib: $trial is not a file"
        backups=$(dirname "$trial")
        where=(env "CIB_file=$trial")
        case $(stat -Lc %a "$trial") in
            *00) ;;
            *) [ -n "$dry_run" ] || ! besides | grep -q '^secret ' ||
                die "--cib: others may read $trial, and secrets are to be written there: chmod 600 it" ;;
        esac
    else
        [ "$(id -u)" = 0 ] || die 'must be run as root'
    fi
    "${where[@]+"${where[@]}"}" cibadmin --query >"$work/live.xml" 2>/dev/null ||
        die "${trial:+"$trial holds no configuration: "}the cluster $cluster does not run here: start it, then run this"
    make_wanted
    besides >"$work/besides"
    merge "$work/live.xml" "$work/wanted.xml" "$work/new.xml" "$work/besides" "$trial" "${nodes[@]}" || exit 1
    [ -z "$outside" ] || say "$outside"

    verdict=$(crm_verify -V --xml-file "$work/new.xml" 2>&1) || {
        # Warnings are about the state the cluster is in (a node that is down); errors are about the configuration.
        printf '%s\n' "$verdict" >&2
        case $verdict in
            *'Warnings found'*) ;;
            *) die 'crm_verify refuses the configuration; nothing was changed' ;;
        esac
    }
    if crm_diff --no-version --original "$work/live.xml" --new "$work/new.xml" >"$work/patch.xml" 2>/dev/null; then
        say 'The cluster is configured like this already: nothing to change.'
        exit 0
    fi
    if [ -n "$dry_run" ]; then
        say 'Dry run: nothing was changed.'
        exit 0
    fi
    [ -n "$trial" ] || install -d -m 700 "$backups" || die "cannot make the folder $backups for backups"
    backup=$backups/cib-$cluster-$(date +%Y%m%d-%H%M%S.%3N).xml
    install -m 600 "$work/live.xml" "$backup" || die "cannot write to the folder $backups, where backups go"
    "${where[@]+"${where[@]}"}" cibadmin --patch --xml-file "$work/patch.xml" ||
        die "the cluster refuses the change; nothing was changed. The configuration is in $backup as well"
    say "Done. The configuration before is in $backup (it holds secrets, as the cluster's own copy does)."
    if [ -n "$trial" ]; then
        say "To go back: cp $backup $trial"
        exit 0
    fi
    say "To go back: cibadmin --replace --scope configuration --xml-file $backup"
    # Without fencing Pacemaker decides nothing, not even what is no resource any more.
    grep -qE 'class="stonith"|name="stonith-enabled" value="(false|no|off|0)"' "$work/live.xml" ||
        say 'It has no fencing device: stop what runs before you go back (target-role=Stopped), or it goes on running.'
    [ -n "$wait" ] || { say 'To see how it is doing: crm_mon -1'; exit 0; }
    crm_resource --wait --timeout=300s || die 'the cluster did not settle in 300 s: see crm_mon -1'
}
main "$@"; exit
