//! What the rest of Parlor relies on in its vocabulary.

use kernel::{Clock, Entropy, ManualClock, MemberId, RoomCode, Secret, SeededEntropy, Timestamp};

#[test]
fn a_code_is_understood_as_people_type_it() {
    let check = |typed: &str, code: Option<&str>| {
        let parsed = typed.parse::<RoomCode>().ok();
        assert_eq!(parsed.as_ref().map(RoomCode::as_str), code, "{typed:?}");
    };
    check("7KQ2MD", Some("7KQ2MD"));
    check(" 7kq 2md ", Some("7KQ2MD"));
    check("7k-q2-md", Some("7KQ2MD"));
    check("7KQ2MD9XAB", Some("7KQ2MD9XAB"));
    check("7KQ2MD9XABC", None);
    check("7KQ2M", None);
    check("7KQ2M0", None);
    check("7KQ2MÜ", None);
    check("", None);
}

#[test]
fn drawn_codes_use_the_whole_alphabet_evenly() {
    let entropy = SeededEntropy::new(7);
    let mut counts = [0_u32; 30];
    for _ in 0..5_000 {
        for byte in RoomCode::generate(&entropy, 6).as_str().bytes() {
            let place = RoomCode::ALPHABET.iter().position(|b| *b == byte);
            counts[place.expect("a character of the alphabet")] += 1;
        }
    }
    // 30,000 draws over 30 characters: 1,000 each, with a standard deviation of 31.
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

#[test]
fn numbers_below_a_bound_stay_below_it() {
    let entropy = SeededEntropy::new(1);
    assert!((0..1000).all(|_| entropy.below(3) < 3));
    assert_eq!(entropy.below(0), 0);
}

#[test]
fn a_secret_does_not_show_itself() {
    assert_eq!(format!("{:?}", Secret::from("BQ-canary")), "[secret]");
}

#[test]
fn a_moved_clock_wakes_who_waits() {
    let clock = ManualClock::new(Timestamp(1_000));
    let (send, receive) = std::sync::mpsc::sync_channel(8);
    clock.on_move(Box::new(move || send.send(()).expect("the test listens")));
    clock.advance(500);
    assert_eq!((clock.now(), receive.try_recv()), (Timestamp(1_500), Ok(())));
}

#[test]
fn ids_refuse_what_is_no_id() {
    assert!(serde_json::from_str::<MemberId>("\"\"").is_err());
    assert!(serde_json::from_str::<MemberId>("\"a b\"").is_err());
    assert!(serde_json::from_str::<MemberId>("\"abc\"").is_ok());
}
