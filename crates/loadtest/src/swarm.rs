//! The members: every socket of them on one thread, around one epoll. It parses no more than it must.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use crate::plan::{Shot, What};
use crate::slices::Slices;
use crate::tally::{Summary, Tally};
use crate::wire::{self, Kind};

/// Connections per source address: the system has some 28,000 ports for each.
const PER_SOURCE: usize = 20_000;
/// Upgrades under way at the same time: below every listen backlog.
const IN_FLIGHT: usize = 64;
/// Who is told to come back later (503) comes after this, as `Retry-After` says then.
const COME_AGAIN: Duration = Duration::from_secs(2);
/// Events handled before it is looked whether a command is due.
const EVENTS: usize = 128;

/// A member that wants to be connected.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// Which of the servers it connects to.
    pub(crate) server: usize,
    /// Its room, counted from 0. Who hears a room from another server is in a room of its own here.
    pub(crate) room: usize,
    /// The path of its live connection.
    pub(crate) path: String,
    /// Its session's value.
    pub(crate) bearer: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The upgrade is asked for, or about to be.
    Upgrading,
    /// Frames come; no snapshot yet.
    Greeted,
    /// The room is there.
    Ready,
    /// Told to come back later, as another connection.
    Refused,
    Gone,
}

struct Connection {
    seat: usize,
    stream: TcpStream,
    state: State,
    asked: bool,
    room: usize,
    version: u64,
    partial: Vec<u8>,
}

/// All members, in the order in which they began to connect.
pub(crate) struct Swarm {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    connections: Vec<Connection>,
    rooms: Vec<Room>,
    ready: usize,
    lost: usize,
    /// How often somebody was told to come back later, and who is to come again, and when: the earliest first.
    refusals: usize,
    again: VecDeque<(Instant, usize)>,
    tally: Tally,
}

/// What the swarm knows of a room.
#[derive(Clone, Debug, Default)]
struct Room {
    members: Vec<usize>,
    epoch: u64,
}

