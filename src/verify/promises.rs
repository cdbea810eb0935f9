//! K17: no sentence promises more than the operative part, and none contradicts it.
//!
//! What is decided is said in one place, which code writes. In the reasons and the paragraph on the matter a word of
//! granting, approving, paying or refusing may stand only where it says the same; in a letter that decides nothing it
//! may not stand at all. What the policy itself says, word for word, is no promise.

use std::sync::LazyLock;

use regex::Regex;

use super::prose::{self, collapsed, sentences};
use super::{Subject, amounts, sources, words};
use crate::cases::{Check, CheckId, DraftKind, Euro, Localized, PartKind, Preparer, Severity};

/// What a word of outcome says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Something is granted.
    Grant,
    /// Something is accepted: an application, a cost.
    Approve,
    /// Something is paid or made good, or somebody is entitled to it.
    Pay,
    /// Something is refused.
    Refuse,
    /// Something is certain, or we promise it.
    Guarantee,
}

/// Words of outcome in Finnish, Swedish and English. Participles before a noun (`hyväksytyt kustannukset`, `pienin
/// myönnettävä avustus`) and the names of documents (`myöntämisperusteet`) say no outcome; `saada`, `antaa`, `få` and
/// `receive` say one beside a word for the money.
static WORDS: LazyLock<[(Outcome, Regex); 5]> = LazyLock::new(|| {
    let word = |pattern: &str| {
        let pattern = pattern
            .replace("MONEY", r"(?:(?:avustu|korvau|hyvity|rahoitu)\w*|tuki|tukea|tuen)")
            .replace("GIVEN", r"(?:annetaan|annettiin|suoritetaan|suoritettiin|luovutetaan|tilitetään|siirretään)")
            .replace("SOME", r"(?:\w+ ){0,3}");
        Regex::new(&format!(r"(?i)\b(?:{pattern})\b")).expect("a fixed pattern")
    };
    [
        (
            Outcome::Grant,
            word(
                "myönnetään|myönnetä|myönnettiin|myönnetty|myönnettäisiin|myönnettäneen|myönnämme|myönnän|myönnä|myöntää|\
                 myöntävät|myönsi|myönsimme|myönnettäväksi|myönnettävissä|on SOMEmyönnettävä|beviljas|beviljar|beviljade|\
                 beviljades|beviljats|beviljat|bevilja|granted|(?:we|to|will|hereby|shall) grant|grants you|award|awards|awarded",
            ),
        ),
        (
            Outcome::Approve,
            word(
                "hyväksytään|hyväksytä|hyväksyttiin|hyväksymme|hyväksyn|hyväksyy|hyväksyi|hyväksyimme|hyväksynyt|hyväksytty|\
                 hyväksyä|hyväksyttävissä|hyväksyttäväksi|puolletaan|puolleta|puollettiin|puollettu|puoltaa|puoltavat|puoltanut|\
                 puollamme|puollan|godkänns|godkänner|godkändes|godkänts|godkänna|godkännas|bifalls|bifaller|tillstyrks|\
                 tillstyrker|approved|approve|approves|accepted|endorsed?",
            ),
        ),
        (
            Outcome::Pay,
            word(
                "maksetaan|makseta|maksaa|maksan|maksa|maksavat|maksoi|maksoivat|maksamme|maksoimme|maksanut|maksettiin|\
                 maksettaisiin|maksettaneen|maksettu|korvataan|korvata|korvaamme|korvaan|korvaa|korvaavat|korvasi|korvattiin|\
                 korvattaisiin|korvattu|(?:maksettav|korvattav)(?:aksi|issa)|on SOME(?:maksettava|korvattava)|hyvitetään|\
                 hyvitettiin|hyvitetty|hyvitämme|oikeus korvaukseen|oikeutettu|oikeutettuja|MONEY SOMEGIVEN|GIVEN SOMEMONEY|\
                 (?:annamme|suoritamme|suorittaa|antaa) SOMEMONEY|(?:saatte|saat|saitte) SOMEMONEY|\
                 (?:saa|saavat|sai|saivat) SOME(?:avustuksen|korvauksen|tuen)|(?:ei|eivät|ette|et|emme) saa SOMEMONEY|\
                 ersätts|ersätter|ersättas|ersatts|utbetalas|utbetalar|utbetalats|betalas ut|betalar|betalas|gottgörs|gottgör|\
                 rätt till ersättning|berättigad|berättigade|tilldelas|erhåller|\
                 får (?:(?:inte|ej|då|nu|ett|ert|er|en|det|den|hela|fullt|full|begärda|sökta) )*(?:bidrag|understöd|ersättning|stöd)\\w*|\
                 paid|pay|pays|compensated|compensate|reimbursed|reimburse|refunded|refund|entitled|\
                 (?:receive|receives|get|gets|given) SOME(?:grant|compensation|subsidy|aid|support|payment|money)",
            ),
        ),
        (
            Outcome::Refuse,
            word(
                "hylätään|hylätä|hylättiin|hylätty|hylkäämme|hylkää|hylkäsi|evätään|evätä|evättiin|evätty|epäämme|avslås|avslår|\
                 avslogs|avslagits|förkastas|förkastar|förvägras|rejected|reject|rejects|refused|refuse|denied|deny|dismissed|declined",
            ),
        ),
        (
            Outcome::Guarantee,
            word(
                "takaamme|takaa|takaan|taataan|taattu|lupaamme|lupaan|lupaa|luvataan|luvattu|korjaamme|auraamme|hiekoitamme|\
                 vaihdamme|poistamme|(?:korjataan|aurataan|hiekoitetaan|vaihdetaan|poistetaan) (?:heti|tänään|huomenna|\
                 viipymättä)|garanterar|garanteras|garanterat|garanti|lovar|lovas|utlovas|utlovat|vi (?:reparerar|plogar|sandar|\
                 byter|åtgärdar)|guarantees?|guaranteed|we promise|promised|we will (?:fix|repair|plough|replace|remove)",
            ),
        ),
    ]
});

