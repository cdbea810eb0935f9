//! Checks (*tarkistus*): what a machine can test of a draft. The numbers are the field's list K01…K30; those that
//! are not here have no code yet.

use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{Language, Localized};

macro_rules! checks {
    ($($(#[$doc:meta])* $id:ident $severity:ident),+ $(,)?) => {
        /// The number of a check. Numbers are stable: files, API, evals and reports name them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum CheckId { $($(#[$doc])* $id),+ }

        impl CheckId {
            /// Every check.
            pub const ALL: &'static [Self] = &[$(Self::$id),+];

            /// Whether a failure blocks approval.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$id => Severity::$severity),+ }
            }

            /// Its number as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$id => stringify!($id)),+ }
            }
        }
    };
}

checks! {
    /// Amount in the operative text = computed amount = payment line; other sums stand in evidence.
    K01 Blocking,
    /// The calculation reproduces from stored inputs and version.
    K02 Blocking,
    /// The policy version is in force on the governing date and has the cited section.
    K03 Blocking,
    /// Every statute cited is on the allow-list, in force on the decision date.
    K04 Blocking,
    /// Every reason links to evidence and a provision.
    K05 Blocking,
    /// Unknown is not unmet: nothing is refused on what nobody asked.
    K06 Blocking,
    /// The appeal block fits the decision, its addressee and days.
    K07 Blocking,
    /// No appeal block on preparatory letters.
    K08 Blocking,
    /// The decider is within delegation on the decision date.
    K09 Blocking,
    /// The preparer is not the approver, and nobody disqualified acts.
    K10 Blocking,
    /// The party was heard on adverse facts that came from others, and before money is recovered.
    K11 Blocking,
    /// Completion asked before rejection for missing material, with the minimum time.
    K12 Blocking,
    /// Dates agree with each other and with the calendar.
    K13 Blocking,
    /// Party, ids, account holder and registers agree; differences are listed.
    K14 Warning,
    /// No identity code, IBAN or phone number in the text.
    K15 Blocking,
    /// The letter is in the party's language, wholly.
    K16 Blocking,
    /// No sentence promises more than the operative part or contradicts it. A model's prose is refused for it.
    K17 Warning,
    /// Names, places and numbers in the draft stand in its sources.
    K18 Blocking,
    /// No text follows commands found in what came in, or shows how a model was asked.
    K19 Blocking,
    /// Publicity class and its ground are set.
    K20 Blocking,
    /// Records class, retention and the letter's metadata are complete.
    K21 Blocking,
    /// The account is the party's own, as far as earlier cases know it: what is paid to another's is asked about first.
    K22 Blocking,
    /// No money is being recovered from the party to which money is paid: the handler sees the case and weighs set-off.
    K23 Warning,
    /// The letter is legible: short sentences that say who acts, no abbreviations.
    K24 Warning,
    /// The letter's structure can be followed by a screen reader.
    K25 Warning,
    /// Like cases are decided alike: no ruling of the last two years on the same facts came out otherwise.
    K26 Warning,
    /// Emergency words in any text were seen by a person.
    K27 Blocking,
    /// Engine, prompt, policy and data versions are recorded.
    K28 Blocking,
    /// The approver had this version before their eyes.
    K29 Warning,
    /// No local rule takes away what a statute gives, such as time to complete.
    K30 Warning,
}

impl std::fmt::Display for CheckId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

vocabulary! {
    /// How grave a failed check is.
    Severity {
        /// Approval is refused.
        Blocking = "blocking",
        /// Shown to the handler.
        Warning = "warning",
    }
}

vocabulary! {
    /// How a check came out.
    CheckResult {
        /// All is well.
        Pass = "pass",
        /// Something is wrong; the detail says what and where.
        Fail = "fail",
        /// This draft has nothing that the check looks at.
        NotApplicable = "not-applicable",
    }
}

/// One check of one draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// Which check.
    pub id: CheckId,
    /// How grave a failure is.
    pub severity: Severity,
    /// How it came out.
    pub result: CheckResult,
    /// What was found, and what to do about it: in English, for programs.
    pub detail: String,
    /// The same for people; none in a draft of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Localized>,
}

impl Check {
    /// A check that passed.
    #[must_use]
    pub fn pass(id: CheckId, words: Localized) -> Self {
        Self::new(id, CheckResult::Pass, words)
    }

    /// A check that failed.
    #[must_use]
    pub fn fail(id: CheckId, words: Localized) -> Self {
        Self::new(id, CheckResult::Fail, words)
    }

    /// A check with nothing to look at.
    #[must_use]
    pub fn not_applicable(id: CheckId, words: Localized) -> Self {
        Self::new(id, CheckResult::NotApplicable, words)
    }

    fn new(id: CheckId, result: CheckResult, words: Localized) -> Self {
        let detail = words.get(Language::En).to_owned();
        Self { id, severity: id.severity(), result, detail, words: Some(words) }
    }

    /// Whether it forbids approval.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.result == CheckResult::Fail && self.severity == Severity::Blocking
    }
}
