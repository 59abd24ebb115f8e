
# Whether nobody has changed the configuration since it was copied.
# shellcheck disable=SC2120,SC2317
same_now() {
    local now
    now=$(CIB_file=${trial:-${CIB_file-}} cibadmin --query --scope configuration 2>/dev/null) || return 1
    [ "$now" = "$(CIB_file="$work/orig.xml" cibadmin --query --scope configuration 2>/dev/null)" ]
}
