//! Each check passes a journal of a round that went well, and fails a doctored one.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::{Code, CommandBody, RoomView, SkipState};
use serde_json::{Value, json};

use super::*;
use crate::chaos::journal::{Act, ClientJournal, Entry, Fault, Seen, Served, Told, What};
use crate::chaos::plan::{Round, Scenario, Step, Votes};

const PEOPLE: [&str; 3] = ["host", "ben", "cem"];

/// The room at that version: the epoch, the votes, and how far the ballot is.
fn room(version: u64, epoch: u64, votes: &[&str], state: SkipState) -> Arc<RoomView> {
    let list: Vec<Value> = PEOPLE
        .iter()
        .map(|member| json!({ "member_id": member, "name": member, "role": "guest", "online": true }))
        .collect();
    let value = json!({
        "code": "CODE", "name": "Room", "version": version, "created_at": 1,
        "host": { "member_id": "host", "name": "Host" },
        "settings": { "skip_rule": { "kind": "count", "value": 2 }, "guests_can_pause": false,
            "guests_can_seek": false, "guests_can_set_volume": false, "guests_can_queue": true,
            "queue_order": "fair", "fallback_playlist": null, "max_queued_per_member": 5, "adds_per_hour": null,
            "max_track_min": 10, "no_repeat_min": 120, "allow_explicit": true, "admission": "open",
            "vote_after_s": 0 },
        "playback": { "state": "ok", "epoch": epoch, "is_playing": true, "progress_ms": 0, "as_of": 9,
            "track": { "uri": format!("track:{epoch}"), "name": "Song", "artists": [], "album": null, "image_url": null,
                "duration_ms": 200_000, "explicit": false, "url": null },
            "device": null, "added_by": null },
        "skip": { "epoch": epoch, "ballot": 1, "votes": votes, "needed": 2, "electors": 3, "state": state },
        "queue": [],
        "members": { "online": 3, "total": 3, "list": list, "waiting": [] }
    });
    Arc::new(serde_json::from_value(value).expect("a room"))
}

fn seen(at: At, room: &Arc<RoomView>) -> Entry {
    Entry { at, what: What::Room(Seen { room: Arc::clone(room), snapshot: Some(room.version) }) }
}

/// Ben and Cem vote track 5 away while a gateway dies. All see it.
fn good() -> WaveJournal {
    let before = room(10, 5, &[], SkipState::Open);
    let views = [
        (150, room(11, 5, &["ben"], SkipState::Open)),
        (160, room(12, 5, &["ben", "cem"], SkipState::Claimed)),
        (170, room(13, 5, &["ben", "cem"], SkipState::Sent)),
        (500, room(14, 6, &[], SkipState::Open)),
    ];
    let clients = PEOPLE.map(|member| {
        let mut entries: Vec<Entry> = views.iter().map(|(at, room)| seen(*at, room)).collect();
        if member != "host" {
            let version = if member == "ben" { 11 } else { 12 };
            let vote = What::Sent("id".into(), CommandBody::VoteSkip { epoch: 5 });
            entries.insert(0, Entry { at: 100, what: vote });
            entries.push(Entry { at: 180, what: What::Answered("id".into(), Ok(version)) });
        }
        ClientJournal { member: member.into(), entries }
    });
    let last = &views[3].1;
    let served =
        (0..3).map(|gateway| Served { gateway, at: 600, room: Arc::clone(last), bytes: 1 }).collect();
    let round = RoomJournal {
        code: "CODE".into(),
        user: "host-1".into(),
        round: Round { votes: Votes::Carry(2), step: Step::Sent, hold_ms: 0 },
        before,
        clients: clients.into(),
        acts: vec![act(175, "api", "next", "track:5")],
        nexts: BTreeMap::from([(204, 1)]),
        refreshes: 1,
        generations: vec![3, 4],
        fences: vec![70, 71],
        survived: None,
        served,
        unsettled: None,
        voted_at: 100,
        settled_at: 500,
    };
    let fault = Fault {
        scenario: Scenario::Stop,
        from: 165,
        until: 300,
        gateways: vec![1],
        proof: Some("stopped".into()),
    };
    let conducts = |fence| Told::Conducts { room: "CODE".into(), fence };
    let gateways = vec![
        vec![(-9_000, conducts(71)), (172, Told::Next { user: "host-1".into() })],
        vec![(-20_000, conducts(70))],
        Vec::new(),
    ];
    WaveJournal { fault, rooms: vec![round], gateways }
}

