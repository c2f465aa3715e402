//! `parlor check`: reaches everything that the configuration names, and says so line by line.

use std::process::ExitCode;
use std::time::Duration;

use crate::cli::ServeOptions;
use crate::opened::Opened;
use crate::serve::SECRET_ALONE;
use crate::stdout::say;
use crate::{keys, logs};

/// How long a service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(options: ServeOptions) -> anyhow::Result<ExitCode> {
    logs::begin(&options.logs);
    let mut all_well = true;
    let mut tell = |what: &str, found: Result<String, String>| {
        all_well &= found.is_ok();
        let (word, detail) = match &found {
            Ok(detail) => ("ok", detail),
            Err(detail) => ("FAILED", detail),
        };
        say(&format!("{word:<7} {what}: {detail}\n"));
    };
    tell("configuration", Ok("understood".to_owned()));
    let store = Opened::open(&options).await;
    tell(
        "store",
        match &store {
            Ok(store) => Ok(format!("{} opens", store.place(&options))),
            Err(error) => Err(format!("{error:#}")),
        },
    );
    if let Ok(store) = store {
        tell("secret key", keys::check(&options, &store).await);
        store.shutdown().await;
    }
    let app = match (&options.spotify_client_id, &options.spotify_client_secret) {
        (Some(_), Some(_)) => Ok("client id and secret are set; a sign-in shows whether they fit".to_owned()),
        (Some(_), None) => Ok("client id is set; PKCE alone".to_owned()),
        (None, None) => Ok("none: hosts bring their own".to_owned()),
        (None, Some(_)) => Err(SECRET_ALONE.to_owned()),
    };
    tell("spotify app", app);
    let accounts = format!("{}/authorize", options.spotify_accounts_url);
    tell("spotify accounts service", reach(&accounts).await);
    tell("spotify web api", reach(&format!("{}/v1/me", options.spotify_api_url)).await);
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Any answer will do, as nobody is signed in here, but one that the service itself is not well.
async fn reach(url: &str) -> Result<String, String> {
    let client =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
    let client = client.map_err(|error| error.to_string())?;
    match client.get(url).send().await {
        Ok(answer) => {
            let line = format!("{url} answers {}", answer.status().as_u16());
            if answer.status().is_server_error() { Err(line) } else { Ok(line) }
        }
        Err(error) => Err(format!("{url} does not answer: {:#}", anyhow::Error::new(error.without_url()))),
    }
}
