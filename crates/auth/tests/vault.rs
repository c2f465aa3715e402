//! The vault: what it sealed it opens, for the same thing only, with a key on the ring only.

use auth::{Aad, KeyRing, KeyRingError, Purpose, Vault, VaultError};
use kernel::{SeededEntropy, SystemEntropy};
use proptest::prelude::*;

const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "/////v38+/r5+Pf29fTz8vHw7+7t7Ovq6ejn5uXk4+I=";

fn vault(keys: &str) -> Vault {
    Vault::new(KeyRing::parse(keys).expect("good keys"))
}

fn aad(owner: &str) -> Aad {
    Aad::new(Purpose::Tokens, owner.as_bytes(), 3)
}

#[test]
fn a_key_ring_says_what_is_wrong_and_never_shows_a_key() {
    use KeyRingError as E;
    let check = |text: &str, expected: Result<(), KeyRingError>| {
        let parsed = KeyRing::parse(text).map(|_| ());
        assert_eq!(parsed, expected, "{text:?}");
        if let Err(error) = parsed {
            let shown = format!("{error} {error:?}");
            assert!(text.len() < 8 || !shown.contains(&text[..8]), "{shown}");
        }
    };
    check(OLD, Ok(()));
    check(OLD.trim_end_matches('='), Ok(()));
    check(&NEW.replace('+', "-").replace('/', "_"), Ok(()));
    check(&format!(" {NEW} , {OLD}\n"), Ok(()));
    check("", Err(E::Empty));
    check("  ", Err(E::Empty));
    check("?? nothing of the kind", Err(E::NotBase64 { place: 1 }));
    check(&format!("{OLD},{NEW}x!"), Err(E::NotBase64 { place: 2 }));
    check("c2hvcnQgYnV0IHNlY3JldA==", Err(E::WrongLength { place: 1, bytes: 16 }));
    check(&format!("{OLD},"), Err(E::WrongLength { place: 2, bytes: 0 }));
    check(&format!("{OLD},{OLD}"), Err(E::Twice { place: 2 }));
    check("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", Ok(()));
    assert!(KeyRing::parse(KeyRing::generate_text(&SystemEntropy).expose()).is_ok());
}

#[test]
fn keys_can_be_changed_without_losing_what_the_old_one_sealed() {
    let entropy = SeededEntropy::new(1);
    let sealed = vault(OLD).seal(&entropy, &aad("ana"), b"refresh me");
    let both = vault(&format!("{NEW},{OLD}"));

    let opened = both.open(&aad("ana"), &sealed).expect("the old key is on the ring");
    assert_eq!(opened.plaintext.expose(), b"refresh me");
    assert!(opened.stale_key);

    let again = both.seal(&entropy, &aad("ana"), opened.plaintext.expose());
    assert!(!vault(NEW).open(&aad("ana"), &again).expect("the new key seals").stale_key);
    assert_eq!(vault(NEW).open(&aad("ana"), &sealed).expect_err("gone"), VaultError::UnknownKey);
}

#[test]
fn what_belongs_to_one_does_not_open_for_another() {
    let vault = vault(OLD);
    let sealed = vault.seal(&SeededEntropy::new(1), &aad("ana"), b"secret");
    let check =
        |aad: &Aad| assert_eq!(vault.open(aad, &sealed).expect_err("not its own"), VaultError::Altered);
    check(&aad("ben"));
    check(&aad("an"));
    check(&aad(""));
    check(&Aad::new(Purpose::Attempt, b"ana", 3));
    check(&Aad::new(Purpose::Tokens, b"ana", 4));
    assert!(vault.open(&aad("ana"), &sealed).is_ok());
}

#[test]
fn a_record_says_version_and_key_and_no_two_are_alike() {
    let vault = vault(OLD);
    let entropy = SeededEntropy::new(1);
    let one = vault.seal(&entropy, &aad("ana"), b"secret");
    let two = vault.seal(&entropy, &aad("ana"), b"secret");
    assert_eq!((one[0], one.len()), (1, 1 + 8 + 24 + 6 + 16));
    assert_eq!(one[..9], two[..9], "the same version and key");
    assert_ne!(one[9..33], two[9..33], "a nonce of its own");
    for length in [0, 1, 8, 9, 32] {
        assert_eq!(
            vault.open(&aad("ana"), &one[..length]).expect_err("short"),
            VaultError::Malformed,
            "{length}"
        );
    }
    assert_eq!(vault.open(&aad("ana"), &one[..33]).expect_err("empty"), VaultError::Altered);
    let mut newer = one;
    newer[0] = 2;
    assert_eq!(vault.open(&aad("ana"), &newer).expect_err("unknown format"), VaultError::Malformed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_opens_what_it_sealed_and_nothing_with_a_flipped_bit(
        seed: u64,
        plain in proptest::collection::vec(any::<u8>(), 0..200),
        owner in "[a-z0-9]{0,20}",
        other in "[a-z0-9]{0,20}",
        generation: u64,
        flip: usize,
    ) {
        let vault = vault(OLD);
        let own = Aad::new(Purpose::Tokens, owner.as_bytes(), generation);
        let sealed = vault.seal(&SeededEntropy::new(seed), &own, &plain);
        let opened = vault.open(&own, &sealed).expect("its own");
        prop_assert_eq!(opened.plaintext.expose(), &plain);
        prop_assert!(!opened.stale_key);

        let bit = flip % (sealed.len() * 8);
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(vault.open(&own, &flipped).is_err());

        if other != owner {
            prop_assert!(vault.open(&Aad::new(Purpose::Tokens, other.as_bytes(), generation), &sealed).is_err());
        }
        prop_assert!(vault.open(&Aad::new(Purpose::Tokens, owner.as_bytes(), generation ^ 1), &sealed).is_err());
    }
}
