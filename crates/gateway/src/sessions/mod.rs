//! Who is asking: sessions found by the cookie or bearer value of a request, kept in memory for a short while.
//!
//! The store has the last word. What is kept here is believed for [`KEPT_MS`] (for [`REMEMBERED_MS`] where this process
//! alone writes, and so hears of every end), and no longer where the store tells of an end or a change ([`Sessions::run`]
//! listens to that). While the store does not answer, who was known a short while ago is known still: a room is then read
//! from memory, and whatever would change anything is refused.
//!
//! An account of Spotify's belongs to one person, in whichever browser it signs in: [`account`] says how that is
//! remembered.

mod account;
mod cookie;
mod row;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth::{Session, SessionSecret};
use dashmap::DashMap;
use http::HeaderMap;
use kernel::{Clock, Entropy, MemberId, Timestamp};
use store::{Hash, SessionEvent, SessionRow, Store, StoreError};
use tokio::sync::{Mutex, MutexGuard, broadcast};
use tokio_util::sync::CancellationToken;

use crate::parts::Config;
use crate::pulse::Pulse;

pub use cookie::{CookieNames, clear_cookie, cookie_value, set_cookie};

/// How long a session is believed without asking the store, where no news of it comes. News of other processes may be lost.
const KEPT_MS: u64 = 5_000;
/// How long a session is remembered for the time in which the store does not answer; and how long it is believed where
/// nobody else writes to the store.
const REMEMBERED_MS: u64 = 600_000;
/// Sessions kept in memory; beyond it, none is added until the next sweep.
const KEPT_MAX: usize = 200_000;
/// Writes to sessions, and acts of one person that must not overtake one another, are spread over so many locks.
const STRIPES: usize = 64;
/// Ends that a listener may be behind before it is told that it missed some.
const ENDS: usize = 1024;
const SWEEP: Duration = Duration::from_secs(60);
/// Between purges of what has expired in the store.
const SWEEPS_PER_PURGE: u32 = 10;
const FOLLOW_AGAIN: Duration = Duration::from_secs(1);

/// How a request says who it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The browser's cookie, which a browser sends whoever made it ask.
    Cookie,
    /// `Authorization: Bearer`, which only a program that knows the value sends.
    Bearer,
}

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the store knows the session by.
    pub hash: Hash,
    /// The session.
    pub session: Arc<Session>,
    /// How the request said so.
    pub via: Via,
}

/// A session of which nothing may be believed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// This one has ended, or was replaced.
    One(Hash),
    /// Some may have: ask for each.
    Perhaps,
}

/// The sessions. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    store: Store,
    pulse: Pulse,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    names: CookieNames,
    /// How long a session is believed without asking the store.
    believed_ms: u64,
    kept: DashMap<Hash, Kept>,
    /// Counts the news: what was read before the last of it is not kept.
    news: AtomicU64,
    edits: [Mutex<()>; STRIPES],
    turns: [Mutex<()>; STRIPES],
    ends: broadcast::Sender<Ended>,
}

#[derive(Clone)]
struct Kept {
    session: Arc<Session>,
    /// When the store was last asked.
    read_at: Timestamp,
    /// It may have ended or changed since: the store may have told of it unheard.
    doubtful: bool,
}

impl Kept {
    fn is_young(&self, now: Timestamp, age_ms: u64) -> bool {
        now < self.read_at.plus_ms(age_ms)
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("kept", &self.0.kept.len()).finish_non_exhaustive()
    }
}

