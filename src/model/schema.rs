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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: [&str; 5] = ["classification", "facts", "composition", "summary", "comparison"];

    /// Every schema within a schema, itself included.
    fn within<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
        found.push(schema);
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|p| p.values());
        let variants = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        for inner in properties.chain(variants).chain(schema.get("items")) {
            within(inner, found);
        }
    }

    #[test]
    fn strict_schemas_use_only_what_strict_mode_takes() {
        const KNOWN: [&str; 8] =
            ["additionalProperties", "anyOf", "description", "enum", "items", "properties", "required", "type"];
        let mut objects = 0;
        for name in NAMES {
            let schema = of_answer(name).unwrap();
            let mut all = Vec::new();
            within(&schema, &mut all);
            for schema in all {
                let keywords = schema.as_object().unwrap();
                let unknown: Vec<_> = keywords.keys().filter(|keyword| !KNOWN.contains(&keyword.as_str())).collect();
                assert_eq!(unknown, Vec::<&String>::new(), "{name}: {schema}");
                if let Some(properties) = keywords.get("properties").and_then(Value::as_object) {
                    objects += 1;
                    let required: Vec<_> =
                        keywords["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                    assert_eq!(required, properties.keys().collect::<Vec<_>>(), "{name}");
                    assert_eq!(keywords["additionalProperties"], json!(false), "{name}");
                    for (property, schema) in properties {
                        assert!(
                            schema.get("description").is_some(),
                            "{name}: the model is told nothing of `{property}`"
                        );
                    }
                }
            }
            assert!(jsonschema::validator_for(&schema).is_ok(), "{name}");
        }
        assert_eq!(objects, 9);
        assert_eq!(of_answer("sonnet"), None);
    }

    #[test]
    fn an_optional_field_is_required_and_may_be_null() {
        let schema = strict::<ComposeAnswer>();
        assert_eq!(schema["properties"]["matter"]["type"], json!(["string", "null"]));
        assert_eq!(
            schema["properties"]["rulings"]["items"]["properties"]["outcome"]["enum"],
            json!(["met", "not_met"])
        );
    }

    #[test]
    fn a_property_named_like_a_keyword_stays() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Book {
            title: String,
            format: Option<u8>,
        }
        let schema = strict::<Book>();
        assert_eq!(schema["required"], json!(["format", "title"]));
        assert_eq!(schema["properties"]["format"], json!({ "type": ["integer", "null"] }));
    }

    #[test]
    fn the_full_schema_has_the_bounds_and_lets_what_is_left_out_be_unknown() {
        let full = jsonschema::validator_for(&full::<ComposeAnswer>()).unwrap();
        assert!(full.is_valid(&json!({ "reasons": [], "rulings": [], "mood": "good" })));
        assert!(!full.is_valid(&json!({ "reasons": [], "rulings": [], "matter": "x".repeat(3000) })));
        let strict = jsonschema::validator_for(&strict::<ComposeAnswer>()).unwrap();
        assert!(!strict.is_valid(&json!({ "reasons": [], "rulings": [] })));
        assert!(strict.is_valid(&json!({ "reasons": [], "rulings": [], "matter": "x".repeat(3000) })));
    }
}
