//! Coming in, being here, going out.

use std::collections::BTreeSet;

use rooms::{Admission, Command, Departure, JoinOutcome, Reason, Room, Section, SettingsPatch, Standing};

use crate::check::{ADA, Party, count, id, node};

fn admission(mode: Admission) -> SettingsPatch {
    SettingsPatch { admission: Some(mode), ..SettingsPatch::default() }
}

#[test]
fn who_comes_in() {
    let check = |name: &str, mode: Admission, prepare: fn(&mut Party), expected: JoinOutcome| {
        let mut party = Party::of(0, count(1));
        prepare(&mut party);
        party.changes(admission(mode));
        assert_eq!(party.joins("zoe"), expected, "{name}");
    };
    let comes: fn(&mut Party) = |party| party.comes("zoe");
    let waits: fn(&mut Party) = |party| {
        party.changes(admission(Admission::Approve));
        party.joins("zoe");
    };
    let banned: fn(&mut Party) = |party| {
        party.comes("zoe");
        party.does(ADA, Command::Ban { member: id("zoe") }).expect("banned");
    };
    let removed: fn(&mut Party) = |party| {
        party.comes("zoe");
        party.does(ADA, Command::Remove { member: id("zoe") }).expect("removed");
    };
    check("anyone", Admission::Open, |_| (), JoinOutcome::Joined);
    check("anyone", Admission::Guarded, |_| (), JoinOutcome::Joined);
    check("nobody yet", Admission::Approve, |_| (), JoinOutcome::Waiting);
    check("nobody new", Admission::Locked, |_| (), JoinOutcome::NoSuchRoom);
    check("who is in stays in", Admission::Locked, comes, JoinOutcome::Member);
    check("who waits still waits", Admission::Approve, waits, JoinOutcome::Waiting);
    check("who waits is not in", Admission::Locked, waits, JoinOutcome::NoSuchRoom);
    check("a ban looks like an unknown code", Admission::Open, banned, JoinOutcome::NoSuchRoom);
    check("who was removed may come back", Admission::Open, removed, JoinOutcome::Joined);
}

#[test]
fn a_full_room_looks_like_an_unknown_code() {
    let mut party = Party::of(1, count(1));
    assert_eq!(party.room.join(party.now, &id("zoe"), "zoe", 2), JoinOutcome::NoSuchRoom);
    assert_eq!(party.room.join(party.now, &id("guest-1"), "zoe", 2), JoinOutcome::Member);
    assert_eq!(party.room.join(party.now, &id("zoe"), "zoe", 3), JoinOutcome::Joined);
}

#[test]
fn a_guarded_room_lets_twenty_a_minute_in() {
    let mut party = Party::with(|_| ());
    for guest in 0..20 {
        assert_eq!(party.joins(&format!("guest-{guest}")), JoinOutcome::Joined);
        party.sleeps(1_000);
    }
    assert_eq!(party.joins("late"), JoinOutcome::Waiting);
    party.sleeps(40_000);
    assert_eq!(party.joins("later"), JoinOutcome::Joined, "a minute after the first");
    assert_eq!(party.joins("latest"), JoinOutcome::Waiting);
    assert_eq!(party.joins("late"), JoinOutcome::Waiting, "to be admitted by someone");
    party.does(ADA, Command::Admit { member: id("late") }).expect("admitted");
    assert_eq!(party.joins("late"), JoinOutcome::Member);
}

#[test]
fn nobody_waits_at_an_open_door() {
    let mut party = Party::of(0, count(1));
    party.changes(admission(Admission::Approve));
    assert_eq!(party.joins("zoe"), JoinOutcome::Waiting);
    party.changes(admission(Admission::Guarded));
    assert_eq!(party.joins("zoe"), JoinOutcome::Waiting, "somebody has to look at who came");
    party.changes(admission(Admission::Open));
    assert_eq!(party.told().last().map(String::as_str), Some("\"joined\""));
    assert_eq!(party.joins("zoe"), JoinOutcome::Member);
}

#[test]
fn who_waits_may_do_nothing_but_leave() {
    let mut party = Party::of(0, count(1));
    party.changes(admission(Admission::Approve));
    party.joins("zoe");
    assert_eq!((party.room.total(), party.room.of_standing(Standing::Waiting).count()), (1, 1));
    let epoch = party.epoch();
    for command in [Command::VoteSkip { epoch }, Command::Play, Command::Rename { name: "Z".to_owned() }] {
        let refused = party.does("zoe", command).map_err(|refusal| refusal.reason);
        assert_eq!(refused, Err(Reason::NotAdmitted));
    }
    party.does("zoe", Command::Leave).expect("leaves");
    assert_eq!(party.room.of_standing(Standing::Waiting).count(), 0);
}

