//! `cargo xtask chaos`: the fault run of `tests/chaos`, as long as is asked for.

use anyhow::{Result, bail};

use crate::steps::{root, run, run_with};

/// Options that take a value, and the variables that the run reads.
const OPTIONS: [(&str, &str); 4] = [
    ("--seed", "PARLOR_SEED"),
    ("--rounds", "PARLOR_ROUNDS"),
    ("--rooms", "PARLOR_ROOMS"),
    ("--scenario", "PARLOR_SCENARIO"),
];
/// As many as the promises are made for (reliability, P1).
const ROUNDS: &str = "2000";
/// The one test that is the run.
const TEST: &str = "chaos::the_promises_hold_whatever_breaks";

/// Builds, and plays until that many rounds have felt their fault. The table stands at the end.
pub(crate) fn chaos(options: &[String]) -> Result<()> {
    let mut variables = vec![("PARLOR_ROUNDS", ROUNDS)];
    let mut profile: &[&str] = &[];
    let mut words = options.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--release" {
            profile = &["--release"];
            continue;
        }
        let known = OPTIONS.iter().find(|(option, _)| *option == word);
        let (Some((_, variable)), Some(value)) = (known, words.next()) else {
            bail!(
                "chaos takes --seed N, --rounds N, --rooms N, --scenario NAME[,NAME] and --release; not {word}"
            )
        };
        variables.push((variable, value));
    }
    // As `test` builds, so that nothing is built twice.
    let build = ["cargo", "build", "--workspace", "--all-targets", "--locked"];
    run(&[&build[..], profile].concat(), &root())?;
    let test = ["cargo", "test", "--workspace", "--locked", "--test", "acceptance"];
    let one = ["--", "--exact", TEST, "--nocapture"];
    run_with(&[&test[..], profile, &one].concat(), &root(), &variables)
}
