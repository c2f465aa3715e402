//! `/authorize`: what is asked for, whether it can be, and the answer that goes back with the browser.

use http::Method;
use kernel::Timestamp;

use super::page;
use crate::exchange::{Call, Reply, encode, parse_form};
use crate::world::World;
use crate::world::account::User;
use crate::world::apps::is_client_id;

/// The parameters that the consent form carries on.
const CARRIED: [&str; 8] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "state",
    "scope",
    "show_dialog",
    "code_challenge_method",
    "code_challenge",
];

/// A request that may be shown to a person.
struct Request {
    fields: Vec<(&'static str, String)>,
    redirect_uri: String,
    state: Option<String>,
    scope: String,
    challenge: Option<String>,
    client_id: String,
}

/// Why there is no consent form.
enum Wrong {
    /// Nowhere to send the browser back to: an error page.
    Page(&'static str),
    /// The app is told.
    Back { redirect_uri: String, state: Option<String>, error: &'static str },
}

fn read(world: &World, given: &[(String, String)]) -> Result<Request, Wrong> {
    let field = |key: &str| given.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    let client_id = field("client_id").filter(|id| is_client_id(id));
    let client_id = client_id.ok_or(Wrong::Page("INVALID_CLIENT: Invalid client"))?;
    let redirect_uri = field("redirect_uri").ok_or(Wrong::Page("redirect_uri: Missing"))?;
    if !world.is_registered(&redirect_uri) {
        return Err(Wrong::Page("redirect_uri: Not matching configuration"));
    }
    let state = field("state");
    let back = |error| Wrong::Back { redirect_uri: redirect_uri.clone(), state: state.clone(), error };
    if field("response_type").as_deref() != Some("code") {
        return Err(back("unsupported_response_type"));
    }
    let challenge = field("code_challenge");
    let well_formed = challenge.as_ref().is_none_or(|text| {
        text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    let method = field("code_challenge_method");
    let paired = match (&challenge, method.as_deref()) {
        (Some(_), Some("S256")) | (None, None) => true,
        (Some(_) | None, _) => false,
    };
    if !well_formed || !paired {
        return Err(back("invalid_request"));
    }
    let scope = field("scope").unwrap_or_default();
    if scope.split(' ').any(|scope| !scope.is_empty() && page::words_for(scope).is_none()) {
        return Err(back("invalid_scope"));
    }
    let fields = CARRIED.into_iter().filter_map(|key| Some((key, field(key)?))).collect();
    Ok(Request { fields, redirect_uri, state, scope, challenge, client_id })
}

/// The redirect back to the app.
fn back(redirect_uri: &str, state: Option<&str>, key: &str, value: &str) -> Reply {
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let state = state.map_or(String::new(), |state| format!("&state={}", encode(state)));
    let target = format!("{redirect_uri}{joint}{key}={}{state}", encode(value));
    Reply::empty(302).with("location", target).with("cache-control", "no-store")
}

fn wrong(wrong: &Wrong) -> Reply {
    match wrong {
        Wrong::Page(message) => page::error(message),
        Wrong::Back { redirect_uri, state, error } => back(redirect_uri, state.as_deref(), "error", error),
    }
}

/// `GET /authorize`: the consent form. It is shown even where `show_dialog=false` would let a returning user pass,
/// because the choice of the account is on it.
pub(crate) fn form(world: &World, call: &Call) -> Reply {
    match read(world, &call.query) {
        Ok(request) => page::consent(&request.fields, &request.client_id, &request.scope),
        Err(error) => wrong(&error),
    }
}

/// `POST /authorize`: what the person decided. Also whose decision it was.
pub(crate) fn submit(world: &mut World, call: &Call, now: Timestamp) -> Reply {
    debug_assert_eq!(call.method, Method::POST);
    let given = parse_form(&String::from_utf8_lossy(&call.body));
    let request = match read(world, &given) {
        Ok(request) => request,
        Err(error) => return wrong(&error),
    };
    let field = |key: &str| given.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let state = request.state.as_deref();
    match (field("decision"), field("user").and_then(User::parse)) {
        (Some("agree"), Some(user)) => {
            let Request { client_id, redirect_uri, scope, challenge, .. } = &request;
            let code = world.authorize(user, client_id, redirect_uri, scope, challenge.clone(), now);
            back(redirect_uri, state, "code", &code)
        }
        (Some("cancel"), _) => back(&request.redirect_uri, state, "error", "access_denied"),
        (Some("agree"), None) => page::error("There is no such account in this simulator"),
        _ => page::error("The form was not complete"),
    }
}
