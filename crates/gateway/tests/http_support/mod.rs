//! A gateway over the memory store, asked through its router, and the browsers that ask.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses its part of this")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use gateway::http::Readiness;
use gateway::hub::{Hub, HubParts};
use gateway::live::{LiveSessions, Turns};
use gateway::net::{LiveLimits, PeerAddr, Sockets};
use gateway::sessions::Sessions;
use gateway::spotify::{Spotify, SpotifyParts};
use gateway::tokens::{TokenParts, Tokens};
use gateway::{Config, LeaseParts, Nodes, Parts, PartsList, Pulse, Terms, Time};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kernel::{BootClock, Clock, Entropy, MovableClock, NodeId, SeededEntropy, SystemClock};
use serde_json::Value;
use spotify_api::{CallPlan, Client, ClientConfig};
use spotify_sim::{Sim, SimConfig};
use store::memory::Memory;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub(crate) const PUBLIC_URL: &str = "http://127.0.0.1:8080";
pub(crate) const CLIENT_ID: &str = "0123456789abcdef0123456789abcdef";

/// A gateway, its store, its clock, and the Spotify that it asks.
pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) parts: Parts,
    pub(crate) memory: Memory,
    pub(crate) clock: MovableClock,
    pub(crate) spotify: SocketAddr,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(decide: impl FnOnce(&mut Config)) -> Self {
        Self::open_on(Memory::new(), 11, decide).await
    }

    /// One of several over the same store, each with a seed of its own.
    pub(crate) async fn open_on(memory: Memory, seed: u64, decide: impl FnOnce(&mut Config)) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = MovableClock::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let spotify = listener.local_addr().expect("an address");
        let sim = Sim::new(SimConfig { seed: 7, clock: clock.clone() });
        tokio::spawn(sim.serve(listener, std::future::pending()));

        let mut config = Config {
            public_url: PUBLIC_URL.to_owned(),
            client_id: Some(CLIENT_ID.to_owned()),
            client_secret: None,
            calls: CallPlan::extended(),
            code_length: 6,
            max_members: 100,
            max_rooms_per_host: 2,
            trusted_proxies: Vec::new(),
            metrics_apart: false,
            demo_spotify: None,
            shared_store: false,
            heartbeat_ms: 15_000,
        };
        decide(&mut config);
        let store = memory.store();
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let time: Arc<dyn Clock> = Arc::new(clock.clone());
        let node = NodeId::generate(entropy.as_ref());
        let keys = auth::KeyRing::parse(auth::KeyRing::generate_text(entropy.as_ref()).expose());
        let vault = auth::Vault::new(keys.expect("a key"));
        let address = format!("http://{spotify}");
        let client = Client::new(ClientConfig {
            accounts_url: address.clone(),
            api_url: address,
            clock: time.clone(),
        });
        let client = client.expect("a client");
        let leases = LeaseParts {
            leases: store.leases.clone(),
            node: node.clone(),
            wall: Arc::new(SystemClock),
            own: Arc::new(BootClock),
            terms: Terms::ALONE,
        };
        let nodes = Nodes::new(leases.clone());
        let tokens = Tokens::new(TokenParts {
            accounts: store.accounts.clone(),
            vault: vault.clone(),
            entropy: entropy.clone(),
            clock: time.clone(),
            client: client.clone(),
            app: None,
            leases,
            limits: store.limits.clone(),
        });
        let spotify_asked = Spotify::new(SpotifyParts {
            client,
            app: None,
            calls: config.calls.clone(),
            tokens: tokens.clone(),
            limits: store.limits.clone(),
            shared: false,
            clock: time.clone(),
        });
        let tracker = TaskTracker::new();
        let pulse = Pulse::new();
        let hub = Hub::new(HubParts {
            store: store.clone(),
            pulse: pulse.clone(),
            time: Time::new(time.clone()),
            node: node.clone(),
            nodes: nodes.clone(),
            shared: config.shared_store,
            max_members: config.max_members,
            tracker: tracker.clone(),
            on_wake: Arc::new(|_| {}),
        });
        let sessions = Sessions::new(store.clone(), pulse.clone(), time.clone(), entropy.clone(), &config);
        let readiness = Readiness::new();
        readiness.set_ready();
        let parts = PartsList {
            config,
            clock: time,
            entropy,
            store,
            node,
            nodes,
            vault,
            spotify: spotify_asked,
            tokens,
            hub,
            sessions,
            readiness,
            pulse,
            sockets: Sockets::new(LiveLimits::default(), tracker.clone()),
            live: Arc::new(LiveSessions::default()),
            turns: Turns::default(),
            tracker,
        };
        let parts = Parts::from(parts);
        let router = gateway::http::router(parts.clone());
        Self { router, parts, memory, clock, spotify }
    }

    /// A browser without cookies, at an address of its own.
    pub(crate) fn browser(&self, ip: &str) -> Browser {
        Browser {
            router: self.router.clone(),
            peer: SocketAddr::new(ip.parse().expect("an address"), 50_000),
            cookies: BTreeMap::new(),
            spotify: self.spotify,
        }
    }

    /// A browser that has a session.
    pub(crate) async fn visitor(&self, ip: &str) -> Browser {
        let mut browser = self.browser(ip);
        browser.get("/api/me").await.is(200);
        browser
    }

    /// A browser that is signed in with that account.
    pub(crate) async fn host(&self, ip: &str, user: &str) -> Browser {
        let mut browser = self.visitor(ip).await;
        browser.sign_in(user).await;
        browser
    }
}

