# Every id that this scenario has, and those of resources.
known=() resources=()
is_known() { case " ${known[*]-} " in *" $1 "*) ;; *) return 1 ;; esac; }

# Set while a step is one that this script leaves out: only its ids are wanted.
left_out=''

# XPath conditions for words NAME=VALUE... [meta NAME=VALUE...]. An empty VALUE: the name is not set.
set_like() {
    local word part=instance_attributes pair
    for word in "$@"; do
        pair="$part/nvpair[@name='${word%%=*}']"
        if [ "$word" = meta ]; then
            part=meta_attributes
        elif [ -z "${word#*=}" ]; then
            printf '[not(%s)]' "$pair"
        else
            printf '[%s[@value=%s]]' "$pair" "$(literal "${word#*=}")"
        fi
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
            role=Master | role=Promoted) printf " and (@role='Master' or @role='Promoted')" ;;
            role=Slave | role=Unpromoted) printf " and (@role='Slave' or @role='Unpromoted')" ;;
            OCF_CHECK_LEVEL=*) printf " and .//nvpair[@name='OCF_CHECK_LEVEL'][@value='%s']" "${word#*=}" ;;
            *=*) printf " and @%s='%s'" "${word%%=*}" "${word#*=}" ;;
            *) printf " and @name='%s'" "$word" ;;
        esac
    done
    printf ']][count(operations/op)=%d]' "$count"
}

# The names of the options that a resource has.
options_of() {
    CIB_file="$work/new.xml" cibadmin --query --xpath "//primitive[@id='$1']/instance_attributes/nvpair" 2>/dev/null |
        sed -n 's/.*<nvpair .*name="\([^"]*\)".*/\1/p'
}

