//! Names that people give themselves.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters at most, after trimming and composition.
pub const MAX_CHARS: usize = 32;
/// More marks on one base pile up over the neighbouring lines.
const MAX_MARKS: usize = 2;
const JOINER: char = '\u{200d}';

/// A name as it is shown to others: trimmed, in NFC, on one line, in one direction, all of it visible.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DisplayName(String);

/// Which rule a name breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("a name has at least one character")]
    Empty,
    /// Over 32 characters.
    #[error("a name has at most 32 characters")]
    TooLong,
    /// A control character or line break.
    #[error("a name has no control characters or line breaks")]
    Control,
    /// A character that changes the direction of text.
    #[error("a name has no characters that change the direction of text")]
    Direction,
    /// A character that cannot be seen.
    #[error("a name has no invisible characters")]
    Invisible,
    /// A private or unassigned character.
    #[error("a name has no private or unassigned characters")]
    Unassigned,
    /// A pile of marks on one letter, or a mark without a letter.
    #[error("a name has at most two marks on each letter")]
    Marks,
}

impl DisplayName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for DisplayName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Takes a name as typed; says which rule it breaks.
pub fn parse(text: &str) -> Result<DisplayName, NameError> {
    // A composition never shortens a text to a third, so this refuses nothing that would fit, and bounds the work.
    let trimmed = text.trim();
    if trimmed.chars().nth(MAX_CHARS * 4).is_some() {
        return Err(NameError::TooLong);
    }
    let chars: Vec<char> = trimmed.nfc().collect();
    let mut marks = 0;
    let mut based = false;
    for (place, &c) in chars.iter().enumerate() {
        check_char(c)?;
        if c == JOINER && !joins_emoji(&chars, place) {
            return Err(NameError::Invisible);
        }
        if is_combining_mark(c) {
            marks += 1;
            if marks > MAX_MARKS || !based {
                return Err(NameError::Marks);
            }
        } else {
            marks = 0;
            based = !c.is_whitespace();
        }
    }
    match chars.len() {
        0 => Err(NameError::Empty),
        1..=MAX_CHARS => Ok(DisplayName(chars.into_iter().collect())),
        _ => Err(NameError::TooLong),
    }
}

fn check_char(c: char) -> Result<(), NameError> {
    match c {
        JOINER => Ok(()),
        _ if c.is_control() => Err(NameError::Control),
        '\u{2028}' | '\u{2029}' => Err(NameError::Control),
        // Bidi controls: Unicode's Bidi_Control property.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Err(NameError::Direction)
        }
        // Format characters (general category Cf), fillers and blanks that render as nothing.
        '\u{00ad}'
        | '\u{034f}'
        | '\u{0600}'..='\u{0605}'
        | '\u{06dd}'
        | '\u{070f}'
        | '\u{0890}'..='\u{0891}'
        | '\u{08e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200c}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0e}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => Err(NameError::Invisible),
        // Private use, noncharacters, replacement, and the planes in which nothing is assigned.
        '\u{e000}'..='\u{f8ff}'
        | '\u{fdd0}'..='\u{fdef}'
        | '\u{fffc}'..='\u{ffff}'
        | '\u{40000}'..='\u{dffff}'
        | '\u{f0000}'..='\u{10ffff}' => Err(NameError::Unassigned),
        _ if u32::from(c) & 0xfffe == 0xfffe => Err(NameError::Unassigned),
        _ => Ok(()),
    }
}

/// Whether the joiner at `place` joins two emoji (families, flags, professions).
fn joins_emoji(chars: &[char], place: usize) -> bool {
    let before = chars[..place].iter().rev().find(|c| !matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'));
    let after = chars.get(place + 1);
    before.is_some_and(|c| pictograph(*c)) && after.is_some_and(|c| pictograph(*c))
}

/// The blocks that hold the emoji which occur in joined sequences.
const fn pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}
