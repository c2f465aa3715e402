//! The `Retry-After` header (RFC 9110, section 10.2.3), which is believed within reason.

use jiff::fmt::rfc2822::DateTimeParser;
use kernel::Timestamp;

/// Nothing that Spotify was seen to ask for is longer than a day; a week bounds a mistake.
pub(crate) const LONGEST_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// Zero would be an invitation to spin.
const SHORTEST_MS: u64 = 1_000;

/// How long to wait, in milliseconds: seconds (a fraction is rounded up) or an HTTP date seen from `now`, between
/// one second and seven days. `None` where the text is neither, negative, or a date that has passed.
pub(crate) fn parse(text: &str, now: Timestamp) -> Option<u64> {
    let text = text.trim();
    let wait =
        if text.starts_with(|c: char| c.is_ascii_digit()) { seconds(text)? } else { until_date(text, now)? };
    Some(wait.clamp(SHORTEST_MS, LONGEST_MS))
}

fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let partial = u64::from(fraction.bytes().any(|b| b != b'0'));
    // More digits than fit are a very long time.
    Some(whole.parse::<u64>().unwrap_or(u64::MAX).saturating_add(partial).saturating_mul(1000))
}

fn until_date(text: &str, now: Timestamp) -> Option<u64> {
    static HTTP_DATE: DateTimeParser = DateTimeParser::new();
    let then = HTTP_DATE.parse_timestamp(text).ok()?;
    let wait = Timestamp(then.as_millisecond()).since(now);
    (wait > 0).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_within_reason() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = Timestamp(784_111_777_000);
        let check = |text: &str, wait: Option<u64>| assert_eq!(parse(text, now), wait, "{text:?}");
        check("7", Some(7_000));
        check(" 7 ", Some(7_000));
        check("1.2", Some(2_000));
        check("2.0", Some(2_000));
        check("0", Some(1_000));
        check("86400", Some(86_400_000));
        check("604801", Some(LONGEST_MS));
        check("99999999999999999999999999", Some(LONGEST_MS));
        check("-1", None);
        check("", None);
        check("soon", None);
        check("1e9", None);
        check("7 seconds", None);
        check("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000));
        check("Sun, 06 Nov 1994 08:49:37 GMT", None);
        check("Sat, 05 Nov 1994 08:49:37 GMT", None);
        check("Sat, 06 Nov 2094 08:49:37 GMT", Some(LONGEST_MS));
    }
}
