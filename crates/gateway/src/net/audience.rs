//! The connections of one room on this gateway, and what they are told.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

use super::connection::{Connection, join};
use super::stats::add;

/// After so many writes the other tasks get a turn: about a third of a millisecond.
const WRITES_PER_TURN: usize = 64;
/// So many publications may wait for their turn; then those before the last are dropped, and the last goes out as a
/// snapshot.
const QUEUED: usize = 128;

/// One version of the room, as frames that all connections share.
pub struct Publication {
    version: u64,
    base: u64,
    update: Bytes,
    notices: Vec<Bytes>,
    snapshot: LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send>>,
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication")
            .field("version", &self.version)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Publication {
    /// The room at `version`. `update` has every section that changed after `base`; `notices` go along with it. `snapshot`
    /// encodes the whole room when the first connection needs it. All are frames as [`super::codec`] encodes them.
    pub fn new(
        version: u64,
        base: u64,
        update: Bytes,
        notices: Vec<Bytes>,
        snapshot: impl FnOnce() -> Bytes + Send + 'static,
    ) -> Self {
        Self { version, base, update, notices, snapshot: LazyLock::new(Box::new(snapshot)) }
    }

    /// The room's version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The whole room, encoded now if it was not before.
    pub fn snapshot(&self) -> &Bytes {
        &self.snapshot
    }

    /// The update and its notices, where it is the next for a client that has `version`.
    pub(super) fn next_for(&self, version: u64) -> Option<impl Iterator<Item = &Bytes>> {
        let is_next = (self.base..self.version).contains(&version);
        is_next.then(|| std::iter::once(&self.update).chain(&self.notices))
    }

    /// What brings a client that has `version` here; none: it needs nothing.
    pub(crate) fn for_version(&self, version: u64) -> Option<Bytes> {
        if version >= self.version {
            None
        } else if version >= self.base {
            Some(self.update.clone())
        } else {
            Some(self.snapshot().clone())
        }
    }
}

/// News that go out together.
pub(super) struct Batch {
    publications: Vec<Arc<Publication>>,
    /// Notices that belong to no version.
    loose: Bytes,
    /// Everything in one piece, for a client that has heard everything before; none where a version is missing between
    /// the publications.
    run: Option<Bytes>,
}

impl Batch {
    fn new(publications: Vec<Arc<Publication>>, loose: &[Bytes]) -> Self {
        let loose = join(loose);
        let all: Vec<Bytes> = publications
            .iter()
            .flat_map(|publication| std::iter::once(&publication.update).chain(&publication.notices))
            .chain((!loose.is_empty()).then_some(&loose))
            .cloned()
            .collect();
        let connected = publications.windows(2).all(|pair| pair[1].base <= pair[0].version);
        Self { publications, run: connected.then(|| join(&all)), loose }
    }

    /// The last publication, where it is newer than `version`.
    pub(super) fn newest_after(&self, version: u64) -> Option<Arc<Publication>> {
        self.publications.last().filter(|newest| newest.version > version).cloned()
    }

    /// The bytes for a client that has `version`, and the version that it has then. None: nothing for it.
    pub(super) fn for_version(&self, version: u64) -> Option<(Bytes, u64)> {
        let newest = self.publications.last().map_or(0, |newest| newest.version);
        if version >= newest {
            return (!self.loose.is_empty()).then(|| (self.loose.clone(), version));
        }
        if let Some(run) = &self.run
            && self.publications.first().is_some_and(|first| first.next_for(version).is_some())
        {
            return Some((run.clone(), newest));
        }
        Some((self.gather(version), newest))
    }

