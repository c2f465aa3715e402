//! WebSocket bytes, as few as a load test needs: whole text frames, pings, closes; no fragments, no extensions.

use std::ops::Range;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Ping,
    Close,
    Other,
}

/// The first frame in `bytes`: its kind, where its payload stands, and where the next frame begins. `None` where it is
/// not whole yet. A client's mask is passed over: ours is zero.
pub(crate) fn first_frame(bytes: &[u8]) -> Option<(Kind, Range<usize>, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (length, mut at): (usize, usize) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?, 10),
        short => (usize::from(short), 2),
    };
    if second & 0x80 != 0 {
        at += 4;
    }
    let end = at.checked_add(length)?;
    let kind = match first & 0x0f {
        1 => Kind::Text,
        8 => Kind::Close,
        9 => Kind::Ping,
        _ => Kind::Other,
    };
    (bytes.len() >= end).then_some((kind, at..end, end))
}

/// A text frame as a server writes it.
pub(crate) fn server_text(payload: &[u8]) -> Vec<u8> {
    frame(1, payload, false)
}

/// A text frame as a client writes it. The mask is zero: allowed, and nothing has to be computed at either end.
pub(crate) fn client_text(payload: &[u8]) -> Vec<u8> {
    frame(1, payload, true)
}

/// The answer to a ping.
pub(crate) fn client_pong(payload: &[u8]) -> Vec<u8> {
    frame(10, payload, true)
}

fn frame(opcode: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = Vec::with_capacity(payload.len() + 14);
    bytes.push(0x80 | opcode);
    match payload.len() {
        short @ 0..=125 => bytes.push(mask | short as u8),
        middle @ 126..=0xffff => {
            bytes.push(mask | 0x7e);
            bytes.extend((middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(mask | 0x7f);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    if masked {
        bytes.extend([0; 4]);
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// The request for an upgrade. The key is always the same: nobody checks the answer to it.
pub(crate) fn upgrade(host: &str, path: &str, bearer: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Authorization: Bearer {bearer}\r\n\r\n"
    )
    .into_bytes()
}

/// Where the head of an HTTP message ends, the empty line included.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// Where `needle` stands first.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// What follows `key` up to the next quote.
pub(crate) fn text_after<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let rest = &bytes[find(bytes, key)? + key.len()..];
    rest.split(|byte| *byte == b'"').next()
}

/// The number that follows `key`.
pub(crate) fn number_after(bytes: &[u8], key: &[u8]) -> Option<u64> {
    let rest = &bytes[find(bytes, key)? + key.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    let mut any = false;
    let number = digits.fold(0_u64, |number, digit| {
        any = true;
        number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))
    });
    any.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(payload: usize, masked: bool) {
        let whole = frame(1, &vec![b'x'; payload], masked);
        let (kind, body, end) = first_frame(&whole).expect("a whole frame");
        assert_eq!((kind, body.len(), end), (Kind::Text, payload, whole.len()), "{payload} {masked}");
        assert_eq!(first_frame(&whole[..whole.len() - 1]), None, "{payload} {masked}, cut");
    }

    #[test]
    fn frames_of_every_length_are_found_and_cut_ones_are_not() {
        for payload in [1, 125, 126, 65_535, 65_536] {
            check(payload, false);
            check(payload, true);
        }
    }

    #[test]
    fn values_are_found_by_their_key() {
        let text = br#"{"type":"ack","id":"L17","version":42}"#;
        assert_eq!(number_after(text, b"\"version\":"), Some(42));
        assert_eq!(number_after(text, b"\"id\":\"L"), Some(17));
        assert_eq!(number_after(text, b"\"type\":"), None);
        assert_eq!(text_after(text, b"\"type\":\""), Some(&b"ack"[..]));
        assert_eq!(text_after(text, b"\"kind\":\""), None);
    }
}
