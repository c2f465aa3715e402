//! The count of calls received.

use std::collections::BTreeMap;

use super::account::User;

/// What calls are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallKey {
    pub(crate) path: String,
    pub(crate) method: String,
    /// 0 until an answer is sent, and for good where none is.
    pub(crate) status: u16,
    pub(crate) user: Option<User>,
}

/// How often each was called.
#[derive(Debug, Default)]
pub(crate) struct Calls(BTreeMap<CallKey, u64>);

impl Calls {
    pub(crate) fn add(&mut self, key: CallKey) {
        *self.0.entry(key).or_default() += 1;
    }

    /// Moves a call that was counted without an answer to its answer.
    pub(crate) fn answered(&mut self, before: &CallKey, after: CallKey) {
        if let Some(count) = self.0.get_mut(before) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(before);
            }
        }
        self.add(after);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&CallKey, u64)> + Clone {
        self.0.iter().map(|(key, count)| (key, *count))
    }
}
