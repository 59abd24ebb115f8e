
# level NODE LEVEL DEVICE...: what is tried to switch a node off, when a lower level has failed.
level() {
    local node=$1 level=$2 devices path id
    shift 2
    devices=$(IFS=,; printf '%s' "$*")
    path="//fencing-level[@target='$node'][@index='$level']"
    if [ -z "$left_out" ] && ! has "${path}[@devices='$devices']"; then
        if has "$path"; then
            @REMOVE_LEVEL@
        fi
        edit stonith level add "$level" "$node" "$@"
    fi
    id=$(paths "$path") || return 0
    id_of "$id"
    known+=("$id")
}
