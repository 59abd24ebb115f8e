
# only ID NAME...: of meta attributes a group or clone has none but these, and those that commands set.
only() {
    local id=$1 name gone=()
    [ -z "$left_out" ] || return 0
    for name in $(names_of "$id" meta_attributes); do
        case " target-role is-managed maintenance ${*:2} " in *" $name "*) ;; *) gone+=("$name=") ;; esac
    done
    [ "${#gone[@]}" = 0 ] || edit resource meta "$id" "${gone[@]}"
}
