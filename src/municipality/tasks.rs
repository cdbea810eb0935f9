//! Words that tell whose a matter is where no category does (*toimivallan tunnusmerkit*): home care, a passport, a building
//! permit. People write them in `authorities.yaml` beside the rows of the directory that they lead to.
//!
//! A task names an authority or a post of the municipality, and the kinds of matters for which its words count. Time is
//! linear in the text.

use super::format::Task;
use super::patterns::Patterns;
use crate::cases::Matter;

/// The compiled tasks of a pack.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    all: Vec<Task>,
    patterns: Patterns,
}

impl Tasks {
    /// Compiles the rows.
    ///
    /// # Errors
    /// In words for the person who edits them, with the place of the row: no patterns, an impossible pattern.
    pub fn compile(rows: Vec<Task>) -> Result<Self, (String, String)> {
        let mut patterns = Patterns::default();
        for (number, task) in rows.iter().enumerate() {
            if task.patterns.is_empty() {
                return Err((task.id.clone(), format!("the task `{}` has no patterns", task.id)));
            }
            for pattern in &task.patterns {
                let wrong = |what: String| (task.id.clone(), format!("the task `{}`: {what}", task.id));
                patterns.add(pattern, Some(number)).map_err(wrong)?;
            }
        }
        Ok(Self { all: rows, patterns })
    }

    /// The first task whose words stand in a text about such a matter, and the words.
    #[must_use]
    pub fn find(&self, text: &str, matter: Matter) -> Option<(&Task, String)> {
        let counts = |task: &&Task| task.matters.contains(&matter);
        self.patterns.find(text).into_iter().find_map(|found| {
            let task = self.all.get(found.group).filter(counts)?;
            Some((task, text[found.start..found.end].to_owned()))
        })
    }

    /// Every row.
    #[must_use]
    pub fn rows(&self) -> &[Task] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, patterns: &[&str], matters: &[Matter]) -> Task {
        Task {
            id: id.to_owned(),
            matters: matters.to_vec(),
            authority: Some("kela".parse().unwrap()),
            decider: None,
            patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        }
    }

    #[test]
    fn words_count_for_the_matters_that_the_task_names() {
        let rows = vec![
            task("benefits", &["asumistu*", "kela"], &[Matter::OtherAuthority]),
            task("permits", &["rakennuslu*"], &[Matter::Question]),
        ];
        let tasks = Tasks::compile(rows).unwrap();
        let (found, words) = tasks.find("Kela ei maksa asumistukea.", Matter::OtherAuthority).unwrap();
        assert_eq!((found.id.as_str(), words.as_str()), ("benefits", "Kela"));
        assert!(tasks.find("Kela ei maksa asumistukea.", Matter::Feedback).is_none());
        assert_eq!(tasks.find("Tarvitsenko rakennusluvan?", Matter::Question).unwrap().0.id, "permits");
    }

    #[test]
    fn a_task_without_words_is_refused() {
        let (id, what) = Tasks::compile(vec![task("empty", &[], &[Matter::Question])]).unwrap_err();
        assert!(id == "empty" && what.contains("no patterns"));
    }
}
