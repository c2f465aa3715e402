//! The two pages of the accounts service.

use crate::exchange::{Reply, escape};

const STYLE: &str = include_str!("../assets/accounts.css");

/// The accounts on the form; any other well-formed name may be posted too.
const LISTED: [&str; 6] = ["host-1", "host-2", "host-3", "host-4", "host-5", "free-1"];

/// What a scope means to a person; `None` for a scope that does not exist.
pub(super) fn words_for(scope: &str) -> Option<&'static str> {
    Some(match scope {
        "user-read-playback-state" => "See what is playing, and on which of your devices",
        "user-read-currently-playing" => "See which song is playing right now",
        "user-modify-playback-state" => "Control playback: play, pause, skip, volume and queue",
        "user-read-recently-played" => "See what you listened to lately",
        "user-read-playback-position" => "See how far you are in podcasts",
        "user-top-read" => "See your top artists and songs",
        "user-library-read" => "See your saved songs and albums",
        "user-library-modify" => "Change your saved songs and albums",
        "playlist-read-private" => "See your private playlists",
        "playlist-read-collaborative" => "See playlists you make with others",
        "playlist-modify-public" => "Create and change your public playlists",
        "playlist-modify-private" => "Create and change your private playlists",
        "ugc-image-upload" => "Upload pictures for your playlists",
        "user-follow-read" => "See whom you follow",
        "user-follow-modify" => "Change whom you follow",
        "user-read-private" => "See your country and your kind of subscription",
        "user-read-email" => "See your e-mail address",
        "streaming" => "Play music in the browser",
        "app-remote-control" => "Control Spotify on this phone",
        _ => return None,
    })
}

fn document(status: u16, title: &str, main: &str) -> Reply {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · Simulated Spotify</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"brand\"><span class=\"mark\" aria-hidden=\"true\"></span>Simulated Spotify</p>\n{main}\n</main>\n\
         </body>\n</html>\n"
    );
    Reply::typed(status, "text/html; charset=utf-8", html)
        .with("cache-control", "no-store")
        .with("x-frame-options", "deny")
        .with("referrer-policy", "no-referrer")
}

/// What is shown where the browser cannot be sent back.
pub(super) fn error(message: &str) -> Reply {
    let message = escape(message);
    document(
        400,
        "Something is wrong",
        &format!(
            "<h1>This sign-in cannot go on</h1>\n<p class=\"error\" role=\"alert\">{message}</p>\n\
             <p class=\"quiet\">The app that sent you here has to put this right. You were not signed in \
             anywhere.</p>"
        ),
    )
}

/// The consent form.
pub(super) fn consent(fields: &[(&str, String)], client_id: &str, scope: &str) -> Reply {
    use std::fmt::Write;
    let mut hidden = String::new();
    for (name, value) in fields {
        // Writing to a String cannot fail.
        let _ = writeln!(hidden, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    let mut asks = String::new();
    for scope in scope.split(' ').filter_map(words_for) {
        let _ = writeln!(asks, "<li>{scope}</li>");
    }
    if asks.is_empty() {
        asks.push_str("<li>See what anybody can see about you</li>\n");
    }
    let mut users = String::new();
    for name in LISTED {
        let kind = if name.starts_with("free") { "free account" } else { "Premium" };
        let _ = writeln!(users, "<option value=\"{name}\">{name} ({kind})</option>");
    }
    let client = escape(client_id);
    document(
        200,
        "Agree to share",
        &format!(
            "<h1>An app asks for access</h1>\n\
             <p class=\"quiet\">App <code>{client}</code>. None of this is real: no account, no music, no \
             password.</p>\n<form method=\"post\" action=\"/authorize\">\n{hidden}\
             <label for=\"user\">Sign in as</label>\n<select id=\"user\" name=\"user\">\n{users}</select>\n\
             <h2>The app will be able to</h2>\n<ul>\n{asks}</ul>\n<div class=\"buttons\">\n\
             <button class=\"agree\" type=\"submit\" name=\"decision\" value=\"agree\">Agree</button>\n\
             <button type=\"submit\" name=\"decision\" value=\"cancel\">Cancel</button>\n</div>\n</form>"
        ),
    )
}
