
# alert ID PATH [options NAME=VALUE...] [meta NAME=VALUE...] [to RECIPIENT VALUE]...: a program that Pacemaker runs when
# something happens, and who is told by it.
alert() {
    local id=$1 path=$2 word part='' same recipients=0 settings=0 metas=0 i told=() words=()
    shift 2
    same="//alert[@id='$id'][@path=$(literal "$path")]"
    while [ $# -gt 0 ]; do
        case $1 in
            to)
                same+="[recipient[@id='$2'][@value=$(literal "$3")]]"
                recipients=$((recipients + 1))
                told+=("$2" "$3")
                shift 3
                continue
                ;;
            options | meta) part=$1 ;;
            *)
                word="nvpair[@name='${1%%=*}'][@value=$(literal "${1#*=}")]"
                if [ "$part" = meta ]; then
                    same+="[meta_attributes/$word]" metas=$((metas + 1))
                else
                    same+="[instance_attributes/$word]" settings=$((settings + 1))
                fi
                ;;
        esac
        words+=("$1")
        shift
    done
    known+=("$id")
    [ -z "$left_out" ] || return 0
    same+="[count(recipient)=$recipients][count(instance_attributes/nvpair)=$settings]"
    if has "${same}[count(meta_attributes/nvpair)=$metas]"; then return; fi
    ! has "//alert[@id='$id']" || edit alert remove "$id"
    edit alert create "id=$id" "path=$path" ${words[@]+"${words[@]}"}
    for ((i = 0; i < ${#told[@]}; i += 2)); do
        edit alert recipient add "$id" "value=${told[i + 1]}" "id=${told[i]}"
    done
}
