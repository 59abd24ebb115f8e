#!/bin/bash
#
# Resources of the scenario behind 10.20.1.20/24: cluster shop of shop1, shop2, vote3.
# Written by "inuvika-ha pcs --dialect cib". Edit the scenario rather than this.
#
# It configures a cluster of these nodes that runs already: it makes none, as pcs does. Run it as root on ONE of them.
# The whole change is made on a copy, checked, and given to the cluster in one piece. It may be run again at any time:
# what is right already is left alone, and what the scenario does not have is named at the end. With --dry-run nothing
# is changed; see --help.
#
# Before the first run, on EVERY node:
#   - install pacemaker with its resource agents, corosync, pcs and fence-agents; on nodes with the role node also
#     resource-agents, inuvika-ha and what the resources start, switched off at boot (systemctl disable --now);

set -euo pipefail
export LC_ALL=C.UTF-8

cluster=shop
nodes=(shop1 shop2 vote3)
agents=(stonith:fence_ipmilan stonith:fence_apc ocf:heartbeat:IPaddr2 ocf:pacemaker:ping ocf:pacemaker:Stateful ocf:pacemaker:Dummy ocf:heartbeat:apache)
program=cibadmin
outside=''
backups=/var/lib/inuvika-ha

# What the cluster is to have.
configuration() {
    cat <<'END_OF_TEXT'
<configuration>
  <crm_config>
    <cluster_property_set id="cib-bootstrap-options">
      <nvpair id="cib-bootstrap-options-no-quorum-policy" name="no-quorum-policy" value="stop"/>
      <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="true"/>
    </cluster_property_set>
  </crm_config>
  <nodes>
    <node id="shop1" uname="shop1">
      <instance_attributes id="nodes-shop1-instance_attributes">
        <nvpair id="nodes-shop1-instance_attributes-rack" name="rack" value="a"/>
      </instance_attributes>
    </node>
    <node id="shop2" uname="shop2">
      <instance_attributes id="nodes-shop2-instance_attributes">
        <nvpair id="nodes-shop2-instance_attributes-rack" name="rack" value="b"/>
      </instance_attributes>
    </node>
  </nodes>
  <resources>
    <primitive id="board-shop1" class="stonith" type="fence_ipmilan">
      <instance_attributes id="board-shop1-instance_attributes">
        <nvpair id="board-shop1-instance_attributes-ip" name="ip" value="192.168.200.21"/>
        <nvpair id="board-shop1-instance_attributes-lanplus" name="lanplus" value="1"/>
        <nvpair id="board-shop1-instance_attributes-password" name="password" value="@board-shop1:password@"/>
        <nvpair id="board-shop1-instance_attributes-pcmk_host_list" name="pcmk_host_list" value="shop1"/>
        <nvpair id="board-shop1-instance_attributes-username" name="username" value="fence"/>
      </instance_attributes>
      <operations>
        <op name="monitor" interval="60s" timeout="60s" id="board-shop1-monitor-interval-60s"/>
        <op name="start" interval="0s" timeout="60s" id="board-shop1-start-interval-0s"/>
      </operations>
    </primitive>
    <primitive id="board-shop2" class="stonith" type="fence_ipmilan">
      <instance_attributes id="board-shop2-instance_attributes">
        <nvpair id="board-shop2-instance_attributes-ip" name="ip" value="192.168.200.22"/>
        <nvpair id="board-shop2-instance_attributes-lanplus" name="lanplus" value="1"/>
        <nvpair id="board-shop2-instance_attributes-password" name="password" value="@board-shop2:password@"/>
        <nvpair id="board-shop2-instance_attributes-pcmk_host_list" name="pcmk_host_list" value="shop2"/>
        <nvpair id="board-shop2-instance_attributes-username" name="username" value="fence"/>
      </instance_attributes>
      <operations>
        <op name="monitor" interval="60s" timeout="60s" id="board-shop2-monitor-interval-60s"/>
        <op name="start" interval="0s" timeout="60s" id="board-shop2-start-interval-0s"/>
      </operations>
    </primitive>
    <primitive id="strip" class="stonith" type="fence_apc">
      <instance_attributes id="strip-instance_attributes">
        <nvpair id="strip-instance_attributes-ip" name="ip" value="192.168.200.30"/>
        <nvpair id="strip-instance_attributes-password" name="password" value="@strip:password@"/>
        <nvpair id="strip-instance_attributes-pcmk_host_map" name="pcmk_host_map" value="shop1:1;shop2:2;vote3:3"/>
        <nvpair id="strip-instance_attributes-username" name="username" value="fence"/>
      </instance_attributes>
      <operations>
        <op name="monitor" interval="60s" timeout="60s" id="strip-monitor-interval-60s"/>
        <op name="start" interval="0s" timeout="60s" id="strip-start-interval-0s"/>
      </operations>
    </primitive>
    <primitive id="virtual_ip" class="ocf" type="IPaddr2" provider="heartbeat">
      <instance_attributes id="virtual_ip-instance_attributes">
        <nvpair id="virtual_ip-instance_attributes-cidr_netmask" name="cidr_netmask" value="24"/>
        <nvpair id="virtual_ip-instance_attributes-ip" name="ip" value="10.20.1.20"/>
        <nvpair id="virtual_ip-instance_attributes-nic" name="nic" value="eth0"/>
      </instance_attributes>
      <operations>
        <op name="monitor" interval="10s" timeout="20s" id="virtual_ip-monitor-interval-10s"/>
        <op name="start" interval="0s" timeout="20s" id="virtual_ip-start-interval-0s"/>
        <op name="stop" interval="0s" timeout="20s" id="virtual_ip-stop-interval-0s"/>
      </operations>
    </primitive>
    <clone id="routers-clone">
      <primitive id="routers" class="ocf" type="ping" provider="pacemaker">
        <instance_attributes id="routers-instance_attributes">
          <nvpair id="routers-instance_attributes-dampen" name="dampen" value="5s"/>
          <nvpair id="routers-instance_attributes-host_list" name="host_list" value="10.20.1.1 10.20.1.2"/>
          <nvpair id="routers-instance_attributes-multiplier" name="multiplier" value="1000"/>
        </instance_attributes>
        <operations>
          <op name="monitor" interval="10s" timeout="20s" id="routers-monitor-interval-10s"/>
          <op name="start" interval="0s" timeout="60s" id="routers-start-interval-0s"/>
          <op name="stop" interval="0s" timeout="60s" id="routers-stop-interval-0s"/>
        </operations>
      </primitive>
      <meta_attributes id="routers-clone-meta_attributes">
        <nvpair id="routers-clone-meta_attributes-interleave" name="interleave" value="true"/>
      </meta_attributes>
    </clone>
    <clone id="store-clone">
      <primitive id="store" class="ocf" type="Stateful" provider="pacemaker">
        <operations>
          <op name="demote" interval="0s" timeout="60s" id="store-demote-interval-0s"/>
          <op name="monitor" interval="10s" timeout="20s" role="Promoted" id="store-monitor-interval-10s"/>
          <op name="monitor" interval="11s" timeout="20s" role="Unpromoted" id="store-monitor-interval-11s"/>
          <op name="promote" interval="0s" timeout="60s" id="store-promote-interval-0s"/>
          <op name="start" interval="0s" timeout="60s" id="store-start-interval-0s"/>
          <op name="stop" interval="0s" timeout="60s" id="store-stop-interval-0s"/>
        </operations>
      </primitive>
      <meta_attributes id="store-clone-meta_attributes">
        <nvpair id="store-clone-meta_attributes-clone-max" name="clone-max" value="2"/>
        <nvpair id="store-clone-meta_attributes-notify" name="notify" value="true"/>
        <nvpair id="store-clone-meta_attributes-promotable" name="promotable" value="true"/>
        <nvpair id="store-clone-meta_attributes-promoted-max" name="promoted-max" value="1"/>
      </meta_attributes>
    </clone>
    <primitive id="web" class="ocf" type="apache" provider="heartbeat">
      <instance_attributes id="web-instance_attributes">
        <nvpair id="web-instance_attributes-configfile" name="configfile" value="/etc/apache2/apache2.conf"/>
      </instance_attributes>
      <operations>
        <op name="monitor" interval="10s" timeout="20s" id="web-monitor-interval-10s"/>
        <op name="start" interval="0s" timeout="60s" id="web-start-interval-0s"/>
        <op name="stop" interval="0s" timeout="60s" id="web-stop-interval-0s"/>
      </operations>
    </primitive>
    <group id="jobs">
      <primitive id="queue" class="ocf" type="Dummy" provider="pacemaker">
        <operations>
          <op name="monitor" interval="20s" timeout="20s" id="queue-monitor-interval-20s"/>
          <op name="start" interval="0s" timeout="60s" id="queue-start-interval-0s"/>
          <op name="stop" interval="0s" timeout="60s" id="queue-stop-interval-0s"/>
        </operations>
      </primitive>
      <primitive id="worker" class="ocf" type="Dummy" provider="pacemaker">
        <meta_attributes id="worker-meta_attributes">
          <nvpair id="worker-meta_attributes-failure-timeout" name="failure-timeout" value="1h"/>
        </meta_attributes>
        <operations>
          <op name="monitor" interval="20s" timeout="20s" id="worker-monitor-interval-20s"/>
          <op name="start" interval="0s" timeout="60s" id="worker-start-interval-0s"/>
          <op name="stop" interval="0s" timeout="60s" id="worker-stop-interval-0s"/>
        </operations>
      </primitive>
      <meta_attributes id="jobs-meta_attributes">
        <nvpair id="jobs-meta_attributes-priority" name="priority" value="5"/>
      </meta_attributes>
    </group>
  </resources>
  <constraints>
    <rsc_location id="location-board-shop1-shop1-avoid" rsc="board-shop1" node="shop1" score="-INFINITY"/>
    <rsc_location id="location-board-shop2-shop2-avoid" rsc="board-shop2" node="shop2" score="-INFINITY"/>
    <rsc_location id="location-virtual_ip-shop1-prefer" rsc="virtual_ip" node="shop1" score="1"/>
    <rsc_location id="location-virtual_ip-vote3-never" rsc="virtual_ip" node="vote3" score="-INFINITY" resource-discovery="never"/>
    <rsc_location id="location-routers-clone-vote3-never" rsc="routers-clone" node="vote3" score="-INFINITY" resource-discovery="never"/>
    <rsc_location id="location-store-clone-vote3-never" rsc="store-clone" node="vote3" score="-INFINITY" resource-discovery="never"/>
    <rsc_location id="location-web-vote3-never" rsc="web" node="vote3" score="-INFINITY" resource-discovery="never"/>
    <rsc_location id="location-jobs-vote3-never" rsc="jobs" node="vote3" score="-INFINITY" resource-discovery="never"/>
    <rsc_colocation id="colocation-web-virtual_ip" rsc="web" with-rsc="virtual_ip" score="INFINITY"/>
    <rsc_colocation id="colocation-store-clone-virtual_ip" rsc="store-clone" with-rsc="virtual_ip" score="INFINITY" rsc-role="Promoted"/>
    <rsc_order id="order-virtual_ip-store-clone" first="virtual_ip" then="store-clone" kind="Mandatory" first-action="start" then-action="promote"/>
    <rsc_order id="after-the-address" kind="Optional">
      <resource_set id="after-the-address_set" sequential="true" require-all="true">
        <resource_ref id="virtual_ip"/>
      </resource_set>
      <resource_set id="after-the-address_set-1" sequential="false" require-all="true">
        <resource_ref id="web"/>
        <resource_ref id="jobs"/>
      </resource_set>
    </rsc_order>
    <rsc_location id="where-routers-answer" rsc="virtual_ip">
      <rule id="where-routers-answer-rule" score="-INFINITY" boolean-op="or">
        <expression id="where-routers-answer-rule-expr" operation="lt" attribute="pingd" type="integer" value="1000"/>
        <expression id="where-routers-answer-rule-expr-1" operation="eq" attribute="tired" value="yes"/>
      </rule>
    </rsc_location>
    <rsc_location id="jobs-in-rack-b" rsc="jobs">
      <rule id="jobs-in-rack-b-rule" score="50">
        <expression id="jobs-in-rack-b-rule-expr" operation="eq" attribute="rack" value="b"/>
      </rule>
    </rsc_location>
  </constraints>
  <rsc_defaults>
    <meta_attributes id="rsc_defaults-meta_attributes">
      <nvpair id="rsc_defaults-meta_attributes-resource-stickiness" name="resource-stickiness" value="1000"/>
      <nvpair id="rsc_defaults-meta_attributes-migration-threshold" name="migration-threshold" value="3"/>
      <nvpair id="rsc_defaults-meta_attributes-failure-timeout" name="failure-timeout" value="4h"/>
    </meta_attributes>
  </rsc_defaults>
  <op_defaults>
    <meta_attributes id="op_defaults-meta_attributes">
      <nvpair id="op_defaults-meta_attributes-record-pending" name="record-pending" value="true"/>
    </meta_attributes>
  </op_defaults>
  <fencing-topology>
    <fencing-level id="fl-shop1-1" target="shop1" index="1" devices="board-shop1"/>
    <fencing-level id="fl-shop1-2" target="shop1" index="2" devices="strip"/>
    <fencing-level id="fl-shop2-1" target="shop2" index="1" devices="board-shop2"/>
    <fencing-level id="fl-shop2-2" target="shop2" index="2" devices="strip"/>
  </fencing-topology>
  <tags>
    <tag id="shop">
      <obj_ref id="web"/>
      <obj_ref id="jobs"/>
    </tag>
  </tags>
  <alerts>
    <alert id="to-file" path="/usr/share/pacemaker/alerts/alert_file.sh">
      <meta_attributes id="to-file-meta_attributes">
        <nvpair id="to-file-meta_attributes-timeout" name="timeout" value="15s"/>
      </meta_attributes>
      <recipient id="to-file-recipient-1" value="/var/log/cluster-alerts.log"/>
    </alert>
    <alert id="inuvika-alert" path="/usr/share/pacemaker/alerts/inuvika-alert">
      <meta_attributes id="inuvika-alert-meta_attributes">
        <nvpair id="inuvika-alert-meta_attributes-timeout" name="timeout" value="30s"/>
      </meta_attributes>
      <recipient id="inuvika-alert-1" value="ops@example.com"/>
    </alert>
  </alerts>
</configuration>
END_OF_TEXT
}

# What it does not show: options that are the first line of a file (secret), and those that have no value (unset).
# Resources that have nothing but what stands above, apart from what people set meanwhile (whole).
besides() {
    cat <<'END_OF_TEXT'
secret board-shop1 password /etc/inuvika-ha/ipmi.secret
secret board-shop2 password /etc/inuvika-ha/ipmi.secret
secret strip password /etc/inuvika-ha/strip.secret
unset routers-clone promotable
whole routers
whole routers-clone
whole store
whole store-clone
whole queue
whole worker
whole web
whole jobs
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
    configuration >"$work/wanted.xml"
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
