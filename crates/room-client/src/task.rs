//! The task that owns the socket, and drives it with the pure parts.

use std::collections::HashMap;
use std::time::Duration;

use kernel::{NodeId, Timestamp};
use protocol::{ClientFrame, CommandBody};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::sleep;

use crate::driver::{Ask, PingWaiter, Waiter};
use crate::socket::{Incoming, Socket};
use crate::{
    Answer, Change, Closed, Config, EndReason, Event, Mirror, Offset, Pending, Refusal, Seen, Session, Stage,
    read_frame,
};

/// The server takes no larger frame: contract, section 4.
const LARGEST_COMMAND: usize = 4 << 10;
/// The server's own patience after a ping. Ours, after its heartbeat, is the same.
const SILENCE_MS: u64 = 8_000;
/// The heartbeat until the server has named its own.
const HEARTBEAT_MS: u64 = 15_000;

pub(crate) struct Task {
    config: Config,
    asked: mpsc::Receiver<Ask>,
    seen: watch::Sender<Seen>,
    events: broadcast::Sender<Event>,
    session: Session,
    mirror: Mirror,
    pending: Pending<Waiter>,
    pings: HashMap<String, (Timestamp, PingWaiter)>,
    offset: Offset,
    bye: Option<Closed>,
    prefix: String,
    numbered: u64,
}

impl Task {
    pub(crate) fn new(
        config: Config,
        asked: mpsc::Receiver<Ask>,
        seen: watch::Sender<Seen>,
        events: broadcast::Sender<Event>,
    ) -> Self {
        Self {
            prefix: NodeId::generate(config.entropy.as_ref()).to_string(),
            numbered: 0,
            config,
            asked,
            seen,
            events,
            session: Session::default(),
            mirror: Mirror::default(),
            pending: Pending::default(),
            pings: HashMap::new(),
            offset: Offset::default(),
            bye: None,
        }
    }

    pub(crate) async fn run(mut self) {
        loop {
            match self.session.stage() {
                Stage::Connecting => self.connect().await,
                Stage::Waiting { until } => self.wait(until).await,
                // A live connection is driven inside `connect`.
                Stage::Live => self.closed(Closed::Abnormal),
                Stage::Ended(reason) => {
                    for waiter in self.pending.drain() {
                        drop(waiter.send(Err(Refusal::Ended(reason))));
                    }
                    for (_, (_, waiter)) in self.pings.drain() {
                        drop(waiter.send(Err(Refusal::Ended(reason))));
                    }
                    return;
                }
            }
        }
    }

