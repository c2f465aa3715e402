//! The fault run: whatever dies, stands still, is cut off or comes late, the promises hold. See `tests/README.md`.

mod arena;
mod check;
mod client;
mod journal;
mod plan;
mod report;
mod rooms;
mod strike;
mod wave;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use arena::Arena;
use journal::WaveJournal;
use plan::{Scenario, Wave};
use report::Report;
use rooms::Room;

/// The plans that CI plays, always the same.
const SEED: u64 = 20;
/// Rooms that are in trouble at the same time.
const ROOMS: usize = 20;
/// In CI fewer, so that a slow machine does it in minutes.
const ROOMS_IN_CI: usize = 8;
/// A scenario whose faults are not felt is given up after so many times the waves that it should have taken.
const PATIENCE: u64 = 3;
/// How often a room is tried to be opened again.
const TRIES: usize = 5;
/// A run ends with so many breaches: more teach nothing.
const ENOUGH: usize = 40;

/// What is to be played.
struct Run {
    seed: u64,
    /// Rounds that feel their fault, of all scenarios; `None`: one wave of each.
    rounds: Option<u64>,
    scenarios: Vec<Scenario>,
    rooms: usize,
}

impl Run {
    fn from_environment() -> Result<Self> {
        let number = |name: &str| {
            let text = std::env::var(name).ok();
            text.map(|text| text.parse::<u64>().with_context(|| format!("{name}: {text}"))).transpose()
        };
        let named = std::env::var("PARLOR_SCENARIO").ok();
        let mut scenarios = Scenario::all();
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            scenarios.retain(|scenario| named.split(',').any(|name| scenario.name() == name));
            let known: Vec<String> = Scenario::all().into_iter().map(Scenario::name).collect();
            ensure!(!scenarios.is_empty(), "{named} is none of {}", known.join(", "));
        }
        let rounds = number("PARLOR_ROUNDS")?;
        let rooms = number("PARLOR_ROOMS")?
            .map_or(if rounds.is_some() { ROOMS } else { ROOMS_IN_CI }, |n| n as usize);
        Ok(Self { seed: number("PARLOR_SEED")?.unwrap_or(SEED), rounds, scenarios, rooms })
    }

    /// The rounds that the scenario should feel.
    fn wanted(&self, scenario: Scenario) -> u64 {
        let shares: usize = self.scenarios.iter().map(|scenario| scenario.shares()).sum();
        let share = |rounds: u64| (rounds * scenario.shares() as u64).div_ceil(shares as u64);
        self.rounds.map_or(1, share)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promises_hold_whatever_breaks() -> Result<()> {
    let run = Run::from_environment()?;
    let mut report = Report::default();
    let mut breaches = Vec::new();
    for replicated in [false, true] {
        let scenarios: Vec<Scenario> =
            run.scenarios.iter().copied().filter(|scenario| scenario.is_replicated() == replicated).collect();
        if !scenarios.is_empty() {
            play(&run, &scenarios, replicated, &mut report, &mut breaches)
                .await
                .with_context(|| format!("{report}"))?;
        }
    }
    eprintln!("{report}");
    ensure!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
    for scenario in &run.scenarios {
        ensure!(report.felt(*scenario) > 0, "nobody felt {}: it proves nothing", scenario.name());
    }
    Ok(())
}

/// Plays waves of these scenarios, in turns, until each has been felt often enough.
async fn play(
    run: &Run,
    scenarios: &[Scenario],
    replicated: bool,
    report: &mut Report,
    breaches: &mut Vec<String>,
) -> Result<()> {
    let mut arena = Arena::start(replicated).await?;
    let rooms = open(&arena, run.rooms).await?;
    for number in 0.. {
        let mut played = false;
        for scenario in scenarios {
            let wanted = run.wanted(*scenario);
            let most = wanted.div_ceil(run.rooms as u64) * PATIENCE;
            if report.felt(*scenario) >= wanted || number >= most {
                continue;
            }
            played = true;
            let wave = Wave::draw(run.seed, *scenario, number, run.rooms);
            let begun = Instant::now();
            let again = format!(
                "cargo xtask chaos --seed {} --rounds {} --rooms {} --scenario {}, its wave {number}",
                run.seed,
                (number + 1) * run.rooms as u64,
                run.rooms,
                scenario.name()
            );
            let journal = wave::play(&mut arena, &rooms, &wave).await;
            let journal = journal.with_context(|| format!("{again}: {wave:?}"))?;
            let found = check::wave(&journal);
            let felt = report.add(&journal, &found);
            let proof = journal.fault.proof.as_deref().unwrap_or("not felt");
            let took = begun.elapsed().as_secs_f64();
            eprintln!(
                "{:<20} wave {number}: {felt} of {} felt, {proof}, {took:.1} s",
                scenario.name(),
                run.rooms
            );
            if !found.is_empty() {
                let kept = keep(&journal, &format!("{again}: {wave:?}"), &found)?;
                for breach in found {
                    eprintln!("  {breach}");
                    breaches.push(format!("{breach}\n  {again}; see {kept}"));
                }
            }
            if breaches.len() > ENOUGH {
                bail!("{} breaches:\n{}", breaches.len(), breaches.join("\n"));
            }
        }
        if !played {
            break;
        }
    }
    Ok(())
}

/// Writes down what everybody saw in the rooms of these breaches; where.
fn keep(journal: &WaveJournal, again: &str, breaches: &[check::Breach]) -> Result<String> {
    let dir = std::env::temp_dir().join(format!("parlor-chaos-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let number = std::fs::read_dir(&dir)?.count();
    let path = dir.join(format!("{}-{number}.txt", journal.fault.scenario.name()));
    let stories = journal
        .rooms
        .iter()
        .filter(|room| breaches.iter().any(|breach| breach.room.contains(&room.code)))
        .map(|room| journal.story(room));
    let breaches = breaches.iter().map(|breach| format!("{breach}\n"));
    let text: String = std::iter::once(format!("{again}\n")).chain(breaches).chain(stories).collect();
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}

/// Rooms, before any fault. A machine that is busy with something else may answer late: then once more.
async fn open(arena: &Arena, rooms: usize) -> Result<Vec<Arc<Room>>> {
    let mut all = Vec::new();
    for nth in 0..rooms {
        let mut opened = Room::open(arena, nth).await;
        for _ in 0..TRIES {
            if opened.is_err() {
                opened = Room::open(arena, nth).await;
            }
        }
        all.push(Arc::new(opened.with_context(|| format!("room {nth}"))?));
    }
    Ok(all)
}
