//! Cookies and bearer values.

use auth::SessionSecret;
use http::{HeaderMap, HeaderValue, header};
use kernel::Secret;

use super::Via;

/// The names of our cookies: on https with the prefix that keeps other hosts of the domain from setting them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieNames {
    /// The session's.
    pub session: &'static str,
    /// The one that ties a sign-in attempt to the browser that began it.
    pub sign_in: &'static str,
    https: bool,
}

impl CookieNames {
    pub(super) const fn new(https: bool) -> Self {
        if https {
            Self { session: "__Host-parlor_session", sign_in: "__Host-parlor_sign_in", https }
        } else {
            Self { session: "parlor_session", sign_in: "parlor_sign_in", https }
        }
    }
}

/// A `Set-Cookie` value for one of [`CookieNames`]: of this host alone, unseen by scripts, absent from requests that
/// other sites make (but for following a link, as Spotify's redirect does).
pub fn set_cookie(names: &CookieNames, name: &str, value: &Secret<String>, max_age_s: u64) -> HeaderValue {
    let secure = if names.https { "; Secure" } else { "" };
    let value = value.expose();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}");
    let mut value = HeaderValue::from_str(&text).expect("names and base64url are visible ASCII");
    value.set_sensitive(true);
    value
}

/// A `Set-Cookie` value that takes the cookie back.
pub fn clear_cookie(names: &CookieNames, name: &str) -> HeaderValue {
    set_cookie(names, name, &Secret::new(String::new()), 0)
}

/// The value of the one cookie of exactly that name; none where there are several, because then somebody else may have
/// set one of them.
pub fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).into_iter();
    let pairs = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut found = pairs.filter_map(|pair| {
        let (key, value) = pair.trim_matches([' ', '\t']).split_once('=')?;
        (key == name).then_some(value)
    });
    found.next().filter(|_| found.next().is_none())
}

/// What the request says who it is from.
pub(super) fn credential(headers: &HeaderMap, cookie: &str) -> Option<(SessionSecret, Via)> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Some((SessionSecret::parse(bearer(headers)?)?, Via::Bearer));
    }
    Some((SessionSecret::parse(cookie_value(headers, cookie)?)?, Via::Cookie))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    let (scheme, value) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cookies: &[&'static str], found: Option<&str>) {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        assert_eq!(cookie_value(&headers, "parlor_session"), found, "{cookies:?}");
    }

    #[test]
    fn only_one_cookie_of_exactly_the_name_counts() {
        check(&["parlor_session=a"], Some("a"));
        check(&["x=1; parlor_session=a; y=2"], Some("a"));
        check(&["x=1", "parlor_session=a"], Some("a"));
        check(&["parlor_session=a; parlor_session=b"], None);
        check(&["parlor_session=a", "parlor_session=a"], None);
        check(&["Parlor_session=a"], None);
        check(&["xparlor_session=a; parlor_session2=b"], None);
        check(&["parlor_session"], None);
        check(&[], None);
    }
}
