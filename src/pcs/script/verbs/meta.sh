
# meta ID NAME=VALUE...: meta attributes of a group.
meta() { has "//*[@id='$1']$(set_like meta "${@:2}")" || edit resource meta "$@"; }
