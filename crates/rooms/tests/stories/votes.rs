//! Voting a song away.

use rooms::{Act, Command, OrderOutcome, Reason, Refusal, Role, SettingsPatch, SkipRule};

use crate::check::{ADA, Party, START, count, id, share};

const MINUTE: u64 = 60_000;

#[test]
fn how_many_votes_skip() {
    let check = |rule: SkipRule, electors: usize, needed: usize| {
        assert_eq!(rule.needed(electors), needed, "{rule:?} of {electors}");
    };
    check(count(3), 10, 3);
    check(count(3), 2, 2);
    check(count(3), 0, 1);
    check(count(1000), 1000, 1000);
    check(share(0.5, 2), 4, 2);
    check(share(0.5, 2), 5, 3);
    check(share(0.5, 2), 1, 1);
    check(share(0.5, 2), 2, 2);
    check(share(0.5, 2), 0, 1);
    check(share(0.01, 1), 1, 1);
    check(share(0.01, 1), 100, 1);
    check(share(0.01, 1), 101, 2);
    check(share(1.0, 1), 9, 9);
    check(share(0.2, 7), 10, 7);
    check(share(0.2, 7), 5, 5);
    // 0.07 * 100 is 7.000000000000001 in binary; on paper it is 7.
    check(share(0.07, 1), 100, 7);
    check(share(0.07, 1), 101, 8);
    check(share(0.29, 1), 100, 29);
    check(share(0.58, 1), 10_000, 5_800);
    check(share(1.0 / 3.0, 1), 3, 1);
    check(share(2.0 / 3.0, 1), 9_999, 6_666);
}

#[test]
fn settings_out_of_range_are_refused_by_name_and_change_nothing() {
    let mut party = Party::of(1, count(1));
    let before = party.room.settings().clone();
    let mut check = |patch: SettingsPatch, key: &str| {
        let command = Command::Change { name: None, settings: Some(Box::new(patch)) };
        let refusal = party.does(ADA, command).expect_err(key);
        assert_eq!(refusal.reason, Reason::BadCommand, "{key}");
        assert!(refusal.message.contains(key), "{}", refusal.message);
        assert_eq!(*party.room.settings(), before, "{key}");
    };
    let none = SettingsPatch::default;
    check(SettingsPatch { skip_rule: Some(count(0)), ..none() }, "skip_rule");
    check(SettingsPatch { skip_rule: Some(count(1001)), ..none() }, "skip_rule");
    check(SettingsPatch { skip_rule: Some(share(0.009, 1)), ..none() }, "skip_rule");
    check(SettingsPatch { skip_rule: Some(share(1.001, 1)), ..none() }, "skip_rule");
    check(SettingsPatch { skip_rule: Some(share(f64::NAN, 1)), ..none() }, "skip_rule");
    check(SettingsPatch { skip_rule: Some(share(0.5, 0)), ..none() }, "skip_rule");
    check(SettingsPatch { vote_after_s: Some(3_601), ..none() }, "vote_after_s");
    check(SettingsPatch { adds_per_hour: Some(Some(0)), ..none() }, "adds_per_hour");
    check(SettingsPatch { max_track_min: Some(Some(0)), ..none() }, "max_track_min");
    let album = Some(Some("spotify:album:0000000000000000000000".to_owned()));
    check(SettingsPatch { fallback_playlist: album, ..none() }, "fallback_playlist");
    let both = SettingsPatch { guests_can_seek: Some(true), vote_after_s: Some(9_999), ..none() };
    check(both, "vote_after_s");
}

#[test]
fn the_last_vote_needed_places_one_order() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    assert_eq!((party.state(), party.orders(), party.tally()), ("open", 0, (1, 2, 4)));
    party.votes("guest-2");
    assert_eq!((party.state(), party.orders(), party.tally()), ("claimed", 1, (2, 2, 4)));
    assert_eq!(party.order().expect("the order").act, Act::SkipByVote { ballot: 1 });
    party.votes("guest-3");
    assert_eq!((party.state(), party.orders()), ("claimed", 1));
}

