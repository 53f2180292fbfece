//! The program `nullcline`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cmd;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cmd::Cli::parse().run()
}
