#!/bin/bash
#
# LVS directors behind 192.168.71.205/24: cluster lvs of litsha21, litsha22, litsha23.
# Written by "inuvika-ha pcs" for pcs 0.11. Edit the scenario rather than this.
#
# Run it as root on ONE node that may run the services (litsha21 or litsha22 or litsha23).
# It may be run again at any time: what is right already is left alone, and what the scenario does not have (any
# more) is named at the end, with the command that removes it. With --dry-run nothing is pushed; see --help.
#
# Before the first run, on EVERY node:
#   - install pacemaker with its resource agents, corosync, pcs and fence-agents; on directors also resource-agents,
#     inuvika-ha, and a kernel with IPVS (modprobe ip_vs). This script asks every director for the agents first;
#   - stop and disable what has looked after IPVS up to now: ldirectord, keepalived, mon, scripts with ipvsadm;
#   - systemctl enable --now pcsd;
#   - passwd hacluster, the same password everywhere. The script asks for it once, or reads it from the file
#     that HACLUSTER_PASSWORD_FILE names.

set -euo pipefail
export LC_ALL=C.UTF-8

pcs_from=0.11.2
pcs_before=0.12.0
cluster=lvs
nodes=(litsha21 litsha22 litsha23)
addresses=(192.168.68.203 192.168.68.201 192.168.68.202)
agents=(stonith:fence_ipmilan ocf:pacemaker:ping ocf:inuvika:lvs-director ocf:heartbeat:IPaddr2)
secrets=(/etc/inuvika-ha/ipmi.secret)
token=''
at_boot=enable
backups=/var/lib/inuvika-ha
parts=''
prune=''

# ---------------------------------------------------------------------------------------------------------------------
# What the steps are made of. The steps themselves begin below at "Step 1".

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run] [--prune] [--cib FILE]\n' "${0##*/}"
    printf '  --dry-run   do everything but the push\n'
    printf '  --prune     remove what the scenario does not have (any more), instead of naming it\n'
    printf '  --cib FILE  configure the cluster information base in FILE instead of a running cluster\n'
}

# Whether the version $1 is $2 or a later one.
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# Whether this script is for that part of the scenario: one of $parts, or any when that is empty.
covers() { [ -z "$parts" ] || case " $parts " in *" $1 "*) ;; *) return 1 ;; esac; }

# The name of the cluster that a corosync.conf on stdin describes.
cluster_name() { sed -n 's/^[[:space:]]*cluster_name:[[:space:]]*//p'; }

# One line from a file that nobody but its owner may read.
read_secret() {
    [ -f "$1" ] || die "read secret: $1 is not a file"
    [ -O "$1" ] || die "read secret: $1 does not belong to $(id -un)"
    case $(stat -Lc %a "$1") in *00) ;; *) die "read secret: others may read $1: chmod 600 it" ;; esac
    secret_text=''
    IFS= read -r secret_text <"$1" || [ -n "$secret_text" ] || die "read secret: $1 is empty"
    printf '%s' "$secret_text" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1 || die "read secret: $1 is not UTF-8 text"
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
    force=''
    for node in "${nodes[@]}"; do
        if conf=$(pcs cluster corosync "$node" 2>&1); then
            case $(cluster_name <<<"$conf") in
                debian) force=--force ;;
                "$cluster")
                    die "$node is in a cluster $cluster already, but this host is not: run this on $node," \
                        'or, if that cluster is a remnant, "pcs cluster destroy" there first'
                    ;;
                *) die "$node is in the cluster $(cluster_name <<<"$conf") already" ;;
            esac
        else
            # pcsd answers so where there is no corosync.conf.
            case $conf in *'HTTP error: 400'*) ;; *) die "ask $node for its cluster: $conf" ;; esac
        fi
    done
}

