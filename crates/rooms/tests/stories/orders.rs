//! What becomes of what the room wants of Spotify.

use rooms::{
    Act, Command, OrderOutcome, OrderState, PlaybackState, PlayerSeen, Reason, Refusal, Role, Trouble,
};

use crate::check::{ADA, Party, count, player, share};

fn claimed() -> Party {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.votes("guest-2");
    assert_eq!(party.state(), "claimed");
    party
}

#[test]
fn a_skip_goes_from_claimed_to_confirmed() {
    let mut party = claimed();
    let order = party.sends().expect("quorum");
    assert_eq!(party.state(), "sent");
    assert_eq!(party.sends(), None, "asked once");
    party.answers(order, OrderOutcome::Done);
    assert_eq!((party.state(), party.orders()), ("confirmed", 0));
    assert_eq!(party.told(), ["\"skipped\""]);
    party.waits(300);
    party.hears("b", 0);
    assert_eq!((party.state(), party.epoch()), ("open", 2));
    assert!(party.told().is_empty(), "told once");
}

#[test]
fn an_order_is_not_sent_once_its_quorum_has_gone() {
    let check = |name: &str, happens: fn(&mut Party)| {
        let mut party = Party::of(3, share(0.5, 1));
        party.votes("guest-1");
        party.votes("guest-2");
        happens(&mut party);
        assert_eq!(party.sends(), None, "{name}");
        assert_eq!((party.state(), party.orders()), ("open", 0), "{name}");
    };
    check("a voter leaves", |party| party.does("guest-2", Command::Leave).expect("leaves"));
    check("a voter goes offline unnoticed", |party| {
        party.disconnects("guest-1");
        party.disconnects("guest-2");
        party.sleeps(60_000);
    });
    check("more are needed", |party| party.comes("zoe"));
}

#[test]
fn a_claim_without_quorum_comes_back_with_it() {
    let mut party = Party::of(3, share(0.5, 1));
    party.votes("guest-1");
    party.votes("guest-2");
    party.comes("zoe");
    assert_eq!(party.sends(), None);
    party.votes("zoe");
    assert_eq!((party.state(), party.orders()), ("claimed", 1));
    assert!(party.sends().is_some());
}

#[test]
fn what_spotify_put_off_is_asked_again_only_with_quorum() {
    let mut party = claimed();
    let order = party.sends().expect("quorum");
    let not_before = party.now.plus_ms(3_000);
    party.answers(order, OrderOutcome::Again { not_before });
    assert_eq!((party.state(), party.ballot().number), ("claimed", 1));
    assert_eq!(party.order().expect("the order").progress, OrderState::Waiting { not_before });
    party.waits(3_000);
    assert_eq!(party.sends(), Some(order), "the same order");
    party.answers(order, OrderOutcome::Again { not_before: party.now.plus_ms(3_000) });
    party.unvotes("guest-1").expect("it stands before Spotify again");
    assert_eq!((party.state(), party.orders()), ("open", 0));
}

#[test]
fn what_spotify_put_off_is_over_with_the_song() {
    let mut party = claimed();
    let order = party.sends().expect("quorum");
    party.waits(10_000);
    party.hears("b", 0);
    party.answers(order, OrderOutcome::Again { not_before: party.now });
    assert_eq!((party.state(), party.orders(), party.epoch()), ("open", 0, 2));
}

#[test]
fn doubt_is_resolved_by_looking() {
    let mut party = claimed();
    let order = party.sends().expect("quorum");
    party.answers(order, OrderOutcome::Unknown);
    assert_eq!(party.state(), "unknown");
    assert_eq!(party.sends(), None, "never asked twice");
    assert!(party.room.awaits_change());
    party.waits(1_000);
    party.hears("b", 0);
    assert_eq!((party.state(), party.epoch(), party.orders()), ("open", 2, 0));
    assert_eq!(party.told(), ["\"skipped\""], "it was done");

    let mut party = claimed();
    let order = party.sends().expect("quorum");
    party.answers(order, OrderOutcome::Unknown);
    party.waits(9_000);
    party.answers(order, OrderOutcome::DidNothing);
    assert_eq!((party.state(), party.ballot().number, party.tally().0), ("open", 2, 0));
    assert_eq!(party.told(), ["\"action_failed\""]);
}

