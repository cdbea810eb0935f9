//! `history` of a service: facts of a case that are worked out from other cases of the municipality.
//!
//! Whoever keeps the service file says which cases count and what is taken from them; the rules that read the fact stand
//! in the policy. Here are the shapes and what must hold of them; the reckoning is triage's, and the applicant is never
//! asked for such a fact.

use jiff::Span;
use schemars::JsonSchema;
use serde::Deserialize;

use super::condition::Condition;
use super::consistency::is_snake_case;
use super::fault::Faults;
use super::format::{Field, FieldType, ServiceFile};
use super::pack::{Origin, Pack};
use super::yaml::write_one_of;
use crate::cases::{FactType, Localized, Outcome, ServiceId};

/// A fact that other cases give.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Name of the fact, `snake_case`.
    pub fact: String,
    /// As letters and handlers name it.
    pub label: Localized,
    /// What is taken from the cases that count.
    pub of: Measure,
    /// The field that is added up, with `of: sum`.
    #[serde(default)]
    pub field: Option<String>,
    /// The step of the calculation that is added up, with `of: sum`.
    #[serde(default)]
    pub step: Option<String>,
    /// Fields whose value must be equal to this case's. While this case has none, the fact is not known.
    #[serde(default)]
    pub same: Vec<String>,
    /// When the other cases arrived.
    #[serde(default)]
    pub within: Within,
    /// What must hold of the other cases.
    #[serde(default, rename = "where")]
    pub condition: Condition,
    /// Only cases that arrived before this one.
    #[serde(default)]
    pub earlier: bool,
    /// Only cases that were decided so, or whose rules say so; left out: all.
    #[serde(default)]
    pub outcome: Vec<Outcome>,
    /// Only cases whose time overlaps this one's.
    #[serde(default)]
    pub overlap: Option<Overlap>,
    /// Cases of these services; left out: of this one.
    #[serde(default)]
    pub services: Vec<ServiceId>,
}

/// What is taken from the cases that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// How many there are: a number.
    Count,
    /// Whether there is one: a flag.
    Any,
    /// A field or a step, added up.
    Sum,
    /// The day on which the latest arrived. Not known where there is none: let a rule look at a count first.
    Latest,
}

/// When other cases arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Within {
    /// A span that has a name.
    Named(NamedSpan),
    /// So many months before this case arrived, or later.
    Months(Months),
}

impl Default for Within {
    fn default() -> Self {
        Self::Named(NamedSpan::Always)
    }
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NamedSpan {
    /// The application window of this case.
    Window,
    /// The calendar year in which this case arrived.
    CalendarYear,
    /// At any time.
    Always,
}

/// Calendar months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Months {
    /// How many.
    pub months: u16,
}

impl Months {
    /// As a span of the calendar.
    #[must_use]
    pub fn span(self) -> Span {
        Span::new().months(i32::from(self.months))
    }
}

/// Two fields between which the time of a case lies: days, both included, or moments, the last one excluded.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// Its beginning.
    pub from: String,
    /// Its end.
    pub to: String,
}

impl History {
    /// The services whose cases count, for a case of `own`.
    pub fn services<'a>(&'a self, own: &'a ServiceId) -> impl Iterator<Item = &'a ServiceId> {
        self.services.iter().chain(self.services.is_empty().then_some(own))
    }

    /// The type of the fact, where `fields` are those of the service.
    #[must_use]
    pub fn fact_type(&self, fields: &[Field]) -> FactType {
        match self.of {
            Measure::Count => FactType::Number,
            Measure::Any => FactType::Flag,
            Measure::Latest => FactType::Date,
            Measure::Sum => self
                .field
                .as_ref()
                .and_then(|name| fields.iter().find(|field| field.name == *name))
                .map_or(FactType::Money, |field| field.kind.fact_type()),
        }
    }
}

