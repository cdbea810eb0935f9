//! What every letter has: heading, party, matter, decider, contact, appeal, and the values for its blocks.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Material;
use super::blocks::Blocks;
use crate::cases::{
    Appeal, AppealKind, AuthorityId, Citation, DeciderRef, DocumentId, DraftContent, DraftKind, Facts, Language,
    Matter, Part, PartKind, Reason, SectionId, Settles, write_date, write_time, write_value,
};
use crate::municipality::format::{Contact, Field, ServiceFile};
use crate::municipality::notice::Channel;
use crate::triage::Error;

/// A letter under construction.
pub struct Letter<'a> {
    material: &'a Material<'a>,
    kind: DraftKind,
    /// The blocks and their values.
    pub blocks: Blocks<'a>,
    parts: Vec<Part>,
}

/// What a finished letter has besides its parts.
#[derive(Default)]
pub struct Extras {
    /// The reasons.
    pub reasons: Vec<Reason>,
    /// The statutes applied.
    pub provisions: Vec<Citation>,
    /// What is granted.
    pub amount: Option<crate::cases::Euro>,
    /// Who decides.
    pub decider: Option<DeciderRef>,
    /// Instructions for appeal; none for letters that prepare.
    pub appeal: Option<Appeal>,
    /// A last day.
    pub deadline: Option<Date>,
    /// Whom it is sent on to.
    pub recipient: Option<String>,
    /// What is ordered to be done.
    pub work_order: Option<String>,
    /// Whether something of what was asked for is refused.
    pub refuses: bool,
}

impl<'a> Letter<'a> {
    /// A letter of `kind`, in the language that the law gives it, with the values that every block may use.
    pub fn new(material: &'a Material<'a>, kind: DraftKind) -> Self {
        let pack = &material.desk.rulebook.pack;
        let wanted = crate::cases::letter_language(&pack.municipality.languages, material.reading.language, kind);
        let today = material.at.today();
        // Words must exist in the language; a notice answer falls back to the language of the record.
        let language = if pack.text("contact", wanted, today).is_some() { wanted } else { Language::Fi };
        let mut letter = Self { material, kind, blocks: Blocks::new(material, language), parts: Vec::new() };
        letter.set_common_values();
        letter
    }

    fn language(&self) -> Language {
        self.blocks.language()
    }

    fn set_common_values(&mut self) {
        let Material { desk, submission, file, at, service, route, .. } = *self.material;
        let language = self.language();
        let municipality = &desk.rulebook.pack.municipality;
        let department = route.department.as_ref().and_then(|id| municipality.departments.get(id));
        let contact = department.map_or(&municipality.registry, |department| &department.contact);
        let unit = department.map_or(&municipality.registry.name, |department| &department.name);
        let blocks = &mut self.blocks;
        blocks.set("municipality", municipality.letterhead.get(language));
        blocks.set("unit", unit.get(language));
        blocks.set("case_number", at.number);
        blocks.set("date", write_date(at.today(), language));
        blocks.set("received_at", write_time(submission.received_at, language));
        blocks.set("contact_name", contact.name.get(language));
        blocks.set("contact_phone", or_dash(contact.phone.as_ref()));
        blocks.set("contact_email", or_dash(contact.email.as_ref()));
        blocks.set("service", service.map_or("", |service| service.name.get(language)));
        blocks.set("party", party(self.material));
        blocks.set("other_cases", file.other_cases().join(", "));
        let fact =
            |name: &str| file.facts.get(name).map(|fact| write_value(&fact.value, fact.unit.as_deref(), language));
        let window_end = fact("window_end").unwrap_or_default();
        let subject = service.and_then(|service| service.subject.as_ref());
        let facts = service.map(|service| in_words(service, &file.facts, language)).unwrap_or_default();
        let steps = file.assessment.iter().flat_map(|assessment| &assessment.calculation);
        let steps = steps.map(|step| (step.name.clone(), super::decision::written(step, language).unwrap_or_default()));
        let blocks = &mut self.blocks;
        let about = file.about.as_ref();
        blocks.set("about_number", about.map(|about| about.case.number.clone()).unwrap_or_default());
        blocks.set("about_date", about.map(|about| write_date(about.decided_on, language)).unwrap_or_default());
        blocks.set("window_end", window_end);
        blocks.set("subject", subject.and_then(|subject| facts.get(&subject.field)).cloned().unwrap_or_default());
        blocks.set("subject_label", subject.map_or("", |subject| subject.label.get(language)));
        blocks.set_all("calc", steps.collect());
        blocks.set_all("facts", facts);
    }

