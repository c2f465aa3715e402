//! `kill -9` at any moment: what was acknowledged is there after the restart, versions only grow, clients converge.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acceptance::{APP, Parlor, Person, SOON, World, prepare};
use anyhow::{Context, Result, ensure};
use kernel::{Entropy, SeededEntropy};
use protocol::{Admission, CommandBody, Me, PatchRoom, RoomView, SettingsPatch, SkipRule};
use room_client::web::{Joined, Visitor, client};
use tempfile::TempDir;
use tokio::sync::Notify;

/// How often the service is killed; each time under load, after a number of acknowledgements drawn from the seed.
/// `PARLOR_KILLS` chooses more.
const KILLS: u64 = 10;

async fn serve(spotify: &str, data: Arc<TempDir>, listen: &str) -> Result<Parlor> {
    let options = [
        "--listen",
        listen,
        "--spotify-accounts-url",
        spotify,
        "--spotify-api-url",
        spotify,
        "--spotify-client-id",
        APP,
        "--spotify-calls",
        "extended",
        "--max-rooms-per-host",
        "10000",
    ];
    Parlor::start("serve", &options, data).await
}

/// Something that one person at a time changes: as last acknowledged, and as asked for since.
#[derive(Clone, Default)]
struct Kept<T> {
    stands: T,
    asked: Option<T>,
}

impl<T: PartialEq + Clone> Kept<T> {
    fn answered(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.stands = asked;
        }
    }

    /// What is there after the crash must be what was acknowledged, or what was asked for and not answered.
    fn found(&mut self, there: T) -> bool {
        let fits = self.stands == there || self.asked.as_ref() == Some(&there);
        *self = Self { stands: there, asked: None };
        fits
    }
}

/// What the service was asked for and has acknowledged.
#[derive(Default)]
struct Ledger {
    version: u64,
    name: Kept<String>,
    rule: Kept<u32>,
    /// The epoch, and whether a vote against it stands.
    vote: Kept<(u64, bool)>,
    joined: Vec<Visitor>,
    rooms: Vec<String>,
    signed_in: Vec<(Visitor, String)>,
}

/// What the loads of one life of the process share.
#[derive(Clone)]
struct Load {
    ledger: Arc<Mutex<Ledger>>,
    answers: Arc<AtomicU64>,
    answered: Arc<Notify>,
    /// The process dies: no more is asked.
    over: Arc<AtomicBool>,
    life: u64,
    code: Arc<str>,
}

impl Load {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Writes down what was acknowledged.
    fn keep(&self, note: impl FnOnce(&mut Ledger)) {
        note(&mut self.ledger());
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.answered.notify_one();
    }

    /// Changes the name and the skip rule in turn.
    async fn settle(self, host: Visitor) {
        for n in 0..10_000_u32 {
            let name = format!("Room {} {n}", self.life);
            // More than there are electors: nobody is to skip here.
            let value = 500 + n % 500;
            let patch = if n % 2 == 0 {
                self.ledger().name.asked = Some(name.clone());
                PatchRoom { name: Some(name), settings: None }
            } else {
                self.ledger().rule.asked = Some(value);
                let skip_rule = Some(SkipRule::Count { value });
                PatchRoom { name: None, settings: Some(SettingsPatch { skip_rule, ..Default::default() }) }
            };
            let Ok(room) = host.patch_room(&self.code, &patch).await else { return };
            self.keep(|ledger| {
                ledger.version = ledger.version.max(room.version);
                ledger.name.answered();
                ledger.rule.answered();
            });
            if self.is_over() {
                return;
            }
        }
    }

    /// Votes and takes the vote back, in turn.
    async fn vote(self, guest: Arc<Person>) {
        while !self.is_over() {
            let Ok(epoch) = guest.playback().map(|playback| playback.epoch) else { return };
            let stands = self.ledger().vote.stands != (epoch, true);
            self.ledger().vote.asked = Some((epoch, stands));
            let command =
                if stands { CommandBody::VoteSkip { epoch } } else { CommandBody::UnvoteSkip { epoch } };
            let Ok(version) = guest.does(command).await else { return };
            self.keep(|ledger| {
                ledger.version = ledger.version.max(version);
                ledger.vote.answered();
            });
        }
    }

    async fn join(self, http: reqwest::Client, url: String) {
        for n in 0.. {
            let Ok(visitor) = Visitor::new(http.clone(), &url).await else { return };
            let name = format!("Guest {} {n}", self.life);
            let Ok(Joined::Member(room)) = visitor.join(&self.code, Some(&name)).await else { return };
            self.keep(|ledger| {
                ledger.version = ledger.version.max(room.version);
                ledger.joined.push(visitor);
            });
            if self.is_over() {
                return;
            }
        }
    }

    async fn found(self, host: Visitor) {
        for n in 0.. {
            let Ok(room) = host.create_room(&format!("Room {n} of {}", self.life), None).await else {
                return;
            };
            self.keep(|ledger| ledger.rooms.push(room.code));
            if self.is_over() {
                return;
            }
        }
    }

    async fn sign_in(self, http: reqwest::Client, url: String) {
        for n in 0..3 {
            let Ok(mut visitor) = Visitor::new(http.clone(), &url).await else { return };
            let user = format!("host-{}", 10 + self.life * 3 + n);
            if visitor.sign_in(&user).await.is_err() {
                return;
            }
            self.keep(|ledger| ledger.signed_in.push((visitor, user)));
        }
    }
}

