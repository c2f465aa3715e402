//! The committed description is that of the code. `PARLOR_WRITE=1` writes it.

use std::collections::BTreeSet;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/openapi.json");

#[test]
fn the_committed_description_is_up_to_date() {
    let mut fresh = gateway::http::openapi().to_pretty_json().expect("JSON");
    fresh.push('\n');
    if std::env::var_os("PARLOR_WRITE").is_some() {
        std::fs::write(PATH, &fresh).expect("written");
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(committed == fresh, "crates/protocol/openapi.json is stale: run the test with PARLOR_WRITE=1");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let description = serde_json::to_value(gateway::http::openapi()).expect("JSON");
    let mut names = BTreeSet::new();
    let paths = description["paths"].as_object().expect("paths").values();
    for operation in paths.flat_map(|path| path.as_object().expect("methods").values()) {
        if let Some(name) = operation["operationId"].as_str() {
            assert!(names.insert(name.to_owned()), "{name} names two operations");
        }
    }
    assert!(names.len() > 10);
}
