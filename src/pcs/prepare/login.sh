
# Two nodes that log in on each other by ssh: login KEY KNOWN_HOSTS USER PORT PEER...
# What the other node has to know stands in a card, a file of public keys: each node writes its own, and reads that of
# the other one, which somebody brings. So nobody has to believe a key that comes over the network.
login() {
    local key=$1 known=$2 user=$3 port=$4 peer='' other='' i one card home name kind blob
    shift 4
    for i in "${!nodes[@]}"; do
        if [ "${roles[i]}" != "$role" ] || [ "${nodes[i]}" = "$node" ]; then continue; fi
        other=${nodes[i]} from=${addresses[i]// /,}
    done
    for one in "$@"; do
        case " $node $here $(hostname) " in *" $one "*) ;; *) peer=$one ;; esac
    done
    [ -n "$peer" ] || die "none of $* is the other node"
    [ -e "$key" ] || [ ! -e "$key.pub" ] || die "there is $key.pub, but not $key: put the key back, or remove both"
    [ -e "$key" ] || change "make the key $key" make_key "$key"
    [ -n "$dry_run" ] || [ -e "$key.pub" ] || change "write $key.pub anew" public_key "$key"
    systemctl --quiet is-active ssh.service ssh.socket sshd.service || on "$ssh_unit"
    write_card "$key.pub"
    card=$folder/$other.keys
    if [ ! -e "$card" ]; then
        todo "run this on $other as well, and bring its $card here, then run this again"
        todo "bring $folder/$node.keys of this node to $other, into the same folder"
        return 0
    fi
    home=$(getent passwd "$user" | cut -d: -f6)
    check_card "$card"
    [ -d "$home" ] || die "the user $user has no home folder on this node"
    while read -r name kind blob; do
        case $name in
            user-key) admit "$home" "$user" "$kind" "$blob" ;;
            host-key) know "$known" "$peer" "$port" "$kind" "$blob" ;;
        esac
    done <"$card"
    [ -n "$dry_run" ] || ssh -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=yes \
        -o UserKnownHostsFile="$known" -i "$key" -p "$port" "$user@$peer" true </dev/null 2>"$work/log" ||
        todo "$peer does not let this node in yet ($(tail -n 1 "$work/log")): run this there, too"
}

make_key() {
    install -d -m 700 "$(dirname "$1")" &&
        ssh-keygen -q -t rsa -b 4096 -N '' -C "inuvika-ha@$node" -f "$1"
}
public_key() { ssh-keygen -y -P '' -f "$1" >"$1.pub"; }

# The public keys of this node, for the other one.
write_card() {
    local file kind blob rest
    [ -e "$1" ] || return 0
    {
        read -r kind blob rest <"$1" && printf 'user-key %s %s\n' "$kind" "$blob"
        for file in /etc/ssh/ssh_host_*_key.pub; do
            [ -e "$file" ] || continue
            read -r kind blob rest <"$file" && printf 'host-key %s %s\n' "$kind" "$blob"
        done
    } >"$work/card"
    cmp -s "$work/card" "$folder/$node.keys" || change "write $folder/$node.keys" keep_card
}
keep_card() { install -d -m 700 "$folder" && install -m 600 "$work/card" "$folder/$node.keys"; }

# A card has public keys and nothing else.
check_card() {
    local wrong
    wrong=$(grep -Evn '^(user|host)-key [a-z0-9@.-]+ [A-Za-z0-9+/]+=*$' "$1" | head -n 1 | cut -d: -f1) || true
    [ -z "$wrong" ] || die "$1:$wrong: is no public key: bring the file from $other again"
    if ! grep -q '^user-key ' "$1" || ! grep -q '^host-key ' "$1"; then
        die "$1 lacks keys: bring the file from $other again"
    fi
}

# The other node may log in, from its own addresses, and do what lsyncd needs: admit HOME USER TYPE KEY
admit() {
    local file=$1/.ssh/authorized_keys options
    ! grep -qsF "$4" "$file" || return 0
    options="from=\"$from\",no-pty,no-user-rc,no-agent-forwarding,no-port-forwarding,no-X11-forwarding"
    change "$file: let $other in, from $from" add_key "$2" "$file" "$options $3 $4 inuvika-ha@$other"
}
add_key() {
    install -d -m 700 -o "$1" "$(dirname "$2")" && append "$2" "$3" && chown "$1" "$2"
}

# The other node's host key: know FILE NAME PORT TYPE KEY
know() {
    local name=$2 found
    [ "$3" = 22 ] || name="[$2]:$3"
    found=$(ssh-keygen -F "$name" -f "$1" 2>/dev/null | awk -v kind="$4" '$2 == kind { print $3 }') || true
    case $found in
        '') change "$1: the $4 key of $name" add_host "$1" "$name $4 $5" ;;
        *"$5"*) ;;
        *) die "$1 has another $4 key of $name: if that node is new, ssh-keygen -R '$name' -f $1 first" ;;
    esac
}
add_host() {
    install -d -m 700 "$(dirname "$1")" && append "$1" "$2"
}
