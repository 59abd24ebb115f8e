
# A step that this script leaves out. mention: its ids are not taken for somebody else's. owner: its constraints are
# this script's all the same.
# shellcheck disable=SC2034,SC2317 # not every part has both
mention() { local left_out=1; "$@"; }
# shellcheck disable=SC2034,SC2317
owner() {
    local left_out=1
    "$@"
    resources+=("${known[@]: -1}")
}
