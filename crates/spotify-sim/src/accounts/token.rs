//! `/api/token`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::Timestamp;
use serde_json::json;

use crate::exchange::{Call, Reply, parse_form};
use crate::world::World;
use crate::world::account::User;
use crate::world::oauth::{Client, OauthError, Tokens};

struct Form(Vec<(String, String)>);

impl Form {
    fn of(call: &Call) -> Option<Self> {
        let kind = call.header("content-type")?;
        let is_form =
            kind.split(';').next()?.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded");
        is_form.then(|| Self(parse_form(&String::from_utf8_lossy(&call.body))))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Whose code or refresh token a call carries.
pub(crate) fn user_behind(world: &World, call: &Call) -> Option<User> {
    let form = Form::of(call)?;
    world.user_behind(form.get("code"), form.get("refresh_token"))
}

/// The client by its Basic header, or by the form (PKCE has no secret; some clients send one there).
fn client(call: &Call, form: &Form) -> Client {
    let basic =
        call.header("authorization").and_then(|value| value.strip_prefix("Basic ")).and_then(|text| {
            let pair = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
            let (id, secret) = pair.split_once(':')?;
            Some((id.to_owned(), secret.to_owned()))
        });
    match basic {
        Some((id, secret)) => Client { id: Some(id), secret: Some(secret) },
        None => Client {
            id: form.get("client_id").map(str::to_owned),
            secret: form.get("client_secret").map(str::to_owned),
        },
    }
}

fn refused(error: OauthError) -> Reply {
    let mut body = json!({ "error": error.error });
    if let Some(description) = error.description {
        body["error_description"] = description.into();
    }
    Reply::json(400, &body)
}

/// What the accounts service answers to a call that was ordered to fail.
pub(crate) fn failure(status: u16) -> Reply {
    let error = if (400..500).contains(&status) { "invalid_request" } else { "server_error" };
    Reply::json(status, &json!({ "error": error }))
}

fn given(tokens: &Tokens) -> Reply {
    let mut body = json!({
        "access_token": tokens.access, "token_type": "Bearer",
        "scope": tokens.scope, "expires_in": tokens.expires_in,
    });
    if let Some(refresh) = &tokens.refresh {
        body["refresh_token"] = refresh.as_str().into();
    }
    Reply::json(200, &body)
}

/// Answers a call of the token endpoint.
pub(crate) fn token(world: &mut World, call: &Call, now: Timestamp) -> Reply {
    let Some(form) = Form::of(call) else {
        return Reply::typed(415, "text/plain; charset=utf-8", "Unsupported Media Type");
    };
    let client = client(call, &form);
    let missing = |description| OauthError { error: "invalid_request", description: Some(description) };
    let result = match form.get("grant_type") {
        Some("authorization_code") => match (form.get("code"), form.get("redirect_uri")) {
            (Some(code), Some(redirect_uri)) => {
                world.exchange(&client, code, redirect_uri, form.get("code_verifier"), now)
            }
            (None, _) => Err(missing("code must be supplied")),
            (_, None) => Err(missing("redirect_uri must be supplied")),
        },
        Some("refresh_token") => match form.get("refresh_token") {
            Some(refresh) => world.refresh(&client, refresh, now),
            None => Err(missing("refresh_token must be supplied")),
        },
        _ => Err(World::check_client(&client).err().unwrap_or(OauthError {
            error: "unsupported_grant_type",
            description: Some("grant_type must be authorization_code or refresh_token"),
        })),
    };
    match result {
        Ok(tokens) => given(&tokens),
        Err(error) => refused(error),
    }
    .with("cache-control", "no-store")
}
