//! inuvika-ha(8) with every sub-command, and completions for shells: from the command line's own description.

use clap::{Arg, Command, builder::PossibleValuesParser};
use clap_complete::{Shell, generate};
use inuvika_ha::agents::specs;
use inuvika_ha::cli;

use super::roff::Page;
use super::{Files, compare};

/// Commands of the page, with what they are for. Each has to be one that the program takes.
const EXAMPLES: [(&str, &str); 7] = [
    (
        "A scenario to start from, the script that every node needs first, and the one that makes the cluster:",
        "inuvika-ha init ovd-session-manager -o scenario.toml\ninuvika-ha pcs --part prepare --for debian12 scenario.toml\ninuvika-ha pcs scenario.toml",
    ),
    ("Links for Pacemaker, where no package has made them:", "inuvika-ha agents --links"),
    (
        "What a resource is like, with the parameters that the cluster has for it; as a table, and as data:",
        "inuvika-ha agent ovd-osm monitor --depth 20 --resource session_manager\ninuvika-ha agent ovd-osm monitor --resource session_manager --json",
    ),
    ("What an agent can do, and its parameters:", "inuvika-ha agent ovd-vip-src help"),
    ("Stopped by hand although Pacemaker manages it:", "inuvika-ha agent ovd-vip-src stop --force --resource vip_src"),
    (
        "The real servers of a director, and one of them taken out:",
        "inuvika-ha lvs show\ninuvika-ha lvs drain 192.0.2.21 --wait",
    ),
    ("Data that replication has kept from being overwritten:", "inuvika-ha replica list"),
];

/// The command line with its values filled in, and no help command.
pub fn command() -> Command {
    let mut command = cli::command().disable_help_subcommand(true);
    let agents = || PossibleValuesParser::new(specs().map(|spec| spec.name));
    // An argument that is changed goes to the end, unless its place is said.
    command = command.mut_subcommand("agent", |agent| {
        let agent = agent.mut_arg("name", |name| name.index(1).value_parser(agents()));
        agent.mut_arg("words", |words| words.index(2))
    });
    command.build();
    command
}

/// All commands with their words, in the order of the help, without the hidden ones.
fn all(command: &Command) -> Vec<(String, &Command)> {
    let mut found = Vec::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        found.push((sub.get_name().to_owned(), sub));
        found.extend(all(sub).into_iter().map(|(words, deeper)| (format!("{} {words}", sub.get_name()), deeper)));
    }
    found
}

fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    let ours = |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    command.get_arguments().filter(ours)
}

