//! The faults themselves. Here, and only here, time is let pass: it is the fault's own duration.

use std::time::Duration;

use acceptance::{Done, Mode, Proxy};
use anyhow::{Context, Result};
use kernel::{Clock, SystemClock};
use tokio::time::sleep;

use super::arena::{Arena, Store};
use super::journal::{At, Fault};
use super::plan::{Bad, GATEWAYS, Link, Scenario, Wave};

/// How late a slow link makes each piece.
const LATE: Duration = Duration::from_millis(300);
/// Between two throwings-out of subscribers: they come back at once.
const DEAF_EVERY: Duration = Duration::from_millis(100);

pub(super) fn now() -> At {
    SystemClock.now().as_millis()
}

/// Strikes, and returns once the fault is over.
pub(super) async fn strike(arena: &mut Arena, wave: &Wave, gateways: &[usize]) -> Result<Fault> {
    sleep(Duration::from_millis(wave.after_ms)).await;
    let lasts = Duration::from_millis(wave.ms);
    let from = now();
    let (gateways, proof) = match wave.scenario {
        Scenario::Kill => {
            for gateway in gateways {
                arena.kill(*gateway).await?;
            }
            sleep(lasts).await;
            for gateway in gateways {
                arena.revive(*gateway).await?;
            }
            (gateways.to_vec(), Some("killed".to_owned()))
        }
        Scenario::Stop => {
            for gateway in gateways {
                arena.parlor(*gateway)?.hang().await?;
            }
            sleep(lasts).await;
            arena.set(Link::Store, gateways, Mode::Pass)?;
            for gateway in gateways {
                arena.parlor(*gateway)?.go_on().await?;
            }
            (gateways.to_vec(), Some("stopped".to_owned()))
        }
        Scenario::Restart => {
            let Store::Lasting(redis) = &mut arena.store else { anyhow::bail!("it would come back empty") };
            redis.kill().await?;
            sleep(lasts).await;
            redis.revive().await?;
            (all(), Some("killed".to_owned()))
        }
        Scenario::Deaf => (all(), deafen(arena, lasts).await?),
        Scenario::Failover => {
            let replicated = arena.store.replicated()?;
            let lag = replicated.lag().await?;
            replicated.fail_over().await?;
            (all(), (lag > 0).then(|| format!("{lag} bytes lost")))
        }
        Scenario::Link(link, bad) => {
            spoilt(arena, link, gateways);
            arena.set(link, gateways, mode(bad))?;
            sleep(lasts).await;
            arena.set(link, gateways, Mode::Pass)?;
            let done = spoilt(arena, link, gateways);
            let struck = if link == Link::Replica { all() } else { gateways.to_vec() };
            (struck, (done.held + done.cut > 0).then(|| format!("{done:?}")))
        }
    };
    Ok(Fault { scenario: wave.scenario, from, until: now(), gateways, proof })
}

fn all() -> Vec<usize> {
    (0..GATEWAYS).collect()
}

const fn mode(bad: Bad) -> Mode {
    match bad {
        Bad::Delay => Mode::Delay(LATE),
        Bad::Stall => Mode::Stall,
        Bad::Reset => Mode::Reset,
        Bad::HalfClose => Mode::HalfClose,
    }
}

/// The link through which a gateway hears of its own commits later than others do.
pub(super) const SLOW: Mode = Mode::Delay(LATE);

/// Throws subscribers out again and again; how many.
async fn deafen(arena: &Arena, lasts: Duration) -> Result<Option<String>> {
    let begun = tokio::time::Instant::now();
    let mut thrown_out = 0_u64;
    while begun.elapsed() < lasts {
        let said = arena.store.primary().says(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
        thrown_out += said.parse::<u64>().with_context(|| said.clone())?;
        sleep(DEAF_EVERY).await;
    }
    Ok((thrown_out > 0).then(|| format!("{thrown_out} subscribers thrown out")))
}

/// What the links have done since this was last asked.
fn spoilt(arena: &Arena, link: Link, gateways: &[usize]) -> Done {
    let links: Vec<&Proxy> = match (link, &arena.store) {
        (Link::Replica, Store::Replicated(all)) => vec![&all.link],
        (Link::Replica, Store::Lasting(_)) => Vec::new(),
        (Link::Store, _) => gateways.iter().map(|nth| &arena.gateways[*nth].store).collect(),
        (Link::Spotify, _) => gateways.iter().map(|nth| &arena.gateways[*nth].spotify).collect(),
        (Link::Clients, _) => gateways.iter().map(|nth| &arena.gateways[*nth].clients).collect(),
    };
    links.into_iter().map(Proxy::done).fold(Done::default(), |sum, done| Done {
        bytes: sum.bytes + done.bytes,
        held: sum.held + done.held,
        cut: sum.cut + done.cut,
    })
}

/// After a failover the new primary gets a replica, so that there can be another one.
pub(super) async fn mend(arena: &mut Arena, scenario: Scenario) -> Result<()> {
    if scenario == Scenario::Failover {
        arena.store.replicated()?.complete().await?;
    }
    Ok(())
}
