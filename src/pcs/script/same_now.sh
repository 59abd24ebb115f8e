
# Whether nobody has changed the configuration since it was copied.
same_now() {
    local now
    # Set to nothing it would still be taken for the name of a file.
    [ -z "$trial" ] || local -x CIB_file=$trial
    now=$(cibadmin --query --scope configuration 2>/dev/null) || return 1
    [ "$now" = "$(CIB_file="$work/orig.xml" cibadmin --query --scope configuration 2>/dev/null)" ]
}
