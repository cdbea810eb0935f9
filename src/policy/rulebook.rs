//! Everything that binds in one municipality: its pack and its library, read together and checked against
//! each other. What exists as a [`Rulebook`] has no fault; a municipality with one is not served.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::check;
use super::library::Library;
use crate::cases::MunicipalityId;
use crate::cases::hex;
use crate::municipality::pack::FileHash;
use crate::municipality::{Faults, Pack};

/// Everything that binds in one municipality.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// Services, delegation, authorities, texts.
    pub pack: Pack,
    /// Policies and statutes.
    pub library: Library,
    /// SHA-256 over every file of both, hexadecimal: the same hash, the same drafts.
    pub hash: String,
}

impl Rulebook {
    /// Reads and checks everything of one municipality below `root` (the folder `policies`).
    ///
    /// # Errors
    /// Every fault that was found, with file and line.
    pub fn load(root: &Path, id: &MunicipalityId) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let rulebook = Self::read(root, id, &mut faults);
        faults.sort();
        match rulebook {
            Some(rulebook) if faults.is_empty() => Ok(rulebook),
            _ => Err(faults),
        }
    }

    pub(super) fn read(root: &Path, id: &MunicipalityId, faults: &mut Faults) -> Option<Self> {
        let before = faults.len();
        let pack = Pack::read(root, id, faults)?;
        let pack_sound = faults.len() == before;
        let mut files = FileHash::default();
        let before = faults.len();
        let mut library = Library::read(root, &pack, &mut files, faults);
        // A document with a fault fails its cases, a service with one is missed by all that names it: first things first.
        let sound = faults.len() == before;
        if pack_sound {
            check::facts(&pack, &library, faults);
        }
        if sound {
            library.worked = check::worked_cases(root, &pack.municipality, &library, faults);
        }
        if sound && pack_sound {
            check::services(&pack, &library, faults);
        }
        let mut hash = Sha256::new();
        hash.update(pack.hash.as_bytes());
        hash.update(files.finish().as_bytes());
        Some(Self { hash: hex(&hash.finalize()), pack, library })
    }
}

/// The rulebooks of every municipality below a folder.
#[derive(Debug, Clone, Default)]
pub struct Rulebooks(BTreeMap<MunicipalityId, Arc<Rulebook>>);

impl Rulebooks {
    /// Reads and checks every municipality below `root`.
    ///
    /// # Errors
    /// Every fault of every municipality, each once.
    pub fn load_all(root: &Path) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut rulebooks = BTreeMap::new();
        for id in check::municipalities(root, &mut faults) {
            if let Some(rulebook) = Rulebook::read(root, &id, &mut faults) {
                rulebooks.insert(id, Arc::new(rulebook));
            }
        }
        faults.sort();
        if faults.is_empty() { Ok(Self(rulebooks)) } else { Err(faults) }
    }

    /// Reads and checks every municipality below `root` on its own: its rulebook, or everything that is wrong in it. What
    /// is wrong in the base pack is wrong in each.
    ///
    /// # Errors
    /// What is wrong with the folder as a whole.
    pub fn load_each(root: &Path) -> Result<BTreeMap<MunicipalityId, Result<Rulebook, Faults>>, Faults> {
        let mut faults = Faults::new();
        let ids = check::municipalities(root, &mut faults);
        faults.sort();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(ids.into_iter().map(|id| (id.clone(), Rulebook::load(root, &id))).collect())
    }

    /// The rulebook of a municipality.
    #[must_use]
    pub fn get(&self, id: &MunicipalityId) -> Option<Arc<Rulebook>> {
        self.0.get(id).cloned()
    }

    /// All rulebooks, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&MunicipalityId, &Arc<Rulebook>)> {
        self.0.iter()
    }
}

impl FromIterator<Rulebook> for Rulebooks {
    fn from_iter<I: IntoIterator<Item = Rulebook>>(rulebooks: I) -> Self {
        rulebooks.into_iter().map(Arc::new).collect()
    }
}

impl FromIterator<Arc<Rulebook>> for Rulebooks {
    fn from_iter<I: IntoIterator<Item = Arc<Rulebook>>>(rulebooks: I) -> Self {
        Self(rulebooks.into_iter().map(|book| (book.pack.municipality.id.clone(), book)).collect())
    }
}

/// SHA-256 over every file below `root` that a pack may be read from, by its path: whether anything changed since.
/// What cannot be read counts as empty; reading it as a pack tells why.
#[must_use]
pub fn fingerprint(root: &Path) -> String {
    let mut hash = FileHash::default();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for path in std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()) {
            // A circle of links would have no end.
            if path.is_dir() && depth < DEEPEST {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|ending| READ.iter().any(|read| ending == *read)) {
                hash.add(root, &path, &std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    hash.finish()
}

/// How many folders deep files are looked for: `NAME/texts/fi` and a little more.
const DEEPEST: u32 = 6;

/// The endings of files that packs are read from.
const READ: [&str; 3] = ["md", "yaml", "jsonl"];
