
# promotable RESOURCE NAME=VALUE...: as clone, and some instances are promoted.
promotable() {
    local id="$1-clone" word given=()
    known+=("$id")
    [ -z "$left_out" ] || return 0
    resources+=("$id")
    for word in "${@:2}"; do [ -z "${word#*=}" ] || given+=("$word"); done
    if ! has "//clone[@id='$id']/*[@id='$1']"; then
        edit resource promotable "$1" meta ${given[@]+"${given[@]}"}
    elif ! has "//clone[@id='$id']$(set_like meta promotable=true "${@:2}")"; then
        edit resource meta "$id" promotable=true "${@:2}"
    fi
}
