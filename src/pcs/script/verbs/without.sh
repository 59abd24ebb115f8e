
# without ID: what this pcs does not have. Should it be there all the same, it is nobody else's.
without() {
    known+=("$1")
    [ -n "$left_out" ] || say "    left out, pcs of this version does not have it: $1"
}
