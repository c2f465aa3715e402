#![doc = include_str!("../README.md")]

mod chaos;
mod cluster;
mod steps;

use std::process::ExitCode;

const HELP: &str = "cargo xtask demo [-- OPTIONS]   build the web and the binary, run `parlor demo`
cargo xtask cluster [N]         N gateways (2) over a Redis and a simulated Spotify, on free ports
cargo xtask chaos [OPTIONS]     the fault run: --seed N, --rounds N (2000), --rooms N, --scenario NAME[,NAME], --release
cargo xtask test [--release]    everything that CI runs; with --release, of the release build
cargo xtask lint                clippy over everything; any warning fails
cargo xtask web                 build the web app into web/dist
cargo xtask types               write crates/protocol/openapi.json and the web's types anew
";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let rest: Vec<String> = words.filter(|word| word != "--").collect();
    let done = match command.as_str() {
        "demo" => steps::demo(&rest),
        "cluster" => {
            let Ok(gateways @ 1..=16) = rest.first().map_or(Ok(2), |number| number.parse()) else {
                steps::say("xtask: cluster takes a number of gateways, 1 to 16");
                return ExitCode::from(2);
            };
            cluster::cluster(gateways)
        }
        "chaos" => chaos::chaos(&rest),
        "test" => steps::test(&rest),
        "lint" => steps::lint(),
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