#[test]
fn who_votes_after_a_long_silence_is_an_elector_before_the_vote_is_counted() {
    let mut party = Party::of(5, share(1.0, 1));
    party.waits(11 * MINUTE);
    party.hears("b", 0);
    party.does("guest-1", Command::React { emoji: "🎉".to_owned() }).expect("is taken");
    assert_eq!(party.tally(), (0, 1, 1));
    // One vote is all of the one elector that there was, and half of the two that there are.
    party.votes("guest-2");
    assert_eq!((party.state(), party.orders(), party.tally()), ("open", 0, (1, 2, 2)));
}

#[test]
fn a_member_counts_once() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.votes("guest-1");
    party.votes("guest-1");
    assert_eq!((party.state(), party.tally().0), ("open", 1));
}

#[test]
fn a_vote_names_the_song_it_means() {
    let mut party = Party::new();
    let nothing = party.does(ADA, Command::VoteSkip { epoch: party.epoch() });
    assert_eq!(nothing.map_err(|refusal| refusal.reason), Err(Reason::NothingPlaying));
    party.hears("a", 0);
    for epoch in [0, 2] {
        for command in [Command::VoteSkip { epoch }, Command::UnvoteSkip { epoch }, Command::Skip { epoch }] {
            let refused = party.does(ADA, command).map_err(|refusal| refusal.reason);
            assert_eq!(refused, Err(Reason::StaleEpoch));
        }
    }
}

#[test]
fn votes_end_with_the_song() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.waits(30_000);
    party.hears("b", 0);
    assert_eq!((party.ballot().epoch, party.ballot().number, party.tally().0), (2, 1, 0));
    party.votes("guest-2");
    assert_eq!(party.state(), "open");
}

#[test]
fn a_claim_falls_with_the_song() {
    let mut party = Party::of(3, count(1));
    party.votes("guest-1");
    let order = party.order().expect("a claim").id;
    party.waits(30_000);
    party.hears("b", 0);
    assert_eq!((party.state(), party.orders()), ("open", 0));
    assert!(!party.room.order_send(party.now, order));
}

#[test]
fn a_vote_can_be_taken_back_until_spotify_is_asked() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.unvotes("guest-1").expect("before the claim");
    assert_eq!((party.state(), party.tally().0), ("open", 0));
    party.votes("guest-1");
    party.votes("guest-2");
    party.unvotes("guest-2").expect("after the claim");
    assert_eq!((party.state(), party.tally().0, party.orders()), ("open", 1, 0));
    party.votes("guest-2");
    party.sends().expect("quorum");
    assert_eq!(party.unvotes("guest-2"), Err(Reason::StaleEpoch));
    assert_eq!(party.unvotes("guest-3"), Ok(()), "who did not vote has nothing to take back");
    assert_eq!((party.state(), party.orders()), ("sent", 1));
}

#[test]
fn a_spare_vote_taken_back_leaves_the_claim() {
    let mut party = Party::of(3, count(2));
    for guest in ["guest-1", "guest-2", "guest-3"] {
        party.votes(guest);
    }
    party.unvotes("guest-1").expect("one more than needed");
    assert_eq!((party.state(), party.orders()), ("claimed", 1));
}

