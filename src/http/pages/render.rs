//! Templates (`pages/templates`) and words (`pages/words`), compiled in: a page needs no file at run time.
//!
//! Everything is escaped: a template's name ends in `.html`, and nothing here marks a text as safe. Words stand beside
//! each other in three languages, by section and key; a template asks for them with `t("queue.title", n=3)`. What a
//! stranger wrote is a value, never a template and never a key.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use axum::response::{Html, IntoResponse as _, Response};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{AutoEscape, Environment, Error as Fault, ErrorKind, State, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::assets;
use super::reader::Reader;
use crate::cases::{CalculationStep, Euro, Language, Localized, write_date, write_time, write_value};
use crate::http::error::{Error, Result};
use crate::municipality::{Faults, yaml};
use crate::triage::local_date;

macro_rules! files {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../pages/", $folder, "/", $name)))),+]
    };
}

/// Every template, by name.
const TEMPLATES: &[(&str, &str)] = files!["templates":
    "again.html",
    "layout.html",
    "problem.html",
    "sign-in.html",
    "signature.html",
    "start.html",
    "console/access-right.html",
    "console/access-rights.html",
    "console/approvals.html",
    "console/case.html",
    "console/case_binds.html",
    "console/case_fact.html",
    "console/case_links.html",
    "console/case_reason.html",
    "console/case_work.html",
    "console/chart.html",
    "console/claim-link.html",
    "console/claims.html",
    "console/edit.html",
    "console/evaluations.html",
    "console/facts.html",
    "console/hearing.html",
    "console/hearings.html",
    "console/help.html",
    "console/judge.html",
    "console/judged.html",
    "console/layout.html",
    "console/messages.html",
    "console/pack.html",
    "console/policies.html",
    "console/policy-choice.html",
    "console/policy-compare.html",
    "console/policy-impact.html",
    "console/policy-rule.html",
    "console/policy.html",
    "console/power.html",
    "console/publish.html",
    "console/queue.html",
    "console/register/check.html",
    "console/register/choose.html",
    "console/register/done.html",
    "console/register/form.html",
    "console/report-days.html",
    "console/report-table.html",
    "console/reports.html",
    "console/rounds.html",
    "console/versions.html",
    "resident/again.html",
    "resident/cards.html",
    "resident/case.html",
    "resident/check.html",
    "resident/choose.html",
    "resident/consent.html",
    "resident/data.html",
    "resident/feedback.html",
    "resident/files.html",
    "resident/form.html",
    "resident/input.html",
    "resident/layout.html",
    "resident/messages.html",
    "resident/origin.html",
    "resident/refused.html",
    "resident/related.html",
    "resident/window.html",
    "resident/wrong.html",
];

/// Every file of words.
const WORDS: &[(&str, &str)] = files!["words":
    "access.yaml",
    "blind.yaml",
    "case.yaml",
    "case_binds.yaml",
    "claims.yaml",
    "common.yaml",
    "conversation.yaml",
    "evaluations.yaml",
    "hearing.yaml",
    "help.yaml",
    "packs.yaml",
    "policies.yaml",
    "power.yaml",
    "publish.yaml",
    "queue.yaml",
    "register.yaml",
    "reports.yaml",
    "resident.yaml",
    "rounds.yaml",
    "terms.yaml",
    "work.yaml",
];

/// Words by section and key.
type Words = BTreeMap<String, BTreeMap<String, Localized>>;

/// All words; a fault in them is a fault of the program, which a test finds.
fn words() -> std::result::Result<&'static Words, &'static Faults> {
    static ALL: LazyLock<std::result::Result<Words, Faults>> = LazyLock::new(|| {
        let mut all = Words::new();
        let mut faults = Faults::default();
        for (name, text) in WORDS {
            let sections: Words = yaml::read(Path::new(name), text, 1, &mut faults).unwrap_or_default();
            for (section, words) in sections {
                if all.contains_key(&section) {
                    faults.at(
                        Path::new(name),
                        None,
                        format!("the section `{section}` stands in two files"),
                        "keep one",
                    );
                }
                all.insert(section, words);
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    });
    ALL.as_ref()
}

/// The words of a key such as `queue.title`, in `language`.
#[must_use]
pub fn word(key: &str, language: Language) -> Option<&'static str> {
    let (section, key) = key.split_once('.')?;
    Some(words().ok()?.get(section)?.get(key)?.get(language))
}

static ENVIRONMENT: LazyLock<std::result::Result<Environment<'static>, String>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    // A fault of a template is logged; what the page would have shown is not.
    environment.set_debug(false);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|fault| format!("{fault:#}"))?);
    environment.add_function("t", translate);
    environment.add_function("has_word", |key: &str| word(key, Language::Fi).is_some());
    environment.add_function("asset", |name: &str| assets::address(name));
    environment.add_filter("date", |state: &State, date: Value| written::<Date>(state, &date, write_date));
    environment.add_filter("moment", |state: &State, at: Value| written::<Timestamp>(state, &at, moment));
    environment.add_filter("deadline", |state: &State, at: Value| written::<Timestamp>(state, &at, deadline));
    environment.add_filter("local", |state: &State, text: Value| {
        written::<Localized>(state, &text, |text, language| text.get(language).to_owned())
    });
    environment.add_filter("written", |state: &State, step: Value| {
        let step = serde_json::to_value(&step).and_then(serde_json::from_value::<CalculationStep>);
        let step = step.map_err(|fault| Fault::new(ErrorKind::InvalidOperation, fault.to_string()))?;
        let value = step.value.as_ref();
        Ok::<_, Fault>(
            value.map_or_else(String::new, |value| write_value(value, step.unit.as_deref(), language(state))),
        )
    });
    environment.add_filter("size", |state: &State, bytes: u64| size(bytes, language(state)));
    environment.add_filter("euro", |state: &State, amount: Value| written::<Euro>(state, &amount, Euro::format));
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).map_err(|fault| format!("{fault:#}"))?;
    }
    Ok(environment)
});