#[test]
fn a_song_that_ended_by_itself_was_not_skipped() {
    let mut party = claimed();
    party.waits(199_000);
    let order = party.sends().expect("quorum");
    party.answers(order, OrderOutcome::Unknown);
    party.waits(1_500);
    party.hears("b", 500);
    assert!(party.told().is_empty());
}

#[test]
fn two_who_press_skip_mean_the_song_once() {
    let mut party = Party::of(2, count(2));
    party.role("guest-1", Role::Moderator);
    party.skips(ADA);
    party.skips("guest-1");
    assert_eq!(party.orders(), 1);
    party.carries_out();
    // Spotify has skipped; the room has not seen the next song yet.
    party.skips("guest-1");
    assert_eq!(party.orders(), 0, "the song that was meant is gone already");
}

#[test]
fn a_vote_and_the_host_skip_a_song_once() {
    let mut party = Party::of(3, count(2));
    party.skips(ADA);
    party.votes("guest-1");
    party.votes("guest-2");
    assert_eq!((party.orders(), party.state()), (1, "open"), "the host's skip is under way");
    party.carries_out();
    assert_eq!((party.orders(), party.state()), (0, "open"), "nobody voted on what comes next");
    party.hears("b", 0);
    assert_eq!(party.tally().0, 0);
}

#[test]
fn votes_carry_where_the_hosts_skip_failed() {
    let mut party = Party::of(3, count(2));
    party.skips(ADA);
    let order = party.sends().expect("it stands");
    party.votes("guest-1");
    party.votes("guest-2");
    party.answers(order, OrderOutcome::Refused(Refusal::new(Reason::Restricted, "No.")));
    assert_eq!((party.orders(), party.state()), (1, "claimed"));
}

#[test]
fn the_hosts_skip_does_not_hang_on_the_votes() {
    let mut party = claimed();
    party.skips(ADA);
    assert_eq!(party.orders(), 1);
    party.unvotes("guest-1").expect("Spotify was not asked");
    assert_eq!(party.order().map(|order| order.act), Some(Act::Skip));
    party.carries_out();
    assert_eq!(party.told(), ["\"skipped\""]);
}

#[test]
fn a_skip_that_led_nowhere_can_be_voted_again() {
    let mut party = claimed();
    party.carries_out();
    assert!(party.room.awaits_change());
    party.waits(10_000);
    party.room.stop_awaiting_change();
    party.commit();
    assert_eq!((party.state(), party.ballot().number, party.tally().0), ("open", 2, 0));
    assert_eq!(party.told(), ["\"action_failed\""]);
    assert!(!party.room.awaits_change());
}

#[test]
fn an_order_that_nobody_sent_in_time_is_given_up_and_told() {
    let mut party = Party::of(1, count(2));
    party.does(ADA, Command::Pause).expect("it plays");
    party.sleeps(15_001);
    assert_eq!(party.sends(), None);
    assert_eq!((party.orders(), party.told()), (0, vec!["\"action_failed\"".to_owned()]));
}

#[test]
fn orders_are_carried_out_as_they_came_and_there_is_an_end_of_them() {
    let mut party = Party::of(0, count(1));
    for percent in 0..32 {
        party.does(ADA, Command::SetVolume { percent }).expect("room for it");
    }
    let refused = party.does(ADA, Command::SetVolume { percent: 50 }).expect_err("too much");
    assert_eq!((refused.reason, refused.retry_ms), (Reason::TooFast, Some(2_000)));
    let acts: Vec<Act> = party.room.orders().map(|order| order.act.clone()).collect();
    assert_eq!(acts, (0..32).map(|percent| Act::SetVolume { percent }).collect::<Vec<_>>());
}

#[test]
fn a_votes_order_does_not_wait_behind_the_limit() {
    let mut party = Party::of(0, count(1));
    for percent in 0..32 {
        party.does(ADA, Command::SetVolume { percent }).expect("room for it");
    }
    party.votes(ADA);
    assert_eq!(party.state(), "claimed");
}