#[test]
fn a_ban_ends_the_vote_and_can_be_taken_back() {
    let mut party = Party::of(3, count(2));
    party.votes("guest-1");
    party.does(ADA, Command::Ban { member: id("guest-1") }).expect("banned");
    assert_eq!(party.tally(), (0, 2, 3));
    let gone = party.last.as_ref().expect("a version").departures.clone();
    assert_eq!(gone, [(id("guest-1"), Departure::Removed)]);
    let refused = party.does("guest-1", Command::Leave).map_err(|refusal| refusal.reason);
    assert_eq!(refused, Err(Reason::NotAllowed));
    party.does(ADA, Command::Unban { member: id("guest-1") }).expect("unbanned");
    party.comes("guest-1");
    assert_eq!(party.tally(), (0, 2, 4));
}

#[test]
fn nobody_is_acted_on_who_is_not_there() {
    let mut party = Party::of(1, count(1));
    let mut check = |command: Command| {
        let refused = party.does(ADA, command.clone()).map_err(|refusal| refusal.reason);
        assert_eq!(refused, Err(Reason::UnknownMember), "{command:?}");
    };
    check(Command::Admit { member: id("zoe") });
    check(Command::Remove { member: id("zoe") });
    check(Command::Ban { member: id("zoe") });
    check(Command::Unban { member: id("zoe") });
    check(Command::Unban { member: id("guest-1") });
    check(Command::SetRole { member: id("zoe"), role: rooms::Role::Moderator });
}

#[test]
fn presence_lasts_a_minute_longer_than_the_connection() {
    let mut party = Party::of(1, count(1));
    let guest = id("guest-1");
    party.disconnects("guest-1");
    party.waits(59_999);
    assert!(party.room.is_online(&guest));
    assert_eq!(party.room.deadline().map(|(_, why)| why), Some("a member goes offline"));
    let version = party.room.version();
    party.waits(1);
    assert!(!party.room.is_online(&guest));
    assert_eq!(party.room.version(), version + 1);
    let proposal = party.last.as_ref().expect("a version");
    assert!(proposal.soft.contains(Section::Members) && !proposal.sections.contains(Section::Members));
}

#[test]
fn joining_counts_as_being_here_for_a_minute() {
    let mut party = Party::new();
    party.joins("zoe");
    party.waits(59_999);
    assert_eq!(party.room.online(), 2);
    party.waits(1);
    assert_eq!((party.room.online(), party.room.total()), (1, 2));
}

#[test]
fn who_is_connected_twice_is_here_until_both_are_gone() {
    let mut party = Party::of(1, count(1));
    let guest = id("guest-1");
    party.room.arrived(party.now, &guest, &node("two"));
    party.disconnects("guest-1");
    party.waits(120_000);
    assert!(party.room.is_online(&guest));
    party.room.departed(party.now, &guest, &node("two"));
    party.waits(60_000);
    assert!(!party.room.is_online(&guest));
}

#[test]
fn leaving_ends_presence_at_once() {
    let mut party = Party::of(1, count(1));
    party.does("guest-1", Command::Leave).expect("leaves");
    assert_eq!((party.room.online(), party.room.total()), (1, 1));
    let gone = party.last.as_ref().expect("a version").departures.clone();
    assert_eq!(gone, [(id("guest-1"), Departure::Left)]);
}

#[test]
fn the_host_who_leaves_is_away_and_stays_the_host() {
    let mut party = Party::of(1, count(1));
    party.does(ADA, Command::Leave).expect("leaves");
    assert_eq!((party.room.online(), party.room.total()), (1, 2));
    assert_eq!(*party.room.host(), id(ADA));
    // Leaving again while away must not throw her out when she is back.
    party.does(ADA, Command::Leave).expect("leaves again");
    party.connects(ADA);
    assert!(party.last.as_ref().expect("a version").departures.is_empty());
    assert_eq!(party.room.online(), 2);
}

#[test]
fn who_was_connected_to_a_dead_process_has_a_minute() {
    let mut party = Party::of(2, count(1));
    party.room.departed(party.now, &id("guest-2"), &node("one"));
    party.room.arrived(party.now, &id("guest-2"), &node("two"));
    party.commit();
    let alive = BTreeSet::from([node("two")]);
    assert!(party.room.nodes_alive(party.now, &alive));
    assert!(!party.room.nodes_alive(party.now, &alive), "once");
    party.waits(59_999);
    assert_eq!(party.room.online(), 3);
    party.waits(1);
    assert!(party.room.is_online(&id("guest-2")));
    assert_eq!(party.room.online(), 1);
}

#[test]
fn a_restart_gives_everyone_a_minute_and_is_a_version() {
    let mut party = Party::of(2, count(1));
    party.sleeps(3_600_000);
    let version = party.room.version();
    party.restarts();
    assert_eq!((party.room.version(), party.room.online()), (version + 1, 3));
    party.waits(59_999);
    assert_eq!(party.room.online(), 3);
    party.waits(1);
    assert_eq!(party.room.online(), 0);
}

#[test]
fn a_minute_that_ends_while_the_room_is_only_stored_is_noticed() {
    let mut party = Party::of(2, count(1));
    party.disconnects("guest-1");
    let stored = party.stored.clone();
    party.sleeps(60_000);
    let mut room = Room::restore(party.room.version(), &stored, party.now).expect("sound records");
    assert!(room.deadline().is_some_and(|(at, _)| at <= party.now), "something is due");
    room.settle(party.now);
    assert_eq!(room.online(), 2);
    let proposal = room.take().expect("everyone must be told");
    assert!(proposal.soft.contains(Section::Members));
}

