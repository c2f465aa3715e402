//! Logs, on standard error.

use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, LogOptions};

/// Begins to log.
pub(crate) fn begin(options: &LogOptions) {
    let filter = EnvFilter::try_new(&options.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second subscriber in one process is a test's, and keeps the first.
    let _ = match options.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
