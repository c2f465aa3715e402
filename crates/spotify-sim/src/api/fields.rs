//! `fields`: which keys of a playlist's answer are wanted, as in `total,items(added_at,item.album(!images))`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::errors::ApiError;
use crate::exchange::Call;

/// What was asked for; where nothing is named it is everything.
#[derive(Debug, Default)]
pub(super) struct Fields {
    wanted: BTreeMap<String, Self>,
    unwanted: BTreeSet<String>,
}

/// Names within one another; deeper than any answer.
const DEPTH: usize = 16;

impl Fields {
    /// Reads the parameter; the error is Spotify's answer to what cannot be read.
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        let Some(text) = call.query("fields").filter(|text| !text.is_empty()) else {
            return Ok(Self::default());
        };
        let mut fields = Self::default();
        match fields.list(text, DEPTH) {
            Some("") => Ok(fields),
            _ => Err(ApiError::bad("Invalid fields")),
        }
    }

    /// Takes in names with commas between them; what stands behind them, or nothing where they cannot be read.
    fn list<'a>(&mut self, mut text: &'a str, depth: usize) -> Option<&'a str> {
        loop {
            text = match text.strip_prefix('!') {
                Some(named) => {
                    let (name, rest) = name(named)?;
                    self.unwanted.insert(name.to_owned());
                    rest
                }
                None => self.path(text, depth)?,
            };
            match text.strip_prefix(',') {
                Some(more) => text = more,
                None => return Some(text),
            }
        }
    }

    /// Takes in a name and what is wanted of it: all, one thing (`name.thing`), or a list (`name(…)`).
    fn path<'a>(&mut self, text: &'a str, depth: usize) -> Option<&'a str> {
        let depth = depth.checked_sub(1)?;
        let (name, rest) = name(text)?;
        let inner = self.wanted.entry(name.to_owned()).or_default();
        if let Some(below) = rest.strip_prefix('.') {
            inner.path(below, depth)
        } else if let Some(below) = rest.strip_prefix('(') {
            inner.list(below, depth)?.strip_prefix(')')
        } else {
            Some(rest)
        }
    }

    /// What is wanted of an answer; of a list, of each of its entries.
    pub(super) fn pick(&self, mut answer: Value) -> Value {
        match &mut answer {
            Value::Array(entries) => {
                for entry in entries {
                    *entry = self.pick(entry.take());
                }
            }
            Value::Object(keys) => {
                keys.retain(|key, _| {
                    !self.unwanted.contains(key) && (self.wanted.is_empty() || self.wanted.contains_key(key))
                });
                for (key, fields) in &self.wanted {
                    if let Some(value) = keys.get_mut(key) {
                        *value = fields.pick(value.take());
                    }
                }
            }
            _ => {}
        }
        answer
    }
}

/// A name, and what stands behind it.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
