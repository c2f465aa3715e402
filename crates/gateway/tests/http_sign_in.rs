//! Signing in with Spotify, as a browser does it.

mod http_support;

use http_support::{CLIENT_ID, House};
use serde_json::{Value, json};

#[tokio::test]
async fn a_host_signs_in_and_gets_a_new_session() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    let before = ada.cookies.clone();
    let me = ada.get("/api/me").await.is(200).json();
    assert_eq!(me["spotify"], Value::Null);
    ada.sign_in("host-1").await;
    let after = ada.get("/api/me").await.is(200).json();
    assert_eq!(after["spotify"]["id"], "host-1");
    assert_eq!(after["spotify"]["client_id"], CLIENT_ID);
    assert_eq!((&after["member_id"], &after["name"]), (&me["member_id"], &me["name"]));
    assert_ne!(ada.cookies, before, "the session has a new value");
    let mut old = ada.clone();
    old.cookies = before;
    old.send("PATCH", "/api/me", json!({"name": "Thief"})).await.problem(401, "no_session");
}

#[tokio::test]
async fn the_same_account_is_the_same_person_in_every_browser() {
    let house = House::open().await;
    let mut phone = house.host("198.51.100.1", "host-1").await;
    let mut laptop = house.host("198.51.100.2", "host-1").await;
    let room = phone.send("POST", "/api/rooms", json!({"name": "Friday"})).await.is(201).json();
    let known = laptop.get("/api/me").await.is(200).json();
    assert_eq!(known["rooms"], json!([{"code": room["code"], "name": "Friday", "role": "host"}]));
    // Forgetting one browser leaves the other what it has.
    phone.send("DELETE", "/api/me", Value::Null).await.is(204);
    let known = laptop.get("/api/me").await.is(200).json();
    assert_eq!(known["rooms"].as_array().map(Vec::len), Some(1));
    assert_eq!(known["spotify"]["id"], "host-1");
    // Forgetting the last closes the room and deletes the tokens.
    let mut guest = house.visitor("198.51.100.3").await;
    let join = format!("/api/rooms/{}/join", room["code"].as_str().expect("a code"));
    guest.send("POST", &join, json!({})).await.is(200);
    laptop.send("DELETE", "/api/me", Value::Null).await.is(204);
    guest.send("POST", &join, json!({})).await.problem(410, "room_closed");
    let mut again = house.host("198.51.100.4", "host-1").await;
    assert_eq!(again.get("/api/me").await.json()["rooms"], json!([]));
}

#[tokio::test]
async fn a_host_finds_its_rooms_again_whatever_its_browsers_did() {
    let house = House::open().await;
    let rooms = async |browser: &mut http_support::Browser| {
        let me = browser.get("/api/me").await.is(200).json();
        let rooms = me["rooms"].as_array().expect("a list").iter().map(|room| room["name"].clone());
        (me["name"].clone(), rooms.collect::<Vec<_>>())
    };
    let mut laptop = house.host("198.51.100.1", "host-1").await;
    laptop.send("PATCH", "/api/me", json!({"name": "Ada"})).await.is(200);
    let room = laptop.send("POST", "/api/rooms", json!({"name": "Friday"})).await.is(201).json();
    let devices = format!("/api/rooms/{}/devices", room["code"].as_str().expect("a code"));

    // A friend signs in on the party's laptop, for the first time anywhere: another host, without these rooms.
    laptop.sign_in("host-2").await;
    let friend = rooms(&mut laptop).await;
    assert_eq!(friend.1, Vec::<Value>::new());
    laptop.get(&devices).await.problem(404, "no_such_room");
    laptop.send("PATCH", "/api/me", json!({"name": "Ben"})).await.is(200);
    let mut phone = house.host("198.51.100.2", "host-1").await;
    assert_eq!(
        rooms(&mut phone).await,
        (json!("Ada"), vec![json!("Friday")]),
        "under the name that it chose"
    );
    phone.get(&devices).await.is(200);
    let mut tablet = house.host("198.51.100.3", "host-2").await;
    assert_eq!(rooms(&mut tablet).await, (json!("Ben"), Vec::new()));

    // Disconnected, and connected again elsewhere first.
    phone.send("POST", "/auth/disconnect", Value::Null).await.is(204);
    let mut desk = house.host("198.51.100.4", "host-1").await;
    assert_eq!(rooms(&mut desk).await, (json!("Ada"), vec![json!("Friday")]));
    desk.get(&devices).await.is(200);
    assert_eq!(rooms(&mut phone).await.1, [json!("Friday")]);

    // Another account on the browser of a host that has disconnected is another host.
    desk.send("POST", "/auth/disconnect", Value::Null).await.is(204);
    desk.sign_in("host-3").await;
    assert_eq!(rooms(&mut desk).await.1, Vec::<Value>::new());

    // Whoever is forgotten, account and all, begins anew.
    phone.send("DELETE", "/api/me", Value::Null).await.is(204);
    let mut anew = house.host("198.51.100.5", "host-1").await;
    assert_eq!(rooms(&mut anew).await.1, Vec::<Value>::new());
}

