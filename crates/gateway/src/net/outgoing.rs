//! What one connection still has to write, and how far it has come. Pure but for the writes that it is handed.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use protocol::CloseCode;

use super::audience::Publication;
use super::connection::Ended;

/// How many frames one write takes at most.
const SLICES: usize = 16;

/// Where a connection is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Says no more; what is pending goes out, and the peer is waited for, since that time.
    Closing {
        since: u64,
    },
    /// Nothing more is read or written.
    Over,
}

/// The writing side of one connection, under its lock.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) phase: Phase,
    pub(super) ended: Option<Ended>,
    queue: VecDeque<Bytes>,
    /// How much of the queue's first frame is written.
    written: usize,
    pending: usize,
    /// What was queued since there was nothing pending, without the frame that did not fit first: one big snapshot on
    /// a slow line is no sin.
    backlog: usize,
    /// When the socket last took something, or the queue began.
    pub(super) progress: u64,
    /// The room's version that the client will have when all this is written.
    pub(super) version: u64,
    /// What the client gets instead of all that it has missed.
    pub(super) behind: Option<Arc<Publication>>,
    pub(super) waker: Option<Waker>,
    pub(super) watched: bool,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Open,
            ended: None,
            queue: VecDeque::new(),
            written: 0,
            pending: 0,
            backlog: 0,
            progress: 0,
            version: 0,
            behind: None,
            waker: None,
            watched: false,
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        self.pending == 0
    }

    /// The bytes that count against the limits.
    pub(super) fn excess(&self) -> usize {
        self.backlog.min(self.pending)
    }

    /// Queues a frame, of which the first `written` bytes are out.
    pub(super) fn queue(&mut self, frame: Bytes, written: usize, now: u64) {
        if self.pending == 0 {
            self.written = written;
            self.progress = now;
            self.pending = frame.len() - written;
        } else {
            self.pending += frame.len();
            self.backlog += frame.len();
        }
        self.queue.push_back(frame);
    }

    /// Hands the beginning of the queue to `write` and strikes off what it took.
    pub(super) fn write_with(
        &mut self,
        now: u64,
        write: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut used = 0;
        for (slice, frame) in slices.iter_mut().zip(&self.queue) {
            let skip = if used == 0 { self.written } else { 0 };
            *slice = IoSlice::new(&frame[skip..]);
            used += 1;
        }
        let taken = write(&slices[..used])?;
        if taken > 0 {
            self.progress = now;
        }
        self.strike_off(taken);
        Ok(taken)
    }

    fn strike_off(&mut self, taken: usize) {
        self.pending -= taken;
        self.written += taken;
        while let Some(first) = self.queue.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.queue.pop_front();
        }
        if self.pending == 0 {
            self.clear();
        }
    }

    /// Forgets what has not begun to go out; the frame that has must be finished.
    pub(super) fn cut(&mut self) {
        self.behind = None;
        if self.written > 0 {
            self.queue.truncate(1);
            self.pending = self.queue.front().map_or(0, |first| first.len() - self.written);
        } else {
            self.clear();
        }
    }

    /// Forgets everything and gives the memory back.
    pub(super) fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.written = 0;
        self.pending = 0;
        self.backlog = 0;
    }

    /// Ends the conversation, once.
    pub(super) fn begin_close(&mut self, ended: Ended, now: u64) {
        if matches!(ended, Ended::ByServer(CloseCode::Silent)) {
            self.cut();
        }
        self.behind = None;
        self.ended = Some(ended);
        self.phase = Phase::Closing { since: now };
    }

    /// Gives up: nothing more is written.
    pub(super) fn give_up(&mut self) {
        self.ended.get_or_insert(Ended::Lost);
        self.phase = Phase::Over;
        self.behind = None;
        self.wake();
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}