# pcs takes half a second to start, most of it for loading its modules, and cibadmin 30 ms to look something up. So one
# process of pcs's own interpreter loads pcs once, then forks for each command, and it looks things up itself. Where
# that does not work, $quick stays empty and the programs are started each time: that takes longer, and is the same.
quick='' version=''
start_quick() {
    local interpreter program ready
    program=$(type -P pcs) && [ -r "$program" ] || return 0
    interpreter=$(sed -n '1s/^#![[:space:]]*//p;q' "$program")
    case $interpreter in *python*) ;; *) return 0 ;; esac
    quick_program >"$work/quick.py"
    mkfifo "$work/ask" "$work/answer" 2>/dev/null || return 0
    # shellcheck disable=SC2086 # a program and its options
    $interpreter "$work/quick.py" "$program" "$work/said" <"$work/ask" >"$work/answer" 2>"$work/trouble" &
    disown # bash need not say how it ended
    unset TMOUT # which would be for "read" as well
    exec {ask}>"$work/ask" {answer}<"$work/answer"
    if IFS= read -r version <&"$answer" && IFS= read -r ready <&"$answer" && [ "$ready" = ready ]; then
        quick=1
    else
        version=''
        exec {ask}>&- {answer}<&-
    fi
}

# ask pcs WORD..., ask find FILE XPATH: has that process do it.
ask() {
    local status=''
    (trap '' PIPE; printf '%s\0' "$#" "$@" >&"$ask") 2>/dev/null || true
    IFS= read -r status <&"$answer" || true
    case $status in
        0 | 1) return "$status" ;;
        *) die "the process that runs pcs was ended; nothing was pushed: $(tail -n 1 "$work/trouble")" ;;
    esac
}

# pcs WORD...; what it says goes to the file "said".
run_pcs() { if [ -n "$quick" ]; then ask pcs "$@"; else pcs "$@" >"$work/said" 2>&1; fi; }

# The paths of what an XPath expression names in the configuration being made, each ending in [@id='ID']; fails when
# there is nothing.
paths() {
    if [ -n "$quick" ]; then
        ask find "$work/new.xml" "$1" && cat "$work/said"
    else
        CIB_file="$work/new.xml" cibadmin --query --node-path --xpath "$1" 2>/dev/null
    fi
}
has() { paths "$1" >/dev/null; }

# After the last look. What was asked in a subshell, and not answered, is found out here at the latest.
end_quick() {
    has /cib || die 'the copy of the configuration cannot be read any more; nothing was pushed'
    [ -z "$quick" ] || exec {ask}>&- {answer}<&-
    quick=''
}

# The program of that process. On stdin: how many words come, and the words, each with a zero byte at its end.
quick_program() {
    cat <<'END'
import os
import runpy
import signal
import sys

from lxml import etree

program, said = sys.argv[1:]
# Modules come from where they would if that were what runs.
if sys.path[0] == os.path.dirname(sys.argv[0]):
    sys.path[0] = os.path.dirname(os.path.realpath(program))
# bash has them ignored by what it starts in the background.
for end in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(end, signal.SIG_DFL)


def words():
    """The words on stdin."""
    rest = b""
    while True:
        more = os.read(0, 65536)
        if not more:
            return
        *whole, rest = (rest + more).split(b"\0")
        yield from map(os.fsdecode, whole)


def load():
    """Loads pcs, by having it print its version."""
    sys.argv = [program, "--version"]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    print("ready", flush=True)


def find(file, expression):
    """Prints the paths of what is found, as cibadmin does; the exit status."""
    paths = []
    for element in etree.parse(file).xpath(expression):
        steps = [element, *element.iterancestors()]
        names = [step.tag + (f"[@id='{step.get('id')}']" if step.get("id") else "") for step in reversed(steps)]
        paths.append("/" + "/".join(names) + "\n")
    with open(said, "w", encoding="utf-8") as output:
        output.writelines(paths)
    return 0 if paths else 1


def become_pcs(arguments):
    """What pcs prints goes to the file; pcs ends this process."""
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for new, old in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(new, old)
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")
    sys.exit()


load()
asked = words()
for count in asked:
    verb, *arguments = [next(asked) for _ in range(int(count))]
    if verb == "find":
        status = find(*arguments)
    else:
        child = os.fork()
        if child == 0:
            become_pcs(arguments)
        status = 1 if os.waitpid(child, 0)[1] else 0
    print(status, flush=True)
END
}

