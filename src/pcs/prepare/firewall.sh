
# What must come in: allow PROTOCOL PORTS from WHOM for WHAT. WHOM: a role, member, or everybody.
allow() {
    local address
    if [ "$4" = everybody ]; then
        open "$1" "$2" '' "${*:6}"
    else
        while read -r address; do open "$1" "$2" "$address" "${*:6}"; done < <(others "$4")
    fi
}

# What must come in as well, but only somebody else knows the ports of: allow_by_hand WHAT
allow_by_hand() {
    case $firewall in
        none | mine) ;;
        *) todo "let in what only you know: $1; FIREWALL=mine says that it was done" ;;
    esac
}

# Which firewall looks after this host. (No grep -q behind a pipe: it would end before the other program does.)
find_firewall() {
    zones=() client_zones=() opened=''
    if [ "${FIREWALL-}" = mine ]; then
        firewall=mine
    elif command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
        firewall=firewalld
        local address zone
        # Each address may be on a link with a zone of its own; clients come by the link of the virtual address.
        for address in $own; do
            zone=$(zone_of "$address")
            case " ${zones[*]-} " in *" $zone "*) ;; *) zones+=("$zone") ;; esac
        done
        client_zones=("${zones[@]}")
        [ -z "$virtual_ip" ] || client_zones=("$(zone_of "$virtual_ip")")
    elif command -v ufw >/dev/null && ufw status 2>/dev/null | grep '^Status: active' >/dev/null; then
        firewall=ufw
    elif command -v iptables >/dev/null && iptables -S INPUT 2>/dev/null | grep -E "$closes_input" >/dev/null; then
        firewall=iptables
    elif command -v nft >/dev/null && nft list ruleset 2>/dev/null | awk "$drops_input"; then
        firewall=nft
    else
        firewall=none
    fi
    say "    firewall: $firewall${zones[*]:+, zone ${zones[*]}${virtual_ip:+, for clients ${client_zones[*]}}}"
}

# The zone of firewalld for an address: that of the link that has it, or that leads to it.
zone_of() {
    local link
    link=$(ip -oneline address show to "$1" | awk '{ print $2; exit }')
    [ -n "$link" ] || link=$(ip -oneline route get "$1" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
    firewall-cmd --get-zone-of-interface="$link" 2>/dev/null || firewall-cmd --get-default-zone
}

closes_input='^-P INPUT DROP|^-A INPUT -j (DROP|REJECT)'
# Succeeds when a chain that sees what comes in drops whatever no rule lets in.
drops_input='/^\tchain/ { base = 0 } /hook input/ { base = 1; if (/policy drop/) found = 1 }
    base && /^\t\t(counter packets [0-9]+ bytes [0-9]+ )?(drop|reject)/ { found = 1 } END { exit !found }'

# One rule: open PROTOCOL PORTS ADDRESS WHAT; no address: everybody.
open() {
    local rule=() family=ip port=$2
    case $3 in *:*) family=ip6 ;; esac
    case $firewall in
        firewalld)
            # pcs, corosync and pacemaker_remote are what its service high-availability is for.
            case $4 in cluster*) firewalld service=high-availability "${zones[@]}"; return ;; esac
            if [ -z "$3" ]; then firewalld "port=${port/:/-}/$1" "${client_zones[@]}"; return; fi
            case $family in ip) family=ipv4 ;; *) family=ipv6 ;; esac
            printf -v port 'port="%s" protocol="%s"' "$port" "$1"
            firewalld "rich-rule=rule family=\"$family\" source address=\"$3\" port $port accept" "${zones[@]}"
            ;;
        ufw)
            rule=(allow from "${3:-any}" to any port "$port" proto "$1")
            [ -n "$3" ] || rule=(allow "$port/$1")
            ufw show added 2>/dev/null | grep -xF "ufw ${rule[*]}" >/dev/null ||
                change "ufw ${rule[*]}  ($4)" quietly ufw "${rule[@]}"
            ;;
        nft)
            rule=(${3:+"$family" saddr "$3"} "$1" dport "${port/:/-}" accept)
            nft list ruleset | grep -F "${rule[*]}" >/dev/null ||
                todo "let $4 in: in the chain of /etc/nftables.conf for input: ${rule[*]}"
            ;;
        iptables)
            rule=(INPUT ${3:+-s "$3"} -p "$1" --dport "$port" -j ACCEPT)
            local program=iptables
            [ "$family" = ip ] || program=ip6tables
            "$program" -C "${rule[@]}" 2>/dev/null ||
                todo "let $4 in: $program -I ${rule[*]}, and where it is kept over the next boot"
            ;;
    esac
}

# Now, and over the next boot: firewalld KIND=VALUE ZONE...
firewalld() {
    local where zone
    case $opened in *"|$1|"*) return 0 ;; esac
    opened+="|$1|"
    for zone in "${@:2}"; do
        for where in --permanent ''; do
            firewall-cmd ${where:+"$where"} --zone="$zone" "--query-$1" >/dev/null 2>&1 ||
                change "firewall-cmd ${where:+$where }--zone=$zone --add-$1" \
                    quietly firewall-cmd ${where:+"$where"} --zone="$zone" "--add-$1"
        done
    done
}

quietly() { "$@" >/dev/null; }