/// The language of the page that is being made.
fn language(state: &State) -> Language {
    let code = state.lookup("page").and_then(|page| page.get_attr("language").ok());
    code.and_then(|code| Language::from_code(code.as_str()?)).unwrap_or(Language::Fi)
}

/// A size in bytes as people write it.
fn size(bytes: u64, language: Language) -> String {
    let fi = language == Language::Fi;
    match bytes {
        0..1024 => format!("{bytes}\u{a0}{}", if fi { "t" } else { "B" }),
        1024..1_048_576 => format!("{}\u{a0}{}", bytes / 1024, if fi { "kt" } else { "kB" }),
        _ => format!("{}\u{a0}{}", bytes / 1_048_576, if fi { "Mt" } else { "MB" }),
    }
}

/// A moment as people say it: to the minute.
fn moment(at: Timestamp, language: Language) -> String {
    write_time(Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap_or(at), language)
}

/// A deadline: its day, where it is the last moment of a day.
fn deadline(at: Timestamp, language: Language) -> String {
    let day = local_date(at);
    if local_date(at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(at)) == day {
        moment(at, language)
    } else {
        write_date(day, language)
    }
}

/// `t("section.key", name=value)`: `{name}` in the words stands for the value.
#[expect(clippy::needless_pass_by_value, reason = "a function of the engine takes its values like this")]
fn translate(state: &State, key: &str, values: Kwargs) -> std::result::Result<String, Fault> {
    let found = word(key, language(state));
    let mut text =
        found.ok_or_else(|| Fault::new(ErrorKind::InvalidOperation, format!("no words `{key}`")))?.to_owned();
    for name in values.args() {
        let value: Value = values.get(name)?;
        text = text.replace(&format!("{{{name}}}"), &value.to_string());
    }
    Ok(text)
}

/// A value of the house as people write it; nothing for none.
fn written<T: serde::de::DeserializeOwned>(
    state: &State,
    value: &Value,
    write: impl Fn(T, Language) -> String,
) -> std::result::Result<String, Fault> {
    if value.is_none() || value.is_undefined() {
        return Ok(String::new());
    }
    let wrong = |fault: serde_json::Error| Fault::new(ErrorKind::InvalidOperation, fault.to_string());
    let value = serde_json::to_value(value).and_then(serde_json::from_value).map_err(wrong)?;
    Ok(write(value, language(state)))
}

