//! What people may rely on when the store has lost the last of what it had acknowledged.

use rooms::{Command, Notice, OrderOutcome, Room};

use crate::check::{Party, count, seen_from_outside};

/// The store keeps the room in another memory than before.
fn fails_over(party: &mut Party) {
    party.room.kept_in("after");
    party.commit();
}

fn party() -> Party {
    let mut party = Party::of(3, count(3));
    party.room.kept_in("before");
    party.commit();
    party
}

#[test]
fn an_open_vote_is_voided_where_everyone_sees_it() {
    let mut party = party();
    party.votes("guest-1");
    party.votes("guest-2");
    let before = party.room.clone();
    fails_over(&mut party);
    assert_eq!((party.state(), party.ballot().number, party.tally().0), ("open", 2, 0));
    let voided = Notice::VotesVoided { epoch: party.epoch() };
    assert_eq!(party.room.told_after(&before), Some(voided), "whoever shows it tells it");
    assert_eq!(party.room.told_after(&party.room), None);
    party.votes("guest-3");
    assert_eq!(party.orders(), 0, "the votes before count no more");
}

#[test]
fn a_claim_that_was_not_sent_falls_with_its_votes() {
    let mut party = party();
    for who in ["guest-1", "guest-2", "guest-3"] {
        party.votes(who);
    }
    assert_eq!(party.state(), "claimed");
    fails_over(&mut party);
    assert_eq!((party.state(), party.orders(), party.sends()), ("open", 0, None));
}

#[test]
fn what_spotify_was_asked_is_settled_by_looking() {
    let mut party = party();
    for who in ["guest-1", "guest-2", "guest-3"] {
        party.votes(who);
    }
    let order = party.sends().expect("quorum");
    fails_over(&mut party);
    assert_eq!(party.state(), "sent");
    party.answers(order, OrderOutcome::Unknown);
    assert_eq!(party.sends(), None, "never asked twice");
}

#[test]
fn it_is_voided_once_and_not_without_a_failover() {
    let mut party = party();
    party.votes("guest-1");
    party.room.kept_in("before");
    assert!(!party.commit());
    fails_over(&mut party);
    party.votes("guest-1");
    fails_over(&mut party);
    assert_eq!((party.ballot().number, party.tally().0), (2, 1));
}

#[test]
fn versions_grow_though_nobody_remembers_the_last_of_them() {
    let mut party = party();
    let stored = party.room.version();
    let mut knows_no_more = party.room.clone();
    let lost = party.room.put_back(party.now, stored).expect("a version");
    party.waits(1_000);
    for _ in 0..100 {
        party.votes("guest-1");
        party.does("guest-1", Command::UnvoteSkip { epoch: party.epoch() }).expect("taken back");
    }
    assert!(party.room.version() > lost.version);
    party.waits(1_000);
    let back = knows_no_more.put_back(party.now, stored).expect("a version");
    assert!(back.version > party.room.version(), "{} after {}", back.version, party.room.version());
}

#[test]
fn the_newest_memory_is_put_back_whole() {
    let mut party = party();
    party.votes("guest-1");
    let behind = party.room.version() - 1;
    for stored in [behind, party.room.version() + 7] {
        let known = party.room.version();
        let back = party.room.put_back(party.now, stored).expect("a version");
        assert!(back.version > known && back.version > stored, "versions only grow");
        let records = back.records.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let restored = Room::restore(back.version, &records, party.now).expect("sound records");
        assert_eq!(seen_from_outside(&restored), seen_from_outside(&party.room));
    }
}
