#![doc = include_str!("../README.md")]

mod steps;

use std::process::ExitCode;

const HELP: &str = "cargo xtask demo [-- OPTIONS]   build the web and the binary, run `parlor demo`
cargo xtask test                everything that CI runs
cargo xtask web                 build the web app into web/dist
cargo xtask types               write crates/protocol/openapi.json and the web's types anew
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let rest: Vec<String> = words.filter(|word| word != "--").collect();
    let done = match command.as_str() {
        "demo" => steps::demo(&rest),
        "test" => steps::test(),
        "web" => steps::web(),
        "types" => steps::types(),
        _ => {
            steps::say(HELP.trim_end());
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            steps::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
