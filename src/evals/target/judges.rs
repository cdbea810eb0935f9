//! The models that judge: the same door as the models that answer, and counted the same way.

use std::path::Path;
use std::sync::Arc;

use super::{Unusable, chat};
use crate::clock::Ambient;
use crate::config::Config;
use crate::evals::load::Loaded;
use crate::evals::meter::Metered;
use crate::evals::suite::{ModelChoice, RunSettings, Suite};
use crate::model::accounts::prices::Prices;
use crate::model::chat::ChatModel;

/// A judge of a suite; what it said is recorded under `judges` of the suite's cassettes. Nothing is sent.
///
/// # Errors
/// [`Unusable`].
pub fn connect(
    loaded: &Loaded,
    config: &Config,
    judge: &ModelChoice,
    ambient: &Ambient,
) -> Result<Arc<dyn ChatModel>, Unusable> {
    let cassettes = loaded.cassettes().join("judges");
    // A judge that is asked again about another epoch says so in its request.
    let run = RunSettings { epochs: 1, ..loaded.suite.run.clone() };
    let suite = Suite { run, ..loaded.suite.clone() };
    let models = chat::models(&suite, config, Some(judge), Path::new(&cassettes), ambient)?;
    let model = models.each.into_iter().next();
    let model = model.ok_or_else(|| Unusable::Component(format!("`{}` cannot judge", judge.id)))?;
    let prices = Arc::new(Prices::load(&config.budget.prices)?);
    let name = judge.id.rsplit('/').next().unwrap_or(&judge.id);
    Ok(Arc::new(Metered::new(model, name, &prices, ambient)))
}
