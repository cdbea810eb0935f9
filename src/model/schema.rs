//! JSON schemas of answers: the strict one that providers take, and the full one that answers are held to.
//!
//! Providers take a part of JSON Schema only: every property required, no further ones, no `$ref`, no `oneOf`, no
//! bounds. So the strict schema says less than the type; what it leaves out, [`full`] checks afterwards.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::answers::{Answer, ClassifyAnswer, ComposeAnswer, GatherAnswer, SummaryAnswer, TranslateAnswer};

/// What strict mode refuses, or what says nothing to a model.
const LEFT_OUT: [&str; 16] = [
    "$schema",
    "default",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "title",
    "uniqueItems",
];

/// The schema of `T` as strict mode takes it.
#[must_use]
pub fn strict<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tighten).transform(&mut schema);
    schema.to_value()
}

/// The schema of `T` with its bounds: what an answer must hold to, however it was asked for. What it has besides is
/// nobody's harm.
#[must_use]
pub fn full<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The strict schema of the answer of that name.
#[must_use]
pub fn of_answer(name: &str) -> Option<Value> {
    Some(match name {
        ClassifyAnswer::NAME => strict::<ClassifyAnswer>(),
        GatherAnswer::NAME => strict::<GatherAnswer>(),
        ComposeAnswer::NAME => strict::<ComposeAnswer>(),
        SummaryAnswer::NAME => strict::<SummaryAnswer>(),
        TranslateAnswer::NAME => strict::<TranslateAnswer>(),
        _ => return None,
    })
}

/// One schema; called for every schema within. A property that is named like a keyword stays: properties are no schema.
fn tighten(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    for keyword in LEFT_OUT {
        object.remove(keyword);
    }
    if let Some(variants) = object.remove("oneOf") {
        match words(&variants) {
            Some(words) => {
                object.insert("type".to_owned(), "string".into());
                object.insert("enum".to_owned(), words);
            }
            None => {
                object.insert("anyOf".to_owned(), variants);
            }
        }
    }
    if object.get("type").is_some_and(|kind| kind == "object") {
        let properties = object.get("properties").and_then(Value::as_object);
        let names: Vec<Value> = properties.into_iter().flat_map(|p| p.keys().cloned().map(Value::String)).collect();
        object.insert("required".to_owned(), names.into());
        object.insert("additionalProperties".to_owned(), false.into());
    }
}

/// The words of an enumeration whose variants are told one by one.
fn words(variants: &Value) -> Option<Value> {
    variants.as_array()?.iter().map(|variant| variant.get("const").filter(|word| word.is_string()).cloned()).collect()
}
