
# attributes NODE NAME=VALUE...: permanent attributes of a node.
attributes() {
    local node=$1 word path="//nodes/node[@uname='$1']"
    shift
    for word in "$@"; do
        path+="[instance_attributes/nvpair[@name='${word%%=*}'][@value=$(literal "${word#*=}")]]"
    done
    has "$path" || edit @NODE_ATTRIBUTE@ "$node" "$@"
}
