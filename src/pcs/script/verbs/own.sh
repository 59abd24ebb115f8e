
# own ID AGENT NAME=VALUE...: as resource, but what the scenario does not give is taken out: parameters and meta
# attributes, except those that commands set.
own() {
    local id=$1 agent=$2 word name part=values values=() meta=() operations=()
    shift 2
    for word in "$@"; do
        case $word in
            meta) part=meta && continue ;;
            op) part=operations ;;
        esac
        case $part in
            values) values+=("$word") ;;
            meta) meta+=("$word") ;;
            *) operations+=("$word") ;;
        esac
    done
    for name in $(names_of "$id" instance_attributes); do
        given "$name" ${values[@]+"${values[@]}"} || values+=("$name=")
    done
    for name in $(names_of "$id" meta_attributes); do
        case $name in target-role | is-managed | maintenance) continue ;; esac
        given "$name" ${meta[@]+"${meta[@]}"} || meta+=("$name=")
    done
    [ "${#meta[@]}" = 0 ] || meta=(meta "${meta[@]}")
    apply resource "$id" "$agent" ${values[@]+"${values[@]}"} ${meta[@]+"${meta[@]}"} \
        ${operations[@]+"${operations[@]}"}
}

# The names of what a resource has: names_of ID instance_attributes|meta_attributes
names_of() {
    CIB_file="$work/new.xml" cibadmin --query --xpath "//*[@id='$1']/$2/nvpair" 2>/dev/null |
        sed -n 's/.*<nvpair .*name="\([^"]*\)".*/\1/p'
}

# Whether NAME is among the words NAME=VALUE...
given() {
    local word name=$1
    shift
    for word in "$@"; do [ "${word%%=*}" != "$name" ] || return 0; done
    return 1
}
