//! The keys that seal what is stored: given as an option, or made with the first start and kept in the data directory.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use auth::{KeyRing, Vault};
use gateway::tokens::{KeyCheck, check_key};
use kernel::{Entropy, SystemEntropy};

use crate::cli::ServeOptions;
use crate::opened::Opened;
use crate::serve::Refused;

/// The file of the generated key in the data directory.
const FILE: &str = "secret.key";

/// The keys; made where there are none yet.
pub(crate) fn of(options: &ServeOptions) -> anyhow::Result<KeyRing> {
    match given(options)? {
        Some(keys) => Ok(keys),
        None => made(&path(options)),
    }
}

/// Whether the keys open what is stored. Makes none.
pub(crate) async fn check(options: &ServeOptions, store: &Opened) -> Result<String, String> {
    let given = given(options).map_err(|error| format!("{error:#}"))?;
    let is_there = given.is_some();
    // One that was just drawn opens nothing: it counts what there is to open.
    let keys = given.map_or_else(drawn, Ok).map_err(|error| format!("{error:#}"))?;
    let KeyCheck { opened, closed } = check_key(&store.store(), &Vault::new(keys))
        .await
        .map_err(|error| format!("what it has to open cannot be read: {error}"))?;
    let path = path(options);
    let path = path.display();
    match (is_there, closed) {
        (true, 0) => Ok(format!("opens what is stored of {opened} hosts")),
        (false, 0) => Ok(format!("{path} will be made with the first start")),
        (false, _) => Err(format!(
            "{path} is missing, and what is stored of {closed} hosts was sealed with it: put it back, or they will \
             have to sign in again"
        )),
        (true, _) => Err(format!(
            "does not open what is stored of {closed} hosts (of {opened} it does): they will have to sign in again; \
             give the former key too, after the new one and a comma"
        )),
    }
}

/// Says before anybody is turned away that they will be: a start makes a new key where the old one is missing.
pub(crate) async fn warn(options: &ServeOptions, store: &Opened) {
    // Over Redis every process would look through everybody's; `parlor check` does that when it is asked.
    if options.redis_url.is_none()
        && let Err(what) = check(options, store).await
    {
        tracing::warn!("secret key: {what}");
    }
}

fn drawn() -> anyhow::Result<KeyRing> {
    Ok(KeyRing::parse(KeyRing::generate_text(&SystemEntropy as &dyn Entropy).expose())?)
}

fn path(options: &ServeOptions) -> PathBuf {
    options.data_dir.join(FILE)
}

fn given(options: &ServeOptions) -> anyhow::Result<Option<KeyRing>> {
    if let Some(text) = &options.secret_key {
        return KeyRing::parse(text.expose()).context("--secret-key").map(Some);
    }
    let path = path(options);
    match fs::read_to_string(&path) {
        Ok(text) => KeyRing::parse(text.trim())
            .map(Some)
            .map_err(|error| refused(&path, &format!("holds no key: {error}")).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(&path, &error.to_string()).into()),
    }
}

fn made(path: &Path) -> anyhow::Result<KeyRing> {
    let text = KeyRing::generate_text(&SystemEntropy as &dyn Entropy);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.expose().as_bytes())?;
    file.sync_all()?;
    KeyRing::parse(text.expose()).map_err(|error| refused(path, &error.to_string()).into())
}

fn refused(path: &Path, what: &str) -> Refused {
    Refused::wrong_option(format!("--data-dir: {}: {what}", path.display()))
}
