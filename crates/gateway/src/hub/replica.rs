//! The task that writes a room on this gateway: gather what has arrived, apply it in order, store it once, and only then
//! answer and tell everyone.

mod follow;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kernel::{MemberId, NodeId};
use protocol::CloseCode;
use rooms::{Departure, Proposal, Sections};
use store::{Commit, CommitError, Fence, Lineage, RoomChange, RoomFeed};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::HubError;
use super::apply::apply_one;
use super::frames::{answer_frame, notice_frame, unavailable_frame};
use super::job::{ConductorEvent, Failure, Job, News, NotConducted, Outcome, Reply};
use super::registry::HubParts;
use super::remembered::Remembered;
use super::room::{Shared, farewell};
use crate::net::Publication;

/// Jobs that are stored together at the most: more would make the first of them wait.
const BATCH: usize = 512;
/// How often a commit is decided again after others came first, before the jobs are told to come back.
const TRIES: usize = 16;
/// How soon a room that could not be stored is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a command waits, unanswered, for the store to say what became of it.
const DOUBT: Duration = Duration::from_secs(10);
/// A room with no job and no listener for this long goes to sleep.
const IDLE: Duration = Duration::from_secs(600);
/// How long a process that remembers nothing of use waits, after another memory of the store has taken over, for one
/// that does.
const OTHERS_FIRST: Duration = Duration::from_secs(1);
/// Comings and goings are stored together with those of this time: a crowd that comes at once is a few commits.
const GATHER: Duration = Duration::from_millis(50);
/// With so few listeners, comings and goings are told at once.
const FEW_LISTENERS: usize = 50;
/// How often a room looks whether it has missed a version, and whether the processes that its people are connected to
/// still live: what bus and store do not tell by themselves is known within 5 s (contract, section 4).
const CHECK: Duration = Duration::from_millis(4_000);
/// Beyond that, they are told together, the later the more hear them: every member hears of every other, so a room that
/// fills would otherwise cost the square of its members. Half a millisecond per listener, 5 s at the most.
const SOFT_PER_LISTENER: Duration = Duration::from_micros(500);
const SOFT_MAX: Duration = Duration::from_secs(5);

pub(super) struct Replica {
    parts: HubParts,
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<Job>,
    /// It may not be what is stored: load before the next batch.
    doubtful: bool,
    /// What is known to be stored, where the store may lose it.
    remembered: Option<Remembered>,
    /// It came from the store and has not been written by this process yet.
    to_take_up: bool,
    /// The processes that lived when some that the room names did not.
    alive: Option<BTreeSet<NodeId>>,
    /// When what is stored and not told yet is told.
    tell_at: Option<Instant>,
    /// Comings and goings that wait for more of them, and until when.
    presence: Vec<Job>,
    presence_at: Option<Instant>,
    /// Commands whose commit was not answered, until when the store is waited for: whether they are stored is not known, so
    /// neither may be said. Done again when the store is back, under their ids, they are answered by what is stored.
    in_doubt: Vec<Job>,
    in_doubt_until: Instant,
    /// The last version whose news were heard, which may come after the version itself was read.
    heard: u64,
    over: bool,
}

impl Replica {
    pub(super) fn new(
        parts: HubParts,
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<Job>,
        remembered: Remembered,
        to_take_up: bool,
    ) -> Self {
        let heard = shared.room().version();
        Self {
            remembered: parts.shared.then_some(remembered),
            parts,
            heard,
            shared,
            inbox,
            doubtful: false,
            to_take_up,
            alive: None,
            tell_at: None,
            presence: Vec::new(),
            presence_at: None,
            in_doubt: Vec::new(),
            in_doubt_until: Instant::now(),
            over: false,
        }
    }

