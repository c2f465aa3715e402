//! Who may make a browser ask. Section 2 of the contract, in its order.

use axum::extract::Request;
use http::{HeaderMap, Method, header};
use protocol::Code;

use crate::Parts;
use crate::http::problem::Problem;

/// The header by which a program that sends the cookie says that it means to.
const CLIENT: &str = "parlor-client";

pub(super) fn check(parts: &Parts, request: &Request) -> Result<(), Problem> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if changes || upgrades { judge(request.headers(), &parts.config.public_url) } else { Ok(()) }
}

/// Byte for byte: an origin that is almost ours is somebody else's.
fn judge(headers: &HeaderMap, public_url: &str) -> Result<(), Problem> {
    let mut origins = headers.get_all(header::ORIGIN).into_iter().peekable();
    if origins.peek().is_some() {
        let ours = origins.all(|origin| origin.as_bytes() == public_url.as_bytes());
        let wrong = || Problem::new(Code::WrongOrigin, "This was asked for by a page that is not Parlor's.");
        return if ours { Ok(()) } else { Err(wrong()) };
    }
    let has_bearer = headers.get(header::AUTHORIZATION).is_some_and(|value| {
        value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
    });
    let says_so = headers.get(CLIENT).is_some_and(|name| !name.as_bytes().trim_ascii().is_empty());
    if has_bearer || says_so {
        return Ok(());
    }
    Err(Problem::new(
        Code::ClientHeaderRequired,
        "A program sends its session as a bearer value, or the cookie and the header Parlor-Client with its name.",
    ))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn check(headers: &[(&'static str, &'static str)], refused: Option<Code>) {
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let found = judge(&map, "https://parlor.example").err().map(|problem| problem.code());
        assert_eq!(found, refused, "{headers:?}");
    }

    #[test]
    fn only_our_own_pages_and_programs_that_say_so_change_anything() {
        check(&[("origin", "https://parlor.example")], None);
        check(&[("origin", "https://parlor.example/")], Some(Code::WrongOrigin));
        check(&[("origin", "https://PARLOR.example")], Some(Code::WrongOrigin));
        check(&[("origin", "http://parlor.example")], Some(Code::WrongOrigin));
        check(&[("origin", "https://parlor.example:443")], Some(Code::WrongOrigin));
        check(&[("origin", "null")], Some(Code::WrongOrigin));
        check(&[("origin", "")], Some(Code::WrongOrigin));
        check(&[("origin", "https://evil.example"), ("authorization", "Bearer x")], Some(Code::WrongOrigin));
        check(&[("origin", "https://evil.example"), ("parlor-client", "x")], Some(Code::WrongOrigin));
        check(&[("authorization", "Bearer x")], None);
        check(&[("authorization", "Basic x")], Some(Code::ClientHeaderRequired));
        check(&[("cookie", "parlor_session=x"), ("parlor-client", "tui")], None);
        check(&[("cookie", "parlor_session=x"), ("parlor-client", " ")], Some(Code::ClientHeaderRequired));
        check(&[("cookie", "parlor_session=x")], Some(Code::ClientHeaderRequired));
        check(&[], Some(Code::ClientHeaderRequired));
    }
}
