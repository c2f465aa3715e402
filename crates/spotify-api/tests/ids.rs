//! What people paste, as what it names.

use spotify_api::{DeviceId, SpotifyUri, UriKind};

#[test]
fn ids_uris_and_addresses_are_understood() {
    let id = "4uLU6hMCjMI75M1A2tKUQC";
    let check = |text: &str, expected: Option<(UriKind, &str, &str)>| {
        let parsed = SpotifyUri::parse(text).ok();
        assert_eq!(parsed.as_ref().map(|uri| (uri.kind(), uri.id(), uri.as_str())), expected, "{text}");
    };
    let track = format!("spotify:track:{id}");
    let is_track = Some((UriKind::Track, id, track.as_str()));
    check(&track, is_track);
    check(id, is_track);
    check(&format!("  {track}\n"), is_track);
    check(&format!("https://open.spotify.com/track/{id}"), is_track);
    check(&format!("http://open.spotify.com/track/{id}/"), is_track);
    check(&format!("open.spotify.com/track/{id}?si=abc&context=x"), is_track);
    check(&format!("https://open.spotify.com/intl-de/track/{id}?si=abc"), is_track);
    check(&format!("https://open.spotify.com/embed/track/{id}#x"), is_track);
    let playlist = format!("spotify:playlist:{id}");
    check(&playlist, Some((UriKind::Playlist, id, &playlist)));
    check(&format!("spotify:user:ana:playlist:{id}"), Some((UriKind::Playlist, id, &playlist)));
    check(&format!("https://open.spotify.com/playlist/{id}"), Some((UriKind::Playlist, id, &playlist)));
    check("spotify:user:ana.1", Some((UriKind::User, "ana.1", "spotify:user:ana.1")));
    let saved = "spotify:user:ana:collection";
    check(saved, Some((UriKind::Collection, "ana", saved)));
    let local = "spotify:local:Artist:Album:Title:200";
    check(local, Some((UriKind::Local, "", local)));

    check("", None);
    check("4uLU6hMCjMI75M1A2tKUQ", None);
    check("4uLU6hMCjMI75M1A2tKUQ/", None);
    check("spotify:track:../../me", None);
    check(&format!("spotify:track:{id}:x"), None);
    check(&format!("spotify:banana:{id}"), None);
    check("spotify:user:", None);
    check("spotify:", None);
    check(&format!("https://open.spotify.com.evil.example/track/{id}"), None);
    check(&format!("https://evil.example/track/{id}"), None);
    check(&format!("https://user@open.spotify.com/track/{id}"), None);
    check(&format!("https://open.spotify.com/track/{id}/more"), None);
    check("https://open.spotify.com/", None);
    check("spotify:local:a b", None);
    check(&format!("spotify:local:{}", "a".repeat(600)), None);
}

#[test]
fn devices_are_named_by_plain_text() {
    let check = |text: &str, fits: bool| assert_eq!(DeviceId::parse(text).is_ok(), fits, "{text:?}");
    check("5fbb3ba6aa454b5534c4ba43a8c7e8e45a63ad0e", true);
    check("sim-kitchen_1", true);
    check("", false);
    check("a b", false);
    check("a\nb", false);
    check(&"a".repeat(257), false);
}

#[test]
fn what_the_queue_takes_is_told() {
    let playable = |text: &str| SpotifyUri::parse(text).is_ok_and(|uri| uri.playable());
    assert!(playable("spotify:track:4uLU6hMCjMI75M1A2tKUQC"));
    assert!(playable("spotify:episode:4uLU6hMCjMI75M1A2tKUQC"));
    assert!(!playable("spotify:album:4uLU6hMCjMI75M1A2tKUQC"));
    assert!(!playable("spotify:local:a:b:c:1"));
}
