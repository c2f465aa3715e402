//! Someone in a room who writes everything down: each frame, each command, each connection. Unlike `room-client` it goes
//! to the next gateway where one does not answer, as a browser behind a balancer does, and asks there again under the
//! same id.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use kernel::{Clock, SystemClock};
use protocol::{ClientFrame, Code, CommandBody, RoomView};
use room_client::{Answer, Change, Mirror, read_frame};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::journal::{Entry, Seen, What, digest};

/// An attempt that takes longer has failed, and a command that is not answered for so long is taken elsewhere.
const PATIENCE: Duration = Duration::from_secs(4);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(150);
/// The server pings every 15 s; 8 s more, and it is gone.
const SILENCE: Duration = Duration::from_secs(23);
/// How often it looks whether something has to be said again.
const LOOK: Duration = Duration::from_millis(100);
/// A command that was refused for now is said again after this.
const AGAIN: Duration = Duration::from_millis(700);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Answered = oneshot::Sender<Result<u64, Code>>;

/// Where a client stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Stand {
    /// The gateway that has greeted it on the present connection.
    pub(super) at: Option<usize>,
    /// The room.
    pub(super) room: Option<Arc<RoomView>>,
    /// Commands without an answer.
    pub(super) waiting: usize,
}

enum Ask {
    Command(CommandBody, Answered),
    Home,
}

/// A client; it ends with this.
pub(super) struct Client {
    pub(super) member: String,
    pub(super) home: usize,
    asks: mpsc::Sender<Ask>,
    stand: watch::Receiver<Stand>,
    journal: Arc<Mutex<Vec<Entry>>>,
}

impl Client {
    /// Enters the room of `code` at the gateway `home` of these.
    pub(super) fn enter(
        places: &[String],
        home: usize,
        code: &str,
        bearer: &str,
        member: String,
    ) -> Result<Self> {
        let (asks, asked) = mpsc::channel(64);
        let (stands, stand) = watch::channel(Stand::default());
        let journal: Arc<Mutex<Vec<Entry>>> = Arc::default();
        let mut bearer = HeaderValue::from_str(&format!("Bearer {bearer}"))?;
        bearer.set_sensitive(true);
        let task = Task {
            paths: places
                .iter()
                .map(|place| format!("ws{}/api/rooms/{code}/live", place.trim_start_matches("http")))
                .collect(),
            prefix: member.chars().take(24).collect(),
            bearer,
            home,
            attempt: 0,
            asked,
            stands,
            journal: Arc::clone(&journal),
            mirror: Mirror::default(),
            waiting: BTreeMap::new(),
            numbered: 0,
        };
        tokio::spawn(task.run());
        Ok(Self { member, home, asks, stand, journal })
    }

    /// Where it stands.
    pub(super) fn stand(&self) -> Stand {
        self.stand.borrow().clone()
    }

    /// Waits until it stands so.
    pub(super) async fn stands(
        &self,
        is: impl Fn(&Stand) -> bool + Send + Sync,
        within: Duration,
    ) -> Result<Stand> {
        let mut stand = self.stand.clone();
        let found = timeout(within, stand.wait_for(is)).await.context("not in time")??;
        Ok(found.clone())
    }

    /// Gives a command; it is said again until it is answered.
    pub(super) async fn does(&self, body: CommandBody) -> Result<Result<u64, Code>> {
        let (answered, answer) = oneshot::channel();
        self.asks.send(Ask::Command(body, answered)).await.ok().context("the client has ended")?;
        answer.await.context("the client has ended")
    }

    /// Returns to its own gateway where it is elsewhere.
    pub(super) async fn go_home(&self) {
        // A client that has ended has no home.
        let _ = self.asks.send(Ask::Home).await;
    }

