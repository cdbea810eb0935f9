//! Runs an application: binds, starts the workers, stops cleanly.
//!
//! [`App::serve`] binds first, so the port is known before anybody asks for it. A stop first takes no more
//! requests and claims no more jobs, then waits for what runs, then closes the database. What does not finish
//! in time is taken up again by its lease: nothing depends on a clean end.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, StartError};
use crate::policy::fingerprint;
use crate::{http, storage};

/// How often answers to old Idempotency-Keys and expired sessions are forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(1);

impl App {
    /// Binds, starts the workers and serves.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn serve(self) -> Result<Running, StartError> {
        let address = self.config().server.listen;
        let listen = |because| StartError::Listen { address, because };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mut running = self.start(Some(address));
        let router = http::service(self.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let stopped = stopped(running.stop.subscribe());
        running.tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the server ended");
            }
        });
        tracing::info!(%address, "listening on http://{address}");
        Ok(running)
    }

    /// Starts the workers and serves nothing.
    #[must_use]
    pub fn work(self) -> Running {
        self.start(None)
    }

    fn start(&self, address: Option<SocketAddr>) -> Running {
        let (stop, _) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for n in 1..=self.config().work.workers {
            tasks.spawn(self.worker(&format!("worker-{n}")).run(stop.subscribe()));
        }
        tasks.spawn(forget(self.clone(), stop.subscribe()));
        tasks.spawn(look_at_packs(self.clone(), stop.subscribe()));
        Running { address, app: self.clone(), stop, tasks }
    }
}

/// An application that runs.
#[derive(Debug)]
pub struct Running {
    address: Option<SocketAddr>,
    app: App,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Where it listens; none when it only works.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The application.
    #[must_use]
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Runs until SIGINT or SIGTERM, then stops. Reads the packs again on SIGHUP.
    pub async fn until_signalled(self) {
        let app = self.app.clone();
        self.until(async move {
            tokio::select! { () = stop_signal() => {} () = reload_on_hangup(&app) => {} }
        })
        .await;
    }

    /// Runs until `end` is ready, then stops.
    pub async fn until(self, end: impl Future<Output = ()>) {
        end.await;
        tracing::info!("stopping: no new requests, no new jobs");
        self.stop().await;
    }

    /// Takes no more, waits for what runs (`server.drain_seconds`), closes the database.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        let longest = self.app.config().server.drain();
        if tokio::time::timeout(longest, drained).await.is_err() {
            tracing::warn!(waited_seconds = longest.as_secs(), "something still ran; its lease will run out");
        }
        self.tasks.shutdown().await;
        self.app.storage().close().await;
        tracing::info!("stopped");
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone: that is a stop, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// SIGINT or SIGTERM.
pub(crate) async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {} () = terminate => {} }
}

/// Reads the packs again on each SIGHUP; never ends.
async fn reload_on_hangup(app: &App) {
    #[cfg(unix)]
    if let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        while hangup.recv().await.is_some() {
            tracing::info!("reading the packs again: SIGHUP");
            reload(app).await;
        }
    }
    std::future::pending::<()>().await;
}

/// Whether the packs could be read; what is wrong in the files themselves is no failure.
async fn reload(app: &App) -> bool {
    let read = app.reload_packs(None).await;
    if let Err(error) = &read {
        tracing::error!(%error, "the packs could not be read again; what was active stays: {error}");
    }
    read.is_ok()
}

/// Looks at the files of the packs every `policies.reload_seconds`, and reads them when they have changed. Files that
/// changed since the last look may be half written: they are read once they stand still for one look.
async fn look_at_packs(app: App, stop: watch::Receiver<bool>) {
    let Some(every) = app.config().policies.reload() else { return };
    let end = stopped(stop);
    tokio::pin!(end);
    let (mut read, mut seen) = (None, None);
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = &mut end => return,
        }
        let folder = app.config().policies.dir.clone();
        let files = tokio::task::spawn_blocking(move || fingerprint(&folder)).await.ok();
        if files == seen && files != read && reload(&app).await {
            read.clone_from(&files);
        }
        seen = files;
    }
}

/// Forgets answers to old Idempotency-Keys, sessions that have expired, forms to which nobody came back.
async fn forget(app: App, stop: watch::Receiver<bool>) {
    let keep = jiff::SignedDuration::try_from(app.config().api.idempotency()).unwrap_or(jiff::SignedDuration::MAX);
    let end = stopped(stop);
    tokio::pin!(end);
    loop {
        let before = app.ambient().now().checked_sub(keep).unwrap_or(jiff::Timestamp::MIN);
        let forgotten = async {
            let mut tx = app.storage().begin().await?;
            tx.forget_answers(before).await?;
            tx.commit().await?;
            app.storage().forget_sessions().await?;
            app.storage().forget_saved_forms().await?;
            Ok::<(), storage::Error>(())
        };
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "old answers and sessions could not be forgotten");
        }
        tokio::select! {
            () = tokio::time::sleep(FORGET_EVERY) => {}
            () = &mut end => return,
        }
    }
}
