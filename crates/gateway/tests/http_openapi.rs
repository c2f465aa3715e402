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

/// An absent key stays as it is; null is another thing, and refused of most.
#[test]
fn no_key_is_said_to_be_null_where_it_is_absent() {
    fn look(value: &serde_json::Value, path: &str) {
        if let Some(keys) = value.as_object() {
            assert!(!keys.get("default").is_some_and(serde_json::Value::is_null), "{path}");
            keys.iter().for_each(|(key, value)| look(value, &format!("{path}/{key}")));
        }
        value.as_array().into_iter().flatten().for_each(|value| look(value, path));
    }
    look(&serde_json::to_value(gateway::http::openapi()).expect("JSON"), "");
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

#[test]
fn every_refusal_is_described_as_what_it_is() {
    let description = serde_json::to_value(gateway::http::openapi()).expect("JSON");
    let mut refusals = 0;
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let responses = operation["responses"].as_object().expect("responses");
            assert!(!path.starts_with("/api/") || responses.contains_key("default"), "{method} {path}");
            for (status, response) in responses {
                let content = response["content"].as_object().into_iter().flatten();
                for (kind, content) in content {
                    let is_problem = content["schema"]["$ref"] == "#/components/schemas/Problem";
                    assert_eq!(
                        is_problem,
                        kind == "application/problem+json",
                        "{method} {path} {status}: {kind}"
                    );
                    refusals += usize::from(is_problem);
                }
            }
        }
    }
    assert!(refusals > 40, "{refusals}");
    assert!(description["paths"]["/api/rooms/{code}/live"]["get"]["responses"]["101"].is_object());
    assert!(description["components"]["securitySchemes"]["bearer"].is_object());
}