# A text as XPath literal.
literal() {
    local q="'" text=$1
    local separate="$q,\"$q\",$q"
    case $text in
        *"$q"*) printf "concat('%s')" "${text//$q/$separate}" ;;
        *) printf "'%s'" "$text" ;;
    esac
}

# The id at the end of such a path, in $id.
id_of() { id=${1##*"[@id='"} id=${id%"']"}; }

# Runs pcs on the configuration being made, and says so.
edit() {
    local always='Defaults do not apply|Validation for node existence|Validating resource options using'
    printf '    pcs'
    printf ' %q' "$@"
    printf '\n'
    run_pcs -f "$work/new.xml" "$@" || die "pcs failed: $(cat "$work/said")"
    # What pcs always says here is left out.
    grep -Ev "^Warning: ($always)|^Adding |^$" "$work/said" || true
}

# Names something that is otherwise than in the scenario, and the command that changes it.
differs() {
    say "    $1: $2"
    more=1
}

# Names what a corosync.conf on stdin, and the start at boot, have otherwise than the scenario.
compare_cluster() {
    local key value name='' rings='' live_token='' i links=$((${#addresses[@]} / ${#nodes[@]})) wanted
    local -A live=()
    while read -r key value; do
        case $key in
            node) name='' rings='' ;;
            name:) name=$value ;;
            ring[0-7]_addr:) rings+=" $value" ;;
            token:) live_token=$value ;;
            '}')
                # Where nodes have no names of their own, their first address is one.
                name=${name:-${rings# }}
                name=${name%% *}
                [ -z "$name" ] || live[$name]=${rings# }
                name='' rings=''
                ;;
        esac
    done < <(sed 's/:[[:space:]]*/: /; s/[[:space:]]*$//')
    [ "$live_token" = "$token" ] ||
        differs "the token timeout is ${live_token:-the default}, not ${token:-the default}" \
            "pcs cluster config update totem token=$token"
    for i in "${!nodes[@]}"; do
        wanted="${addresses[*]:i * links:links}"
        [ "${live[${nodes[i]}]-}" = "$wanted" ] ||
            differs "the addresses of ${nodes[i]} are ${live[${nodes[i]}]-unknown}, not $wanted" \
                'see "pcs cluster link update" (or add, remove)'
    done
    command -v systemctl >/dev/null || return 0
    key=disable
    if systemctl --quiet is-enabled corosync 2>/dev/null && systemctl --quiet is-enabled pacemaker 2>/dev/null; then
        key=enable
    fi
    [ "$key" = "$at_boot" ] || differs "the start at boot is ${key}d on this node" "pcs cluster $at_boot --all"
}

# Why the configuration in orig.xml is none that this scenario may change; nothing when it is one.
obstacle() {
    local node
    for node in "${nodes[@]}"; do
        grep -qxF "$node" "$work/nodes" ||
            {
                say "$node is in the scenario, but not in the cluster's configuration:" \
                    'install inuvika-ha there, then pcs cluster node add'
                return
            }
    done
    while read -r node; do
        case " ${nodes[*]} " in *" $node "*) continue ;; esac
        say "$node is in the cluster, but not in the scenario:" \
            "add it there (role quorum: it only votes), or pcs cluster node remove $node"
        return
    done <"$work/nodes"
    [ -n "$trial$missing" ] && [ -z "$make" ] || has "/cib[@have-quorum='1']" ||
        say 'this part of the cluster has no quorum: start the other nodes (pcs cluster start --all)'
}

# Copies the configuration to orig.xml and new.xml and says what is wrong with it, if anything.
copy() {
    if [ -n "$trial" ]; then
        CIB_file=$trial cibadmin --query >"$work/orig.xml" 2>/dev/null ||
            { say "--cib: $trial holds no configuration; cibadmin --query prints that of a cluster"; return; }
    elif [ -n "$missing" ] && [ -z "$make" ]; then
        empty_copy
    else
        cibadmin --query >"$work/orig.xml" 2>/dev/null || {
            say "the cluster $cluster does not run on this node: pcs cluster start --all, then run this again"
            return
        }
    fi
    cp "$work/orig.xml" "$work/new.xml"
    CIB_file="$work/new.xml" cibadmin --query --xpath "//nodes/node[not(@type='remote')]" 2>/dev/null |
        sed -n 's/.* uname="\([^"]*\)".*/\1/p' >"$work/nodes" || true
    obstacle
}

# What a new cluster has, as far as a dry run needs it.
empty_copy() {
    local i list=''
    for i in "${!nodes[@]}"; do list+="<node id=\"$((i + 1))\" uname=\"${nodes[i]}\"/>"; done
    cibadmin --empty | sed "s|<nodes/>|<nodes>$list</nodes>|" >"$work/orig.xml"
}

# RHEL 8 may have its Python under the second name alone.
find_python() {
    for python in python3 /usr/libexec/platform-python; do
        ! command -v "$python" >/dev/null || return 0
    done
    die 'python3 is not installed on this host'
}

# Whether the nodes can be asked for their agents.
can_ask() {
    if [ -n "$trial" ]; then
        say '    --cib: this is a trial, so no node is asked for its agents'
        return 1
    elif [ -n "$missing" ] && [ -z "$make" ]; then
        say '    the nodes do not trust each other yet, so none is asked for its agents'
        return 1
    fi
}

# need AGENT on NODE...: what is to be asked.
needs=()
need() { needs+=("$1 ${*:3}"); }

# Refuses to go on when a node lacks an agent that it needs, or cannot be asked.
check_needs() {
    local problem
    problem=$(ask_nodes "${needs[@]}") || die 'ask the nodes for their agents: Python failed; nothing was changed'
    [ -z "$problem" ] || die "$problem"
}

# ask_nodes "AGENT NODE..."...: asks pcsd on each node for the agents, as pcs does, and prints what is wrong, if
# anything. Every node is asked at the same time.
ask_nodes() {
    "$python" -I - "$@" <<'END'
import concurrent.futures
import http.client
import json
import signal
import socket
import ssl
import sys

# Threads that wait for a silent node would outlive Ctrl-C.
signal.signal(signal.SIGINT, signal.SIG_DFL)
KNOWN_HOSTS = "/var/lib/pcsd/known-hosts"
COMMAND = "/api/v1/resource-agent-get-agent-metadata/v1"


def ask(host, agent):
    """What pcsd of a known host answers. Its token goes into a header: every user can see arguments."""
    name = dict(zip(("standard", "provider", "type"), agent.split(":")))
    headers = {"Cookie": "token=" + host["token"], "Content-Type": "application/json"}
    # The certificate is pcsd's own: pcs does not verify it either.
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    error = OSError("it has no address in " + KNOWN_HOSTS)
    for place in host["dest_list"]:
        pcsd = http.client.HTTPSConnection(place["addr"], place["port"], timeout=10, context=tls)
        try:
            pcsd.connect()
            # It is there, and may be busy.
            pcsd.sock.settimeout(60)
            pcsd.request("POST", COMMAND, json.dumps({"agent_name": name}), headers)
            answer = pcsd.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as failed:
            error = failed
        finally:
            pcsd.close()
    raise error


def problem(known, node, agent):
    """Why it cannot be said that the node has the agent; None when it has it."""
    cannot = f"cannot ask {node} whether it has {agent}:"
    if node not in known:
        return f"{cannot} this host has no token for it: run 'pcs host auth {node}' first"
    try:
        status, body = ask(known[node], agent)
    except socket.timeout as failed:
        return f"{cannot} {failed}: bring it up with its pcsd, or, if it is only busy, run this again later"
    except (OSError, http.client.HTTPException) as failed:
        return f"{cannot} {failed}: bring it up with its pcsd, or take it out of the cluster and the scenario"
    if status == 401:
        return f"{cannot} it refuses this host's token: run 'pcs host auth {node}' first"
    try:
        answer = json.loads(body)
        if status == 200 and answer["status"] == "success":
            return None
        reports = [report["message"] for report in answer["report_list"]]
        if not any(report["code"] == "UNABLE_TO_GET_AGENT_METADATA" for report in reports):
            return f"{cannot} {'; '.join(report['message'] for report in reports) or answer['status']}"
    except (ValueError, KeyError, TypeError):
        return f"{cannot} its pcsd answers with HTTP status {status}: is its pcs as new as the one here?"
    packages = {"inuvika": "inuvika-ha", "pacemaker": "pacemaker's resource agents"}
    package = packages.get(agent.split(":")[1], "resource-agents")
    return f"install {package} on {node} first: it lacks the agent {agent}, or one that can print its meta-data"


def problems(known, node, agents):
    """What is wrong with each of the agents; a node that cannot be asked is not asked again."""
    found = {}
    for agent in agents:
        found[agent] = problem(known, node, agent)
        if found[agent]:
            break
    return found


def first_problem(needs):
    try:
        with open(KNOWN_HOSTS, encoding="utf-8") as file:
            known = json.load(file)["known_hosts"]
        agents = {node: [need[0] for need in needs if node in need[1:]] for need in needs for node in need[1:]}
        with concurrent.futures.ThreadPoolExecutor(len(agents) or 1) as at_once:
            found = {node: at_once.submit(problems, known, node, agents[node]) for node in agents}
        wrong = (found[node].result().get(need[0]) for need in needs for node in need[1:])
        return next(filter(None, wrong), None)
    except (OSError, ValueError, KeyError, TypeError) as failed:
        return f"cannot read {KNOWN_HOSTS}: {failed}: run 'pcs host auth' for every node first"


print(" ".join((first_problem([need.split() for need in sys.argv[1:]]) or "").split()))
END
}

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
defaults() { settings /cib/configuration/rsc_defaults "$@" || edit resource defaults update "$@"; }

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
    constraint "$id" "$same" -- constraint location add "$id" "$1" "$2" "${@:4}"
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
        constraint location "$1" rule "id=$id-rule" "constraint-id=$id" "$2" "${@:4}"
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

# ---------------------------------------------------------------------------------------------------------------------
# bash reads main to its end before anything runs: writing this file anew meanwhile does no harm. Not indented, because
# it is all of the script.
main() {
dry_run='' trial='' more=''
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=1 ;;
        --prune) prune=1 ;;
        --cib) [ -n "${2-}" ] || { usage >&2; exit 2; }; trial=$2; shift ;;
        --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ---------------------------------------------------------------------------------------------------------------------
# Is this the right place, and is everything here?

for program in pcs cibadmin crm_verify crm_diff crm_resource iconv; do
    command -v "$program" >/dev/null || die "$program is not installed on this host"
done
find_python
start_quick
[ -n "$version" ] || version=$(pcs --version)
if ! at_least "$version" "$pcs_from" || at_least "$version" "$pcs_before"; then
    die "this script is written for pcs 0.11, but pcs $version is installed"
fi
for agent in ${agents[@]+"${agents[@]}"}; do
    crm_resource --show-metadata "$agent" >/dev/null 2>&1 ||
        die "agent $agent is not installed on this host: install its package first"
done
for file in ${secrets[@]+"${secrets[@]}"}; do read_secret "$file"; done
if [ -n "$trial" ]; then
    [ -f "$trial" ] || die "--cib: $trial is not a file"
    backups=$(dirname "$trial")
    if [ "${#secrets[@]}" -gt 0 ] && [ -z "$dry_run" ]; then
        case $(stat -Lc %a "$trial") in
            *00) ;;
            *) die "--cib: others may read $trial, and secrets are to be written there: chmod 600 it" ;;
        esac
    fi
