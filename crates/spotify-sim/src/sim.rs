//! The simulator as a service: reads a request to its end, counts it, lets it run into the faults that were ordered,
//! and hands it to the rules. The world is locked for the rules alone, never while anything waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use kernel::{Clock, MovableClock};

use crate::exchange::{Call, JSON, Reply, parse_form};
use crate::world::World;
use crate::world::account::User;
use crate::world::calls::CallKey;
use crate::world::faults::{Fault, FaultKind, Seen};
use crate::{accounts, api, art, control, pages};

/// What a simulator is made from.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Decides the catalogue, what accounts start with, the signatures of tokens, and all chance.
    pub seed: u64,
    /// The simulator's time. `POST /_sim/clock` moves it, and with it every clone.
    pub clock: MovableClock,
}

/// A simulated Spotify. Clones share everything.
#[derive(Clone, Debug)]
pub struct Sim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    clock: MovableClock,
}

/// The largest body that is read.
const BODY_MAX: usize = 1 << 20;

/// Marks an answer that must not be sent: the connection is torn down instead. Whoever serves [`Sim::router`] without
/// [`Sim::serve`] sees a 502 with no body in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TearDown;

impl Sim {
    /// A world in which nothing has happened yet.
    pub fn new(config: SimConfig) -> Self {
        let SimConfig { seed, clock } = config;
        Self(Arc::new(Shared { world: Mutex::new(World::new(seed)), clock }))
    }

    /// Gives every app one more redirect URI, whatever Spotify would say to it: a demo in a home network has no https.
    pub fn register_redirect(&self, uri: String) {
        self.with(|world| world.own_redirect = Some(uri));
    }

    /// All of it as one service: accounts service, Web API, controls, pages, pictures.
    pub fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.0.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, call: &Call) -> Reply {
        let now = self.0.clock.now();
        self.with(|world| match call.path.as_str() {
            "/authorize" if call.method == http::Method::GET => accounts::form(world, call),
            "/authorize" if call.method == http::Method::POST => accounts::submit(world, call, now),
            "/api/token" if call.method == http::Method::POST => accounts::token(world, call, now),
            "/authorize" | "/api/token" => Reply::empty(405),
            _ => api::answer(world, call, now),
        })
    }

    /// Whose call it is, as far as that can be known before it is carried out.
    fn user_of(world: &World, call: &Call) -> Option<User> {
        match call.path.as_str() {
            "/api/token" => accounts::user_behind(world, call),
            "/authorize" => {
                let form = parse_form(&String::from_utf8_lossy(&call.body));
                form.iter().find(|(key, _)| key == "user").and_then(|(_, name)| User::parse(name))
            }
            _ => api::user_of(world, call),
        }
    }

    /// One call of Spotify's own surface.
    async fn spotify(&self, call: &Call) -> Response {
        let path = if call.path.starts_with("/v1") { api::template(call) } else { call.path.clone() };
        let (key, fault) = self.with(|world| {
            let user = Self::user_of(world, call);
            let method = call.method.as_str();
            let fault = world.fault_for(Seen { method, template: &path, path: &call.path, user });
            let key = CallKey { path, method: method.to_owned(), status: 0, user };
            world.calls.add(key.clone());
            (key, fault)
        });
        let reply = match fault {
            None => Some(self.answer(call)),
            Some(fault) => self.faulted(call, &fault).await,
        };
        let Some(reply) = reply else {
            let mut torn = Response::new(Body::empty());
            *torn.status_mut() = StatusCode::BAD_GATEWAY;
            torn.extensions_mut().insert(TearDown);
            return torn;
        };
        let after = CallKey { status: reply.status, ..key.clone() };
        self.with(|world| world.calls.answered(&key, after));
        response(reply)
    }

    /// A call that a fault strikes; `None` where the connection is torn down.
    async fn faulted(&self, call: &Call, fault: &Fault) -> Option<Reply> {
        let done = (!fault.before_effect).then(|| self.answer(call));
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        match fault.kind {
            FaultKind::Delay => {
                let real = done.unwrap_or_else(|| self.answer(call));
                Some(decorated(worded(fault, real.status).unwrap_or(real), fault))
            }
            FaultKind::Duplicate => {
                let first = done.unwrap_or_else(|| self.answer(call));
                drop(self.answer(call));
                Some(decorated(first, fault))
            }
            // The client's disconnect drops this future, and with it the wait.
            FaultKind::Hang => std::future::pending().await,
            FaultKind::Reset => None,
            FaultKind::Status(status) => Some(failed(call, fault, status)),
            FaultKind::Garbage => {
                let status = fault.status.unwrap_or(200);
                let whole = br#"{"device":{"id":"5fbb","is_active":true,"name":"Kit"#;
                let body = fault.body.as_ref().map_or(whole.to_vec(), |(text, _)| text.clone().into_bytes());
                Some(decorated(Reply::typed(status, JSON, body), fault))
            }
        }
    }
}

/// The answer that a fault orders.
fn failed(call: &Call, fault: &Fault, status: u16) -> Reply {
    let unworded = || match status {
        204 => Reply::empty(status),
        _ if call.path.starts_with("/v1/") => api::failure(call, status),
        _ => accounts::failure(status),
    };
    decorated(worded(fault, status).unwrap_or_else(unworded), fault)
}

/// The body that was ordered, where one was.
fn worded(fault: &Fault, status: u16) -> Option<Reply> {
    let (text, is_json) = fault.body.as_ref()?;
    let content_type = if *is_json { JSON } else { "text/plain; charset=utf-8" };
    Some(Reply::typed(status, content_type, text.clone()))
}

/// With the headers that were ordered. Spotify says on every 429 how long to wait.
fn decorated(reply: Reply, fault: &Fault) -> Reply {
    let reply =
        fault.headers.iter().cloned().fold(reply, |reply, (name, value)| reply.replacing(name, value));
    if reply.status == 429 && !reply.has("retry-after") {
        return reply.with("retry-after", "5");
    }
    reply
}

fn response(reply: Reply) -> Response {
    let mut made = Response::new(Body::from(reply.body));
    *made.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::try_from(value))
        {
            made.headers_mut().append(name, value);
        }
    }
    made
}

/// Reads a request to its end.
async fn read(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX).collect().await.ok()?.to_bytes();
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok());
    let base = format!("http://{}", host.unwrap_or("127.0.0.1"));
    Some(Call {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parse_form(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body,
        base,
    })
}

async fn handle(State(sim): State<Sim>, request: Request) -> Response {
    let Some(call) = read(request).await else { return response(Reply::empty(413)) };
    let path = call.path.as_str();
    if path.starts_with("/_sim/") {
        return response(sim.with(|world| control::answer(world, &sim.0.clock, &call)));
    }
    if let Some(name) = path.strip_prefix("/image/") {
        return response(art::image(name));
    }
    if path == "/authorize" || path == "/api/token" || path.starts_with("/v1/") {
        return sim.spotify(&call).await;
    }
    response(pages::page(&call))
}