# Makes a resource, or changes one that differs:
# apply resource|stonith ID AGENT NAME=VALUE... [meta NAME=VALUE...] [op ACTION NAME=VALUE...]...
apply() {
    local kind=$1 id=$2 agent=$3 word name given=() values=() operations=() default_ops='' path
    shift 3
    known+=("$id")
    [ -z "$left_out" ] || return 0
    resources+=("$id")
    for word in "$@"; do
        [ -z "${word#*=}" ] || given+=("$word")
        if [ "$word" = op ] || [ "${#operations[@]}" -gt 0 ]; then operations+=("$word"); else values+=("$word"); fi
    done
    if ! has "//primitive[@id='$id']"; then
        [ "$kind" = stonith ] || default_ops=--no-default-ops
        edit "$kind" create "$id" "$agent" ${default_ops:+"$default_ops"} "${given[@]}"
        return
    fi
    has "//primitive[@id='$id'][@type='${agent##*:}']" || die "$id is there with another agent: remove it first"
    if [ "$kind" = stonith ]; then
        # The scenario gives all options of a device; one that it does not give any more is taken out.
        for name in $(options_of "$id"); do
            for word in "${values[@]}"; do [ "${word%%=*}" != "$name" ] || continue 2; done
            values=("$name=" "${values[@]}")
        done
    fi
    has "//primitive[@id='$id']$(set_like "${values[@]}")" || edit "$kind" update "$id" "${values[@]}"
    [ "${#operations[@]}" -gt 0 ] || return 0
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

# clone RESOURCE NAME=VALUE...: runs a resource on every node that may run it. Meta attributes of the clone; an empty
# VALUE: it must not have this one. pcs names the clone after the resource.
# shellcheck disable=SC2317 # not every scenario has clones
clone() {
    local id="$1-clone" word given=()
    known+=("$id")
    [ -z "$left_out" ] || return 0
    resources+=("$id")
    for word in "${@:2}"; do [ -z "${word#*=}" ] || given+=("$word"); done
    if ! has "//clone[@id='$id']/*[@id='$1']"; then
        edit resource clone "$1" ${given[@]+meta "${given[@]}"}
    elif ! has "//clone[@id='$id']$(set_like meta "${@:2}")"; then
        edit resource meta "$id" "${@:2}"
    fi
}

# group ID RESOURCE...: resources that start one after the other in one place.
# shellcheck disable=SC2317 # not every scenario has groups
group() {
    local id=$1 member before='' next=''
    shift
    known+=("$id")
    [ -z "$left_out" ] || return 0
    resources+=("$id")
    for member in "$@"; do
        if [ -z "$next" ] && has "//group[@id='$id']/primitive[@id='$member']"; then next=$member; fi
    done
    for member in "$@"; do
        has "//group[@id='$id']/primitive[@id='$member']" ||
            edit resource group add "$id" "$member" ${before:+--after "$before"} ${next:+--before "$next"}
        next=''
        [ -z "$before" ] || has "//group[@id='$id']/primitive[@id='$before']/following-sibling::*[@id='$member']" ||
            die "the group $id has $member before $before: pcs resource ungroup $id first"
        before=$member
    done
}

# Sets cluster properties, or defaults of all resources, that differ: NAME=VALUE...
settings() {
    local word path=$1
    shift
    for word in "$@"; do path+="[*/nvpair[@name='${word%%=*}'][@value=$(literal "${word#*=}")]]"; done
    has "$path"
}
property() { settings /cib/configuration/crm_config "$@" || edit property set "$@"; }
defaults() { settings /cib/configuration/rsc_defaults "$@" || @DEFAULTS@; }

# A constraint has its whole meaning in its id and its attributes; one that differs is made anew.
constraint() {
    local id=$1 same=$2
    shift 2
    known+=("$id")
    [ -z "$left_out" ] || return 0
    if has "//constraints/*[@id='$id']$same"; then return; fi
    ! has "//constraints/*[@id='$id']" || edit constraint remove "$id"
    edit "$@"
}
# never RESOURCE on NODE: not run there and not looked for at the start of the cluster (a monitor with role=Stopped runs
# there all the same). avoid: not run there. prefer RESOURCE on NODE score=SCORE: so much speaks for it.
# shellcheck disable=SC2317 # not every scenario has nodes that only vote
never() { location "$1" "$3" never -INFINITY resource-discovery=never; }
avoid() { location "$1" "$3" avoid -INFINITY; }
# shellcheck disable=SC2317 # not every scenario has an address
prefer() { location "$1" "$3" prefer "${4#score=}"; }
location() {
    local id="location-$1-$2-$3" same="[@rsc='$1'][@node='$2'][@score='$4']"
    [ $# = 4 ] || same+="[@resource-discovery='${5#*=}']"
    constraint "$id" "$same" @LOCATION@
}
# attract RESOURCE score=SCORE where ATTRIBUTE eq VALUE, or: ATTRIBUTE gte integer NUMBER, or: not_defined ATTRIBUTE. Of
# node attributes.
# shellcheck disable=SC2317 # not every scenario has them
attract() {
    local id rule="rule[@score='${2#score=}'][count(expression)=1]/expression"
    case $4 in
        not_defined) id="location-$1-$5-undefined" rule+="[@attribute='$5'][@operation='not_defined']" ;;
        *)
            id="location-$1-$4-${!#}" rule+="[@attribute='$4'][@operation='$5'][@value='${!#}']"
            [ $# = 6 ] || rule+="[@type='$6']"
            ;;
    esac
    constraint "$id" "[@rsc='$1'][count(rule)=1]/$rule" \
        constraint location "$1" rule "id=$id-rule" "constraint-id=$id" "$2" @RULE@
}
# colocation RESOURCE with OTHER score=SCORE
# shellcheck disable=SC2317 # in a group there is none
colocation() {
    local id="colocation-$1-$3" plain="[not(@rsc-role!='Started' or @with-rsc-role!='Started')]"
    constraint "$id" "[@rsc='$1'][@with-rsc='$3'][@score='${4#score=}']$plain" \
        constraint colocation add "$@" "id=$id"
}
# order RESOURCE after FIRST kind=KIND
# shellcheck disable=SC2317 # in a group there is none
order() {
    local id="order-$3-$1" plain="[not(@first-action!='start' or @then-action!='start')]"
    constraint "$id" "[@first='$3'][@then='$1'][@kind='${4#kind=}'][not(@symmetrical='false')]$plain" \
        constraint order "$3" 'then' "$1" "$4" "id=$id"
}


# Takes out constraints that this script made for an earlier form of the scenario: their ids say that they are its own.
forget_earlier() {
    local path id own='false()' earlier=()
    for id in ${resources[@]+"${resources[@]}"}; do own+=" or @rsc='$id' or @then='$id'"; done
    for path in $(paths "//constraints/*[$own][@id=concat('location-',@rsc,'-',@node,'-prefer') or \
            @id=concat('location-',@rsc,'-',@node,'-avoid') or @id=concat('location-',@rsc,'-',@node,'-never') or \
            rule/@id=concat(@id,'-rule') and (@id=concat('location-',@rsc,'-',rule/*/@attribute,'-undefined') or \
            @id=concat('location-',@rsc,'-',rule/*/@attribute,'-',rule/*/@value)) or \
            @id=concat('colocation-',@rsc,'-',@with-rsc) or @id=concat('order-',@first,'-',@then)]"); do
        id_of "$path"
        is_known "$id" || earlier+=("$id")
    done
    [ "${#earlier[@]}" = 0 ] || edit constraint remove "${earlier[@]}"
}

# Names what other hands made, or the scenario had once, with the command that removes it; more=1 when there is any.
# With --prune it is removed.
name_foreign() {
    local path id what remove verb
    # Tags come before what they name: pcs removes no resource that is in one.
    for path in $(paths '//constraints/*') $(paths '//tags/*') $(paths '//resources/*') \
        $(paths '//resources//group/primitive') $(paths '//fencing-topology/*|//alerts/*'); do
        # A member of a group that is named is not named beside it.
        case $path in
            */group\[*/primitive\[*)
                id_of "${path%/*}"
                is_known "$id" || continue
                ;;
        esac
        id_of "$path"
        # What is removed takes its constraints along.
        if is_known "$id" || ! has "//*[@id='$id']"; then continue; fi
        what=resource verb=delete
        case $path in
            */constraints/*) what=constraint ;;
            */alerts/*) what=alert ;;
            */tags/*) what=tag ;;
            */fencing-topology/*) what='stonith level' ;;
            */group\[*) ! holds_known "$path" || verb=ungroup ;;
            */clone\[* | */master\[*) ! holds_known "$path" || verb=unclone ;;
            *) ! has "//primitive[@id='$id'][@class='stonith']" || what=stonith ;;
        esac
        covers_kind "$what" "$id" || continue
        remove="$what $verb"
        if [ "$what" = 'stonith level' ]; then
            say "    not in the scenario, left as it is: the fencing level $id (see pcs stonith level)"
            more=1
        elif [ -n "$prune" ]; then
            say "    not in the scenario: $id"
            edit "$what" "$verb" "$id"
        else
            say "    not in the scenario, left as it is: $id (to remove it: pcs $remove $id)"
            more=1
        fi
    done
}

# Whether a group or clone holds a resource of the scenario.
holds_known() {
    local path id
    for path in $(paths "$1//primitive"); do
        id_of "$path"
        ! is_known "$id" || return 0
    done
    return 1
}

# Whether this script is for such things: a resource, a stonith device, a constraint (of which one?).
covers_kind() {
    case $1 in
        resource) covers resources ;;
        stonith | 'stonith level') covers fencing ;;
        alert) covers alerts ;;
        tag) covers resources ;;
        constraint)
            covers constraints ||
                { covers fencing && has "//constraints/*[@id='$2'][@rsc=//primitive[@class='stonith']/@id]"; }
            ;;
    esac
}

