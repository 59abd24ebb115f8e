
# XPath conditions for a role, which has two names: as_role ATTRIBUTE ROLE
as_role() {
    case $2 in
        Master | Promoted) printf "[@%s='Master' or @%s='Promoted']" "$1" "$1" ;;
        Slave | Unpromoted) printf "[@%s='Slave' or @%s='Unpromoted']" "$1" "$1" ;;
        *) printf "[@%s='%s']" "$1" "$2" ;;
    esac
}
