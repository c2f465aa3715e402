//! The commands that wait for their answer.

use protocol::{ClientFrame, Code};

/// What the server said to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Stored; that version includes its effect.
    Stored(u64),
    /// Not carried out, and nothing changed.
    Refused {
        /// Why.
        code: Code,
        /// Why, in words.
        message: String,
        /// After how long it may be tried again, in milliseconds; `None` where that is not known.
        retry_ms: Option<u64>,
    },
}

/// Commands in the order in which they were given, each with whoever waits for its answer (`W`).
#[derive(Debug)]
pub struct Pending<W>(Vec<(ClientFrame, W)>);

impl<W> Default for Pending<W> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<W> Pending<W> {
    /// Keeps `frame` until it is answered.
    pub fn add(&mut self, frame: ClientFrame, waiter: W) {
        self.0.push((frame, waiter));
    }

    /// Takes out the command of that id; `None` where it is not (any more) waited for: an answer that is repeated.
    pub fn resolve(&mut self, id: &str) -> Option<W> {
        let at = self.0.iter().position(|(frame, _)| frame.id == id)?;
        Some(self.0.remove(at).1)
    }

    /// What must be sent again on a new connection, in the order given.
    pub fn unanswered(&self) -> impl Iterator<Item = &ClientFrame> {
        self.0.iter().map(|(frame, _)| frame)
    }

    /// Takes out all.
    pub fn drain(&mut self) -> impl Iterator<Item = W> + '_ {
        self.0.drain(..).map(|(_, waiter)| waiter)
    }

    /// How many wait.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none waits.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::CommandBody;

    #[test]
    fn unanswered_commands_keep_their_order_and_an_answer_counts_once() {
        let mut pending = Pending::default();
        for id in ["a", "b", "c"] {
            pending.add(ClientFrame { id: id.into(), request: CommandBody::Pause {} }, id);
        }
        assert_eq!(pending.resolve("b"), Some("b"));
        assert_eq!(pending.resolve("b"), None);
        let left: Vec<_> = pending.unanswered().map(|frame| frame.id.as_str()).collect();
        assert_eq!(left, ["a", "c"]);
        assert_eq!(pending.drain().count(), 2);
        assert!(pending.is_empty());
    }
}
