//! JSON Schemas of every file that people edit, from the same types that read them.
//!
//! They stand checked in under `policies/schemas/`, where an editor finds them; a test compares them.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use super::format::{CalculationBlock, FrontMatter, RoundBlock, RuleBlock, TableBlock, WorkedCases};
use crate::municipality::format::{
    AuthoritiesFile, DelegationFile, EmergencyFile, Example, InjectionFile, MunicipalityFile, ServiceFile,
    TextFrontMatter,
};

/// File name → JSON Schema (draft 2020-12).
#[must_use]
pub fn schemas() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("authorities.json", schema::<AuthoritiesFile>()),
        ("calculation.json", schema::<CalculationBlock>()),
        ("delegation.json", schema::<DelegationFile>()),
        ("emergency.json", schema::<EmergencyFile>()),
        ("example.json", schema::<Example>()),
        ("injection.json", schema::<InjectionFile>()),
        ("municipality.json", schema::<MunicipalityFile>()),
        ("policy-document.json", schema::<FrontMatter>()),
        ("round.json", schema::<RoundBlock>()),
        ("rule.json", schema::<RuleBlock>()),
        ("service.json", schema::<ServiceFile>()),
        ("table.json", schema::<TableBlock>()),
        ("text.json", schema::<TextFrontMatter>()),
        ("worked-cases.json", schema::<WorkedCases>()),
    ])
}

fn schema<T: JsonSchema>() -> Value {
    SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>().to_value()
}
