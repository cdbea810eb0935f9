//! Around what strangers send: a refusal never hides a cry for help (promise 11).
//!
//! Whatever refuses a submission or a supplement (the reader, a key used before, a case that has ended), the body
//! is looked at here before the answer goes out. With words of danger in it, it is registered with its alert, and the
//! problem carries `emergency` and `case_number`. The status stays: the sender still learns that it was refused.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::body::{Limit, Unread, read};
use super::identity::{Asker, Right as _, Submit};
use super::problem::Problem;
use crate::app::App;
use crate::cases::Person;
use crate::intake::json::Defaults;
use crate::intake::rescue;
use crate::telemetry;

/// Lets the request through and looks after what is refused. Only who may send is looked after: for anybody else
/// there is no municipality whose case it could be.
pub async fn look_after(State(app): State<App>, request: Request, next: Next) -> Response {
    let person = match request.extensions().get::<Asker>() {
        Some(Asker::Known(person)) if Submit::ROLES.contains(&person.role) => person.clone(),
        _ => return next.run(request).await,
    };
    let (parts, body) = request.into_parts();
    let (sent, whole, mut response) = match read(body, Limit::of(&parts.extensions)).await {
        Ok(sent) => {
            let request = Request::from_parts(parts, Body::from(sent.clone()));
            (sent, true, next.run(request).await)
        }
        Err(Unread { kept, error }) => (kept.into(), false, error.into_response()),
    };
    if let Some(problem) = response.extensions_mut().get_mut::<Problem>() {
        answer(&app, &person, &sent, whole, problem).await;
    }
    response
}

async fn answer(app: &App, person: &Person, sent: &[u8], whole: bool, problem: &mut Problem) {
    let Ok(desk) = app.review().desk(&person.municipality) else { return };
    let pack = &desk.rulebook.pack;
    let defaults = Defaults::api(person.municipality.clone(), person.token, app.ambient().clone());
    let Some(danger) = rescue::look(pack, &desk.lexicon, &defaults, sent, whole) else { return };
    problem.more("emergency", danger.cards(pack));
    problem.detail.push_str(" The words speak of danger: show `emergency` to the sender now.");
    if problem.status().is_server_error() {
        // The sender is asked to send it again, and then it is registered.
        return;
    }
    match danger.keep(app.storage(), &desk.rulebook).await {
        Ok(receipt) => {
            metrics::counter!(telemetry::SUBMISSIONS).increment(1);
            problem.more("emergency", receipt.emergency);
            problem.more("case_number", &receipt.number);
            let kept = format!(" What came was registered as {}, and a person is alerted.", receipt.number);
            problem.detail.push_str(&kept);
        }
        Err(error) => tracing::error!(%error, "words of danger in a refused request could not be registered"),
    }
}
