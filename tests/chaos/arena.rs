//! Gateways, a store and a simulated Spotify, each behind links that can be made bad.

use std::collections::BTreeMap;
use std::sync::Arc;

use acceptance::{APP, Mode, Parlor, Proxy, Redis, Replicated, Spotify, prepare};
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Clock, Entropy, SystemClock, SystemEntropy};
use room_client::web::client;
use serde_json::Value;
use tempfile::TempDir;

use super::journal::{At, Told};
use super::plan::{GATEWAYS, Link};

/// So long a token lasts: it is refreshed one to three minutes after it was issued.
const TOKEN_MS: u64 = 240_000;
/// What stands in a request about a player, and what one that skips begins with.
const PLAYER: &str = " /v1/me/player";
const NEXT: &str = "POST /v1/me/player/next ";
/// What gateways log for the checks.
const LOG: &str = "warn,gateway::conductor=debug,gateway::http::middleware::closing_line=info";
/// So many reigns over a room are remembered: who conducts may have begun long ago.
const REIGNS: usize = 12;

/// The Redis of an arena.
pub(super) enum Store {
    /// One that keeps what it has acknowledged on disk; gateways reach it through their links.
    Lasting(Box<Redis>),
    /// Two and a Sentinel; gateways go where it says, so that only the replica's link can be made bad.
    Replicated(Box<Replicated>),
}

impl Store {
    /// The one that is written to.
    pub(super) const fn primary(&self) -> &Redis {
        match self {
            Self::Lasting(redis) => redis,
            Self::Replicated(all) => &all.primary,
        }
    }

    /// Two and a Sentinel.
    pub(super) fn replicated(&mut self) -> Result<&mut Replicated> {
        match self {
            Self::Lasting(_) => anyhow::bail!("this scenario needs a replica"),
            Self::Replicated(all) => Ok(all),
        }
    }
}

/// A gateway and its links.
pub(super) struct Gateway {
    parlor: Option<Parlor>,
    data: Arc<TempDir>,
    pub(super) clients: Proxy,
    pub(super) store: Proxy,
    pub(super) spotify: Proxy,
    /// What it has told since the last collection, over the deaths of its process.
    logs: Vec<u8>,
    reigns: Vec<(At, Told)>,
}

/// All of it.
pub(super) struct Arena {
    pub(super) store: Store,
    pub(super) gateways: Vec<Gateway>,
    pub(super) spotify: Spotify,
    pub(super) http: reqwest::Client,
    _simulator: Parlor,
    key: String,
}

impl Arena {
    /// With one Redis, or with two.
    pub(super) async fn start(replicated: bool) -> Result<Self> {
        prepare();
        let store = if replicated {
            Store::Replicated(Box::new(Replicated::start().await?))
        } else {
            Store::Lasting(Box::new(Redis::lasting().await?))
        };
        let simulator = Parlor::simulator().await?;
        let spotify_at = simulator.url.trim_start_matches("http://").parse()?;
        let http = client()?;
        let spotify = Spotify::new(http.clone(), simulator.url.clone());
        spotify.set_app(APP, &serde_json::json!({ "access_token_ms": TOKEN_MS })).await?;
        let mut key = [0; 32];
        SystemEntropy.fill(&mut key);
        let mut arena = Self {
            store,
            gateways: Vec::new(),
            spotify,
            http,
            _simulator: simulator,
            key: STANDARD.encode(key),
        };
        for nth in 0..GATEWAYS {
            let store = Proxy::to(arena.store.primary().address()).await?;
            let spotify = Proxy::start(Some(PLAYER)).await?;
            spotify.lead_to(spotify_at);
            arena.gateways.push(Gateway {
                parlor: None,
                data: Arc::new(TempDir::new()?),
                clients: Proxy::start(None).await?,
                store,
                spotify,
                logs: Vec::new(),
                reigns: Vec::new(),
            });
            arena.revive(nth).await?;
        }
        Ok(arena)
    }

    /// Where people reach the gateway.
    pub(super) fn url(&self, gateway: usize) -> String {
        self.gateways[gateway].clients.url()
    }