/// A browser: keeps cookies, says where it comes from.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    peer: SocketAddr,
    pub(crate) cookies: BTreeMap<String, String>,
    spotify: SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) asked: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}: {}", self.asked, self.text());
        self
    }

    /// A problem of that status and code.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Self {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{}: {}", self.asked, self.text());
        assert_eq!(self.json()["code"], code, "{}: {}", self.asked, self.text());
        assert_eq!(self.json()["status"], status, "{}", self.asked);
        self.is(status)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], Vec::new()).await
    }

    /// As our own page would.
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let method = method.parse().expect("a method");
        let headers = [("origin", PUBLIC_URL), ("content-type", "application/json")];
        self.ask(method, path, &headers, body.to_string().into_bytes()).await
    }

    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let asked = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, "127.0.0.1:8080");
        }
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).expect("a request");
        request.extensions_mut().insert(PeerAddr(self.peer));
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (head, body) = response.into_parts();
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Answer { asked, status: head.status, headers: head.headers, body }
    }

    /// Goes to Spotify, answers its form, and gives the path that Spotify sends the browser back to.
    pub(crate) async fn consent(&mut self, user: &str, decision: &str) -> String {
        let answer = self.get("/auth/login?return_to=/new").await.is(302);
        let address = answer.header("location").to_owned();
        let (_, query) = address.split_once('?').expect("a query");
        let page = self.at_spotify("GET", &format!("/authorize?{query}"), String::new()).await.1;
        let mut form: Vec<String> = page
            .split("<input type=\"hidden\" name=\"")
            .skip(1)
            .filter_map(|rest| {
                let (name, rest) = rest.split_once('"')?;
                let value = rest.split_once("value=\"")?.1.split_once('"')?.0;
                Some(format!("{}={}", form_text(name), form_text(&unescape(value))))
            })
            .collect();
        form.extend([format!("user={user}"), format!("decision={decision}")]);
        let back = self.at_spotify("POST", "/authorize", form.join("&")).await.0;
        back.strip_prefix(PUBLIC_URL).expect("our redirect URI").to_owned()
    }

    /// Signs in, and ends where it wanted to be.
    pub(crate) async fn sign_in(&mut self, user: &str) {
        let back = self.consent(user, "agree").await;
        let answer = self.get(&back).await.is(303);
        assert_eq!(answer.header("location"), "/new");
    }

    /// One plain HTTP/1.1 exchange with the simulator: the `Location` and the body of its answer.
    async fn at_spotify(&self, method: &str, path: &str, body: String) -> (String, String) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(self.spotify).await.expect("the simulator");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.spotify,
            body.len(),
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let location = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
        });
        (location.unwrap_or_default(), body.to_owned())
    }

    /// A control of the simulator.
    pub(crate) async fn control(&self, path: &str, body: Value) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let body = body.to_string();
        let mut stream = tokio::net::TcpStream::connect(self.spotify).await.expect("the simulator");
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            self.spotify,
            body.len(),
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 2"), "{path}: {answer}");
    }
}

fn form_text(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}
