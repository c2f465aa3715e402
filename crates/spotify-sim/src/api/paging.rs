//! Pages of lists.

use serde_json::{Value, json};

use super::Asked;
use super::errors::ApiError;
use crate::exchange::{Call, encode};

/// Which part of a list was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

/// A whole number in the query, `default` where it is absent.
fn number(call: &Call, key: &str, default: usize) -> Result<usize, ApiError> {
    match call.query(key) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| ApiError::bad(&format!("Invalid {key}"))),
    }
}

impl Page {
    /// Reads `limit` (1 to `max`) and `offset`.
    pub(super) fn of(call: &Call, default: usize, max: usize) -> Result<Self, ApiError> {
        let limit = number(call, "limit", default)?;
        if !(1..=max).contains(&limit) {
            return Err(ApiError::bad("Invalid limit"));
        }
        Ok(Self { limit, offset: number(call, "offset", 0)? })
    }

    /// The page of a list with `total` entries, each made by `entry`.
    pub(super) fn of_list(self, asked: &Asked<'_>, total: usize, entry: impl FnMut(usize) -> Value) -> Value {
        self.at(asked, &asked.call.path, total, entry)
    }

    /// The same for a list that is found under another path than the one asked for.
    pub(super) fn at(
        self,
        asked: &Asked<'_>,
        path: &str,
        total: usize,
        entry: impl FnMut(usize) -> Value,
    ) -> Value {
        let Self { limit, offset } = self;
        let own = path == asked.call.path;
        let kept: Vec<(&str, &str)> = asked
            .call
            .query
            .iter()
            .filter(|(key, _)| own && key != "limit" && key != "offset")
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let link = |offset: usize| link(&asked.call.base, path, &kept, limit, offset);
        json!({
            "href": link(offset),
            "limit": limit,
            "offset": offset,
            "next": (offset + limit < total).then(|| link(offset + limit)),
            "previous": (offset > 0).then(|| link(offset.saturating_sub(limit))),
            "total": total,
            "items": (offset.min(total)..total.min(offset + limit)).map(entry).collect::<Vec<_>>(),
        })
    }
}

fn link(base: &str, path: &str, kept: &[(&str, &str)], limit: usize, offset: usize) -> String {
    let mut query: Vec<String> = vec![format!("offset={offset}"), format!("limit={limit}")];
    query.extend(kept.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))));
    format!("{base}{path}?{}", query.join("&"))
}
