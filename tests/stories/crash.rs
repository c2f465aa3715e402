//! `kill -9` at any moment: what was acknowledged is there after the restart, versions only grow, clients converge.

use acceptance::{Parlor, Person, SOON, Spotify, World, prepare};
use anyhow::{Context, Result, ensure};
use kernel::{Entropy, SeededEntropy};
use protocol::{CommandBody, PatchRoom};
use room_client::web::{Visitor, client};
use std::sync::Arc;
use tempfile::TempDir;

/// How often the service is killed; each time under load, after a number of acknowledgements drawn from the seed.
const KILLS: u64 = 8;

/// A service and a simulator apart, so that Spotify survives the service.
async fn apart() -> Result<(Parlor, World)> {
    prepare();
    // The demo of another world lends its simulator.
    let lender = World::demo().await?;
    let url = lender.parlor.spotify_url.clone().context("a simulator")?;
    let parlor = serve(&url, Arc::new(TempDir::new()?), "127.0.0.1:0").await?;
    Ok((parlor, lender))
}

async fn serve(spotify: &str, data: Arc<TempDir>, listen: &str) -> Result<Parlor> {
    let id = "0123456789abcdef0123456789abcdef";
    let options = [
        "--listen",
        listen,
        "--spotify-accounts-url",
        spotify,
        "--spotify-api-url",
        spotify,
        "--spotify-client-id",
        id,
        "--spotify-calls",
        "extended",
    ];
    Parlor::start("serve", &options, data).await
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() -> Result<()> {
    let (mut parlor, lender) = apart().await?;
    let spotify_url = lender.parlor.spotify_url.clone().context("a simulator")?;
    let _spotify: &Spotify = &lender.spotify;
    let address = parlor.url.trim_start_matches("http://").to_owned();
    let http = client()?;
    let mut visitor = Visitor::new(http.clone(), &parlor.url).await?;
    visitor.sign_in("host-1").await?;
    let made = visitor.create_room("Crash", None).await?;
    let host = Person::enter(visitor, &made.code).await?;
    let guest = {
        let visitor = Visitor::new(http.clone(), &parlor.url).await?;
        visitor.join(&made.code, Some("Ben")).await?;
        Person::enter(visitor, &made.code).await?
    };
    let entropy = SeededEntropy::new(4);
    let mut version = 0;
    for kill in 0..KILLS {
        // Commands one after another; the process dies in the middle of them.
        let acknowledged = Arc::new(std::sync::Mutex::new(None));
        let enough = 1 + entropy.below(30);
        let (reached, enough_done) = tokio::sync::oneshot::channel();
        let (visitor, code) = (host.visitor.clone(), made.code.clone());
        let kept = Arc::clone(&acknowledged);
        let load = tokio::spawn(async move {
            let mut reached = Some(reached);
            for n in 0..10_000_u32 {
                let name = format!("Room {kill} {n}");
                let patch = PatchRoom { name: Some(name.clone()), settings: None };
                let Ok(room) = visitor.patch_room(&code, &patch).await else { return };
                *kept.lock().expect("nobody panics with it") = Some((room.version, name));
                if n == enough
                    && let Some(reached) = reached.take()
                {
                    let _ = reached.send(());
                }
            }
        });
        tokio::time::timeout(SOON, enough_done).await??;
        let data = parlor.kill().await?;
        load.await?;
        let (last, name) =
            acknowledged.lock().expect("nobody panics with it").clone().context("some were")?;
        parlor = serve(&spotify_url, data, &address).await?;
        for person in [&host, &guest] {
            // The client's own patience grows with every loss; here somebody presses "try now".
            person.live.retry_now().await;
            let room = person.sees("the room again", |room| room.version > last).await?;
            ensure!(room.version >= version, "versions only grow");
            let index = |name: &str| name.rsplit(' ').next().and_then(|n| n.parse::<u32>().ok());
            // The one after the last acknowledged may have been stored too.
            ensure!(index(&room.name) >= index(&name), "{} was acknowledged, {} is there", name, room.name);
            version = room.version;
        }
    }
    // The members, the authorization and a vote are there too.
    let room = host.sees("both", |room| room.members.total == 2 && room.playback.track.is_some()).await?;
    guest.does(CommandBody::VoteSkip { epoch: room.playback.epoch }).await?;
    let data = parlor.kill().await?;
    let _parlor = serve(&spotify_url, data, &address).await?;
    host.live.retry_now().await;
    let me = host.me().await?;
    ensure!(me.spotify.is_some_and(|account| account.id == "host-1" && !account.needs_login));
    host.sees("the vote", |room| room.skip.as_ref().is_some_and(|skip| skip.votes.len() == 1)).await?;
    Ok(())
}