/// Compares what was acknowledged in this life with what is there, and forgets what need not be looked at again.
async fn check(ledger: &mut Ledger, host: &Person, guest: &Person, code: &str) -> Result<()> {
    let there: RoomView = host.visitor.get(&format!("/api/rooms/{code}")).await?;
    ensure!(there.version >= ledger.version, "version {} of {}", there.version, ledger.version);
    ensure!(there.members.total >= 2 + u32::try_from(ledger.joined.len())?, "members are missing");
    ensure!(ledger.name.found(there.name.clone()), "{} is the name", there.name);
    if let SkipRule::Count { value } = there.settings.skip_rule {
        ensure!(ledger.rule.found(value), "{value} is the rule");
    }
    let epoch = ledger.vote.stands.0;
    if let Some(skip) = there.skip.filter(|skip| skip.epoch == epoch) {
        let vote = (epoch, !skip.votes.is_empty());
        ensure!(ledger.vote.found(vote), "{vote:?} is the vote");
    }
    // Whoever sees a change that is made now is connected again; what they saw before may be all that there is to see.
    let name = format!("Back at {}", there.version);
    let patch = PatchRoom { name: Some(name.clone()), settings: None };
    let changed = host.visitor.patch_room(code, &patch).await?;
    ensure!(changed.version > there.version, "version {} after {}", changed.version, there.version);
    ledger.version = changed.version;
    ledger.name.stands.clone_from(&name);
    for person in [host, guest] {
        // The client's own patience grows with every loss; here somebody presses "try now".
        person.live.retry_now().await;
        let room = person.sees("the room again", |room| room.version >= changed.version).await?;
        ensure!(room.name == name && room.settings == there.settings, "{room:?} is what they see");
        ensure!(room.members.total == there.members.total, "{} members", room.members.total);
    }
    for visitor in ledger.joined.iter().rev().take(8) {
        let _: RoomView = visitor.get(&format!("/api/rooms/{code}")).await.context("a member who joined")?;
    }
    for code in ledger.rooms.drain(..) {
        let path = format!("/api/rooms/{code}");
        let _: RoomView = host.visitor.get(&path).await.context("a room that was made")?;
    }
    for (visitor, user) in ledger.signed_in.drain(..) {
        let me: Me = visitor.get("/api/me").await?;
        ensure!(me.spotify.is_some_and(|account| account.id == user && !account.needs_login), "{user}");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() -> Result<()> {
    prepare();
    // Apart, so that Spotify survives the service: the demo of another world lends its simulator.
    let lender = World::demo().await?;
    let spotify = lender.parlor.spotify_url.clone().context("a simulator")?;
    let mut parlor = serve(&spotify, Arc::new(TempDir::new()?), "127.0.0.1:0").await?;
    let (url, http) = (parlor.url.clone(), client()?);
    let address = url.trim_start_matches("http://").to_owned();
    let mut visitor = Visitor::new(http.clone(), &url).await?;
    visitor.sign_in("host-1").await?;
    let settings = SettingsPatch { admission: Some(Admission::Open), ..Default::default() };
    let code: Arc<str> = visitor.create_room("Crash 0", Some(settings)).await?.code.into();
    let host = Person::enter(visitor, &code).await?;
    let ben = Visitor::new(http.clone(), &url).await?;
    ben.join(&code, Some("Ben")).await?;
    let guest = Arc::new(Person::enter(ben, &code).await?);
    host.sees("what plays", |room| room.playback.track.is_some()).await?;

    let (seed, mut kept) = (4, Ledger::default());
    kept.name.stands = "Crash 0".to_owned();
    let entropy = SeededEntropy::new(seed);
    let kills = std::env::var("PARLOR_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    for life in 0..kills {
        let load = Load {
            ledger: Arc::new(Mutex::new(std::mem::take(&mut kept))),
            answers: Arc::default(),
            answered: Arc::default(),
            over: Arc::default(),
            life,
            code: Arc::clone(&code),
        };
        let loads = [
            tokio::spawn(load.clone().settle(host.visitor.clone())),
            tokio::spawn(load.clone().vote(Arc::clone(&guest))),
            tokio::spawn(load.clone().join(http.clone(), url.clone())),
            tokio::spawn(load.clone().found(host.visitor.clone())),
            tokio::spawn(load.clone().sign_in(http.clone(), url.clone())),
        ];
        let enough = u64::from(1 + entropy.below(60));
        let until = async {
            while load.answers.load(Ordering::Relaxed) < enough {
                load.answered.notified().await;
            }
        };
        tokio::time::timeout(SOON, until)
            .await
            .with_context(|| format!("seed {seed}, kill {life}: no load"))?;
        load.over.store(true, Ordering::Relaxed);
        let data = parlor.kill().await?;
        parlor = serve(&spotify, data, &address).await?;
        // A command that was under way is sent again under its id once the client is back; "try now" is pressed.
        guest.live.retry_now().await;
        for load in loads {
            tokio::time::timeout(SOON, load).await.with_context(|| format!("kill {life}: no end"))??;
        }
        kept = std::mem::take(&mut *load.ledger());
        check(&mut kept, &host, &guest, &code).await.with_context(|| format!("seed {seed}, kill {life}"))?;
    }
    let me = host.me().await?;
    ensure!(me.spotify.is_some_and(|account| account.id == "host-1" && !account.needs_login));
    Ok(())
}
