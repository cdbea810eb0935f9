//! Which cases rest on which sections of policies and statutes.
//!
//! Owned by the drafts: what a draft cites is noted when it is stored, what the rules of its case evaluated when the
//! pipeline stores both. A case counts once a section, by its current draft; what an earlier version cited does not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::row::{Columns as _, to_json};
use super::{Result, Storage, Tx};
use crate::cases::{Case, CaseId, DocumentId, Draft, MunicipalityId, SectionId, SectionRef};

const CITED: &str = "cited";
const EVALUATED: &str = "evaluated";

/// How many cases rest on a section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Uses {
    /// Cases whose current draft cites it, or whose rules stand under it.
    pub cases: u64,
    /// Those whose current draft cites it.
    pub cited: u64,
}

/// A case that rests on a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SectionUse {
    /// The case.
    pub id: CaseId,
    /// The number people use.
    pub number: String,
}

impl Tx {
    /// What the draft cites, in the place of what the version before cited.
    pub(super) async fn note_cited(&mut self, draft: &Draft) -> Result<()> {
        let content = &draft.content;
        let citations = content.reasons.iter().flat_map(|reason| &reason.citations).chain(&content.provisions);
        let sections = citations.map(|citation| SectionRef {
            document: citation.document.clone(),
            version: citation.version,
            section: citation.section.clone(),
        });
        self.note_sections(draft.case_id, CITED, sections.collect()).await
    }

    /// The sections under which the rules and steps stand that the case was assessed by.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn note_evaluated(&mut self, case: &Case) -> Result<()> {
        let rules = case.file.assessment.iter().flat_map(|assessment| &assessment.rules).map(|rule| &rule.section);
        let steps = case.file.assessment.iter().flat_map(|it| &it.calculation).map(|step| &step.section);
        self.note_sections(case.id, EVALUATED, rules.chain(steps).cloned().collect()).await
    }

    async fn note_sections(&mut self, case: CaseId, how: &'static str, sections: BTreeSet<SectionRef>) -> Result<()> {
        let delete = sqlx::query("delete from section_uses where case_id = $1 and how = $2");
        self.execute(delete.bind(case.to_string()).bind(how)).await?;
        let sections: Vec<Value> = sections
            .into_iter()
            .map(|SectionRef { document, version, section }| {
                json!({ "document": document, "version": version, "section": section })
            })
            .collect();
        let insert = sqlx::query(self.storage.dialect.insert_section_uses())
            .bind(case.to_string())
            .bind(to_json("section_uses", &sections)?)
            .bind(how)
            .bind(self.storage.ambient.now().as_microsecond());
        self.execute(insert).await?;
        Ok(())
    }
}

impl Storage {
    /// How many cases rest on each section of a version; a section on which none does is absent.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn uses_of_version(
        &self,
        municipality: &MunicipalityId,
        document: &DocumentId,
        version: Date,
    ) -> Result<BTreeMap<SectionId, Uses>> {
        let select = sqlx::query(
            "select section, count(distinct case_id) as cases, \
             count(distinct case when how = 'cited' then case_id end) as cited from section_uses \
             where municipality = $1 and document = $2 and version = $3 group by section order by section",
        )
        .bind(municipality.as_str().to_owned())
        .bind(document.as_str().to_owned())
        .bind(version.to_string());
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        let uses = rows
            .iter()
            .map(|row| Ok((row.parse("section")?, Uses { cases: row.count("cases")?, cited: row.count("cited")? })));
        uses.collect()
    }

    /// The cases that rest on a section, the latest draft first.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn uses_of_section(
        &self,
        municipality: &MunicipalityId,
        section: &SectionRef,
        limit: u32,
    ) -> Result<Vec<SectionUse>> {
        let select = sqlx::query(
            "select c.id, c.number, max(u.used_at) as latest from section_uses u join cases c on c.id = u.case_id \
             where u.municipality = $1 and u.document = $2 and u.version = $3 and u.section = $4 \
             group by c.id, c.number order by latest desc, c.id desc limit $5",
        )
        .bind(municipality.as_str().to_owned())
        .bind(section.document.as_str().to_owned())
        .bind(section.version.to_string())
        .bind(section.section.as_str().to_owned())
        .bind(i64::from(limit));
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok(SectionUse { id: row.parse("id")?, number: row.text("number")? })).collect()
    }
}
