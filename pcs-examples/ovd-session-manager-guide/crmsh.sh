#!/bin/bash
#
# OVD Session Manager behind 10.20.1.10/24: cluster ovd-sm of osm1.priv, osm2.priv, pcs3.priv, pcs4.priv.
# Written by "inuvika-ha pcs --dialect crmsh". Edit the scenario rather than this.
#
# It configures a cluster of these nodes that runs already: it makes none, as pcs does. Run it as root on ONE of them.
# The whole change is made on a copy, checked, and given to the cluster in one piece. It may be run again at any time:
# what is right already is left alone, and what the scenario does not have is named at the end. With --dry-run nothing
# is changed; see --help.
#
# Before the first run, on EVERY node:
#   - install pacemaker, corosync, pcs, resource-agents, fence-agents and inuvika-ha. Nodes that only vote need
#     no software of OVD, but they need inuvika-ha: Pacemaker asks there, too, whether a service runs, takes it
#     for running where the agent is missing, and has such a node fenced. This script checks it first;
#   - a monitor with role=Stopped runs on every node, on those that only vote, too, and a node that lacks its agent is
#     fenced. This script sees its own node only; so these have to work on EVERY node before:
#       crm_resource --show-metadata ocf:inuvika:ovd-osm >/dev/null && echo ok
#       crm_resource --show-metadata ocf:inuvika:ovd-lsyncd >/dev/null && echo ok

set -euo pipefail
export LC_ALL=C.UTF-8

cluster=ovd-sm
nodes=(osm1.priv osm2.priv pcs3.priv pcs4.priv)
agents=(stonith:fence_ipmilan ocf:heartbeat:IPaddr2 ocf:inuvika:ovd-osm ocf:inuvika:ovd-vip-src ocf:inuvika:ovd-lsyncd)
program=crm
outside=''
backups=/var/lib/inuvika-ha

