# Sets defaults of all resources with Pacemaker's own tool: what pcs has for it is not the same in every version this is for, or
# does not work on a copy.
set_defaults() {
    local word path id set=rsc_defaults-options pair
    ! path=$(paths /cib/configuration/rsc_defaults/meta_attributes) || { id_of "${path%%$'\n'*}"; set=$id; }
    for word in "$@"; do
        id=$set-${word%%=*}
        ! path=$(paths "/cib/configuration/rsc_defaults/*/nvpair[@name='${word%%=*}']") || id_of "${path%%$'\n'*}"
        say "    cibadmin: default ${word}"
        pair="<nvpair id=\"$id\" name=\"${word%%=*}\" value=\"${word#*=}\"/>"
        printf '<configuration><rsc_defaults><meta_attributes id="%s">%s</meta_attributes></rsc_defaults></configuration>' \
            "$set" "$pair" |
            CIB_file="$work/new.xml" cibadmin --modify --allow-create --scope configuration --xml-pipe >/dev/null 2>&1 ||
            die "cannot set the default $word"
    done
}

