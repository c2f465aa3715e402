//! What a run came to, scenario by scenario.

use std::collections::BTreeMap;
use std::fmt;

use protocol::Notice;

use super::check::{Breach, conductor, convergence_ms, felt};
use super::journal::WaveJournal;
use super::plan::Scenario;

/// What the rounds of a scenario came to.
#[derive(Clone, Debug, Default)]
struct Row {
    waves: u64,
    felt: u64,
    unfelt: u64,
    /// Rounds in rooms that the gateway conducted which was struck.
    at_conductor: u64,
    nexts: u64,
    /// Rounds whose votes were voided before everyone, and that lost what had been acknowledged.
    voids: u64,
    losses: u64,
    breaches: u64,
    converged_ms: Vec<u64>,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Report(BTreeMap<Scenario, Row>);

impl Report {
    /// Takes in a wave; how many of its rounds felt the fault.
    pub(super) fn add(&mut self, wave: &WaveJournal, breaches: &[Breach]) -> u64 {
        let row = self.0.entry(wave.fault.scenario).or_default();
        row.waves += 1;
        row.breaches += breaches.len() as u64;
        let before = row.felt;
        for room in &wave.rooms {
            if felt(wave, room) {
                row.felt += 1;
            } else {
                row.unfelt += 1;
            }
            let struck = conductor(wave, room, wave.fault.from);
            row.at_conductor += u64::from(struck.is_some_and(|nth| wave.fault.gateways.contains(&nth)));
            row.nexts += room.skipped().len() as u64;
            row.voids += u64::from(room.heard().any(|notice| matches!(notice, Notice::VotesVoided { .. })));
            let acknowledged = room.commands().iter().filter_map(|command| Some(command.ack()?.1)).max();
            row.losses +=
                u64::from(room.survived.is_some_and(|kept| acknowledged.is_some_and(|newest| newest > kept)));
            row.converged_ms.extend(convergence_ms(wave, room));
        }
        row.felt - before
    }

    /// How many rounds of the scenario felt their fault.
    pub(super) fn felt(&self, scenario: Scenario) -> u64 {
        self.0.get(&scenario).map_or(0, |row| row.felt)
    }
}

/// That share of values is not greater.
fn quantile(sorted: &[u64], share: f64) -> u64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>5} {:>6} {:>7} {:>9} {:>6} {:>6} {:>6} {:>7} {:>7} {:>7} {:>8}",
            "scenario",
            "waves",
            "felt",
            "unfelt",
            "conductor",
            "nexts",
            "lossy",
            "voided",
            "p50 ms",
            "p99 ms",
            "max ms",
            "breaches"
        )?;
        let mut sum = Row::default();
        for (scenario, row) in &self.0 {
            line(f, &scenario.name(), row)?;
            sum.waves += row.waves;
            sum.felt += row.felt;
            sum.unfelt += row.unfelt;
            sum.at_conductor += row.at_conductor;
            sum.nexts += row.nexts;
            sum.losses += row.losses;
            sum.voids += row.voids;
            sum.breaches += row.breaches;
            sum.converged_ms.extend(&row.converged_ms);
        }
        line(f, "all", &sum)?;
        let late = sum.converged_ms.iter().filter(|ms| **ms > super::check::PROMISED_MS).count();
        writeln!(f, "converged later than promised (5 s): {late} of {} rounds", sum.converged_ms.len())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, row: &Row) -> fmt::Result {
    let mut sorted = row.converged_ms.clone();
    sorted.sort_unstable();
    writeln!(
        f,
        "{name:<20} {:>5} {:>6} {:>7} {:>9} {:>6} {:>6} {:>6} {:>7} {:>7} {:>7} {:>8}",
        row.waves,
        row.felt,
        row.unfelt,
        row.at_conductor,
        row.nexts,
        row.losses,
        row.voids,
        quantile(&sorted, 0.5),
        quantile(&sorted, 0.99),
        sorted.last().copied().unwrap_or(0),
        row.breaches
    )
}
