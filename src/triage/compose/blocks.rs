//! Fixed blocks of the pack, filled in with values that code worked out.
//!
//! A block is a template that people of the municipality wrote; the values are plain text and are never
//! read as templates, whatever a stranger put into them.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, Value};

use super::Material;
use crate::cases::{Language, Part, PartKind};
use crate::municipality::TextBlock;
use crate::triage::Error;

/// Fills blocks in one language and remembers which it used.
pub struct Blocks<'a> {
    material: &'a Material<'a>,
    language: Language,
    values: BTreeMap<&'static str, Value>,
    used: Vec<String>,
}

impl<'a> Blocks<'a> {
    /// Blocks in `language`.
    pub fn new(material: &'a Material<'a>, language: Language) -> Self {
        Self { material, language, values: BTreeMap::new(), used: Vec::new() }
    }

    /// The language.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Gives a value to the blocks.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.values.insert(name, value.into().into());
    }

    /// Gives values to the blocks under one name: `{{ facts.road_name }}`.
    pub fn set_all(&mut self, name: &'static str, values: BTreeMap<String, String>) {
        self.values.insert(name, Value::from_pairs(values));
    }

    /// A part from the block `id`.
    pub fn part(&mut self, kind: PartKind, id: &str) -> Result<Part, Error> {
        let (title, text) = self.fill(id)?;
        Ok(Part { kind, title, text })
    }

    /// The words of the block `id`, without its heading.
    pub fn text(&mut self, id: &str) -> Result<String, Error> {
        self.fill(id).map(|(_, text)| text)
    }

    /// Whether the pack has the block `id` in this language, the service's own or the common one.
    pub fn has(&self, id: &str) -> bool {
        self.block(id).is_some()
    }

    /// Whether the pack has a block `id` of the service's own in this language.
    pub fn has_own(&self, id: &str) -> bool {
        let Material { desk, service, at, .. } = *self.material;
        service.is_some_and(|service| {
            desk.rulebook.pack.text(&format!("{id}-{}", service.id), self.language, at.today()).is_some()
        })
    }

    fn block(&self, id: &str) -> Option<&'a TextBlock> {
        let Material { desk, service, at, .. } = *self.material;
        desk.rulebook.pack.text_of(id, service.map(|service| &service.id), self.language, at.today())
    }

    /// Every block used, `id@version`, each once, in order of use.
    pub fn used(self) -> Vec<String> {
        self.used
    }

    fn fill(&mut self, id: &str) -> Result<(Option<String>, String), Error> {
        let pack = &self.material.desk.rulebook.pack;
        let lacks = |what: String| Error::Pack { municipality: pack.municipality.id.clone(), what };
        let block = self.block(id).ok_or_else(|| lacks(format!("the text `{id}` in `{}`", self.language)))?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let text = environment
            .render_str(&block.body, &self.values)
            .map_err(|fault| lacks(format!("a value for the text `{id}` in `{}`: {fault}", self.language)))?;
        let used = format!("{}@{}", block.id, block.version);
        if !self.used.contains(&used) {
            self.used.push(used);
        }
        Ok((block.title.clone(), text.trim().to_owned()))
    }
}
