//! What is stored is the room, and what is damaged is refused.

use rooms::{Command, Room};

use crate::check::{ADA, Party, count};

type Records = std::collections::BTreeMap<String, Vec<u8>>;

#[test]
fn nothing_changed_is_nothing_to_write() {
    let mut party = Party::of(2, count(2));
    assert!(party.room.take().is_none());
    party.room.settle(party.now);
    assert!(party.room.take().is_none());
    party.waits(1_000);
    party.hears("a", 1_000);
    assert!(party.last.is_none(), "the song plays as expected");
}

#[test]
fn a_version_writes_only_what_changed() {
    let mut party = Party::of(50, count(30));
    party.sleeps(1_000);
    party.votes("guest-7");
    let written: Vec<&str> =
        party.last.as_ref().expect("a version").records.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(written, ["as_of", "ballot", "member/guest-7"]);
}

#[test]
fn damage_is_named() {
    let mut party = Party::of(1, count(2));
    party.asks(ADA, "p/1 ü", Command::Pause).expect("it plays");
    party.votes("guest-1");
    let check = |name: &str, damage: &dyn Fn(&mut Records), says: &[&str]| {
        let mut records = party.stored.clone();
        damage(&mut records);
        let corrupt = Room::restore(party.room.version(), &records, party.now).expect_err(name);
        for part in says {
            assert!(corrupt.to_string().contains(part), "{name}: {corrupt}");
        }
    };
    for key in party.stored.keys() {
        check(key, &|records| drop(records.insert(key.clone(), b"{".to_vec())), &[key]);
    }
    for key in ["room", "as_of", "playback", "orders", "member/ada"] {
        check(key, &|records| drop(records.remove(key)), &[key, "missing"]);
    }
    let newer = br#"{"format":2,"what":"nobody knows"}"#.to_vec();
    check(
        "a newer format",
        &|records| drop(records.insert("room".to_owned(), newer.clone())),
        &["room", "format 2"],
    );
    check("no member", &|records| drop(records.insert("member/".to_owned(), b"{}".to_vec())), &["member/"]);
    check(
        "no answer",
        &|records| drop(records.insert("answer/ada".to_owned(), b"{}".to_vec())),
        &["answer/ada"],
    );
}
