//! A sign-in attempt from beginning to end, and the life of the tokens that it brings.

use auth::{
    AFTER_REFUSAL_KEPT_MS, ATTEMPT_LIFE_MS, Answer, AttemptError, Beginning, BrowserSecret, Grant,
    GrantError, GrantStatus, KeyRing, LoginAttempt, LoginReason, Profile, RefreshOutcome, ReturnTo,
    SessionSecret, State, TokenSet, Vault, VaultError, Verdict, after_refresh, authorization_end, challenge,
};
use kernel::{AccountId, SeededEntropy, Timestamp};

const START: Timestamp = Timestamp(1_790_000_000_000);
const HOUR_MS: u64 = 3_600_000;

fn vault() -> Vault {
    Vault::new(KeyRing::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a good key"))
}

fn ana() -> AccountId {
    "ana".parse().expect("an id")
}

fn begin(entropy: &SeededEntropy) -> (State, BrowserSecret, LoginAttempt) {
    let browser = BrowserSecret::generate(entropy);
    let beginning = Beginning {
        browser: browser.hash(),
        return_to: ReturnTo::parse("/r/ABC234").expect("a path"),
        client_id: "client".to_owned(),
        session: Some(SessionSecret::generate(entropy).hash()),
        redirect_uri: "https://parlor.example/auth/callback".to_owned(),
    };
    let (state, attempt) = LoginAttempt::begin(entropy, beginning, START);
    (state, browser, attempt)
}

fn answer(access: &str, refresh: Option<&str>) -> Answer {
    Answer {
        access: access.into(),
        refresh: refresh.map(Into::into),
        expires_in_ms: HOUR_MS,
        scopes: vec!["user-read-playback-state".to_owned()],
    }
}

fn tokens() -> TokenSet {
    TokenSet::from_answer(answer("access-1", Some("refresh-1")), "client", START)
}

fn grant() -> Grant {
    let profile = Profile { spotify_id: "ana1".to_owned(), ..Profile::default() };
    Grant::connect(profile, &tokens(), &vault(), &SeededEntropy::new(5), &ana(), 1)
}

#[test]
fn the_challenge_is_that_of_rfc_7636() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn an_attempt_serves_the_browser_that_began_it_for_ten_minutes() {
    let entropy = SeededEntropy::new(1);
    let check = |after_ms: u64, other: bool, expected: Result<(), AttemptError>| {
        let (_, browser, attempt) = begin(&entropy);
        let who = if other { BrowserSecret::generate(&entropy) } else { browser };
        let redeemed = attempt.redeem(START.plus_ms(after_ms), Some(&who.hash()), None).map(|_| ());
        assert_eq!(redeemed, expected, "{after_ms} {other}");
    };
    check(0, false, Ok(()));
    check(ATTEMPT_LIFE_MS - 1, false, Ok(()));
    check(ATTEMPT_LIFE_MS, false, Err(AttemptError::Expired));
    check(0, true, Err(AttemptError::OtherBrowser));
    check(ATTEMPT_LIFE_MS, true, Err(AttemptError::Expired));
}

#[test]
fn an_attempt_serves_the_session_that_began_it_too() {
    let entropy = SeededEntropy::new(1);
    let check = |browser: bool, session: Option<bool>, expected: Result<(), AttemptError>| {
        let (_, _, attempt) = begin(&entropy);
        let other = BrowserSecret::generate(&entropy).hash();
        let session = session.map(|own| if own { attempt.session.expect("it has one") } else { other });
        let redeemed = attempt.redeem(START, browser.then_some(&other), session.as_ref()).map(|_| ());
        assert_eq!(redeemed, expected, "{browser} {session:?}");
    };
    check(false, Some(true), Ok(()));
    check(true, Some(true), Ok(()));
    check(false, Some(false), Err(AttemptError::OtherBrowser));
    check(false, None, Err(AttemptError::OtherBrowser));
    check(true, None, Err(AttemptError::OtherBrowser));
}

#[test]
fn an_attempt_comes_back_from_the_store_whole_and_only_under_its_state() {
    let entropy = SeededEntropy::new(2);
    let (state, browser, attempt) = begin(&entropy);
    let sealed = attempt.seal(&vault(), &entropy, &state.hash());
    let verifier = attempt.verifier.expose().clone();
    assert_eq!(verifier.len(), 43);
    assert!(!sealed.windows(8).any(|part| part == &verifier.as_bytes()[..8]));

    let opened = LoginAttempt::open(&vault(), &state.hash(), &sealed).expect("its own state");
    assert_eq!(opened.challenge(), attempt.challenge());
    assert_eq!(opened.expires_at(), START.plus_ms(ATTEMPT_LIFE_MS));
    let redeemed = opened.redeem(START, Some(&browser.hash()), None).expect("the same browser");
    assert_eq!(redeemed.verifier.expose(), &verifier);
    assert_eq!(redeemed.return_to.as_str(), "/r/ABC234");
    assert_eq!(redeemed.session, attempt.session);
    assert_eq!((redeemed.client_id, redeemed.redirect_uri), (attempt.client_id, attempt.redirect_uri));

    let other = State::generate(&entropy).hash();
    assert_eq!(
        LoginAttempt::open(&vault(), &other, &sealed).expect_err("not its state"),
        VaultError::Altered
    );
}

#[test]
fn nothing_secret_is_shown() {
    let entropy = SeededEntropy::new(3);
    let (_, _, attempt) = begin(&entropy);
    let verifier = attempt.verifier.expose().clone();
    let shown =
        format!("{attempt:?} {:?} {:?} {:?}", tokens(), answer("access-1", Some("refresh-1")), grant());
    for secret in [verifier.as_str(), "access-1", "refresh-1"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn a_refresh_keeps_the_old_refresh_token_unless_a_new_one_comes() {
    let later = START.plus_ms(HOUR_MS);
    let kept = tokens().merge(answer("access-2", None), later);
    assert_eq!(kept.refresh.as_ref().map(|token| token.expose().as_str()), Some("refresh-1"));
    assert_eq!(kept.access.expose(), "access-2");
    assert_eq!(kept.access_expires_at, later.plus_ms(HOUR_MS));

    let rotated = tokens().merge(answer("access-2", Some("refresh-2")), later);
    assert_eq!(rotated.refresh.as_ref().map(|token| token.expose().as_str()), Some("refresh-2"));

    let silent = Answer { scopes: Vec::new(), ..answer("access-2", None) };
    assert!(tokens().merge(silent, later).allows("user-read-playback-state"));
    assert_eq!(kept.ends_at(), authorization_end(START), "a refresh does not prolong the consent");
}

#[test]
fn an_authorization_lasts_six_calendar_months() {
    let check = |authorized: i64, ends: i64| {
        assert_eq!(authorization_end(Timestamp(authorized * 1000)), Timestamp(ends * 1000), "{authorized}");
    };
    // 2026-01-15 09:30:00 to 2026-07-15 09:30:00.
    check(1_768_469_400, 1_784_107_800);
    // 2026-08-31 00:00:00 to 2027-02-28 00:00:00, which has no 31st.
    check(1_788_134_400, 1_803_772_800);
}

#[test]
fn a_token_is_due_before_it_ends_and_used_until_just_before() {
    let check = |life_ms: u64, jitter_ms: u64, after_ms: u64, due: bool, usable: bool| {
        let short =
            TokenSet::from_answer(Answer { expires_in_ms: life_ms, ..answer("a", None) }, "client", START);
        let now = START.plus_ms(after_ms);
        assert_eq!(
            (short.due(now, jitter_ms), short.usable(now)),
            (due, usable),
            "{life_ms} {jitter_ms} {after_ms}"
        );
    };
    check(HOUR_MS, 0, 0, false, true);
    check(HOUR_MS, 0, HOUR_MS * 8 / 10 - 1, false, true);
    check(HOUR_MS, 0, HOUR_MS * 8 / 10, true, true);
    check(HOUR_MS, 60_000, HOUR_MS * 8 / 10 - 60_000, true, true);
    // Jitter takes a tenth of the life at most.
    check(HOUR_MS, HOUR_MS, HOUR_MS * 7 / 10 - 1, false, true);
    check(HOUR_MS, HOUR_MS, HOUR_MS * 7 / 10, true, true);
    check(HOUR_MS, 0, HOUR_MS - 10_001, true, true);
    check(HOUR_MS, 0, HOUR_MS - 10_000, true, false);
    // A token of two seconds is of use for most of them.
    check(2_000, 0, 0, false, true);
    check(2_000, 0, 1_799, true, true);
    check(2_000, 0, 1_800, true, false);
}

#[test]
fn tokens_come_back_from_the_store_whole_and_only_for_their_account() {
    let grant = Grant::from_bytes(&grant().to_bytes()).expect("its own bytes");
    assert_eq!(grant.tokens(&vault(), &ana()).expect("live"), (tokens(), false));
    assert_eq!(grant.authorization_ends_at(), tokens().ends_at());
    let ben: AccountId = "ben".parse().expect("an id");
    let refused = grant.tokens(&vault(), &ben).expect_err("another account");
    assert_eq!(refused, GrantError::Unreadable(VaultError::Altered));
    for token in ["access-1", "refresh-1"] {
        assert!(!String::from_utf8_lossy(&grant.to_bytes()).contains(token));
    }
    assert_eq!(Grant::from_bytes(b"[]"), None);
}

#[test]
fn what_follows_from_a_refresh() {
    let verdict = |outcome, failures| after_refresh(&grant(), &tokens(), outcome, failures, START);
    let wait = |outcome, failures: u32, expected_ms: u64| match verdict(outcome, failures) {
        Verdict::TryAgain { not_before } | Verdict::AppRefused { not_before } => {
            assert_eq!(not_before.since(START), expected_ms);
        }
        other @ (Verdict::Renewed(_) | Verdict::NeedsLogin(_)) => panic!("{other:?}"),
    };
    let renewed = verdict(RefreshOutcome::Answered(answer("access-2", None)), 0);
    assert!(matches!(renewed, Verdict::Renewed(set) if set.access.expose() == "access-2"));
    wait(RefreshOutcome::Unavailable, 0, 1_000);
    wait(RefreshOutcome::Unavailable, 3, 8_000);
    wait(RefreshOutcome::Unavailable, 6, 60_000);
    wait(RefreshOutcome::Unavailable, u32::MAX, 60_000);
    wait(RefreshOutcome::Wait { retry_after_ms: 7_000 }, 0, 7_000);
    wait(RefreshOutcome::Wait { retry_after_ms: 0 }, 0, 1_000);
    wait(RefreshOutcome::AppRefused, 0, 300_000);
}

#[test]
fn refused_tokens_are_not_used_kept_for_a_day_and_replaced_by_a_new_sign_in() {
    let Verdict::NeedsLogin(mut stopped) =
        after_refresh(&grant(), &tokens(), RefreshOutcome::Refused, 0, START)
    else {
        panic!("refused tokens need a new sign-in");
    };
    assert_eq!(stopped.status, GrantStatus::NeedsLogin { since: START, reason: LoginReason::Refused });
    assert_eq!(stopped.tokens(&vault(), &ana()), Err(GrantError::NeedsLogin));

    stopped.stop(LoginReason::Unreadable, START.plus_ms(1));
    assert_eq!(stopped.status, GrantStatus::NeedsLogin { since: START, reason: LoginReason::Refused });

    assert!(!stopped.forget_refused(START.plus_ms(AFTER_REFUSAL_KEPT_MS - 1)));
    assert!(stopped.keeps_tokens());
    assert!(stopped.forget_refused(START.plus_ms(AFTER_REFUSAL_KEPT_MS)));
    assert!(!stopped.keeps_tokens());
    assert!(!stopped.forget_refused(START.plus_ms(AFTER_REFUSAL_KEPT_MS)), "once");

    stopped.renew(&tokens(), &vault(), &SeededEntropy::new(6), &ana(), 2);
    assert_eq!(stopped.tokens(&vault(), &ana()).map(|(set, _)| set), Ok(tokens()));
    assert!(!stopped.forget_refused(START.plus_ms(AFTER_REFUSAL_KEPT_MS)), "a live grant forgets nothing");
}
