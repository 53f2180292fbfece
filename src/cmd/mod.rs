//! The command line: parses arguments, calls the library, prints.

mod check;
mod choice;
mod compile;
mod devices;
mod explain;
mod fault;
mod init;
mod list;
mod model;
mod print;
mod progress;
mod run;
mod show;
mod signals;
mod sweep;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compiles neural-model templates and simulates them.
#[derive(Parser)]
#[command(
    name = "nullcline",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 110,
    after_help = "Examples:\n  \
        nullcline run jansen_rit --plot jansen_rit.svg\n  \
        nullcline run model.yaml --set p=120 --duration 5 --out out.csv\n  \
        nullcline sweep jansen_rit --grid C=60:140:41 --out table.csv\n  \
        nullcline check model.yaml\n\n\
        FILE is a template file, or the name of a template that ships with nullcline (`nullcline list`).\n\
        Exit codes: 0 done, 1 fault in the model or the run, 2 fault in the arguments, 130 stopped by Ctrl-C."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Sweep(Box<sweep::Sweep>),
    Check(check::Check),
    Compile(Box<compile::Compile>),
    List(list::List),
    Devices(devices::Devices),
    Show(show::Show),
    Init(init::Init),
}

impl Cli {
    /// Runs the chosen command.
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Run(run) => run.run(),
            Command::Sweep(sweep) => sweep.run(),
            Command::Check(check) => check.run(),
            Command::Compile(compile) => compile.run(),
            Command::List(list) => list.run(),
            Command::Devices(devices) => devices.run(),
            Command::Show(show) => show.run(),
            Command::Init(init) => init.run(),
        };
        match done {
            Ok(code) => ExitCode::from(code),
            Err(fault) => {
                print::error(&fault.message);
                ExitCode::from(fault.code)
            }
        }
    }
}