/// Words that turn a clause into its opposite.
static NOT: LazyLock<Regex> = LazyLock::new(|| {
    // Swedish has an article `en`.
    Regex::new(
        r"(?i)\b(?:ei|eivät|emme|et|ette|en (?:voi|ole|myönnä|hyväksy|puolla|maksa|korvaa)|eikä|eivätkä|enkä|emmekä|ettekä|älkää|inte|ej|icke|varken|not|no|never|nor|cannot)\b|n't\b",
    )
    .expect("a fixed pattern")
});

/// All that was asked for.
static WHOLLY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:täysimääräi\w+|kokonaisuudessaan|koko (?:haettu|summa|määrä)\w*|i sin helhet|till fullt belopp|fullt ut|in full|the full amount)\b")
        .expect("a fixed pattern")
});

/// Whether a draft of that kind says the same in its operative part.
const fn fits(kind: DraftKind, outcome: Outcome, negated: bool) -> bool {
    match (kind, outcome) {
        (_, Outcome::Guarantee) | (DraftKind::Grant, Outcome::Refuse) => false,
        (DraftKind::Grant, _) | (DraftKind::Partial, Outcome::Grant) | (DraftKind::Rejection, Outcome::Refuse) => {
            !negated
        }
        (DraftKind::Rejection, _) => negated,
        // Of a part that is refused all may be said; the other decisions have words that no general rule can judge.
        (DraftKind::Partial | DraftKind::Recovery | DraftKind::ClaimDecision, _) => true,
        _ => false,
    }
}

