//! A store that has lost what it had acknowledged, and gateways that remember.

mod http_support;

use std::time::Duration;

use http_support::{Browser, House};
use serde_json::{Value, json};
use store::memory::Memory;

/// Whatever is to happen has happened by then.
const SOON: Duration = Duration::from_secs(60);

async fn house(memory: &Memory, seed: u64) -> House {
    House::open_on(memory.clone(), seed, |config| config.shared_store = true).await
}

/// The same person at another gateway.
fn at(house: &House, person: &Browser) -> Browser {
    let mut there = house.browser("198.51.100.1");
    there.cookies = person.cookies.clone();
    there
}

/// Waits until the room is so, as that person sees it.
async fn sees(person: &mut Browser, path: &str, is: impl Fn(&Value) -> bool + Send + Sync) -> Value {
    let look = async {
        loop {
            let room = person.get(path).await.is(200).json();
            if is(&room) {
                return room;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, look).await.expect("it comes to be so")
}

async fn room(host: &mut Browser) -> String {
    let made = host.send("POST", "/api/rooms", json!({ "name": "Before" })).await.is(201).json();
    format!("/api/rooms/{}", made["code"].as_str().expect("a code"))
}

#[tokio::test]
async fn what_a_gateway_remembers_comes_back() {
    let memory = Memory::new();
    let (one, two) = (house(&memory, 1).await, house(&memory, 2).await);
    let mut ada = one.host("198.51.100.1", "host-1").await;
    let path = room(&mut ada).await;
    let mut ada_there = at(&two, &ada);
    ada_there.get(&path).await.is(200);
    let replica = memory.replica();
    let lost = ada.send("PATCH", &path, json!({ "name": "After" })).await.is(200).json();
    sees(&mut ada_there, &path, |room| room["version"] == lost["version"]).await;

    memory.fail_over(&replica);
    let newer = |room: &Value| room["version"].as_u64() > lost["version"].as_u64();
    let here = sees(&mut ada, &path, newer).await;
    assert_eq!(here["name"], "After");
    let there = sees(&mut ada_there, &path, newer).await;
    assert_eq!(there["name"], "After");
    // And it goes on, at both.
    let next = ada_there.send("PATCH", &path, json!({ "name": "Later" })).await.is(200).json();
    let here = sees(&mut ada, &path, |room| room["name"] == "Later").await;
    assert_eq!(here["version"], next["version"]);
}

#[tokio::test]
async fn a_room_that_the_store_has_lost_altogether_comes_back() {
    let memory = Memory::new();
    let one = house(&memory, 1).await;
    let mut ada = one.host("198.51.100.1", "host-1").await;
    let replica = memory.replica();
    let path = room(&mut ada).await;
    let made = ada.get(&path).await.is(200).json();
    memory.fail_over(&replica);
    let back = sees(&mut ada, &path, |room| room["version"].as_u64() > made["version"].as_u64()).await;
    assert_eq!(back["name"], "Before");
    // Another gateway finds it in the store.
    let two = house(&memory, 2).await;
    assert_eq!(at(&two, &ada).get(&path).await.is(200).json()["version"], back["version"]);
}

#[tokio::test]
async fn where_nobody_remembers_versions_grow_beyond_what_was_lost() {
    let memory = Memory::new();
    let one = house(&memory, 1).await;
    let mut ada = one.host("198.51.100.1", "host-1").await;
    let path = room(&mut ada).await;
    let replica = memory.replica();
    let lost = ada.send("PATCH", &path, json!({ "name": "After" })).await.is(200).json();
    // The gateway that remembers does not reach the server that takes over.
    let memory = Memory::new();
    memory.fail_over(&replica);
    let two = house(&memory, 2).await;
    let mut ada = at(&two, &ada);
    let newer = |room: &Value| room["version"].as_u64() > lost["version"].as_u64();
    assert_eq!(sees(&mut ada, &path, newer).await["name"], "Before");
}