    /// Adds a part from a block.
    pub fn block(&mut self, kind: PartKind, id: &str) -> Result<&mut Self, Error> {
        let part = self.blocks.part(kind, id)?;
        self.parts.push(part);
        Ok(self)
    }

    /// Adds a part whose lines code made, under the heading of a block whose body is `{{ lines }}`.
    pub fn lines(&mut self, kind: PartKind, id: &str, lines: &[String]) -> Result<&mut Self, Error> {
        self.blocks.set("lines", lines.join("\n"));
        self.block(kind, id)
    }

    /// What the matter is, from a block, and below it a model's paragraph where there is one.
    pub fn matter(&mut self, id: &str) -> Result<&mut Self, Error> {
        let mut part = self.blocks.part(PartKind::Matter, id)?;
        if let Some(words) = self.material.prose.and_then(|prose| prose.matter.as_deref()) {
            part.text.push_str("\n\n");
            part.text.push_str(words);
        }
        self.parts.push(part);
        Ok(self)
    }

    /// Why, in a letter that decides nothing: what a model wrote of it, with the facts of the rule where it names one.
    pub fn explanation(&mut self) -> Result<Vec<Reason>, Error> {
        let assessment = self.material.file.assessment.as_ref();
        let reasons: Vec<Reason> = self
            .material
            .prose
            .iter()
            .flat_map(|prose| &prose.reasons)
            .map(|written| {
                let rule = assessment
                    .iter()
                    .flat_map(|assessment| &assessment.rules)
                    .find(|rule| written.rule.as_ref() == Some(&rule.rule));
                let mut evidence = written.evidence.clone();
                if let (Some(assessment), Some(rule)) = (assessment, rule) {
                    evidence.extend(assessment.behind(rule));
                    evidence.sort();
                    evidence.dedup();
                }
                Reason {
                    text: written.text.clone(),
                    evidence,
                    citations: written.citations.clone(),
                    rule: written.rule.clone(),
                }
            })
            .collect();
        if !reasons.is_empty() {
            let lines = super::reason_lines(&self.material.desk.rulebook.library, &reasons, self.language());
            self.lines(PartKind::Reasons, "reasons", &lines)?;
        }
        Ok(reasons)
    }

    /// 112 first, where words of danger were found.
    pub fn cards(&mut self) -> Result<&mut Self, Error> {
        let mut cards: Vec<_> = self.material.reading.emergencies.iter().map(|hit| hit.card.as_str()).collect();
        if self.material.classification.matter == Matter::SelfHarm {
            cards.push("crisis");
        }
        cards.sort_unstable();
        cards.dedup();
        for card in cards.iter().rev() {
            let id = if *card == "crisis" { "crisis-card" } else { "emergency-card" };
            self.block(PartKind::Emergency, id)?;
        }
        Ok(self)
    }

    /// Authority, unit, date, number; then whom it concerns.
    pub fn heading(&mut self) -> Result<&mut Self, Error> {
        self.block(PartKind::Heading, "heading")?;
        if !party(self.material).is_empty() {
            self.block(PartKind::Party, "party")?;
        }
        Ok(self)
    }

    /// Contact, and that a machine helped.
    pub fn closing(&mut self) -> Result<&mut Self, Error> {
        self.block(PartKind::Contact, "contact")?;
        if self.material.desk.rulebook.pack.municipality.ai_statement {
            self.block(PartKind::AiStatement, "ai-statement")?;
        }
        Ok(self)
    }

    /// Who decides and on what power.
    pub fn decider(&mut self) -> Result<Option<DeciderRef>, Error> {
        let Some(id) = self.material.route.decider.clone() else { return Ok(None) };
        let Some(decider) = self.material.desk.rulebook.pack.municipality.deciders.get(&id) else { return Ok(None) };
        let title = decider.title.get(self.language()).to_owned();
        self.blocks.set("decider", title.clone());
        self.blocks
            .set("authority_basis", self.delegation_source().unwrap_or_else(|| self.material.route.because.clone()));
        self.block(PartKind::Decider, "decider")?;
        Ok(Some(DeciderRef { id, title, authority: self.material.route.because.clone() }))
    }