#[test]
fn a_quorum_that_falls_to_the_votes_given_carries_without_another_vote() {
    let half = share(0.5, 1);
    let check = |name: &str, happens: fn(&mut Party)| {
        // Five electors, three needed, two given.
        let mut party = Party::of(4, half);
        party.votes("guest-1");
        party.votes("guest-2");
        assert_eq!((party.state(), party.tally()), ("open", (2, 3, 5)), "{name}");
        happens(&mut party);
        assert_eq!((party.state(), party.orders()), ("claimed", 1), "{name}");
    };
    check("someone leaves", |party| party.does("guest-3", Command::Leave).expect("leaves"));
    check("someone is removed", |party| {
        party.does(ADA, Command::Remove { member: id("guest-3") }).expect("removed");
    });
    check("someone is banned", |party| {
        party.does(ADA, Command::Ban { member: id("guest-3") }).expect("banned");
    });
    check("someone is away for a minute", |party| {
        party.disconnects("guest-3");
        party.waits(MINUTE - 1);
        assert_eq!(party.state(), "open");
        party.waits(1);
    });
    check("the rule changes", |party| {
        party.changes(SettingsPatch { skip_rule: Some(count(2)), ..SettingsPatch::default() });
    });
    check("others do nothing for ten minutes", |party| {
        party.waits(10 * MINUTE - 2);
        party.does("guest-1", Command::React { emoji: "🎉".to_owned() }).expect("reacts");
        party.does("guest-2", Command::React { emoji: "🎉".to_owned() }).expect("reacts");
        party.does(ADA, Command::React { emoji: "🎉".to_owned() }).expect("reacts");
        assert_eq!(party.state(), "open");
        party.waits(2);
    });
}

#[test]
fn who_leaves_or_stays_away_takes_the_vote_along() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.disconnects("guest-1");
    party.waits(MINUTE - 1);
    assert_eq!(party.tally().0, 1, "within the grace");
    party.connects("guest-1");
    party.waits(MINUTE);
    assert_eq!(party.tally().0, 1, "back in time");
    party.disconnects("guest-1");
    party.waits(MINUTE);
    party.connects("guest-1");
    assert_eq!(party.tally().0, 0, "too late: the vote is gone");
    party.votes("guest-1");
    party.does("guest-1", Command::Leave).expect("leaves");
    party.comes("guest-1");
    assert_eq!(party.tally().0, 0);
}

#[test]
fn a_vote_that_ran_out_while_nobody_kept_the_room_stays_gone() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.disconnects("guest-1");
    party.sleeps(MINUTE + 1_000);
    party.restarts();
    party.connects("guest-1");
    assert_eq!(party.tally().0, 0);
}

#[test]
fn who_left_while_spotify_was_asked_does_not_count_after_coming_back() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.votes("guest-2");
    let order = party.sends().expect("quorum");
    party.does("guest-2", Command::Leave).expect("leaves");
    party.answers(order, OrderOutcome::Again { not_before: party.now.plus_ms(1_000) });
    assert_eq!((party.state(), party.orders()), ("open", 0));
    party.comes("guest-2");
    assert_eq!((party.state(), party.tally().0), ("open", 1));
}

#[test]
fn who_counts() {
    let check = |name: &str, prepare: fn(&mut Party), electors: usize| {
        let mut party = Party::of(4, share(1.0, 1));
        prepare(&mut party);
        assert_eq!(party.room.electors(), electors, "{name}");
    };
    let idle: fn(&mut Party) = |party| party.waits(10 * MINUTE);
    check("everyone here", |_| (), 5);
    check("ten minutes less a moment", |party| party.waits(10 * MINUTE - 1), 5);
    check("nobody, after ten idle minutes", idle, 0);
    check(
        "one who did something since",
        |party| {
            party.waits(5 * MINUTE);
            party.votes("guest-1");
            party.waits(5 * MINUTE);
        },
        1,
    );
    check(
        "connecting is no deed",
        |party| {
            party.waits(10 * MINUTE);
            party.disconnects("guest-1");
            party.connects("guest-1");
        },
        0,
    );
    check(
        "joining is",
        |party| {
            party.waits(10 * MINUTE);
            party.comes("zoe");
        },
        1,
    );
    check(
        "all, while fewer than four are online",
        |party| {
            party.does("guest-1", Command::Leave).expect("leaves");
            party.does("guest-2", Command::Leave).expect("leaves");
            party.waits(10 * MINUTE);
        },
        3,
    );
    check(
        "not who waits, not who is banned",
        |party| {
            let approve = Some(rooms::Admission::Approve);
            party.changes(SettingsPatch { admission: approve, ..SettingsPatch::default() });
            party.joins("zoe");
            party.does(ADA, Command::Ban { member: id("guest-1") }).expect("banned");
        },
        4,
    );
}

