//! Faults that an officer can make, seeded one by one into a copy of the real packs: `policy check` refuses each, names the
//! file and the line where it stands, says what is wrong and what to write. With `--nocapture` it prints them all.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::support::desk::copy_folder;

const SERVICE: &str = "base/services/private-road-grant.yaml";
const NOTICE: &str = "base/services/fault-notice.yaml";
const ACCESS: &str = "base/services/access-right.yaml";
const MUNICIPALITY: &str = "harjuvesi/municipality.yaml";
const DELEGATION: &str = "harjuvesi/delegation.yaml";
const RULES: &str = "base/policies/private-road-grant@2026-01-01.fi.md";
const SWEDISH: &str = "base/policies/private-road-grant@2026-01-01.sv.md";
const OLD: &str = "base/policies/private-road-grant@2024-01-01.fi.md";
const WORKED: &str = "base/policies/private-road-grant.tests.yaml";
const BY_LAWS: &str = "harjuvesi/policies/hallintosaanto@2026-01-01.fi.md";
const LAW: &str = "base/law/hallintolaki.fi.md";
const APPEAL: &str = "base/texts/fi/appeal-A.md";
const SWEDISH_APPEAL: &str = "base/texts/sv/appeal-A.md";

/// What an officer does to a file.
enum Change {
    /// What stood there, what stands there now.
    Writes(&'static str, &'static str),
    /// The same, where what is missing is named at its entry: words of the line on which that begins.
    Lacks(&'static str, &'static str, &'static str),
    /// The file is gone; it is named, or this one that needs it.
    Removes(&'static str),
    /// The rows of a price list by facility and day, put before 7 §, stand so.
    Tabulates(&'static str),
}

use Change::{Lacks, Removes, Tabulates, Writes};

/// A fault: its name, the file, the change, words of what is wrong, words of what to write.
type Fault = (&'static str, &'static str, Change, &'static str, &'static str);

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    // What cannot be read
    ("a key twice", SERVICE, Writes("matter: application\n", "matter: application\nmatter: application\n"), "the key `matter` stands twice", "keep one"),
    ("a fact twice", RULES, Writes("  households:\n", "  grant_type: {type: text}\n  households:\n"), "the key `grant_type` stands twice", "keep one"),
    ("an unknown key", SERVICE, Writes("completion_days: 14", "completion_day: 14"), "unknown key `completion_day`", "`completion_days`"),
    ("an unknown word", SERVICE, Writes("process: municipality-pays", "process: municipality-pay"), "unknown word `municipality-pay`", "`municipality-pays`"),
    ("a bare decimal", RULES, Writes("rate_a: {value: \"1.10\"", "rate_a: {value: 1.10"), "`1.10` is a bare decimal", "in quotes: \"1.10\""),
    ("a word for a number", SERVICE, Writes("days: 60", "days: sixty"), "a whole number is needed", "digits only"),
    ("yes for true", SERVICE, Writes("required: true", "required: yes"), "neither yes nor no", "`true` or `false`"),
    ("a list for a value", RULES, Writes("value: 6000", "value: [6000]"), "one value is needed", "a decimal in quotes"),
    ("keys out of line", SERVICE, Writes("matter: application", "  matter: application"), "cannot be read", "in the column of its neighbours"),
    ("a day that does not exist", RULES, Writes("from: 2026-01-01", "from: 2026-02-30"), "no day of the calendar", "a date that exists"),
    // What a service must say
    ("no owner", SERVICE, Lacks("process_owner: technical-director\n", "", "# Yksityistieavustus"), "`process_owner` is missing", "`process_owner: …` with the post"),
    ("an owner who does not exist", SERVICE, Writes("process_owner: technical-director", "process_owner: technical-manager"), "the process owner `technical-manager` is no post", "write"),
    ("no retention", SERVICE, Lacks("  retention_years: 10\n", "", "records:"), "`retention_years` is missing", "`retention_years: …`"),
    ("no records class", SERVICE, Lacks("  class: \"08 00 02\"\n", "", "records:"), "`class` is missing", "information control plan"),
    ("an empty records class", SERVICE, Writes("  class: \"08 00 02\"", "  class: \"\""), "no records class", "`class: \"00 00 00\"`"),
    ("kept for no year", SERVICE, Writes("retention_years: 10", "retention_years: 0"), "kept for no year", "years above 0"),
    ("no handling time", SERVICE, Lacks("handling_time: {days: 60, from: window_end}\n", "", "# Yksityistieavustus"), "`handling_time` is missing", "`handling_time: {days: 30, from: arrival}`"),
    ("a handling time without days", SERVICE, Writes("handling_time: {days: 60, from: window_end}", "handling_time: {from: window_end}"), "`days` is missing", "`days: 30`"),
    ("no AI class", SERVICE, Lacks("  class: outside\n", "", "ai:"), "`class` is missing", "`class: outside` or the point of Annex III"),
    ("an AI class without a reason", SERVICE, Writes("because: Avustuksen saa tiekunta eikä yksityishenkilö, ja summan laskee ohjelmakoodi kirjatuista säännöistä. Kone ehdottaa, ihminen päättää.", "because: \"\""), "the AI class has no reason", "in a sentence"),
    ("a field without a label", SERVICE, Lacks("    label: {fi: Tien nimi, sv: Vägens namn, en: Name of the road}\n", "", "- name: road_name"), "`label` is missing", "`label: {fi: …, sv: …}`"),
    ("a label without Swedish", SERVICE, Writes("{fi: Tien nimi, sv: Vägens namn, en: Name of the road}", "{fi: Tien nimi, en: Name of the road}"), "`sv` is missing", "in Finnish and in Swedish"),
    // Appeal
    ("no word on appeal", SERVICE, Lacks("  rejection: A\n", "", "appeal:"), "`rejection` says nothing of appeal", "`rejection: A`"),
    ("appeal on a document where there is none", SERVICE, Writes("  rejection: A\n", "  rejection: C\n"), "`C` is the appeal on a refused document", "`A` for a claim"),
    ("appeal on what prepares", SERVICE, Writes("  inadmissible: A\n", "  inadmissible: A\n  completion: A\n"), "`completion` decides nothing", "leave `completion` out"),
    ("a claim that goes to nobody", SERVICE, Lacks("delegation: road-grant\n", "", "appeal:"), "goes to nobody", "add `delegation: …`"),
    ("claims to a post", MUNICIPALITY, Writes("department: technical\n    claims_to: technical-board\n    deputy: street-master", "department: technical\n    claims_to: street-master\n    deputy: street-master"), "go to a post, not to a body", "`technical-board`"),
    ("claims to nobody", MUNICIPALITY, Lacks("    department: technical\n    claims_to: technical-board\n    deputy: street-master\n", "    department: technical\n    deputy: street-master\n", "title: {fi: tekninen johtaja"), "nobody takes claims against decisions of the post `technical-director`", "`claims_to: …`"),
    ("no Finnish text of the instructions", APPEAL, Removes(SWEDISH_APPEAL), "the text `appeal-A` of 2024-01-01 has no version in `fi`", "add it under texts/fi"),
    // Delegation
    ("a decider who does not exist", DELEGATION, Writes("{up_to: \"3000.00\", decider: technical-director}", "{up_to: \"3000.00\", decider: technical-directr}"), "unknown decider `technical-directr`", "`technical-director`"),
    ("two rows on one day", DELEGATION, Writes("to: 2025-12-31", "to: 2026-01-31"), "two rows of the delegation `road-grant` hold on 2026-01-01", "the day before"),
    ("a row of an unknown section", DELEGATION, Writes("source: hallintosaanto#s12", "source: hallintosaanto#s99"), "has no section `s99`", "write"),
    // Versions and languages
    ("two versions on one day", OLD, Writes("to: 2025-12-31", "to: 2026-06-30"), "both in force on 2026-01-01", "`to: 2025-12-31`"),
    ("no version for a month", OLD, Writes("to: 2025-12-31", "to: 2025-11-30"), "no version is in force from 2025-12-01 to 2025-12-31", "`to: 2025-12-31`"),
    ("no Swedish text", SWEDISH, Removes(RULES), "has no `sv` text", "private-road-grant@2026-01-01.sv.md"),
    ("a section missing in Swedish", SWEDISH, Writes("{#s12}", "{#s15}"), "the section `s15` does not exist in `fi`", "write"),
    ("another figure in Swedish", SWEDISH, Writes("högst 400 millimeter", "högst 500 millimeter"), "`500` stands in the section `s5` in `sv` where `fi` has `400`", "write `400`"),
    ("another rate in Swedish", SWEDISH, Writes("1,10 euro", "1,20 euro"), "`1,20` stands in the section `s4` in `sv`", "write `1,10`"),
    ("another day in Swedish", SWEDISH, Writes("den 1 januari 2026", "den 1 februari 2026"), "`1.2.2026` stands in the section `s14`", "`1.1.2026`"),
    ("a quote that is not there", RULES, Writes("fi: Alle 100 euron avustusta ei myönnetä.", "fi: Alle 100 euron avustusta ei makseta."), "is not in the section", "byte for byte"),
    ("a heading without an anchor", BY_LAWS, Writes(" {#s12}", ""), "has no anchor", "{#s3}"),
    ("a statute without a number", LAW, Lacks("number: 434/2003\n", "", "---"), "the statute has no number", "`number: 434/2003`"),
    // Facts, units, words
    ("an unknown fact", RULES, Writes("when: facts.households < params.min_households", "when: facts.house_holds < params.min_households"), "unknown name `facts.house_holds`", "`households`"),
    ("a fact that nobody gives", RULES, Writes("  households:\n    type: number\n", "  inhabitants: {type: number}\n  households:\n    type: number\n"), "gives the fact `inhabitants`", "add a field or a `history` to the service `private-road-grant`"),
    ("a fact of another unit than the form", RULES, Writes("  supported_length:\n    type: number\n    unit: m\n", "  supported_length:\n    type: number\n    unit: km\n"), "the fact `supported_length` is declared in `km` and given in `m`", "the same unit"),
    ("a fact of another type than the form", RULES, Writes("  households:\n    type: number\n", "  households:\n    type: money\n"), "the fact `households` is declared as an amount of euros and given as a number", "the same type"),
    ("metres compared with euros", RULES, Writes("when: facts.supported_length < params.min_length", "when: facts.supported_length < params.cap"), "`m` stands beside `EUR`", "values of one unit"),
    ("a step that says another unit", RULES, Writes("value: floor(calc.rate * facts.supported_length * 100) / 100\n    unit: EUR", "value: floor(calc.rate * facts.supported_length * 100) / 100\n    unit: EUR/m"), "gives `EUR` and says `EUR/m`", "`unit: EUR`"),
    ("a step without its unit", RULES, Lacks("    value: params.cap\n    unit: EUR\n", "    value: params.cap\n", "- name: upper_limit"), "has no unit and gives `EUR`", "`unit: EUR`"),
    ("a word that is no choice", RULES, Writes("when: facts.improvement_work == 'other'", "when: facts.improvement_work == 'others'"), "`facts.improvement_work` is never `others`", "`other`"),
    ("an amount with fractions of a cent", RULES, Writes("floor(facts.factor_k * calc.capped)", "facts.factor_k * calc.capped"), "a fraction of a cent", "round it"),
    ("a policy of no service", RULES, Writes("services: [private-road-grant]", "services: [private-road-grants]"), "governs an unknown service `private-road-grants`", "`private-road-grant`"),
    // Worked cases
    ("a worked case that comes out otherwise", WORKED, Writes("amount: \"2585.00\"", "amount: \"2586.00\""), "should be 2586.00 and is 2585.00", "correct the rule, or the case"),
    ("a worked case without an outcome", WORKED, Writes("      outcome: granted\n", ""), "`outcome` is missing", "`outcome: …`"),
    // Tables
    ("rows that overlap", RULES, Tabulates("  - {kind: maintenance, day: {to: 2026-06-30}, value: \"15.00\"}\n  - {kind: maintenance, day: {from: 2026-06-30}, value: \"16.00\"}\n  - {kind: improvement, value: \"20.00\"}"), "the row fits what the row on line", "end the range of one"),
    ("a hole between days", RULES, Tabulates("  - {kind: maintenance, day: {to: 2026-06-30}, value: \"15.00\"}\n  - {kind: maintenance, day: {from: 2026-07-02}, value: \"16.00\"}\n  - {kind: improvement, value: \"20.00\"}"), "fits kind maintenance, day from 2026-07-01 to 2026-07-01", "add such a row"),
    ("a choice without a row", RULES, Tabulates("  - {kind: maintenance, value: \"15.00\"}"), "no row of the table fits kind improvement", "add such a row"),
    ("a row of no choice", RULES, Tabulates("  - {kind: maintenance, value: \"15.00\"}\n  - {kind: improvment, value: \"20.00\"}"), "`improvment` is no choice of the form", "`improvement`"),
    ("a word among the prices", RULES, Tabulates("  - {kind: maintenance, value: \"15.00\"}\n  - {kind: improvement, value: free}"), "the value is text", "write a number"),
    ("a number for a day", RULES, Tabulates("  - {kind: maintenance, day: 15, value: \"15.00\"}\n  - {kind: improvement, value: \"20.00\"}"), "the column `day` is a date", "write a date"),
    ("an unknown column", RULES, Tabulates("  - {knd: maintenance, value: \"15.00\"}"), "unknown column `knd`", "`kind`"),
    // Access rights
    ("a right of no field", ACCESS, Writes("until: valid_until, what", "until: valid_untill, what"), "`until` names an unknown field `valid_untill`", "`valid_until`"),
    ("a right until a word", ACCESS, Writes("until: valid_until, what", "until: hours, what"), "cannot be made of the field `hours`", "`date`"),
    ("a right whose kind may be left out", ACCESS, Writes("kind: key_kind}", "kind: language}"), "cannot be made of the field `language`", "`required: true`"),
    ("a right of nobody", ACCESS, Lacks("party: holder_name\n", "", "right: {from"), "nobody would hold the access right", "`party: …`"),
    // The rest of the pack
    ("a category of an unknown department", NOTICE, Writes("department: technical\n    urgency: U4", "department: tecnical\n    urgency: U4"), "unknown department `tecnical`", "`technical`"),
    ("a register fact of an unknown service", MUNICIPALITY, Writes("    service: private-road-grant\n", "    service: road-grant\n"), "unknown service `road-grant`", "write"),
];

const TABLE: &str = "```table\nname: tariff\nlabel: {fi: Taksa, sv: Taxa}\nunit: EUR/h\nhidden: true\ncolumns:\n  - {name: kind, value: facts.grant_type}\n  - {name: day, value: day(facts.received_at)}\nrows:\n";
const BEFORE: &str = "## 7 § ";

/// The base pack and one municipality: that is what a pack is checked with.
fn packs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["base", "harjuvesi"] {
        copy_folder(&Path::new("policies").join(name), &folder.path().join(name));
    }
    folder
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Makes the change; gives the file that the fault must name, and its first and last line there.
fn seed(root: &Path, file: &str, change: &Change) -> (PathBuf, Option<(usize, usize)>) {
    let path = root.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (from, to) = match change {
        Lacks(from, to, _) | Writes(from, to) => ((*from).to_owned(), (*to).to_owned()),
        Removes(named) => {
            fs::remove_file(&path).unwrap();
            return (root.join(named), None);
        }
        Tabulates(rows) => (BEFORE.to_owned(), format!("{TABLE}{rows}\n```\n\n{BEFORE}")),
    };
    let at = text.find(&from).unwrap_or_else(|| panic!("`{from}` does not stand in {file}"));
    fs::write(&path, text.replacen(&from, &to, 1)).unwrap();
    if let Lacks(_, _, entry) = change {
        // The last such line before the change, or the first behind it.
        let entry = text[..at].rfind(entry).or_else(|| Some(at + text[at..].find(entry)?));
        let line = line_of(&text, entry.unwrap_or_else(|| panic!("no such entry in {file}")));
        return (path, Some((line, line)));
    }
    // Lines that are the same before and after are no part of the change.
    let same = from.lines().zip(to.lines()).take_while(|(a, b)| a == b).count();
    let last = to.trim_end().lines().count().max(same + 1);
    let begin = line_of(&text, at);
    (path, Some((begin + same, begin + last - 1)))
}

/// What `policy check` says: whether it went well, and its words.
fn check(root: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["policy", "check", "--policies"])
        .arg(root)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), words)
}