/// Every sentence of the reasons and the matter says no other outcome than the operative part.
pub fn k17(subject: &Subject<'_>) -> Check {
    let model = prose::by_model(subject);
    if !model && *subject.preparer == Preparer::Engine {
        return Check::pass(CheckId::K17, words::rules_and_fixed_texts());
    }
    let texts: Vec<(Localized, String)> = if model {
        prose::written(subject).into_iter().map(|prose| (prose.place, prose.text)).collect()
    } else {
        let parts = subject.content.parts.iter().filter(|part| !part.kind.is_worked_out(subject.content.kind));
        let matter = prose::written(subject).into_iter().filter(|prose| prose.reason.is_none());
        parts
            .filter(|part| part.kind != PartKind::Matter)
            .map(|part| (words::the_part(part.kind), part.text.clone()))
            .chain(matter.map(|prose| (prose.place, prose.text)))
            .collect()
    };
    let public = collapsed(&public_texts(subject).join("\n"));
    let fault = texts.iter().find_map(|(place, text)| {
        sentences(text).into_iter().find_map(|sentence| fault(subject, place, sentence, &public))
    });
    match fault {
        // A person may know why they write so; a model's words are put back.
        Some(fault) if model => Check { severity: Severity::Blocking, ..Check::fail(CheckId::K17, fault) },
        Some(fault) => Check::fail(CheckId::K17, fault),
        None => Check::pass(CheckId::K17, words::promises_nothing_more()),
    }
}

/// What people of the municipality wrote: whole sentences of it promise nothing new.
fn public_texts(subject: &Subject<'_>) -> Vec<String> {
    let mut texts = sources::fixed_texts(subject);
    for rule in subject.file.assessment.iter().flat_map(|assessment| &assessment.rules) {
        texts.push(rule.reason.get(subject.content.language).to_owned());
    }
    texts
}

/// What a sentence says beside the operative part, if anything.
fn fault(subject: &Subject<'_>, place: &Localized, sentence: &str, public: &str) -> Option<Localized> {
    let content = subject.content;
    let bare = collapsed(sentence.trim_start_matches(['–', ' ']));
    if bare.chars().count() > 12 && public.contains(&bare) {
        return None;
    }
    for clause in clauses(sentence) {
        let negated = NOT.is_match(clause);
        for (outcome, pattern) in WORDS.iter() {
            let Some(found) = pattern.find(clause) else { continue };
            if !fits(content.kind, *outcome, negated) {
                return Some(words::says_another_outcome(place, found.as_str(), content.kind));
            }
            if negated || !matches!(outcome, Outcome::Grant | Outcome::Pay) {
                continue;
            }
            let other =
                amounts::sums(sentence).into_iter().find(|(_, sum)| content.amount.map(Euro::decimal) != Some(*sum));
            if let Some((sum, _)) = other {
                return Some(words::says_beside_another_sum(place, found.as_str(), sum));
            }
            if content.kind == DraftKind::Partial && WHOLLY.is_match(clause) {
                return Some(words::says_all_granted(place));
            }
        }
    }
    None
}