#[test]
fn a_newcomer_waits_before_its_vote_counts() {
    let mut party = Party::with(|settings| {
        settings.admission = rooms::Admission::Open;
        settings.skip_rule = count(1);
        settings.vote_after_s = 120;
    });
    party.hears("a", 0);
    party.comes("zoe");
    assert_eq!(party.room.electors(), 1, "the host counts at once");
    party.votes("zoe");
    assert_eq!((party.state(), party.tally()), ("open", (0, 1, 1)));
    assert_eq!(party.room.deadline(), Some((START.plus_ms(120_000), "a newcomer's vote begins to count")));
    party.waits(119_999);
    assert_eq!(party.state(), "open");
    party.waits(1);
    assert_eq!((party.state(), party.tally()), ("claimed", (1, 1, 2)), "the vote was kept");
}

#[test]
fn moderators_wait_too_and_a_shorter_wait_counts_at_once() {
    let mut party = Party::with(|settings| {
        settings.admission = rooms::Admission::Open;
        settings.skip_rule = count(1);
        settings.vote_after_s = 120;
    });
    party.hears("a", 0);
    party.comes("zoe");
    party.role("zoe", Role::Moderator);
    party.votes("zoe");
    assert_eq!(party.state(), "open");
    party.changes(SettingsPatch { vote_after_s: Some(0), ..SettingsPatch::default() });
    assert_eq!(party.state(), "claimed");
}

#[test]
fn a_refused_ballot_is_shown_and_then_opened_anew() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.votes("guest-2");
    let order = party.sends().expect("quorum");
    party.answers(order, OrderOutcome::Refused(Refusal::new(Reason::Restricted, "No.")));
    assert_eq!((party.state(), party.orders(), party.ballot().number), ("refused", 0, 1));
    assert_eq!(party.told(), ["\"action_failed\""]);
    assert_eq!(
        party.room.deadline().map(|(at, why)| (at.since(party.now), why)),
        Some((2_000, "the next ballot opens"))
    );
    party.waits(1_999);
    assert_eq!(party.state(), "refused");
    party.waits(1);
    assert_eq!((party.state(), party.ballot().number, party.tally().0), ("open", 2, 0));
}

#[test]
fn a_vote_on_a_refused_ballot_opens_the_next() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.votes("guest-2");
    let order = party.sends().expect("quorum");
    party.answers(order, OrderOutcome::Refused(Refusal::new(Reason::Restricted, "No.")));
    party.votes("guest-3");
    assert_eq!((party.state(), party.ballot().number, party.tally().0), ("open", 2, 1));
}

#[test]
fn the_room_is_told_when_fewer_votes_are_needed() {
    let mut party = Party::of(4, share(0.5, 1));
    let version = party.room.version();
    party.waits(10 * MINUTE);
    assert_eq!(party.tally(), (0, 1, 0));
    assert!(party.room.version() > version, "what everyone is shown has changed");
    let proposal = party.last.as_ref().expect("a version");
    assert!(proposal.soft.contains(rooms::Section::Skip));
    assert!(proposal.sections.is_empty());
}

/// Leaving ends the vote at once, whatever becomes of the request that is under way.
#[test]
fn a_vote_that_was_left_behind_does_not_come_back_with_its_member() {
    for heard in [None, Some(OrderOutcome::Unknown)] {
        let mut party = Party::of(2, count(2));
        party.votes("guest-1");
        party.votes("guest-2");
        let order = party.sends().expect("the votes carried");
        if let Some(outcome) = heard {
            party.answers(order, outcome);
        }
        party.does("guest-2", Command::Leave).expect("anyone may leave");
        party.comes("guest-2");
        // A definite refusal that did nothing: it would be asked again, if the quorum held.
        party.answers(order, OrderOutcome::Again { not_before: party.now });
        assert_eq!((party.state(), party.tally()), ("open", (1, 2, 3)));
        assert_eq!(party.sends(), None);
        party.votes("guest-2");
        assert_eq!(party.state(), "claimed");
    }
}
