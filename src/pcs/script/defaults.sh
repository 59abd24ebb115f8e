# Sets defaults of all resources (rsc_defaults) or operations (op_defaults) with a tool of Pacemaker: what pcs has for it
# is not the same in every version that this is for, or does not work on a copy.
set_defaults() {
    local word path id kind=$1 set=$1-options pair
    shift
    ! path=$(paths "/cib/configuration/$kind/meta_attributes") || { id_of "${path%%$'\n'*}"; set=$id; }
    for word in "$@"; do
        id=$set-${word%%=*}
        ! path=$(paths "/cib/configuration/$kind/*/nvpair[@name='${word%%=*}']") || id_of "${path%%$'\n'*}"
        say "    cibadmin: default ${word}"
        pair="<nvpair id=\"$id\" name=\"${word%%=*}\" value=\"${word#*=}\"/>"
        pair="<$kind><meta_attributes id=\"$set\">$pair</meta_attributes></$kind>"
        printf '<configuration>%s</configuration>' "$pair" |
            CIB_file="$work/new.xml" cibadmin --modify --allow-create --scope configuration --xml-pipe \
                >/dev/null 2>&1 ||
            die "cannot set the default $word"
    done
}

