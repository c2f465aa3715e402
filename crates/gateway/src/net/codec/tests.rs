use super::*;

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A masked frame as a client sends it.
fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x5a, 0xc3, 0x0f, 0x99];
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long @ 126..65536 => {
            frame.push(0x80 | 0x7e);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
        huge => {
            frame.push(0x80 | 0x7f);
            frame.extend_from_slice(&(huge as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// What the decoder says of `bytes`, fed in pieces of `step`.
fn events(bytes: &[u8], step: usize) -> Vec<String> {
    let (mut decoder, mut said) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(step.max(1)) {
        decoder.feed(&mut piece.to_vec(), |event| {
            said.push(match event {
                Event::Text(text) => format!("text {text}"),
                Event::NotText => "not text".to_owned(),
                Event::Ping(payload) => format!("ping {}", String::from_utf8_lossy(payload)),
                Event::Pong => "pong".to_owned(),
                Event::Close(code) => format!("close {code:?}"),
                Event::Violation(violation) => format!("{violation:?}"),
            });
            true
        });
    }
    said
}

/// However the bytes are cut into pieces, the same is heard.
#[track_caller]
fn check(frames: &[Vec<u8>], expected: &[&str]) {
    let bytes = frames.concat();
    for step in [1, 2, 3, 7, 64, 1000, bytes.len()] {
        assert_eq!(events(&bytes, step), expected, "in pieces of {step}");
    }
}

#[test]
fn messages_are_put_together() {
    check(&[client(FIN | TEXT, b"hello")], &["text hello"]);
    check(&[client(FIN | TEXT, b"")], &["text "]);
    check(&[client(FIN | TEXT, b"a"), client(FIN | TEXT, b"b")], &["text a", "text b"]);
    let long = "x".repeat(MAX_MESSAGE);
    check(&[client(FIN | TEXT, long.as_bytes())], &[&format!("text {long}")]);
    check(
        &[client(TEXT, b"one "), client(CONTINUATION, b"two "), client(FIN | CONTINUATION, b"three")],
        &["text one two three"],
    );
    // A character may be cut in two by fragments, not by messages.
    let (head, tail) = "é".as_bytes().split_at(1);
    check(&[client(TEXT, head), client(FIN | CONTINUATION, tail)], &["text é"]);
    check(&[client(FIN | TEXT, head), client(FIN | TEXT, b"go on")], &["not text", "text go on"]);
}

#[test]
fn control_frames_come_between_fragments() {
    check(
        &[
            client(TEXT, b"a"),
            client(FIN | PING, b"there?"),
            client(FIN | PONG, b""),
            client(FIN | CONTINUATION, b"b"),
        ],
        &["ping there?", "pong", "text ab"],
    );
    let full = "p".repeat(MAX_CONTROL);
    check(&[client(FIN | PING, full.as_bytes())], &[&format!("ping {full}")]);
}

#[test]
fn binary_is_told_apart_and_the_stream_goes_on() {
    check(&[client(FIN | BINARY, b"\x00\x01"), client(FIN | TEXT, b"a")], &["not text", "text a"]);
    check(&[client(BINARY, b"a"), client(FIN | CONTINUATION, b"b")], &["not text"]);
}

#[test]
fn what_no_client_may_send_ends_the_conversation() {
    let malformed = |frames: &[Vec<u8>]| {
        let mut frames = frames.to_vec();
        frames.push(client(FIN | TEXT, b"ignored"));
        check(&frames, &["Malformed"]);
    };
    malformed(&[text_frame(b"unmasked").to_vec()]);
    for reserved in [0x40, 0x20, 0x10] {
        malformed(&[client(FIN | reserved | TEXT, b"a")]);
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        malformed(&[client(FIN | opcode, b"")]);
    }
    malformed(&[client(PING, b"in fragments")]);
    malformed(&[client(FIN | PING, &[0; MAX_CONTROL + 1])]);
    malformed(&[client(FIN | CONTINUATION, b"of nothing")]);
    malformed(&[client(TEXT, b"a"), client(FIN | TEXT, b"another in between")]);
    malformed(&[client(FIN | CLOSE, &[3])]);
    malformed(&[client(FIN | CLOSE, b"\x03\xe8\xff")]);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        malformed(&[client(FIN | CLOSE, &code.to_be_bytes())]);
    }
}

#[test]
fn the_most_is_allowed_and_no_more() {
    let mut fragments = vec![client(TEXT, b"x")];
    fragments.extend((2..MAX_FRAGMENTS).map(|_| client(CONTINUATION, b"x")));
    let mut allowed = fragments.clone();
    allowed.push(client(FIN | CONTINUATION, b"x"));
    check(&allowed, &["text xxxxxxxxxxxxxxxx"]);
    fragments.push(client(CONTINUATION, b"x"));
    fragments.push(client(FIN | CONTINUATION, b"x"));
    check(&fragments, &["Malformed"]);

    check(&[client(FIN | TEXT, &[b'x'; MAX_MESSAGE + 1])], &["TooBig"]);
    check(&[client(TEXT, &[b'x'; MAX_MESSAGE]), client(FIN | CONTINUATION, b"x")], &["TooBig"]);
    check(&[client(FIN | BINARY, &vec![0; 70_000])], &["TooBig"]);
    // The header alone is enough: nobody has to wait for, or keep, what it announces.
    let header_only = &client(FIN | TEXT, &[b'x'; MAX_MESSAGE + 1])[..8];
    assert_eq!(events(header_only, 8), ["TooBig"]);
    let absurd = [&[FIN | TEXT, 0xff][..], &[0xff; 8], &[0; 4]].concat();
    assert_eq!(events(&absurd, 14), ["TooBig"]);
}

#[test]
fn closes_are_read() {
    check(&[client(FIN | CLOSE, b""), client(FIN | TEXT, b"too late")], &["close None"]);
    for code in [1000_u16, 1001, 1003, 1007, 1011, 3000, 4999] {
        let payload = [&code.to_be_bytes()[..], b"bye"].concat();
        check(&[client(FIN | CLOSE, &payload)], &[&format!("close Some({code})")]);
    }
}

#[test]
fn a_listener_that_has_heard_enough_hears_no_more() {
    let mut decoder = Decoder::default();
    let mut bytes = [client(FIN | TEXT, b"a"), client(FIN | TEXT, b"b")].concat();
    let mut heard = 0;
    decoder.feed(&mut bytes, |_| {
        heard += 1;
        false
    });
    decoder.feed(&mut client(FIN | TEXT, b"c"), |_| {
        heard += 1;
        true
    });
    assert_eq!(heard, 1);
}

#[test]
fn nothing_is_kept_between_messages() {
    let mut decoder = Decoder::default();
    for piece in [
        &client(TEXT, b"a")[..],
        &client(FIN | CONTINUATION, b"b")[..3],
        &client(FIN | CONTINUATION, b"b")[3..],
    ] {
        decoder.feed(&mut piece.to_vec(), |_| true);
    }
    assert_eq!((decoder.partial.capacity(), decoder.message.capacity()), (0, 0));
}

#[test]
fn server_frames_are_written_with_the_shortest_length() {
    let check = |payload: usize, header: &[u8]| {
        let frame = text_frame(&vec![b'x'; payload]);
        assert_eq!(&frame[..header.len()], header, "{payload} bytes");
        assert_eq!(frame.len(), header.len() + payload);
    };
    check(0, &[0x81, 0]);
    check(125, &[0x81, 125]);
    check(126, &[0x81, 126, 0, 126]);
    check(65_535, &[0x81, 126, 0xff, 0xff]);
    check(65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(&ping(b"")[..], [0x89, 0]);
    assert_eq!(&pong(b"ab")[..], [0x8a, 2, b'a', b'b']);
    assert_eq!(&close_without_code()[..], [0x88, 0]);
}

#[test]
fn a_long_reason_is_cut_at_a_character() {
    assert_eq!(&close(4408, "slow")[..], b"\x88\x06\x11\x38slow");
    let frame = close(1001, &"é".repeat(100));
    assert_eq!(frame[1] as usize, 2 + MAX_REASON - 1);
    assert!(std::str::from_utf8(&frame[4..]).is_ok());
}
