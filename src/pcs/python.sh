# RHEL 8 may have its Python under the second name alone.
find_python() {
    for python in python3 /usr/libexec/platform-python; do
        ! command -v "$python" >/dev/null || return 0
    done
    die 'python3 is not installed on this host'
}
