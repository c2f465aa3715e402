//! WebSocket frames as bytes, and back (RFC 6455, sections 5 and 7). Pure.

use std::io::Cursor;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{
    CloseCode as WireCloseCode, Control, Data, OpCode,
};

/// The longest message that a client may send, in bytes (contract, section 4).
pub const MAX_MESSAGE: usize = 4096;
/// The most frames that one message may come in.
pub const MAX_FRAGMENTS: u8 = 16;
/// The longest payload of a control frame, in bytes.
pub const MAX_CONTROL: usize = 125;
/// The longest reason of a close frame, in bytes.
pub const MAX_REASON: usize = MAX_CONTROL - 2;
/// The longest header of a masked frame.
const MAX_HEADER: usize = 14;

/// A whole text message as the server sends it: header and payload in one.
pub fn text_frame(payload: &[u8]) -> Bytes {
    frame(OpCode::Data(Data::Text), payload)
}

/// A ping, and with it the question whether the peer lives.
pub fn ping(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Ping), &payload[..payload.len().min(MAX_CONTROL)])
}

/// The answer to a ping.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(OpCode::Control(Control::Pong), &payload[..payload.len().min(MAX_CONTROL)])
}

/// A close frame; a reason over [`MAX_REASON`] bytes is cut at the last whole character.
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut payload = Vec::with_capacity(MAX_CONTROL);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..reason.floor_char_boundary(MAX_REASON)]);
    frame(OpCode::Control(Control::Close), &payload)
}

/// A close frame without a code, the answer to one.
pub fn close_without_code() -> Bytes {
    frame(OpCode::Control(Control::Close), &[])
}

fn frame(opcode: OpCode, payload: &[u8]) -> Bytes {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    let length = payload.len() as u64;
    let mut bytes = Vec::with_capacity(header.len(length) + payload.len());
    header.format(length, &mut bytes).expect("a vector takes every write");
    bytes.extend_from_slice(payload);
    Bytes::from(bytes)
}

/// What a client has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole text message.
    Text(&'a str),
    /// A whole message that is not text: binary, or no UTF-8.
    NotText,
    /// A ping, to be answered with the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong,
    /// The client closes; none: without a code.
    Close(Option<u16>),
    /// The client breaks the protocol; nothing that follows can be read.
    Violation(Violation),
}

/// How a client broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A frame that no client may send: unmasked, with reserved bits or opcode, a control frame that is long or in
    /// fragments, a message in too many fragments, a close frame that says nothing valid.
    Malformed,
    /// A message over [`MAX_MESSAGE`] bytes.
    TooBig,
}

/// Puts the frames of one client together. Holds no memory between whole messages.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame whose end has not come.
    partial: Vec<u8>,
    /// The fragments of a message whose end has not come.
    message: Vec<u8>,
    /// How many they are; 0: no message is open.
    fragments: u8,
    /// The open message is binary.
    binary: bool,
    /// A close or a violation has been seen.
    over: bool,
}

/// A frame in the input: what it is, where its payload begins and ends.
struct Found {
    header: FrameHeader,
    from: usize,
    to: usize,
}

impl Decoder {
    /// Takes `input` as it came from the socket, whole frames or not, and tells `on` what it says, in order, until `on`
    /// returns false. The payloads are unmasked in place. What follows a close or a violation is ignored.
    pub fn feed(&mut self, input: &mut [u8], mut on: impl FnMut(Event<'_>) -> bool) {
        if self.partial.is_empty() {
            let used = self.read(input, &mut on);
            if !self.over {
                self.partial.extend_from_slice(&input[used..]);
            }
        } else {
            let mut joined = std::mem::take(&mut self.partial);
            joined.extend_from_slice(input);
            let used = self.read(&mut joined, &mut on);
            if !self.over && used < joined.len() {
                joined.drain(..used);
                self.partial = joined;
            }
        }
    }

    /// Reads the whole frames of `input`; gives how much of it they are.
    fn read(&mut self, input: &mut [u8], on: &mut impl FnMut(Event<'_>) -> bool) -> usize {
        let mut at = 0;
        while !self.over && at < input.len() {
            let event = match self.find(&input[at..]) {
                Ok(None) => break,
                Err(violation) => Some(Event::Violation(violation)),
                Ok(Some(found)) => {
                    let payload = &mut input[at + found.from..at + found.to];
                    at += found.to;
                    if let Some(mask) = found.header.mask {
                        unmask(payload, mask);
                    }
                    self.take(&found.header, payload)
                }
            };
            if let Some(event) = event {
                let last = matches!(event, Event::Close(_) | Event::Violation(_));
                let go_on = on(event);
                if self.fragments == 0 {
                    self.message = Vec::new();
                }
                self.over |= last || !go_on;
            }
        }
        at
    }

    /// The next frame of `input`, where it is whole. A frame that must not be is refused by its header alone.
    fn find(&self, input: &[u8]) -> Result<Option<Found>, Violation> {
        let mut cursor = Cursor::new(&input[..input.len().min(MAX_HEADER)]);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return Ok(None),
            Err(_) => return Err(Violation::Malformed),
        };
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        if reserved || header.mask.is_none() {
            return Err(Violation::Malformed);
        }
        match header.opcode {
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => {
                return Err(Violation::Malformed);
            }
            OpCode::Control(_) if !header.is_final || length > MAX_CONTROL as u64 => {
                return Err(Violation::Malformed);
            }
            OpCode::Data(kind) if (kind == Data::Continue) != (self.fragments > 0) => {
                return Err(Violation::Malformed);
            }
            OpCode::Data(_) if length > (MAX_MESSAGE - self.message.len()) as u64 => {
                return Err(Violation::TooBig);
            }
            OpCode::Data(_) if self.fragments == MAX_FRAGMENTS => return Err(Violation::Malformed),
            OpCode::Control(_) | OpCode::Data(_) => {}
        }
        let from = cursor.position() as usize;
        let to = from + length as usize;
        Ok((to <= input.len()).then_some(Found { header, from, to }))
    }

    fn take<'a>(&'a mut self, header: &FrameHeader, payload: &'a [u8]) -> Option<Event<'a>> {
        match header.opcode {
            OpCode::Control(Control::Ping) => Some(Event::Ping(payload)),
            OpCode::Control(Control::Pong) => Some(Event::Pong),
            OpCode::Control(Control::Close | Control::Reserved(_)) => Some(close_event(payload)),
            OpCode::Data(kind) => {
                if kind != Data::Continue {
                    self.binary = kind == Data::Binary;
                    if header.is_final {
                        return Some(message_event(self.binary, payload));
                    }
                }
                self.message.extend_from_slice(payload);
                self.fragments += 1;
                if !header.is_final {
                    return None;
                }
                self.fragments = 0;
                Some(message_event(self.binary, &self.message))
            }
        }
    }
}

fn message_event(binary: bool, payload: &[u8]) -> Event<'_> {
    match std::str::from_utf8(payload) {
        Ok(text) if !binary => Event::Text(text),
        _ => Event::NotText,
    }
}

fn close_event(payload: &[u8]) -> Event<'_> {
    match payload {
        [] => Event::Close(None),
        [high, low, reason @ ..]
            if WireCloseCode::from(u16::from_be_bytes([*high, *low])).is_allowed()
                && std::str::from_utf8(reason).is_ok() =>
        {
            Event::Close(Some(u16::from_be_bytes([*high, *low])))
        }
        _ => Event::Violation(Violation::Malformed),
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests;
