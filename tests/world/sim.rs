//! The simulated Spotify, by its controls.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The simulated Spotify of a world.
#[derive(Clone, Debug)]
pub struct Spotify {
    http: reqwest::Client,
    url: String,
}

impl Spotify {
    /// The one at that address.
    pub fn new(http: reqwest::Client, url: String) -> Self {
        Self { http, url }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let answer = self.http.post(format!("{}/_sim/{path}", self.url)).json(body).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "/_sim/{path}: {status}: {}", answer.text().await?);
        Ok(())
    }

    /// Reads a control.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.http.get(format!("{}/_sim/{path}", self.url)).send().await?;
        ensure!(answer.status().is_success(), "/_sim/{path}: {}", answer.status());
        Ok(answer.json().await?)
    }

    /// Moves the time on, for the service too.
    pub async fn advance(&self, ms: u64) -> Result<()> {
        self.post("clock", &json!({ "advance_ms": ms })).await
    }

    /// As if the host used Spotify's own app.
    pub async fn app(&self, user: &str, act: &Value) -> Result<()> {
        self.post(&format!("users/{user}/app"), act).await
    }

    /// Sets an account's state.
    pub async fn set_user(&self, user: &str, state: &Value) -> Result<()> {
        self.post(&format!("users/{user}"), state).await
    }

    /// Sets an app's limits and habits.
    pub async fn set_app(&self, client_id: &str, habits: &Value) -> Result<()> {
        self.post(&format!("apps/{client_id}"), habits).await
    }

    /// Replaces the faults in force.
    pub async fn faults(&self, faults: &Value) -> Result<()> {
        self.post("faults", faults).await
    }

    /// What the account truly plays.
    pub async fn player(&self, user: &str) -> Result<Value> {
        self.get(&format!("users/{user}/player")).await
    }

    /// The URI that truly plays.
    pub async fn playing(&self, user: &str) -> Result<String> {
        let player = self.player(user).await?;
        Ok(player["playing"]["uri"].as_str().context("something plays")?.to_owned())
    }

    /// What was done to the account's player by this act through the API: the URIs it was done to.
    pub async fn done(&self, user: &str, act: &str) -> Result<Vec<String>> {
        let player = self.player(user).await?;
        let journal = player["journal"].as_array().context("a journal")?;
        let by_api = journal.iter().filter(|entry| entry["by"] == "api" && entry["act"] == act);
        Ok(by_api.map(|entry| entry["uri"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// How many of the account's tracks have ended by themselves.
    pub async fn ended(&self, user: &str) -> Result<usize> {
        let player = self.player(user).await?;
        let journal = player["journal"].as_array().context("a journal")?;
        Ok(journal.iter().filter(|entry| entry["by"] == "end").count())
    }

    /// How many calls of that path template were made on behalf of the account; all paths without one.
    pub async fn calls(&self, user: &str, path: Option<&str>) -> Result<u64> {
        let calls = self.get(&format!("calls?user={user}")).await?;
        let by = calls["by"].as_array().context("a list")?;
        let of_path = by.iter().filter(|call| path.is_none_or(|path| call["path"] == path));
        Ok(of_path.map(|call| call["count"].as_u64().unwrap_or(0)).sum())
    }
}