    /// Starts the gateway where it does not run.
    pub(super) async fn revive(&mut self, gateway: usize) -> Result<()> {
        let public = self.url(gateway);
        let redis = match &self.store {
            Store::Lasting(_) => format!("redis://{}", self.gateways[gateway].store.address()),
            Store::Replicated(all) => all.url(),
        };
        let link = self.gateways[gateway].spotify.url();
        let options = [
            ["--listen", "127.0.0.1:0"],
            ["--public-url", &public],
            ["--redis-url", &redis],
            ["--secret-key", &self.key],
            ["--spotify-accounts-url", &link],
            ["--spotify-api-url", &link],
            ["--spotify-client-id", APP],
            ["--spotify-calls", "extended"],
            ["--log", LOG],
            ["--log-format", "json"],
        ];
        let of = &mut self.gateways[gateway];
        let parlor = Parlor::start("serve", options.as_flattened(), Arc::clone(&of.data)).await?;
        of.clients.lead_to(parlor.url.trim_start_matches("http://").parse()?);
        of.parlor = Some(parlor);
        Ok(())
    }

    /// `kill -9`.
    pub(super) async fn kill(&mut self, gateway: usize) -> Result<()> {
        let of = &mut self.gateways[gateway];
        let logs = of.parlor.take().context("it has ended already")?.die().await?;
        of.logs.extend(logs);
        Ok(())
    }

    /// The running process.
    pub(super) fn parlor(&self, gateway: usize) -> Result<&Parlor> {
        self.gateways[gateway].parlor.as_ref().context("it has ended")
    }

    /// Makes a link of these gateways like that.
    pub(super) fn set(&mut self, link: Link, gateways: &[usize], mode: Mode) -> Result<()> {
        if link == Link::Replica {
            self.store.replicated()?.link.set(mode);
            return Ok(());
        }
        for gateway in gateways {
            let of = &self.gateways[*gateway];
            match link {
                Link::Store => of.store.set(mode),
                Link::Spotify => of.spotify.set(mode),
                Link::Clients | Link::Replica => of.clients.set(mode),
            }
        }
        Ok(())
    }

    /// What the gateways have told since this was last asked; before it, who had begun to conduct.
    pub(super) async fn told(&mut self) -> Result<Vec<Vec<(At, Told)>>> {
        let users = self.token_owners().await?;
        let mut all = Vec::new();
        for of in &mut self.gateways {
            if let Some(parlor) = &of.parlor {
                of.logs.extend(parlor.take_logs().await);
            }
            let logs = std::mem::take(&mut of.logs);
            let said: Vec<(At, Told)> = logs.split(|byte| *byte == b'\n').filter_map(line_said).collect();
            let mut told = of.reigns.clone();
            told.extend(said.iter().cloned());
            for overheard in of.spotify.overheard() {
                if let Some(user) = bearer(&overheard.text).and_then(|token| users.get(token)).cloned() {
                    let skips = overheard.text.starts_with(NEXT);
                    let asked = if skips { Told::Next { user } } else { Told::Asked { user } };
                    told.push((overheard.at.as_millis(), asked));
                }
            }
            told.extend(leaked(&logs, &users));
            let reigns = said.into_iter().filter(|(_, told)| matches!(told, Told::Conducts { .. }));
            of.reigns.extend(reigns);
            keep_newest(&mut of.reigns);
            all.push(told);
        }
        Ok(all)
    }

    /// Whose each token is, of either kind.
    async fn token_owners(&self) -> Result<BTreeMap<String, String>> {
        let tokens = self.spotify.get("tokens").await?;
        let items = tokens["items"].as_array().context("a list")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(items.iter().map(|item| (text(&item["value"]), text(&item["user"]))).collect())
    }
}

/// Keeps the newest reigns over each room.
fn keep_newest(reigns: &mut Vec<(At, Told)>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    reigns.reverse();
    reigns.retain(|(_, told)| {
        let Told::Conducts { room, .. } = told else { return false };
        let count = counts.entry(room.clone()).or_default();
        *count += 1;
        *count <= REIGNS
    });
    reigns.reverse();
}