else
    [ "$(id -u)" = 0 ] || die 'must be run as root'
    here=''
    for address in "${addresses[@]}"; do
        if [ -n "$(ip -oneline address show to "$address" 2>/dev/null)" ]; then here=$address; fi
    done
    [ -n "$here" ] || die "this host has none of the addresses ${addresses[*]}: run it on a node of the cluster"
fi
if [ -z "$dry_run" ]; then
    [ -n "$trial" ] || install -d -m 700 "$backups" || die "cannot make the folder $backups for backups"
    [ -w "$backups" ] || die "cannot write to the folder $backups, where backups go"
fi

# Is the cluster there, or has it to be made?
missing=''
if [ -z "$trial" ]; then
    name=$(cluster_name 2>/dev/null </etc/corosync/corosync.conf) || true
    case $name in
        "$cluster")
            for node in "${nodes[@]}"; do
                grep -Eq "^[[:space:]]*(name|ring0_addr):[[:space:]]*${node//./\\.}[[:space:]]*$" \
                    /etc/corosync/corosync.conf ||
                    die "$node is not in the cluster $cluster yet: install inuvika-ha there," \
                        'then pcs host auth and pcs cluster node add'
            done
            compare_cluster </etc/corosync/corosync.conf
            ;;
        '' | debian) missing=1 ;; # debian: the empty cluster that the corosync package of Debian and Ubuntu brings
        *) die "this host is in the cluster $name already" ;;
    esac
