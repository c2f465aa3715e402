use serde_json::json;

use super::*;

fn frame(value: &Value) -> ServerFrame {
    read_frame(&value.to_string()).expect("readable").expect("known")
}

fn hello() -> Value {
    json!({"type": "hello", "protocol": 1, "you": {"member_id": "m", "name": "Ada", "role": "guest"},
           "server_time": 5, "heartbeat_ms": 15_000})
}

fn snapshot(version: u64) -> Value {
    json!({"type": "snapshot", "version": version, "room": {
        "code": "7KQ2MD", "name": "first", "version": version, "created_at": 1,
        "host": {"member_id": "h", "name": "Host"},
        "settings": {"skip_rule": {"kind": "count", "value": 2}, "guests_can_pause": false,
            "guests_can_seek": false, "guests_can_set_volume": false, "guests_can_queue": true,
            "queue_order": "fair", "fallback_playlist": null, "max_queued_per_member": 5, "adds_per_hour": null,
            "max_track_min": 10, "no_repeat_min": 120, "allow_explicit": true, "admission": "open",
            "vote_after_s": 0},
        "playback": {"state": "ok", "epoch": 3, "is_playing": true, "progress_ms": 0, "as_of": 9, "track": null,
            "device": null, "added_by": null},
        "skip": {"epoch": 3, "ballot": 1, "votes": [], "needed": 2, "electors": 4, "state": "open"},
        "queue": [],
        "members": {"online": 1, "total": 1, "list": [], "waiting": []}}})
}

/// A mirror that is greeted and holds version 10.
fn at_ten() -> Mirror {
    let mut mirror = Mirror::default();
    assert_eq!(mirror.apply(frame(&hello())), Ok(Change::Greeted));
    assert_eq!(mirror.apply(frame(&snapshot(10))), Ok(Change::Room(10)));
    mirror
}

/// What `value` does to a mirror that holds version 10.
fn check(value: &Value, expected: &Result<Change, Violation>) {
    assert_eq!(at_ten().apply(frame(value)), *expected, "{value}");
}

#[test]
fn versions_only_grow() {
    let older = |got| Err(Violation::Older { held: 10, got });
    check(&snapshot(11), &Ok(Change::Room(11)));
    check(&snapshot(10), &Ok(Change::Room(10)));
    check(&snapshot(9), &older(9));
    check(&json!({"type": "update", "version": 12, "name": "x"}), &Ok(Change::Room(12)));
    check(&json!({"type": "update", "version": 9, "name": "x"}), &older(9));
    check(&json!({"type": "update", "version": 10, "name": "first"}), &Ok(Change::Room(10)));
    check(&json!({"type": "update", "version": 10, "name": "x"}), &Err(Violation::Differs(10)));

    let mut two = snapshot(11);
    two["room"]["version"] = json!(12);
    check(&two, &Err(Violation::TwoVersions { outside: 11, inside: 12 }));
}

#[test]
fn a_violation_changes_nothing() {
    let mut mirror = at_ten();
    mirror.apply(frame(&json!({"type": "update", "version": 9, "name": "x"}))).expect_err("older");
    let room = mirror.room().expect("a room");
    assert_eq!((room.version, room.name.as_str()), (10, "first"));
}

/// Which of name, skip and queue `update` leaves as they were.
fn check_sections(update: &Value, expected: (bool, bool, bool)) {
    let mut mirror = at_ten();
    let before = mirror.room().expect("a room").clone();
    mirror.apply(frame(update)).expect("applies");
    let after = mirror.room().expect("a room");
    assert_eq!(after.version, 11);
    let kept = (after.name == before.name, after.skip == before.skip, after.settings == before.settings);
    assert_eq!(kept, expected, "{update}");
}

#[test]
fn an_absent_section_stays_and_a_null_one_goes() {
    check_sections(&json!({"type": "update", "version": 11}), (true, true, true));
    check_sections(&json!({"type": "update", "version": 11, "name": "second"}), (false, true, true));
    check_sections(&json!({"type": "update", "version": 11, "skip": null}), (true, false, true));

    let mut mirror = at_ten();
    mirror.apply(frame(&json!({"type": "update", "version": 11, "skip": null}))).expect("applies");
    assert_eq!(mirror.room().expect("a room").skip, None);
}

#[test]
fn a_connection_begins_with_hello_and_a_room_with_a_snapshot() {
    let mut mirror = Mirror::default();
    assert_eq!(mirror.apply(frame(&snapshot(1))), Err(Violation::NotGreeted));
    mirror.apply(frame(&hello())).expect("greets");
    let update = frame(&json!({"type": "update", "version": 1, "name": "x"}));
    assert_eq!(mirror.apply(update.clone()), Err(Violation::NoSnapshot));

    // With `?since=` the next connection may go on without a snapshot, but not without a greeting.
    let mut resumed = at_ten();
    resumed.reconnected();
    let update = frame(&json!({"type": "update", "version": 11, "name": "x"}));
    assert_eq!(resumed.apply(update.clone()), Err(Violation::NotGreeted));
    resumed.apply(frame(&hello())).expect("greets");
    assert_eq!(resumed.apply(update), Ok(Change::Room(11)));

    let mut other = hello();
    other["protocol"] = json!(2);
    assert_eq!(Mirror::default().apply(frame(&other)), Ok(Change::OtherProtocol(2)));
}

#[test]
fn answers_name_their_command() {
    let answered = |id: Option<&str>, answer| Ok(Change::Answered { id: id.map(Into::into), answer });
    check(&json!({"type": "ack", "id": "a", "version": 11}), &answered(Some("a"), Answer::Stored(11)));
    let refused =
        |retry_ms| Answer::Refused { code: protocol::Code::TooFast, message: "slowly".into(), retry_ms };
    let said =
        json!({"type": "refused", "id": "b", "code": "too_fast", "message": "slowly", "retry_ms": 400});
    check(&said, &answered(Some("b"), refused(Some(400))));
    let said = json!({"type": "refused", "id": null, "code": "too_fast", "message": "slowly"});
    check(&said, &answered(None, refused(None)));
}

#[test]
fn notices_are_kept_up_to_a_bound() {
    let mut mirror = at_ten();
    for n in 0..100 {
        let notice = json!({"type": "notice", "kind": "joined", "member_id": format!("m{n}"), "name": "N"});
        mirror.apply(frame(&notice)).expect("applies");
    }
    assert_eq!(mirror.notices().count(), NOTICES);
    let first = mirror.notices().next().expect("a notice");
    assert_eq!(*first, Notice::Joined { member_id: "m36".into(), name: "N".into() });
}

fn check_read(text: &str, passed_over: bool) {
    match read_frame(text) {
        Ok(None) => assert!(passed_over, "passed over: {text}"),
        Err(Violation::Unreadable(_)) => assert!(!passed_over, "refused: {text}"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_is_new_is_passed_over_and_what_is_broken_is_not() {
    check_read(r#"{"type": "lyrics", "text": "la"}"#, true);
    check_read(r#"{"type": "notice", "kind": "fireworks"}"#, true);
    check_read(r#"{"type": "ack", "id": "a"}"#, false);
    check_read(r#"{"type": "notice", "kind": "joined"}"#, false);
    check_read(r#"{"type": "notice"}"#, false);
    check_read(r"[]", false);
    check_read("{", false);
}
