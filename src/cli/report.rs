//! `vireille report`: how the work goes, in figures of a window; the same as `GET /v1/reports`.

use clap::Args;
use jiff::civil::Date;

use super::{Context, Exit, Failure};
use crate::cases::{DepartmentId, MunicipalityId, ServiceId};
use crate::intake::register::rulebook;
use crate::reports::table::{REPORT, Table};
use crate::reports::{Reports, Scope, Window};
use crate::triage::local_date;

/// How the work goes.
#[derive(Debug, Args)]
pub(super) struct ReportCommand {
    /// First day in Finland; left out: eleven months before this month.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last day; left out: today.
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Of this service only.
    #[arg(long, value_name = "ID")]
    service: Option<ServiceId>,
    /// Of this department only.
    #[arg(long, value_name = "ID")]
    department: Option<DepartmentId>,
    /// Of which municipality; the default one of the settings when left out.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
    /// One table as CSV.
    #[arg(long, value_name = "TABLE", conflicts_with = "json", value_parser = clap::builder::PossibleValuesParser::new(REPORT))]
    csv: Option<String>,
}

impl ReportCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let config = context.config()?;
        let municipality = self.municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
        let usual = Window::year_to(local_date(context.ambient.now()));
        let window = Window::new(self.from.unwrap_or(usual.from()), self.to.unwrap_or(usual.to()))
            .map_err(|why| Failure::Usage(format!("--from, --to: {why}")))?;
        let scope = Scope { window, service: self.service, department: self.department };
        let rulebooks = super::rulebooks(&config)?;
        let book = rulebook(&rulebooks, &municipality).map_err(|error| Failure::Usage(error.to_string()))?;
        let storage = context.storage(&config).await?;
        let reports = Reports::new(storage, config.review.claim(), config.reports.quick_seconds);
        let report = reports.report(&municipality, &scope, &book.pack.municipality.baselines).await?;
        if context.out.is_json() {
            context.out.json_line(&report)?;
            return Ok(Exit::Ok);
        }
        let tables = report.tables();
        if let Some(name) = self.csv {
            for table in tables.iter().filter(|table| table.name == name) {
                let text = table.csv().map_err(|error| Failure::Failed(error.into()))?;
                context.out.line(text.trim_end())?;
            }
            return Ok(Exit::Ok);
        }
        let (from, to) = (window.from(), window.to());
        context.out.line(format!("{municipality}, {from} to {to}, in seconds where it is time."))?;
        for table in &tables {
            show(context, table)?;
        }
        Ok(Exit::Ok)
    }
}

/// A table as text, with its name over it.
fn show(context: &mut Context, table: &Table) -> Result<(), Failure> {
    context.out.line(format!("\n{}", table.name))?;
    let rows = table.rows.iter().map(|row| {
        let cells = row.iter().map(|cell| cell.plain().into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>());
        cells.map(|parts| parts.join(" / ")).collect()
    });
    context.out.table(&table.columns, rows)
}