/// Whether a line of what was said is this fault, where it was made.
fn is_told(told: &str, file: &Path, lines: Option<(usize, usize)>, what: &str, instead: &str) -> bool {
    let Some(rest) = told.strip_prefix(&format!("{}:", file.display())) else { return false };
    let Some((place, rest)) = rest.split_once(' ') else { return false };
    let line = place.trim_end_matches(':').parse::<usize>().ok();
    let near = lines.is_none_or(|(first, last)| line.is_some_and(|line| line + 1 >= first && line <= last + 1));
    rest.split_once(" → ").is_some_and(|(wrong, write)| near && wrong.contains(what) && write.contains(instead))
}

#[test]
fn each_seeded_fault_is_refused_where_it_stands_with_what_to_write() {
    assert!(FAULTS.len() >= 40);
    let matrix = Mutex::new(vec![String::new(); FAULTS.len()]);
    let missed = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                loop {
                    let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((name, file, change, what, instead)) = FAULTS.get(n) else { break };
                    let folder = packs();
                    let (file, lines) = seed(folder.path(), file, change);
                    let (well, words) = check(folder.path());
                    let told = words.lines().find(|told| is_told(told, &file, lines, what, instead));
                    let shown = |words: &str| words.replace(&format!("{}/", folder.path().display()), "");
                    if well || told.is_none() {
                        let place = lines.map_or_else(String::new, |(first, last)| format!(" near {first}–{last}"));
                        missed.lock().unwrap().push(format!("{name}{place}: {what} → {instead}\n{}", shown(&words)));
                    }
                    matrix.lock().unwrap()[n] = format!("{name}\n    {}", shown(told.unwrap_or("MISSED")));
                }
            });
        }
    });
    let mut table = String::new();
    for (n, row) in matrix.into_inner().unwrap().iter().enumerate() {
        writeln!(table, "{:>2}  {row}", n + 1).unwrap();
    }
    println!("{table}");
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{} of {} faults:\n\n{}", missed.len(), FAULTS.len(), missed.join("\n"));
}

#[test]
fn the_packs_without_a_fault_are_clean_with_a_price_list_too() {
    let folder = packs();
    assert_eq!(check(folder.path()), (true, format!("{}: no faults.\n", folder.path().display())));
    let rows = "  - {kind: maintenance, day: {to: 2026-06-30}, value: \"15.00\"}\n  - {kind: maintenance, day: {from: 2026-07-01}, value: \"16.00\"}\n  - {kind: improvement, value: \"20.00\"}";
    seed(folder.path(), RULES, &Tabulates(rows));
    assert_eq!(check(folder.path()), (true, format!("{}: no faults.\n", folder.path().display())));
}
