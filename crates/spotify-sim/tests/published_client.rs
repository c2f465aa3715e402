//! A published client that nobody here wrote signs in, reads and drives, and every answer that it got is held against
//! the published description of the Web API.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use support::Spotify;

/// Runs a program to its end; all that it said where it failed or is not there.
fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{command:?}: {}\n{out}{err}", output.status))
}

/// The folder with the packages of `requirements`, installed at the first run and again when the file changes.
fn packages(requirements: &Path) -> PathBuf {
    let pins = std::fs::read(requirements).expect("the pins are part of the source");
    let key = Sha256::digest(&pins)[..8].iter().fold(0, |key: u64, byte| key << 8 | u64::from(*byte));
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("spotipy-{key:016x}"));
    if packages.exists() {
        return packages;
    }
    // Into a folder of its own and renamed when whole: a test that is stopped leaves nothing that looks ready.
    let unfinished = packages.with_extension(std::process::id().to_string());
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
        .arg(&unfinished)
        .arg("-r")
        .arg(requirements);
    if let Err(error) = run(&mut pip) {
        panic!("This test needs python3 with pip, and Python's package registry at its first run.\n{error}");
    }
    // Another run may have been quicker; its folder is as good.
    if std::fs::rename(&unfinished, &packages).is_err() {
        assert!(packages.exists(), "{} cannot be made", packages.display());
    }
    packages
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_client_notices_nothing_and_its_answers_are_as_described() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let spotify = Spotify::start().await;
    let mut drive = Command::new("python3");
    drive
        .env("PYTHONPATH", packages(&tests.join("spotipy/requirements.txt")))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // A proxy of the surroundings has no business with a simulator on this machine.
        .env("NO_PROXY", "*")
        .arg(tests.join("spotipy/drive.py"))
        .arg(spotify.base())
        .arg(tests.join("spotify-openapi.yaml"));
    let driven = tokio::task::spawn_blocking(move || run(&mut drive)).await.expect("it does not panic");
    if let Err(error) = driven {
        panic!("{error}");
    }
}
