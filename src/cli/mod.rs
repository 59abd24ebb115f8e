//! The `inuvika-ha` command line: one file per sub-command.

mod agent;
mod alert;
mod diagram;
mod diff;
mod guard;
mod import;
mod init;
mod lint;
mod lock;
mod lsb;
mod lvs;
mod ofs_config;
mod pcs;
mod replica;
mod simulate;

use crate::out;
use clap::{CommandFactory, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something outside the input failed (a file cannot be read or written)
  2  the input is wrong (command line or scenario file); nothing was printed to standard output
'agent' ends with the OCF exit code of the action, 'lsb' with that of the LSB; 'import' with 3 when the result has
open questions; 'simulate' with 1, too, when a single failure loses the service, and 'diff' with 1 when the cluster differs;
'lint' with 1 when it finds an error.";

/// High availability of Inuvika OVD, Abiquo and LVS with Pacemaker.
#[derive(Debug, Parser)]
#[command(name = "inuvika-ha", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Agent(agent::Agent),
    Agents(agent::Agents),
    Alert(alert::Alert),
    Diagram(diagram::Diagram),
    Diff(diff::Diff),
    Import(import::Import),
    Init(init::Init),
    Lint(lint::Lint),
    LockIsHeld(lock::LockIsHeld),
    Lsb(lsb::Lsb),
    Lvs(lvs::Lvs),
    OfsConfig(ofs_config::OfsConfig),
    Pcs(pcs::Pcs),
    Replica(replica::Replica),
    Simulate(simulate::Simulate),
}

/// Why a sub-command ends without success.
#[derive(Debug)]
enum Failure {
    /// The input is wrong; the text is a whole line.
    Input(String),
    /// Something outside the input failed.
    Outside(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Outside(error)
    }
}

/// The description of the command line: manuals and completions are made of it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line; its exit code.
pub fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // --help and --version arrive here, too.
            let text = answer.render().to_string();
            if answer.use_stderr() {
                out::stderr(&text);
            } else {
                out::stdout(&text);
            }
            return u8::try_from(answer.exit_code()).unwrap_or(2);
        }
    };
    let result = match cli.command {
        Command::Agent(agent) => match agent.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Agents(agents) => agents.run(),
        Command::Alert(alert) => alert.run(),
        Command::Diagram(diagram) => diagram.run(),
        Command::Diff(diff) => match diff.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Import(import) => match import.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Init(init) => init.run(),
        Command::Lint(lint) => match lint.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::LockIsHeld(lock) => lock.run(),
        Command::Lsb(lsb) => match lsb.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Lvs(lvs) => lvs.run(),
        Command::OfsConfig(config) => config.run(),
        Command::Pcs(pcs) => pcs.run(),
        Command::Replica(replica) => match replica.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
        Command::Simulate(simulate) => match simulate.run() {
            Ok(code) => return code,
            Err(failure) => Err(failure),
        },
    };
    match result {
        Ok(()) => 0,
        Err(Failure::Input(line)) => {
            out::stderr(&format!("{line}\n"));
            2
        }
        Err(Failure::Outside(error)) => {
            out::stderr(&format!("inuvika-ha: {error:#}\n"));
            1
        }
    }
}

/// Prints data.
fn print(text: &str) -> Result<(), Failure> {
    if out::stdout(text) { Ok(()) } else { Err(anyhow::anyhow!("write to standard output: nobody reads it").into()) }
}