#[test]
fn the_list_begins_with_the_staff_and_those_here() {
    let mut party = Party::new();
    for guest in 0..250 {
        party.room.join(party.now, &id(&format!("guest-{guest:03}")), "guest", 10_000);
    }
    party.commit();
    for guest in [7, 249] {
        party.connects(&format!("guest-{guest:03}"));
    }
    party.role("guest-200", rooms::Role::Moderator);
    party.waits(60_000);
    let listed: Vec<&str> = party.room.listed().iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(listed.len(), 202);
    assert_eq!(listed[..5], [ADA, "guest-200", "guest-007", "guest-249", "guest-000"]);
}

#[test]
fn a_name_can_be_changed_and_the_hosts_is_the_rooms() {
    let mut party = Party::of(1, count(1));
    party.does("guest-1", Command::Rename { name: "Zoë".to_owned() }).expect("renamed");
    let proposal = party.last.take().expect("a version");
    assert!(proposal.sections.contains(Section::Members) && !proposal.sections.contains(Section::Host));
    party.does(ADA, Command::Rename { name: "Ada L.".to_owned() }).expect("renamed");
    assert!(party.last.as_ref().expect("a version").sections.contains(Section::Host));
    let names: Vec<&str> = party.room.members().map(|(_, member)| member.name.as_str()).collect();
    assert_eq!(names, ["Ada L.", "Zoë"]);
}

#[test]
fn only_coming_and_going_is_soft() {
    let mut party = Party::of(2, count(1));
    let mut check = |name: &str, act: &dyn Fn(&mut Party), soft: &[Section]| {
        act(&mut party);
        let proposal = party.last.take().expect("a version");
        for section in Section::ALL {
            let only_soft = proposal.soft.contains(section) && !proposal.sections.contains(section);
            assert_eq!(only_soft, soft.contains(&section), "{name}: {section:?}");
        }
    };
    let both = [Section::Skip, Section::Members];
    check("a vote", &|party| party.votes("guest-1"), &[]);
    check(
        "a join",
        &|party| {
            party.joins("zoe");
        },
        &both,
    );
    check("a goodbye", &|party| party.waits(60_000), &both);
    check(
        "a setting",
        &|party| party.changes(SettingsPatch { vote_after_s: Some(3_600), ..SettingsPatch::default() }),
        &[],
    );
    check(
        "a song",
        &|party| {
            party.hears("b", 0);
        },
        &[],
    );
    check("a role", &|party| party.role("guest-1", rooms::Role::Moderator), &[]);
}

#[test]
fn a_forgotten_person_leaves_no_trace() {
    let mut party = Party::of(2, count(1));
    let epoch = party.epoch();
    party.asks("guest-1", "vote-1", Command::VoteSkip { epoch }).expect("a vote");
    assert!(party.stored.keys().any(|key| key.contains("guest-1")));
    party.room.forget(party.now, &id("guest-1"));
    party.commit();
    let gone = &party.last.as_ref().expect("a version").departures;
    assert_eq!(*gone, [(id("guest-1"), Departure::Forgotten)]);
    assert!(!party.stored.keys().any(|key| key.contains("guest-1")), "{:?}", party.stored.keys());
    assert!(!party.stored.values().any(|value| String::from_utf8_lossy(value).contains("guest-1")));
}

#[test]
fn a_forgotten_host_leaves_only_that_there_was_a_room() {
    let mut party = Party::of(1, count(1));
    party.asks(ADA, "rename-1", Command::Rename { name: "Ada Lovelace".to_owned() }).expect("a name");
    party.room.forget(party.now, &id(ADA));
    party.commit();
    assert_eq!(party.room.name(), "Friday at ours", "not while it is open");
    party.does(ADA, Command::Close).expect("closed");
    party.room.forget(party.now, &id(ADA));
    party.commit();
    for (key, value) in &party.stored {
        let value = String::from_utf8_lossy(value);
        for trace in ["Lovelace", "Friday", "ada-at-spotify", "spotify:track", "rename-1"] {
            assert!(!value.contains(trace) && !key.contains(trace), "{key}: {value}");
        }
    }
    party.restarts();
    assert_eq!(party.joins("guest-1"), JoinOutcome::Closed);
    assert!(!party.room.is_past(party.now.plus_ms(24 * 3_600_000 - 1)));
    assert!(party.room.is_past(party.now.plus_ms(24 * 3_600_000)));
}

#[test]
fn a_closed_room_is_gone_but_for_its_members() {
    let mut party = Party::of(1, count(1));
    party.does(ADA, Command::Close).expect("closed");
    let proposal = party.last.take().expect("a version");
    assert!(proposal.closed);
    assert_eq!(proposal.expires_at, Some(party.now.plus_ms(24 * 3_600_000)));
    assert_eq!(party.joins("guest-1"), JoinOutcome::Closed);
    assert_eq!(party.joins("zoe"), JoinOutcome::NoSuchRoom);
}
