
# colocation_of_roles ROLE RESOURCE with ROLE OTHER score=SCORE. ROLE any: whichever it has.
colocation_of_roles() {
    local id="colocation-$2-$5" score=${6#score=} same role=$1 with_role=$4
    same="[@rsc='$2'][@with-rsc='$5'][@score='$score']"
    case $role in
        any) role='' same+="[not(@rsc-role!='Started')]" ;;
        *) same+=$(as_role rsc-role "$role") ;;
    esac
    case $with_role in
        any) with_role='' same+="[not(@with-rsc-role!='Started')]" ;;
        *) same+=$(as_role with-rsc-role "$with_role") ;;
    esac
    constraint "$id" "$same" constraint colocation add ${role:+"$role"} "$2" with ${with_role:+"$with_role"} "$5" \
        "score=$score" "id=$id"
}
