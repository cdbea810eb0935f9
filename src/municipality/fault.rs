//! What is wrong in a file that people edit: where, what, and what to write instead.
//!
//! An officer reads these, not a programmer. Whoever adds a fault says all three things; a reader of
//! files collects every fault it can find before it gives up.

use std::fmt;
use std::path::{Path, PathBuf};

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[schema(as = FileFault)]
pub struct Fault {
    /// The file, as a path that the reader can open.
    #[schema(value_type = String)]
    pub file: PathBuf,
    /// The line, from 1; none when the fault is the file itself or its absence.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it, beginning with a verb: ``write `rejection` ``.
    pub instead: String,
}

impl fmt::Display for Fault {
    /// `policies/x.yaml:12: what is wrong → what to write instead`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} → {}", self.what, self.instead)
    }
}

/// Every fault that was found, in the order of files and lines once [sorted](Faults::sort).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Nothing wrong yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Notes a fault.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Notes a fault at a line of a file.
    pub fn at(
        &mut self,
        file: impl AsRef<Path>,
        line: impl Into<Option<usize>>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) {
        self.0.push(Fault {
            file: file.as_ref().to_owned(),
            line: line.into(),
            what: what.into(),
            instead: instead.into(),
        });
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much is wrong.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The faults.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Takes over another reader's faults.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Puts the faults in the order of files and lines, each once.
    pub fn sort(&mut self) {
        self.0.sort();
        self.0.dedup();
    }
}

impl fmt::Display for Faults {
    /// One fault a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