    pub(super) async fn run(mut self) {
        let mut feed = None;
        if self.parts.shared {
            feed = self.parts.store.rooms.room_follow(&self.shared.code).await.ok();
            // Between loading the room and following it, another process may have written.
            self.catch_up().await;
        }
        if self.to_take_up {
            self.alive = self.parts.nodes.alive(self.named()).await;
            self.work(Vec::new()).await;
        }
        let mut check = tokio::time::interval(CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.tick().await;
        let mut time = self.parts.time.clone();
        let mut busy_at = Instant::now();
        while !self.over {
            let due = self.shared.room().deadline().map(|(at, _)| at);
            let (tell_at, presence_at) = (self.tell_at, self.presence_at);
            tokio::select! {
                biased;
                job = self.inbox.recv() => match job {
                    Some(job) => {
                        busy_at = Instant::now();
                        let mut jobs = vec![job];
                        while jobs.len() < BATCH && let Ok(job) = self.inbox.try_recv() {
                            jobs.push(job);
                        }
                        self.take_in(jobs).await;
                    }
                    None => break,
                },
                () = sleep_until(presence_at) => self.take_in(Vec::new()).await,
                () = sleep_until(tell_at) => self.tell_late(),
                change = next_change(feed.as_mut()) => match change {
                    Some(change) => self.hear(change).await,
                    None => feed = None,
                },
                // What is due and cannot be stored stays due: it waits with the rest, or it would never let go.
                () = time.until_some(due), if !self.doubtful => self.work(Vec::new()).await,
                // What could not be stored (someone went offline, say) is not forgotten.
                () = tokio::time::sleep(RETRY), if self.doubtful => {
                    self.give_up_doubts();
                    self.work(Vec::new()).await;
                }
                _ = check.tick(), if self.parts.shared => self.look_around(&mut feed).await,
                () = tokio::time::sleep_until(busy_at + IDLE) => {
                    if self.shared.audience.is_empty() && self.shared.room().orders().next().is_none() {
                        break;
                    }
                    busy_at = Instant::now();
                }
            }
        }
        self.inbox.close();
        while let Ok(job) = self.inbox.try_recv() {
            refuse(job, HubError::Unavailable);
        }
    }

    /// The processes that somebody in the room is connected to.
    fn named(&self) -> BTreeSet<NodeId> {
        self.shared.room().members().flat_map(|(_, member)| member.nodes.iter().cloned()).collect()
    }

    /// Finds what nobody tells: a version that the bus has lost, and people whose process has died.
    async fn look_around(&mut self, feed: &mut Option<Box<dyn RoomFeed>>) {
        if feed.is_none() {
            *feed = self.parts.store.rooms.room_follow(&self.shared.code).await.ok();
        }
        self.catch_up().await;
        let named = self.named();
        if let Some(alive) = self.parts.nodes.alive(named.clone()).await
            && !named.is_subset(&alive)
        {
            self.alive = Some(alive);
            self.work(Vec::new()).await;
        }
    }

    /// Lets comings and goings wait a little for others; whatever somebody waits for takes them along, in their order.
    async fn take_in(&mut self, jobs: Vec<Job>) {
        let nobody_waits =
            !jobs.is_empty() && jobs.iter().all(|job| matches!(job, Job::Arrived(_) | Job::Departed(_)));
        self.presence.extend(jobs);
        if nobody_waits && self.presence.len() < BATCH {
            self.presence_at.get_or_insert(Instant::now() + GATHER);
            return;
        }
        self.presence_at = None;
        let jobs = std::mem::take(&mut self.presence);
        self.work(jobs).await;
    }

    /// Lets go of commands that have waited too long for the store: their clients come again and ask under the same ids.
    fn give_up_doubts(&mut self) {
        if Instant::now() < self.in_doubt_until {
            return;
        }
        for job in self.in_doubt.drain(..) {
            if let Job::Command { reply: Reply::Live(connection, _), .. } = job {
                connection.close(CloseCode::GoingAway, "The store does not answer.", Some(1_000));
            }
        }
    }

    /// Applies the jobs, stores what they changed, and answers them.
    async fn work(&mut self, jobs: Vec<Job>) {
        if self.parts.pulse.is_away() {
            // Whoever asks is told at once, and what nobody waits for is made up for by reading the room again.
            self.doubtful = true;
            return for job in jobs {
                refuse(job, HubError::Unavailable);
            };
        }
        // In the order in which they came. The first so many may not be refused.
        let mut doubted = self.in_doubt.len();
        let mut jobs: Vec<Job> = self.in_doubt.drain(..).chain(jobs).collect();
        for _ in 0..TRIES {
            if self.doubtful && !self.reload().await {
                break;
            }
            let (outcomes, proposal, fence) = self.apply(&jobs);
            let Some(proposal) = proposal else {
                // That nothing has to be written is true of the newest version, which another process may have made.
                if self.parts.shared && !jobs.is_empty() && !self.is_newest().await {
                    self.doubtful = true;
                    continue;
                }
                self.alive = None;
                return self.answer(jobs, outcomes, None);
            };
            match self.commit(&proposal, fence, asks_spotify(&jobs)).await {
                Ok(()) => {
                    if let Some(remembered) = &mut self.remembered {
                        remembered.closed |= proposal.closed;
                        remembered.learn(proposal.version, &proposal.records);
                    }
                    self.to_take_up = false;
                    self.alive = None;
                    return self.publish(proposal, jobs, outcomes);
                }
                Err(CommitError::Conflict { .. } | CommitError::OtherLineage) => self.doubtful = true,
                Err(CommitError::Fenced) => {
                    self.doubtful = true;
                    let (fenced, rest) = jobs.into_iter().partition(|job| matches!(job, Job::Conduct { .. }));
                    jobs = rest;
                    for job in fenced {
                        if let Job::Conduct { reply, .. } = job {
                            let _ = reply.send(Err(NotConducted::Fenced));
                        }
                    }
                }
                Err(CommitError::Gone) => {
                    for job in jobs {
                        refuse(job, HubError::Gone);
                    }
                    return self.gone();
                }
                Err(CommitError::Store(error)) => {
                    tracing::error!(
                        room = %self.shared.code,
                        error = &error as &dyn std::error::Error,
                        "room.commit failed"
                    );
                    self.parts.pulse.missed(&error);
                    self.doubtful = true;
                    // A store of this process alone has said no; one behind a network may have done it.
                    if self.parts.shared {
                        if doubted == 0 {
                            self.in_doubt_until = Instant::now() + DOUBT;
                        }
                        // Stable: those that were in doubt stay in front.
                        jobs.sort_by_key(|job| !may_be_done_again(job));
                        doubted = jobs.iter().filter(|job| may_be_done_again(job)).count();
                    }
                    break;
                }
            }
        }
        let refused = jobs.split_off(doubted);
        self.in_doubt = jobs;
        for job in refused {
            refuse(job, HubError::Unavailable);
        }
    }

    async fn is_newest(&self) -> bool {
        let known = self.shared.room().version();
        let rooms = &self.parts.store.rooms;
        let lineage = rooms.room_lineage(&self.shared.code).await;
        lineage.is_ok_and(|lineage| !self.is_other(&lineage))
            && matches!(rooms.room_version(&self.shared.code).await, Ok(Some(version)) if version == known)
    }

    /// Whether the store answers from another memory than the one that the room was last seen in.
    fn is_other(&self, lineage: &Lineage) -> bool {
        self.remembered
            .as_ref()
            .is_some_and(|own| own.lineage != *lineage || *self.shared.room().lineage() != **lineage)
    }

    fn apply(&self, jobs: &[Job]) -> (Vec<Outcome>, Option<Proposal>, Option<Fence>) {
        let now = self.parts.time.now();
        let mut room = self.shared.room();
        match &self.alive {
            Some(alive) if self.to_take_up => room.taken_up(now, alive),
            Some(alive) => {
                room.nodes_alive(now, alive);
            }
            None => {}
        }
        room.settle(now);
        let mut fence = None;
        let outcomes = jobs
            .iter()
            .map(|job| {
                if let Job::Conduct { fence: held, .. } = job {
                    fence = fence.max(Some(*held));
                }
                apply_one(&mut room, job, now, &self.parts)
            })
            .collect();
        room.settle(now);
        (outcomes, room.take(), fence)
    }

    async fn commit(
        &self,
        proposal: &Proposal,
        fence: Option<Fence>,
        durable: bool,
    ) -> Result<(), CommitError> {
        let commit = Commit {
            code: self.shared.code.clone(),
            expected: proposal.expected,
            records: proposal.records.clone(),
            fence,
            news: News::of(proposal).to_bytes(),
            origin: self.parts.node.clone(),
            expires_at: proposal.expires_at,
            durable,
            lineage: self.remembered.as_ref().map(|own| Lineage::clone(&own.lineage)),
        };
        let began = Instant::now();
        let stored = self.parts.store.rooms.room_commit(commit).await;
        metrics::histogram!("parlor_room_commit_seconds").record(began.elapsed().as_secs_f64());
        let outcome = match &stored {
            Ok(_) => "stored",
            Err(CommitError::Conflict { .. } | CommitError::OtherLineage) => "conflict",
            Err(CommitError::Fenced | CommitError::Gone) => "refused",
            Err(CommitError::Store(_)) => "failed",
        };
        metrics::counter!("parlor_room_commits_total", "outcome" => outcome).increment(1);
        stored.map(|_| ())
    }

    /// Answers and tells what is stored, and ends the connections that must end: before everyone is told, since who is no
    /// longer in hears nothing of the room without them.
    fn publish(&mut self, proposal: Proposal, jobs: Vec<Job>, outcomes: Vec<Outcome>) {
        let (changed, soft) = (proposal.sections.union(proposal.soft), proposal.sections.is_empty());
        let news = self.show(changed, soft, proposal.notices.iter().map(notice_frame).collect());
        if proposal.stirs {
            self.shared.stirred.send_replace(());
        }
        let nobody_goes = proposal.departures.is_empty() && !proposal.closed;
        self.answer(jobs, outcomes, news.as_deref().filter(|_| nobody_goes));
        self.part_from(proposal.departures);
        if proposal.closed {
            self.close_everyone(CloseCode::RoomClosed, "The room was closed.");
        }
        self.tell(news);
    }

    /// Answers everyone who asked, over a live connection together with the news of it.
    fn answer(&self, jobs: Vec<Job>, outcomes: Vec<Outcome>, news: Option<&Publication>) {
        let version = self.shared.room().version();
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            match (job, outcome) {
                (Job::Command { reply, .. }, Outcome::Command(result)) => {
                    // A command that left nothing to write is answered with the version as it is.
                    let result = result.map(|promised| promised.min(version));
                    match reply {
                        Reply::Live(connection, id) => connection.answer(answer_frame(id, result), news),
                        Reply::Http(reply) => drop(reply.send(result.map_err(Failure::Refused))),
                    }
                }
                (Job::Join { reply, .. }, Outcome::Join(outcome)) => drop(reply.send(Ok(outcome))),
                (Job::Conduct { reply, .. }, Outcome::Conducted(what)) => drop(reply.send(Ok(what))),
                (
                    Job::Forget { reply, .. }
                    | Job::HostConnected { reply, .. }
                    | Job::HostSilenced { reply },
                    _,
                ) => drop(reply.send(Ok(()))),
                _ => {}
            }
        }
    }

