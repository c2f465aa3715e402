//! `GET /player/{user}`: plays the part of Spotify's own app, on the host's own device.

use crate::exchange::{Call, Reply};
use crate::world::account::User;

const HTML: &str = include_str!("assets/player.html");
const SCRIPT: &str = include_str!("assets/player.js");
const STYLE: &str = include_str!("assets/player.css");
const LIST: &str = include_str!("assets/list.html");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'";

/// Everything that is neither Spotify's nor a control.
pub(crate) fn page(call: &Call) -> Reply {
    if call.method != http::Method::GET {
        return Reply::empty(405);
    }
    let html = |text: &str| Reply::typed(200, "text/html; charset=utf-8", text);
    let reply = match call.path.as_str() {
        "/player.js" => Reply::typed(200, "text/javascript; charset=utf-8", SCRIPT),
        "/player.css" => Reply::typed(200, "text/css; charset=utf-8", STYLE),
        "/" | "/player" | "/player/" => html(LIST),
        path => match path.strip_prefix("/player/").and_then(User::parse) {
            Some(user) => html(&HTML.replace("{user}", &user.to_string())),
            None => return Reply::typed(404, "text/plain; charset=utf-8", "There is nothing here"),
        },
    };
    reply
        .with("content-security-policy", POLICY)
        .with("x-content-type-options", "nosniff")
        .with("cache-control", "no-cache")
}