fi
if [ -n "$missing" ] && ! covers cluster && ! covers auth; then
    die "there is no cluster $cluster on this host yet: make it first (--part auth,cluster)"
fi
make=$missing
if [ -n "$missing" ] && [ -n "$dry_run" ]; then
    say "Dry run: there is no cluster $cluster yet; steps 1 to 3 would create it."
    make=''
fi

# ---------------------------------------------------------------------------------------------------------------------
# Step 1: the nodes trust each other
# Only when there is no cluster of this name yet.
say 'Step 1: the nodes trust each other'
if [ -n "$make" ]; then
    read_password
    printf '%s\n' "$password" | pcs host auth litsha21 addr=192.168.68.203 litsha22 addr=192.168.68.201 litsha23 \
        addr=192.168.68.202 -u hacluster >/dev/null
    unset password secret_text
fi

# ---------------------------------------------------------------------------------------------------------------------
# Step 2: the nodes have the agents
# A node that lacks an agent would only be noticed after the push, when nothing runs there. So every node that may
# run the services is asked first, and one that lacks an agent or is down ends this script here.
say 'Step 2: the nodes have the agents'
if can_ask; then
    need ocf:pacemaker:ping on litsha21 litsha22 litsha23
    need ocf:inuvika:lvs-director on litsha21 litsha22 litsha23
    need ocf:heartbeat:IPaddr2 on litsha21 litsha22 litsha23
    check_needs
