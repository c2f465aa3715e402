//! The HTTP side: a session, sign-in through a simulated Spotify, rooms. For tests and the load tester.

use std::collections::BTreeMap;

use protocol::{CreateRoom, JoinRoom, Me, PatchRoom, Problem, RoomView, SettingsPatch};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Config;

/// What this program calls itself in `Parlor-Client`.
const NAME: &str = "room-client";
/// The session's cookie, on http and on https.
const COOKIES: [&str; 2] = ["parlor_session", "__Host-parlor_session"];

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The server refused it.
    #[error("{} {}: {}", .0.status, .0.code.as_str(), .0.detail)]
    Problem(Problem),
    /// The server could not be reached, or what came is not what the contract says.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The answer lacks something that the contract promises.
    #[error("{0}")]
    Unexpected(String),
}

/// A client for any number of visitors: it shares connections, not cookies, and follows no redirect.
pub fn client() -> Result<Client, WebError> {
    Ok(Client::builder().redirect(Policy::none()).tcp_nodelay(true).build()?)
}

/// One browser, as it were: a session of its own.
#[derive(Clone, Debug)]
pub struct Visitor {
    http: Client,
    server: String,
    cookies: BTreeMap<String, String>,
}

/// What a join came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Joined {
    /// A member now, or already.
    Member(Box<RoomView>),
    /// Someone must let the visitor in.
    Waiting,
}

impl Visitor {
    /// A new session with the service at `server` (`http://host:port`).
    pub async fn new(http: Client, server: &str) -> Result<Self, WebError> {
        let mut visitor =
            Self { http, server: server.trim_end_matches('/').to_owned(), cookies: BTreeMap::new() };
        let url = format!("{}/api/me", visitor.server);
        let answer = visitor.http.get(url).send().await?;
        let answer = checked(answer).await?;
        visitor.keep_cookies(&answer);
        visitor.bearer()?;
        Ok(visitor)
    }

    /// The session's value, for `Authorization: Bearer`.
    pub fn bearer(&self) -> Result<&str, WebError> {
        COOKIES
            .iter()
            .find_map(|name| self.cookies.get(*name))
            .map(String::as_str)
            .ok_or_else(|| WebError::Unexpected("no session cookie was set".into()))
    }

    /// The same person at another gateway of the service.
    #[must_use]
    pub fn at(&self, server: &str) -> Self {
        Self { server: server.trim_end_matches('/').to_owned(), ..self.clone() }
    }

    /// What the live connection to the room of `code` needs.
    pub fn config(&self, code: &str) -> Result<Config, WebError> {
        Ok(Config::new(self.server.as_str(), code, self.bearer()?))
    }

    /// Signs in through the simulated Spotify as `user` (`host-1`, …), and so becomes a host.
    pub async fn sign_in(&mut self, user: &str) -> Result<Me, WebError> {
        let begin = format!("{}/auth/login?return_to=/", self.server);
        let authorize = self.browse(&begin).await?;
        let page = self.http.get(&authorize).send().await?.text().await?;
        let mut fields = hidden_fields(&page);
        fields.push(("user".into(), user.into()));
        fields.push(("decision".into(), "agree".into()));
        let action = authorize.split('?').next().unwrap_or_default();
        let agreed = self.http.post(action).form(&fields).send().await?;
        let callback = location(&agreed)?;
        self.browse(&callback).await?;
        let me: Me = self.get("/api/me").await?;
        if me.spotify.is_none() {
            return Err(WebError::Unexpected(format!("{user} is not signed in after the callback")));
        }
        Ok(me)
    }

    /// Makes a room.
    pub async fn create_room(
        &self,
        name: &str,
        settings: Option<SettingsPatch>,
    ) -> Result<RoomView, WebError> {
        self.send(Method::POST, "/api/rooms", &CreateRoom { name: name.into(), settings }).await
    }

    /// Joins the room of `code`.
    pub async fn join(&self, code: &str, name: Option<&str>) -> Result<Joined, WebError> {
        let body = JoinRoom { name: name.map(Into::into) };
        let answer =
            self.request(Method::POST, &format!("/api/rooms/{code}/join"))?.json(&body).send().await?;
        let answer = checked(answer).await?;
        if answer.status() == StatusCode::ACCEPTED {
            return Ok(Joined::Waiting);
        }
        Ok(Joined::Member(answer.json().await?))
    }

    /// Changes a room's name or settings.
    pub async fn patch_room(&self, code: &str, patch: &PatchRoom) -> Result<RoomView, WebError> {
        self.send(Method::PATCH, &format!("/api/rooms/{code}"), patch).await
    }

    /// Reads `path`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, WebError> {
        let answer = self.request(Method::GET, path)?.send().await?;
        Ok(checked(answer).await?.json().await?)
    }

    /// Sends `body` to `path`.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync + ?Sized),
    ) -> Result<T, WebError> {
        let answer = self.request(method, path)?.json(body).send().await?;
        Ok(checked(answer).await?.json().await?)
    }

    /// Any other request, with the session in it.
    pub fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, WebError> {
        let url = format!("{}{path}", self.server);
        Ok(self.http.request(method, url).bearer_auth(self.bearer()?).header("Parlor-Client", NAME))
    }

    /// Goes to a page of the service as a browser does, and tells where it sends us.
    async fn browse(&mut self, url: &str) -> Result<String, WebError> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = self.http.get(url).header(header::COOKIE, cookies.join("; ")).send().await?;
        let answer = checked(answer).await?;
        self.keep_cookies(&answer);
        location(&answer)
    }

    fn keep_cookies(&mut self, answer: &Response) {
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

/// The answer, unless it is an error.
async fn checked(answer: Response) -> Result<Response, WebError> {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(answer);
    }
    let url = answer.url().path().to_owned();
    let text = answer.text().await?;
    match serde_json::from_str(&text) {
        Ok(problem) => Err(WebError::Problem(problem)),
        Err(_) => Err(WebError::Unexpected(format!("{url} answered {status}"))),
    }
}

fn location(answer: &Response) -> Result<String, WebError> {
    let target = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    target.map(str::to_owned).ok_or_else(|| {
        WebError::Unexpected(format!("{} answered {} without Location", answer.url().path(), answer.status()))
    })
}

/// The hidden fields of a page's form. It reads pages of our own simulator alone, so it need not know all of HTML.
fn hidden_fields(page: &str) -> Vec<(String, String)> {
    page.split("<input")
        .skip(1)
        .filter_map(|rest| {
            let tag = rest.split('>').next()?;
            (attribute(tag, "type")? == "hidden").then_some(())?;
            Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
        })
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag[start..].split('"').next()?;
    // `&amp;` last, so that `&amp;lt;` stays the text `&lt;`.
    let entities =
        [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">")];
    let plain = entities.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to));
    Some(plain.replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_are_read_with_their_entities() {
        let page = r#"<form method="post"><input type="hidden" name="state" value="a&amp;b&quot;c">
            <input name="empty" type="hidden"><input type="text" name="user" value="no"></form>"#;
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(hidden_fields(page), [field("state", "a&b\"c"), field("empty", "")]);
    }
}