# What the cluster is to have.
configuration() {
    cat <<'END_OF_TEXT'
property no-quorum-policy=stop stonith-enabled=true
rsc_defaults $id=rsc_defaults-meta_attributes resource-stickiness=1000 migration-threshold=3 failure-timeout=4h
# fencing
primitive fence-osm1.priv stonith:fence_ipmilan \
    params ip=192.168.200.11 lanplus=1 username=fence password=@fence-osm1.priv:password@ pcmk_host_list=osm1.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
location location-fence-osm1.priv-osm1.priv-avoid fence-osm1.priv -inf: osm1.priv
primitive fence-osm2.priv stonith:fence_ipmilan \
    params ip=192.168.200.12 lanplus=1 username=fence password=@fence-osm2.priv:password@ pcmk_host_list=osm2.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
location location-fence-osm2.priv-osm2.priv-avoid fence-osm2.priv -inf: osm2.priv
primitive fence-pcs3.priv stonith:fence_ipmilan \
    params ip=192.168.200.13 lanplus=1 username=fence password=@fence-pcs3.priv:password@ pcmk_host_list=pcs3.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
location location-fence-pcs3.priv-pcs3.priv-avoid fence-pcs3.priv -inf: pcs3.priv
primitive fence-pcs4.priv stonith:fence_ipmilan \
    params ip=192.168.200.14 lanplus=1 username=fence password=@fence-pcs4.priv:password@ pcmk_host_list=pcs4.priv \
    op start interval=0s timeout=60s \
    op monitor interval=60s timeout=60s
location location-fence-pcs4.priv-pcs4.priv-avoid fence-pcs4.priv -inf: pcs4.priv
# the virtual IP address
primitive virtual_ip ocf:heartbeat:IPaddr2 \
    params ip=10.20.1.10 cidr_netmask=24 nic=eth0 \
    op monitor interval=10s timeout=20s \
    op start interval=0s timeout=20s \
    op stop interval=0s timeout=20s
location location-virtual_ip-osm1.priv-prefer virtual_ip 1: osm1.priv
location location-virtual_ip-pcs3.priv-never virtual_ip resource-discovery=never -inf: pcs3.priv
location location-virtual_ip-pcs4.priv-never virtual_ip resource-discovery=never -inf: pcs4.priv
# session_manager
primitive session_manager ocf:inuvika:ovd-osm \
    meta critical=true multiple-active=stop_unexpected failure-timeout=10min \
    op start interval=0s timeout=60s \
    op stop interval=0s timeout=60s \
    op monitor interval=3s timeout=10s \
    op monitor interval=20s timeout=20s OCF_CHECK_LEVEL=10 \
    op monitor interval=15s timeout=20s OCF_CHECK_LEVEL=20 \
    op monitor interval=12s timeout=20s role=Stopped on-fail=ignore \
    op reload-agent interval=0s timeout=20s
location location-session_manager-pcs3.priv-never session_manager resource-discovery=never -inf: pcs3.priv
location location-session_manager-pcs4.priv-never session_manager resource-discovery=never -inf: pcs4.priv
colocation colocation-session_manager-virtual_ip inf: session_manager virtual_ip
order order-virtual_ip-session_manager Optional: virtual_ip session_manager
location location-virtual_ip-session_manager-database-ok virtual_ip rule $id="location-virtual_ip-session_manager-database-ok-rule" 2510: session_manager-database eq ok
location location-virtual_ip-session_manager-database-undefined virtual_ip rule $id="location-virtual_ip-session_manager-database-undefined-rule" 1255: not_defined session_manager-database
# vip_src
primitive vip_src ocf:inuvika:ovd-vip-src \
    params virtual_ip=10.20.1.10 nic=eth0 destinations=10.20.1.0/24 \
    meta critical=false migration-threshold=INFINITY failure-timeout=10min \
    op start interval=0s timeout=20s \
    op stop interval=0s timeout=20s \
    op monitor interval=10s timeout=10s \
    op monitor interval=60s timeout=20s OCF_CHECK_LEVEL=10 \
    op reload-agent interval=0s timeout=20s
location location-vip_src-pcs3.priv-never vip_src resource-discovery=never -inf: pcs3.priv
location location-vip_src-pcs4.priv-never vip_src resource-discovery=never -inf: pcs4.priv
colocation colocation-vip_src-virtual_ip inf: vip_src virtual_ip
order order-virtual_ip-vip_src Optional: virtual_ip vip_src
# lsyncd
primitive lsyncd ocf:inuvika:ovd-lsyncd \
    params peer=osm1.priv,osm2.priv \
    meta critical=false migration-threshold=INFINITY failure-timeout=10min multiple-active=stop_unexpected \
    op start interval=0s timeout=90s \
    op stop interval=0s timeout=60s \
    op monitor interval=5s timeout=10s \
    op monitor interval=20s timeout=20s OCF_CHECK_LEVEL=10 \
    op monitor interval=60s timeout=20s OCF_CHECK_LEVEL=20 \
    op monitor interval=12s timeout=20s role=Stopped on-fail=ignore \
    op reload-agent interval=0s timeout=20s
location location-lsyncd-pcs3.priv-never lsyncd resource-discovery=never -inf: pcs3.priv
location location-lsyncd-pcs4.priv-never lsyncd resource-discovery=never -inf: pcs4.priv
colocation colocation-lsyncd-virtual_ip inf: lsyncd virtual_ip
order order-virtual_ip-lsyncd Optional: virtual_ip lsyncd
order order-lsyncd-session_manager Optional: lsyncd session_manager
location location-virtual_ip-lsyncd-replica-ok virtual_ip rule $id="location-virtual_ip-lsyncd-replica-ok-rule" 500: lsyncd-replica eq ok
location location-virtual_ip-lsyncd-replica-never virtual_ip rule $id="location-virtual_ip-lsyncd-replica-never-rule" -inf: lsyncd-replica eq never
END_OF_TEXT
}