impl Sessions {
    /// The sessions of that store.
    pub fn new(
        store: Store,
        pulse: Pulse,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        config: &Config,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            pulse,
            clock,
            entropy,
            names: CookieNames::new(config.https()),
            believed_ms: if config.shared_store { KEPT_MS } else { REMEMBERED_MS },
            kept: DashMap::new(),
            news: AtomicU64::new(0),
            edits: std::array::from_fn(|_| Mutex::new(())),
            turns: std::array::from_fn(|_| Mutex::new(())),
            ends: broadcast::Sender::new(ENDS),
        }))
    }

    /// The names of the cookies.
    pub fn names(&self) -> &CookieNames {
        &self.0.names
    }

    /// Whose request it is. `None` where it names no session, names more than one, or names one that does not exist:
    /// an unknown value is never adopted. A request with a bearer value is judged by that alone.
    pub async fn find(&self, headers: &HeaderMap) -> Result<Option<Caller>, StoreError> {
        let Some((secret, via)) = cookie::credential(headers, self.0.names.session) else { return Ok(None) };
        let hash = secret.hash();
        let Some(session) = self.get(&hash).await? else { return Ok(None) };
        let session = self.touched(hash, session).await;
        Ok(Some(Caller { hash, session, via }))
    }

    /// The session of that hash, where there is one that counts; as it is remembered, where the store does not answer.
    pub async fn get(&self, hash: &Hash) -> Result<Option<Arc<Session>>, StoreError> {
        let now = self.0.clock.now();
        let kept = self.0.kept.get(hash).map(|entry| entry.value().clone());
        let kept = kept.filter(|kept| kept.session.live(now));
        if let Some(kept) = &kept
            && !kept.doubtful
            && kept.is_young(now, self.0.believed_ms)
        {
            return Ok(Some(Arc::clone(&kept.session)));
        }
        let remembered = kept.filter(|kept| kept.is_young(now, REMEMBERED_MS)).map(|kept| kept.session);
        if self.0.pulse.is_away() && remembered.is_some() {
            return Ok(remembered);
        }
        let news = self.0.news.load(Ordering::SeqCst);
        let session = match self.load(hash, now).await {
            Ok(session) => session.map(Arc::new),
            Err(error @ StoreError::Unavailable(_)) => {
                // What follows must not wait as long once more.
                self.0.pulse.missed(&error);
                return remembered.map(Some).ok_or(error);
            }
            Err(error @ StoreError::Inconsistent { .. }) => return Err(error),
        };
        match &session {
            Some(session) => self.keep(*hash, session, now, news),
            None => drop(self.0.kept.remove(hash)),
        }
        Ok(session)
    }

    async fn load(&self, hash: &Hash, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let Some(row) = self.0.store.sessions.session_get(hash, now).await? else { return Ok(None) };
        row::session(&row).map(|session| Some(session).filter(|session| session.live(now)))
    }

    fn keep(&self, hash: Hash, session: &Arc<Session>, now: Timestamp, news: u64) {
        if self.0.kept.len() >= KEPT_MAX {
            return;
        }
        self.0.kept.insert(hash, Kept { session: Arc::clone(session), read_at: now, doubtful: false });
        // News that came while it was read may have been of it.
        if self.0.news.load(Ordering::SeqCst) != news {
            self.0.kept.remove(&hash);
        }
    }

    /// Writes the use of a session down, at most hourly. That it could not be written is no reason to turn away
    /// whoever uses it.
    async fn touched(&self, hash: Hash, session: Arc<Session>) -> Arc<Session> {
        let now = self.0.clock.now();
        if self.0.pulse.is_away() || !session.as_ref().clone().touch(now) {
            return session;
        }
        match self.edit(&hash, |session| _ = session.touch(now)).await {
            Ok(Some(touched)) => touched,
            Ok(None) => session,
            Err(error) => {
                tracing::warn!(%error, "session.touch not stored");
                self.0.pulse.missed(&error);
                session
            }
        }
    }

    /// Makes and stores a session, with a name to be called by until another is chosen.
    pub async fn make(&self) -> Result<(SessionSecret, Caller), StoreError> {
        let member = MemberId::generate(self.0.entropy.as_ref());
        let name = auth::default_name(self.0.entropy.as_ref());
        let session = Session { name: Some(name), ..Session::new(member, self.0.clock.now()) };
        self.insert(session).await
    }

    /// Stores a new session under a new secret.
    pub async fn insert(&self, session: Session) -> Result<(SessionSecret, Caller), StoreError> {
        let secret = SessionSecret::generate(self.0.entropy.as_ref());
        let hash = secret.hash();
        self.0.store.sessions.session_insert(row::of(hash, &session)).await?;
        Ok((secret, Caller { hash, session: Arc::new(session), via: Via::Cookie }))
    }

    /// Replaces the session `old` by `next`, under a new secret: the old one is worth nothing from then on. Where it
    /// has ended meanwhile, `next` is a session all the same.
    pub async fn rotate(
        &self,
        old: Option<&Hash>,
        next: Session,
    ) -> Result<(SessionSecret, Caller), StoreError> {
        let Some(old) = old else { return self.insert(next).await };
        let secret = SessionSecret::generate(self.0.entropy.as_ref());
        let hash = secret.hash();
        let _turn = self.edit_turn(old).await;
        let now = self.0.clock.now();
        let row = row::of(hash, &next);
        if !self.0.store.sessions.session_rotate(old, row.clone(), now).await? {
            self.0.store.sessions.session_insert(row).await?;
        }
        self.void(old);
        Ok((secret, Caller { hash, session: Arc::new(next), via: Via::Cookie }))
    }

    /// Changes a stored session, one change at a time in this process; `None` where it has ended.
    pub async fn edit(
        &self,
        hash: &Hash,
        change: impl FnOnce(&mut Session) + Send,
    ) -> Result<Option<Arc<Session>>, StoreError> {
        let _turn = self.edit_turn(hash).await;
        let now = self.0.clock.now();
        let Some(mut session) = self.load(hash, now).await? else { return Ok(None) };
        change(&mut session);
        let stored = self.0.store.sessions.session_update(row::of(*hash, &session)).await?;
        self.void(hash);
        Ok(stored.then(|| Arc::new(session)))
    }

    /// Ends a session for good.
    pub async fn end(&self, hash: &Hash) -> Result<bool, StoreError> {
        let _turn = self.edit_turn(hash).await;
        let existed = self.0.store.sessions.session_delete(hash).await;
        self.void(hash);
        existed
    }

    /// The sessions of a person, browsers all of them, in order of hash.
    pub async fn of_member(&self, member: &MemberId) -> Result<Vec<SessionRow>, StoreError> {
        let mut rows = self.0.store.sessions.sessions_of_member(member, self.0.clock.now()).await?;
        rows.retain(|row| !account::is_own_row(row));
        Ok(rows)
    }

    /// Waits for the turn of that person: acts that count what is there before they add to it come one by one.
    pub async fn turn(&self, member: &MemberId) -> MutexGuard<'_, ()> {
        let sum =
            member.as_str().bytes().fold(0_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(b)));
        self.0.turns[sum % STRIPES].lock().await
    }

    /// Tells of every session that ends from now on, on whichever gateway. What lives on behalf of one must end.
    pub fn ends(&self) -> broadcast::Receiver<Ended> {
        self.0.ends.subscribe()
    }

    /// Listens to the store's news of sessions, and purges what has expired, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut sweeps = 0;
        while !stop.is_cancelled() {
            let mut feed = match self.0.store.sessions.sessions_follow().await {
                Ok(feed) => feed,
                Err(error) => {
                    tracing::warn!(%error, "session.follow failed, trying again shortly");
                    stop.run_until_cancelled(tokio::time::sleep(FOLLOW_AGAIN)).await;
                    continue;
                }
            };
            // What happened before the feed began is not in it.
            self.doubt_all();
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    event = feed.next() => match event {
                        Some(event) => self.hear(&event),
                        None => break,
                    },
                    _ = sweep.tick() => {
                        sweeps += 1;
                        self.sweep(sweeps % SWEEPS_PER_PURGE == 0).await;
                    }
                }
            }
            stop.run_until_cancelled(tokio::time::sleep(FOLLOW_AGAIN)).await;
        }
    }

    fn hear(&self, event: &SessionEvent) {
        match event {
            SessionEvent::Ended(hash) => {
                self.void(hash);
                // Nobody listening is no fault.
                let _ = self.0.ends.send(Ended::One(*hash));
            }
            SessionEvent::Changed(hash) => self.void(hash),
            SessionEvent::Lagged => self.doubt_all(),
        }
    }

    fn void(&self, hash: &Hash) {
        self.0.news.fetch_add(1, Ordering::SeqCst);
        self.0.kept.remove(hash);
    }

    fn doubt_all(&self) {
        self.0.news.fetch_add(1, Ordering::SeqCst);
        for mut kept in self.0.kept.iter_mut() {
            kept.doubtful = true;
        }
        let _ = self.0.ends.send(Ended::Perhaps);
    }

    async fn sweep(&self, purge: bool) {
        let now = self.0.clock.now();
        let age_ms = if self.0.kept.len() < KEPT_MAX { REMEMBERED_MS } else { KEPT_MS };
        self.0.kept.retain(|_, kept| kept.is_young(now, age_ms));
        if purge && let Err(error) = self.0.store.sessions.sessions_purge(now).await {
            tracing::warn!(%error, "session.purge failed");
        }
    }

    async fn edit_turn(&self, hash: &Hash) -> MutexGuard<'_, ()> {
        self.0.edits[usize::from(hash[0]) % STRIPES].lock().await
    }
}

/// The name that a session is called by.
pub fn display_name(session: &Session) -> &str {
    session.name.as_deref().unwrap_or("Guest")
}
