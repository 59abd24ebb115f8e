
# Whether hacluster has this password: the hash is compared by whatever language is here. Neither is an argument.
has_password() {
    local hash
    hash=$(getent shadow hacluster | cut -d: -f2)
    case $hash in '' | '!'* | '*'*) return 1 ;; esac
    if command -v perl >/dev/null; then
        printf '%s\n' "$1" "$hash" |
            perl -e 'chomp(my ($p, $h) = <STDIN>); exit((crypt($p, $h) // "") eq $h ? 0 : 1)'
    else
        printf '%s\n' "$1" "$hash" | "$python" -W ignore -c '
import crypt, sys
p, h = sys.stdin.read().split("\n")[:2]
sys.exit(0 if crypt.crypt(p, h) == h else 1)' 2>/dev/null
    fi
}

# Whether it has any.
has_any_password() { case $(getent shadow hacluster | cut -d: -f2) in '' | '!'* | '*'*) return 1 ;; esac }

# The password of the user hacluster, in $password: from the file named in HACLUSTER_PASSWORD_FILE, else asked for. One
# that was set before, and is not given, stays.
read_password() {
    password='' secret_text=''
    if [ -n "${HACLUSTER_PASSWORD_FILE-}" ]; then
        read_secret "$HACLUSTER_PASSWORD_FILE"
        password=$secret_text secret_text=''
    elif has_any_password; then
        return 0
    elif [ -t 0 ]; then
        IFS= read -rsp 'Password of hacluster (the same on every node): ' password
        printf '\n'
        case $password in '' | *[[:cntrl:]]*) die 'the password is not one line of plain text' ;; esac
    elif [ -z "$dry_run" ]; then
        die 'no terminal to ask for the password of hacluster: set HACLUSTER_PASSWORD_FILE'
    fi
}

set_password() {
    if [ -z "$password" ]; then
        has_any_password || change 'set the password of hacluster' false
        return
    fi
    if ! has_password "$password"; then change 'set the password of hacluster' give_password; fi
    password=''
}

give_password() { printf 'hacluster:%s\n' "$password" | chpasswd; }