fi

# ---------------------------------------------------------------------------------------------------------------------
# Step 3: the cluster exists
# Only when there is no cluster of this name yet.
# A silent node counts as lost after corosync's own token timeout.
# Traffic between the nodes is encrypted.
say 'Step 3: the cluster exists'
if [ -n "$make" ]; then
    refuse_other_clusters
    pcs cluster setup lvs litsha21 addr=192.168.68.203 litsha22 addr=192.168.68.201 litsha23 addr=192.168.68.202 \
        --enable --start --wait=120 ${force:+"$force"}
fi

# From here on everything is done to a copy of the configuration; the cluster sees one change, at the end, or none.
# The nodes of a cluster that was made just now may need a moment to find each other.
for ((wait = 30; ; wait -= 1)); do
    problem=$(copy)
    if [ -z "$problem" ] || [ -z "$make" ] || [ "$wait" = 0 ]; then break; fi
    sleep 2
done
[ -z "$problem" ] || die "$problem"

# ---------------------------------------------------------------------------------------------------------------------
# Step 4: cluster properties
# A part of the cluster that has lost the majority stops everything: the other part may be running it.
say 'Step 4: cluster properties'
property no-quorum-policy=stop

# ---------------------------------------------------------------------------------------------------------------------
# Step 5: fencing
# A node that is not heard of any more is switched off before another node takes over: so nothing runs twice.
# The device that switches a node off is watched from another node.
say 'Step 5: fencing'
property stonith-enabled=true
secret fence-litsha21 password /etc/inuvika-ha/ipmi.secret
fencing fence-litsha21 fence_ipmilan \
    ip=192.168.200.21 lanplus=1 username=fence password=@fence-litsha21:password@ pcmk_host_list=litsha21 \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
