//! The main job, end to end: sign in, open a room, join by code, hear live, pause where allowed, vote a track away.

use acceptance::World;
use anyhow::{Context, Result};
use protocol::{Code, CommandBody, Notice, SettingsPatch, SkippedBy};
use serde_json::json;

#[tokio::test]
async fn an_evening_in_five_minutes() -> Result<()> {
    evening(World::demo().await?).await
}

#[tokio::test]
async fn an_evening_in_five_minutes_on_redis() -> Result<()> {
    evening(World::demo_on_redis(&[]).await?).await
}

async fn evening(world: World) -> Result<()> {
    let ada = world.host("host-1", "Friday at ours").await?;

    // The code as people type it: in lower case, with a space.
    let typed = format!("{} {}", &ada.code[..3], &ada.code[3..]).to_lowercase();
    let ben = world.guest(&typed, "Ben").await?;
    let cem = world.guest(&ada.code, "Cem").await?;
    assert_eq!(ben.track()?, ada.track()?);
    assert_eq!(ada.track()?, world.spotify.playing("host-1").await?);
    ada.sees("three people", |room| room.members.online == 3).await?;

    // The host's own app changes the track, and everyone sees it.
    let before = ada.playback()?.epoch;
    world.spotify.app("host-1", &json!({ "act": "next" })).await?;
    let now = world.spotify.playing("host-1").await?;
    for person in [&ada, &ben, &cem] {
        person
            .sees("the track that the app has chosen", |room| {
                room.playback.epoch > before
                    && room.playback.track.as_ref().is_some_and(|track| track.uri == now)
            })
            .await?;
    }

    // A guest may not pause, then may.
    let refused = ben.does(CommandBody::Pause {}).await.err().context("refused")?;
    assert_eq!(refused.code(), Some(Code::NotAllowed));
    ada.sets(SettingsPatch { guests_can_pause: Some(true), ..SettingsPatch::default() }).await?;
    ben.does(CommandBody::Pause {}).await?;
    cem.sees("silence", |room| !room.playback.is_playing).await?;
    assert_eq!(world.spotify.player("host-1").await?["playing"]["is_playing"], json!(false));
    ben.does(CommandBody::Play {}).await?;
    cem.sees("music", |room| room.playback.is_playing).await?;

    // One vote is not enough for two; the second carries, once, and everyone hears why.
    let voted_on = ada.playback()?.epoch;
    let gone = ada.track()?;
    ben.votes().await?;
    let room =
        cem.sees("one vote", |room| room.skip.as_ref().is_some_and(|skip| skip.votes.len() == 1)).await?;
    assert_eq!(room.skip.context("a ballot")?.needed, 2);
    ben.does(CommandBody::VoteSkip { epoch: voted_on }).await?;
    assert_eq!(
        world.spotify.done("host-1", "next").await?,
        Vec::<String>::new(),
        "one guest twice is one vote"
    );
    cem.votes().await?;
    for person in [&ada, &ben, &cem] {
        let notice = person.hears("why it ended", |notice| matches!(notice, Notice::Skipped { .. })).await?;
        assert!(matches!(notice, Notice::Skipped { by: SkippedBy::Vote, epoch, .. } if epoch == voted_on));
        person.sees("the next track", |room| room.playback.epoch > voted_on).await?;
    }
    assert_eq!(world.spotify.done("host-1", "next").await?, vec![gone]);
    let late = ben.does(CommandBody::VoteSkip { epoch: voted_on }).await.err().context("refused")?;
    assert_eq!(late.code(), Some(Code::StaleEpoch));
    Ok(())
}

#[tokio::test]
async fn orderly_stop_tells_everyone_and_ends_with_zero() -> Result<()> {
    orderly_stop(World::demo().await?).await?;
    orderly_stop(World::demo_on_redis(&[]).await?).await
}

async fn orderly_stop(mut world: World) -> Result<()> {
    let ada = world.host("host-1", "Friday").await?;
    let mut events = ada.live.events();
    assert_eq!(world.parlor.stop().await?, Some(0));
    let mut bye = None;
    while let Ok(event) = events.try_recv() {
        if let room_client::Event::Bye(code) = event {
            bye = Some(code);
        }
    }
    assert_eq!(bye, Some(1001));
    Ok(())
}

#[tokio::test]
async fn disconnecting_spotify_silences_the_rooms_and_reconnecting_wakes_them() -> Result<()> {
    disconnecting(World::demo().await?).await?;
    disconnecting(World::demo_on_redis(&[]).await?).await
}

async fn disconnecting(world: World) -> Result<()> {
    let mut ada = world.host("host-1", "Friday").await?;
    let ben = world.guest(&ada.code, "Ben").await?;
    let answer = ada.visitor.request(reqwest::Method::POST, "/auth/disconnect")?.send().await?;
    assert_eq!(answer.status(), 204);
    let room =
        ben.sees("that the host is needed", |room| room.playback.state == protocol::PlaybackState::NeedsHost);
    let room = room.await?;
    assert_eq!((room.playback.track, room.playback.device), (None, None), "nothing of Spotify's is left");
    let refused = ada.does(CommandBody::Play {}).await.err().context("refused")?;
    assert_eq!(refused.code(), Some(Code::NeedsHost));
    ada.visitor.sign_in("host-1").await?;
    ben.sees("music again", |room| room.playback.track.is_some()).await?;
    Ok(())
}
