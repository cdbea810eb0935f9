//! Stories of the policy room: the shipped policies are sound, the worked cases R1–R5 come out to
//! the euro, and every fault that an officer can make is explained with file, line and what to write.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use vireille::cases::{
    DraftKind, Euro, Evidence, Fact, Facts, Language, MunicipalityId, Outcome, Owner, RuleOutcome, Ruling, Value,
};
use vireille::policy::{self, Rulebook, assess};

use crate::support::desk::copy_folder;

const FIXTURE: &str = "tests/fixtures/pack";
const RULES: &str = "kuivala/policies/road-rules@2026-01-01.fi.md";
const OLD_RULES: &str = "kuivala/policies/road-rules@2024-01-01.fi.md";
const SWEDISH: &str = "kuivala/policies/road-rules@2026-01-01.sv.md";
const WORKED: &str = "kuivala/policies/road-rules.tests.yaml";
const MUNICIPALITY: &str = "kuivala/municipality.yaml";
const DELEGATION: &str = "kuivala/delegation.yaml";
const SERVICE: &str = "base/services/road-grant.yaml";
const AUTHORITIES: &str = "base/authorities.yaml";
const TEXT: &str = "base/texts/fi/heading.md";
const LAW: &str = "base/law/hallintolaki.fi.md";