avoid fence-litsha21 on litsha21
secret fence-litsha22 password /etc/inuvika-ha/ipmi.secret
fencing fence-litsha22 fence_ipmilan \
    ip=192.168.200.22 lanplus=1 username=fence password=@fence-litsha22:password@ pcmk_host_list=litsha22 \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
avoid fence-litsha22 on litsha22
secret fence-litsha23 password /etc/inuvika-ha/ipmi.secret
fencing fence-litsha23 fence_ipmilan \
    ip=192.168.200.23 lanplus=1 username=fence password=@fence-litsha23:password@ pcmk_host_list=litsha23 \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
avoid fence-litsha23 on litsha23

# ---------------------------------------------------------------------------------------------------------------------
# Step 6: when services move
# stickiness: nothing moves back by itself when a node returns (every resource adds this much).
# migration-threshold: after so many failures on one node the next one is tried, not the same for ever.
# failure-timeout: after so long failures are forgotten; in hours, so that one that comes back is seen.
say 'Step 6: when services move'
defaults resource-stickiness=1000 migration-threshold=3 failure-timeout=4h

# ---------------------------------------------------------------------------------------------------------------------
# Step 7: the router
# Every director asks the router towards the clients, and publishes whether it answers. It never fails itself.
# dampen: after a change the cluster waits until every director has asked: a router that is down moves nothing.
say 'Step 7: the router'
resource router ocf:pacemaker:ping \
    host_list=192.168.71.1 name=router-reached dampen=10s attempts=2 timeout=2 \
    meta migration-threshold=INFINITY failure-timeout=10min \
    op start interval=0s timeout=60s \
    op stop interval=0s timeout=20s \
    op monitor interval=5s timeout=60s
clone router interleave=true globally-unique= clone-max= clone-node-max= promotable=

# ---------------------------------------------------------------------------------------------------------------------
# Step 8: lvs_director
# The kernel's table of virtual services, and the checks of real servers: on every director, all the time.
# failure-timeout: a director that could not start, or failed three times, is tried again after this time.
# drained is left as it is: it is set while real servers are under maintenance.
say 'Step 8: lvs_director'
resource lvs_director ocf:inuvika:lvs-director \
    virtual_ip=192.168.71.205 'ports=80 443' \
       real_servers=192.168.71.220,192.168.71.150,192.168.71.121,192.168.71.145,192.168.71.185,192.168.71.186 \
       scheduler=rr forwarding= check=http:/index.html sorry= persistent= config= check_timeout= fall= rise= \
       concurrency= on_failure= all_down= sync= sync_nic= sync_id= snat_clients= hook= attribute= restore_sysctls= \
    meta failure-timeout=10min \
    op start interval=0s timeout=40s \
    op stop interval=0s timeout=20s \
    op monitor interval=10s timeout=30s \
    op reload-agent interval=0s timeout=40s
clone lvs_director interleave=true globally-unique= clone-max= clone-node-max= promotable=

# ---------------------------------------------------------------------------------------------------------------------
# Step 9: the virtual IP address
# Only the address moves, from one table that is ready to another. INFINITY: it is only where a director runs.
# kind=Optional: where both start, the table is there first, and where both stop, last. A director that is restarted
# does not take the address down, and an address that moves restarts no director.
say 'Step 9: the virtual IP address'
resource virtual_ip ocf:heartbeat:IPaddr2 \
    ip=192.168.71.205 cidr_netmask=24 nic=eth0 \
    op monitor interval=10s timeout=20s \
    op start interval=0s timeout=20s \
    op stop interval=0s timeout=20s
prefer virtual_ip on litsha21 score=200
colocation virtual_ip with lvs_director-clone score=INFINITY
order virtual_ip after lvs_director-clone kind=Optional

