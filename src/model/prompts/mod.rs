//! The prompts: one Markdown file each, which people read and edit.
//!
//! A prompt has a system part, which is the same to the byte in every case of every municipality (so that it can be
//! reviewed once, and providers' caches hit), and a user part into which the values of a case are put behind a
//! [`Fence`]. [`Prompts::load`] reads the folder at the start and finds every fault there is; what it gives cannot be
//! wrong in form. The hash of a prompt stands in every draft that was made with it.

mod fence;
mod file;
mod id;
mod sample;
mod values;

use std::path::Path;

use minijinja::Environment;
use sha2::{Digest as _, Sha256};

use super::chat::{Message, Sampling};
use super::masking::Masked;
use crate::cases::hex;
use crate::municipality::Faults;
use crate::text::tokens;

pub use fence::{Fence, is_word, without_keys};
pub use id::{Kind, PromptId, Variable};
pub use sample::{sample, sample_of_repair};
pub use values::{RenderError, Row, Values};

/// Every prompt.
#[derive(Debug)]
pub struct Prompts {
    /// In the order of [`PromptId::ALL`].
    all: [Prompt; PromptId::ALL.len()],
    hash: String,
}

impl Prompts {
    /// Reads the prompts of a folder.
    ///
    /// # Errors
    /// Every fault of every file: what is wrong and what to write instead.
    pub fn load(folder: &Path) -> Result<Self, Faults> {
        let all = file::read_folder(folder)?;
        let mut hash = Sha256::new();
        for prompt in &all {
            hash.update(&prompt.hash);
        }
        Ok(Self { all, hash: hex(&hash.finalize()) })
    }

    /// One prompt.
    #[must_use]
    pub fn get(&self, id: PromptId) -> &Prompt {
        &self.all[id as usize]
    }

    /// All of them, in the order of a case.
    pub fn iter(&self) -> impl Iterator<Item = &Prompt> {
        self.all.iter()
    }

    /// Hash over all prompts.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// One prompt.
#[derive(Debug)]
pub struct Prompt {
    /// Which.
    pub id: PromptId,
    /// Its version; people count it up.
    pub version: u32,
    /// What it is for, in one line.
    pub purpose: String,
    /// Hash of its file.
    pub hash: String,
    /// How its answer is drawn.
    pub sampling: Sampling,
    system: String,
    parts: Environment<'static>,
}

/// Words in a row by which an answer is known to repeat its instructions.
const REPEATED: usize = 8;

/// The parts that are templates.
const USER: &str = "user";
const REPAIR: &str = "repair";

impl Prompt {
    /// Whether a text repeats the instructions: so many words of them in a row are no accident, unless `letter` has
    /// them, too; examples in a prompt may be sentences that a policy really has.
    #[must_use]
    pub fn is_repeated_in(&self, text: &str, letter: &str) -> bool {
        let words = |text: &str| tokens(text).into_iter().map(|token| token.word).collect::<Vec<_>>();
        let said = words(text);
        if said.len() < REPEATED {
            return false;
        }
        let line = |text: &str| format!(" {} ", words(text).join(" "));
        let (own, known) = (line(&self.system), line(letter));
        let mut runs = said.windows(REPEATED).map(|run| format!(" {} ", run.join(" ")));
        runs.any(|run| own.contains(&run) && !known.contains(&run))
    }

    /// The prompt with its version, `classify@1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// The part that is the same in every case.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.system
    }

    /// The beginning of a conversation: the system part, then the values of a case.
    ///
    /// # Errors
    /// When `values` are not the variables of this prompt.
    pub fn render(&self, values: &Values, fence: &Fence) -> Result<Vec<Message>, RenderError> {
        let user = self.fill(USER, self.id.variables(), values, fence)?;
        // Prompts are public, values are masked.
        Ok(vec![Message::System(Masked::public(&self.system)), Message::User(Masked::public(user))])
    }

    /// What is said when an answer failed the checks; for the prompts that have a repair part.
    ///
    /// # Errors
    /// When the prompt has no such part, or `values` are not its variables.
    pub fn repair(&self, values: &Values, fence: &Fence) -> Result<Message, RenderError> {
        let words = self.fill(REPAIR, self.id.repair_variables(), values, fence)?;
        Ok(Message::User(Masked::public(words)))
    }

    fn fill(
        &self,
        part: &'static str,
        variables: &[Variable],
        values: &Values,
        fence: &Fence,
    ) -> Result<String, RenderError> {
        let cannot = |_| RenderError::Template { prompt: self.id, part };
        let template = self.parts.get_template(part).map_err(cannot)?;
        let values = values.fenced(self.id, variables, fence)?;
        template.render(values).map_err(cannot)
    }
}
