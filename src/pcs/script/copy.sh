# From here on everything is done to a copy of the configuration; the cluster sees one change, at the end, or none.
# The nodes of a cluster that was made just now may need a moment to find each other.
for ((wait = 30; ; wait -= 1)); do
    problem=$(copy)
    if [ -z "$problem" ] || [ -z "$make" ] || [ "$wait" = 0 ]; then break; fi
    sleep 2
done
[ -z "$problem" ] || die "$problem"
