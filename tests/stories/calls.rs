//! How often Spotify is asked, on the moved clock.

use acceptance::World;
use anyhow::{Result, ensure};

const HOUR_MS: u64 = 3_600_000;

/// Lets an hour pass in steps, and gives the calls that were made in it.
async fn calls_in_an_hour(options: &[&str], step_ms: u64) -> Result<u64> {
    let world = World::demo_with(options).await?;
    let host = world.host("host-1", "An hour").await?;
    let before = world.spotify.calls("host-1", None).await?;
    for _ in 0..HOUR_MS / step_ms {
        world.spotify.advance(step_ms).await?;
        // The room follows what truly plays before time goes on.
        let playing = world.spotify.playing("host-1").await?;
        let follows = |room: &protocol::RoomView| {
            room.playback.track.as_ref().is_some_and(|track| track.uri == playing)
        };
        // Up to the margin after a track's end the room may still show the old one: it is seen in the next step.
        if host.room()?.playback.epoch == 0 {
            host.sees("what plays", follows).await?;
        }
    }
    let calls = world.spotify.calls("host-1", None).await? - before;
    // Time went on as it does for people, and the room kept up.
    let playing = world.spotify.playing("host-1").await?;
    world.spotify.advance(15_000).await?;
    let now = world.spotify.playing("host-1").await?;
    host.sees("what plays after an hour", |room| {
        room.playback.track.as_ref().is_some_and(|track| track.uri == now || track.uri == playing)
    })
    .await?;
    ensure!(host.playback()?.epoch > 10, "an hour of music has more than ten tracks");
    Ok(calls)
}

#[tokio::test]
async fn in_development_an_hour_of_playing_costs_at_most_60_calls() -> Result<()> {
    let calls = calls_in_an_hour(&["--spotify-calls", "development"], 2_000).await?;
    ensure!((10..=60).contains(&calls), "{calls} calls");
    Ok(())
}

#[tokio::test]
async fn in_extended_an_hour_of_playing_costs_at_most_400_calls() -> Result<()> {
    let calls = calls_in_an_hour(&["--spotify-calls", "extended"], 2_000).await?;
    ensure!((300..=400).contains(&calls), "{calls} calls");
    Ok(())
}

#[tokio::test]
async fn viewers_of_a_playing_room_cause_no_call() -> Result<()> {
    let world = World::demo_with(&["--spotify-calls", "development"]).await?;
    let host = world.host("host-1", "Quiet").await?;
    let before = world.spotify.calls("host-1", None).await?;
    for n in 0..10 {
        let guest = world.guest(&host.code, &format!("Guest {n}")).await?;
        guest.sees("what plays", |room| room.playback.track.is_some()).await?;
        guest.live.stop().await;
    }
    assert_eq!(world.spotify.calls("host-1", None).await?, before);
    Ok(())
}