# What it does not show: options that are the first line of a file (secret), and those that have no value (unset).
besides() {
    cat <<'END_OF_TEXT'
secret fence-osm1.priv password /etc/inuvika-ha/ipmi.secret
secret fence-osm2.priv password /etc/inuvika-ha/ipmi.secret
secret fence-pcs3.priv password /etc/inuvika-ha/ipmi.secret
secret fence-pcs4.priv password /etc/inuvika-ha/ipmi.secret
unset session_manager session_manager_config
unset session_manager service_manager
unset session_manager service
unset session_manager httpd
unset session_manager httpd_config
unset session_manager vhost
unset session_manager request_timeout
unset session_manager service_url
unset session_manager service_match
unset session_manager service_ca
unset session_manager manage_cron
unset session_manager cron_link
unset session_manager cron_target
unset session_manager graceful_timeout
unset session_manager database_timeout
unset session_manager dependency_failure
unset vip_src exclude
unset vip_src backend
unset vip_src arp_check
unset lsyncd folders
unset lsyncd identity_file
unset lsyncd known_hosts
unset lsyncd user
unset lsyncd ssh_port
unset lsyncd exclude
unset lsyncd delay
unset lsyncd max_lag
unset lsyncd max_queue
unset lsyncd config
unset lsyncd lsyncd
unset lsyncd pull_timeout
unset lsyncd flush_timeout
unset lsyncd backup_limit
unset lsyncd manage_cron
unset lsyncd cron_link
unset lsyncd cron_target
END_OF_TEXT
}

# RHEL 8 may have its Python under the second name alone.
find_python() {
    for python in python3 /usr/libexec/platform-python; do
        ! command -v "$python" >/dev/null || return 0
    done
    die 'python3 is not installed on this host'
}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

usage() {
    printf 'usage: %s [--dry-run] [--wait] [--cib FILE] [--print]\n' "${0##*/}"
    printf '  --dry-run   do everything but the change\n'
    printf '  --wait      wait up to five minutes for the cluster to have done it\n'
    printf '  --cib FILE  configure the cluster information base in FILE instead of the running cluster\n'
    printf '  --print     print the configuration as it stands in this script, and do nothing\n'
}

