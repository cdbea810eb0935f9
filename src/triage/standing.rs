//! The party and its account in other cases (*maksuliikenteen varmistus*): whether the account is known as another party's,
//! whether the party is paid for the same thing already, and whether money is being recovered from it.
//!
//! Pure like [`super::history`], and over the same register of cases: what is looked for is worked out here ([`sought`]),
//! whoever runs the step fetches it, and [`lay`] reckons. An account that is another's is asked about; nobody is told whose
//! it is. A person who has looked states the account as a fact, and the question is closed.

use jiff::Timestamp;

use super::history::Others;
use super::{Circumstances, Desk, local_date};
use crate::cases::{
    CaseFile, DraftKind, Entry, Evidence, Fact, Ledger, Localized, Outcome, Question, Standing, Submission, key_of,
};
use crate::municipality::format::{FieldType, Process, ServiceFile};
use crate::storage::Sought;

/// Which cases say something of the party and its account; none where the municipality pays nothing.
#[must_use]
pub fn sought(desk: &Desk, file: &CaseFile) -> Vec<Sought> {
    let Some(this) = This::of(desk, file) else { return Vec::new() };
    let services = || desk.rulebook.pack.services.values();
    let seek = |service: &ServiceFile, name: &str, key: String| Sought {
        service: service.id.clone(),
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        same: Some((name.to_owned(), key)),
    };
    let accounts = services().filter_map(|service| Some(seek(service, account(service)?, this.account.clone()?)));
    let recoveries = services().filter(|service| recovers(service));
    let recoveries =
        recoveries.filter_map(|service| Some(seek(service, service.party.as_deref()?, this.party.clone()?)));
    let own = [(this.service.party.as_deref(), &this.party), (business_id(this.service), &this.business_id)];
    let own = own.into_iter().filter(|_| this.service.paid_once.is_some());
    let own = own.filter_map(|(name, key)| Some(seek(this.service, name?, key.clone()?)));
    accounts.chain(recoveries).chain(own).collect()
}

/// Puts what other cases say in the place of what they said before, and asks about an account that is another party's.
pub fn lay(desk: &Desk, submission: &Submission, file: &mut CaseFile, at: &Circumstances<'_>) {
    if let Others::Cases(ledger) = at.others {
        file.standing = standing(desk, submission, file, at, ledger);
    }
    let service = file.classification.as_ref().and_then(|class| desk.rulebook.pack.service(class.service.as_ref()?));
    let Some(name) = service.and_then(account) else { return };
    let question = foreign(name);
    file.questions.retain(|asked| *asked != question);
    if !file.standing.account_of_others.is_empty() && !is_confirmed(file.facts.get(name)) {
        file.questions.push(question);
    }
}

/// What other cases say now.
#[must_use]
pub fn standing(
    desk: &Desk,
    submission: &Submission,
    file: &CaseFile,
    at: &Circumstances<'_>,
    ledger: &Ledger,
) -> Standing {
    let Some(this) = This::of(desk, file) else { return Standing::default() };
    let before = |entry: &Entry| {
        Some(entry.case) != at.case && (entry.received_at, entry.number.as_str()) < (submission.received_at, at.number)
    };
    let mut standing = Standing::default();
    for entry in ledger.iter().filter(|entry| Some(entry.case) != at.case) {
        let Some(service) = desk.rulebook.pack.service(&entry.service) else { continue };
        let key = |name: Option<&str>| name.and_then(|name| entry.keys.get(name));
        let same_name = key(service.party.as_deref()).is_some_and(|key| Some(key) == this.party.as_ref());
        let id = this.business_id.as_ref();
        let same_id = id.is_some() && key(business_id(service)) == id;
        let same_account = key(account(service)).is_some_and(|key| Some(key) == this.account.as_ref());
        let refused = matches!(entry.outcome, Some(Outcome::Rejected | Outcome::Inadmissible));
        if recovers(service) {
            if same_name && !refused {
                standing.recoveries.push(entry.number.clone());
            }
        } else if this.pays_the_same(entry, submission) && (same_name || same_id) {
            standing.paid_already.push(entry.number.clone());
        } else if same_account && !same_name && !same_id && before(entry) {
            standing.account_of_others.push(entry.number.clone());
        }
    }
    standing.account_of_others.sort();
    standing.paid_already.sort();
    standing.recoveries.sort();
    standing
}

/// Whether a person has looked at the account and stated it.
#[must_use]
pub fn is_confirmed(account: Option<&Fact>) -> bool {
    account.is_some_and(|fact| matches!(fact.evidence, Evidence::Person { .. }))
}

/// The field of the account to which a service pays.
#[must_use]
pub fn account(service: &ServiceFile) -> Option<&str> {
    let pays = service.process == Process::MunicipalityPays;
    service.fields.iter().find(|field| pays && field.kind == FieldType::Iban).map(|field| field.name.as_str())
}

fn business_id(service: &ServiceFile) -> Option<&str> {
    service.fields.iter().find(|field| field.kind == FieldType::BusinessId).map(|field| field.name.as_str())
}

fn recovers(service: &ServiceFile) -> bool {
    service.drafts.values().any(|kind| *kind == DraftKind::Recovery)
}

/// Says nothing of whose it is.
fn foreign(name: &str) -> Question {
    let text = Localized {
        fi: "Ilmoittamanne tilinumero on kunnan tietojen mukaan toisen saajan. Ilmoittakaa oma tilinumeronne, tai lähettäkää valtuutus tilin käyttämiseen."
            .to_owned(),
        sv: "Enligt kommunens uppgifter är det kontonummer som ni har uppgett en annan mottagares. Uppge ert eget kontonummer, eller skicka en fullmakt att använda kontot."
            .to_owned(),
        en: Some(
            "By our records the account that you gave belongs to another recipient. Please give your own account, or send an authorisation to use it."
                .to_owned(),
        ),
    };
    Question { about: name.to_owned(), text, rule: None, section: None }
}

/// What others are compared with: keys of the account, the party's name and its business id, and of what is paid for.
struct This<'a> {
    service: &'a ServiceFile,
    account: Option<String>,
    party: Option<String>,
    business_id: Option<String>,
    purpose: Option<Vec<(&'a str, Option<String>)>>,
}

impl<'a> This<'a> {
    /// Of a case in which the municipality pays.
    fn of(desk: &'a Desk, file: &CaseFile) -> Option<Self> {
        let service = desk.rulebook.pack.service(file.classification.as_ref()?.service.as_ref()?)?;
        if service.process != Process::MunicipalityPays || service.office {
            return None;
        }
        let key = |name: Option<&str>| file.facts.get(name?).map(|fact| key_of(&fact.value));
        let purpose = service.paid_once.as_ref();
        Some(Self {
            service,
            account: key(account(service)),
            party: key(service.party.as_deref()),
            business_id: key(business_id(service)),
            purpose: purpose.map(|names| names.iter().map(|name| (name.as_str(), key(Some(name)))).collect()),
        })
    }

    /// Whether that case pays for the same thing in the same year; what neither tells is no difference.
    fn pays_the_same(&self, entry: &Entry, submission: &Submission) -> bool {
        let year = |at: Timestamp| local_date(at).year();
        entry.service == self.service.id
            && entry.decided
            && year(entry.received_at) == year(submission.received_at)
            && matches!(entry.outcome, Some(Outcome::Granted | Outcome::Partial))
            && self
                .purpose
                .as_ref()
                .is_some_and(|purpose| purpose.iter().all(|(name, key)| entry.keys.get(*name) == key.as_ref()))
    }
}
