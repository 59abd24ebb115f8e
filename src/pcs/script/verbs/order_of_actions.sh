
# order_of_actions ACTION RESOURCE after ACTION FIRST kind=KIND symmetrical=BOOLEAN
order_of_actions() {
    local id="order-$5-$2" same
    same="[@first='$5'][@then='$2'][@first-action='$4'][@then-action='$1'][@kind='${6#kind=}']"
    case $7 in
        symmetrical=true) same+="[not(@symmetrical='false')]" ;;
        *) same+="[@symmetrical='false']" ;;
    esac
    constraint "$id" "$same" constraint order "$4" "$5" 'then' "$1" "$2" "$6" "$7" "id=$id"
}
