//! Which Spotify the hosts of a data directory have authorized at. Asked with an authorization that it does not know, a Spotify
//! says that it has ended, and so it would be forgotten: of a service by its demo, and the other way round.

use std::fs::{DirBuilder, write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::Context;
use store::sqlite::Sqlite;

use crate::serve::Refused;

/// The file that marks a demo's directory.
const MARK: &str = "demo";
/// What it says to whoever looks into it.
const WORDS: &str = "The hosts in this directory have authorized at a simulated Spotify.\n";

/// Makes the directory a demo's. Refused where a service has stored something.
pub(crate) fn mark(dir: &Path) -> anyhow::Result<()> {
    let mark = dir.join(MARK);
    if mark.exists() {
        return Ok(());
    }
    if Sqlite::is_in(dir) {
        let line = format!(
            "--data-dir {}: a service has stored something there, and its hosts would have to sign in again after a demo; \
             give the demo another directory",
            dir.display()
        );
        return Err(Refused::wrong_option(line).into());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| write(&mark, WORDS))
        .with_context(|| format!("--data-dir {}", dir.display()))
}

/// Makes the directory a service's, and says what that means for a demo's hosts.
pub(crate) fn unmark(dir: &Path) -> anyhow::Result<()> {
    let mark = dir.join(MARK);
    if mark.exists() {
        tracing::warn!(
            "the data directory {} was a demo's: its hosts have authorized at a simulated Spotify and will have to sign in again",
            dir.display()
        );
        std::fs::remove_file(&mark).with_context(|| format!("{}", mark.display()))?;
    }
    Ok(())
}
