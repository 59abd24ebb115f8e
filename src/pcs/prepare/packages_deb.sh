
# Whether a package is installed.
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Whether nothing is half done.
check_packages() {
    [ -z "$(dpkg --audit)" ] || die 'packages are installed by halves: dpkg --configure -a, then run this again'
}

# packages NAME...: they have to be there.
packages() { wanted+=("$@"); }

# Installs what is missing; nothing is removed or replaced for it.
install_packages() {
    local name missing=()
    for name in "${wanted[@]}"; do installed "$name" || missing+=("$name"); done
    [ "${#missing[@]}" -gt 0 ] || return 0
    change "install ${missing[*]}" apt_install "${missing[@]}"
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update >"$work/log" 2>&1 || die "apt-get update: $(tail -n 1 "$work/log")"
    apt-get -q -y --no-remove -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold install "$@" \
        >"$work/log" 2>&1 ||
        die "apt-get install $*: $(grep '^E:' "$work/log" | head -n 1)"
}
