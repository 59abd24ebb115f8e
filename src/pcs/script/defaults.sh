# Sets defaults of all resources with a tool of Pacemaker: what pcs has for it is not the same in every version that
# this is for, or does not work on a copy.
set_defaults() {
    local word path id set=rsc_defaults-options pair
    ! path=$(paths /cib/configuration/rsc_defaults/meta_attributes) || { id_of "${path%%$'\n'*}"; set=$id; }
    for word in "$@"; do
        id=$set-${word%%=*}
        ! path=$(paths "/cib/configuration/rsc_defaults/*/nvpair[@name='${word%%=*}']") || id_of "${path%%$'\n'*}"
        say "    cibadmin: default ${word}"
        pair="<nvpair id=\"$id\" name=\"${word%%=*}\" value=\"${word#*=}\"/>"
        pair="<rsc_defaults><meta_attributes id=\"$set\">$pair</meta_attributes></rsc_defaults>"
        printf '<configuration>%s</configuration>' "$pair" |
            CIB_file="$work/new.xml" cibadmin --modify --allow-create --scope configuration --xml-pipe \
                >/dev/null 2>&1 ||
            die "cannot set the default $word"
    done
}