/// Tokens that stand in the log as they are.
fn leaked(log: &[u8], users: &BTreeMap<String, String>) -> Vec<(At, Told)> {
    let text = String::from_utf8_lossy(log);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    let leaked = words.filter_map(|word| users.get(word));
    leaked.map(|user| (SystemClock.now().as_millis(), Told::Leaked { user: user.clone() })).collect()
}

/// The token in a request's head.
fn bearer(head: &str) -> Option<&str> {
    let line = head.lines().find(|line| {
        line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    })?;
    line.split_once("Bearer ").map(|(_, token)| token.trim())
}

/// What a line of standard error says: of the log, or of a task that panics.
fn line_said(line: &[u8]) -> Option<(At, Told)> {
    if let Ok(line) = serde_json::from_slice(line) {
        return said(&line);
    }
    let text = String::from_utf8_lossy(line);
    text.contains("panicked at").then(|| (SystemClock.now().as_millis(), Told::Panicked(text.into_owned())))
}

/// What a line of the log says that the checks want to know.
fn said(line: &Value) -> Option<(At, Told)> {
    let at = millis(line["timestamp"].as_str()?)?;
    let fields = &line["fields"];
    let text = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
    let told = match fields["message"].as_str()? {
        "conductor.begins" => Told::Conducts { room: text("room"), fence: fields["fence"].as_u64()? },
        "http.request" => {
            let status = u16::try_from(fields["status"].as_u64()?).ok()?;
            if status < 500 {
                return None;
            }
            Told::Failed { path: text("path"), status }
        }
        "spotify.limited" => Told::Limited { ms: fields["retry_after_ms"].as_u64()? },
        "http.panic" => Told::Panicked(fields.to_string()),
        _ => return None,
    };
    Some((at, told))
}

/// `2026-11-21T18:23:39.123456Z` in milliseconds since the epoch.
fn millis(text: &str) -> Option<At> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let fraction: String =
        text.get(20..)?.chars().take_while(char::is_ascii_digit).chain("000".chars()).collect();
    let ms: i64 = fraction.get(..3)?.parse().ok()?;
    // Days since the epoch: years begin in March, so that the leap day is the last of them (H. Hinnant).
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + ms)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn instants_are_read() {
        assert_eq!(millis("1970-01-01T00:00:00.000000Z"), Some(0));
        assert_eq!(millis("2026-11-21T18:23:39.123456Z"), Some(1_795_285_419_123));
        assert_eq!(millis("2024-02-29T23:59:59Z"), Some(1_709_251_199_000));
        assert_eq!(millis("soon"), None);
    }

    #[test]
    fn a_token_in_the_log_is_found() {
        let users = BTreeMap::from([("abc-1_x".to_owned(), "host-1".to_owned())]);
        assert_eq!(leaked(b"{\"token\":\"abc-1_x\"}", &users).len(), 1);
        assert_eq!(leaked(b"{\"token\":\"abc-1\"}", &users).len(), 0);
    }

    #[test]
    fn lines_of_the_log_are_read() {
        let line = |fields: Value| json!({ "timestamp": "1970-01-01T00:00:01.5Z", "fields": fields });
        let begins = line(json!({ "message": "conductor.begins", "room": "ABC", "fence": 7 }));
        assert_eq!(said(&begins), Some((1_500, Told::Conducts { room: "ABC".into(), fence: 7 })));
        let failed = line(json!({ "message": "http.request", "path": "/x", "status": 500 }));
        assert_eq!(said(&failed), Some((1_500, Told::Failed { path: "/x".into(), status: 500 })));
        assert_eq!(said(&line(json!({ "message": "http.request", "path": "/x", "status": 404 }))), None);
        let limited = line(json!({ "message": "spotify.limited", "group": "all", "retry_after_ms": 2_000 }));
        assert_eq!(said(&limited), Some((1_500, Told::Limited { ms: 2_000 })));
        assert_eq!(bearer("POST / HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n"), Some("abc"));
    }
}