#[test]
fn the_shipped_policies_have_no_fault() {
    let faults = policy::check(Path::new("policies"));
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn the_fixture_has_no_fault() {
    let faults = policy::check(Path::new(FIXTURE));
    assert!(faults.is_empty(), "\n{faults}");
}

/// What an officer does to a file by mistake.
enum Slip {
    /// Writes something else: the file, what stood there, what stands there now.
    Writes(&'static str, &'static str, &'static str),
    /// Removes a file.
    Removes(&'static str),
    /// Saves a copy under another name.
    Copies(&'static str, &'static str),
}

use Slip::{Copies, Removes, Writes};

#[rustfmt::skip]
const SLIPS: &[(&str, Slip)] = &[
    // YAML
    ("unknown key", Writes(RULES, "governing_date:", "governing_dat:")),
    ("doubled key", Writes(RULES, "language: fi\n", "language: fi\nlanguage: fi\n")),
    ("missing key", Writes(SERVICE, "process_owner: road-master\n", "")),
    ("unknown word", Writes(RULES, "governing_date: window_end", "governing_date: window_ends")),
    ("bare decimal in a parameter", Writes(RULES, "value: \"1.10\"", "value: 1.10")),
    ("bare decimal in a worked case", Writes(WORKED, "approved_costs: \"6120.40\"", "approved_costs: 6120.40")),
    ("three decimals of euros", Writes(DELEGATION, "up_to: \"5000.00\"", "up_to: \"5000.001\"")),
    ("date that does not exist", Writes(RULES, "in_force: {from: 2026-01-01", "in_force: {from: 2026-02-30")),
    ("broken YAML in a rule", Writes(RULES, "id: in-time", "id: [in-time")),
    ("no front matter", Writes(LAW, "---\nid", "id")),
    // Documents and versions
    ("version twice", Copies(RULES, "kuivala/policies/road-rules-copy.fi.md")),
    ("overlapping versions", Writes(OLD_RULES, "to: 2025-12-31", "to: null")),
    ("gap between versions", Writes(OLD_RULES, "to: 2025-12-31", "to: 2025-11-30")),
    ("no Swedish text", Removes(SWEDISH)),
    ("no Finnish law", Removes(LAW)),
    ("dates of the languages differ", Writes(SWEDISH, "to: null", "to: 2030-12-31")),
    ("section missing in Swedish", Writes(SWEDISH, "{#s3}", "{#s4}")),
    ("sections in another order", Writes(SWEDISH, "## 1 § Ansökningstid {#s1}\n\nAnsökningstiden går ut 15.4 klockan 15.00.\n\n## 2 § Vägen {#s2}", "## 2 § Vägen {#s2}\n\nAnsökningstiden går ut 15.4 klockan 15.00.\n\n## 1 § Ansökningstid {#s1}")),
    ("translation does not say so", Writes(SWEDISH, "translation_of: fi\n", "")),
    ("heading without anchor", Writes(RULES, "## 3 § Laskeminen {#s3}", "## 3 § Laskeminen")),
    ("anchor twice", Writes(RULES, "{#s3}", "{#s2}")),
    ("rule outside a section", Writes(RULES, "## 1 § Hakuaika {#s1}\n", "")),
    ("unknown block", Writes(RULES, "```rule\nid: in-time", "```rul\nid: in-time")),
    ("block not closed", Writes(RULES, "  sv: Understöd under 100 euro betalas inte.\n```", "  sv: Understöd under 100 euro betalas inte.\n")),
    ("window that is no date", Writes(RULES, "closes: \"04-15\"", "closes: \"15.4.\"")),
    // Rules
    ("unknown fact", Writes(RULES, "facts.length >= params.min_length", "facts.lenght >= params.min_length")),
    ("unknown parameter", Writes(RULES, "facts.households < params.min_households", "facts.households < params.min_houses")),
    ("parameter read as a fact", Writes(RULES, "facts.households < params.min_households", "facts.households < facts.min_households")),
    ("step read before it stands", Writes(RULES, "value: calc.rate * facts.length", "value: calc.basic * facts.length")),
    ("expression that does not parse", Writes(RULES, "when: facts.received_at > facts.window_end", "when: facts.received_at > > facts.window_end")),
    ("function that is not admitted", Writes(RULES, "value: calc.rate * facts.length", "value: rand(facts.length)")),
    ("text compared with a number", Writes(RULES, "when: facts.special_reason", "when: facts.special_reason > 3")),
    ("time compared with a number", Writes(RULES, "when: facts.received_at > facts.window_end", "when: facts.received_at > 5")),
    ("condition that is a number", Writes(RULES, "when: facts.received_at > facts.window_end", "when: facts.length")),
    ("rule without outcome", Writes(RULES, "outcome: not_met\neffect: inadmissible", "effect: inadmissible")),
    ("rule twice", Writes(RULES, "id: min-households", "id: in-time")),
    ("ask names no fact", Writes(RULES, "ask: households", "ask: household")),
    ("unknown name in a reason", Writes(RULES, "fi: \"Kiinteistöjä on {{ facts.households }}.\"", "fi: \"Kiinteistöjä on {{ facts.households_count }}.\"")),
    ("reason that is no template", Writes(RULES, "fi: \"Kiinteistöjä on {{ facts.households }}.\"", "fi: \"Kiinteistöjä on {{ facts.households.\"")),
    ("discretion without a reason", Writes(RULES, "  discretion:\n    fi: \"Pituus on {{ facts.length }}; erityinen syy on arvioitava.\"\n    sv: \"Längden är {{ facts.length }}; särskilda skäl ska bedömas.\"\n", "")),
    ("quote not in the section", Writes(RULES, "fi: Tien pituus on vähintään 400 metriä.", "fi: Tien pituus on vähintään 500 metriä.")),
    ("quote with other spaces", Writes(RULES, "fi: Tien pituus on vähintään 400 metriä.", "fi: Tien pituus on vähintään 400\u{a0}metriä.")),
    ("Swedish quote not in the section", Writes(SWEDISH, "Understöd under 100 euro betalas inte.", "Understöd under 50 euro betalas inte.")),
    // Calculation
    ("amount that is no step", Writes(RULES, "amount: granted", "amount: grant")),
    ("amount with fractions of a cent", Writes(RULES, "value: floor(facts.factor_k * calc.basic)", "value: facts.factor_k * calc.basic")),
    ("step twice", Writes(RULES, "- name: by_length", "- name: by_costs")),
    // Worked cases
    ("worked case with another amount", Writes(WORKED, "amount: \"2378.00\"", "amount: \"2379.00\"")),
    ("worked case with another outcome", Writes(WORKED, "rules: {smallest-payment: not_met, min-length: met}", "rules: {smallest-payment: met, min-lenght: met}")),
    ("a rule changed under the cases", Writes(RULES, "value: \"0.60\"", "value: \"0.05\"")),
    ("worked case of no version", Writes(WORKED, "version: 2026-01-01", "version: 2026-02-01")),
    ("worked case with an unknown fact", Writes(WORKED, "length: 430", "lenght: 430")),
    ("worked case with a wrong type", Writes(WORKED, "households: 12", "households: many")),
    // Pack
    ("delegation names nobody", Writes(DELEGATION, "decider: technical-board\n  - id", "decider: technical-bord\n  - id")),
    ("delegation steps not in order", Writes(DELEGATION, "      - {up_to: \"5000.00\", decider: road-master}\n", "      - {up_to: \"5000.00\", decider: road-master}\n      - {up_to: \"500.00\", decider: clerk}\n")),
    ("delegation without a last step", Writes(DELEGATION, "      - {up_to: \"5000.00\", decider: road-master}\n      - decider: technical-board\n", "      - {up_to: \"5000.00\", decider: road-master}\n")),
    ("delegation rows overlap", Writes(DELEGATION, "to: 2025-12-31", "to: 2026-01-01")),
    ("service of an unknown policy", Writes(SERVICE, "policy: road-rules", "policy: road-rule")),
    ("service of an unknown delegation", Writes(SERVICE, "delegation: road", "delegation: roads")),
    ("service of an unknown department", Writes(SERVICE, "department: technical\npolicy", "department: techncal\npolicy")),
    ("service owned by nobody", Writes(SERVICE, "process_owner: road-master", "process_owner: road-boss")),
    ("service cites no section", Writes(SERVICE, "hallintolaki#s45", "hallintolaki#s54")),
    ("service cites no statute", Writes(SERVICE, "hallintolaki#s45", "hallintolait#s45")),
    ("fact that no form asks for", Writes(SERVICE, "name: special_reason", "name: special_cause")),
    ("fact of another type than the field", Writes(SERVICE, "    type: money", "    type: text")),
    ("field with a limit that is no number", Writes(SERVICE, "    unit: m\n", "    unit: m\n    min: none\n")),
    ("field without choices", Writes(SERVICE, "    unit: m\n", "    unit: m\n  - name: class\n    label: {fi: Luokka, sv: Klass}\n    type: choice\n")),
    ("field twice", Writes(SERVICE, "name: households", "name: length")),
    ("category twice", Writes(SERVICE, "code: LI2", "code: LI1")),
    ("category that nobody owns", Writes(AUTHORITIES, "    valid: {from: 2026-01-01}\n", "    valid: {from: 2026-01-01, to: 2026-06-30}\n")),
    ("authority rows overlap", Writes(AUTHORITIES, "to: 2025-12-31}\n    source: laki 897/2009\n  - id: elinvoimakeskus", "to: 2026-03-31}\n    source: laki 897/2009\n  - id: ely")),
    ("text without its pair", Removes(TEXT)),
    ("text that is no template", Writes(TEXT, "{{ municipality }}", "Hei!\n{{ municipality }")),
    ("text in another folder's language", Writes(TEXT, "language: fi", "language: en")),
    ("folder and id differ", Writes(MUNICIPALITY, "id: kuivala", "id: kuivela")),
    ("deputy who does not exist", Writes(MUNICIPALITY, "deputy: clerk", "deputy: clark")),
    ("register of an unknown service", Writes(MUNICIPALITY, "service: road-grant", "service: road-grants")),
    ("no words of danger", Removes("base/emergency.yaml")),
    ("example of an unknown label", Writes("base/examples/fi.jsonl", "LI1", "LI9")),
    ("baseline of an unknown service", Writes(MUNICIPALITY, "registers:\n", "baselines:\n  - service: road-grunt\n    minutes: 0\n    cases: 9\n    measured: {from: 2025-01-01, to: null}\n    source: x\nregisters:\n")),
    ("post whose claims nobody takes", Writes(MUNICIPALITY, "    claims_to: technical-board\n", "")),
    ("policy that nobody adopted", Writes(RULES, "adopted: {body: tekninen lautakunta, date: 2025-11-18, section: \"§ 71\"}\n", "")),
    ("statute without a number", Writes(LAW, "number: 434/2003\n", "")),
    ("broken example", Writes("base/examples/fi.jsonl", "\"label\"", "label")),
    // What residents are told and asked
    ("unknown field of the sender", Writes(SERVICE, "provisions:", "again: {same: {fi: Sama, sv: Samma}, another: {fi: Toinen, sv: En annan}, sender: [lenght]}\nprovisions:")),
    ("consent that is no tick", Writes(SERVICE, "provisions:", "publication_consent: special_reason\nprovisions:")),
    ("register fact about an unknown field", Writes(MUNICIPALITY, "  - fact: factor_k\n", "  - fact: length\n    about: {field: road_id, value: \"1\"}\n    service: road-grant\n    value: 400\n    valid: {from: 2026-01-01, to: null}\n    source: rekisteri\n  - fact: factor_k\n")),
];

#[test]
fn every_slip_is_explained() {
    let mut told = String::new();
    for (name, slip) in SLIPS {
        let folder = a_copy_of_the_fixture();
        let root = folder.path();
        match slip {
            Writes(file, from, to) => {
                let text = fs::read_to_string(root.join(file)).unwrap();
                assert!(text.contains(from), "{name}: `{from}` does not stand in {file}");
                fs::write(root.join(file), text.replacen(from, to, 1)).unwrap();
            }
            Removes(file) => fs::remove_file(root.join(file)).unwrap(),
            Copies(from, to) => fs::copy(root.join(from), root.join(to)).map(|_| ()).unwrap(),
        }
        let faults = policy::check(root);
        assert!(!faults.is_empty(), "{name}: nothing was found");
        writeln!(told, "# {name}").unwrap();
        for fault in faults.iter() {
            let told_here = fault.to_string().replace(&format!("{}/", root.display()), "");
            assert!(fault.file.starts_with(root) && !fault.instead.is_empty(), "{name}: {told_here}");
            writeln!(told, "{told_here}").unwrap();
        }
    }
    insta::assert_snapshot!("every_slip_is_explained", told);
}

fn a_copy_of_the_fixture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(Path::new(FIXTURE), folder.path());
    folder
}

/// The schemas of hand-edited files stand checked in, where an editor finds them.
#[test]
fn the_schemas_are_those_of_the_types() {
    let folder = PathBuf::from("policies/schemas");
    for (name, schema) in policy::schemas() {
        let mut fresh = serde_json::to_string_pretty(&schema).unwrap();
        fresh.push('\n');
        let file = folder.join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &fresh).unwrap();
        }
        let golden = fs::read_to_string(&file).unwrap_or_default();
        assert!(golden == fresh, "{} is not up to date: run the tests with UPDATE_GOLDEN=1", file.display());
    }
}