impl Swarm {
    /// Connects everyone, and waits until each has its snapshot. A piece of work is a connection.
    pub(crate) fn connect(
        targets: &[SocketAddr],
        seats: &[Seat],
        within: Duration,
        slices: &mut Slices,
    ) -> Result<Self> {
        let rooms = seats.iter().map(|seat| seat.room + 1).max().unwrap_or(0);
        let mut swarm = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            buffer: vec![0; 256 << 10],
            connections: Vec::with_capacity(seats.len()),
            rooms: vec![Room::default(); rooms],
            ready: 0,
            lost: 0,
            refusals: 0,
            again: VecDeque::new(),
            tally: Tally::default(),
        };
        let deadline = Instant::now() + within;
        let mut begun = 0;
        while swarm.ready < seats.len() {
            while begun < seats.len()
                && swarm.connections.len() - swarm.ready - swarm.lost - swarm.refusals < IN_FLIGHT
            {
                swarm.begin(targets, seats, begun)?;
                begun += 1;
            }
            swarm.begin_again(targets, seats)?;
            swarm.turn(Duration::from_millis(100), |swarm, n| swarm.upgrade(n, targets, seats))?;
            slices.look(swarm.ready as u64)?;
            if swarm.lost > 0 {
                bail!(
                    "{} connections were refused or lost while connecting: {}",
                    swarm.lost,
                    swarm.tally.last_word
                );
            }
            if Instant::now() > deadline {
                bail!("{} of {} members have a snapshot after {within:?}", swarm.ready, seats.len());
            }
        }
        Ok(swarm)
    }

    /// Begins for those who were told to come back about now.
    fn begin_again(&mut self, targets: &[SocketAddr], seats: &[Seat]) -> Result<()> {
        while let Some((_, seat)) = self.again.pop_front_if(|(at, _)| *at <= Instant::now()) {
            self.begin(targets, seats, seat)?;
        }
        Ok(())
    }

    fn upgrade(&mut self, n: usize, targets: &[SocketAddr], seats: &[Seat]) -> std::io::Result<()> {
        let connection = &mut self.connections[n];
        let seat = &seats[connection.seat];
        let request = wire::upgrade(&targets[seat.server].to_string(), &seat.path, &seat.bearer);
        connection.stream.write_all(&request)
    }

    /// Brings those who have lost their connection back, each after a random part of `spread`, as real clients come; how
    /// long each took from `since` until it had a snapshot. Whoever is not back after `within` is not in it.
    pub(crate) fn come_back(
        &mut self,
        targets: &[SocketAddr],
        seats: &[Seat],
        since: Instant,
        (spread, within): (Duration, Duration),
    ) -> Result<Vec<Duration>> {
        let gone = |connection: &Connection| connection.state == State::Gone;
        let lost: Vec<usize> =
            self.connections.iter().filter(|one| gone(one)).map(|connection| connection.seat).collect();
        for room in &mut self.rooms {
            room.members.retain(|n| self.connections[*n].state == State::Ready);
        }
        // Evenly over the time, in an order that mixes the rooms.
        let due = |nth: usize| since + spread.mul_f64(nth as f64 / lost.len().max(1) as f64);
        let (first, mut begun, mut back) = (self.connections.len(), 0, Vec::new());
        let mut seen = Vec::new();
        while back.len() < lost.len() && since.elapsed() < within {
            while begun < lost.len() && due(begun) <= Instant::now() {
                let mixed = begun.wrapping_mul(7_919) % lost.len();
                self.begin(targets, seats, lost[mixed])?;
                begun += 1;
            }
            self.begin_again(targets, seats)?;
            self.turn(Duration::from_millis(5), |swarm, n| swarm.upgrade(n, targets, seats))?;
            seen.resize(self.connections.len() - first, false);
            for (nth, seen) in seen.iter_mut().enumerate() {
                if !*seen && self.connections[first + nth].state == State::Ready {
                    *seen = true;
                    back.push(since.elapsed());
                }
            }
        }
        Ok(back)
    }

    /// Listens until that many connections have ended, at most so long; how many have.
    pub(crate) fn lost_within(&mut self, count: usize, within: Duration) -> Result<usize> {
        let end = Instant::now() + within;
        while self.lost < count
            && let Some(rest) = left(end)
        {
            self.turn(rest.min(Duration::from_millis(50)), no_upgrade)?;
        }
        Ok(self.lost)
    }

    /// The rooms in which not everyone who is connected has the same version, of pairs of rooms that are one.
    pub(crate) fn divided(&self) -> usize {
        let versions = |room: &Room| -> std::collections::BTreeSet<u64> {
            let ready =
                room.members.iter().map(|n| &self.connections[*n]).filter(|one| one.state == State::Ready);
            ready.map(|connection| connection.version).collect()
        };
        self.rooms
            .chunks(2)
            .filter(|pair| {
                pair.iter().flat_map(versions).collect::<std::collections::BTreeSet<_>>().len() > 1
            })
            .count()
    }

    fn begin(&mut self, targets: &[SocketAddr], seats: &[Seat], seat: usize) -> Result<()> {
        let n = self.connections.len();
        let (index, seat) = (seat, &seats[seat]);
        let target = targets[seat.server];
        let socket = Socket::new(Domain::for_address(target), Type::STREAM, None)?;
        if target.ip().is_loopback() && target.is_ipv4() && n >= PER_SOURCE {
            let source = Ipv4Addr::new(127, 0, 0, 1 + (n / PER_SOURCE) as u8);
            socket.bind(&SocketAddrV4::new(source, 0).into())?;
        }
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&target.into()) {
            Err(error) if error.raw_os_error() != Some(115) && error.kind() != ErrorKind::WouldBlock => {
                return Err(error).context("connect");
            }
            Ok(()) | Err(_) => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut stream, Token(n), Interest::READABLE | Interest::WRITABLE)?;
        let state = State::Upgrading;
        self.connections.push(Connection {
            seat: index,
            stream,
            state,
            asked: false,
            room: seat.room,
            version: 0,
            partial: Vec::new(),
        });
        self.rooms[seat.room].members.push(n);
        Ok(())
    }

    /// Stays connected and answers pings for `time`.
    pub(crate) fn idle(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while let Some(rest) = left(end) {
            self.turn(rest, no_upgrade)?;
        }
        Ok(())
    }

    /// Carries out the plan, and listens until everything has arrived, at most `patience` longer. A piece of work is a frame
    /// received.
    pub(crate) fn run(
        &mut self,
        what: What,
        shots: &[Shot],
        patience: Duration,
        slices: &mut Slices,
    ) -> Result<Summary> {
        let version = |n: &usize| self.connections[*n].version;
        let rooms: Vec<_> = self
            .rooms
            .iter()
            .map(|room| (room.members.len(), room.members.iter().map(version).min().unwrap_or(0)))
            .collect();
        // A moment for the first command, so that it is not late before it begins.
        let start = Instant::now() + Duration::from_millis(50);
        self.tally = Tally::new(what, shots.to_vec(), start, &rooms);
        let mut next = 0;
        while next < shots.len() {
            while shots.get(next).is_some_and(|shot| start + shot.at <= Instant::now()) {
                self.fire(what, next, shots[next])?;
                next += 1;
            }
            let Some(shot) = shots.get(next) else { break };
            self.turn(left(start + shot.at).unwrap_or_default(), no_upgrade)?;
            slices.look(self.tally.frames)?;
        }
        let end = Instant::now() + patience;
        while !self.tally.complete()
            && let Some(rest) = left(end)
        {
            self.turn(rest.min(Duration::from_millis(50)), no_upgrade)?;
            slices.look(self.tally.frames)?;
        }
        let mut summary = self.tally.summary();
        summary.lost_connections = self.lost;
        Ok(summary)
    }

    fn fire(&mut self, what: What, n: usize, shot: Shot) -> Result<()> {
        let room = &self.rooms[shot.room];
        let sender = room.members[shot.member % room.members.len()];
        let text = match what {
            What::React => format!(r#"{{"id":"L{n}","type":"react","emoji":"{}"}}"#, self.tally.emoji(n)),
            What::Vote => {
                let word = if shot.vote { "vote_skip" } else { "unvote_skip" };
                format!(r#"{{"id":"L{n}","type":"{word}","epoch":{}}}"#, room.epoch)
            }
        };
        self.tally.fired(n);
        self.connections[sender]
            .stream
            .write_all(&wire::client_text(text.as_bytes()))
            .context("a command could not be sent")
    }

    /// Waits for events up to `wait` and handles those that are there.
    fn turn(
        &mut self,
        wait: Duration,
        mut upgrade: impl FnMut(&mut Self, usize) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error).context("poll"),
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            let n = event.token().0;
            if event.is_writable() && !self.connections[n].asked {
                self.connections[n].asked = true;
                if let Err(error) = upgrade(self, n) {
                    self.tally.last_word = error.to_string();
                    self.lose(n);
                    continue;
                }
            }
            if event.is_readable() {
                self.read(n);
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, n: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let connection = &mut self.connections[n];
            if matches!(connection.state, State::Refused | State::Gone) {
                break;
            }
            match connection.stream.read(&mut buffer) {
                Ok(0) => {
                    self.lose(n);
                    break;
                }
                Ok(length) => {
                    let bytes = &buffer[..length];
                    if connection.partial.is_empty() {
                        let used = self.take_in(n, bytes);
                        self.connections[n].partial.extend_from_slice(&bytes[used..]);
                    } else {
                        let mut whole = std::mem::take(&mut connection.partial);
                        whole.extend_from_slice(bytes);
                        let used = self.take_in(n, &whole);
                        whole.drain(..used);
                        if !whole.is_empty() {
                            self.connections[n].partial = whole;
                        }
                    }
                    // epoll(7): a stream socket that gives less than was asked for has no more.
                    if length < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.tally.last_word = error.to_string();
                    self.lose(n);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    /// Takes in the whole frames in `bytes`; how many bytes they were.
    fn take_in(&mut self, n: usize, bytes: &[u8]) -> usize {
        let mut used = 0;
        if self.connections[n].state == State::Upgrading {
            let Some(end) = wire::head_end(bytes) else { return 0 };
            if bytes.starts_with(b"HTTP/1.1 503") {
                self.comes_again(n);
                return bytes.len();
            }
            if !bytes.starts_with(b"HTTP/1.1 101") {
                self.tally.last_word = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]).into_owned();
                self.lose(n);
                return bytes.len();
            }
            self.connections[n].state = State::Greeted;
            used = end;
        }
        while let Some((kind, body, end)) = wire::first_frame(&bytes[used..]) {
            let payload = &bytes[used + body.start..used + body.end];
            used += end;
            match kind {
                Kind::Text => self.text(n, payload),
                Kind::Ping => {
                    let pong = wire::client_pong(payload);
                    if self.connections[n].stream.write_all(&pong).is_err() {
                        self.lose(n);
                    }
                }
                Kind::Close => self.lose(n),
                Kind::Other => {}
            }
        }
        used
    }

    fn text(&mut self, n: usize, payload: &[u8]) {
        let connection = &mut self.connections[n];
        self.tally.frames += 1;
        self.tally.bytes += payload.len() as u64;
        let Some(word) = wire::text_after(&payload[..payload.len().min(64)], b"\"type\":\"") else { return };
        match word {
            b"update" | b"snapshot" => {
                let Some(version) = wire::number_after(payload, b"\"version\":") else { return };
                let before = std::mem::replace(&mut connection.version, version);
                if connection.state == State::Greeted {
                    connection.state = State::Ready;
                    self.ready += 1;
                } else if version > before {
                    self.tally.versions(connection.room, before, version);
                }
                // One member of each room keeps an eye on what plays.
                let room = &mut self.rooms[connection.room];
                if room.members[0] == n
                    && let Some(at) = wire::find(payload, b"\"playback\":{")
                    && let Some(epoch) = wire::number_after(&payload[at..], b"\"epoch\":")
                {
                    room.epoch = epoch;
                }
            }
            b"notice" => {
                if let Some(emoji) = wire::text_after(payload, b"\"emoji\":\"") {
                    self.tally.reaction(connection.room, emoji);
                }
            }
            b"ack" => {
                let id = wire::number_after(payload, b"\"id\":\"L");
                if let Some((id, version)) = id.zip(wire::number_after(payload, b"\"version\":")) {
                    self.tally.acknowledged(id as usize, version);
                }
            }
            b"refused" => {
                let code = wire::text_after(payload, b"\"code\":\"").unwrap_or(b"?");
                let id = wire::number_after(payload, b"\"id\":\"L").map(|id| id as usize);
                self.tally.refused(id, &String::from_utf8_lossy(code));
            }
            b"bye" => self.tally.last_word = String::from_utf8_lossy(payload).into_owned(),
            _ => {}
        }
    }

    fn comes_again(&mut self, n: usize) {
        let connection = &mut self.connections[n];
        connection.state = State::Refused;
        self.refusals += 1;
        self.again.push_back((Instant::now() + COME_AGAIN, connection.seat));
        self.rooms[connection.room].members.retain(|member| *member != n);
    }

    fn lose(&mut self, n: usize) {
        let connection = &mut self.connections[n];
        if !matches!(connection.state, State::Refused | State::Gone) {
            connection.state = State::Gone;
            self.lost += 1;
        }
    }
}

/// Everyone is connected.
#[expect(clippy::unnecessary_wraps, reason = "a turn takes what may fail")]
fn no_upgrade(_: &mut Swarm, _: usize) -> std::io::Result<()> {
    Ok(())
}

fn left(until: Instant) -> Option<Duration> {
    let rest = until.saturating_duration_since(Instant::now());
    (!rest.is_zero()).then_some(rest)
}
