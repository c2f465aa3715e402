//! The command line: each option is a flag and an environment variable.

use std::ffi::OsStr;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use auth::KeyRing;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use kernel::Secret;
use spotify_api::CallPlan;
use tracing::level_filters::LevelFilter;

/// A listening room: one person brings the Spotify account, everybody brings the taste.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeOptions,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the service (the default).
    Serve(ServeOptions),
    /// Run the service with a simulated Spotify in the same process: no account, no configuration.
    Demo(ServeOptions),
    /// Run the simulated Spotify alone.
    Sim(SimOptions),
    /// Check the configuration and reach everything it names.
    Check(ServeOptions),
}

impl Cli {
    /// What the command line and the environment ask for. A variable that is empty counts as unset: that is how a
    /// compose file passes on what nobody has set.
    ///
    /// # Errors
    ///
    /// Clap's: something else than an option takes, or a question for help.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let known = <Self as CommandFactory>::command().mut_subcommand("demo", without_spotify);
        Self::from_arg_matches(&without_empty_variables(known).try_get_matches()?)
    }

    pub(crate) fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// The demo's Spotify is in its own process: addresses of another one are no options to speak of.
fn without_spotify(demo: clap::Command) -> clap::Command {
    ["spotify_accounts_url", "spotify_api_url"]
        .into_iter()
        .fold(demo, |demo, id| demo.mut_arg(id, |option| option.hide(true)))
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let unset = |option: clap::Arg| {
        if option.get_env().is_some_and(is_empty) { option.env(None::<&str>) } else { option }
    };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

/// How to log.
#[derive(Args, Clone, Debug)]
pub(crate) struct LogOptions {
    /// What to log: a tracing filter.
    #[arg(long, env = "PARLOR_LOG", default_value = "info", value_parser = filter)]
    pub(crate) log: String,
    /// How to write it.
    #[arg(long, env = "PARLOR_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// The service's options.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeOptions {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "PARLOR_LISTEN", default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Where browsers reach the service [default: http:// and the address listened on].
    #[arg(long, env = "PARLOR_PUBLIC_URL", value_parser = origin)]
    pub(crate) public_url: Option<String>,
    /// Directory of the embedded store and the generated secret key.
    #[arg(long, env = "PARLOR_DATA_DIR", default_value = "./parlor-data")]
    pub(crate) data_dir: PathBuf,
    /// Redis or Valkey, for any number of processes; unset: the embedded store.
    #[arg(long, env = "PARLOR_REDIS_URL", hide_env_values = true, value_parser = redis_url)]
    pub(crate) redis_url: Option<Secret<String>>,
    /// 32 bytes, base64, that encrypt tokens at rest; an older key may follow after a comma [default: generated].
    #[arg(long, env = "PARLOR_SECRET_KEY", hide_env_values = true, value_parser = keys)]
    pub(crate) secret_key: Option<Secret<String>>,
    /// The operator's Spotify app; unset: hosts bring their own client id.
    #[arg(long, env = "PARLOR_SPOTIFY_CLIENT_ID", value_parser = client_id)]
    pub(crate) spotify_client_id: Option<String>,
    /// Its secret; unset: PKCE alone.
    #[arg(long, env = "PARLOR_SPOTIFY_CLIENT_SECRET", hide_env_values = true, value_parser = secret)]
    pub(crate) spotify_client_secret: Option<Secret<String>>,
    /// Spotify's accounts service.
    #[arg(long, env = "PARLOR_SPOTIFY_ACCOUNTS_URL", default_value = "https://accounts.spotify.com", value_parser = base_url)]
    pub(crate) spotify_accounts_url: String,
    /// Spotify's Web API.
    #[arg(long, env = "PARLOR_SPOTIFY_API_URL", default_value = "https://api.spotify.com", value_parser = base_url)]
    pub(crate) spotify_api_url: String,
    /// What one app may ask of Spotify: development, extended, or figures such as player=5000/day,all=60/30s
    /// [default: development; extended in the demo].
    #[arg(long, env = "PARLOR_SPOTIFY_CALLS", value_parser = call_plan)]
    pub(crate) spotify_calls: Option<CallPlan>,
    /// Length of room codes, 6 to 10 [default: 6; 8 with Redis].
    #[arg(long, env = "PARLOR_CODE_LENGTH", allow_negative_numbers = true, value_parser = number(6..=10_u8))]
    pub(crate) code_length: Option<u8>,
    /// Members that a room takes.
    #[arg(long, env = "PARLOR_MAX_MEMBERS", default_value_t = 10_000, allow_negative_numbers = true, value_parser = number(1..=1_000_000_u32))]
    pub(crate) max_members: u32,
    /// Rooms that a host may have.
    #[arg(long, env = "PARLOR_MAX_ROOMS_PER_HOST", default_value_t = 20, allow_negative_numbers = true, value_parser = number(1..=10_000_u32))]
    pub(crate) max_rooms_per_host: u32,
    /// A second address, for /metrics alone; unset: /metrics answers requests from loopback.
    #[arg(long, env = "PARLOR_METRICS_LISTEN", value_parser = address)]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Networks whose X-Forwarded-For and -Proto are believed, with commas between them [default: none].
    #[arg(long, env = "PARLOR_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
}

/// The simulator's options.
#[derive(Args, Clone, Debug)]
pub(crate) struct SimOptions {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "PARLOR_LISTEN", default_value = "127.0.0.1:8090", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Which world to simulate.
    #[arg(long, env = "PARLOR_SIM_SEED", default_value_t = 1, allow_negative_numbers = true, value_parser = number(0..=u64::MAX))]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) logs: LogOptions,
}

fn filter(text: &str) -> Result<String, String> {
    // A bare word is a level or a part of the program: any other would be a filter that lets nothing through.
    let known = |word: &str| word.parse::<LevelFilter>().is_ok() || PARTS.contains(&word);
    let is_word = |directive: &str| directive.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let lost = text.split(',').map(str::trim).any(|directive| is_word(directive) && !known(directive));
    let parsed = tracing_subscriber::EnvFilter::try_new(text).ok().filter(|_| !lost);
    parsed.map(|_| text.to_owned()).ok_or_else(|| {
        format!(
            "takes a tracing filter: off, error, warn, info, debug or trace, and after a comma another one for a part \
             ({}), such as info,gateway=debug",
            PARTS.join(", ")
        )
    })
}

/// The crates that log.
const PARTS: [&str; 6] = ["gateway", "store", "spotify_api", "spotify_sim", "parlor", "rooms"];

fn number<T>(takes: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        let number = text.parse().ok().filter(|number| takes.contains(number));
        number.ok_or_else(|| format!("takes a whole number from {} to {}", takes.start(), takes.end()))
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "takes an address with a port, such as 127.0.0.1:8080".to_owned())
}

