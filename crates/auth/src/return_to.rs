//! Where a browser goes after signing in: a path of ours, never an address.

use std::fmt;

use serde::{Deserialize, Serialize};

const MAX_BYTES: usize = 512;
/// A path that still changes after this many decodings was made to deceive.
const DECODINGS: usize = 3;

/// A local path (with query and fragment, if any) that a redirect may name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReturnTo(String);

/// Why a text is no such path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnToError {
    /// Over 512 bytes.
    #[error("longer than 512 bytes")]
    TooLong,
    /// No single slash at its beginning.
    #[error("a path begins with exactly one slash")]
    NotLocal,
    /// Two slashes together, which browsers read as the beginning of another host.
    #[error("holds two slashes together")]
    DoubleSlash,
    /// A backslash, which browsers read as a slash.
    #[error("holds a backslash")]
    Backslash,
    /// A control character, a space, or something beyond ASCII that is not percent-encoded.
    #[error("holds a character that must be percent-encoded, or a control character")]
    BadCharacter,
    /// A percent sign that no two hex digits follow, or encoding within encoding within encoding.
    #[error("its percent-encoding is wrong")]
    BadEncoding,
}

impl ReturnTo {
    /// Takes a local path; checked as it stands and as it reads after decoding (RFC 9700, open redirection).
    pub fn parse(text: &str) -> Result<Self, ReturnToError> {
        if text.len() > MAX_BYTES {
            return Err(ReturnToError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ReturnToError::BadCharacter);
        }
        let mut form = text.as_bytes().to_vec();
        for _ in 0..DECODINGS {
            check(&form)?;
            let decoded = decode(&form, form == text.as_bytes())?;
            if decoded == form {
                return Ok(Self(text.to_owned()));
            }
            form = decoded;
        }
        Err(ReturnToError::BadEncoding)
    }

    /// The path, as it goes into a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    /// The front page.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ReturnTo {
    type Error = ReturnToError;

    fn try_from(text: String) -> Result<Self, ReturnToError> {
        Self::parse(&text)
    }
}

impl From<ReturnTo> for String {
    fn from(path: ReturnTo) -> Self {
        path.0
    }
}

fn check(form: &[u8]) -> Result<(), ReturnToError> {
    if form.first() != Some(&b'/') {
        return Err(ReturnToError::NotLocal);
    }
    if form.windows(2).any(|pair| pair == b"//") {
        return Err(ReturnToError::DoubleSlash);
    }
    if form.contains(&b'\\') {
        return Err(ReturnToError::Backslash);
    }
    if form.iter().any(u8::is_ascii_control) {
        return Err(ReturnToError::BadCharacter);
    }
    Ok(())
}

/// One round of percent-decoding. A stray percent sign is an error in what was given (`strict`), and stands for
/// itself in what came out of an earlier round.
fn decode(form: &[u8], strict: bool) -> Result<Vec<u8>, ReturnToError> {
    let mut decoded = Vec::with_capacity(form.len());
    let mut rest = form;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let plain_hex = digits.filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
        match plain_hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None if strict => return Err(ReturnToError::BadEncoding),
            None => decoded.push(first),
        }
    }
    Ok(decoded)
}
