# ---------------------------------------------------------------------------------------------------------------------
# What the steps are made of. The steps themselves begin below at "Step 1".

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run] [--cib FILE]\n' "${0##*/}"
    printf '  --dry-run   do everything but the push\n'
    printf '  --cib FILE  configure the cluster information base in FILE instead of a running cluster\n'
}

dry_run='' trial=''
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=1 ;;
        --cib) [ -f "${2-}" ] || { usage >&2; exit 2; }; trial=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The name of the cluster that a corosync.conf on stdin describes.
cluster_name() { sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p'; }

# One line from a file that nobody but its owner may read.
read_secret() {
    [ -f "$1" ] || die "read secret: $1 is not a file"
    [ -O "$1" ] || die "read secret: $1 does not belong to $(id -un)"
    case $(stat -Lc %a "$1") in *00) ;; *) die "read secret: others may read $1: chmod 600 it" ;; esac
    secret_text=''
    IFS= read -r secret_text <"$1" || [ -n "$secret_text" ] || die "read secret: $1 is empty"
    case $secret_text in '' | *[[:cntrl:]]*) die "read secret: $1 has no first line of plain text" ;; esac
}

# The password of the user hacluster: from the file named in HACLUSTER_PASSWORD_FILE, else asked for.
read_password() {
    if [ -n "${HACLUSTER_PASSWORD_FILE-}" ]; then
        read_secret "$HACLUSTER_PASSWORD_FILE"
        password=$secret_text
    else
        [ -t 0 ] || die 'no terminal to ask for the password of hacluster: set HACLUSTER_PASSWORD_FILE'
        IFS= read -rsp 'Password of hacluster (the same on every node): ' password
        printf '\n'
    fi
}

# pcs refuses to make a cluster of nodes that are in one. Only the packages' own empty cluster may be overwritten.
refuse_other_clusters() {
    local node conf
    force=()
    for node in "${nodes[@]}"; do
        if conf=$(pcs cluster corosync "$node" 2>&1); then
            case $(cluster_name <<<"$conf") in
                debian) force=(--force) ;;
                *) die "$node is in the cluster $(cluster_name <<<"$conf") already" ;;
            esac
        else
            # pcsd answers 400 where there is no corosync.conf.
            case $conf in *'HTTP error: 400'*) ;; *) die "ask $node for its cluster: $conf" ;; esac
        fi
    done
}

# Succeeds when the configuration being made has what the XPath expression names.
has() { CIB_file="$work/new.xml" cibadmin --query --xpath "$1" >/dev/null 2>&1; }

# The paths of what an XPath expression names, each ending in [@id='ID']; fails when there is nothing.
paths() { CIB_file="$work/new.xml" cibadmin --query --node-path --xpath "$1" 2>/dev/null; }

# A text as XPath literal.
literal() {
    local q="'"
    case $1 in
        *"$q"*) printf "concat('%s')" "${1//"$q"/"$q,\"$q\",$q"}" ;;
        *) printf "'%s'" "$1" ;;
    esac
}

# Runs pcs on the configuration being made, and says so.
edit() {
    local output
    printf '    pcs'
    printf ' %q' "$@"
    printf '\n'
    output=$(pcs -f "$work/new.xml" "$@" 2>&1) || die "pcs failed: $output"
    # What pcs always says here is left out.
    grep -Ev '^Warning: (Defaults do not apply|Validation for node existence)|^Adding |^$' <<<"$output" || true
}

# Every id that this scenario has.
known=()

# XPath conditions for words NAME=VALUE... [meta NAME=VALUE...]. An empty VALUE: the name is not set.
set_like() {
    local word part=instance_attributes pair
    for word in "$@"; do
        pair="$part/nvpair[@name='${word%%=*}']"
        case $word in
            meta) part=meta_attributes ;;
            *=) printf '[not(%s)]' "$pair" ;;
            *) printf '[%s[@value=%s]]' "$pair" "$(literal "${word#*=}")" ;;
        esac
    done
}

# XPath conditions for words op ACTION NAME=VALUE...: these operations and no others.
timed_like() {
    local word count=0
    for word in "$@"; do
        case $word in
            op)
                [ "$count" = 0 ] || printf ']]'
                printf '[operations/op[@id'
                count=$((count + 1))
                ;;
            OCF_CHECK_LEVEL=*) printf " and .//nvpair[@name='OCF_CHECK_LEVEL'][@value='%s']" "${word#*=}" ;;
            *=*) printf " and @%s='%s'" "${word%%=*}" "${word#*=}" ;;
            *) printf " and @name='%s'" "$word" ;;
        esac
    done
    printf ']][count(operations/op)=%d]' "$count"
}

