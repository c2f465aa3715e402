//! The floor: the least that any server must do for the same deliveries. One epoll loop on one thread; a command makes
//! one ready frame, written with one `write` to each socket of the room. It checks and stores nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::wire::{self, Kind};

const LISTENER: Token = Token(usize::MAX);
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Guest {
    stream: TcpStream,
    /// Its room, once it is upgraded.
    room: Option<usize>,
    partial: Vec<u8>,
}

#[derive(Default)]
struct Room {
    guests: Vec<usize>,
    version: u64,
}

/// The frames, as large as the server's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Payload of an update, in bytes.
    pub(crate) update: usize,
    /// Payload of the first snapshot, in bytes.
    pub(crate) snapshot: usize,
}

struct Floor {
    sizes: Sizes,
    guests: Vec<Option<Guest>>,
    rooms: Vec<Room>,
}

/// Serves until it is killed. Says `floor listening on ADDRESS` on standard output.
pub(crate) fn serve(listen: SocketAddr, sizes: Sizes) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(listen).context("listen")?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    writeln!(std::io::stdout(), "floor listening on {}", listener.local_addr()?)?;
    let mut events = Events::with_capacity(1_024);
    let mut buffer = vec![0; 16 << 10];
    let mut floor = Floor { sizes, guests: Vec::new(), rooms: Vec::new() };
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error).context("poll"),
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    poll.registry().register(&mut stream, Token(floor.guests.len()), Interest::READABLE)?;
                    floor.guests.push(Some(Guest { stream, room: None, partial: Vec::new() }));
                }
            } else {
                floor.read(event.token().0, &mut buffer);
            }
        }
    }
}

impl Floor {
    fn read(&mut self, n: usize, buffer: &mut [u8]) {
        let Some(Some(guest)) = self.guests.get_mut(n) else { return };
        loop {
            match guest.stream.read(buffer) {
                Ok(length) if length > 0 => {
                    guest.partial.extend_from_slice(&buffer[..length]);
                    if length < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => {
                    self.guests[n] = None;
                    return;
                }
            }
        }
        let bytes = std::mem::take(&mut guest.partial);
        let used = match guest.room {
            None => self.upgrade(n, &bytes),
            Some(room) => self.commands(n, room, &bytes),
        };
        if let Some(guest) = &mut self.guests[n] {
            guest.partial.extend_from_slice(&bytes[used..]);
        }
    }

    fn upgrade(&mut self, n: usize, bytes: &[u8]) -> usize {
        let Some(end) = wire::head_end(bytes) else { return 0 };
        let room = wire::number_after(bytes, b"/floor/").unwrap_or(0) as usize;
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Room::default);
        }
        self.rooms[room].guests.push(n);
        let snapshot =
            padded(r#"{"type":"snapshot","version":"#, self.rooms[room].version, self.sizes.snapshot);
        self.write(n, &[UPGRADED, &wire::server_text(&snapshot)].concat());
        if let Some(guest) = &mut self.guests[n] {
            guest.room = Some(room);
        }
        end
    }

    fn commands(&mut self, n: usize, room: usize, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some((kind, body, end)) = wire::first_frame(&bytes[used..]) {
            let payload = &bytes[used + body.start..used + body.end];
            used += end;
            if kind == Kind::Text {
                self.broadcast(n, room, payload);
            }
        }
        used
    }

    fn broadcast(&mut self, n: usize, room: usize, command: &[u8]) {
        self.rooms[room].version += 1;
        let version = self.rooms[room].version;
        let id = wire::number_after(command, b"\"id\":\"L").unwrap_or(0);
        let ack = format!(r#"{{"type":"ack","id":"L{id}","version":{version}}}"#);
        self.write(n, &wire::server_text(ack.as_bytes()));
        let payload = match wire::text_after(command, b"\"emoji\":\"") {
            Some(emoji) => {
                let emoji = String::from_utf8_lossy(emoji);
                format!(
                    r#"{{"type":"notice","kind":"reaction","member_id":"000000000000","emoji":"{emoji}"}}"#
                )
                .into_bytes()
            }
            None => padded(r#"{"type":"update","version":"#, version, self.sizes.update),
        };
        let frame = wire::server_text(&payload);
        for at in 0..self.rooms[room].guests.len() {
            self.write(self.rooms[room].guests[at], &frame);
        }
    }

    /// One `write`. Whoever cannot take the whole frame is dropped: the load tester then reports a lost connection,
    /// and the run says nothing.
    fn write(&mut self, n: usize, bytes: &[u8]) {
        let Some(Some(guest)) = self.guests.get_mut(n) else { return };
        if guest.stream.write(bytes).ok() != Some(bytes.len()) {
            self.guests[n] = None;
        }
    }
}

/// An object of about `size` bytes that names a version.
fn padded(begin: &str, version: u64, size: usize) -> Vec<u8> {
    let head = format!(r#"{begin}{version},"pad":""#);
    let pad = "x".repeat(size.saturating_sub(head.len() + 2));
    format!(r#"{head}{pad}"}}"#).into_bytes()
}