# Secrets stand in the configuration as placeholders while pcs works on it: an argument can be seen by every user.
# secret RESOURCE OPTION FILE
hidden=()
secret() {
    hidden+=("$1" "$2" "$3")
    set_option "$1" "$2" "@$1:$2@"
}

# Changes the value of an option that is there. A pipe: see above.
set_option() {
    local path id text=$3
    text=${text//&/'&amp;'}
    text=${text//</'&lt;'}
    text=${text//>/'&gt;'}
    text=${text//\"/'&quot;'}
    for path in $(paths "//primitive[@id='$1']/instance_attributes/nvpair[@name='$2']"); do
        id_of "$path"
        printf '<nvpair id="%s" value="%s"/>' "$id" "$text" |
            CIB_file="$work/new.xml" cibadmin --modify --xml-pipe >/dev/null 2>&1 ||
            die "cannot set the option $2 of $1"
    done
}

# An option as a configuration has it: option_in FILE RESOURCE OPTION
option_in() { CIB_file=$1 cibadmin --query --xpath "//primitive[@id='$2']/*/nvpair[@name='$3']" 2>/dev/null || true; }

# Puts the secrets in place of their placeholders.
reveal_secrets() {
    local i resource option before
    for ((i = 0; i < ${#hidden[@]}; i += 3)); do
        resource=${hidden[i]} option=${hidden[i + 1]}
        read_secret "${hidden[i + 2]}"
        set_option "$resource" "$option" "$secret_text"
        ! grep -qF "\"@$resource:$option@\"" "$work/new.xml" ||
            die "the secret $option of $resource did not get where it belongs; nothing was changed"
        before=$(option_in "$work/orig.xml" "$resource" "$option")
        [ "$before" = "$(option_in "$work/new.xml" "$resource" "$option")" ] ||
            say "    $resource: $option is set to what ${hidden[i + 2]} holds"
    done
    unset secret_text
}
