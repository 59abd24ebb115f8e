
# together ID score=SCORE set RESOURCE... [NAME=VALUE...] [set ...]: colocation of sets.
# shellcheck disable=SC2317,SC2329 # not every scenario has both
together() { sets colocation "$@"; }
# sequence ID kind=KIND symmetrical=BOOLEAN set RESOURCE... [NAME=VALUE...] [set ...]: order of sets.
# shellcheck disable=SC2317,SC2329 # not every scenario has both
sequence() { sets order "$@"; }
sets() {
    local kind=$1 id=$2 word same='' count=0 members=0 options=()
    shift 2
    while [ "$1" != set ]; do
        options+=("$1")
        case $1 in
            symmetrical=true) same+="[not(@symmetrical='false')]" ;;
            *) same+="[@${1%%=*}='${1#*=}']" ;;
        esac
        shift
    done
    for word in "$@" set; do
        case $word in
            set)
                [ "$count" = 0 ] || same+="[count(resource_ref)=$members]]"
                [ "$count" = 0 ] || members=0
                count=$((count + 1))
                same+="[resource_set[$count]"
                ;;
            role=*) same+=$(as_role role "${word#*=}") ;;
            *=*) same+="[@${word%%=*}='${word#*=}']" ;;
            *)
                members=$((members + 1))
                same+="[resource_ref[$members][@id='$word']]"
                ;;
        esac
    done
    same="${same%"[resource_set[$count]"}[count(resource_set)=$((count - 1))]"
    constraint "$id" "$same" constraint "$kind" "$@" setoptions "${options[@]}" "id=$id"
}
