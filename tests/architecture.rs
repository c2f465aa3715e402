//! Which crate may know which, read from the manifests. A new arrow is a design review, and a line here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What each crate may depend on, of ours; tests of a crate too.
const ARROWS: [(&str, &[&str]); 12] = [
    ("kernel", &[]),
    ("protocol", &[]),
    ("rooms", &["kernel"]),
    ("auth", &["kernel"]),
    ("spotify-api", &["kernel"]),
    ("store", &["kernel"]),
    ("spotify-sim", &["kernel"]),
    ("room-client", &["kernel", "protocol"]),
    // The simulator is what the gateway's tests run against; the gateway itself does not know it.
    ("gateway", &["auth", "kernel", "protocol", "rooms", "spotify-api", "spotify-sim", "store"]),
    ("loadtest", &["kernel", "protocol", "room-client"]),
    ("parlor", &["auth", "gateway", "kernel", "spotify-api", "spotify-sim", "store"]),
    ("xtask", &[]),
];

/// Crates that decide, and what must not be in them: runtimes, HTTP, databases.
const PURE: [&str; 4] = ["kernel", "protocol", "rooms", "auth"];
const LUGGAGE: [&str; 9] =
    ["axum", "hyper", "reqwest", "rusqlite", "redis", "tokio", "tokio-tungstenite", "tokio-util", "tower"];

fn manifests() -> BTreeMap<String, String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    fs::read_dir(crates)
        .expect("the crates are beside the tests")
        .map(|entry| {
            let entry = entry.expect("a readable folder");
            let manifest =
                fs::read_to_string(entry.path().join("Cargo.toml")).expect("each crate has a manifest");
            (entry.file_name().to_string_lossy().into_owned(), manifest)
        })
        .collect()
}

/// The dependencies named in those sections of a manifest.
fn named(manifest: &str, sections: &[&str]) -> BTreeSet<String> {
    let mut within = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            within = sections.contains(&section.trim_end_matches(']'));
        } else if within && !line.starts_with('#') {
            let name: String =
                line.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)).collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn arrows_point_one_way() {
    let manifests = manifests();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, to)| (*name, to.iter().copied().collect())).collect();
    assert_eq!(
        manifests.keys().map(String::as_str).collect::<Vec<_>>(),
        allowed.keys().copied().collect::<Vec<_>>(),
        "every crate has its line in ARROWS"
    );
    for (name, manifest) in &manifests {
        for to in named(manifest, &["dependencies", "dev-dependencies", "build-dependencies"]) {
            let ours = allowed.contains_key(to.as_str());
            assert!(!ours || allowed[name.as_str()].contains(to.as_str()), "{name} must not know {to}");
        }
    }
}

#[test]
fn what_decides_carries_no_luggage() {
    let manifests = manifests();
    for name in PURE {
        for to in named(&manifests[name], &["dependencies"]) {
            assert!(!LUGGAGE.contains(&to.as_str()), "{name} decides, and must not depend on {to}");
        }
    }
}

#[test]
fn the_gateway_itself_does_not_know_the_simulator() {
    assert!(!named(&manifests()["gateway"], &["dependencies"]).contains("spotify-sim"));
}
