use serde_json::{Value, json};

use super::*;

fn track(id: &str) -> Value {
    json!({
        "type": "track", "id": id, "uri": format!("spotify:track:{id}"), "name": "Song", "duration_ms": 200_000,
        "explicit": true, "is_playable": true, "external_urls": {"spotify": "https://open.spotify.com/track/x"},
        "artists": [{"name": "A", "uri": "spotify:artist:a"}, null, 7, {"name": "B", "uri": null}],
        "album": {"name": "Album", "uri": "spotify:album:x", "images": [
            {"url": "https://i/640", "width": 640}, {"url": "https://i/300", "width": 300}, {"url": "https://i/64", "width": 64}]},
        "popularity": {"new": "shape"}
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is written where it is passed")]
fn player(with: Value) -> Option<PlayerState> {
    let mut state = json!({
        "device": {"id": "d", "is_active": true, "name": "Kitchen", "type": "Speaker", "volume_percent": 40},
        "is_playing": true, "progress_ms": 22_270, "currently_playing_type": "track", "item": track("1"),
        "context": {"uri": "spotify:album:x"}, "repeat_state": "off", "shuffle_state": false,
        "actions": {"disallows": {"resuming": true, "new_thing": true}}
    });
    state.as_object_mut()?.extend(with.as_object()?.clone());
    PlayerState::read(&state)
}

#[test]
fn a_whole_answer_is_read_whole() {
    let state = player(json!({})).expect("a player");
    let Item::Track(track) = &state.item else { panic!("{state:?}") };
    let artists: Vec<(&str, Option<&str>)> =
        track.artists.iter().map(|artist| (artist.name.as_str(), artist.uri.as_deref())).collect();
    assert_eq!(artists, [("A", Some("spotify:artist:a")), ("B", None)]);
    assert_eq!((track.duration_ms, track.explicit, track.is_playable), (200_000, true, Some(true)));
    assert_eq!((track.album.name.as_str(), track.image_url.as_deref()), ("Album", Some("https://i/300")));
    assert_eq!((state.progress_ms, state.context_uri.as_deref()), (Some(22_270), Some("spotify:album:x")));
    assert_eq!((state.kind, state.repeat, state.shuffle), (Playing::Track, Some(Repeat::Off), Some(false)));
    assert_eq!(state.disallows, Disallows { resuming: true, ..Disallows::default() });
    let device = state.device.expect("a device");
    assert_eq!(
        (device.id.as_deref(), device.volume_percent, device.supports_volume),
        (Some("d"), Some(40), None)
    );
}

#[test]
fn a_field_of_another_shape_costs_nothing_but_itself() {
    let check = |with: Value| {
        let said = with.to_string();
        player(with).unwrap_or_else(|| panic!("still a player: {said}"))
    };
    for odd in [json!(null), json!("x"), json!(-1), json!([]), json!({})] {
        assert_eq!(check(json!({ "progress_ms": odd })).progress_ms, None);
        assert_eq!(check(json!({ "context": odd })).context_uri, None);
        assert_eq!(check(json!({ "item": odd })).item, Item::None);
        assert_eq!(check(json!({ "actions": odd })).disallows, Disallows::default());
        assert_eq!(check(json!({ "repeat_state": odd })).repeat, None);
        assert!(!check(json!({ "is_playing": odd })).is_playing);
        check(json!({ "device": odd, "timestamp": odd, "shuffle_state": odd }));
    }
    assert_eq!(check(json!({"progress_ms": 12.7})).progress_ms, Some(12));
    assert_eq!(check(json!({"repeat_state": "sometimes"})).repeat, None);
    let device = check(json!({"device": {"id": null, "type": "Toaster", "volume_percent": null}})).device;
    let device = device.expect("a device");
    assert_eq!((device.id, device.kind.as_str(), device.volume_percent), (None, "Toaster", None));
}

#[test]
fn what_plays_is_told_even_where_it_is_not_a_track() {
    let check = |with: Value, kind: Playing, uri: Option<&str>| {
        let state = player(with).expect("a player");
        assert_eq!((state.kind, state.item.uri()), (kind, uri));
    };
    check(json!({"currently_playing_type": "ad", "item": null}), Playing::Ad, None);
    check(json!({"currently_playing_type": "unknown", "item": null}), Playing::Unknown, None);
    check(json!({"currently_playing_type": "audiobook", "item": null}), Playing::Unknown, None);
    check(json!({"currently_playing_type": null}), Playing::Track, Some("spotify:track:1"));
    let episode =
        json!({"type": "episode", "uri": "spotify:episode:e", "show": {"name": "Show"}, "images": null});
    check(
        json!({"currently_playing_type": "episode", "item": episode}),
        Playing::Episode,
        Some("spotify:episode:e"),
    );
    let local = json!({"type": "track", "is_local": true, "id": null, "href": null, "uri": "spotify:local:a:b:c:9",
        "album": {"id": null, "images": [], "name": "b", "uri": null}, "external_urls": {}, "duration_ms": 9000,
        "artists": [{"id": null, "name": "a", "uri": null}]});
    check(json!({ "item": local }), Playing::Track, Some("spotify:local:a:b:c:9"));
    assert_eq!(PlayerState::read(&json!({"error": "x"})), None);
    assert_eq!(PlayerState::read(&json!([])), None);
}

#[test]
fn a_picture_is_the_narrowest_that_is_wide_enough() {
    let check = |images: Value, expected: Option<&str>| {
        let album = Album::read(&json!({"uri": "u", "images": images})).expect("an album");
        assert_eq!(album.image_url.as_deref(), expected);
    };
    let of = |width: Value, url: &str| json!({ "width": width, "url": url });
    check(json!(null), None);
    check(json!([]), None);
    check(json!([null, {"url": null}, {"width": 300}]), None);
    check(json!([of(json!(64), "https://64"), of(json!(640), "https://640")]), Some("https://640"));
    check(json!([of(json!(64), "https://64"), of(json!(160), "https://160")]), Some("https://160"));
    check(json!([of(json!(null), "https://mosaic")]), Some("https://mosaic"));
    check(json!([of(json!(300), "javascript:alert(1)"), of(json!(64), "https://64")]), Some("https://64"));
}

#[test]
fn a_page_skips_what_it_does_not_understand_and_says_where_it_goes_on() {
    let page = |page: Value, offset| page_of(&page, offset, SavedTrack::read);
    let saved = |id: &str| json!({"added_at": "2026-01-02T03:04:05Z", "track": track(id)});
    let items = json!([saved("1"), null, {"track": null}, {"track": {"name": "no uri"}}, saved("2")]);
    let read =
        page(json!({"items": items, "total": 391, "next": "https://evil.example/"}), 50).expect("a page");
    let uris: Vec<&str> = read.items.iter().map(|item| item.track.uri.as_str()).collect();
    assert_eq!(uris, ["spotify:track:1", "spotify:track:2"]);
    assert_eq!((read.skipped, read.total, read.next_offset), (3, Some(391), Some(55)));

    let end = |value: Value| page(value, 0).expect("a page").next_offset;
    assert_eq!(end(json!({"items": [saved("1")], "total": 1, "next": null})), None);
    assert_eq!(end(json!({"items": [saved("1")], "total": 9, "next": null})), None);
    assert_eq!(end(json!({"items": [saved("1")], "total": 9})), Some(1));
    assert_eq!(end(json!({"items": [saved("1")]})), None);
    assert_eq!(end(json!({"items": [], "total": 9, "next": "more"})), None, "an empty page leads nowhere");
    assert_eq!(page(json!({"items": null}), 0), None);
    assert_eq!(page(json!({}), 0), None);
}

#[test]
fn playlists_are_read_with_items_with_tracks_with_both_and_with_neither() {
    let tracks = |with: Value| {
        let mut list = json!({"uri": "spotify:playlist:p", "images": null, "owner": {"id": "ana1", "display_name": null}});
        for (key, value) in with.as_object().expect("an object") {
            list[key] = value.clone();
        }
        Playlist::read(&list).map(|list| (list.id, list.tracks))
    };
    let read = |tracks| Some(("p".to_owned(), tracks));
    assert_eq!(tracks(json!({"items": {"total": 3}})), read(Some(3)));
    assert_eq!(tracks(json!({"tracks": {"total": 4}})), read(Some(4)));
    assert_eq!(tracks(json!({"items": {"total": 3}, "tracks": {"total": 4}})), read(Some(3)));
    assert_eq!(tracks(json!({"items": null})), read(None));
    assert_eq!(tracks(json!({"uri": null})), None);

    let item = |value: Value| SavedTrack::read_playlist_item(&value).map(|saved| saved.track.uri);
    let uri = Some("spotify:track:1".to_owned());
    assert_eq!(item(json!({"item": track("1"), "track": null})), uri);
    assert_eq!(item(json!({"item": null, "track": track("1")})), uri);
    assert_eq!(item(json!({"item": null, "track": null})), None);
    assert_eq!(item(json!({"item": {"type": "episode", "uri": "spotify:episode:e"}})), None);
}

#[test]
fn accounts_are_told_apart_by_the_id_that_never_changes() {
    let link = |value: Value| Profile::read(&value).map(|profile| profile.link_id().to_owned());
    assert_eq!(link(json!({"account_id": "aB3", "id": "ana1"})).as_deref(), Some("aB3"));
    assert_eq!(link(json!({"id": "ana1", "display_name": null, "images": []})).as_deref(), Some("ana1"));
    assert_eq!(link(json!({"account_id": "aB3"})).as_deref(), Some("aB3"));
    assert_eq!(link(json!({"id": ""})), None);
}

#[test]
fn queues_and_devices_survive_bad_elements() {
    let queue = json!({"currently_playing": null, "queue": [track("1"), null, {"type": "episode", "uri": "spotify:episode:e"}, {}]});
    let queue = Queue::read(&queue).expect("a queue");
    let uris: Vec<Option<&str>> = queue.upcoming.iter().map(Item::uri).collect();
    assert_eq!(
        (uris.as_slice(), queue.skipped),
        ([Some("spotify:track:1"), Some("spotify:episode:e")].as_slice(), 2)
    );
    let devices = Device::read_list(
        &json!({"devices": [null, {"id": "d", "name": "Phone", "supports_volume": false}]}),
    );
    assert_eq!(devices.map(|devices| devices.len()), Some(1));
    assert_eq!(Device::read_list(&json!({})), None);
}
