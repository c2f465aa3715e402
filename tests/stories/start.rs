//! Starting: what is said about wrong options, damaged data and keys that do not fit.

use std::sync::Arc;

use acceptance::{APP, KEY, Parlor, Person, binary, prepare};
use anyhow::{Context, Result, ensure};
use protocol::PlaybackState;
use room_client::web::{Visitor, client};
use tempfile::TempDir;
use tokio::process::Command;

const KEYS: [&str; 2] = [KEY, "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="];

/// Runs the binary to its end: its exit code, and all that it has said. What it was to refuse and does not must not begin a
/// data directory among the sources.
async fn runs(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(Option<i32>, String)> {
    let here = TempDir::new()?;
    let mut command = Command::new(binary()?);
    command.current_dir(&here).args(arguments).envs(variables.iter().copied()).kill_on_drop(true);
    let done =
        tokio::time::timeout(acceptance::SOON, command.output()).await.context("it does not end")??;
    let said = [done.stdout, done.stderr].concat();
    Ok((done.status.code(), String::from_utf8_lossy(&said).into_owned()))
}

#[tokio::test]
async fn a_wrong_option_ends_with_2_and_is_named() -> Result<()> {
    let check = async |arguments: &[&str], variables: &[(&str, &str)], named: &str| {
        let (code, said) = runs(arguments, variables).await?;
        ensure!(code == Some(2) && said.contains(named), "{arguments:?} {variables:?}: {code:?}: {said}");
        anyhow::Ok(())
    };
    check(&["serve", "--listen", "somewhere"], &[], "--listen").await?;
    check(&["serve", "--nonsense"], &[], "--nonsense").await?;
    check(&["serve"], &[("PARLOR_CODE_LENGTH", "5")], "--code-length").await?;
    for number in ["0", "-1", "many", ""] {
        check(&["serve", "--max-members", number], &[], "takes a whole number from 1 to 1000000").await?;
    }
    check(&["serve", "--max-rooms-per-host", "-1"], &[], "--max-rooms-per-host").await?;
    check(&["sim"], &[("PARLOR_SIM_SEED", "-1")], "--seed").await?;
    check(&["serve"], &[("PARLOR_SECRET_KEY", "c2hvcnQ=")], "--secret-key").await?;
    check(&["serve"], &[("PARLOR_PUBLIC_URL", "parlor.example")], "--public-url").await?;
    for silent in ["inof", "info,storage", "gateway=loud"] {
        check(&["serve"], &[("PARLOR_LOG", silent)], "--log").await?;
    }
    let alone = &[("PARLOR_SPOTIFY_CLIENT_SECRET", "a-secret")];
    check(&["serve"], alone, "PARLOR_SPOTIFY_CLIENT_ID").await?;
    check(&["serve"], &[("PARLOR_REDIS_URL", "http://127.0.0.1")], "--redis-url").await?;
    check(&["serve", "--redis-url", "redis://127.0.0.1:1"], &[], "--secret-key").await?;
    let unreachable = ["serve", "--redis-url", "redis://127.0.0.1:1?deadline=200", "--secret-key", KEYS[0]];
    check(&unreachable, &[], "--redis-url").await?;
    // What is secret is not repeated.
    for (option, value) in [
        ("PARLOR_SECRET_KEY", "bm90LWEta2V5LWNhbmFyeQ=="),
        ("PARLOR_REDIS_URL", "radis://user:canary@127.0.0.1"),
        ("PARLOR_REDIS_URL", "redis://user:canary@127.0.0.1:nowhere"),
    ] {
        let (code, said) = runs(&["serve"], &[("PARLOR_SECRET_KEY", KEYS[0]), (option, value)]).await?;
        ensure!(code == Some(2), "{option}: {said}");
        ensure!(!said.contains("canary") && !said.contains("bm90LWEta2V5"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn an_empty_variable_counts_as_unset() -> Result<()> {
    let dir = TempDir::new()?;
    let simulator = Parlor::simulator().await?;
    let place = dir.path().display().to_string();
    let unset = [
        ("PARLOR_LISTEN", ""),
        ("PARLOR_PUBLIC_URL", ""),
        ("PARLOR_REDIS_URL", ""),
        ("PARLOR_SECRET_KEY", ""),
        ("PARLOR_SPOTIFY_CLIENT_ID", ""),
        ("PARLOR_SPOTIFY_CLIENT_SECRET", ""),
        ("PARLOR_SPOTIFY_CALLS", ""),
        ("PARLOR_CODE_LENGTH", ""),
        ("PARLOR_TRUSTED_PROXIES", ""),
        ("PARLOR_LOG", ""),
    ];
    let spotify = ["--spotify-accounts-url", &simulator.url, "--spotify-api-url", &simulator.url];
    let check = [&["check", "--data-dir", place.as_str()][..], &spotify].concat();
    let (code, said) = runs(&check, &unset).await?;
    ensure!(code == Some(0), "{code:?}: {said}");
    // An option is another matter: who writes it means something.
    let (code, said) = runs(&["serve", "--spotify-client-id", ""], &[]).await?;
    ensure!(code == Some(2) && said.contains("--spotify-client-id"), "{code:?}: {said}");
    Ok(())
}

#[tokio::test]
async fn a_damaged_data_directory_is_refused_and_left_as_it_is() -> Result<()> {
    let dir = TempDir::new()?;
    let database = dir.path().join("parlor.db");
    let damage = b"no database at all, but somebody's letter".repeat(200);
    std::fs::write(&database, &damage)?;
    let place = dir.path().display().to_string();
    for command in ["serve", "check"] {
        let arguments = [command, "--listen", "127.0.0.1:0", "--data-dir", &place];
        let (code, said) = runs(&arguments, &[]).await?;
        ensure!(code.is_some_and(|code| code != 0) && said.contains(&place), "{command}: {code:?}: {said}");
        ensure!(std::fs::read(&database)? == damage, "{command} has written there");
    }
    // The lock by which two processes know of each other says nothing about the data.
    for entry in std::fs::read_dir(dir.path())? {
        let name = entry?.file_name();
        ensure!(name == "parlor.db" || name == "lock", "{name:?} was put there");
    }
    Ok(())
}

/// By default both use the same directory. What a demo asks of its Spotify with a service's authorizations would end them.
#[tokio::test]
async fn a_demo_keeps_its_hands_off_a_services_hosts() -> Result<()> {
    prepare();
    let data = Arc::new(TempDir::new()?);
    let simulator = Parlor::simulator().await?;
    let spotify = ["--spotify-accounts-url", &simulator.url, "--spotify-api-url", &simulator.url];
    let options = [&["--secret-key", KEYS[0], "--spotify-client-id", APP][..], &spotify].concat();
    let place = data.path().display().to_string();
    let refused = async |place: &str| {
        let (code, said) = runs(&["demo", "--listen", "127.0.0.1:0", "--data-dir", place], &[]).await?;
        ensure!(code == Some(2) && said.contains("--data-dir"), "{code:?}: {said}");
        anyhow::Ok(())
    };
    let parlor = Parlor::start("serve", &options, Arc::clone(&data)).await?;
    let mut ada = Visitor::new(client()?, &parlor.url).await?;
    ada.sign_in("host-1").await?;
    ada.create_room("Home", None).await?;
    parlor.kill().await?;
    refused(&place).await?;
    let (code, said) = runs(&[&["check", "--data-dir", &place][..], &options].concat(), &[]).await?;
    ensure!(code == Some(0) && said.contains("opens what is stored of 1 hosts"), "{code:?}: {said}");

    // A demo comes back to its own directory, until that is a service's.
    let data = Arc::new(TempDir::new()?);
    for command in ["demo", "demo", "serve"] {
        Parlor::start(command, &[], Arc::clone(&data)).await?.kill().await?;
    }
    refused(&data.path().display().to_string()).await
}

/// The phones of a home network reach it by an address that the real Spotify would send nobody back to.
#[tokio::test]
async fn a_demo_can_be_signed_in_at_in_a_home_network() -> Result<()> {
    prepare();
    let demo = Parlor::demo(&["--public-url", "http://192.168.1.4:8080"]).await?;
    let http = client()?;
    let sent = http.get(format!("{}/auth/login?return_to=/", demo.url)).send().await?;
    let to_spotify = sent.headers()["location"].to_str()?.to_owned();
    ensure!(to_spotify.contains("192.168.1.4%3A8080%2Fauth%2Fcallback"), "{to_spotify}");
    let consent = http.get(to_spotify).send().await?.error_for_status()?.text().await?;
    ensure!(consent.contains("<form"), "{consent}");
    Ok(())
}

#[tokio::test]
async fn a_demo_does_not_offer_another_spotify() -> Result<()> {
    let (code, said) = runs(&["demo", "--help"], &[]).await?;
    ensure!(
        code == Some(0) && said.contains("--data-dir") && !said.contains("SPOTIFY_API_URL"),
        "{code:?}: {said}"
    );
    let (code, said) = runs(&["serve", "--help"], &[]).await?;
    ensure!(code == Some(0) && said.contains("SPOTIFY_API_URL"), "{code:?}: {said}");
    Ok(())
}

#[tokio::test]
async fn a_key_that_does_not_open_what_is_stored_costs_a_sign_in_and_nothing_else() -> Result<()> {
    prepare();
    let (http, data) = (client()?, Arc::new(TempDir::new()?));
    let simulator = Parlor::simulator().await?;
    let place = data.path().display().to_string();
    let options = |key: &'static str| {
        let spotify = simulator.url.clone();
        ["--secret-key", key, "--spotify-client-id", APP, "--spotify-calls", "extended"]
            .map(str::to_owned)
            .into_iter()
            .chain(["--spotify-accounts-url".to_owned(), spotify.clone()])
            .chain(["--spotify-api-url".to_owned(), spotify])
            .collect::<Vec<_>>()
    };
    let serve = async |key: &'static str| {
        let options = options(key);
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        Parlor::start("serve", &options, Arc::clone(&data)).await
    };
    let checked = async |key: &'static str| {
        let options = options(key);
        let all =
            ["check", "--data-dir", place.as_str()].into_iter().chain(options.iter().map(String::as_str));
        runs(&all.collect::<Vec<_>>(), &[]).await
    };

    let parlor = serve(KEYS[0]).await?;
    let mut ada = Visitor::new(http, &parlor.url).await?;
    ada.sign_in("host-1").await?;
    let code = ada.create_room("Keys", None).await?.code;
    let host = Person::enter(ada, &code).await?;
    host.sees("something plays", |room| room.playback.track.is_some()).await?;
    parlor.kill().await?;

    let (code_before, said) = checked(KEYS[0]).await?;
    ensure!(code_before == Some(0) && said.contains("opens what is stored of 1 hosts"), "{said}");
    let (refused, said) = checked(KEYS[1]).await?;
    ensure!(refused == Some(1) && said.contains("FAILED  secret key"), "{said}");
    // Without any key a start would make a new one: that this is a loss is said before.
    let keyless = options(KEYS[0]).split_off(2);
    let keyless =
        ["check", "--data-dir", place.as_str()].into_iter().chain(keyless.iter().map(String::as_str));
    let (lost, said) = runs(&keyless.collect::<Vec<_>>(), &[]).await?;
    ensure!(lost == Some(1) && said.contains("secret.key is missing"), "{said}");

    // With the wrong key everything but Spotify works, and the host reads what to do.
    let parlor = serve(KEYS[1]).await?;
    let here = host.visitor.at(&parlor.url);
    let me: protocol::Me = here.get("/api/me").await?;
    ensure!(me.spotify.is_some_and(|account| account.needs_login));
    let there = Person::enter(here.clone(), &code).await?;
    there.sees("that the host is needed", |room| room.playback.state == PlaybackState::NeedsHost).await?;
    there.does(protocol::CommandBody::React { emoji: "🎉".to_owned() }).await?;
    parlor.kill().await?;
    let plays =
        |room: &protocol::RoomView| room.playback.state == PlaybackState::Ok && room.playback.is_playing;

    // The right key again, and nobody has to sign in.
    let parlor = serve(KEYS[0]).await?;
    let there = Person::enter(here.at(&parlor.url), &code).await?;
    there.sees("the music, without a sign-in", plays).await?;
    parlor.kill().await?;

    let parlor = serve(KEYS[1]).await?;
    let mut here = here.at(&parlor.url);
    here.sign_in("host-1").await?;
    let back = Person::enter(here, &code).await?;
    back.sees("the music again", plays).await?;
    parlor.kill().await?;
    let (code_after, said) = checked(KEYS[1]).await?;
    ensure!(code_after == Some(0), "{said}");
    Ok(())
}
