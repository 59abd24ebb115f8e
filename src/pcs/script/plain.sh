# Succeeds when the configuration being made has what the XPath expression names. In a new cluster most of it is not
# there: what has an id that stands nowhere needs no program of Pacemaker to be missed.
has() {
    local id=${1#*"[@id='"}
    [ "$id" = "$1" ] || grep -qF " id=\"${id%%"'"*}\"" "$work/new.xml" || return 1
    CIB_file="$work/new.xml" cibadmin --query --xpath "$1" >/dev/null 2>&1
}

# The paths of what an XPath expression names, each ending in [@id='ID']; fails when there is nothing.
paths() { CIB_file="$work/new.xml" cibadmin --query --node-path --xpath "$1" 2>/dev/null; }

# pcs WORD...; what it says goes to the file "said".
run_pcs() { pcs "$@" >"$work/said" 2>&1; }