# merge LIVE WANTED NEW: puts what is wanted into what is there, and says what changes.
merge() {
    "$python" -I - "$@" <<'END'
import os, stat, sys
import xml.etree.ElementTree as xml

live_file, wanted_file, new_file, besides_file, trial = sys.argv[1:6]
nodes = sys.argv[6:]
SETS = ('instance_attributes', 'meta_attributes')
CONTAINERS = ('group', 'clone')
# Meta attributes that people set while a resource runs.
BY_COMMAND = ('target-role', 'is-managed', 'maintenance')
MEMBERS = CONTAINERS + ('primitive',)
# What goes without saying.
SILENT = {
    ('sequential', 'true'), ('require-all', 'true'), ('symmetrical', 'true'), ('boolean-op', 'and'),
    ('action', 'start'), ('first-action', 'start'), ('then-action', 'start'),
    ('rsc-role', 'Started'), ('with-rsc-role', 'Started')}
# Two names of one role.
ROLES = {'Master': 'Promoted', 'Slave': 'Unpromoted'}
# What is in an order of its own, and what is named by its id.
ORDERED = ('rsc_order', 'rsc_colocation', 'resource_set')
NAMED = ('resource_ref', 'obj_ref')


def die(text):
    sys.exit('merge: ' + text)


def secret(path):
    # The first line of a file that nobody but its owner may read.
    try:
        with open(path, 'rb') as file:
            status = os.fstat(file.fileno())
            line = file.readline().rstrip(b'\n').decode('utf-8')
    except UnicodeDecodeError:
        die('read secret: %s is not UTF-8 text' % path)
    except OSError as error:
        die('read secret: %s: %s' % (path, error.strerror))
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        die('read secret: %s is no file of this user' % path)
    if status.st_mode & 0o077:
        die('read secret: others may read %s: chmod 600 it' % path)
    if not line or any(ord(c) < 32 or ord(c) == 127 for c in line):
        die('read secret: %s has no first line of plain text' % path)
    return line


def meaning(element):
    # Everything but ids that tools choose, and what goes without saying.
    values = {
        k: ROLES.get(v, v) if k.endswith('role') else v for k, v in element.items()
        if (k != 'id' or element.tag in NAMED) and (k, v) not in SILENT}
    parts = list(map(meaning, element))
    return element.tag, sorted(values.items()), parts if element.tag in ORDERED else sorted(parts)


def find(tree, ident):
    return next((e for e in tree.iter() if e.get('id') == ident), None)


def parent_of(tree, child):
    return next(e for e in tree.iter() if child in list(e))


def section(configuration, tag):
    found = configuration.find(tag)
    return found if found is not None else xml.SubElement(configuration, tag)


def value(owner, kind, pair, taken, ident=None):
    # Sets one value; true when it was another before.
    sets = owner.findall(kind)
    for old in (nvpair for one in sets for nvpair in one if nvpair.get('name') == pair.get('name')):
        changed = old.get('value') != pair.get('value')
        old.set('value', pair.get('value'))
        return changed
    if sets:
        place = sets[0]
    else:
        ident = ident or '%s-%s' % (owner.get('id'), kind)
        place = xml.Element(kind, id=ident if ident not in taken else ident + '-1')
        # The order of the schema: sets come before operations in what the tools write.
        owner.insert(0 if kind == SETS[0] else len(owner.findall(SETS[0])) + len(owner.findall('primitive')), place)
    if pair.get('id') in taken:
        pair.set('id', '%s-%s' % (place.get('id'), pair.get('name')))
    place.append(pair)
    return True


def drop(owner, keep):
    # Takes out the values that `keep` does not want; whether there were any.
    gone = False
    for one in [e for kind in SETS for e in owner.findall(kind)]:
        for pair in [e for e in one if e.tag == 'nvpair' and not keep(one.tag, e.get('name'))]:
            one.remove(pair)
            gone = True
    return gone


def merge_values(live, wanted):
    taken = {e.get('id') for e in root.iter()}
    changed = False
    for kind in SETS:
        for pair in [pair for one in wanted.findall(kind) for pair in list(one)]:
            changed |= value(live, kind, pair, taken)
    ident = wanted.get('id')
    given = {pair.get('name') for kind in SETS for one in wanted.findall(kind) for pair in one}
    # The scenario gives all options of a fencing device, and all that a resource of its own has but what commands set.
    all_of = SETS if ident in whole else SETS[:1] if wanted.get('class') == 'stonith' else ()
    return drop(live, lambda kind, name: (ident, name) not in unset and (
        kind not in all_of or name in given or kind == SETS[1] and name in BY_COMMAND)) or changed


def merge_primitive(live, wanted):
    same = all(live.get(k) == wanted.get(k) for k in ('class', 'provider', 'type'))
    if not same:
        die('%s is there with another agent: remove it first' % wanted.get('id'))
    changed = merge_values(live, wanted)
    old, new = live.find('operations'), wanted.find('operations')
    if new is not None and (old is None or meaning(old) != meaning(new)):
        if old is not None:
            live.remove(old)
        live.append(new)
        changed = True
    return changed


def merge_resource(resources, wanted):
    ident = wanted.get('id')
    live = find(resources, ident)
    if live is not None and live.tag != wanted.tag:
        die('%s is there and is a %s: remove it first' % (ident, live.tag))
    if wanted.tag == 'primitive':
        if live is None:
            resources.append(wanted)
            return 'new'
        if parent_of(resources, live) is not resources:
            die('%s is in %s: take it out first' % (ident, parent_of(resources, live).get('id')))
        return 'changed' if merge_primitive(live, wanted) else None
    if live is None:
        live = xml.SubElement(resources, wanted.tag, id=ident)
        merge_members(resources, live, wanted)
        return 'new'
    return 'changed' if merge_members(resources, live, wanted) else None


def merge_members(resources, live, wanted):
    # What a group or clone holds, in its order, and its values; whether anything was otherwise.
    changed, before = False, None
    members = [e for e in wanted if e.tag in MEMBERS]
    for member in members:
        ident = member.get('id')
        there = find(resources, ident)
        above = None if there is None else parent_of(resources, there)
        if there is not None and there.tag != member.tag:
            die('%s is there and is a %s: remove it first' % (ident, there.tag))
        if above not in (None, live, resources):
            die('%s is in %s: take it out first' % (ident, above.get('id')))
        if above is not live:
            if above is resources:
                resources.remove(there)
            else:
                # What a new group is to hold may be there already, so it begins empty.
                there = member if member.tag == 'primitive' else xml.Element(member.tag, id=ident)
            ours = [i for i, e in enumerate(live) if e.get('id') in [m.get('id') for m in members]]
            live.insert(list(live).index(before) + 1 if before is not None else (ours + [len(live)])[0], there)
            changed = True
        elif before is not None and list(live).index(there) < list(live).index(before):
            die('%s is in %s at another place: ungroup it first' % (ident, live.get('id')))
        if there.tag in CONTAINERS:
            changed |= merge_members(resources, there, member)
        elif there is not member:
            changed |= merge_primitive(there, member)
        before = there
    return merge_values(live, wanted) or changed


def is_own(constraint):
    # The ids of the scenario's constraints say what they are about.
    get = constraint.get
    ids = ['location-%s-%s-%s' % (get('rsc'), get('node'), word) for word in ('prefer', 'avoid', 'never')]
    ids += ['colocation-%s-%s' % (get('rsc'), get('with-rsc')), 'order-%s-%s' % (get('first'), get('then'))]
    for expression in constraint.iter('expression'):
        ids.append('location-%s-%s-%s' % (
            get('rsc'), expression.get('attribute'), expression.get('value', 'undefined')))
    about = get('rsc') or get('then')
    return get('id') in ids and about in own


def merge_named(tag, key):
    # What is there as a whole, or is not: levels of fencing, alerts, tags.
    ours = section(wanted, tag)
    if live.find(tag) is None and not len(ours):
        return
    place = section(live, tag)
    for one in list(ours):
        old = next((e for e in place if key(e) == key(one)), None)
        if old is None:
            place.append(one)
            say('new', key(one))
        elif meaning(old) != meaning(one):
            place.insert(list(place).index(old), one)
            place.remove(old)
            say('changed', key(one))
    for one in place:
        if key(one) not in map(key, ours):
            print('    not in the scenario, left as it is: %s' % key(one))


def level(one):
    return 'level %s of fencing %s' % (one.get('index'), one.get('target'))


def name_foreign(parent):
    # What others made, also in what is the scenario's own.
    for one in parent:
        if one.get('id') in known:
            name_foreign([e for e in one if e.tag in MEMBERS])
        else:
            print('    not in the scenario, left as it is: %s' % one.get('id'))


def say(what, ident):
    changes.append(ident)
    print('    %s: %s' % (what, ident))


root = xml.parse(live_file).getroot()
wanted = xml.parse(wanted_file).getroot()
wanted = wanted if wanted.tag == 'configuration' else wanted.find('configuration')
live = root.find('configuration')
changes, unset, whole = [], set(), set()

there = [node.get('uname') for node in live.find('nodes') if node.get('type') != 'remote']
for node in nodes:
    if node not in there:
        die('%s is in the scenario, but not in the cluster: add it to the cluster first' % node)
for node in there:
    if node not in nodes:
        die('%s is in the cluster, but not in the scenario: add it there (role quorum: it only votes)' % node)
if not trial and root.get('have-quorum') != '1':
    die('this part of the cluster has no quorum: start the other nodes')

for line in open(besides_file, encoding='utf-8'):
    kind, owner, name, text = (line.rstrip('\n').split(' ', 3) + ['', ''])[:4]
    if kind == 'unset':
        unset.add((owner, name))
        continue
    if kind == 'whole':
        whole.add(owner)
        continue
    text = secret(text) if kind == 'secret' else text
    for pair in find(wanted, owner).iter('nvpair'):
        if pair.get('name') == name and pair.get('value') == '@%s:%s@' % (owner, name):
            pair.set('value', text)

own = {e.get('id') for e in wanted.find('resources').iter() if e.tag in MEMBERS}
known = own | {e.get('id') for e in wanted.find('constraints')}
for tag, kind, ident in (
        ('crm_config', 'cluster_property_set', 'cib-bootstrap-options'),
        ('rsc_defaults', 'meta_attributes', 'rsc_defaults-meta_attributes'),
        ('op_defaults', 'meta_attributes', 'op_defaults-meta_attributes')):
    if wanted.find(tag) is None:
        continue
    place = section(live, tag)
    if place.find(kind) is None:
        xml.SubElement(place, kind, id=ident)
    taken = {e.get('id') for e in root.iter()}
    for pair in [pair for one in wanted.find(tag) for pair in list(one) if pair.tag == 'nvpair']:
        if value(place, kind, pair, taken):
            say('set', '%s=%s' % (pair.get('name'), pair.get('value')))
for one in list(wanted.find('resources')):
    what = merge_resource(live.find('resources'), one)
    if what:
        say(what, one.get('id'))
for one in list(wanted.find('nodes')):
    # The cluster gives nodes their ids: they are known by name. What else is written there is what others remember.
    name = one.get('uname')
    old = next((e for e in live.find('nodes') if e.get('uname') == name), None)
    if old is None:
        old = xml.SubElement(live.find('nodes'), 'node', id=name, type='remote', uname=name)
    taken = {e.get('id') for e in root.iter()}
    for pair in list(one.iter('nvpair')):
        pair.set('id', 'nodes-%s-%s' % (old.get('id'), pair.get('name')))
        if value(old, SETS[0], pair, taken, 'nodes-%s' % old.get('id')):
            say('set', '%s=%s on %s' % (pair.get('name'), pair.get('value'), name))
constraints = live.find('constraints')
for one in list(wanted.find('constraints')):
    old = next((e for e in constraints if e.get('id') == one.get('id')), None)
    if old is None:
        constraints.append(one)
        say('new', one.get('id'))
    elif meaning(old) != meaning(one):
        constraints.insert(list(constraints).index(old), one)
        constraints.remove(old)
        say('changed', one.get('id'))
for one in list(constraints):
    if one.get('id') not in known and is_own(one):
        constraints.remove(one)
        say('taken out', one.get('id'))
name_foreign(live.find('resources'))
name_foreign(constraints)
for one in section(wanted, 'fencing-topology'):
    one.set('id', 'fl-%s-%s' % (one.get('target'), one.get('index')))
merge_named('fencing-topology', level)
merge_named('alerts', lambda one: one.get('id'))
merge_named('tags', lambda one: one.get('id'))
if any(
        p.get('value', '').startswith('@%s:' % e.get('id')) and p.get('value').endswith('@')
        for e in live.find('resources').iter('primitive') for p in e.iter('nvpair')):
    die('a secret did not get where it belongs; nothing was changed')
xml.ElementTree(root).write(new_file, encoding='utf-8')
END
}

