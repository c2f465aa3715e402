//! Answers, read. What cannot be read is damage or another program's hand, and is said so.
#![expect(clippy::wildcard_enum_match_arm, reason = "every other kind of answer is a wrong one")]

use std::str::FromStr;

use redis::Value;

use crate::{Result, StoreError};

pub(super) fn inconsistent(table: &'static str, key: &str, what: &str) -> StoreError {
    StoreError::Inconsistent { table, key: key.to_owned(), what: what.to_owned() }
}

/// Bytes; `None` where there is nothing.
pub(super) fn bytes(table: &'static str, value: Value) -> Result<Option<Vec<u8>>> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Int(number) => Ok(Some(number.to_string().into_bytes())),
        Value::Okay => Ok(Some(b"OK".to_vec())),
        _ => Err(inconsistent(table, "(unknown)", "an answer of another kind")),
    }
}

/// Text; `None` where there is nothing.
pub(super) fn text(table: &'static str, value: Value) -> Result<Option<String>> {
    let Some(bytes) = bytes(table, value)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| inconsistent(table, "(unknown)", "not text"))
}

/// What `INFO` answers. Whatever is not text says nothing.
pub(super) fn text_of(info: Value) -> String {
    match info {
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text,
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    }
}

/// Whether the answer of a script is `1`.
pub(super) fn happened(table: &'static str, value: Value) -> Result<bool> {
    Ok(text(table, value)?.as_deref() == Some("1"))
}

/// A number that a script or a command gives.
pub(super) fn number<T: FromStr>(table: &'static str, value: Value) -> Result<T> {
    let text = text(table, value)?.unwrap_or_default();
    parsed(table, "(unknown)", &text)
}

/// A stored number or identifier, which was one when it was written.
pub(super) fn parsed<T: FromStr>(table: &'static str, key: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| inconsistent(table, key, "not what was written there"))
}

/// The parts of a list.
pub(super) fn list(table: &'static str, value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Nil => Ok(Vec::new()),
        Value::Array(values) | Value::Set(values) => Ok(values),
        _ => Err(inconsistent(table, "(unknown)", "an answer of another kind")),
    }
}

/// Names and values, as a hash is answered.
pub(super) fn pairs(table: &'static str, value: Value) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let both = |name, value| match (bytes(table, name)?, bytes(table, value)?) {
        (Some(name), Some(value)) => Ok((name, value)),
        _ => Err(inconsistent(table, "(unknown)", "half a pair")),
    };
    match value {
        Value::Map(pairs) => pairs.into_iter().map(|(name, value)| both(name, value)).collect(),
        other => {
            let mut flat = list(table, other)?.into_iter();
            let mut found = Vec::new();
            while let (Some(name), value) = (flat.next(), flat.next()) {
                found.push(both(name, value.unwrap_or_default())?);
            }
            Ok(found)
        }
    }
}
