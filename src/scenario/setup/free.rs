//! No service of ours: whatever resources the scenario has.

use super::SetUp;

pub(super) const SETUP: SetUp = SetUp {
    name: "free",
    title: "Resources of the scenario",
    role: "node",
    services: &[],
    needs: &[
        "- install pacemaker with its resource agents, corosync, pcs and fence-agents; on nodes with the role node also",
        "  resource-agents, inuvika-ha and what the resources start, switched off at boot (systemctl disable --now);",
    ],
    preference: 1,
    address: &["It starts on the first node of the scenario; the preference is too weak to move it back there later."],
    voters: "Nodes that only vote never run it.",
    router: false,
    group: None,
    repository: false,
    volumes: &[],
    unit: None,
    own_address: None,
    address_optional: true,
    by_hand: |_, _| Vec::new(),
};
