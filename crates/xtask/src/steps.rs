//! What each chore does, step by step, each step said before it is taken.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Debian's packages that the tests need, each with a program that is there once it is installed.
const PACKAGES: [(&str, &str); 2] = [("chromium", "chromium"), ("redis-server", "redis-server")];

/// A line for the person who runs the chore.
#[expect(clippy::print_stderr, reason = "what a chore is for")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

pub(crate) fn root() -> PathBuf {
    // The crate stands two folders below the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Variables of a crate that cargo runs.
const OWN: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

pub(crate) fn run(words: &[&str], dir: &Path) -> Result<()> {
    run_with(words, dir, &[])
}

pub(crate) fn run_with(words: &[&str], dir: &Path, variables: &[(&str, &str)]) -> Result<()> {
    let (program, arguments) = words.split_first().context("an empty command")?;
    say(&format!("$ {}", words.join(" ")));
    let begun = Instant::now();
    let mut command = Command::new(program);
    // What cargo said of xtask's own crate is nobody else's: build scripts (ring's) that look at it would run again,
    // and all that stands on them be built again, whenever a build is started the other way.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OWN.iter().any(|own| name.starts_with(own))) {
            command.env_remove(name);
        }
    }
    let status = command
        .args(arguments)
        .current_dir(dir)
        .envs(variables.iter().copied())
        .status()
        .with_context(|| format!("{program} cannot be started; is it installed?"))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words.join(" "));
    }
    say(&format!("  {:.0} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Installs the web's packages where the lock file is newer than what is there.
fn web_packages() -> Result<()> {
    if !is_there("npm") {
        bail!("npm is missing: install Node.js 20.19 or newer");
    }
    let web = root().join("web");
    let age = |path: PathBuf| path.metadata().and_then(|meta| meta.modified()).ok();
    let installed = age(web.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < age(web.join("package-lock.json")) {
        run(&["npm", "ci", "--no-audit", "--no-fund"], &web)?;
    }
    Ok(())
}

/// Builds the web app into `web/dist`, where the binary takes it from.
pub(crate) fn web() -> Result<()> {
    web_packages()?;
    run(&["npm", "run", "build"], &root().join("web"))
}

/// Builds everything and runs the demo.
pub(crate) fn demo(options: &[String]) -> Result<()> {
    web()?;
    let mut words = vec!["cargo", "run", "--release", "--package", "parlor", "--", "demo"];
    words.extend(options.iter().map(String::as_str));
    run(&words, &root())
}

/// Writes what is generated from the protocol anew.
pub(crate) fn types() -> Result<()> {
    web_packages()?;
    let variables = [("PARLOR_WRITE", "1")];
    run_with(
        &["cargo", "test", "--release", "--package", "gateway", "--test", "http_openapi"],
        &root(),
        &variables,
    )?;
    run(&["npm", "run", "types"], &root().join("web"))
}

/// Everything that CI runs, against a debug build, which is built in a third of the time, or against the release build.
/// Nothing is skipped: what is missing is installed, or named.
pub(crate) fn test(options: &[String]) -> Result<()> {
    let profile: &[&str] = match options {
        [] => &[],
        [option] if option == "--release" => &["--release"],
        _ => bail!("test takes --release, or nothing"),
    };
    let root = root();
    packages()?;
    nextest()?;
    let web_dir = root.join("web");
    web_packages()?;
    run(&["npm", "run", "check"], &web_dir)?;
    run(&["npm", "run", "build"], &web_dir)?;
    run(&["npm", "run", "test"], &web_dir)?;
    run(&["cargo", "fmt", "--all", "--check"], &root)?;
    // Binaries and tests in one go: apart, their dependencies would be built twice, with different features.
    let build = ["cargo", "build", "--workspace", "--all-targets", "--locked"];
    // A failure says its causes; the frames of a backtrace push them out of a log that is cut.
    let quiet = [("RUST_BACKTRACE", "0")];
    run_with(&[&build[..], profile].concat(), &root, &quiet)?;
    let test = ["cargo", "nextest", "run", "--workspace", "--locked", "--no-fail-fast"];
    run_with(&[&test[..], profile].concat(), &root, &quiet)
}

/// Clippy over everything, with the lints of the workspace; any warning fails. Apart from [`test`]: it compiles every
/// dependency once more, for nothing but its types.
pub(crate) fn lint() -> Result<()> {
    run(&["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"], &root())
}

fn packages() -> Result<()> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(_, program)| !is_there(program)).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    if !is_root || !is_there("apt-get") {
        bail!("the tests need {list}; install it, on Debian with: sudo apt-get install {list}");
    }
    run(&["apt-get", "update", "-qq"], &root())?;
    let mut words = vec!["apt-get", "install", "-y", "-qq", "--no-install-recommends"];
    words.extend(missing);
    run_with(&words, &root(), &[("DEBIAN_FRONTEND", "noninteractive")])
}

fn nextest() -> Result<()> {
    if is_there("cargo-nextest") {
        return Ok(());
    }
    run(&["cargo", "install", "--locked", "cargo-nextest"], &root())
}