    /// The section that delegates the power, as people cite it: `Hallintosääntö 12 §`.
    fn delegation_source(&self) -> Option<String> {
        let rulebook = &self.material.desk.rulebook;
        let today = self.material.at.today();
        let delegation = self.material.service?.delegation_of(self.material.file)?;
        let row = rulebook.pack.delegation(&delegation, today)?;
        let (document, section) = row.source.split_once('#')?;
        let document = rulebook.library.version_on(&document.parse().ok()?, today)?;
        document.cite(&section.parse().ok()?, self.language())
    }

    /// How the party was heard, where it was.
    pub fn heard(&mut self) -> Result<&mut Self, Error> {
        let Some(hearing) = self.material.file.hearings.last() else { return Ok(self) };
        let language = self.language();
        self.blocks.set("heard_until", write_date(hearing.until, language));
        self.blocks.set("heard_at", hearing.answered.map(|at| write_time(at, language)).unwrap_or_default());
        self.block(PartKind::Hearing, "heard")
    }

    /// The instructions for appeal that the service names for this kind, to the body that the organisation names; none
    /// for an answer that `refuses` nothing.
    pub fn appeal(&mut self, refuses: bool) -> Result<Option<Appeal>, Error> {
        if self.kind.settles() == Settles::IfItRefuses && !refuses {
            return Ok(None);
        }
        let Some(expected) = expected_appeal(self.material, self.kind, self.language()) else { return Ok(None) };
        if expected.kind == AppealKind::None {
            return Ok(Some(expected));
        }
        let registry = &self.material.desk.rulebook.pack.municipality.registry;
        let language = self.language();
        let days = expected.days.map(|days| days.to_string()).unwrap_or_default();
        self.blocks.set("addressee", expected.addressee.clone().unwrap_or_default());
        self.blocks.set("addressee_address", or_dash(registry.address.as_ref()));
        self.blocks.set("addressee_email", or_dash(registry.email.as_ref()));
        self.blocks.set("hours", registry.hours.as_ref().map_or("–", |hours| hours.get(language)));
        self.blocks.set("days", days);
        let presumed = |channel: Channel| channel.presumed_days().to_string();
        self.blocks.set("letter_days", presumed(Channel::Letter));
        self.blocks.set("e_notice_days", presumed(Channel::ElectronicNotice));
        self.blocks.set("minutes_days", presumed(Channel::Minutes));
        let id = match expected.kind {
            AppealKind::A => "appeal-A",
            AppealKind::B => "appeal-B",
            AppealKind::C => "appeal-C",
            AppealKind::D | AppealKind::None => "appeal-D",
        };
        self.block(PartKind::Appeal, id)?;
        Ok(Some(expected))
    }

    /// The statutes that the service names for this kind, quoted from the allow-list.
    pub fn provisions(&mut self) -> Result<Vec<Citation>, Error> {
        let language = self.language();
        let citations: Vec<_> = provision_refs(self.material, self.kind)
            .into_iter()
            .filter_map(|(document, section)| cite_law(self.material, &document, &section, language))
            .collect();
        let lines: Vec<String> = citations
            .iter()
            .filter_map(|citation| {
                let document = self.material.desk.rulebook.library.version(&citation.document, citation.version)?;
                let number = document.number.as_deref().unwrap_or_default();
                let section = document.section(&citation.section)?.number(language);
                Some(format!("– {} ({number}) {section}", document.title(language)))
            })
            .collect();
        if !lines.is_empty() {
            self.blocks.set("section_list", lines.join("\n"));
            self.block(PartKind::Provisions, "provisions")?;
        }
        Ok(citations)
    }

    /// The finished draft.
    pub fn finish(self, extras: Extras) -> DraftContent {
        let language = self.language();
        let none = Appeal { kind: AppealKind::None, addressee: None, days: None };
        DraftContent {
            kind: self.kind,
            language,
            letter: DraftContent::render_letter(&self.parts),
            parts: self.parts,
            reasons: extras.reasons,
            provisions: extras.provisions,
            amount: extras.amount,
            decider: extras.decider,
            appeal: extras.appeal.unwrap_or(none),
            refuses: extras.refuses,
            deadline: extras.deadline,
            recipient: extras.recipient,
            work_order: extras.work_order,
            basis: crate::cases::basis(self.material.submission, self.material.file),
            blocks: self.blocks.used(),
        }
    }
}

