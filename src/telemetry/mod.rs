//! Logs and metrics: ids and durations, never a person's data (promise 10).
//!
//! The rule of a log line: the id stands in the message and as a field, the unit in the field's name, a
//! failure is logged once (at the boundary that answers it), and no line holds a body, a query string, a
//! field's value, a name or a secret. Metrics: counters end in `_total`, times in `_seconds`, and labels
//! come from closed vocabularies (route template, status, method), never from what a stranger wrote. Spans follow the
//! same rule; [`gen_ai`] has those of language models, and `traces` sends them to a collector.

pub mod gen_ai;
#[cfg(feature = "otlp")]
pub mod traces;

use std::sync::OnceLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Log, LogFormat};

/// Requests answered, by method, route template and status.
pub const HTTP_REQUESTS: &str = "vireille_http_requests_total";
/// Time to answer, by method and route template.
pub const HTTP_SECONDS: &str = "vireille_http_request_duration_seconds";
/// Submissions registered over the API, all municipalities together: one must not learn another's counts.
pub const SUBMISSIONS: &str = "vireille_submissions_total";
/// Steps of the pipeline, by step and outcome.
pub const STEPS: &str = "vireille_steps_total";
/// Time of a step, by step.
pub const STEP_SECONDS: &str = "vireille_step_duration_seconds";
/// Searches that a cluster was to answer, by what came of it: `cluster`, or why the index in memory answered.
pub const SEARCHES: &str = "vireille_searches_total";
/// Packs whose files were read again, by outcome: activated, kept, unchanged.
pub const PACK_READINGS: &str = "vireille_pack_readings_total";
/// Municipalities whose files are at fault: an older pack of theirs is active.
pub const PACKS_AT_FAULT: &str = "vireille_packs_at_fault";
/// Jobs that wait.
pub const JOBS_PENDING: &str = "vireille_jobs_pending";

/// Alerts that nobody has acknowledged.
pub const ALERTS_OPEN: &str = "vireille_alerts_open";

/// Upper bounds of the histogram buckets, seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What runs beside the process and must be ended: drop it last.
#[derive(Debug)]
#[must_use = "dropped, it ends the traces"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    _traces: Option<traces::Traces>,
}

/// Starts logging to standard error and, when `log.otlp` names a collector, sending traces to it. A second call, as in
/// tests, changes nothing.
///
/// A panic is logged by its place only: its message may quote what a stranger wrote (a slice of a text does).
pub fn init(log: &Log) -> Telemetry {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic at {place}");
    }));
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = filter.and(filter_fn(|of| may_be_logged(of.target())));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Pretty => lines.with_filter(filter).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines);
    #[cfg(feature = "otlp")]
    {
        let traces = (!log.otlp.is_empty()).then(|| traces::Traces::to(&log.otlp)).transpose();
        let layer = traces.as_ref().ok().and_then(Option::as_ref).map(traces::Traces::layer);
        // An error means that somebody logs already.
        let _already = registry.with(layer).try_init();
        let traces = traces.unwrap_or_else(|error| {
            tracing::error!(%error, "{error}");
            None
        });
        Telemetry { _traces: traces }
    }
    #[cfg(not(feature = "otlp"))]
    {
        let _already = registry.try_init();
        if !log.otlp.is_empty() {
            tracing::warn!("`log.otlp` is set, but this program was built without the feature `otlp`");
        }
        Telemetry {}
    }
}

/// Whether lines of a target may stand in the log, whatever the settings say: `async_openai` writes whole answers.
fn may_be_logged(target: &str) -> bool {
    target != "async_openai" && !target.starts_with("async_openai::")
}

/// The process's metrics. There is one recorder a process, whoever asks first installs it.
///
/// # Panics
/// When another recorder was installed by somebody else in this process.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
            .and_then(|builder| {
                let tokens = Matcher::Full(gen_ai::TOKEN_USAGE.to_owned());
                builder.set_buckets_for_metric(tokens, gen_ai::TOKEN_BUCKETS)
            })
            .and_then(|builder| {
                let seconds = Matcher::Full(gen_ai::OPERATION_SECONDS.to_owned());
                builder.set_buckets_for_metric(seconds, gen_ai::SECONDS_BUCKETS)
            })
            .and_then(PrometheusBuilder::install_recorder)
            .expect("one recorder a process");
        describe();
        handle
    })
}

/// HELP and TYPE lines.
fn describe() {
    describe_counter!(HTTP_REQUESTS, "Requests answered, by method, route template and status.");
    describe_histogram!(HTTP_SECONDS, Unit::Seconds, "Time to answer a request, by method and route template.");
    describe_counter!(SUBMISSIONS, "Submissions registered over the API.");
    describe_counter!(STEPS, "Steps of the pipeline, by step and outcome.");
    describe_histogram!(STEP_SECONDS, Unit::Seconds, "Time of a step of the pipeline, by step.");
    describe_counter!(SEARCHES, "Searches that a cluster was to answer, by what came of it.");
    describe_counter!(PACK_READINGS, "Packs whose files were read again, by outcome.");
    describe_gauge!(PACKS_AT_FAULT, "Municipalities whose files are at fault; an older pack is active.");
    describe_gauge!(JOBS_PENDING, "Jobs that wait for a worker.");
    describe_gauge!(ALERTS_OPEN, "Emergency alerts that nobody has acknowledged.");
    gen_ai::describe();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_logs_whole_answers_is_never_heard() {
        for target in ["async_openai", "async_openai::client"] {
            assert!(!may_be_logged(target), "{target}");
        }
        for target in ["vireille", "async_openai_compatible"] {
            assert!(may_be_logged(target), "{target}");
        }
    }

    #[test]
    fn tokens_and_long_calls_have_buckets_of_their_own() {
        let handle = metrics();
        let asked = gen_ai::Asked { provider: "openai", model: "m", temperature: 0.0, max_tokens: 10 };
        let came = gen_ai::Came {
            model: None,
            finish: None,
            error: None,
            input: 3_000,
            cached: 0,
            output: 20,
            latency: std::time::Duration::from_secs(30),
        };
        gen_ai::ended(&tracing::Span::none(), &asked, &came);
        gen_ai::paid("m", "EUR", 1_200);
        gen_ai::fell_back("compose", "budget");
        let page = handle.render();
        let labels = r#"gen_ai_operation_name="chat",gen_ai_request_model="m""#;
        for line in [
            format!(r#"gen_ai_client_token_usage_bucket{{{labels},gen_ai_token_type="input",le="1024"}} 0"#),
            format!(r#"gen_ai_client_token_usage_bucket{{{labels},gen_ai_token_type="input",le="4096"}} 1"#),
            format!(r#"gen_ai_client_operation_duration_seconds_bucket{{{labels},error_type="none",le="40.96"}} 1"#),
            r#"vireille_model_cost_millionths_total{gen_ai_request_model="m",currency="EUR"} 1200"#.to_owned(),
            r#"vireille_model_fallbacks_total{step="compose",reason="budget"} 1"#.to_owned(),
        ] {
            assert!(page.contains(&line), "{line}\n{page}");
        }
    }

    #[test]
    fn a_metric_has_its_help_line_and_its_unit() {
        let handle = metrics();
        metrics::counter!(STEPS, "step" => "read", "outcome" => "done").increment(1);
        metrics::histogram!(STEP_SECONDS, "step" => "read").record(0.004);
        let page = handle.render();
        assert!(page.contains("# HELP vireille_steps_total Steps of the pipeline"), "{page}");
        assert!(page.contains("vireille_step_duration_seconds_bucket{step=\"read\",le=\"0.005\"} 1"), "{page}");
    }
}
