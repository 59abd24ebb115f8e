
# ---------------------------------------------------------------------------------------------------------------------
if [ -n "$dry_run" ]; then
    say "Dry run: $changes changes would be made."
elif [ "$changes" = 0 ]; then
    say 'Nothing had to be changed.'
else
    say "$changes changes were made. What was edited is kept in $folder/backup."
fi
if [ "${#left[@]}" -gt 0 ]; then
    say 'Left to do:'
    printf '  - %s\n' "${left[@]}"
    [ -n "$dry_run" ] || exit 3
else
    say "$node is prepared. When every node is: inuvika-ha pcs SCENARIO > cluster.sh, and run that on one member."
fi
}
main "$@"; exit
