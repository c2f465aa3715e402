//! Query strings. Keys that nobody asks for are passed over; one that is asked for stands there once or is wrong.

use std::ops::RangeInclusive;

use http::Uri;

use super::problem::Problem;

/// The pairs of a query, decoded.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The query of that address. What cannot be decoded is left as it is.
    pub(super) fn of(uri: &Uri) -> Self {
        Self(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of a key that stands there at most once.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.0.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Problem::bad_request(format!("{key}: it stands there twice."))),
        }
    }

    /// The value of a key that takes a number.
    pub(super) fn number(&self, key: &str, takes: RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten().filter(|number| takes.contains(number));
        number.map(Some).ok_or_else(|| {
            Problem::bad_request(format!("{key}: it takes {} to {}.", takes.start(), takes.end()))
        })
    }
}
