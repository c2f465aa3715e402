//! Who may do what, and that a command acts once.

use rooms::{Command, CommandId, Reason, Role, SettingsPatch};

use crate::check::{ADA, Party, count, id};

/// `h`, `m`, `g`: the host, a moderator, a guest may. With every switch for guests off, and with all of them on.
const MATRIX: [(&str, &str, &str); 21] = [
    ("vote_skip", "hmg", "hmg"),
    ("unvote_skip", "hmg", "hmg"),
    ("react", "hmg", "hmg"),
    ("rename", "hmg", "hmg"),
    ("leave", "hmg", "hmg"),
    ("play", "h", "hmg"),
    ("pause", "h", "hmg"),
    ("seek", "hm", "hmg"),
    ("set_volume", "hm", "hmg"),
    ("skip", "hm", "hm"),
    ("previous", "hm", "hm"),
    ("transfer", "h", "h"),
    ("play_now", "h", "h"),
    ("resume_room", "h", "h"),
    ("set_role", "h", "h"),
    ("change", "h", "h"),
    ("close", "h", "h"),
    ("admit_member", "hm", "hm"),
    ("remove_member", "hm", "hm"),
    ("ban_member", "hm", "hm"),
    ("unban_member", "hm", "hm"),
];

fn command(word: &str, epoch: u64) -> Command {
    let member = id("zoe");
    match word {
        "vote_skip" => Command::VoteSkip { epoch },
        "unvote_skip" => Command::UnvoteSkip { epoch },
        "react" => Command::React { emoji: "🎉".to_owned() },
        "rename" => Command::Rename { name: "Someone".to_owned() },
        "leave" => Command::Leave,
        "play" => Command::Play,
        "pause" => Command::Pause,
        "seek" => Command::Seek { position_ms: 1 },
        "set_volume" => Command::SetVolume { percent: 1 },
        "skip" => Command::Skip { epoch },
        "previous" => Command::Previous,
        "transfer" => Command::Transfer { device_id: "kitchen".to_owned() },
        "play_now" => Command::PlayNow { uri: "spotify:track:0000000000000000000000".to_owned() },
        "resume_room" => Command::ResumeRoom,
        "set_role" => Command::SetRole { member, role: Role::Moderator },
        "change" => Command::Change { name: Some("Ours".to_owned()), settings: None },
        "close" => Command::Close,
        "admit_member" => Command::Admit { member },
        "remove_member" => Command::Remove { member },
        "ban_member" => Command::Ban { member },
        "unban_member" => Command::Unban { member: id("yan") },
        other => unreachable!("{other}"),
    }
}

#[test]
fn every_command_for_every_role() {
    for (word, off, on) in MATRIX {
        for (switches, may) in [(false, off), (true, on)] {
            for (who, role) in [(ADA, 'h'), ("mia", 'm'), ("gus", 'g')] {
                let mut party = Party::of(0, count(3));
                for guest in ["mia", "gus", "yan", "zoe"] {
                    party.comes(guest);
                }
                party.role("mia", Role::Moderator);
                party.does(ADA, Command::Ban { member: id("yan") }).expect("banned");
                party.changes(SettingsPatch {
                    guests_can_pause: Some(switches),
                    guests_can_seek: Some(switches),
                    guests_can_set_volume: Some(switches),
                    ..SettingsPatch::default()
                });
                let answer = party.does(who, command(word, 1)).map_err(|refusal| refusal.reason);
                let expected = if may.contains(role) { Ok(()) } else { Err(Reason::NotAllowed) };
                assert_eq!(answer, expected, "{word} by {who}, switches {switches}");
            }
        }
    }
}