/// A sentence at its commas, contrasts and joints, so that a `not` turns only its own part.
fn clauses(sentence: &str) -> impl Iterator<Item = &str> {
    static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)[,;:–—]\s|\s(?:mutta|vaan|ja|sekä|utan|men|och|samt|but|and)\s").expect("a fixed pattern")
    });
    /// `And not`: the word belongs to the part that it begins.
    static NOR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\s(?:eikä|eivätkä|enkä|emmekä|ettekä|nor)\s").expect("a fixed pattern"));
    BETWEEN.split(sentence).flat_map(|part| {
        let mut from = 0;
        let ends = NOR.find_iter(part).map(|found| found.start()).chain([part.len()]);
        ends.map(move |end| &part[std::mem::replace(&mut from, end)..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str) -> Vec<(Outcome, bool)> {
        clauses(text)
            .flat_map(|clause| {
                WORDS
                    .iter()
                    .filter(|(_, words)| words.is_match(clause))
                    .map(|(outcome, _)| (*outcome, NOT.is_match(clause)))
            })
            .collect()
    }

    #[test]
    fn outcomes_are_read_in_three_languages_with_what_turns_them() {
        for (text, said) in [
            ("Avustusta myönnetään 2 585 €.", vec![(Outcome::Grant, false)]),
            ("Avustusta ei myönnetä.", vec![(Outcome::Grant, true)]),
            ("Hakemus hylätään.", vec![(Outcome::Refuse, false)]),
            ("Understöd beviljas inte.", vec![(Outcome::Grant, true)]),
            ("Ansökan avslås.", vec![(Outcome::Refuse, false)]),
            ("Skadan ersätts.", vec![(Outcome::Pay, false)]),
            ("The application is rejected.", vec![(Outcome::Refuse, false)]),
            ("We guarantee it.", vec![(Outcome::Guarantee, false)]),
            ("Tie ei ole pitkä, mutta avustus maksetaan.", vec![(Outcome::Pay, false)]),
            ("Teillä on oikeus korvaukseen.", vec![(Outcome::Pay, false)]),
        ] {
            assert_eq!(says(text), said, "{text}");
        }
        for text in [
            "Yksityistieavustusten myöntämisperusteet",
            "Se on vähintään pienimmän myönnettävän avustuksen suuruinen.",
            "Työt kuuluvat hyväksyttäviin kustannuksiin.",
            "the grant is for roads",
        ] {
            assert_eq!(says(text), [], "{text}");
        }
    }

    /// What a sentence of a model may say in one kind of letter and not in the other.
    #[test]
    fn outcomes_are_known_in_the_forms_in_which_people_say_them() {
        let odd =
            |kind: DraftKind, text: &str| says(text).iter().any(|(outcome, negated)| !fits(kind, *outcome, *negated));
        for text in [
            "Kunta maksaa teille avustuksen.",
            "Maksan avustuksen.",
            "Kunta maksoi avustuksen.",
            "Kunnan on maksettava teille avustus.",
            "Vahinko on korvattava.",
            "Avustus on maksettavissa.",
            "Saatte avustuksen.",
            "Tiekunta saa siten avustuksen.",
            "Avustus annetaan teille.",
            "Avustus suoritetaan tilillenne.",
            "Hakemusta voidaan puoltaa.",
            "Hakemus on hyväksyttävissä.",
            "Avustus maksetaan teille eikä sitä peritä takaisin.",
            "Vaatimus ei täyty ja avustus maksetaan.",
            "Avustus maksetaan ilman viivytystä.",
            "Ni får understödet.",
            "Ni får ett bidrag.",
            "En ersättning betalas till er.",
            "Bidraget betalas ut och inte återkrävs det.",
            "You will receive the grant.",
            "The cooperative is awarded the grant.",
            "The grant is paid and not recovered.",
        ] {
            assert!(odd(DraftKind::Rejection, text), "{text}");
            assert!(odd(DraftKind::Completion, text), "{text}");
        }
        for text in [
            "Hakemusta ei voida puoltaa.",
            "Ette saa avustusta.",
            "Ni får inte understödet.",
            "Kunta ei maksa avustusta eikä korvaa kuluja.",
            "You will not receive the grant.",
        ] {
            assert!(odd(DraftKind::Grant, text), "{text}");
            assert!(!odd(DraftKind::Rejection, text), "{text}");
        }
        for text in [
            "Tiedoksi annetaan myös kartta.",
            "Avustusta voi hakea tiekunta, jolla on vähintään kolme taloutta.",
            "Tarkastus suoritetaan keväällä.",
            "The application was received on time.",
            "We will go on when we receive the accounts.",
            "Ni får söka bidrag igen.",
            "Maksettavan avustuksen määrä lasketaan kustannuksista.",
        ] {
            assert_eq!(says(text), [], "{text}");
        }
    }

    #[test]
    fn each_kind_of_letter_says_its_own_outcome_only() {
        assert!(fits(DraftKind::Grant, Outcome::Grant, false) && !fits(DraftKind::Grant, Outcome::Grant, true));
        assert!(!fits(DraftKind::Grant, Outcome::Refuse, false) && !fits(DraftKind::Rejection, Outcome::Pay, false));
        assert!(fits(DraftKind::Rejection, Outcome::Grant, true) && fits(DraftKind::Rejection, Outcome::Refuse, false));
        for kind in [DraftKind::Completion, DraftKind::Acknowledgement, DraftKind::Transfer, DraftKind::Inadmissible] {
            for negated in [true, false] {
                assert!(!fits(kind, Outcome::Grant, negated) && !fits(kind, Outcome::Refuse, negated), "{kind}");
            }
        }
    }
}