    /// The updates from `version` on where they connect to it, otherwise the newest snapshot; and the notices.
    fn gather(&self, version: u64) -> Bytes {
        let (mut state, mut notices, mut at) = (BytesMut::new(), BytesMut::new(), version);
        for publication in self.publications.iter().filter(|publication| publication.version > version) {
            if publication.version <= at {
                // The newest snapshot, further below, has it already.
            } else if publication.base <= at {
                state.extend_from_slice(&publication.update);
                at = publication.version;
            } else if let Some(newest) = self.publications.last() {
                state = BytesMut::from(&newest.snapshot()[..]);
                at = newest.version;
            }
            for notice in &publication.notices {
                notices.extend_from_slice(notice);
            }
        }
        state.unsplit(notices);
        state.extend_from_slice(&self.loose);
        state.freeze()
    }
}

/// The connections of one room on this gateway.
#[derive(Debug, Default)]
pub struct Audience {
    seats: Mutex<Seats>,
    posted: Mutex<Posted>,
}

#[derive(Debug, Default)]
struct Seats {
    /// Shared with a fan-out under way, which goes on with the list that it began with.
    list: Arc<Vec<Arc<Connection>>>,
    /// What newcomers are told: what the list was last told, is being told, or is told later.
    latest: Option<Arc<Publication>>,
}

#[derive(Debug, Default)]
struct Posted {
    publications: Vec<Arc<Publication>>,
    loose: Vec<Bytes>,
    /// The newest version ever posted.
    newest: u64,
    /// A task is telling the connections.
    telling: bool,
}

impl Audience {
    /// An empty audience of a room that is at `publication`.
    pub fn new(publication: Arc<Publication>) -> Arc<Self> {
        let posted = Posted { newest: publication.version, ..Posted::default() };
        let seats = Seats { list: Arc::default(), latest: Some(publication) };
        Arc::new(Self { seats: Mutex::new(seats), posted: Mutex::new(posted) })
    }

    /// Greets a connection and seats it, so that it misses nothing from the greeting on: `hello`, then the snapshot unless
    /// `since` is the room's very version, in one write. A caller whose client has seen a later version than this
    /// gateway waits for it first: versions only grow.
    pub fn insert(&self, connection: &Arc<Connection>, hello: Bytes, since: Option<u64>) {
        // Encoded before the lock is taken; only a version that comes right now is encoded under it.
        let latest = lock(&self.seats).latest.clone();
        if let Some(latest) = latest.filter(|latest| since != Some(latest.version)) {
            LazyLock::force(&latest.snapshot);
        }
        let mut seats = lock(&self.seats);
        match &seats.latest {
            None => connection.greet(&[hello], since.unwrap_or(0)),
            Some(latest) if since == Some(latest.version) => connection.greet(&[hello], latest.version),
            Some(latest) => connection.greet(&[hello, latest.snapshot().clone()], latest.version),
        }
        let list = Arc::make_mut(&mut seats.list);
        connection.seat.store(list.len(), Relaxed);
        list.push(Arc::clone(connection));
    }

    /// Takes a connection out; one that is not here is no matter. Gives how many are left.
    pub fn remove(&self, connection: &Connection) -> usize {
        let mut seats = lock(&self.seats);
        let seat = connection.seat.load(Relaxed);
        if seats.list.get(seat).is_some_and(|seated| seated.id() == connection.id()) {
            let list = Arc::make_mut(&mut seats.list);
            list.swap_remove(seat);
            if let Some(moved) = list.get(seat) {
                moved.seat.store(seat, Relaxed);
            }
            if list.len() < list.capacity() / 4 {
                list.shrink_to_fit();
            }
        }
        seats.list.len()
    }