    async fn connect(&mut self) {
        let config = self.config.clone();
        let mut opening = Box::pin(Socket::open(&config, self.mirror.version()));
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened,
                ask = self.asked.recv() => if let Some(how) = self.away(ask) { break Err(how) },
            }
        };
        match opened {
            Ok(socket) => {
                self.session.opened(self.config.clock.now());
                self.mirror.reconnected();
                self.bye = None;
                self.seen.send_modify(|seen| seen.connections += 1);
                self.show_stage();
                let how = self.converse(socket).await;
                // The close frame may be lost where the `bye` before it was not; the owner's word counts above both.
                let said = self.bye.take().filter(|_| how != Closed::Stopped);
                self.closed(said.unwrap_or(how));
            }
            Err(how) => self.closed(how),
        }
    }

    async fn wait(&mut self, until: Timestamp) {
        let rest = until.until(self.config.clock.now());
        tokio::select! {
            () = sleep(rest) => self.session.due(self.config.clock.now()),
            ask = self.asked.recv() => if let Some(how) = self.away(ask) { self.closed(how) },
        }
        if self.session.stage() == Stage::Connecting {
            self.show_stage();
        }
    }

    /// Takes what is asked while there is no connection; how it ends, where it was asked to end.
    fn away(&mut self, ask: Option<Ask>) -> Option<Closed> {
        match ask {
            Some(Ask::Command(id, body, waiter)) => {
                self.keep(id, body, waiter);
            }
            Some(Ask::Ping(waiter)) => drop(waiter.send(Err(Refusal::Lost))),
            Some(Ask::Retry) => self.session.retry_now(),
            Some(Ask::Cut) => {}
            Some(Ask::Stop) | None => return Some(Closed::Stopped),
        }
        None
    }

    async fn converse(&mut self, mut socket: Socket) -> Closed {
        let again: Vec<String> = self.pending.unanswered().map(text_of).collect();
        for text in again {
            if let Err(how) = socket.send(text).await {
                return how;
            }
        }
        loop {
            let silence = self.mirror.heartbeat_ms().unwrap_or(HEARTBEAT_MS).saturating_add(SILENCE_MS);
            let sent = tokio::select! {
                incoming = socket.next(Duration::from_millis(silence)) => match incoming {
                    Incoming::Text(text) => match self.take_in(&text) {
                        Some(how) => return how,
                        None => Ok(()),
                    },
                    Incoming::Alive => Ok(()),
                    Incoming::Closed(how) => return how,
                },
                ask = self.asked.recv() => match ask {
                    Some(Ask::Command(id, body, waiter)) => match self.keep(id, body, waiter) {
                        Some(text) => socket.send(text).await,
                        None => Ok(()),
                    },
                    Some(Ask::Ping(waiter)) => {
                        let id = self.number();
                        let text = text_of(&ClientFrame { id: id.clone(), request: CommandBody::Ping {} });
                        self.pings.insert(id, (self.config.clock.now(), waiter));
                        socket.send(text).await
                    }
                    Some(Ask::Cut) => return Closed::Abnormal,
                    Some(Ask::Retry) => Ok(()),
                    Some(Ask::Stop) | None => {
                        socket.close().await;
                        return Closed::Stopped;
                    }
                },
            };
            if let Err(how) = sent {
                return how;
            }
        }
    }

    /// Takes in a frame; how the connection ends, where it must.
    fn take_in(&mut self, text: &str) -> Option<Closed> {
        let change =
            read_frame(text).and_then(|frame| frame.map(|frame| self.mirror.apply(frame)).transpose());
        match change {
            Ok(None) => {}
            Ok(Some(change)) => return self.changed(change),
            Err(violation) => {
                tracing::warn!(%violation, "the server broke the protocol");
                self.tell(Event::Violation(violation));
                self.mirror.forget();
                return Some(Closed::Abnormal);
            }
        }
        None
    }

    fn changed(&mut self, change: Change) -> Option<Closed> {
        match change {
            Change::Greeted => {
                let you = self.mirror.you().cloned();
                self.seen.send_modify(|seen| seen.you = you);
            }
            Change::OtherProtocol(_) => {
                self.session.end(EndReason::Protocol);
                return Some(Closed::Abnormal);
            }
            Change::Room(version) => {
                let room = self.mirror.room().cloned();
                self.seen.send_modify(|seen| seen.room = room);
                self.tell(Event::Room(version));
            }
            Change::Answered { id, answer } => {
                let waiter = id.and_then(|id| self.pending.resolve(&id));
                if let Some(waiter) = waiter {
                    drop(waiter.send(match answer {
                        Answer::Stored(version) => Ok(version),
                        Answer::Refused { code, message, retry_ms } => {
                            Err(Refusal::Refused { code, message, retry_ms })
                        }
                    }));
                }
            }
            Change::Notice(notice) => {
                let notices = self.mirror.notices().cloned().collect();
                self.seen.send_modify(|seen| seen.notices = notices);
                self.tell(Event::Notice(notice));
            }
            Change::Pong { id, server_time } => {
                if let Some((sent, waiter)) = self.pings.remove(&id) {
                    self.offset.add(sent, self.config.clock.now(), Timestamp(server_time));
                    let estimate = self.offset.estimate();
                    self.seen.send_modify(|seen| seen.clock = estimate);
                    drop(waiter.send(estimate.ok_or(Refusal::Lost)));
                }
            }
            Change::Bye { code, retry_ms } => {
                self.bye = Some(Closed::Code { code, retry_ms });
                self.tell(Event::Bye(code));
            }
        }
        None
    }

    fn closed(&mut self, how: Closed) {
        self.session.closed(how, self.config.clock.now(), self.config.entropy.as_ref());
        for (_, (_, waiter)) in self.pings.drain() {
            drop(waiter.send(Err(Refusal::Lost)));
        }
        self.show_stage();
    }

    /// Keeps a command until it is answered; its text, where it may be sent.
    fn keep(&mut self, id: Option<String>, body: CommandBody, waiter: Waiter) -> Option<String> {
        let id = id.unwrap_or_else(|| self.number());
        let frame = ClientFrame { id, request: body };
        let text = text_of(&frame);
        if text.len() > LARGEST_COMMAND {
            drop(waiter.send(Err(Refusal::TooLong)));
            return None;
        }
        self.pending.add(frame, waiter);
        Some(text)
    }

    /// An id that no other process and no earlier command has.
    fn number(&mut self) -> String {
        self.numbered += 1;
        format!("{}-{}", self.prefix, self.numbered)
    }

    fn show_stage(&self) {
        let stage = self.session.stage();
        self.seen.send_modify(|seen| seen.stage = stage);
        self.tell(Event::Stage(stage));
    }

    fn tell(&self, event: Event) {
        // Nobody listens: nobody misses it.
        drop(self.events.send(event));
    }
}

fn text_of(frame: &ClientFrame) -> String {
    serde_json::to_string(frame).expect("a command has only string keys")
}