# Makes a resource, or changes one that differs:
# apply resource|stonith ID AGENT NAME=VALUE... [meta NAME=VALUE...] [op ACTION NAME=VALUE...]...
apply() {
    local kind=$1 id=$2 agent=$3 word given=() values=() operations=() options=() path
    shift 3
    known+=("$id")
    for word in "$@"; do
        case $word in *=) ;; *) given+=("$word") ;; esac
        if [ "$word" = op ] || [ "${#operations[@]}" -gt 0 ]; then operations+=("$word"); else values+=("$word"); fi
    done
    if ! has "//primitive[@id='$id']"; then
        [ "$kind" = stonith ] || options=(--no-default-ops)
        edit "$kind" create "$id" "$agent" "${options[@]}" "${given[@]}"
        return
    fi
    has "//primitive[@id='$id'][@type='${agent##*:}']" || die "$id is there with another agent: remove it first"
    has "//primitive[@id='$id']$(set_like "${values[@]}")" || edit "$kind" update "$id" "${values[@]}"
    if has "//primitive[@id='$id']$(timed_like "${operations[@]}")"; then return; fi
    # pcs cannot change one of two monitors, so all operations are taken out and added again.
    while path=$(paths "//primitive[@id='$id']/operations/op"); do
        path=${path%%$'\n'*} path=${path##*"op[@id='"}
        edit resource op remove "${path%"']"}"
    done
    given=()
    for word in "${operations[@]:1}" op; do
        if [ "$word" != op ]; then
            given+=("$word")
        else
            edit resource op add "$id" "${given[@]}"
            given=()
        fi
    done
}
resource() { apply resource "$@"; }
fencing() { apply stonith "$@"; }

# Sets cluster properties, or defaults of all resources, that differ: NAME=VALUE...
settings() {
    local word path=$1
    shift
    for word in "$@"; do path+="[*/nvpair[@name='${word%%=*}'][@value=$(literal "${word#*=}")]]"; done
    has "$path"
}
property() { settings /cib/configuration/crm_config "$@" || edit property set "$@"; }
defaults() { settings /cib/configuration/rsc_defaults "$@" || edit resource defaults update "$@"; }

# A constraint has its whole meaning in its id and its attributes; one that differs is made anew.
constraint() {
    local id=$1 same=$2
    shift 2
    known+=("$id")
    if has "//constraints/*[@id='$id']$same"; then return; fi
    ! has "//constraints/*[@id='$id']" || edit constraint remove "$id"
    edit "$@"
}
# never RESOURCE on NODE: neither run nor looked for there. avoid: not run there. prefer: started there at first.
never() { location "$1" "$3" never -INFINITY resource-discovery=never; }
avoid() { location "$1" "$3" avoid -INFINITY; }
prefer() { location "$1" "$3" prefer 1; }
location() {
    local id="location-$1-$2-$3" same="[@rsc='$1'][@node='$2'][@score='$4']"
    [ $# = 4 ] || same+="[@resource-discovery='${5#*=}']"
    constraint "$id" "$same" -- constraint location add "$id" "$1" "$2" "${@:4}"
}
# colocation RESOURCE with OTHER score=SCORE
colocation() {
    local id="colocation-$1-$3"
    constraint "$id" "[@rsc='$1'][@with-rsc='$3'][@score='${4#score=}']" \
        constraint colocation add "$@" "id=$id"
}
# order RESOURCE after FIRST kind=KIND
order() {
    local id="order-$3-$1"
    constraint "$id" "[@first='$3'][@then='$1'][@kind='${4#kind=}']" \
        constraint order "$3" 'then' "$1" "$4" "id=$id"
}

# Secrets stand in the configuration as placeholders while pcs works on it: an argument can be seen by every user.
# secret RESOURCE OPTION FILE
placeholders=() nvpairs=() texts=()
secret() {
    local text
    read_secret "$3"
    text=${secret_text//&/'&amp;'}
    text=${text//</'&lt;'}
    text=${text//>/'&gt;'}
    text=${text//\"/'&quot;'}
    placeholders+=("value=\"@$1:$2@\"")
    nvpairs+=("id=\"$1-instance_attributes-$2\" name=\"$2\" ")
    texts+=("value=\"$text\"")
    swap_secrets texts placeholders
}
swap_secrets() {
    local -n from=$1 to=$2
    local i xml
    xml=$(<"$work/new.xml")
    xml=${xml//'&apos;'/"'"} # Pacemaker versions differ in whether they write it like this
    for i in "${!nvpairs[@]}"; do xml=${xml//"${nvpairs[i]}${from[i]}"/"${nvpairs[i]}${to[i]}"}; done
    printf '%s\n' "$xml" >"$work/new.xml"
}
