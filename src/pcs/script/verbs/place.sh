
# place ID RESOURCE score=SCORE [role=ROLE] where EXPRESSION [and EXPRESSION...], or with or: on nodes for which that is
# true. EXPRESSION: defined NAME, not_defined NAME, NAME COMPARISON [TYPE] VALUE.
place() {
    local id=$1 resource=$2 score=$3 role='' rule join='' count=1 word expression=() expressions=''
    shift 3
    rule="[@score='${score#score=}']"
    case $1 in
        role=*) role=$1 rule+="$(as_role role "${1#role=}")"; shift ;;
        *) rule+='[not(@role)]' ;;
    esac
    shift
    for word in "$@" end; do
        case $word in
            and | or | end)
                [ "$word" = end ] || join=$word count=$((count + 1))
                expressions+="[expression[$(expressed "${expression[@]}")]]"
                expression=()
                ;;
            *) expression+=("$word") ;;
        esac
    done
    [ "$count" = 1 ] || rule+="[@boolean-op='$join']"
    constraint "$id" "[@rsc='$resource'][count(rule)=1][rule${rule}[count(expression)=$count]$expressions]" \
        constraint location "$resource" rule "id=$id-rule" "constraint-id=$id" ${role:+"$role"} "$score" @WHERE@
}

# XPath conditions for an expression.
expressed() {
    case $1 in
        defined | not_defined) printf "@attribute='%s' and @operation='%s'" "$2" "$1" ;;
        *)
            printf "@attribute='%s' and @operation='%s' and @value='%s'" "$1" "$2" "${!#}"
            if [ $# = 4 ]; then printf " and @type='%s'" "$3"; else printf ' and not(@type)'; fi
            ;;
    esac
}