fn kuivala() -> Rulebook {
    Rulebook::load(Path::new(FIXTURE), &"kuivala".parse().unwrap()).unwrap_or_else(|faults| panic!("\n{faults}"))
}

fn form(facts: &[(&str, Value)]) -> Facts {
    facts
        .iter()
        .map(|(name, value)| Fact {
            name: (*name).to_owned(),
            value: value.clone(),
            unit: None,
            evidence: Evidence::Form { field: (*name).to_owned() },
        })
        .collect::<Vec<_>>()
        .into()
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// R1 as it arrives on the last day.
fn an_application() -> Facts {
    let at = |text: &str| Value::Time(text.parse().unwrap());
    form(&[
        ("received_at", at("2026-04-15T12:00:00Z")),
        ("window_end", at("2026-04-15T12:00:00Z")),
        ("length", number("2350")),
        ("households", number("5")),
        ("approved_costs", Value::Money("6120.40".parse().unwrap())),
        ("factor_k", number("1")),
    ])
}

#[test]
fn a_missing_fact_that_does_not_matter_is_not_asked_for() {
    let book = kuivala();
    let rules = book.library.version(&"road-rules".parse().unwrap(), "2026-01-01".parse().unwrap()).unwrap();
    // Nobody said whether it is a through route, nor whether there is a special reason.
    let assessment = assess(rules, &an_application(), &[], &[], "2026-04-15".parse().unwrap());
    assert_eq!(assessment.outcome, Outcome::Granted);
    assert_eq!(assessment.amount, Some("2585.00".parse().unwrap()));
    assert_eq!(assessment.questions, []);
    let length = &assessment.rules[1];
    assert_eq!(length.section.to_string(), "road-rules@2026-01-01#s2");
    assert_eq!(length.inputs["length"].evidence, Evidence::Form { field: "length".to_owned() });
    assert_eq!(length.reason.fi, "Tien pituus on 2\u{a0}350\u{a0}m.");
    assert_eq!(length.reason.en.as_deref(), Some("The road is 2,350\u{a0}m long."));
    assert_eq!(assessment.rules[0].reason.en, None, "no English reason was written");
}

#[test]
fn a_missing_fact_that_matters_becomes_one_question() {
    let book = kuivala();
    let rules = book.library.version(&"road-rules".parse().unwrap(), "2026-01-01".parse().unwrap()).unwrap();
    let mut facts = an_application();
    facts.remove("households");
    let assessment = assess(rules, &facts, &[], &[], "2026-04-15".parse().unwrap());
    assert_eq!(assessment.outcome, Outcome::Incomplete);
    assert_eq!(assessment.amount, None);
    let asked: Vec<&str> = assessment.questions.iter().map(|q| q.about.as_str()).collect();
    // The rate of the calculation rests on both, each is asked for once.
    assert_eq!(asked, ["households", "through_route"]);
    let smallest = assessment.rules.iter().find(|r| r.rule.as_str() == "smallest-payment").unwrap();
    assert_eq!(
        (smallest.outcome, &smallest.missing[..]),
        (RuleOutcome::Unknown, &["households".to_owned(), "through_route".to_owned()][..])
    );
}

#[test]
fn a_ruling_stands_in_for_discretion_only() {
    let book = kuivala();
    let rules = book.library.version(&"road-rules".parse().unwrap(), "2026-01-01".parse().unwrap()).unwrap();
    let mut facts = an_application();
    for fact in Vec::from(form(&[("length", number("200")), ("special_reason", Value::Flag(true))])) {
        facts.insert(fact);
    }
    let on = "2026-04-15".parse().unwrap();
    let open = assess(rules, &facts, &[], &[], on);
    assert_eq!((open.outcome, open.amount), (Outcome::Discretion, Some("220.00".parse().unwrap())));
    let ruling = |rule: &str, outcome| Ruling {
        rule: rule.parse().unwrap(),
        outcome,
        reason: "Ainoa tie saareen.".to_owned(),
        actor: "token".to_owned(),
    };
    let met = assess(rules, &facts, &[ruling("min-length", RuleOutcome::Met)], &[], on);
    assert_eq!((met.outcome, met.rules[1].ruled_by.as_deref()), (Outcome::Granted, Some("token")));
    let not_met = assess(rules, &facts, &[ruling("min-length", RuleOutcome::NotMet)], &[], on);
    assert_eq!((not_met.outcome, not_met.amount), (Outcome::Rejected, None));
    let meddling = assess(rules, &facts, &[ruling("in-time", RuleOutcome::NotMet)], &[], on);
    assert_eq!(meddling.rules[0].outcome, RuleOutcome::Met, "nobody overrules a rule that leaves nothing open");
}

#[test]
fn one_second_late_is_inadmissible_and_shows_it() {
    let book = kuivala();
    let id = "road-rules".parse().unwrap();
    let late = "2026-04-15T12:00:01Z".parse().unwrap();
    let window = book.library.window_for(&id, late).unwrap();
    assert_eq!(
        (window.closes, window.ends_on),
        ("2026-04-15T12:00:00Z".parse().unwrap(), "2026-04-15".parse().unwrap())
    );
    let mut facts = an_application();
    for fact in Vec::from(form(&[("received_at", Value::Time(late))])) {
        facts.insert(fact);
    }
    let assessment = assess(window.document, &facts, &[], &[], window.ends_on);
    assert_eq!(assessment.outcome, Outcome::Inadmissible);
    assert_eq!(
        assessment.rules[0].reason.fi,
        "Hakemus saapui 15.4.2026 klo 15.00.01, hakuaika päättyi 15.4.2026 klo 15.00."
    );
}

#[test]
fn the_window_belongs_to_the_version_of_its_last_day() {
    let book = kuivala();
    let id = "road-rules".parse().unwrap();
    let span = |arrival: &str| {
        let window = book.library.window_for(&id, arrival.parse().unwrap()).unwrap();
        (window.opens.to_string(), window.closes.to_string(), window.document.version().to_string())
    };
    // Both sides of the change of rules, and of summer time (29.3.2026).
    assert_eq!(
        span("2025-03-03T10:00:00Z"),
        ("2025-01-31T22:00:00Z".into(), "2025-03-31T12:00:00Z".into(), "2024-01-01".into())
    );
    assert_eq!(
        span("2026-02-01T10:00:00Z"),
        ("2026-01-31T22:00:00Z".into(), "2026-04-15T12:00:00Z".into(), "2026-01-01".into())
    );
    // Too early, and much too late.
    assert_eq!(span("2026-01-05T10:00:00Z").2, "2026-01-01");
    assert_eq!(
        span("2025-11-05T10:00:00Z"),
        ("2025-01-31T22:00:00Z".into(), "2025-03-31T12:00:00Z".into(), "2024-01-01".into())
    );
    // New Year's Eve in Helsinki is still the old year's evening in UTC.
    assert_eq!(span("2025-12-31T22:30:00Z").2, "2026-01-01");
    assert!(book.library.window_for(&id, "2019-03-03T10:00:00Z".parse().unwrap()).is_none(), "no rules then");
    assert!(
        book.library.window_for(&"hallintolaki".parse().unwrap(), "2026-03-03T10:00:00Z".parse().unwrap()).is_none()
    );
}

#[test]
fn the_limit_of_a_power_is_inclusive_and_dated() {
    let pack = kuivala().pack;
    let euro = |text: &str| Some(text.parse::<Euro>().unwrap());
    let on = |text: &str| text.parse().unwrap();
    let decider = |amount, date: &str| pack.decider_for("road", amount, on(date)).unwrap();
    assert_eq!(decider(euro("5000.00"), "2026-03-01").decider.as_str(), "road-master");
    assert_eq!(decider(euro("5000.01"), "2026-03-01").decider.as_str(), "technical-board");
    assert_eq!(decider(euro("5000.00"), "2025-12-31").decider.as_str(), "technical-board");
    assert_eq!(decider(None, "2026-03-01").because, "delegation/road@2026-01-01");
    assert!(pack.decider_for("road", None, on("2023-12-31")).is_none());

    let may = |post: &str, amount, date: &str| pack.may_decide(&post.parse().unwrap(), "road", amount, on(date));
    assert_eq!(
        may("clerk", euro("4000.00"), "2026-03-01").unwrap().up_to,
        euro("5000.00"),
        "the deputy has the post's power"
    );
    assert!(may("technical-board", euro("10.00"), "2026-03-01").is_ok(), "higher on the ladder");
    let beyond = may("road-master", euro("6000.00"), "2026-03-01").unwrap_err();
    assert_eq!((beyond.limit, beyond.whose.unwrap().as_str()), (euro("5000.00"), "technical-board"));
    assert_eq!(may("nobody", None, "2026-03-01").unwrap_err().limit, None);
}

#[test]
fn the_directory_answers_for_a_day() {
    let pack = kuivala().pack;
    let name = |on: &str| pack.authority_for(Owner::StateRoad, on.parse().unwrap()).map(|row| row.name.fi.clone());
    assert_eq!(name("2025-12-31").as_deref(), Some("ELY-keskus"));
    assert_eq!(name("2026-01-01").as_deref(), Some("Elinvoimakeskus"));
    assert_eq!(pack.text("heading", Language::Sv, "2026-01-01".parse().unwrap()).unwrap().body, "{{ municipality }}");
    assert!(pack.service(&"road-grant".parse().unwrap()).unwrap().provisions.contains_key(&DraftKind::Grant));
}

#[test]
fn a_version_can_be_shown() {
    let book = kuivala();
    let rules = book.library.version(&"road-rules".parse().unwrap(), "2026-01-01".parse().unwrap()).unwrap();
    insta::assert_snapshot!(policy::show(rules, Language::Sv));
}

#[test]
fn the_hash_covers_every_file() {
    let id: MunicipalityId = "kuivala".parse().unwrap();
    let before = kuivala();
    assert_eq!(before.hash, kuivala().hash);
    let mut seen = std::collections::BTreeSet::from([before.hash]);
    for file in [SWEDISH, SERVICE, "base/examples/fi.jsonl"] {
        let folder = a_copy_of_the_fixture();
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        fs::write(folder.path().join(file), text + "\n").unwrap();
        assert!(seen.insert(Rulebook::load(folder.path(), &id).unwrap().hash), "{file}");
    }
}
