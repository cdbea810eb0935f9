//! `vireille extract`: one file from standard input, the text of its pages to standard output. Hidden: this program
//! starts it for itself, for each file that came along ([`crate::intake::extract`]).

use clap::Args;

use super::{Exit, Failure};
use crate::intake::extract::Kind;
use crate::intake::extract::child::{self, Allowance};

/// Reads one file.
#[derive(Debug, Args)]
pub(super) struct Extract {
    /// What it is read as.
    #[arg(long)]
    kind: Kind,
    /// Memory beyond what the program itself takes, bytes.
    #[arg(long, default_value_t = 512 << 20)]
    memory: u64,
    /// Processor time, seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

impl Extract {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        child::run(self.kind, Allowance { memory: self.memory, seconds: self.seconds })?;
        Ok(Exit::Ok)
    }
}
