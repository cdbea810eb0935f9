//! How often one address may try: signing in, and sending forms.
//!
//! The address is the peer's; behind a proxy that the settings trust it is the last one in `X-Forwarded-For` that is no
//! such proxy. An IPv6 network of 56 bits counts as one: whoever has one address there has all of them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::app::App;
use crate::config::Pages;
use crate::http::error::{Error, Result};

/// The limits of this process.
#[derive(Debug)]
pub struct Limits {
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    forms: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limits {
    /// The limits of the settings.
    #[must_use]
    pub fn new(pages: &Pages) -> Self {
        let of = |n: u32| RateLimiter::keyed(Quota::per_minute(NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)));
        Self { sign_ins: of(pages.sign_ins_per_minute), forms: of(pages.forms_per_minute) }
    }

    /// Counts an attempt to sign in.
    ///
    /// # Errors
    /// [`Error::TooOften`].
    pub fn sign_in(&self, Address(address): Address) -> Result<()> {
        count(&self.sign_ins, address)
    }

    /// Counts a form that a resident sends.
    ///
    /// # Errors
    /// [`Error::TooOften`].
    pub fn form(&self, Address(address): Address) -> Result<()> {
        count(&self.forms, address)
    }
}

fn count(limiter: &DefaultKeyedRateLimiter<IpAddr>, address: IpAddr) -> Result<()> {
    // Addresses that have been quiet are forgotten before they fill the memory.
    if limiter.len() > 10_000 {
        limiter.retain_recent();
    }
    limiter.check_key(&address).map_err(|_| Error::TooOften)
}

/// Where a request comes from, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address(pub IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        Ok(Self(of(peer, &parts.headers, &app.config().pages.trusted_proxies())))
    }
}

fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").into_iter().filter_map(|l| l.to_str().ok()).collect();
    let mut hops = lines.iter().flat_map(|line| line.split(',')).map(str::trim).rev();
    while trusted.contains(&address) {
        let Some(Ok(hop)) = hops.next().map(str::parse::<IpAddr>) else { break };
        address = hop.to_canonical();
    }
    network(address)
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !((1_u128 << 72) - 1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_another() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "6.6.6.6, 9.9.9.9, 10.0.0.2".parse().unwrap());
        assert_eq!(of(ip("7.7.7.7"), &headers, &[]), ip("7.7.7.7"), "a stranger may write what they like");
        assert_eq!(of(ip("10.0.0.1"), &headers, &[ip("10.0.0.1"), ip("10.0.0.2")]), ip("9.9.9.9"));
        assert_eq!(of(ip("10.0.0.1"), &HeaderMap::new(), &[ip("10.0.0.1")]), ip("10.0.0.1"));
        headers.insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(of(ip("10.0.0.1"), &headers, &[ip("10.0.0.1")]), ip("10.0.0.1"));
    }

    #[test]
    fn a_network_of_six_counts_as_one() {
        assert_eq!(network(ip("2001:db8:1:2:3::4")), network(ip("2001:db8:1:ff:ffff::")));
        assert_ne!(network(ip("2001:db8:1:2::")), network(ip("2001:db8:2:2::")));
    }

    #[test]
    fn the_one_too_many_is_refused_and_another_address_is_not() {
        let mut pages = crate::config::Config::standard().pages;
        pages.sign_ins_per_minute = 2;
        let limits = Limits::new(&pages);
        let here = Address(ip("192.0.2.1"));
        assert!(limits.sign_in(here).is_ok() && limits.sign_in(here).is_ok());
        assert!(matches!(limits.sign_in(here), Err(Error::TooOften)));
        assert!(limits.sign_in(Address(ip("192.0.2.2"))).is_ok() && limits.form(here).is_ok());
    }
}
