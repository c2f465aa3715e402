//! The main job in two real browsers against the built binary.

use acceptance::World;
use anyhow::{Context, Result, ensure};
use std::path::Path;

#[tokio::test]
async fn two_browsers_live_through_the_main_job() -> Result<()> {
    main_job(World::demo().await?).await
}

#[tokio::test]
async fn two_browsers_live_through_the_main_job_on_redis() -> Result<()> {
    main_job(World::demo_on_redis(&[]).await?).await
}

async fn main_job(world: World) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/main-job.mjs");
    let output = tokio::process::Command::new("node")
        .arg(script)
        .env("PARLOR_URL", &world.parlor.url)
        .env("SPOTIFY_URL", world.parlor.spotify_url.as_deref().context("the demo's Spotify")?)
        .kill_on_drop(true)
        .output()
        .await
        .context("node is needed: install Node.js 20.19 or newer")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the story failed:\n{told}");
    Ok(())
}