fn act(at: At, by: &str, word: &str, uri: &str) -> Act {
    Act { at, by: by.into(), word: word.into(), uri: uri.into() }
}

/// The invariants that do not hold once `doctor` has had its way.
fn check(doctor: impl FnOnce(&mut WaveJournal), expected: &[&str]) {
    let mut journal = good();
    doctor(&mut journal);
    let mut found: Vec<&str> = wave(&journal).iter().map(|breach| breach.invariant).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, expected, "{:?}", wave(&journal));
}

/// Replaces a version wherever someone saw it.
fn replace(journal: &mut WaveJournal, version: u64, with: &Arc<RoomView>) {
    for client in &mut journal.rooms[0].clients {
        for entry in &mut client.entries {
            if let What::Room(seen) = &mut entry.what
                && seen.room.version == version
            {
                seen.room = Arc::clone(with);
            }
        }
    }
}

fn add(journal: &mut WaveJournal, client: usize, at: At, what: What) {
    let entries = &mut journal.rooms[0].clients[client].entries;
    entries.push(Entry { at, what });
    entries.sort_by_key(|entry| entry.at);
}

#[test]
fn a_round_that_went_well_passes_and_felt_its_fault() {
    check(|_| {}, &[]);
    let journal = good();
    assert!(felt(&journal, &journal.rooms[0]));
    assert_eq!(convergence_ms(&journal, &journal.rooms[0]), Some(0));
    assert_eq!(conductor(&journal, &journal.rooms[0], 165), Some(0));
}

#[test]
fn a_fault_before_or_after_or_without_proof_is_not_felt() {
    let felt_after = |doctor: fn(&mut WaveJournal)| {
        let mut journal = good();
        doctor(&mut journal);
        felt(&journal, &journal.rooms[0])
    };
    assert!(!felt_after(|journal| journal.fault.from = 501));
    assert!(!felt_after(|journal| journal.fault.until = 99));
    assert!(!felt_after(|journal| journal.fault.proof = None));
}

#[test]
fn i1_a_skip_without_quorum() {
    let without_cem = |journal: &mut WaveJournal| {
        journal.rooms[0].clients[2]
            .entries
            .retain(|entry| !matches!(entry.what, What::Sent(..) | What::Answered(..)));
        for (version, state) in [(12, SkipState::Open), (13, SkipState::Open)] {
            replace(journal, version, &room(version, 5, &["ben"], state));
        }
    };
    check(without_cem, &["I1"]);
    let claimed_by_one = |journal: &mut WaveJournal| {
        replace(journal, 11, &room(11, 5, &["ben"], SkipState::Claimed));
    };
    check(claimed_by_one, &["I1"]);
    // Ben's vote was taken back, and that was acknowledged, before Cem voted.
    let withdrawn = |journal: &mut WaveJournal| {
        for version in [12, 13] {
            replace(journal, version, &room(version, 5, &["cem"], SkipState::Open));
        }
        add(journal, 1, 101, What::Sent("back".into(), CommandBody::UnvoteSkip { epoch: 5 }));
        add(journal, 1, 155, What::Answered("back".into(), Ok(12)));
        for entry in &mut journal.rooms[0].clients[2].entries {
            if matches!(entry.what, What::Sent(..)) {
                entry.at = 156;
            }
        }
    };
    check(withdrawn, &["I1"]);
}

#[test]
fn i2_a_second_request() {
    check(|journal| journal.gateways[2].push((174, Told::Next { user: "host-1".into() })), &["I2"]);
    check(|journal| journal.rooms[0].nexts.extend([(0, 1)]), &["I2"]);
    // A definite refusal is not an asking.
    check(|journal| journal.rooms[0].nexts.extend([(401, 1)]), &[]);
    // Somebody else's is not ours.
    check(|journal| journal.gateways[2].push((174, Told::Next { user: "host-2".into() })), &[]);
    check(
        |journal| {
            journal.rooms[0].acts.push(act(176, "api", "next", "track:5"));
            for served in &mut journal.rooms[0].served {
                served.room = room(14, 7, &[], SkipState::Open);
            }
            replace(journal, 14, &room(14, 7, &[], SkipState::Open));
        },
        &["I2"],
    );
}

#[test]
fn i3_the_wrong_track() {
    check(|journal| journal.rooms[0].acts[0].uri = "track:6".into(), &["I3"]);
    let ended = |before: At| {
        move |journal: &mut WaveJournal| {
            journal.rooms[0].acts[0].uri = "track:6".into();
            journal.rooms[0].acts.insert(0, act(175 - before, "end", "next", "track:5"));
        }
    };
    check(ended(2_000), &[]);
    check(ended(4_000), &["I3"]);
}