    /// Shows the version that is stored to whoever asks or comes from now on. What everyone is to be told of it now; nothing
    /// where it matters little (`soft`) and many listen, who are told later.
    fn show(&mut self, changed: Sections, soft: bool, mut notices: Vec<Bytes>) -> Option<Arc<Publication>> {
        let listeners = self.shared.audience.len();
        let later = soft && listeners > FEW_LISTENERS;
        let (version, publication) = {
            let room = self.shared.room();
            let mut frames = self.shared.frames();
            frames.advance(&room, changed);
            let publication = if later { frames.whole() } else { frames.tell(std::mem::take(&mut notices)) };
            (frames.version(), Arc::new(publication))
        };
        self.shared.audience.offer(Arc::clone(&publication));
        self.shared.stored.send_replace(version);
        if !later {
            return Some(publication);
        }
        for notice in notices {
            self.shared.audience.post_notice(notice);
        }
        let delay = (SOFT_PER_LISTENER * u32::try_from(listeners).unwrap_or(u32::MAX)).min(SOFT_MAX);
        self.tell_at.get_or_insert(Instant::now() + delay);
        None
    }

    /// Tells everyone, and with it whatever was to be told later.
    fn tell(&mut self, news: Option<Arc<Publication>>) {
        if let Some(news) = news {
            self.tell_at = None;
            self.shared.audience.post(news);
        }
    }

