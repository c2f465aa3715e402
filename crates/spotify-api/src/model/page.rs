//! Pages of lists.

use serde_json::Value;

use super::json::{Look, read_all};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was understood of it.
    pub items: Vec<T>,
    /// How many elements were null or not understood.
    pub skipped: usize,
    /// How many elements the whole list has, where the answer says.
    pub total: Option<u64>,
    /// Where this page began.
    pub offset: u64,
    /// Where the next page begins; `None` after the last. Never taken from an address in the answer.
    pub next_offset: Option<u64>,
}

/// Reads a page that was asked for at `offset`; `None` where there is no list in it.
pub(crate) fn page_of<T>(value: &Value, offset: u64, read: impl Fn(&Value) -> Option<T>) -> Option<Page<T>> {
    let list = value.look("items")?.as_array()?;
    let (items, skipped) = read_all(list, read);
    let total = value.count("total");
    let end = offset + list.len() as u64;
    let more = match (value.look("next").and_then(Value::as_str), total) {
        (Some(next), _) => !next.is_empty(),
        // `next` may be null or missing while the total says that there is more.
        (None, Some(total)) => end < total && value.get("next").is_none(),
        (None, None) => false,
    };
    // An empty page has no successor, whatever it says: following it would never end.
    let next_offset = (more && !list.is_empty()).then_some(end);
    Some(Page { items, skipped, total, offset, next_offset })
}
