//! Whose address a request is from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{FromRequestParts, Request};
use http::{HeaderMap, request};
use ipnet::IpNet;

use crate::Parts;
use crate::http::problem::Problem;
use crate::net::PeerAddr;
use crate::parts::ClientAddr;

/// Puts a [`ClientAddr`] into the request.
pub(super) fn find(parts: &Parts, request: &mut Request) {
    let peer = request.extensions().get::<PeerAddr>().map(|PeerAddr(peer)| *peer);
    let peer = peer.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
    let from = client(peer, request.headers(), &parts.config.trusted_proxies);
    request.extensions_mut().insert(from);
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddr {
    type Rejection = Problem;

    async fn from_request_parts(request: &mut request::Parts, _: &S) -> Result<Self, Problem> {
        request.extensions.get::<Self>().copied().ok_or_else(Problem::internal)
    }
}

/// The address behind the trusted proxies: `X-Forwarded-For` is read from the right, for as long as whoever wrote an
/// entry is trusted. What stands left of that, anybody may have written.
fn client(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> ClientAddr {
    let trusts = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    let mut here = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|v| v.to_str().unwrap_or("")).collect();
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for entry in entries {
        if !trusts(here.ip()) {
            break;
        }
        let Some(ip) = address(entry.trim()) else { break };
        here = SocketAddr::new(ip.to_canonical(), 0);
    }
    ClientAddr(here)
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What counts as one address (contract, section 3): of IPv6 a whole /64, because whoever has one address of it has the
/// rest too.
pub(in crate::http) fn counted(ClientAddr(address): ClientAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// Whether the request comes from this very machine, with no proxy in between that says so.
pub(in crate::http) fn is_local(ClientAddr(address): ClientAddr, headers: &HeaderMap) -> bool {
    let forwarded = ["x-forwarded-for", "forwarded", "via", "x-real-ip"];
    address.ip().is_loopback() && !forwarded.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(peer: &str, forwarded: &[&'static str], found: &str) {
        let trusted: Vec<IpNet> =
            ["10.0.0.0/8", "fd00::/8"].iter().map(|network| network.parse().expect("a network")).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 4242);
        assert_eq!(client(peer, &headers, &trusted).0.ip().to_string(), found, "{peer} {forwarded:?}");
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        check("198.51.100.7", &[], "198.51.100.7");
        check("198.51.100.7", &["203.0.113.9"], "198.51.100.7");
        check("10.0.0.1", &["203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["1.2.3.4, 203.0.113.9"], "203.0.113.9");
        check("10.0.0.1", &["1.2.3.4, 203.0.113.9, 10.0.0.2"], "203.0.113.9");
        check("10.0.0.1", &["1.2.3.4", "203.0.113.9", "10.0.0.2"], "203.0.113.9");
        check("10.0.0.1", &["1.2.3.4, nonsense"], "10.0.0.1");
        check("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1");
        check("10.0.0.1", &["203.0.113.9:1234"], "203.0.113.9");
        check("fd00::1", &["203.0.113.9"], "203.0.113.9");
        check("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9");
    }

    #[test]
    fn an_address_counts_for_itself_and_a_house_of_ipv6_together() {
        let of = |ip: &str| counted(ClientAddr(SocketAddr::new(ip.parse().expect("an address"), 1)));
        assert_eq!(of("203.0.113.9"), "203.0.113.9");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }
}
