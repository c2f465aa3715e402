//! Session secrets, sessions, and the addresses a sign-in returns to.

use auth::{
    BrowserSecret, ReturnTo, ReturnToError, SESSION_IDLE_MS, SESSION_LIFE_MS, SESSION_TOUCH_MS, Session,
    SessionSecret, default_name, name, same_hash,
};
use kernel::{AccountId, MemberId, SeededEntropy, SystemEntropy, Timestamp};

const START: Timestamp = Timestamp(1_790_000_000_000);

fn member(text: &str) -> MemberId {
    text.parse().expect("an id")
}

#[test]
fn a_secret_comes_back_from_its_text_and_from_nothing_else() {
    let secret = SessionSecret::generate(&SystemEntropy);
    let text = secret.expose_text();
    assert_eq!(text.expose().len(), 43);
    let parsed = SessionSecret::parse(text.expose()).expect("its own text");
    assert!(same_hash(&parsed.hash(), &secret.hash()));
    assert!(!same_hash(&SessionSecret::generate(&SystemEntropy).hash(), &secret.hash()));

    let check = |text: &str| assert!(SessionSecret::parse(text).is_none(), "{text:?}");
    check("");
    check("short");
    check(&format!("{} ", text.expose()));
    check(&format!("{}=", text.expose()));
    check(&"A".repeat(42));
    check(&"A".repeat(44));
    check(&"+".repeat(43));
    // A last character whose unused bits are set would be a second text for the same value.
    check(&format!("{}B", "A".repeat(42)));
}

#[test]
fn a_hash_is_of_the_bytes_and_known() {
    // SHA-256 of 32 zero bytes.
    let zero = BrowserSecret::parse(&"A".repeat(43)).expect("zeroes");
    assert_eq!(zero.hash()[..4], [0x66, 0x68, 0x7a, 0xad]);
}

#[test]
fn a_used_session_lives_on_until_its_absolute_limit() {
    let mut session = Session::new(member("ana"), START);
    assert_eq!(session.expires_at, START.plus_ms(SESSION_IDLE_MS));

    assert!(!session.touch(START.plus_ms(SESSION_TOUCH_MS - 1)), "not worth storing yet");
    let later = START.plus_ms(SESSION_TOUCH_MS);
    assert!(session.touch(later), "worth storing");
    assert_eq!(session.expires_at, later.plus_ms(SESSION_IDLE_MS));

    let mut now = later;
    while session.live(now.plus_ms(SESSION_IDLE_MS / 2)) {
        now = now.plus_ms(SESSION_IDLE_MS / 2);
        assert!(session.touch(now));
    }
    assert_eq!(session.expires_at, START.plus_ms(SESSION_LIFE_MS));
    assert!(!session.live(START.plus_ms(SESSION_LIFE_MS)));
}

#[test]
fn an_idle_session_ends_and_no_use_revives_it() {
    let mut session = Session::new(member("ana"), START);
    let end = START.plus_ms(SESSION_IDLE_MS);
    assert!(session.live(end.minus_ms(1)));
    assert!(!session.live(end));
    assert!(!session.touch(end));
    assert_eq!(session.seen_at, START);
}

#[test]
fn a_clock_that_went_back_prolongs_nothing() {
    let mut session = Session::new(member("ana"), START);
    assert!(!session.touch(START.minus_ms(SESSION_IDLE_MS)));
    assert_eq!(session, Session::new(member("ana"), START));
}

#[test]
fn signing_in_keeps_the_name_and_begins_anew() {
    let mut guest = Session::new(member("guest"), START);
    guest.name = Some("Ana".to_owned());
    let account: AccountId = "spotify-ana".parse().expect("an id");
    let later = START.plus_ms(SESSION_IDLE_MS / 2);
    let host = guest.signed_in(account.clone(), member("ana"), later);
    assert_eq!(host.name.as_deref(), Some("Ana"));
    assert_eq!((host.member.as_str(), host.account.as_ref()), ("ana", Some(&account)));
    assert_eq!((host.created_at, host.expires_at), (later, later.plus_ms(SESSION_IDLE_MS)));
    assert_eq!(host.signed_out().account, None);
    assert_eq!(Session::from_bytes(&host.to_bytes()), Some(host));
    assert_eq!(Session::from_bytes(b"{}"), None);
}

#[test]
fn a_browser_returns_to_a_path_of_ours_only() {
    use ReturnToError as E;
    let check = |text: &str, expected: Result<(), ReturnToError>| {
        let parsed = ReturnTo::parse(text);
        assert_eq!(parsed.as_ref().map(|_| ()).map_err(|error| *error), expected, "{text:?}");
        if let Ok(path) = parsed {
            assert_eq!(path.as_str(), text);
        }
    };
    check("/", Ok(()));
    check("/r/ABC234", Ok(()));
    check("/r/ABC234?tab=queue&x=%20y#now", Ok(()));
    check("/caf%C3%A9", Ok(()));
    check("/100%25", Ok(()));
    check("", Err(E::NotLocal));
    check("r/ABC234", Err(E::NotLocal));
    check("https://evil.example/", Err(E::NotLocal));
    check("javascript:alert(1)", Err(E::NotLocal));
    check("%2F", Err(E::NotLocal));
    check("//evil.example", Err(E::DoubleSlash));
    check("///evil.example", Err(E::DoubleSlash));
    check("/%2Fevil.example", Err(E::DoubleSlash));
    check("/%252Fevil.example", Err(E::DoubleSlash));
    check("/.//evil.example", Err(E::DoubleSlash));
    check("/r?next=https://evil.example", Err(E::DoubleSlash));
    check("/\\evil.example", Err(E::Backslash));
    check("/%5Cevil.example", Err(E::Backslash));
    check("/%5cevil.example", Err(E::Backslash));
    check("/%255Cevil.example", Err(E::Backslash));
    check("/a\r\nSet-Cookie: x", Err(E::BadCharacter));
    check("/%0d%0aSet-Cookie:x", Err(E::BadCharacter));
    check("/%00", Err(E::BadCharacter));
    check("/\t/evil.example", Err(E::BadCharacter));
    check("/%09/evil.example", Err(E::BadCharacter));
    check("/café", Err(E::BadCharacter));
    check("/ x", Err(E::BadCharacter));
    check("/%", Err(E::BadEncoding));
    check("/%2", Err(E::BadEncoding));
    check("/%zz", Err(E::BadEncoding));
    check("/%+1", Err(E::BadEncoding));
    check("/%2525252525", Err(E::BadEncoding));
    check(&format!("/{}", "a".repeat(511)), Ok(()));
    check(&format!("/{}", "a".repeat(512)), Err(E::TooLong));
    assert!(serde_json::from_str::<ReturnTo>("\"//evil.example\"").is_err());
}

#[test]
fn default_names_pass_the_rules_for_names_and_vary() {
    let entropy = SeededEntropy::new(7);
    let names: Vec<String> = (0..200).map(|_| default_name(&entropy)).collect();
    for made in &names {
        assert_eq!(name::parse(made).as_ref().map(name::DisplayName::as_str), Ok(made.as_str()));
    }
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    assert!(distinct.len() > 150, "{}", distinct.len());
}