#[test]
fn what_was_done_is_shown_at_once() {
    let mut party = Party::of(0, count(1));
    party.waits(10_000);
    party.does(ADA, Command::Pause).expect("it plays");
    party.carries_out();
    let playback = party.room.playback();
    assert_eq!((playback.is_playing, playback.progress_ms), (false, 10_000));
    assert_eq!((playback.disallows.pausing, playback.disallows.resuming), (true, false));
    party.does(ADA, Command::Seek { position_ms: 999_999 }).expect("it plays");
    party.carries_out();
    assert_eq!(party.room.playback().progress_ms, 200_000, "no further than the end");
    party.does(ADA, Command::Play).expect("it plays");
    party.does(ADA, Command::SetVolume { percent: 7 }).expect("it has a volume");
    party.carries_out();
    party.carries_out();
    let playback = party.room.playback();
    let volume = playback.device.as_ref().and_then(|device| device.volume_percent);
    assert_eq!((playback.is_playing, volume), (true, Some(7)));
    assert_eq!((playback.disallows.pausing, playback.disallows.resuming), (false, true));
}

#[test]
fn what_spotify_would_refuse_is_refused_at_once() {
    let check = |name: &str, prepare: fn(&mut Party), command: Command, expected: Result<(), Reason>| {
        let mut party = Party::of(0, count(1));
        prepare(&mut party);
        let answer = party.does(ADA, command).map_err(|refusal| refusal.reason);
        assert_eq!(answer, expected, "{name}");
    };
    let needs_host: fn(&mut Party) = |party| party.room.trouble(party.now, Trouble::NeedsHost);
    let busy: fn(&mut Party) =
        |party| party.room.trouble(party.now, Trouble::Busy { until: party.now.plus_ms(7_000) });
    let unavailable: fn(&mut Party) = |party| party.room.trouble(party.now, Trouble::Unavailable);
    let no_device: fn(&mut Party) = |party| {
        party.sees(None, false);
    };
    let idle: fn(&mut Party) = |party| {
        party.sees(None, true);
    };
    let kitchen = || Command::Transfer { device_id: "kitchen".to_owned() };
    let now = || Command::PlayNow { uri: "spotify:album:0000000000000000000000".to_owned() };
    check("needs_host", needs_host, Command::Play, Err(Reason::NeedsHost));
    check("needs_host", needs_host, kitchen(), Err(Reason::NeedsHost));
    check("busy", busy, Command::Pause, Err(Reason::SpotifyBusy));
    check("unavailable", unavailable, Command::Pause, Err(Reason::SpotifyUnavailable));
    check("no device", no_device, Command::Play, Err(Reason::NoDevice));
    check("no device", no_device, kitchen(), Ok(()));
    check("no device", no_device, now(), Ok(()));
    check("idle", idle, Command::Pause, Err(Reason::NothingPlaying));
    check("idle", idle, Command::Previous, Err(Reason::NothingPlaying));
    check("idle", idle, Command::Seek { position_ms: 0 }, Err(Reason::NothingPlaying));
    check("idle", idle, Command::Play, Ok(()));
    check("no uri", |_| (), Command::PlayNow { uri: "spotify:show:0".to_owned() }, Err(Reason::BadCommand));
    check("no device id", |_| (), Command::Transfer { device_id: String::new() }, Err(Reason::BadCommand));
    check("too loud", |_| (), Command::SetVolume { percent: 101 }, Err(Reason::BadCommand));
    for emoji in ["", "<b>", "a", "7", "🎉🎉", "🇫🇷🇩🇪", "\u{200d}", "\u{202e}", "🎉\n"] {
        check(emoji, |_| (), Command::React { emoji: emoji.to_owned() }, Err(Reason::BadCommand));
    }
    for emoji in [
        "🎉",
        "❤\u{fe0f}",
        "👍🏽",
        "🇫🇷",
        "7\u{fe0f}\u{20e3}",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    ] {
        check(emoji, |_| (), Command::React { emoji: emoji.to_owned() }, Ok(()));
    }
}

