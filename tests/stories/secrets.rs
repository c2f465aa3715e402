//! Tokens and session secrets appear nowhere in clear.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use acceptance::World;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use protocol::CommandBody;

/// Each secret as it could be written: raw, base64 in three alignments, hex, percent.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    for shift in 0..3 {
        let shifted = [&b"xx"[..shift], secret.as_bytes()].concat();
        for engine in [&STANDARD as &dyn Fn64, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            // The ends depend on what stands beside it.
            forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    let hex = secret.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    forms.push(hex.to_uppercase().into_bytes());
    forms.push(hex.into_bytes());
    let percent = secret.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    });
    forms.push(percent.into_bytes());
    forms
}

trait Fn64 {
    fn encode(&self, bytes: &[u8]) -> String;
}

impl<E: Engine> Fn64 for E {
    fn encode(&self, bytes: &[u8]) -> String {
        Engine::encode(self, bytes)
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn files_under(dir: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_under(&path)?);
        } else {
            files.push((path.display().to_string(), fs::read(&path)?));
        }
    }
    Ok(files)
}

#[tokio::test]
async fn tokens_and_session_secrets_are_nowhere_in_clear() -> Result<()> {
    nowhere_in_clear(World::demo_with(&["--log", "trace"]).await?).await
}

#[tokio::test]
async fn tokens_and_session_secrets_are_nowhere_in_clear_in_redis() -> Result<()> {
    nowhere_in_clear(World::demo_on_redis(&["--log", "trace"]).await?).await
}

async fn nowhere_in_clear(mut world: World) -> Result<()> {
    let host = world.host("host-1", "Canary").await?;
    let guest = world.guest(&host.code, "Ben").await?;
    guest.votes().await?;
    host.votes().await?;
    host.does(CommandBody::Pause {}).await?;
    // The access token ends, and is refreshed.
    world.spotify.advance(3_700_000).await?;
    let epoch = host.playback()?.epoch;
    host.sees("what plays after the refresh", |room| room.playback.epoch >= epoch).await?;
    let mut places = Vec::new();
    for path in ["/api/me", "/api/openapi.json", "/metrics", "/", "/nowhere", "/auth/callback?code=x&state=y"]
    {
        let answer = host.visitor.request(reqwest::Method::GET, path)?.send().await?;
        let headers = format!("{:?}", answer.headers()).into_bytes();
        places.push((format!("GET {path}: headers"), headers));
        places.push((format!("GET {path}"), answer.bytes().await?.to_vec()));
    }
    let room = serde_json::to_vec(&host.room()?)?;
    places.push(("the room".to_owned(), room));

    let tokens = world.spotify.get("tokens").await?;
    let items = tokens["items"].as_array().context("a list")?;
    let mut secrets: Vec<String> =
        items.iter().filter_map(|item| Some(item["value"].as_str()?.to_owned())).collect();
    ensure!(secrets.len() >= 2, "tokens were issued");
    secrets.push(host.visitor.bearer()?.to_owned());
    secrets.push(guest.visitor.bearer()?.to_owned());

    places.extend(files_under(world.parlor.data_dir())?);
    if let Some(redis) = &world.redis {
        let dump = redis.dump().await?;
        ensure!(contains(&dump, b"Canary"), "the search finds what is in Redis");
        places.push(("Redis".to_owned(), dump));
    }
    ensure!(places.iter().any(|(_, bytes)| contains(bytes, b"Canary")), "the search finds what is there");
    world.parlor.stop().await?;
    places.extend(files_under(world.parlor.data_dir())?);
    places.push(("the log".to_owned(), world.parlor.logs().await));
    for secret in &secrets {
        for form in forms(secret) {
            for (place, bytes) in &places {
                ensure!(
                    !contains(bytes, &form),
                    "a secret stands in {place} as {}",
                    String::from_utf8_lossy(&form)
                );
            }
        }
    }
    Ok(())
}