# ---------------------------------------------------------------------------------------------------------------------
# Step 10: where the virtual IP address goes
# Every director publishes how many real servers it sees well, counted in each service. One that sees any counts for
# more than all else: the address leaves a director that alone sees none. The numbers below make steps of equal weight:
# where nothing runs, the director that sees most comes first; what runs moves when another sees more by over half of
# all real servers (the first director: by half of them).
# The router counts for more than the steps, the first director and the stickiness: the address leaves a director that
# alone has lost it. A director that has not said something yet is taken for one that sees all: nothing leaves it
# before it has spoken. All scores are positive: the only director left serves, whatever it sees.
say 'Step 10: where the virtual IP address goes'
attract virtual_ip score=4348 where lvs_director-healthy gte integer 1
attract virtual_ip score=241 where lvs_director-healthy gte integer 2
attract virtual_ip score=241 where lvs_director-healthy gte integer 3
attract virtual_ip score=241 where lvs_director-healthy gte integer 5
attract virtual_ip score=241 where lvs_director-healthy gte integer 6
attract virtual_ip score=241 where lvs_director-healthy gte integer 8
attract virtual_ip score=241 where lvs_director-healthy gte integer 9
attract virtual_ip score=241 where lvs_director-healthy gte integer 11
attract virtual_ip score=241 where lvs_director-healthy gte integer 12
attract virtual_ip score=6276 where not_defined lvs_director-healthy
attract virtual_ip score=3138 where router-reached gte integer 1
attract virtual_ip score=3138 where not_defined router-reached

# ---------------------------------------------------------------------------------------------------------------------
# Step 11: elsewhere, by hand
# On other hosts than the nodes of the cluster: this is for whoever looks after them.
say 'Step 11: elsewhere, by hand'
say '    On each of the 6 real servers, and so that it lasts:'
say '      sysctl -w net.ipv4.ip_forward=0'
say '      ip route replace default via 192.168.71.205'
say '      check: ip route get CLIENT (via 192.168.71.205); sysctl net.ipv4.ip_forward (0)'
say '    Clients in 192.168.71.0/24 itself need snat_clients = true in [lvs_director], too.'
say '    Then "inuvika-ha lvs doctor --from CLIENT" on a director explains how a client'\''s answers get back.'

# ---------------------------------------------------------------------------------------------------------------------
# Step 12: check and push
# crm_verify reads the whole configuration, then the cluster gets the difference in one piece.
say 'Step 12: check and push'
forget_earlier
name_foreign
reveal_secrets
end_quick
verdict=$(crm_verify -V --xml-file "$work/new.xml" 2>&1) || {
    printf '%s\n' "$verdict" >&2
    # Warnings are about the state the cluster is in (a node that is down); errors are about the configuration.
    case $verdict in *'Warnings found'*) ;; *) die 'crm_verify refuses the configuration; nothing was changed' ;; esac
}

if crm_diff --no-version --original "$work/orig.xml" --new "$work/new.xml" >/dev/null 2>&1; then
    if [ -n "$more" ]; then
        say 'What the scenario says is configured already: nothing to push. What differs from it is named above.'
    else
        say 'The cluster is configured like this already: nothing to push.'
    fi
    exit 0
fi
if [ -n "$dry_run" ]; then
    say 'Dry run: nothing was pushed.'
    exit 0
fi
backup=$backups/cib-$cluster-$(date +%Y%m%d-%H%M%S.%3N).xml
install -m 600 "$work/orig.xml" "$backup"
if [ -n "$trial" ]; then
    pcs -f "$trial" cluster cib-push "$work/new.xml" diff-against="$work/orig.xml"
else
    pcs cluster cib-push "$work/new.xml" diff-against="$work/orig.xml" --wait=300 ||
        die "the push failed or the cluster did not settle in 300 s: see pcs status; the old configuration is $backup"
fi
say "Done. The configuration before is in $backup (it holds secrets, as the cluster's own copy does)."
if [ -n "$trial" ]; then
    say "To go back: cp $backup $trial"
else
    say "To go back: pcs cluster cib-push $backup --config"
    # Without fencing Pacemaker decides nothing, not even what is no resource any more.
    grep -qE 'class="stonith"|name="stonith-enabled" value="(false|no|off|0)"' "$work/orig.xml" ||
        say 'It has no fencing device: before you go back stop what runs (pcs resource disable), or it goes on running.'
    say 'To see how it is doing: pcs status'
fi
}
main "$@"; exit
