//! What differs between two municipalities, or between one and the base pack, setting by setting; and how much of the base
//! pack a municipality has put aside (*poikkeamat*).
//!
//! Works on the files as they are written, not on what they mean: a setting is a value at a path, `services`, the
//! service, the key. Rows of a list are known by their id, name or code, and dated rows by their first day, so that a row
//! that moved is no difference. Pure but for reading the files; whoever wants faults runs the check.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cases::{Language, MunicipalityId};
use crate::municipality::Faults;
use crate::municipality::pack::{file_name, files_in};
use crate::municipality::yaml;

/// Whose settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// What every municipality inherits.
    Base,
    /// A municipality, with what it inherits.
    Municipality(MunicipalityId),
}

impl std::str::FromStr for Side {
    type Err = <MunicipalityId as std::str::FromStr>::Err;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "base" { Ok(Self::Base) } else { text.parse().map(Self::Municipality) }
    }
}

impl Side {
    /// The name of its folder.
    #[must_use]
    pub fn folder(&self) -> &str {
        match self {
            Self::Base => "base",
            Self::Municipality(id) => id.as_str(),
        }
    }
}

/// Two sides held against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deviations {
    /// The first side.
    pub first: Shares,
    /// The second side.
    pub second: Shares,
    /// What differs, in the order of paths.
    pub differences: Vec<Difference>,
}

/// A setting, or all settings below a path, that one side has otherwise or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: the kind of file, the entry, the keys.
    pub path: Vec<String>,
    /// On the first side; none: it is not there.
    pub first: Option<Value>,
    /// On the second side.
    pub second: Option<Value>,
}

/// How a side stands to the base pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// The name of its folder.
    pub name: String,
    /// Files of its own that stand in the place of the base's.
    pub replaces: Vec<String>,
    /// Settings of the base pack.
    pub settings: usize,
    /// Those of them that it has otherwise or not at all.
    pub overridden: usize,
    /// Settings of its own that the base pack does not have.
    pub own: usize,
}

impl Shares {
    /// The share of settings that are overridden, percent with one decimal, rounded down.
    #[must_use]
    pub fn percent(&self) -> String {
        let thousandths = self.overridden * 1000 / self.settings.max(1);
        format!("{}.{}", thousandths / 10, thousandths % 10)
    }
}

/// Holds two sides against each other.
///
/// # Errors
/// Files that cannot be read.
pub fn compare(root: &Path, first: &Side, second: &Side) -> Result<Deviations, Faults> {
    let mut faults = Faults::new();
    let [base, one, two] = [&Side::Base, first, second].map(|side| Settings::read(root, side, &mut faults));
    if !faults.is_empty() {
        faults.sort();
        return Err(faults);
    }
    let mut differences = Vec::new();
    differ(&mut Vec::new(), Some(&one.tree), Some(&two.tree), &mut differences);
    let shares = |side: &Side, settings: Settings| {
        let (mut overridden, mut own) = (0, 0);
        weigh(Some(&base.tree), Some(&settings.tree), &mut overridden, &mut own);
        let (name, settings, replaces) = (side.folder().to_owned(), leaves(&base.tree), settings.replaces);
        Shares { name, replaces, settings, overridden, own }
    };
    Ok(Deviations { first: shares(first, one), second: shares(second, two), differences })
}

/// What differs below a path: the deepest place that both sides have.
fn differ(path: &mut Vec<String>, one: Option<&Value>, two: Option<&Value>, found: &mut Vec<Difference>) {
    match (one, two) {
        (Some(Value::Object(one)), Some(Value::Object(two))) => {
            for key in keys(one, two) {
                path.push(key.clone());
                differ(path, one.get(key), two.get(key), found);
                path.pop();
            }
        }
        (one, two) if one == two => {}
        (one, two) => {
            found.push(Difference { path: path.clone(), first: one.cloned(), second: two.cloned() });
        }
    }
}

