//! A form that a resident sends: what every handler of these pages begins with.
//!
//! The address says what it is sent to ([`Place`]), then the limits of the sender's network count. What is refused here
//! is still looked through for words of danger: whatever the reason, their card is shown and a person is told.

use std::future::Future;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequest, FromRequestParts as _, Path, Request};
use axum::response::{IntoResponse, Response};

use super::danger::{self, Said};
use super::upload::Sent;
use crate::app::App;
use crate::cases::MunicipalityId;
use crate::http::error::{Error, Result};
use crate::http::pages::limits::{Address, Limits};
use crate::http::pages::reader::Reader;

/// What a form is sent to: a municipality, a form that is kept, a case that somebody has the link to.
pub trait Place: Sized + Send + Sync {
    /// Finds it by what stands in its address, or says where else to go.
    fn find(app: &App, key: String, from: Address, sent: &Sent) -> impl Future<Output = Result<Self, Response>> + Send;

    /// Whose it is.
    fn municipality(&self) -> &MunicipalityId;

    /// The page on which its form stands.
    fn path(&self) -> String;

    /// Whoever sends to it: the same words of theirs alarm once.
    fn sender(&self) -> String {
        self.path()
    }

    /// What is looked through for words of danger when `sent` is refused.
    fn said(&self, sent: &Sent) -> Said {
        sent.said()
    }
}

/// A form that was sent to a place that is there, and not too often.
#[derive(Debug)]
pub struct Posted<P> {
    /// The parts.
    pub app: App,
    /// Who reads the answer.
    pub reader: Reader,
    /// What it was sent to.
    pub place: P,
    /// What was sent.
    pub sent: Sent,
}

impl<P: Place> FromRequest<App> for Posted<P> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let plain = |error: Error| error.into_response();
        let Extension(limits) =
            Extension::<Arc<Limits>>::from_request_parts(&mut parts, app).await.map_err(IntoResponse::into_response)?;
        let address = Address::from_request_parts(&mut parts, app).await.map_err(plain)?;
        let reader = Reader::from_request_parts(&mut parts, app).await.map_err(plain)?;
        let Path(key) =
            Path::<String>::from_request_parts(&mut parts, app).await.map_err(|_| plain(Error::NoSuch("page")))?;
        let sent = Sent::from_request(Request::from_parts(parts, body), app).await.map_err(plain)?;
        let place = P::find(app, key, address, &sent).await?;
        let posted = Self { app: app.clone(), reader, place, sent };
        match limits.form(address) {
            Ok(()) => Ok(posted),
            Err(error) => Err(posted.refuse(error).await.into_response()),
        }
    }
}

impl<P: Place> Posted<P> {
    /// Why it was refused, as a page; in danger what to do comes first.
    ///
    /// # Errors
    /// The refusal itself, where no words of danger were found.
    pub async fn refuse(&self, error: Error) -> Result<Response> {
        danger::refused(&self.app, &self.reader, &self.place, &self.place.said(&self.sent), error).await
    }

    /// Brings words of danger in what was sent to a person, although something must be put right first.
    pub async fn rescue(&self) -> Option<danger::Rescued> {
        danger::rescue(&self.app, &self.place, &self.place.said(&self.sent)).await
    }
}