#[test]
fn a_busy_spotify_says_how_long() {
    let mut party = Party::of(0, count(1));
    party.room.trouble(party.now, Trouble::Busy { until: party.now.plus_ms(7_000) });
    party.sleeps(2_000);
    let refusal = party.does(ADA, Command::Pause).expect_err("busy");
    assert_eq!(refusal.retry_ms, Some(5_000));
}

#[test]
fn an_account_without_premium_is_remembered_until_something_works() {
    let mut party = Party::of(0, count(1));
    party.does(ADA, Command::Pause).expect("it plays");
    let order = party.sends().expect("it stands");
    party.answers(order, OrderOutcome::Refused(Refusal::new(Reason::PremiumRequired, "No.")));
    assert_eq!(party.room.playback().state, PlaybackState::PremiumRequired);
    party.hears("a", 0);
    assert_eq!(party.room.playback().state, PlaybackState::PremiumRequired);
    let refusal = party.does(ADA, Command::Pause).expect_err("no premium");
    assert_eq!(refusal.reason, Reason::PremiumRequired);
    party.room.host_connected(party.now, "ada-at-spotify".parse().expect("an account"));
    party.commit();
    party.hears("a", 0);
    assert_eq!(party.room.playback().state, PlaybackState::Ok);
}

#[test]
fn a_closed_room_asks_nothing_more_of_spotify() {
    let mut party = claimed();
    party.does(ADA, Command::Close).expect("the host closes");
    assert!(party.last.as_ref().expect("a version").closed);
    assert_eq!(party.sends(), None);
    assert_eq!(party.room.deadline(), None, "nothing becomes due in it");
    let refused = party.does(ADA, Command::Play).map_err(|refusal| refusal.reason);
    assert_eq!(refused, Err(Reason::RoomClosed));
}

#[test]
fn a_long_wait_is_for_votes_and_not_for_buttons() {
    let mut party = claimed();
    party.does(ADA, Command::Pause).expect("the host may");
    assert_eq!(party.orders(), 2);
    let order = party.sends().expect("quorum");
    let until = party.now.plus_ms(3_600_000);
    party.answers(order, OrderOutcome::Again { not_before: until });
    party.room.trouble(party.now, Trouble::Busy { until });
    party.commit();
    assert_eq!(party.told(), ["\"action_failed\""], "the pause");
    assert_eq!((party.state(), party.orders()), ("claimed", 1));
    assert_eq!(party.room.playback().state, PlaybackState::SpotifyBusy);
    let refused = party.does(ADA, Command::Pause).expect_err("Spotify asks to wait");
    assert_eq!((refused.reason, refused.retry_ms), (Reason::SpotifyBusy, Some(3_600_000)));
}

#[test]
fn who_votes_on_silence_hears_its_cause() {
    let check = |trouble: Trouble, reason: Reason| {
        let mut party = Party::with(|_| ());
        party.room.trouble(party.now, trouble);
        party.commit();
        let epoch = party.epoch();
        for command in [Command::VoteSkip { epoch }, Command::UnvoteSkip { epoch }, Command::Skip { epoch }] {
            let refused = party.does(ADA, command.clone()).map_err(|refusal| refusal.reason);
            assert_eq!(refused, Err(reason), "{command:?}");
        }
    };
    check(Trouble::NeedsHost, Reason::NeedsHost);
    check(Trouble::Unavailable, Reason::SpotifyUnavailable);
}

#[test]
fn an_account_that_has_become_premium_is_found_out_by_trying() {
    let mut party = Party::of(0, count(1));
    let pause = |party: &mut Party| party.does(ADA, Command::Pause).map_err(|refusal| refusal.reason);
    pause(&mut party).expect("it is not known yet");
    let order = party.sends().expect("an order");
    let no_premium = Refusal::new(Reason::PremiumRequired, "Premium.");
    party.answers(order, OrderOutcome::Refused(no_premium));
    assert_eq!(pause(&mut party), Err(Reason::PremiumRequired), "at once");
    party.waits(60_000);
    assert_eq!(pause(&mut party), Ok(()));
    party.carries_out();
    party.waits(700);
    party.sees(PlayerSeen { is_playing: false, ..player("a", 60_000) }, true);
    assert_eq!(party.room.playback().state, PlaybackState::Ok);
}