fn keys<'a>(one: &'a Map<String, Value>, two: &'a Map<String, Value>) -> Vec<&'a String> {
    let mut keys: Vec<&String> = one.keys().chain(two.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Counts settings of `base` that `own` has otherwise, and those that only `own` has.
fn weigh(base: Option<&Value>, own: Option<&Value>, overridden: &mut usize, more: &mut usize) {
    match (base, own) {
        (Some(Value::Object(base)), Some(Value::Object(own))) => {
            for key in keys(base, own) {
                weigh(base.get(key), own.get(key), overridden, more);
            }
        }
        (None, Some(own)) => *more += leaves(own),
        (Some(base), own) if own != Some(base) => *overridden += leaves(base),
        _ => {}
    }
}

/// Settings below a value.
#[must_use]
pub fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(leaves).sum(),
        _ => 1,
    }
}

/// The settings of a side, and which files of its own stand in the place of the base's.
struct Settings {
    tree: Value,
    replaces: Vec<String>,
}

/// Entries of one kind by their id. What a municipality writes under an id of the base's stands in its place.
type Entries = BTreeMap<String, Value>;

impl Settings {
    fn read(root: &Path, side: &Side, faults: &mut Faults) -> Self {
        let base = Files { folder: root.join("base"), faults };
        let mut base = base.all();
        let mut replaces = Vec::new();
        let mut tree = Map::new();
        if let Side::Municipality(id) = side {
            let mut files = Files { folder: root.join(id.as_str()), faults };
            let mut municipality = files.yaml("municipality.yaml");
            keep_adopted(&mut base, &municipality);
            for (kind, own) in files.all() {
                let entries = base.entry(kind).or_default();
                for (name, entry) in own {
                    if entries.contains_key(&name) && !ADDING.contains(&kind) {
                        replaces.push(format!("{kind}/{name}"));
                    }
                    let below = entries.remove(&name).filter(|_| ADDING.contains(&kind));
                    entries.insert(name, below.map_or_else(|| entry.clone(), |below| joined(below, entry.clone())));
                }
            }
            if let Value::Object(own) = &mut municipality {
                for kind in ["departments", "deciders"] {
                    tree.extend(own.remove_entry(kind));
                }
            }
            tree.insert("municipality".to_owned(), municipality);
        }
        for (kind, entries) in base {
            tree.insert(kind.to_owned(), Value::Object(entries.into_iter().collect()));
        }
        // What one side has nothing of it has as an empty list: then each entry of the other is told by itself.
        for kind in ["departments", "deciders", "municipality"] {
            tree.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        }
        Self { tree: keyed(Value::Object(tree)), replaces }
    }
}

/// Kinds of files in which a municipality only ever adds.
const ADDING: [&str; 3] = ["emergency", "examples", "injection"];

/// Of the base's policies those versions that the municipality adopted, with its own values; of its services those that are offered.
fn keep_adopted<'a>(base: &mut BTreeMap<&'static str, Entries>, municipality: &'a Value) {
    let rows = municipality["adoptions"].as_array().into_iter().flatten();
    let row =
        |row: &'a Value| Some((row["document"].as_str()?, row["version"].as_str()?, row["parameters"].as_object()));
    let adopted: Vec<_> = rows.filter_map(row).collect();
    let policies = base.entry("policies").or_default();
    for (id, versions) in policies.iter_mut() {
        let Value::Object(versions) = versions else { continue };
        versions.retain(|version, _| adopted.iter().any(|(document, at, _)| (*document, *at) == (id, version)));
        for (_, at, own) in adopted.iter().filter(|(document, ..)| document == id) {
            let parameters = versions.get_mut(*at).and_then(|version| version.get_mut("parameters"));
            let (Some(Value::Object(parameters)), Some(own)) = (parameters, own) else { continue };
            for (name, value) in *own {
                if let Some(Value::Object(parameter)) = parameters.get_mut(name) {
                    parameter.insert("value".to_owned(), value.clone());
                }
            }
        }
    }
    policies.retain(|_, versions| leaves(versions) > 0);
    let without = municipality["without"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for service in without {
        base.entry("services").or_default().remove(service);
    }
}

/// What both say: objects key by key, lists one after the other, numbers added up.
fn joined(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                let both = match below.remove(&key) {
                    Some(known) => joined(known, value),
                    None => value,
                };
                below.insert(key, both);
            }
            Value::Object(below)
        }
        (Value::Array(mut below), Value::Array(above)) => {
            below.extend(above);
            Value::Array(below)
        }
        (below, Value::Null) => below,
        (Value::Number(below), Value::Number(above)) => {
            (below.as_u64().unwrap_or_default() + above.as_u64().unwrap_or_default()).into()
        }
        (_, above) => above,
    }
}

