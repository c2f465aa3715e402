#![doc = include_str!("../README.md")]

mod check;
mod cli;
mod keys;
mod limits;
mod logs;
mod opened;
mod serve;
mod signals;
mod sim;
mod simulated;
mod stdout;

use std::process::ExitCode;

use cli::{Cli, Command};

/// Ten thousand connections that come, speak and go are small pieces from many threads: what the C library's allocator needs
/// longest for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything can ask for TLS.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln_line("parlor: another TLS provider was installed first");
        return ExitCode::FAILURE;
    }
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return cli::complain(error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln_line(&format!("parlor: no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = match cli.command() {
        Command::Serve(options) => runtime.block_on(serve::serve(options)),
        Command::Demo(options) => runtime.block_on(serve::demo(options)),
        Command::Sim(options) => runtime.block_on(sim::run(options)),
        Command::Check(options) => runtime.block_on(check::run(options)),
    };
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln_line(&format!("parlor: {error:#}"));
            ExitCode::from(error.downcast_ref::<serve::Refused>().map_or(1, |refused| refused.code))
        }
    }
}

/// A line for the person who started the process.
#[expect(clippy::print_stderr, reason = "what a command line is for")]
fn eprintln_line(line: &str) {
    eprintln!("{line}");
}
