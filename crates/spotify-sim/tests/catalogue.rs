//! Catalogue, library and playlists.

mod support;

use serde_json::{Value, json};
use support::{CLIENT, SCOPES, Spotify, text};

#[tokio::test]
async fn the_same_seed_is_the_same_world() {
    let (one, two, other) =
        (Spotify::with_seed(3).await, Spotify::with_seed(3).await, Spotify::with_seed(4).await);
    let uri = async |spotify: &Spotify| spotify.truth("host-1").await["playing"]["uri"].clone();
    assert_eq!(uri(&one).await, uri(&two).await);
    assert_ne!(uri(&one).await, uri(&other).await);
}

#[tokio::test]
async fn there_is_enough_to_find() {
    for seed in 2..12 {
        let spotify = Spotify::with_seed(seed).await;
        let (token, _) = spotify.sign_in("host-1").await;
        for query in ["a", "the", "love", "e"] {
            let found = spotify.get(&token, &format!("/v1/search?q={query}&type=track")).await;
            assert!(found["tracks"]["total"].as_u64() >= Some(12), "{query} with seed {seed}");
        }
    }
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let (mut all, mut explicit, mut unplayable) = (0, 0, 0);
    let mut next = Some("/v1/search?q=&type=track&limit=50".replace("q=", "q=year:1900-2100"));
    while let Some(path) = next {
        let page = spotify.get(&token, &path).await["tracks"].clone();
        for track in page["items"].as_array().expect("a list") {
            all += 1;
            explicit += usize::from(track["explicit"] == true);
            unplayable += usize::from(track["is_playable"] == false);
        }
        // Links in answers point at the simulator.
        next = page["next"]
            .as_str()
            .map(|next| next.strip_prefix(&spotify.base()).expect("its own address").to_owned());
    }
    assert!(all >= 300 && explicit >= 10, "{all} tracks, {explicit} explicit");
    assert_eq!(unplayable, 1);
}

#[tokio::test]
async fn development_mode_has_smaller_pages_and_fewer_fields() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    assert!(spotify.get(&token, "/v1/me").await["product"].is_string());
    spotify.control(&format!("apps/{CLIENT}"), json!({ "mode": "development" })).await;
    assert!(spotify.get(&token, "/v1/me").await.get("product").is_none());
    let search = "/v1/search?q=a&type=track";
    let found = spotify.get(&token, search).await["tracks"].clone();
    assert_eq!(found["limit"], 5);
    assert!(found["items"][0].get("popularity").is_none());
    assert!(found["items"][0]["external_ids"]["isrc"].is_string());
    let over = spotify.api(&token, "GET", &format!("{search}&limit=11"), "").await;
    assert_eq!((over.status, over.json()["error"]["message"].clone()), (400, json!("Invalid limit")));
}

#[tokio::test]
async fn playlists_are_made_filled_and_read() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let found = spotify.get(&token, "/v1/search?q=a&type=track&limit=3").await;
    let uris: Vec<Value> =
        found["tracks"]["items"].as_array().expect("a list").iter().map(|t| t["uri"].clone()).collect();
    let body = json!({ "name": "Evening", "public": false }).to_string();
    let made = spotify.api(&token, "POST", "/v1/me/playlists", &body).await;
    assert_eq!(made.status, 201);
    let path = format!("/v1/playlists/{}/items", text(&made.json()["id"]));
    let change = async |method: &str, body: Value, status: u16| {
        let answer = spotify.api(&token, method, &path, &body.to_string()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        let now = spotify.get(&token, &path).await;
        let items = now["items"].as_array().expect("a list");
        (
            items.iter().map(|line| line["item"]["uri"].clone()).collect::<Vec<_>>(),
            answer.json()["snapshot_id"].clone(),
        )
    };
    let (now, first) = change("POST", json!({ "uris": uris }), 201).await;
    assert_eq!(now, uris);
    let (now, second) = change("PUT", json!({ "range_start": 0, "insert_before": 3 }), 200).await;
    assert_eq!(now, [uris[1].clone(), uris[2].clone(), uris[0].clone()]);
    assert_ne!(first, second);
    let (now, _) = change("DELETE", json!({ "items": [{ "uri": uris[2] }] }), 200).await;
    assert_eq!(now, [uris[1].clone(), uris[0].clone()]);
    assert_eq!(spotify.get(&token, "/v1/me/playlists?limit=1").await["items"][0]["name"], "Evening");
}