/// The files of one folder.
struct Files<'a> {
    folder: std::path::PathBuf,
    faults: &'a mut Faults,
}

impl Files<'_> {
    /// Every kind of file that both the base pack and a municipality may have.
    fn all(mut self) -> BTreeMap<&'static str, Entries> {
        BTreeMap::from([
            ("services", self.services()),
            ("delegation", self.rows("delegation.yaml", "delegation")),
            ("authorities", self.rows("authorities.yaml", "authorities")),
            ("texts", self.texts()),
            ("policies", self.policies()),
            ("emergency", self.words("emergency.yaml")),
            ("injection", self.words("injection.yaml")),
            ("examples", self.examples()),
        ])
    }

    /// A file that need not be there.
    fn yaml(&mut self, name: &str) -> Value {
        let file = self.folder.join(name);
        if !file.exists() {
            return Value::Null;
        }
        let source = yaml::read_file(&file, self.faults);
        let value = source.and_then(|source| yaml::read::<Value>(&file, &source, 1, self.faults));
        value.filter(Value::is_object).unwrap_or_default()
    }

    fn services(&mut self) -> Entries {
        let files = files_in(&self.folder.join("services"), ".yaml");
        let name = |file: &Path| file_name(file).trim_end_matches(".yaml").to_owned();
        files.iter().map(|file| (name(file), self.yaml(&format!("services/{}", file_name(file))))).collect()
    }

    /// Dated rows, by id and then by first day.
    fn rows(&mut self, name: &str, key: &str) -> Entries {
        let mut entries = Entries::new();
        let Value::Array(rows) = self.yaml(name)[key].take() else { return entries };
        for row in rows {
            let [id, from] = [&row["id"], &row["valid"]["from"]].map(|text| text.as_str().unwrap_or("?").to_owned());
            entries.entry(id).or_insert_with(|| Value::Object(Map::new()))[from] = row;
        }
        entries
    }

    /// Words of danger and orders to a machine: kinds by id, and what is no hit.
    fn words(&mut self, name: &str) -> Entries {
        let mut file = self.yaml(name);
        let mut entries = Entries::new();
        if let Value::Array(kinds) = file["kinds"].take() {
            for kind in kinds {
                let id = kind["id"].as_str().unwrap_or("?").to_owned();
                let known = entries.remove(&id);
                entries.insert(id, known.map_or_else(|| kind.clone(), |known| joined(known, kind.clone())));
            }
        }
        if let lookalikes @ Value::Array(_) = file["lookalikes"].take() {
            entries.insert("lookalikes".to_owned(), lookalikes);
        }
        entries
    }

    /// Fixed texts: by language and id, then by first day.
    fn texts(&mut self) -> Entries {
        let mut entries = Entries::new();
        for language in [Language::Fi, Language::Sv, Language::En] {
            for file in files_in(&self.folder.join("texts").join(language.code()), ".md") {
                let Some((mut front, body)) = self.markdown(&file) else { continue };
                let (id, from) = version(&front);
                front.insert("body".to_owned(), body.trim().into());
                let entry = entries.entry(format!("{language}/{id}")).or_insert_with(|| Value::Object(Map::new()));
                entry[from] = Value::Object(front);
            }
        }
        entries
    }

    /// Policies: by id, then by first day; texts of all languages in one entry.
    fn policies(&mut self) -> Entries {
        let mut entries = Entries::new();
        for file in files_in(&self.folder.join("policies"), ".md") {
            let Some((mut front, body)) = self.markdown(&file) else { continue };
            let (id, from) = version(&front);
            let language = front.remove("language").unwrap_or_default();
            let language = language.as_str().unwrap_or("?");
            let title = front.remove("title").unwrap_or_default();
            let sections = sections(&file, &body, self.faults);
            let entry = entries.entry(id).or_insert_with(|| Value::Object(Map::new()));
            let version = &mut entry[from];
            // The front matter of a translation says once more what that of the text with the rules says.
            if !front.contains_key("translation_of") {
                let known = std::mem::replace(version, Value::Object(Map::new()));
                *version = joined(known, Value::Object(front));
            }
            version["title"][language] = title;
            version["sections"][language] = sections;
        }
        entries
    }

    /// How many examples a label has, by language.
    fn examples(&mut self) -> Entries {
        let mut entries = Entries::new();
        for language in [Language::Fi, Language::Sv, Language::En] {
            let file = self.folder.join("examples").join(format!("{language}.jsonl"));
            let Some(source) = file.exists().then(|| yaml::read_file(&file, self.faults)).flatten() else { continue };
            let mut labels: BTreeMap<String, u64> = BTreeMap::new();
            for row in source.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
                *labels.entry(row["label"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
            }
            let labels = labels.into_iter().map(|(label, n)| (label, n.into()));
            entries.insert(language.to_string(), Value::Object(labels.collect()));
        }
        entries
    }

    fn markdown(&mut self, file: &Path) -> Option<(Map<String, Value>, String)> {
        let source = yaml::read_file(file, self.faults)?;
        let cut = yaml::front_matter(&source)?;
        let front: Map<String, Value> = yaml::read(file, cut.front, cut.front_line, self.faults)?;
        Some((front, cut.body.to_owned()))
    }
}