/// An option or argument as it is written.
fn term(arg: &Arg) -> String {
    let names: Vec<String> = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let value = if names.is_empty() { arg.get_id().as_str().to_uppercase() } else { names.join(" ") };
    if arg.is_positional() {
        let more = if arg.get_num_args().is_some_and(|range| range.max_values() > 1) { "..." } else { "" };
        return if arg.is_required_set() { format!("{value}{more}") } else { format!("[{value}{more}]") };
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let words: Vec<String> = short.into_iter().chain(long).collect();
    let takes = arg.get_action().takes_values();
    if takes { format!("{} {value}", words.join(", ")) } else { words.join(", ") }
}

fn help(arg: &Arg) -> String {
    let text = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = text.trim().to_owned();
    if !text.ends_with(['.', ':', ')']) {
        text.push('.');
    }
    let hidden = arg.is_hide_possible_values_set() || !arg.get_action().takes_values();
    for value in arg.get_possible_values().iter().filter(|value| !hidden && !value.is_hide_set()) {
        let about = value.get_help().map(|about| format!(": {about}")).unwrap_or_default();
        text.push_str(&format!("\n\n{}{about}.", value.get_name()));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() && !defaults.iter().all(|value| value.is_empty()) {
        text.push_str(&format!("\n\nDefault: {}.", defaults.join(" ")));
    }
    text
}

fn usage(words: &str, command: &Command) -> String {
    let mut text = format!("inuvika-ha {words}");
    if shown(command).any(|arg| !arg.is_positional()) {
        text.push_str(" [OPTIONS]");
    }
    for arg in shown(command).filter(|arg| arg.is_positional()) {
        text.push_str(&format!(" {}", term(arg)));
    }
    if command.has_subcommands() {
        text.push_str(" COMMAND");
    }
    text
}

/// The page.
pub fn page() -> String {
    let command = command();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut page = Page::new("inuvika-ha", 8, "System administration", about.trim_end_matches('.'));
    page.section("SYNOPSIS").paragraphs("inuvika-ha COMMAND [OPTIONS] [ARGUMENTS]");
    page.section("DESCRIPTION").paragraphs(
        "One program: OCF resource agents, which Pacemaker calls by links of their names, and this command line. It makes a cluster \
         from a scenario file, and looks at, tries and mends by hand what the agents do.\n\nEvery command has --help.",
    );
    page.section("COMMANDS");
    for (words, sub) in all(&command) {
        page.part(&usage(&words, sub));
        let text = sub.get_long_about().or(sub.get_about()).map(ToString::to_string).unwrap_or_default();
        page.paragraphs(&text);
        for arg in shown(sub) {
            page.term(&term(arg), &help(arg));
        }
        if words == "agent" {
            for (term, text) in inuvika_ha::ocf::by_hand::OPTIONS {
                page.term(term, text);
            }
        }
        if let Some(more) = sub.get_after_long_help().or(sub.get_after_help()) {
            page.paragraphs(&more.to_string());
        }
    }
    page.section("EXIT STATUS");
    page.paragraphs(
        &command.get_after_help().map(ToString::to_string).unwrap_or_default().replace("Exit codes:\n", ""),
    );
    page.section("EXAMPLES");
    for (what, lines) in EXAMPLES {
        page.paragraphs(what).code(lines);
    }
    page.section("FILES");
    for (file, what) in [
        ("/usr/lib/ocf/resource.d/inuvika/", "The links that Pacemaker calls."),
        ("/run/inuvika-ha/", "What running resources remember: gone with them, and after a reboot."),
        ("/var/lib/inuvika-ha/", "What has to survive a reboot, such as files that replication has kept."),
        ("/etc/default/NAME, /etc/sysconfig/NAME", "Settings of the scripts in /etc/init.d."),
    ] {
        page.term(file, what);
    }
    let agents = specs().map(|spec| (super::agents::page_name(spec.name), 7));
    let others = [("inuvika-ha-scenario", 5), ("inuvika-alert", 8)].map(|(name, section)| (name.to_owned(), section));
    page.see_also(&others.into_iter().chain(agents).collect::<Vec<_>>());
    page.source()
}

fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    generate(shell, &mut command(), "inuvika-ha", &mut text);
    // For bash clap_complete (4.6) spells the name of a program with a dash in two ways.
    String::from_utf8(text).unwrap().replace("inuvika__subcmd__ha__subcmd__", "inuvika__ha__subcmd__")
}

#[test]
fn completions_are_as_shipped() {
    let shells = [("inuvika-ha.bash", Shell::Bash), ("_inuvika-ha", Shell::Zsh), ("inuvika-ha.fish", Shell::Fish)];
    let files: Files = shells.map(|(name, shell)| (name.to_owned(), completions(shell))).into();
    compare("completions", &files, &[], 0o644);
}

#[test]
fn every_command_and_option_is_documented() {
    let (command, page) = (command(), page().replace("\\-", "-"));
    let commands = all(&command);
    assert!(commands.len() > 10, "{}", commands.len());
    for (words, sub) in commands {
        let part =
            page.split_once(&format!(".SS \"{}", usage(&words, sub))).unwrap_or_else(|| panic!("{words} is missing")).1;
        let part = part.split("\n.S").next().unwrap();
        assert!(part.lines().nth(1).is_some_and(|line| !line.starts_with(".TP")), "{words} is not explained");
        for arg in shown(sub) {
            assert!(part.contains(&format!(".B \"{}\"\n", term(arg))), "{words}: {} is missing", term(arg));
            assert!(help(arg).len() > 3, "{words}: {} is not explained", term(arg));
        }
    }
}

#[test]
fn the_examples_are_what_the_program_takes() {
    for line in EXAMPLES.iter().flat_map(|(_, lines)| lines.lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Err(error) = command().try_get_matches_from(words) {
            panic!("{line}: {error}");
        }
    }
}

/// One after the other, as they stand there.
#[test]
fn the_examples_that_need_no_cluster_run() {
    let alone = ["inuvika-ha init ", "inuvika-ha pcs ", "inuvika-ha agents", "inuvika-ha agent ovd-vip-src help"];
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = EXAMPLES.iter().flat_map(|(_, lines)| lines.lines()).collect();
    let lines: Vec<&&str> = lines.iter().filter(|line| alone.iter().any(|begin| line.starts_with(begin))).collect();
    assert!(lines.len() >= alone.len(), "{lines:?}");
    for line in lines {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_inuvika-ha"));
        let output = command.current_dir(folder.path()).args(line.split(' ').skip(1)).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    }
}

/// bash itself reads and uses its completions.
#[test]
fn bash_completes_commands_agents_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inuvika-ha.bash");
    std::fs::write(&file, completions(Shell::Bash)).unwrap();
    for (line, wanted) in
        [("inuvika-ha ag", "agents"), ("inuvika-ha agent ovd-v", "ovd-vip-src"), ("inuvika-ha init --g", "--guide")]
    {
        let words: Vec<&str> = line.split(' ').collect();
        let script = format!(
            "source {}\nCOMP_WORDS=({line}); COMP_CWORD={}; _inuvika__ha inuvika-ha {} {}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            said.lines().any(|word| word == wanted),
            "{line}: {said:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
