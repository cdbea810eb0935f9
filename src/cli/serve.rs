//! `vireille serve` and `vireille work`: the service, and more hands for it.

use clap::Args;

use super::{Context, Exit, Failure, output};
use crate::app::App;
use crate::telemetry;

/// Serves the API and drafts what waits, until SIGINT or SIGTERM.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address and port, for example 127.0.0.1:8080; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    #[command(flatten)]
    engine: super::Engine,
}

impl Serve {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        context.flag("server.listen", self.listen);
        self.engine.set(context);
        let config = context.config()?;
        let _telemetry = telemetry::init(&config.log);
        let running = App::build(config).await?.serve().await?;
        if let Some(address) = running.address() {
            // Scripts that ask for port 0 read this line.
            context.out.line(format!("http://{address}"))?;
        }
        running.until_signalled().await;
        Ok(Exit::Ok)
    }
}

/// Drafts what waits, without serving. Any number of these may run beside each other on one PostgreSQL.
#[derive(Debug, Args)]
pub(super) struct Work {
    /// End when nothing waits any more.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    engine: super::Engine,
}

impl Work {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        self.engine.set(context);
        let config = context.config()?;
        let _telemetry = telemetry::init(&config.log);
        let app = App::build(config).await?;
        if !self.once {
            app.work().until_signalled().await;
            return Ok(Exit::Ok);
        }
        let bar = output::progress(0, "drafting");
        let done = app
            .worker("once")
            .run_pending(|_, _| {
                bar.inc_length(1);
                bar.inc(1);
            })
            .await?;
        bar.finish_and_clear();
        app.storage().close().await;
        if context.out.is_json() {
            context.out.json_line(&serde_json::json!({ "steps": done }))?;
        } else {
            context.out.line(format!("{done} steps done."))?;
        }
        Ok(Exit::Ok)
    }
}