/// The id and the first day of a text, from its front matter.
fn version(front: &Map<String, Value>) -> (String, String) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("?").to_owned();
    (text(front.get("id")), text(front.get("in_force").and_then(|valid| valid.get("from"))))
}

/// The sections of a policy by their anchors: the text, and the rules and steps that stand in it.
fn sections(file: &Path, body: &str, faults: &mut Faults) -> Value {
    let mut sections = Map::new();
    let mut lines = (1..).zip(body.lines());
    let (mut section, mut text) = (None, String::new());
    let mut blocks = Map::new();
    let mut close = |section: &mut Option<String>, text: &mut String, blocks: &mut Map<String, Value>| {
        let (text, mut blocks) = (std::mem::take(text), std::mem::take(blocks));
        if let Some(id) = section.take() {
            blocks.insert("text".to_owned(), text.trim().into());
            sections.insert(id, Value::Object(blocks));
        }
    };
    while let Some((at, line)) = lines.next() {
        if let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) {
            let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let value: Value = yaml::read(file, &block.join("\n"), at + 1, faults).unwrap_or_default();
            let name = value["id"].as_str().map_or_else(|| kind.to_owned(), |id| format!("{kind} {id}"));
            blocks.insert(name, value);
        } else if let Some((_, anchor)) = line.split_once("{#").filter(|_| line.starts_with("## ")) {
            close(&mut section, &mut text, &mut blocks);
            section = Some(anchor.trim_end_matches('}').to_owned());
            text.push_str(line);
            text.push('\n');
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    close(&mut section, &mut text, &mut blocks);
    Value::Object(sections)
}

/// Lists of entries become entries by what they are known by; lists of plain values stay one value.
fn keyed(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().map(|(key, value)| (key, keyed(value))).collect()),
        Value::Array(rows) if rows.iter().any(Value::is_object) => {
            let mut entries = Map::new();
            for (n, row) in rows.into_iter().enumerate() {
                let name =
                    name(&row).filter(|name| !entries.contains_key(name)).unwrap_or_else(|| format!("#{}", n + 1));
                entries.insert(name, keyed(row));
            }
            Value::Object(entries)
        }
        other => other,
    }
}