# Writes the configuration to wanted.xml.
make_wanted() {
    # crmsh makes XML of it in an empty configuration. It is forced, as that has no fencing before there are resources.
    cibadmin --empty >"$work/wanted.xml"
    configuration >"$work/wanted.crm"
    CIB_file="$work/wanted.xml" crm -F configure load update "$work/wanted.crm" >"$work/crm.log" 2>&1 ||
        die "crm refuses the configuration: $(grep -m 1 ERROR "$work/crm.log" || tail -n 1 "$work/crm.log")"
}

# ---------------------------------------------------------------------------------------------------------------------
# bash reads main to its end before anything runs: writing this file anew meanwhile does no harm.
main() {
    local dry_run='' trial='' wait='' where=() verdict backup agent tool
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) dry_run=1 ;;
            --wait) wait=1 ;;
            --cib) [ -n "${2-}" ] || { usage >&2; exit 2; }; trial=$2; shift ;;
            --print) configuration; exit 0 ;;
            --help) usage; exit 0 ;;
            *) usage >&2; exit 2 ;;
        esac
        shift
    done
    for tool in "$program" cibadmin crm_verify crm_diff crm_resource; do
        command -v "$tool" >/dev/null || die "$tool is not installed on this host"
    done
    find_python
    for agent in "${agents[@]}"; do
        crm_resource --show-metadata "$agent" >/dev/null 2>&1 ||
            die "agent $agent is not installed on this host: install its package first"
    done
    umask 077
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT

    if [ -n "$trial" ]; then
        [ -f "$trial" ] || die "--cib: $trial is not a file"
        backups=$(dirname "$trial")
        where=(env "CIB_file=$trial")
        case $(stat -Lc %a "$trial") in
            *00) ;;
            *) [ -n "$dry_run" ] || ! besides | grep -q '^secret ' ||
                die "--cib: others may read $trial, and secrets are to be written there: chmod 600 it" ;;
        esac
    else
        [ "$(id -u)" = 0 ] || die 'must be run as root'
    fi
    "${where[@]+"${where[@]}"}" cibadmin --query >"$work/live.xml" 2>/dev/null ||
        die "${trial:+"$trial holds no configuration: "}the cluster $cluster does not run here: start it, then run this"
    make_wanted
    besides >"$work/besides"
    merge "$work/live.xml" "$work/wanted.xml" "$work/new.xml" "$work/besides" "$trial" "${nodes[@]}" || exit 1
    [ -z "$outside" ] || say "$outside"

    verdict=$(crm_verify -V --xml-file "$work/new.xml" 2>&1) || {
        # Warnings are about the state the cluster is in (a node that is down); errors are about the configuration.
        printf '%s\n' "$verdict" >&2
        case $verdict in
            *'Warnings found'*) ;;
            *) die 'crm_verify refuses the configuration; nothing was changed' ;;
        esac
    }
    if crm_diff --no-version --original "$work/live.xml" --new "$work/new.xml" >"$work/patch.xml" 2>/dev/null; then
        say 'The cluster is configured like this already: nothing to change.'
        exit 0
    fi
    if [ -n "$dry_run" ]; then
        say 'Dry run: nothing was changed.'
        exit 0
    fi
    [ -n "$trial" ] || install -d -m 700 "$backups" || die "cannot make the folder $backups for backups"
    backup=$backups/cib-$cluster-$(date +%Y%m%d-%H%M%S.%3N).xml
    install -m 600 "$work/live.xml" "$backup" || die "cannot write to the folder $backups, where backups go"
    "${where[@]+"${where[@]}"}" cibadmin --patch --xml-file "$work/patch.xml" ||
        die "the cluster refuses the change; nothing was changed. The configuration is in $backup as well"
    say "Done. The configuration before is in $backup (it holds secrets, as the cluster's own copy does)."
    if [ -n "$trial" ]; then
        say "To go back: cp $backup $trial"
        exit 0
    fi
    say "To go back: cibadmin --replace --scope configuration --xml-file $backup"
    # Without fencing Pacemaker decides nothing, not even what is no resource any more.
    grep -qE 'class="stonith"|name="stonith-enabled" value="(false|no|off|0)"' "$work/live.xml" ||
        say 'It has no fencing device: stop what runs before you go back (target-role=Stopped), or it goes on running.'
    [ -n "$wait" ] || { say 'To see how it is doing: crm_mon -1'; exit 0; }
    crm_resource --wait --timeout=300s || die 'the cluster did not settle in 300 s: see crm_mon -1'
}
main "$@"; exit
