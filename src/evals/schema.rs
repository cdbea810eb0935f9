//! JSON Schemas of the files of evaluations, from the same types that read and write them.
//!
//! They stand checked in under `evals/schemas/`, where an editor and other programs find them; a test compares them.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use super::case::EvalCase;
use super::defaults::Defaults;
use super::folder::RunRecord;
use super::row::Row;
use super::score::judge::Rubric;
use super::suite::Suite;
use super::verdict::Verdict;

/// File name → JSON Schema (draft 2020-12).
#[must_use]
pub fn schemas() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("case.schema.json", schema::<EvalCase>()),
        ("defaults.schema.json", schema::<Defaults>()),
        ("row.schema.json", schema::<Row>()),
        ("rubric.schema.json", schema::<Rubric>()),
        ("run.schema.json", schema::<RunRecord>()),
        ("suite.schema.json", schema::<Suite>()),
        ("verdict.schema.json", schema::<Verdict>()),
    ])
}

fn schema<T: JsonSchema>() -> Value {
    SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>().to_value()
}
