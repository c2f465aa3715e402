use super::*;

const NEXT: Call = Call::player("player.next");
const SEARCH: Call = Call::read("search", Group::Search);

fn body(message: &str, reason: Option<&str>) -> Vec<u8> {
    let reason = reason.map_or(String::new(), |reason| format!(r#", "reason" : "{reason}""#));
    format!(r#"{{"error" : {{"status" : 0, "message" : "{message}"{reason}}}}}"#).into_bytes()
}

#[test]
fn refusals_say_what_the_caller_can_do() {
    use ErrorKind as K;
    use Forbidden as F;
    let check =
        |call: Call, status: u16, message: &str, reason: Option<&str>, kind: ErrorKind, not_done: bool| {
            let error = refusal(call, status, None, &body(message, reason));
            assert_eq!(error.kind, kind, "{status} {message} {reason:?}");
            assert_eq!(error.certainly_not_done(), not_done, "{status} {message} {reason:?}");
        };
    check(NEXT, 401, "The access token expired", None, K::Unauthorized, true);
    check(NEXT, 401, "Missing/invalid/expired access token", None, K::Unauthorized, true);
    let premium = K::Forbidden(F::PremiumRequired);
    check(NEXT, 403, "Player command failed: Premium required", Some("PREMIUM_REQUIRED"), premium, true);
    check(NEXT, 403, "Player command failed: Premium required", None, premium, true);
    let restricted = K::Forbidden(F::Restricted);
    check(NEXT, 403, "Player command failed: Restriction violated", Some("UNKNOWN"), restricted, true);
    check(NEXT, 403, "whatever", Some("NO_NEXT_TRACK"), restricted, true);
    let volume = K::Forbidden(F::VolumeDisallowed);
    check(NEXT, 403, "Cannot control device volume", Some("VOLUME_CONTROL_DISALLOW"), volume, true);
    check(SEARCH, 403, "Insufficient client scope", None, K::Forbidden(F::Scope), true);
    let unlisted = "User not registered in the Developer Dashboard";
    check(NEXT, 403, unlisted, None, K::Forbidden(F::NotAllowlisted), true);
    let owner =
        "Active premium subscription required for the owner of the app. When the subscription status changes";
    check(NEXT, 403, owner, None, K::Forbidden(F::OwnerPremium), true);
    check(SEARCH, 403, "Forbidden", None, K::Forbidden(F::EndpointRemoved), true);
    check(SEARCH, 403, "no", None, K::Forbidden(F::Other), true);
    check(
        NEXT,
        404,
        "Player command failed: No active device found",
        Some("NO_ACTIVE_DEVICE"),
        K::NoDevice,
        true,
    );
    check(NEXT, 404, "Device not found", None, K::DeviceUnknown, true);
    check(NEXT, 404, "Not found.", None, K::NotFound, true);
    check(SEARCH, 404, "Device not found", None, K::NotFound, true);
    check(SEARCH, 400, "invalid id", None, K::BadRequest, true);
    check(NEXT, 411, "", None, K::BadRequest, true);
    check(NEXT, 408, "", None, K::Unavailable { status: Some(408) }, false);
    check(NEXT, 302, "", None, K::Unavailable { status: Some(302) }, false);
    for status in [500, 502, 503, 504, 520] {
        check(NEXT, status, "Backend respond with 500", None, K::Unavailable { status: Some(status) }, false);
    }
}

#[test]
fn bodies_that_are_no_error_objects_are_told_by_their_status() {
    let bodies: [&[u8]; 6] =
        [b"", b"<html>no</html>", b"{\"error\":", b"[]", b"{\"error\":\"x\"}", b"\xff\xfe"];
    for body in bodies {
        assert_eq!(refusal(NEXT, 403, None, body).kind, ErrorKind::Forbidden(Forbidden::Other));
        assert_eq!(refusal(NEXT, 404, None, body).kind, ErrorKind::NotFound);
        assert_eq!(refusal(NEXT, 502, None, body).kind, ErrorKind::Unavailable { status: Some(502) });
    }
}

#[test]
fn the_two_limits_are_told_apart() {
    let check = |reason: Option<&str>, wait_ms: Option<u64>, scope: LimitScope, expected: u64| {
        let error = refusal(SEARCH, 429, wait_ms, &body("Too many requests", reason));
        let kind = ErrorKind::Limited { scope, retry_after_ms: expected, group: Group::Search };
        assert_eq!((error.kind, error.retry_after_ms()), (kind, Some(expected)), "{reason:?} {wait_ms:?}");
    };
    check(None, Some(7_000), LimitScope::Rate, 7_000);
    check(None, None, LimitScope::Rate, RATE_DEFAULT_MS);
    check(Some("QUOTA_EXCEEDED"), Some(48_925_000), LimitScope::Quota, 48_925_000);
    check(Some("QUOTA_EXCEEDED"), Some(3_000), LimitScope::Quota, 3_000);
    check(Some("QUOTA_EXCEEDED"), None, LimitScope::Quota, QUOTA_DEFAULT_MS);
    check(None, Some(86_207_000), LimitScope::Quota, 86_207_000);
    check(Some("RATE_LIMITED"), Some(86_207_000), LimitScope::Rate, 86_207_000);
}

#[test]
fn what_is_shown_of_an_answer_is_a_code_or_nothing() {
    for reason in ["BQsecret", "bearer", "A B", "", &"A".repeat(41)] {
        let error = refusal(NEXT, 403, None, &body("BQsecret", Some(reason)));
        assert_eq!(error.reason(), None, "{reason}");
        assert!(!format!("{error} {error:?}").contains("BQsecret"));
    }
}