#[tokio::test]
async fn a_playlist_is_changed_to_nothing_that_could_not_be_made() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let made =
        spotify.api(&token, "POST", "/v1/me/playlists", &json!({ "name": "Evening" }).to_string()).await;
    let path = format!("/v1/playlists/{}", text(&made.json()["id"]));
    let check = async |body: Value, status: u16, public: bool, collaborative: bool| {
        let answer = spotify.api(&token, "PUT", &path, &body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let list = spotify.get(&token, &path).await;
        let got = (&list["name"], &list["public"], &list["collaborative"]);
        assert_eq!(got, (&json!("Evening"), &json!(public), &json!(collaborative)), "{body}");
    };
    check(json!({ "collaborative": true }), 400, true, false).await;
    check(json!({ "public": true, "collaborative": true }), 400, true, false).await;
    check(json!({ "public": false, "name": "" }), 400, true, false).await;
    check(json!({ "public": false, "collaborative": true }), 200, false, true).await;
    check(json!({ "public": true }), 400, false, true).await;
    check(json!({ "public": true, "collaborative": false }), 200, true, false).await;
}

#[tokio::test]
async fn somebody_elses_playlist_shows_no_items() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let lists = spotify.get(&token, "/v1/me/playlists?limit=50").await;
    let foreign = |list: &&Value| list["owner"]["id"] != "host-1";
    let id = text(&lists["items"].as_array().and_then(|all| all.iter().find(foreign)).expect("one")["id"]);
    assert!(spotify.get(&token, &format!("/v1/playlists/{id}")).await.get("items").is_none());
    assert_eq!(spotify.api(&token, "GET", &format!("/v1/playlists/{id}/items"), "").await.status, 403);
}

/// The items of the account's own playlist that names a track by a former identifier, and the former and the new URI.
async fn relinked(spotify: &Spotify, token: &str) -> (String, String, String) {
    let lists = spotify.get(token, "/v1/me/playlists?limit=50").await;
    for list in lists["items"].as_array().expect("a list") {
        let path = format!("/v1/playlists/{}/items", text(&list["id"]));
        let answer = spotify.api(token, "GET", &format!("{path}?limit=50"), "").await;
        let lines = if answer.status == 200 { answer.json() } else { Value::Null };
        for line in lines["items"].as_array().into_iter().flatten() {
            if let Some(former) = line["item"]["linked_from"]["uri"].as_str() {
                return (path, former.to_owned(), text(&line["item"]["uri"]));
            }
        }
    }
    panic!("no list has one");
}

#[tokio::test]
async fn a_relinked_track_is_found_by_its_former_id_and_shown_under_the_new_one() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let (path, former, uri) = relinked(&spotify, &token).await;
    assert_ne!(former, uri);
    let track = format!("/v1/tracks/{}", former.rsplit(':').next().expect("an id"));
    let shown = spotify.get(&token, &track).await;
    assert_eq!((&shown["uri"], &shown["linked_from"]["uri"]), (&json!(uri), &json!(former)));
    let asked_rightly = spotify.get(&token, &format!("/v1/tracks/{}", text(&shown["id"]))).await;
    assert_eq!(asked_rightly["uri"], json!(uri));
    assert!(asked_rightly.get("linked_from").is_none());
    // A player names what plays, whatever it was asked for.
    let play = json!({ "uris": [former] }).to_string();
    assert_eq!(spotify.api(&token, "PUT", "/v1/me/player/play", &play).await.status, 204);
    assert_eq!(spotify.get(&token, "/v1/me/player").await["item"]["uri"], json!(uri));
    // What is added by the former id stays so, and new apps cannot see it.
    let added = spotify.api(&token, "POST", &path, &json!({ "uris": [former] }).to_string()).await;
    assert_eq!(added.status, 201);
    let last = async || {
        let items = spotify.get(&token, &format!("{path}?limit=50")).await["items"].clone();
        items.as_array().and_then(|items| items.last()).expect("a line")["item"].clone()
    };
    assert_eq!(last().await["linked_from"]["uri"], json!(former));
    spotify.control(&format!("apps/{CLIENT}"), json!({ "mode": "development" })).await;
    let hidden = last().await;
    assert_eq!((&hidden["uri"], hidden.get("linked_from")), (&json!(uri), None));
}