fn network(text: &str) -> Result<ipnet::IpNet, String> {
    let one = || text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
    text.parse().or_else(|_| one()).map_err(|_| "takes networks such as 10.0.0.0/8".to_owned())
}

fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()));
    if fits { Ok(text.to_owned()) } else { Err("takes an http:// or https:// address".to_owned()) }
}

fn origin(text: &str) -> Result<String, String> {
    let takes =
        || "takes an http:// or https:// address without a path, such as https://parlor.example".to_owned();
    // As browsers write an origin, which is compared byte for byte: in lower case, without the scheme's own port.
    let url = base_url(&text.to_ascii_lowercase()).map_err(|_| takes())?;
    let own_port = if url.starts_with("https:") { ":443" } else { ":80" };
    let url = url.strip_suffix(own_port).map_or(url.clone(), str::to_owned);
    let bare = url.splitn(3, '/').nth(2).is_some_and(|host| !host.contains(['/', '?', '#', '@']));
    if bare { Ok(url) } else { Err(takes()) }
}

fn redis_url(text: &str) -> Result<Secret<String>, String> {
    let schemes = ["redis", "rediss", "redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| schemes.contains(&scheme)) {
        Ok(Secret::from(text))
    } else {
        Err("takes redis://, rediss://, redis-cluster:// or redis-sentinel:// and a host".to_owned())
    }
}

fn keys(text: &str) -> Result<Secret<String>, String> {
    let parsed = KeyRing::parse(text).map_err(|error| format!("takes 32 bytes in base64: {error}"));
    parsed.map(|_| Secret::from(text))
}

#[expect(clippy::unnecessary_wraps, reason = "what clap asks of a parser")]
fn secret(text: &str) -> Result<Secret<String>, String> {
    Ok(Secret::from(text))
}

fn client_id(text: &str) -> Result<String, String> {
    let fits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if fits {
        Ok(text.to_owned())
    } else {
        Err("takes the client id of a Spotify app, 32 hex digits".to_owned())
    }
}

fn call_plan(text: &str) -> Result<CallPlan, String> {
    let takes = "takes development, extended, or figures such as player=5000/day,all=60/30s";
    CallPlan::parse(text).map_err(|error| format!("{takes}: {error}"))
}

/// Options whose values are secret, or hold a password.
const SECRET: [&str; 3] = ["--secret-key", "--redis-url", "--spotify-client-secret"];

/// Takes a secret out of the words about it: they stand in logs.
fn hide_secret(error: &mut clap::Error) {
    let is_secret = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(option)) if SECRET.iter().any(|secret| option.starts_with(secret))
    );
    if is_secret {
        error.insert(ContextKind::InvalidValue, ContextValue::String("(not shown)".to_owned()));
    }
}

/// Says what is wrong with the command line in one line, or shows the help that was asked for.
pub(crate) fn complain(mut error: clap::Error) -> ExitCode {
    hide_secret(&mut error);
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        crate::stdout::say(&error.render().to_string());
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let told: Vec<&str> =
        text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:")).collect();
    let words: Vec<&str> = told.iter().flat_map(|line| line.split_whitespace()).collect();
    let line = words.join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    let line = line.strip_suffix("For more information, try '--help'.").unwrap_or(line).trim();
    crate::eprintln_line(&format!("parlor: {line}"));
    ExitCode::from(2)
}