#[test]
fn p1_told_otherwise_than_done() {
    check(|journal| journal.rooms[0].acts.clear(), &["P1"]);
    check(|journal| journal.rooms[0].unsettled = Some("not settled".into()), &["P1"]);
}

#[test]
fn i4_a_vote_that_counts_twice_or_was_not_given() {
    let twice = |journal: &mut WaveJournal| {
        replace(journal, 11, &room(11, 5, &["ben", "ben"], SkipState::Open));
    };
    check(twice, &["I4"]);
    let strange = |journal: &mut WaveJournal| {
        replace(journal, 12, &room(12, 5, &["ben", "cem", "host"], SkipState::Claimed));
    };
    check(strange, &["I4"]);
    let taken_back = |journal: &mut WaveJournal| {
        add(journal, 1, 101, What::Sent("back".into(), CommandBody::UnvoteSkip { epoch: 5 }));
        add(journal, 1, 181, What::Answered("back".into(), Ok(12)));
    };
    check(taken_back, &["I4"]);
}

#[test]
fn i5_an_acknowledged_vote_that_is_gone() {
    let lost = |journal: &mut WaveJournal| {
        replace(journal, 13, &room(13, 5, &["cem", "host"], SkipState::Open));
        add(journal, 0, 100, What::Sent("id".into(), CommandBody::VoteSkip { epoch: 5 }));
    };
    check(lost, &["I5"]);
    let told = move |journal: &mut WaveJournal| {
        lost(journal);
        add(journal, 0, 165, What::Heard(protocol::Notice::VotesVoided { epoch: 5 }));
    };
    check(told, &[]);
    let rewound = |journal: &mut WaveJournal| {
        add(journal, 0, 100, What::Sent("id".into(), CommandBody::VoteSkip { epoch: 5 }));
        add(journal, 0, 181, What::Answered("id".into(), Ok(15)));
    };
    check(rewound, &["I20", "I5"]);
}

#[test]
fn i6_a_version_that_goes_back() {
    check(
        |journal| add(journal, 0, 600, seen(600, &room(12, 5, &["ben", "cem"], SkipState::Claimed)).what),
        &["I6"],
    );
    let served = |at: At| {
        move |journal: &mut WaveJournal| {
            for served in &mut journal.rooms[0].served {
                (served.at, served.room) = (at, room(13, 5, &["ben", "cem"], SkipState::Sent));
            }
        }
    };
    check(served(501), &["I6"]);
    check(served(499), &[]);
    check(|journal| add(journal, 0, 600, What::Broke("version 3 came after 4".into())), &["I6"]);
}

#[test]
fn i7_one_version_that_is_two() {
    let other = |journal: &mut WaveJournal| {
        journal.rooms[0].clients[2].entries[1] = seen(150, &room(11, 5, &[], SkipState::Open));
    };
    check(other, &["I5", "I7"]);
    let bytes = |journal: &mut WaveJournal| {
        if let What::Room(seen) = &mut journal.rooms[0].clients[0].entries[0].what {
            seen.snapshot = Some(99);
        }
    };
    check(bytes, &["I7"]);
    check(|journal| journal.rooms[0].served[1].bytes = 2, &["I7"]);
    // Two histories after a failover that lost version 11: another version 11 is another history's.
    let lost = move |journal: &mut WaveJournal| {
        other(journal);
        journal.rooms[0].survived = Some(10);
        add(journal, 0, 165, What::Heard(protocol::Notice::VotesVoided { epoch: 5 }));
    };
    check(lost, &[]);
}

#[test]
fn i8_a_fold_that_is_not_what_is_served() {
    let other = |journal: &mut WaveJournal| {
        for served in &mut journal.rooms[0].served {
            served.room = room(14, 6, &["host"], SkipState::Open);
        }
    };
    check(other, &["I7", "I8"]);
}