/// The path of the account's first playlist.
async fn first_playlist(spotify: &Spotify, token: &str) -> String {
    let first = spotify.get(token, "/v1/me/playlists?limit=1").await;
    format!("/v1/playlists/{}", text(&first["items"][0]["id"]))
}

#[tokio::test]
async fn playlists_hold_their_items_under_the_names_that_an_app_is_given() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let path = first_playlist(&spotify, &token).await;
    let seen = async |keys: &str| {
        spotify.control(&format!("apps/{CLIENT}"), json!({ "playlist_keys": keys })).await;
        let short = spotify.get(&token, "/v1/me/playlists?limit=1").await["items"][0].clone();
        let full = spotify.get(&token, &path).await;
        let line = spotify.get(&token, &format!("{path}/items")).await["items"][0].clone();
        let has = |body: &Value, names: [&str; 2]| names.map(|name| body.get(name).is_some());
        assert_eq!(has(&short, ["items", "tracks"]), has(&full, ["items", "tracks"]));
        assert_eq!(has(&short, ["items", "tracks"]), has(&line, ["item", "track"]));
        has(&full, ["items", "tracks"])
    };
    assert_eq!(seen("both").await, [true, true]);
    assert_eq!(seen("items").await, [true, false]);
    assert_eq!(seen("tracks").await, [false, true]);
}

#[tokio::test]
async fn a_playlist_shows_the_fields_that_were_asked_for() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let path = first_playlist(&spotify, &token).await;
    let name = spotify.get(&token, &path).await["name"].clone();
    assert_eq!(spotify.get(&token, &format!("{path}?fields=name")).await, json!({ "name": name }));

    let items = format!("{path}/items?limit=2");
    let all = spotify.get(&token, &items).await;
    let picked = spotify.get(&token, &format!("{items}&fields=total,items(added_at,item.name)")).await;
    let line = |at: usize| {
        let line = &all["items"][at];
        json!({ "added_at": line["added_at"], "item": { "name": line["item"]["name"] } })
    };
    assert_eq!(picked, json!({ "total": all["total"], "items": [line(0), line(1)] }));

    let without = spotify.get(&token, &format!("{items}&fields=items(item(!album,!artists))")).await;
    let mut track = all["items"][0]["item"].clone();
    let keys = track.as_object_mut().expect("a track");
    assert!(keys.remove("album").is_some() && keys.remove("artists").is_some());
    assert_eq!(without["items"][0], json!({ "item": track }));

    // Names twice are one wish.
    let twice = spotify.get(&token, &format!("{items}&fields=items.item.name,items.added_at")).await;
    assert_eq!(twice, json!({ "items": [line(0), line(1)] }));

    let deep = "a(".repeat(5_000);
    for bad in ["items(", "items)", "items(item,)", ",", "items..item", "!", "items(item)name", &deep] {
        let refused = spotify.api(&token, "GET", &format!("{items}&fields={bad}"), "").await;
        assert_eq!(refused.status, 400, "{bad:.20}");
    }
}

#[tokio::test]
async fn tracks_are_saved_and_forgotten() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let uri = text(&spotify.get(&token, "/v1/me/tracks?limit=1").await["items"][0]["track"]["uri"]);
    let held = async || spotify.get(&token, &format!("/v1/me/library/contains?uris={uri}")).await;
    assert_eq!(held().await, json!([true]));
    spotify.api(&token, "DELETE", &format!("/v1/me/library?uris={uri}"), "").await;
    assert_eq!(held().await, json!([false]));
    spotify.api(&token, "PUT", &format!("/v1/me/library?uris={uri}"), "").await;
    assert_eq!(held().await, json!([true]));
}