#[tokio::test]
async fn disconnecting_is_final_and_signs_every_browser_out() {
    let house = House::open().await;
    let mut phone = house.host("198.51.100.1", "host-1").await;
    let mut laptop = house.host("198.51.100.2", "host-1").await;
    phone.send("POST", "/auth/disconnect", Value::Null).await.is(204);
    for browser in [&mut phone, &mut laptop] {
        assert_eq!(browser.get("/api/me").await.is(200).json()["spotify"], Value::Null);
        browser.get("/api/me/tracks").await.problem(403, "spotify_required");
        browser.send("POST", "/api/rooms", json!({"name": "x"})).await.problem(403, "spotify_required");
    }
    phone.send("POST", "/auth/disconnect", Value::Null).await.is(204);
}

#[tokio::test]
async fn a_sign_in_ends_once_in_its_browser_within_ten_minutes() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;

    let cancelled = ada.consent("host-1", "cancel").await;
    let page = ada.get(&cancelled).await.is(400);
    assert!(page.text().contains("You did not connect Spotify") && page.text().contains("Try again"));

    let back = ada.consent("host-1", "agree").await;
    let both = format!("{back}&error=access_denied");
    ada.get(&both).await.is(400);
    let page = ada.get(&back).await.is(400);
    assert!(page.text().contains("This sign-in is over"), "the odd answer has used it up");

    let back = ada.consent("host-1", "agree").await;
    house.browser("198.51.100.9").get(&back).await.is(400);
    assert_eq!(ada.get("/api/me").await.json()["spotify"], Value::Null, "nothing was stored");

    let back = ada.consent("host-1", "agree").await;
    house.clock.advance(10 * 60 * 1000);
    ada.get(&back).await.is(400);

    for wrong in ["/auth/callback", "/auth/callback?state=x&code=y", "/auth/callback?code=y&state=a&state=b"]
    {
        ada.get(wrong).await.is(400);
    }
    assert_eq!(ada.get("/api/me").await.json()["spotify"], Value::Null, "nothing was stored");

    let back = ada.consent("host-1", "agree").await;
    ada.ask(http::Method::HEAD, &back, &[], Vec::new()).await.is(405);
    ada.get(&back).await.is(303);
    ada.get(&back).await.is(400);
    assert_eq!(ada.get("/api/me").await.json()["spotify"]["id"], "host-1", "the second use changed nothing");
}

#[tokio::test]
async fn a_program_signs_in_with_nothing_but_its_session() {
    let house = House::open().await;
    let mut program = house.visitor("198.51.100.1").await;
    let back = program.consent("host-1", "agree").await;
    program.cookies.retain(|name, _| name.ends_with("parlor_session"));
    program.get(&back).await.is(303);
    assert_eq!(program.get("/api/me").await.json()["spotify"]["id"], "host-1");
    // Another session is another browser.
    let back = program.consent("host-1", "agree").await;
    let mut other = house.visitor("198.51.100.9").await;
    other.get(&back).await.is(400);
    assert_eq!(other.get("/api/me").await.json()["spotify"], Value::Null);
}

#[tokio::test]
async fn an_account_that_the_app_may_not_serve_is_told_so() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    let app = format!("/_sim/apps/{CLIENT_ID}");
    ada.control(&app, json!({"mode": "development", "allowlist": ["host-2"]})).await;
    let back = ada.consent("host-1", "agree").await;
    let page = ada.get(&back).await.is(403);
    assert!(page.text().contains("does not let this app serve your account"));
    assert_eq!(ada.get("/api/me").await.json()["spotify"], Value::Null);
}

#[tokio::test]
async fn a_spotify_that_does_not_answer_leaves_nothing_behind() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    let fault = json!([{"match": {"path": "/api/token"}, "kind": "status", "status": 503, "times": 1}]);
    ada.control("/_sim/faults", fault).await;
    let back = ada.consent("host-1", "agree").await;
    let page = ada.get(&back).await.is(503);
    assert!(!page.header("retry-after").is_empty());
    assert_eq!(ada.get("/api/me").await.json()["spotify"], Value::Null);
}

#[tokio::test]
async fn only_paths_of_ours_are_returned_to() {
    let house = House::open().await;
    let mut ada = house.visitor("198.51.100.1").await;
    for path in
        ["https://evil.example/", "//evil.example", "/%2Fevil.example", "/\\evil.example", "evil", "/%0d%0ax"]
    {
        ada.get(&format!("/auth/login?return_to={path}")).await.problem(400, "bad_request");
    }
    ada.get("/auth/login?return_to=/7KQ2MD").await.is(302);
    ada.get("/auth/login?client_id=nonsense").await.problem(400, "bad_request");
}

#[tokio::test]
async fn every_saved_track_comes_as_one_list() {
    let house = House::open().await;
    let mut ada = house.host("198.51.100.1", "host-1").await;
    let list = ada.get("/api/me/tracks").await.is(200).json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(391));
    assert_eq!(list["total"], 391);
    let item = &list["items"][0];
    assert!(item["added_at"].is_i64() && item["track"]["uri"].is_string(), "{item}");
    let page = ada.get("/api/me/tracks?limit=3&offset=390").await.is(200).json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["items"][0], list["items"][390]);
    ada.get("/api/me/tracks?limit=0").await.problem(400, "bad_request");
    let playlists = ada.get("/api/me/playlists").await.is(200).json();
    assert_eq!(playlists["items"].as_array().map(Vec::len), Some(60));
}
