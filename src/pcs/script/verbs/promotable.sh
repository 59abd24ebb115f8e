
# promotable RESOURCE NAME=VALUE...: as clone, and some instances are promoted.
promotable() {
    local id="$1-clone" word given=()
    known+=("$id")
    [ -z "$left_out" ] || return 0
    resources+=("$id")
    for word in "${@:2}"; do [ -z "${word#*=}" ] || given+=("$word"); done
    if ! has "//@CLONE@[@id='$id']/*[@id='$1']"; then
        @PROMOTABLE@ ${given[@]+"${given[@]}"}
    elif ! has "//@CLONE@[@id='$id']$(set_like meta @ALSO@"${@:2}")"; then
        edit resource meta "$id" @ALSO@"${@:2}"
    fi
}