#[tokio::test]
async fn asking_what_is_kept_needs_the_scope_of_its_kind() {
    let spotify = Spotify::start().await;
    let (all, _) = spotify.sign_in_to("host-1", &format!("{SCOPES} user-follow-read")).await;
    let found = spotify.get(&all, "/v1/search?q=a&type=track,album,artist,playlist&limit=1").await;
    let uri = |kind: &str| text(&found[kind]["items"][0]["uri"]);
    let check = async |scopes: &str, uris: &str, status: u16| {
        let (token, _) = spotify.sign_in_to("host-1", scopes).await;
        let answer = spotify.api(&token, "GET", &format!("/v1/me/library/contains?uris={uris}"), "").await;
        assert_eq!(answer.status, status, "{scopes}: {uris}");
        if status == 403 {
            assert_eq!(answer.json()["error"]["message"], "Insufficient client scope");
        }
    };
    let library = "user-library-read";
    let (artist, playlist) = (uri("artists"), uri("playlists"));
    check(library, &format!("{},{}", uri("tracks"), uri("albums")), 200).await;
    check(library, &artist, 403).await;
    check(library, "spotify:user:host-2", 403).await;
    check(library, &format!("{},{playlist}", uri("tracks")), 403).await;
    check(&format!("{library} user-follow-read"), &format!("{artist},spotify:user:host-2"), 200).await;
    check(&format!("{library} user-follow-read"), &playlist, 403).await;
    check(&format!("{library} playlist-read-private"), &playlist, 200).await;
}

#[tokio::test]
async fn a_show_lists_its_episodes_page_by_page() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in_to("host-1", &format!("{SCOPES} user-read-playback-position")).await;
    let found = spotify.get(&token, "/v1/search?q=listening&type=show").await;
    let show = text(&found["shows"]["items"][0]["id"]);
    let path = format!("/v1/shows/{show}/episodes");
    let first = spotify.get(&token, &path).await;
    assert_eq!((&first["limit"], &first["offset"], &first["next"]), (&json!(20), &json!(0), &Value::Null));
    let mut names = Vec::new();
    let mut next = Some(format!("{path}?limit=2"));
    while let Some(path) = next {
        let page = spotify.get(&token, &path).await;
        let episodes = page["items"].as_array().expect("a list");
        assert!(episodes.len() <= 2);
        names.extend(episodes.iter().map(|episode| text(&episode["name"])));
        assert!(episodes.iter().all(|episode| episode.get("show").is_none()), "its show is known");
        next = page["next"]
            .as_str()
            .map(|next| next.strip_prefix(&spotify.base()).expect("its own address").to_owned());
    }
    assert_eq!(first["total"], names.len());
    let whole = spotify.get(&token, &format!("/v1/shows/{show}")).await;
    assert_eq!(first["items"], whole["episodes"]["items"]);
    let status = async |token: &str, path: &str| spotify.api(token, "GET", path, "").await.status;
    for limit in ["limit=0", "limit=51"] {
        assert_eq!(status(&token, &format!("{path}?{limit}")).await, 400, "{limit}");
    }
    assert_eq!(status(&token, "/v1/shows/0000000000000000000000/episodes").await, 404);
    let (other, _) = spotify.sign_in("host-1").await;
    assert_eq!(status(&other, &path).await, 403);
}

#[tokio::test]
async fn a_write_without_a_length_is_refused() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let check = async |method: &str, path: &str, rest: &str, status: u16| {
        let request = format!(
            "{method} /v1/me/player/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{rest}"
        );
        assert_eq!(spotify.raw(&request).await.expect("an answer").status, status, "{method} {path} {rest}");
    };
    check("PUT", "pause", "\r\n", 411).await;
    check("POST", "next", "\r\n", 411).await;
    check("PUT", "play", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411).await;
    check("PUT", "pause", "Content-Length: 0\r\n\r\n", 204).await;
}

#[tokio::test]
async fn each_album_has_a_picture_of_its_own() {
    let spotify = Spotify::start().await;
    let (token, _) = spotify.sign_in("host-1").await;
    let found = spotify.get(&token, "/v1/search?q=a&type=album&limit=2").await;
    let mut seen = Vec::new();
    for album in found["albums"]["items"].as_array().expect("a list") {
        let url = text(&album["images"][0]["url"]);
        let path = url.strip_prefix(&spotify.base()).expect("the address that was asked");
        let picture = spotify.send("GET", path, "", "").await;
        assert_eq!(picture.header("content-type"), "image/svg+xml");
        assert_eq!(picture.header("access-control-allow-origin"), "*");
        seen.push(picture.text);
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn the_app_page_is_served_for_accounts_that_exist() {
    let spotify = Spotify::start().await;
    let page = spotify.send("GET", "/player/host-4", "", "").await;
    assert!(page.text.contains("data-user=\"host-4\""));
    assert!(!page.text.contains("<script>"), "no inline script");
    assert_eq!(spotify.send("GET", "/player/root", "", "").await.status, 404);
    assert_eq!(spotify.send("GET", "/player", "", "").await.status, 200);
}