    /// What has happened since this was last asked.
    pub(super) fn take_journal(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A command without an answer.
struct Waiting {
    text: String,
    since: Instant,
    /// It was refused for now.
    again: bool,
    answered: Answered,
}

struct Task {
    paths: Vec<String>,
    prefix: String,
    bearer: HeaderValue,
    home: usize,
    /// Failed attempts since home was last tried.
    attempt: usize,
    asked: mpsc::Receiver<Ask>,
    stands: watch::Sender<Stand>,
    journal: Arc<Mutex<Vec<Entry>>>,
    mirror: Mirror,
    waiting: BTreeMap<String, Waiting>,
    numbered: u64,
}

impl Task {
    async fn run(mut self) {
        loop {
            let gateway = (self.home + self.attempt) % self.paths.len();
            let opened = {
                let mut opening = pin!(timeout(PATIENCE, open(self.request(gateway))));
                loop {
                    tokio::select! {
                        opened = &mut opening => break Some(opened),
                        ask = self.asked.recv() => match ask {
                            Some(Ask::Command(body, answered)) => drop(self.keep(body, answered)),
                            Some(Ask::Home) => {}
                            None => break None,
                        },
                    }
                }
            };
            let Some(opened) = opened else { return };
            let went_home = match opened {
                Ok(Ok(socket)) => {
                    self.note(What::Connected(gateway));
                    let Some(how) = self.converse(socket, gateway).await else { return };
                    let went_home = how == GOES_HOME;
                    self.note(What::Closed(how));
                    went_home
                }
                Ok(Err(Error::Http(answer))) => {
                    self.note(What::Refused(gateway, answer.status().as_u16()));
                    false
                }
                Ok(Err(_)) | Err(_) => false,
            };
            self.stands.send_modify(|stand| stand.at = None);
            self.attempt = if went_home { 0 } else { self.attempt + 1 };
            if !went_home {
                sleep(PAUSE).await;
            }
        }
    }

    fn request(&self, gateway: usize) -> Option<tokio_tungstenite::tungstenite::http::Request<()>> {
        let since = self.mirror.version().map_or_else(String::new, |version| format!("?since={version}"));
        let mut request = format!("{}{since}", self.paths[gateway]).into_client_request().ok()?;
        request.headers_mut().insert(header::AUTHORIZATION, self.bearer.clone());
        Some(request)
    }

    /// Until the connection ends: how. `None`: nobody wants this client any more.
    async fn converse(&mut self, mut socket: Socket, gateway: usize) -> Option<String> {
        self.mirror.reconnected();
        for waiting in self.waiting.values_mut() {
            (waiting.since, waiting.again) = (Instant::now(), false);
        }
        let texts: Vec<String> = self.waiting.values().map(|waiting| waiting.text.clone()).collect();
        for text in texts {
            if timeout(PATIENCE, socket.send(Message::text(text))).await.map_or(true, |sent| sent.is_err()) {
                return Some("not written".to_owned());
            }
        }
        let mut looks = interval(LOOK);
        let mut heard = Instant::now();
        loop {
            let mut texts = Vec::new();
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => if let Some(how) = self.take_in(&text, gateway) {
                            return Some(how);
                        },
                        Some(Ok(Message::Close(frame))) => {
                            return Some(frame.map_or_else(String::new, |frame| frame.code.to_string()));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(error)) => return Some(error.to_string()),
                        None => return Some("the end".to_owned()),
                    }
                }
                ask = self.asked.recv() => match ask {
                    Some(Ask::Command(body, answered)) => texts.push(self.keep(body, answered)),
                    Some(Ask::Home) if gateway == self.home => {}
                    Some(Ask::Home) => return Some(GOES_HOME.to_owned()),
                    None => return None,
                },
                _ = looks.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Some("silent".to_owned());
                    }
                    for waiting in self.waiting.values_mut() {
                        if waiting.again && waiting.since.elapsed() > AGAIN {
                            (waiting.since, waiting.again) = (Instant::now(), false);
                            texts.push(waiting.text.clone());
                        } else if waiting.since.elapsed() > PATIENCE {
                            return Some("no answer".to_owned());
                        }
                    }
                }
            }
            for text in texts {
                match timeout(PATIENCE, socket.send(Message::text(text))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) | Err(_) => return Some("not written".to_owned()),
                }
            }
        }
    }

    fn take_in(&mut self, text: &str, gateway: usize) -> Option<String> {
        let snapshot = text.starts_with("{\"type\":\"snapshot\"").then(|| digest(text.as_bytes()));
        let change =
            read_frame(text).and_then(|frame| frame.map(|frame| self.mirror.apply(frame)).transpose());
        match change {
            Err(violation) => {
                self.note(What::Broke(violation.to_string()));
                self.mirror.forget();
                return Some("broke the rules".to_owned());
            }
            Ok(Some(Change::Greeted)) => self.stands.send_modify(|stand| stand.at = Some(gateway)),
            Ok(Some(Change::Room(_))) => {
                if let Some(room) = self.mirror.room().cloned() {
                    self.note(What::Room(Seen { room: Arc::clone(&room), snapshot }));
                    self.stands.send_modify(|stand| stand.room = Some(room));
                }
            }
            Ok(Some(Change::Notice(notice))) => self.note(What::Heard(notice)),
            Ok(Some(Change::Answered { id: Some(id), answer })) => self.answered(id, &answer),
            Ok(Some(Change::Bye { code, .. })) => return Some(format!("bye {code}")),
            Ok(
                Some(Change::Answered { id: None, .. } | Change::Pong { .. } | Change::OtherProtocol(_))
                | None,
            ) => {}
        }
        None
    }

    fn answered(&mut self, id: String, answer: &Answer) {
        let answer = match answer {
            Answer::Stored(version) => Ok(*version),
            Answer::Refused { code, .. } => Err(*code),
        };
        if let Err(code @ (Code::StoreUnavailable | Code::TooFast)) = answer
            && let Some(waiting) = self.waiting.get_mut(&id)
        {
            (waiting.since, waiting.again) = (Instant::now(), true);
            return self.note(What::Deferred(id, code));
        }
        let Some(waiting) = self.waiting.remove(&id) else { return };
        self.note(What::Answered(id, answer));
        self.show_waiting();
        // Whoever asked may no longer want to know.
        let _ = waiting.answered.send(answer);
    }

    /// Keeps a command until it is answered; its text.
    fn keep(&mut self, body: CommandBody, answered: Answered) -> String {
        self.numbered += 1;
        let id = format!("{}-{}", self.prefix, self.numbered);
        self.note(What::Sent(id.clone(), body.clone()));
        let frame = ClientFrame { id: id.clone(), request: body };
        let text = serde_json::to_string(&frame).expect("a command has only string keys");
        let waiting = Waiting { text: text.clone(), since: Instant::now(), again: false, answered };
        self.waiting.insert(id, waiting);
        self.show_waiting();
        text
    }

    fn show_waiting(&self) {
        self.stands.send_modify(|stand| stand.waiting = self.waiting.len());
    }

    fn note(&self, what: What) {
        let entry = Entry { at: SystemClock.now().as_millis(), what };
        let mut journal: MutexGuard<'_, Vec<Entry>> =
            self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.push(entry);
    }
}

/// Why a connection ended that the client left for its own gateway.
const GOES_HOME: &str = "goes home";

async fn open(request: Option<tokio_tungstenite::tungstenite::http::Request<()>>) -> Result<Socket, Error> {
    let request = request.ok_or(Error::AttackAttempt)?;
    Ok(connect_async_with_config(request, None, true).await?.0)
}
