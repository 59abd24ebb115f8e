
# Whether a package is installed.
installed() { rpm -q --whatprovides "$1" >/dev/null 2>&1; }

# Whether nothing is half done.
check_packages() {
    rpm -q "$manager" >/dev/null 2>&1 || die "the database of packages does not answer: rpm -q $manager"
}

# packages NAME...: they have to be there.
packages() { wanted+=("$@"); }

# Whether a repository that is enabled has a package.
available() { "$manager" -q list available "$1" >/dev/null 2>&1; }

# from_repository PACKAGE RHEL-ID OTHER-ID...: where a package is from; RHEL and those built from it call that
# differently. RHEL-ID none: RHEL has it no more.
from_repository() {
    local package=$1 id rhel=${2/ARCH/$(uname -m)}
    if installed "$package" || available "$package"; then return 0; fi
    if [ "$os" = rhel ] && [ "$rhel" != EPEL ] && [ "$rhel" != none ]; then
        change "enable the repository $rhel" subscription-manager repos --enable="$rhel"
        return
    fi
    for id in "${@:3}"; do
        # The first word of a line; yum writes !ID/RELEASE/ARCH.
        if "$manager" -q repolist all 2>/dev/null | grep -E "^!?$id(/| |\$)" >/dev/null; then
            change "enable the repository $id" enable_repository "$id"
            return
        fi
    done
    if [ "$rhel" = EPEL ] && available epel-release; then
        change 'install epel-release' rpm_install epel-release
        return
    fi
    [ "$rhel" != none ] || die "no repository of this host has $package, as RHEL has no Resilient Storage any more"
    die "no repository of this host has $package: enable the one that has it ($rhel), then run this again"
}

enable_repository() {
    case $manager in
        yum) installed yum-utils || rpm_install yum-utils; yum-config-manager --enable "$1" >/dev/null ;;
        *)
            dnf config-manager --help >/dev/null 2>&1 || rpm_install dnf-plugins-core
            dnf -q config-manager --set-enabled "$1"
            ;;
    esac
}

# Installs what is missing.
install_packages() {
    local name missing=()
    for name in "${wanted[@]}"; do installed "$name" || missing+=("$name"); done
    [ "${#missing[@]}" -gt 0 ] || return 0
    change "install ${missing[*]}" rpm_install "${missing[@]}"
}

rpm_install() {
    "$manager" -q -y install "$@" >"$work/log" 2>&1 || die "$manager install $*: $(tail -n 1 "$work/log")"
}