    /// The connections now.
    pub fn connections(&self) -> Arc<Vec<Arc<Connection>>> {
        Arc::clone(&lock(&self.seats).list)
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        lock(&self.seats).list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What newcomers are told.
    pub fn latest(&self) -> Option<Arc<Publication>> {
        lock(&self.seats).latest.clone()
    }

    /// Tells whoever comes from now on, where it is newer than what they were told; the others hear of it by a later post.
    pub fn offer(&self, whole: Arc<Publication>) {
        let mut seats = lock(&self.seats);
        if seats.latest.as_ref().is_none_or(|latest| latest.version < whole.version) {
            seats.latest = Some(whole);
        }
    }

    /// Tells everyone, in the order of the calls: a small audience at once, the rest of a big one in a task of its own. What
    /// is posted while a fan-out is under way goes out together after it. A version that is not newer than one posted
    /// before is dropped. Must be called within the runtime.
    pub fn post(self: &Arc<Self>, publication: Arc<Publication>) {
        let begun = self.enqueue(|posted| {
            if publication.version <= posted.newest {
                return;
            }
            posted.newest = publication.version;
            if posted.publications.len() >= QUEUED {
                posted.publications.clear();
            }
            posted.publications.push(publication);
        });
        if let Some(mut fan_out) = begun
            && fan_out.turn()
        {
            fan_out.go_on();
        }
    }

    /// Sends everyone a notice that belongs to no version, soon: with the version that is posted next, if that comes at
    /// once. Those who are behind do without.
    pub fn post_notice(self: &Arc<Self>, notice: Bytes) {
        let begun = self.enqueue(|posted| {
            if posted.loose.len() < QUEUED {
                posted.loose.push(notice);
            }
        });
        if let Some(fan_out) = begun {
            fan_out.go_on();
        }
    }

    /// Gives the fan-out to whoever begins it; nothing where one is under way, which goes on with this.
    fn enqueue(self: &Arc<Self>, add: impl FnOnce(&mut Posted)) -> Option<FanOut> {
        let mut posted = lock(&self.posted);
        add(&mut posted);
        let begins = !std::mem::replace(&mut posted.telling, true);
        begins.then(|| FanOut { audience: Arc::clone(self), under_way: None })
    }

    /// What waits to be told, and whom; none ends the telling, under the same lock, so that no post is left behind.
    fn next_batch(&self) -> Option<Telling> {
        let (publications, loose) = {
            let mut posted = lock(&self.posted);
            if posted.publications.is_empty() && posted.loose.is_empty() {
                posted.telling = false;
                return None;
            }
            (std::mem::take(&mut posted.publications), std::mem::take(&mut posted.loose))
        };
        let batch = Batch::new(publications, &loose);
        let mut seats = lock(&self.seats);
        let known = seats.latest.as_ref().map_or(0, |latest| latest.version);
        if let Some(newest) = batch.newest_after(known) {
            seats.latest = Some(newest);
        }
        Some(Telling { batch, list: Arc::clone(&seats.list), told: 0 })
    }
}

/// One batch on its way.
struct Telling {
    batch: Batch,
    list: Arc<Vec<Arc<Connection>>>,
    /// How many of the list have been told.
    told: usize,
}

/// Whoever tells. Where that ends by a panic in a snapshot's encoding, the next post begins anew.
struct FanOut {
    audience: Arc<Audience>,
    under_way: Option<Telling>,
}

impl FanOut {
    /// Makes at most [`WRITES_PER_TURN`] writes. `false`: everything is told.
    fn turn(&mut self) -> bool {
        let mut writes = WRITES_PER_TURN;
        while writes > 0 {
            let Some(telling) = self.under_way.take().or_else(|| self.audience.next_batch()) else {
                return false;
            };
            self.under_way = telling.go_on(&mut writes);
        }
        true
    }

    /// Tells the rest in a task of its own, in which other tasks get their turns.
    fn go_on(mut self) {
        tokio::spawn(async move {
            while self.turn() {
                tokio::task::yield_now().await;
            }
        });
    }
}

impl Telling {
    /// Tells as many as there are `writes` left; what is left to tell.
    fn go_on(mut self, writes: &mut usize) -> Option<Self> {
        let untold = &self.list[self.told..];
        let part = &untold[..untold.len().min(*writes)];
        let heard = part.iter().filter(|connection| connection.deliver(&self.batch)).count();
        if let Some(first) = part.first() {
            add(&first.sockets.stats.deliveries, heard);
        }
        *writes -= part.len();
        self.told += part.len();
        (self.told < self.list.len()).then_some(self)
    }
}

impl Drop for FanOut {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.audience.posted).telling = false;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
