//! The fixed parts of the script that depend on the version of pcs: marks in the texts beside this file, and what stands for them.

use super::feature::Feature;
use super::target::Target;
use super::version::Version;

/// Where pcsd answers differently from here on when there is no corosync.conf.
const ANSWERS_400: Version = Version(0, 10, 6);

/// A text with every mark of it replaced by the form that is right for the target.
pub(super) fn fill(text: &str, target: &Target) -> String {
    let pick = |feature, with: &'static str, without: &'static str| if target.has(feature) { with } else { without };
    let defaults = match (target.has(Feature::DefaultsUpdate), target.has(Feature::DefaultsPlain)) {
        (true, _) => "edit resource defaults update \"$@\"",
        (_, true) => "edit resource defaults \"$@\"",
        _ => "set_defaults rsc_defaults \"$@\"",
    };
    let operation_defaults = match (target.has(Feature::DefaultsUpdate), target.has(Feature::DefaultsPlain)) {
        (true, _) => "edit resource op defaults update \"$@\"",
        (_, true) => "edit resource op defaults \"$@\"",
        _ => "set_defaults op_defaults \"$@\"",
    };
    // Where no form is right in every version, a tool of Pacemaker takes it out.
    let remove_level = pick(
        Feature::LevelTarget,
        "edit stonith level remove \"$level\" target \"$node\"",
        "say \"    cibadmin: takes level $level of $node out\"\n            \
         CIB_file=\"$work/new.xml\" cibadmin --delete --xpath \"$path\" >/dev/null 2>&1 || die \"cannot remove $path\"",
    );
    let no_configuration = match (target.has(Feature::NoConfigurationIs400), target.is_before(ANSWERS_400)) {
        (true, _) => "*'HTTP error: 400'*",
        (_, true) => "*'HTTP error: 500'*",
        _ => "*'HTTP error: 400'* | *'HTTP error: 500'*",
    };
    let by_hand = "edit corosync.conf, then pcs cluster sync, and restart corosync on one node after the other";
    let location = pick(
        Feature::ScoreByName,
        "constraint location add \"$id\" \"$1\" \"$2\" \"score=$4\" \"${@:5}\"",
        // Two dashes: else a score below zero would be an option.
        "-- constraint location add \"$id\" \"$1\" \"$2\" \"${@:4}\"",
    );
    // Without addresses of their own, nodes are their names in the first ring, and there can be one other.
    let addresses = pick(
        Feature::Addresses,
        "        wanted=\"${addresses[*]:i * links:links}\"\n",
        "        wanted=\"${nodes[i]} ${addresses[*]:i * links + 1:links > 1}\"\n        wanted=${wanted% }\n",
    );
    let check = match (target.has(Feature::PushDifference), "same_now ||\n    die 'somebody changed the configuration")
    {
        (true, _) => String::new(),
        (false, start) => format!("{start} meanwhile: nothing was pushed, run this again'\n"),
    };
    let settled = "    crm_resource --wait --timeout=300 >/dev/null 2>&1 ||\n        \
                   die \"the cluster did not settle in 300 s: see pcs status; the old configuration is $backup\"\n";
    let marks = [
        ("@DEFAULTS@", defaults),
        ("@OP_DEFAULTS@", operation_defaults),
        ("@REMOVE_LEVEL@", remove_level),
        ("@NODE_ATTRIBUTE@", pick(Feature::NodeAttribute, "node attribute", "property set --node")),
        ("@WHERE@", pick(Feature::RuleAsText, "\"$*\"", "\"$@\"")),
        ("@CLONE@", pick(Feature::Promotable, "clone", "master")),
        (
            "@PROMOTABLE@",
            pick(Feature::Promotable, "edit resource promotable \"$1\" meta", "edit resource master \"$id\" \"$1\""),
        ),
        ("@ALSO@", pick(Feature::Promotable, "promotable=true ", "")),
        ("@NO_CONFIGURATION@", no_configuration),
        ("@AUTH@", pick(Feature::Addresses, "pcs host auth", "pcs cluster auth")),
        ("@TOKEN@", pick(Feature::ConfigUpdate, "pcs cluster config update totem token=$token", by_hand)),
        ("@LINKS@", pick(Feature::Addresses, "see \"pcs cluster link update\" (or add, remove)", by_hand)),
        ("@WANTED@\n", addresses),
        ("@LOCATION@", location),
        ("@RULE@", pick(Feature::RuleAsText, "\"${*:4}\"", "\"${@:4}\"")),
        (
            "@VERSION@",
            pick(
                Feature::Python3,
                "start_quick\n[ -n \"$version\" ] || version=$(pcs --version)",
                "version=$(pcs --version)",
            ),
        ),
        ("@END_QUICK@\n", pick(Feature::Python3, "end_quick\n", "")),
        ("@PYTHON@\n", pick(Feature::AskForAgents, "find_python\n", "")),
        ("@CHECK@\n", &check),
        ("@HOW@", pick(Feature::PushDifference, "diff-against=\"$work/orig.xml\"", "--config")),
        ("@WAIT@", pick(Feature::PushWait, " --wait=300", "")),
        (
            "@FAILED@",
            pick(Feature::PushWait, "the push failed or the cluster did not settle in 300 s", "the push failed"),
        ),
        ("@SETTLED@\n", pick(Feature::PushWait, "", settled)),
        ("@TITLE@", &target.title()),
    ];
    marks.iter().fold(text.to_owned(), |text, (mark, form)| text.replace(mark, form))
}