/// What must hold of the histories of a service, as far as the pack alone can tell.
pub(super) fn check(pack: &Pack, service: &ServiceFile, origin: &Origin, faults: &mut Faults) {
    for (n, history) in service.history.iter().enumerate() {
        let place = format!("#{n}");
        let mut at = |key: &str, what: String, instead: String| {
            faults.at(&origin.file, origin.line(&["history", &place, key]), what, instead);
        };
        let name = &history.fact;
        let taken = service.fields.iter().any(|field| field.name == *name)
            || service.history[..n].iter().any(|other| other.fact == *name);
        if taken {
            at("fact", format!("the fact `{name}` is given twice"), "give one of them another name".to_owned());
        }
        if !is_snake_case(name) {
            let instead = "write a–z, 0–9 and _, a letter first".to_owned();
            at("fact", format!("the name `{name}` is not snake_case"), instead);
        }
        match (history.of, &history.field, &history.step) {
            (Measure::Sum, Some(_), None) | (Measure::Sum, None, Some(_)) => {}
            (Measure::Sum, ..) => {
                let instead = "write `field: …` or `step: …`, one of them".to_owned();
                at("of", format!("`{name}` does not say what is added up"), instead);
            }
            (_, None, None) => {}
            _ => at(
                "of",
                format!("`{name}` adds nothing up"),
                "write `of: sum`, or leave `field` and `step` out".to_owned(),
            ),
        }
        let others: Vec<&ServiceFile> =
            history.services(&service.id).filter_map(|id| pack.services.get(id)).chain([service]).collect();
        for id in &history.services {
            let known = || pack.services.keys().map(ServiceId::as_str);
            if !pack.services.contains_key(id) && !pack.municipality.without.contains(id) {
                at("services", format!("`{name}` names an unknown service `{id}`"), write_one_of(id.as_str(), known()));
            }
        }
        let counted = others.split_last().map_or(&[][..], |(_, counted)| counted);
        let open = |kind| {
            !matches!(
                kind,
                FieldType::Text
                    | FieldType::Iban
                    | FieldType::BusinessId
                    | FieldType::IdentityCode
                    | FieldType::Email
                    | FieldType::Phone
            )
        };
        let fits = |key: &str, kind: FieldType| match key {
            "field" => matches!(kind, FieldType::Number | FieldType::Money),
            "overlap" => matches!(kind, FieldType::Date | FieldType::Moment),
            "where" => open(kind),
            _ => true,
        };
        let overlap = history.overlap.iter().flat_map(|overlap| [overlap.from.as_str(), overlap.to.as_str()]);
        // What this case must have itself is a field of its own form, too.
        let named = history.field.iter().map(|field| ("field", field.as_str(), counted));
        let named = named.chain(history.condition.fields().map(|field| ("where", field, counted)));
        let named = named.chain(history.same.iter().map(|field| ("same", field.as_str(), others.as_slice())));
        let named = named.chain(overlap.map(|field| ("overlap", field, others.as_slice())));
        for (key, field, services) in named {
            for service in services {
                let fields = || service.fields.iter().map(|field| field.name.as_str());
                match service.fields.iter().find(|known| known.name == field) {
                    None => {
                        let what = format!("`{name}` names a field `{field}` that `{}` has not", service.id);
                        at(key, what, write_one_of(field, fields()));
                    }
                    Some(known) if !fits(key, known.kind) => {
                        let instead = match key {
                            "field" => "name a field of type number or money",
                            "overlap" => "name fields of type date or moment",
                            _ => {
                                "name a number, a sum, a day, a tick or a choice: what people write is compared with `same`"
                            }
                        };
                        at(key, format!("the field `{field}` is of no type that fits `{key}`"), instead.to_owned());
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_reads_as_it_is_written() {
        let written = r"
fact: earlier_vouchers
label: {fi: Aiemmat setelit, sv: Tidigare sedlar}
of: count
same: [employer]
within: {months: 24}
where: {grant_type: improvement}
earlier: true
outcome: [granted, partial]
overlap: {from: starts_at, to: ends_at}
services: [vouchers]
";
        let mut faults = Faults::new();
        let read: History = super::super::yaml::read(std::path::Path::new("x.yaml"), written, 1, &mut faults).unwrap();
        assert_eq!(read.within, Within::Months(Months { months: 24 }));
        assert_eq!((read.of, read.outcome.as_slice()), (Measure::Count, &[Outcome::Granted, Outcome::Partial][..]));
        let own: ServiceId = "own".parse().unwrap();
        assert_eq!(read.services(&own).map(ServiceId::as_str).collect::<Vec<_>>(), ["vouchers"]);
        let plain = History { services: Vec::new(), ..read };
        assert_eq!(plain.services(&own).collect::<Vec<_>>(), [&own]);
        assert_eq!(plain.fact_type(&[]), FactType::Number);
        assert_eq!(History { of: Measure::Sum, step: Some("x".into()), ..plain }.fact_type(&[]), FactType::Money);
    }
}
