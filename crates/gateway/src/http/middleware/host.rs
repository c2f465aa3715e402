//! For whom a request is meant. Nothing is ever made of the `Host` header (addresses come from the configuration), but
//! a page elsewhere whose name is pointed at this machine must not be able to talk to it.

use std::net::IpAddr;

use axum::extract::Request;
use http::{HeaderMap, Uri, header, uri::Authority};
use protocol::Code;

use crate::Parts;
use crate::http::problem::Problem;
use crate::net::PeerAddr;

/// Refuses requests for other hosts with 421: those that name neither the public address nor, from this machine
/// itself, one of its own. Probes and scrapers name what they like.
pub(super) fn check(parts: &Parts, request: &Request) -> Result<(), Problem> {
    let from_here = request
        .extensions()
        .get::<PeerAddr>()
        .is_some_and(|PeerAddr(peer)| peer.ip().to_canonical().is_loopback());
    let probed = matches!(request.uri().path(), "/livez" | "/readyz" | "/metrics");
    if probed || names_us(&parts.config.public_url, request.uri(), request.headers(), from_here) {
        return Ok(());
    }
    Err(Problem::new(Code::WrongHost, "This service is not reached by that name."))
}

fn names_us(public_url: &str, uri: &Uri, headers: &HeaderMap, from_here: bool) -> bool {
    let Some(named) = authority(uri, headers) else { return false };
    let (scheme, ours) = public_url.split_once("://").unwrap_or(("http", public_url));
    let port =
        |authority: &Authority| authority.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let same = ours
        .parse::<Authority>()
        .is_ok_and(|ours| ours.host().eq_ignore_ascii_case(named.host()) && port(&ours) == port(&named));
    same || (from_here && is_loopback(named.host()))
}

/// The one host that the request names.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return None;
    }
    let named = match (uri.authority(), host) {
        (Some(authority), _) => authority.clone(),
        (None, Some(host)) => host.to_str().ok()?.parse().ok()?,
        (None, None) => return None,
    };
    // `user@host` is no host.
    (!named.as_str().contains('@')).then_some(named)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(public_url: &str, host: &'static str, from_here: bool, taken: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, http::HeaderValue::from_static(host));
        let found = names_us(public_url, &Uri::from_static("/"), &headers, from_here);
        assert_eq!(found, taken, "{public_url} asked for as {host}, from here: {from_here}");
    }

    #[test]
    fn only_our_own_names_are_answered() {
        check("https://parlor.example", "parlor.example", false, true);
        check("https://parlor.example", "PARLOR.example:443", false, true);
        check("https://parlor.example", "parlor.example:80", false, false);
        check("https://parlor.example", "evil.example", false, false);
        check("https://parlor.example", "parlor.example.evil.example", false, false);
        check("https://parlor.example", "parlor.example@evil.example", false, false);
        check("https://parlor.example", "127.0.0.1:8080", true, true);
        check("https://parlor.example", "127.0.0.1:8080", false, false);
        check("http://127.0.0.1:8080", "127.0.0.1:8080", true, true);
        check("http://127.0.0.1:8080", "localhost:8080", true, true);
        check("http://127.0.0.1:8080", "[::1]:8080", true, true);
        check("http://127.0.0.1:8080", "localhost.evil.example:8080", true, false);
        check("http://127.0.0.1:8080", "rebound.example:8080", true, false);
    }
}
