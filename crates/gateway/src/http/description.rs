//! What every operation's description has in common, added in one place: how a caller shows who it is, and the shape of
//! every refusal.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Components, ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// Adds it.
pub(super) fn complete(mut description: OpenApi) -> OpenApi {
    for (path, item) in &mut description.paths.paths {
        for operation in operations(item) {
            let responses = &mut operation.responses.responses;
            for response in responses.values_mut() {
                if let RefOr::T(response) = response {
                    name_problems(response);
                }
            }
            if path.starts_with("/api/") {
                responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(any_problem()));
            }
        }
    }
    let components = description.components.get_or_insert_with(Components::new);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        "parlor_session",
        "The session, on https `__Host-parlor_session`; what changes something also needs the page's `Origin`, or the \
         header `Parlor-Client`.",
    )));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The same value."));
    components.add_security_scheme("cookie", cookie);
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let requirement = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    // Some ask for nobody: they make a session, or are everyone's.
    description.security =
        Some(vec![requirement("cookie"), requirement("bearer"), SecurityRequirement::default()]);
    description
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete].into_iter().filter_map(Option::as_mut)
}

/// RFC 9457 has a media type of its own.
fn name_problems(response: &mut Response) {
    let is_problem = response.content.get(JSON).is_some_and(|content| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
    });
    if is_problem && let Some(content) = response.content.shift_remove(JSON) {
        response.content.insert(PROBLEM.to_owned(), content);
    }
}

fn any_problem() -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(
            "Refused, or not possible now: `code` says why, `Retry-After` when it is worth asking again.",
        )
        .content(PROBLEM, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}