    /// Tells everyone what they were not told at once.
    fn tell_late(&mut self) {
        let news = self.shared.frames().tell(Vec::new());
        self.tell(Some(Arc::new(news)));
    }

    /// Ends the connections of those who are no longer in.
    fn part_from(&self, departures: Vec<(MemberId, Departure)>) {
        for (member, departure) in departures {
            let connections = self.shared.seats().get(&member).cloned().unwrap_or_default();
            let (code, message) = farewell(departure);
            for connection in connections {
                connection.close(code, message, None);
            }
        }
    }

    fn gone(&mut self) {
        self.over = true;
        self.close_everyone(CloseCode::NoSuchRoom, "There is no such room any more.");
    }

    fn close_everyone(&self, code: CloseCode, message: &str) {
        for connection in self.shared.audience.connections().iter() {
            connection.close(code, message, None);
        }
    }
}

/// Whether Spotify is asked once these are stored: a failover must not forget that.
fn asks_spotify(jobs: &[Job]) -> bool {
    jobs.iter().any(|job| matches!(job, Job::Conduct { event: ConductorEvent::Send(_), .. }))
}

/// Whether it is answered alike however often it is done: under its id the room remembers what it answered.
fn may_be_done_again(job: &Job) -> bool {
    matches!(job, Job::Command { id: Some(_), reply: Reply::Live(..), .. })
}

fn refuse(job: Job, error: HubError) {
    match job {
        Job::Command { reply: Reply::Live(connection, id), .. } => connection.send(unavailable_frame(id)),
        Job::Command { reply: Reply::Http(reply), .. } => drop(reply.send(Err(Failure::Hub(error)))),
        Job::Join { reply, .. } => drop(reply.send(Err(error))),
        Job::Forget { reply, .. } | Job::HostConnected { reply, .. } | Job::HostSilenced { reply } => {
            let _ = reply.send(Err(error));
        }
        Job::Conduct { reply, .. } => drop(reply.send(Err(NotConducted::Hub(error)))),
        Job::Arrived(_) | Job::Departed(_) => {}
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn next_change(feed: Option<&mut Box<dyn RoomFeed>>) -> Option<RoomChange> {
    match feed {
        Some(feed) => feed.next().await,
        None => std::future::pending().await,
    }
}
