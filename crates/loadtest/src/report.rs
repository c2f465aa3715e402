//! What is said at the end.

use std::io::Write;

use serde::Serialize;

/// The figures of one run. Absent: not measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) scenario: String,
    /// `parlor`, or `floor`.
    pub(crate) server: String,
    pub(crate) rooms: usize,
    pub(crate) members: usize,
    /// CPU of the server for a session and a membership over HTTP.
    pub(crate) cpu_us_per_membership: Option<f64>,
    /// CPU of the server for a live connection: upgrade, session, membership, first snapshot.
    pub(crate) cpu_us_per_join: Option<f64>,
    /// The same in the middle slice of the time in which they came.
    pub(crate) cpu_us_per_join_middle: Option<f64>,
    /// Resident memory of the server for a live connection.
    pub(crate) kib_per_connection: Option<f64>,
    /// CPU of the server while nobody does anything, in percent of a core.
    pub(crate) idle_cpu_percent: f64,
    pub(crate) commands: usize,
    pub(crate) delivered: usize,
    pub(crate) refused: std::collections::BTreeMap<String, usize>,
    pub(crate) lost_connections: usize,
    /// Frames that the members received.
    pub(crate) frames: u64,
    pub(crate) bytes_per_frame: Option<f64>,
    /// CPU of the server for a frame received, all counted.
    pub(crate) cpu_us_per_delivery: Option<f64>,
    /// The same in the middle slice of the run.
    pub(crate) cpu_us_per_delivery_middle: Option<f64>,
    /// The same of the whole run, without what it uses while nobody does anything.
    pub(crate) cpu_us_per_delivery_net: Option<f64>,
    /// What the threads of the embedded store used of it; the way to them and back is not in it.
    pub(crate) cpu_us_per_delivery_stored: Option<f64>,
    /// Frames per second of the time in which deliveries were under way.
    pub(crate) deliveries_per_second: Option<f64>,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) p999_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
}

type Row = (&'static str, fn(&Figures) -> Option<f64>);

const ROWS: [Row; 18] = [
    ("rooms", |f| Some(f.rooms as f64)),
    ("live connections", |f| Some(f.members as f64)),
    ("CPU per membership over HTTP, us", |f| f.cpu_us_per_membership),
    ("CPU per live join, us", |f| f.cpu_us_per_join),
    ("CPU per live join, middle slice, us", |f| f.cpu_us_per_join_middle),
    ("memory per connection, KiB", |f| f.kib_per_connection),
    ("CPU when idle, % of a core", |f| Some(f.idle_cpu_percent)),
    ("commands sent", |f| Some(f.commands as f64)),
    ("delivered to the last receiver", |f| Some(f.delivered as f64)),
    ("frames received", |f| Some(f.frames as f64)),
    ("bytes per frame", |f| f.bytes_per_frame),
    ("CPU per delivery, us", |f| f.cpu_us_per_delivery),
    ("CPU per delivery, middle slice, us", |f| f.cpu_us_per_delivery_middle),
    ("CPU per delivery without idle, us", |f| f.cpu_us_per_delivery_net),
    ("of it the embedded store, us", |f| f.cpu_us_per_delivery_stored),
    ("deliveries per second when busy", |f| f.deliveries_per_second),
    ("last receiver p50, ms", |f| f.p50_ms),
    ("last receiver p99, ms", |f| f.p99_ms),
];
const LATE_ROWS: [Row; 2] =
    [("last receiver p99.9, ms", |f| f.p999_ms), ("last receiver max, ms", |f| f.max_ms)];

/// A table: the server, the floor where it was measured, and their ratio.
pub(crate) fn print(out: &mut impl Write, runs: &[Figures]) -> std::io::Result<()> {
    let Some(first) = runs.first() else { return Ok(()) };
    write!(out, "{:<36}", first.scenario)?;
    for run in runs {
        write!(out, "{:>14}", run.server)?;
    }
    writeln!(out, "{}", if runs.len() == 2 { "         ratio" } else { "" })?;
    for (name, value) in ROWS.iter().chain(&LATE_ROWS) {
        let values: Vec<Option<f64>> = runs.iter().map(value).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        write!(out, "{name:<36}")?;
        for value in &values {
            match value {
                Some(value) => write!(out, "{:>14}", short(*value))?,
                None => write!(out, "{:>14}", "-")?,
            }
        }
        if let [Some(ours), Some(floor)] = values[..]
            && floor > 0.0
        {
            write!(out, "{:>14.2}", ours / floor)?;
        }
        writeln!(out)?;
    }
    for run in runs {
        if run.lost_connections > 0 {
            writeln!(
                out,
                "{}: {} connections were lost: the figures say nothing",
                run.server, run.lost_connections
            )?;
        }
        for (code, count) in &run.refused {
            writeln!(out, "{}: {count} commands were refused: {code}", run.server)?;
        }
    }
    Ok(())
}

fn short(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
