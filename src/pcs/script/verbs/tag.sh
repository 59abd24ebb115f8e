
# tag ID MEMBER...: a name for several.
tag() {
    local id=$1 same="//tag[@id='$1'][count(obj_ref)=$(($# - 1))]" member
    shift
    for member in "$@"; do same+="[obj_ref[@id='$member']]"; done
    known+=("$id")
    [ -z "$left_out" ] || return 0
    if has "$same"; then return; fi
    ! has "//tag[@id='$id']" || edit tag remove "$id"
    edit tag create "$id" "$@"
}
