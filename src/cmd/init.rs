//! `nullcline init`: a model to start from.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, ValueHint};
use nullcline::runtime::io::Fault as FileFault;

use super::fault::{DONE, Fault};
use super::print;

/// The model, with `FILE` where its own name belongs.
const STARTER: &str = include_str!("starter.yaml");

/// Write a commented model to start from
#[derive(Args)]
#[command(after_help = "Example:\n  nullcline init model.yaml && nullcline run model.yaml --plot model.svg")]
pub struct Init {
    /// File to write; one that exists is left alone
    #[arg(value_name = "FILE", default_value = "model.yaml", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

impl Init {
    /// Runs the command.
    pub fn run(self) -> Result<u8, Fault> {
        let file = self.file.display().to_string();
        let refused = |error: std::io::Error| match error.kind() {
            ErrorKind::AlreadyExists => FileFault::write(&self.file, "it exists already")
                .with_help("choose another name: `nullcline init FILE`"),
            ErrorKind::NotFound => FileFault::write(&self.file, "its directory does not exist"),
            _ => FileFault::write_os(&self.file, &error),
        };
        let mut out = OpenOptions::new().write(true).create_new(true).open(&self.file).map_err(refused)?;
        out.write_all(STARTER.replace("FILE", &file).as_bytes()).map_err(refused)?;
        print::out(&format!("wrote {file}; now try\n  nullcline run {file} --plot model.svg\n"));
        Ok(DONE)
    }
}