#[test]
fn the_host_and_the_moderators_are_not_to_be_sent_out_by_their_like() {
    let check = |by: &str, whom: &str, expected: Result<(), Reason>| {
        for ban in [false, true] {
            let mut party = Party::of(0, count(3));
            for guest in ["mia", "max", "gus"] {
                party.comes(guest);
            }
            party.role("mia", Role::Moderator);
            party.role("max", Role::Moderator);
            let member = id(whom);
            let command = if ban { Command::Ban { member } } else { Command::Remove { member } };
            let answer = party.does(by, command).map_err(|refusal| refusal.reason);
            assert_eq!(answer, expected, "{whom} by {by}");
        }
    };
    check(ADA, ADA, Err(Reason::NotAllowed));
    check("mia", ADA, Err(Reason::NotAllowed));
    check("mia", "max", Err(Reason::NotAllowed));
    check("mia", "mia", Err(Reason::NotAllowed));
    check("gus", "gus", Err(Reason::NotAllowed));
    check(ADA, "mia", Ok(()));
    check("mia", "gus", Ok(()));
}

#[test]
fn the_host_is_made_by_nobody() {
    let mut party = Party::of(1, count(1));
    let role = |member: &str, role: Role| Command::SetRole { member: id(member), role };
    let answer = party.does(ADA, role("guest-1", Role::Host)).map_err(|refusal| refusal.reason);
    assert_eq!(answer, Err(Reason::BadCommand));
    let answer = party.does(ADA, role(ADA, Role::Guest)).map_err(|refusal| refusal.reason);
    assert_eq!(answer, Err(Reason::NotAllowed));
}

#[test]
fn the_same_id_gives_the_same_answer_and_acts_once() {
    let mut party = Party::of(2, count(3));
    let pause = || Command::Pause;
    let first = party.asks(ADA, "p1", pause()).expect("it plays");
    assert_eq!(first, party.room.version());
    party.votes("guest-1");
    let version = party.room.version();
    assert_eq!(party.asks(ADA, "p1", pause()), Ok(first));
    assert_eq!((party.orders(), party.room.version()), (1, version));
    // Not another member's, and not another id's.
    assert_eq!(party.asks("guest-1", "p1", pause()), Err(Reason::NotAllowed));
    party.asks(ADA, "p2", pause()).expect("another");
    assert_eq!(party.orders(), 2);
    party.restarts();
    assert_eq!(party.asks(ADA, "p1", pause()), Ok(first), "over a restart");
    assert_eq!(party.orders(), 2);
    party.sleeps(600_000 - 1);
    assert_eq!(party.asks(ADA, "p1", pause()), Ok(first));
    party.sleeps(1);
    assert_ne!(party.asks(ADA, "p1", pause()), Ok(first), "ten minutes later it is a new one");
    assert_eq!(party.orders(), 3);
}

#[test]
fn a_refusal_is_repeated_too() {
    let mut party = Party::of(2, count(3));
    assert_eq!(party.asks("guest-1", "early", Command::VoteSkip { epoch: 2 }), Err(Reason::StaleEpoch));
    assert!(party.last.is_none(), "a refusal is no reason to write");
    party.hears("b", 0);
    assert_eq!(party.asks("guest-1", "early", Command::VoteSkip { epoch: 2 }), Err(Reason::StaleEpoch));
    party.restarts();
    let again = party.asks("guest-1", "early", Command::VoteSkip { epoch: 2 });
    assert_eq!(again, Err(Reason::StaleEpoch), "it was written along with the song");
    assert_eq!(party.tally().0, 0);
}

#[test]
fn old_answers_are_not_kept() {
    let mut party = Party::of(1, count(3));
    party.asks(ADA, "p1", Command::Pause).expect("it plays");
    let answers = |party: &Party| party.stored.keys().filter(|key| key.starts_with("answer/")).count();
    assert_eq!(answers(&party), 1);
    party.sleeps(600_000);
    // A refusal looks after it, and the next change writes that.
    party.asks("guest-1", "v1", Command::VoteSkip { epoch: 9 }).expect_err("another song");
    party.waits(600_000);
    party.asks(ADA, "p2", Command::Pause).expect("it plays");
    assert_eq!(answers(&party), 1, "{:?}", party.stored.keys());
}

#[test]
fn an_id_has_one_to_sixty_four_characters() {
    let check = |text: &str, fits: bool| assert_eq!(CommandId::parse(text).is_some(), fits, "{text:?}");
    check("", false);
    check("1", true);
    check(&"é".repeat(64), true);
    check(&"é".repeat(65), false);
}