/// The page `name` for this reader; `view` is what it shows.
///
/// # Errors
/// [`Error::Internal`]: a fault of the template.
pub fn page(name: &str, reader: &Reader, view: impl Serialize) -> Result<Response> {
    let environment = ENVIRONMENT.as_ref().map_err(|fault| Error::Internal(fault.clone()))?;
    let context = context! { page => Value::from(Serde(reader)), ..Value::from(Serde(view)) };
    let html = environment.get_template(name).and_then(|template| template.render(context));
    let html = html.map_err(|fault| Error::Internal(format!("{name}: {fault:#}")))?;
    Ok(Html(html).into_response())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cases::{
        AccessState, Channel, CheckId, CheckResult, CorrectionReason, Difference, DraftKind, EventKind, Flag, Ground,
        Matter, Outcome, Owner, PartKind, Role, RuleOutcome, Status, Urgency,
    };

    fn folder(name: &str) -> BTreeSet<String> {
        fn walk(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    walk(&entry.path(), &format!("{name}/"), found);
                } else {
                    found.insert(name);
                }
            }
        }
        let mut found = BTreeSet::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pages").join(name), "", &mut found);
        found
    }

    #[test]
    fn every_file_is_compiled_in() {
        let names = |files: &[(&str, &str)]| files.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(names(TEMPLATES), folder("templates"));
        assert_eq!(names(WORDS), folder("words"));
    }

    #[test]
    fn templates_and_words_can_be_read() {
        assert_eq!(words().map(|_| ()).map_err(ToString::to_string), Ok(()));
        assert_eq!(ENVIRONMENT.as_ref().map(|_| ()), Ok(()));
    }

    #[test]
    fn every_word_that_a_template_names_exists_in_three_languages() {
        let named = regex::Regex::new(r#"\bt\(\s*["']([a-z0-9._-]+)["']\s*[,)]"#).unwrap();
        let mut seen = 0;
        for (name, text) in TEMPLATES {
            for found in named.captures_iter(text) {
                seen += 1;
                assert!(word(&found[1], Language::Fi).is_some(), "{name}: no words `{}`", &found[1]);
            }
        }
        assert!(seen > 20, "{seen}");
        let slot = regex::Regex::new(r"\{[a-z_]+\}").unwrap();
        let slots = |text: &str| slot.find_iter(text).map(|found| found.as_str().to_owned()).collect::<BTreeSet<_>>();
        for (section, words) in words().unwrap() {
            for (key, text) in words {
                assert!(text.en.is_some(), "{section}.{key} has no English");
                assert_eq!(slots(&text.fi), slots(&text.sv), "{section}.{key}");
                assert_eq!(Some(slots(&text.fi)), text.en.as_deref().map(slots), "{section}.{key}");
            }
        }
    }

    #[test]
    fn every_term_of_the_house_has_words() {
        let mut keys: Vec<String> = Vec::new();
        let mut all =
            |section: &str, words: Vec<&str>| keys.extend(words.iter().map(|word| format!("{section}.{word}")));
        all("status", Status::ALL.iter().map(|word| word.as_str()).collect());
        all("matter", Matter::ALL.iter().map(|word| word.as_str()).collect());
        all("owner", Owner::ALL.iter().map(|word| word.as_str()).collect());
        all("urgency", Urgency::ALL.iter().map(|word| word.as_str()).collect());
        all("flag", Flag::ALL.iter().map(|word| word.as_str()).collect());
        all("ground", Ground::ALL.iter().map(|word| word.as_str()).collect());
        all("role", Role::ALL.iter().map(|word| word.as_str()).collect());
        all("check", CheckId::ALL.iter().map(|word| word.as_str()).collect());
        all("result", CheckResult::ALL.iter().map(|word| word.as_str()).collect());
        all("rule", RuleOutcome::ALL.iter().map(|word| word.as_str()).collect());
        all("outcome", Outcome::ALL.iter().map(|word| word.as_str()).collect());
        all("differs", Difference::ALL.iter().map(|word| word.as_str()).collect());
        all("kind", DraftKind::ALL.iter().map(|word| word.as_str()).collect());
        all("part", PartKind::ALL.iter().map(|word| word.as_str()).collect());
        all("channel", Channel::ALL.iter().map(|word| word.as_str()).collect());
        all("because", CorrectionReason::ALL.iter().map(|word| word.as_str()).collect());
        all("access", AccessState::ALL.iter().map(|word| word.as_str()).collect());
        all("event", EventKind::ALL.iter().map(|word| word.as_str()).collect());
        for key in keys {
            assert!(word(&key, Language::Sv).is_some(), "no words `{key}`");
        }
    }

    #[test]
    fn a_deadline_is_a_day_and_a_moment_has_no_seconds() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(deadline(at("2026-06-15T20:59:59Z"), Language::Fi), "15.6.2026");
        assert_eq!(deadline(at("2026-06-15T20:58:59Z"), Language::Fi), "15.6.2026 klo 23.58");
        assert_eq!(
            moment(at("2026-06-15T05:00:07.3Z"), Language::En),
            write_time(at("2026-06-15T05:00:00Z"), Language::En)
        );
    }

    #[test]
    fn a_strangers_words_are_escaped_and_never_a_template() {
        let mut environment = ENVIRONMENT.as_ref().unwrap().clone();
        environment.add_template("x.html", "{{ text }} {{ t('common.skip', n=text) }}").unwrap();
        let text = "<script>{{ 7*7 }}</script>";
        let html = environment.get_template("x.html").unwrap();
        let html = html.render(context! { text, page => context! { language => "en" } }).unwrap();
        assert!(html.starts_with("&lt;script&gt;{{ 7*7 }}&lt;&#x2f;script&gt;"), "{html}");
    }
}