#[test]
fn i9_an_acknowledgement_that_goes_back() {
    let back = |journal: &mut WaveJournal| {
        add(journal, 0, 190, What::Sent("late".into(), CommandBody::VoteSkip { epoch: 5 }));
        add(journal, 0, 200, What::Answered("late".into(), Ok(10)));
        for version in [10, 11, 12, 13] {
            let votes: &[&str] = if version == 11 { &["ben", "host"] } else { &["ben", "cem", "host"] };
            let state = if version < 12 { SkipState::Open } else { SkipState::Sent };
            replace(journal, version, &room(version, 5, votes, state));
        }
        journal.rooms[0].before = room(9, 5, &[], SkipState::Open);
    };
    // The host's vote is in versions that were seen before it was sent, by less than the journals' slack.
    check(back, &["I9"]);
}

#[test]
fn i10_an_old_fence() {
    check(|journal| journal.rooms[0].fences.push(69), &["I10"]);
    let conducts = |fence| Told::Conducts { room: "CODE".into(), fence };
    check(|journal| journal.gateways[2].push((-500, conducts(71))), &["I10"]);
    // Another one conducts when the request goes out.
    check(|journal| journal.gateways[2].push((-500, conducts(72))), &["I10"]);
    check(|journal| journal.gateways[2].push((2_000, conducts(72))), &[]);
    check(|journal| journal.gateways[2].push((2_000, conducts(60))), &["I10"]);
}

#[test]
fn i11_and_i12_tokens() {
    check(|journal| journal.rooms[0].refreshes = 2, &["I11"]);
    check(|journal| journal.rooms[0].generations = vec![4, 3], &["I11", "I12"]);
}

#[test]
fn i13_a_question_before_the_wait_is_over() {
    let asks = |at: At| {
        move |journal: &mut WaveJournal| {
            journal.gateways[1].push((1_000, Told::Limited { ms: 3_000 }));
            journal.gateways[2].push((at, Told::Asked { user: "host-9".into() }));
        }
    };
    check(asks(2_000), &["I13"]);
    check(asks(900), &[]);
    check(asks(1_100), &[]);
    check(asks(4_001), &[]);
}

#[test]
fn i14_a_token_in_the_log() {
    check(|journal| journal.gateways[0].push((1, Told::Leaked { user: "host-1".into() })), &["I14"]);
}

#[test]
fn i15_another_rooms_news() {
    let other = |journal: &mut WaveJournal| {
        let mut foreign = RoomView::clone(&room(13, 5, &["ben", "cem"], SkipState::Sent));
        foreign.code = "OTHER".into();
        replace(journal, 13, &Arc::new(foreign));
    };
    check(other, &["I15"]);
    let stranger = |journal: &mut WaveJournal| {
        let mut without = RoomView::clone(&room(11, 5, &["ben"], SkipState::Open));
        without.members.list.retain(|member| member.member_id != "host");
        replace(journal, 11, &Arc::new(without));
    };
    check(stranger, &["I15"]);
}

#[test]
fn i18_somebody_who_is_there_and_not_present() {
    let away = |journal: &mut WaveJournal| {
        let mut without = RoomView::clone(&room(14, 6, &[], SkipState::Open));
        without.members.online = 2;
        let without = Arc::new(without);
        for served in &mut journal.rooms[0].served {
            served.room = Arc::clone(&without);
        }
        replace(journal, 14, &without);
    };
    check(away, &["I18"]);
}

#[test]
fn i19_answers_that_nobody_documented() {
    check(|journal| add(journal, 0, 200, What::Answered("x".into(), Err(Code::NotAllowed))), &["I19"]);
    check(|journal| add(journal, 0, 200, What::Answered("x".into(), Err(Code::StaleEpoch))), &[]);
    check(|journal| add(journal, 0, 200, What::Refused(1, 500)), &["I19"]);
    check(|journal| add(journal, 0, 200, What::Refused(1, 503)), &[]);
    check(|journal| journal.gateways[0].push((1, Told::Panicked("at".into()))), &["I19"]);
    let failed = |status| {
        move |journal: &mut WaveJournal| {
            journal.gateways[0].push((1, Told::Failed { path: "/".into(), status }));
        }
    };
    check(failed(500), &["I19"]);
    check(failed(503), &[]);
}

#[test]
fn i20_somebody_who_stays_behind() {
    let behind = |journal: &mut WaveJournal| {
        journal.rooms[0].clients[0].entries.retain(|entry| entry.at < 500);
    };
    check(behind, &["I20"]);
    let late = |journal: &mut WaveJournal| {
        behind(journal);
        add(journal, 0, 30_000, seen(0, &room(14, 6, &[], SkipState::Open)).what);
    };
    check(late, &["I20"]);
    check(|journal| journal.rooms[0].served[2].room = room(15, 6, &[], SkipState::Open), &["I20"]);
}