/// What is known of each field of the service, as a letter writes it; nothing for one that nobody filled in.
fn in_words(service: &ServiceFile, facts: &Facts, language: Language) -> BTreeMap<String, String> {
    let of = |field: &Field| {
        let fact = facts.get(&field.name)?;
        let choice = field.choices.get(&fact.value.plain());
        Some(choice.map_or_else(
            || on_one_line(&write_value(&fact.value, fact.unit.as_deref(), language)),
            |choice| choice.get(language).to_owned(),
        ))
    };
    service.fields.iter().map(|field| (field.name.clone(), of(field).unwrap_or_default())).collect()
}

/// A value stands on one line: nobody's field begins a new part of a letter.
fn on_one_line(value: &str) -> String {
    value.replace('\n', " ")
}

/// A text, or a dash where the pack gives none.
pub fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "–".to_owned())
}

/// How an authority is reached, in one line.
pub fn reach(contact: &Contact) -> String {
    let parts = [contact.phone.as_ref(), contact.email.as_ref(), contact.web.as_ref()];
    let known: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    if known.is_empty() { "–".to_owned() } else { known.join(", ") }
}

/// The name of the party: of the organisation where there is one.
fn party(material: &Material<'_>) -> String {
    let field = material.service.and_then(|service| service.party.as_deref());
    field
        .and_then(|name| material.file.facts.get(name))
        .map(|fact| fact.value.plain())
        .or_else(|| material.submission.party.as_ref().and_then(|party| party.name.clone()))
        .map(|name| on_one_line(&crate::text::normalize(&name).text))
        .unwrap_or_default()
}

/// Which instructions for appeal a decision of this kind must carry, and to whom (kuntalaki 134 §: the body
/// itself, or the body above the officer).
#[must_use]
fn expected_appeal(material: &Material<'_>, kind: DraftKind, language: Language) -> Option<Appeal> {
    let service = material.service?;
    let pack = &material.desk.rulebook.pack;
    let decider = material.route.decider.as_ref();
    crate::verify::appeal::expected(pack, service, kind, decider, language, material.at.today())
}

fn provision_refs(material: &Material<'_>, kind: DraftKind) -> Vec<(DocumentId, SectionId)> {
    let general: &[&str] = match kind {
        DraftKind::Completion => &["hallintolaki#s22", "hallintolaki#s33"],
        DraftKind::Transfer => &["hallintolaki#s21"],
        DraftKind::Hearing => &["hallintolaki#s34", "hallintolaki#s36"],
        DraftKind::DocumentAnswer => &["julkisuuslaki#s14"],
        DraftKind::ClaimDecision => &["kuntalaki#s134"],
        DraftKind::Recovery => &["hallintolaki#s34", "hallintolaki#s60"],
        _ => &[],
    };
    let own = material.service.and_then(|service| service.provisions.get(&kind)).map(Vec::as_slice).unwrap_or_default();
    let mut seen = Vec::new();
    for reference in own.iter().map(String::as_str).chain(general.iter().copied()) {
        let Some((document, section)) = reference.split_once('#') else { continue };
        if let (Ok(document), Ok(section)) = (document.parse(), section.parse()) {
            let found: (DocumentId, SectionId) = (document, section);
            if !seen.contains(&found) {
                seen.push(found);
            }
        }
    }
    seen
}

/// The first sentence of a statute's section, as it stands in the allow-list on the day.
fn cite_law(
    material: &Material<'_>,
    document: &DocumentId,
    section: &SectionId,
    language: Language,
) -> Option<Citation> {
    let library = &material.desk.rulebook.library;
    let law = library.version_on(document, material.at.today())?;
    let text = law.section(section)?.text(language).or_else(|| law.section(section)?.text(Language::Fi))?;
    let language = if law.section(section)?.text(language).is_some() { language } else { Language::Fi };
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    Some(Citation {
        document: document.clone(),
        version: law.in_force.from,
        section: section.clone(),
        language,
        quote: text[..end].to_owned(),
    })
}

/// The directory has no row of that authority for the day.
pub fn lacks(material: &Material<'_>, id: &AuthorityId) -> Error {
    Error::Pack {
        municipality: material.desk.rulebook.pack.municipality.id.clone(),
        what: format!("a row `{id}` of the directory of authorities that is valid today"),
    }
}