/// What a row of a list is known by.
fn name(row: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let known = ["id", "code", "name", "fact", "document", "service", "up_to"];
    let name = known.into_iter().find_map(|key| text(&row[key]))?;
    let day = text(&row["valid"]["from"]).or_else(|| text(&row["version"]));
    Some(day.map_or_else(|| name.clone(), |day| format!("{name}@{day}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn write(root: &Path, name: &str, text: &str) {
        let file = root.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// A base pack and one municipality, each with a few settings.
    fn small() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(
            root,
            "base/services/lamp.yaml",
            "id: lamp\nhandling_time: {days: 30}\nfields:\n  - {name: a, type: text}\n",
        );
        write(root, "base/services/pit.yaml", "id: pit\nhandling_time: {days: 7}\n");
        write(root, "base/emergency.yaml", "kinds:\n  - {id: fire, patterns: [tuli*]}\n");
        let policy = |rate: &str| {
            format!(
                "---\nid: grant\nlanguage: fi\ntitle: T\nin_force: {{from: 2026-01-01, to: null}}\nparameters:\n  rate: {{value: \"{rate}\"}}\n---\n\n## 1 § A {{#s1}}\n\nEnintään {rate}.\n\n```rule\nid: r\nwhen: facts.a < params.rate\n```\n"
            )
        };
        write(root, "base/policies/grant@2026-01-01.fi.md", &policy("1"));
        write(
            root,
            "small/municipality.yaml",
            "id: small\nresidents: 10\ndepartments: {technical: {name: T}}\nadoptions: [{document: grant, version: 2026-01-01}]\n",
        );
        write(
            root,
            "small/services/lamp.yaml",
            "id: lamp\nhandling_time: {days: 14}\nfields:\n  - {name: b, type: text}\n  - {name: a, type: text}\n",
        );
        write(root, "small/emergency.yaml", "kinds:\n  - {id: fire, patterns: [savu*]}\n");
        write(root, "own/municipality.yaml", "id: own\nresidents: 20\n");
        write(root, "own/policies/grant@2026-01-01.fi.md", &policy("2"));
        folder
    }

    fn side(name: &str) -> Side {
        name.parse().unwrap()
    }

    fn told(found: &Deviations) -> Vec<(String, Value, Value)> {
        let shown = |value: &Option<Value>| value.clone().unwrap_or_default();
        found.differences.iter().map(|it| (it.path.join("."), shown(&it.first), shown(&it.second))).collect()
    }

    #[test]
    fn each_setting_that_differs_is_told_with_both_values() {
        let folder = small();
        let found = compare(folder.path(), &side("small"), &side("base")).unwrap();
        let expected = [
            ("departments.technical", json!({"name": "T"}), Value::Null),
            ("emergency.fire.patterns", json!(["tuli*", "savu*"]), json!(["tuli*"])),
            (
                "municipality.adoptions",
                json!({"grant@2026-01-01": {"document": "grant", "version": "2026-01-01"}}),
                Value::Null,
            ),
            ("municipality.id", json!("small"), Value::Null),
            ("municipality.residents", json!(10), Value::Null),
            ("services.lamp.fields.b", json!({"name": "b", "type": "text"}), Value::Null),
            ("services.lamp.handling_time.days", json!(14), json!(30)),
        ];
        assert_eq!(told(&found), expected.map(|(path, one, two)| (path.to_owned(), one, two)));
        assert_eq!(found.first.replaces, ["services/lamp"]);
        // Two of the base's settings are other ones: the days, and the words of danger.
        assert_eq!((found.first.overridden, found.second.overridden, found.second.own), (2, 0, 0));
        assert_eq!(
            found.first.percent(),
            format!("{}.{}", 2000 / found.first.settings / 10, 2000 / found.first.settings % 10)
        );
        assert!(found.second.replaces.is_empty());
    }

    #[test]
    fn policies_differ_by_values_sections_and_rules() {
        let folder = small();
        let found = compare(folder.path(), &side("small"), &side("own")).unwrap();
        let at =
            |path: &str| told(&found).into_iter().find(|(at, ..)| at == path).unwrap_or_else(|| panic!("{found:#?}"));
        let (_, one, two) = at("policies.grant.2026-01-01.parameters.rate.value");
        assert_eq!((one, two), (json!("1"), json!("2")));
        let (_, one, two) = at("policies.grant.2026-01-01.sections.fi.s1.text");
        assert!(one.as_str().unwrap().contains("Enintään 1.") && two.as_str().unwrap().contains("Enintään 2."));
        assert!(!told(&found).iter().any(|(path, ..)| path.contains("rule r")), "the rule is the same");
        assert_eq!(found.second.replaces, Vec::<String>::new(), "it did not adopt the base's: nothing is replaced");
        let again = compare(folder.path(), &side("own"), &side("own")).unwrap();
        assert!(again.differences.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_fault() {
        let folder = small();
        write(folder.path(), "own/delegation.yaml", "delegation: [\n");
        assert_eq!(compare(folder.path(), &side("small"), &side("own")).unwrap_err().len(), 1);
    }
}
