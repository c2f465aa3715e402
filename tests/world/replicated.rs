//! A primary, its replica and their Sentinel; what the primary tells the replica goes through a proxy.

use anyhow::{Context, Result, ensure};

use crate::redis::PRIMARY;
use crate::{Mode, Proxy, Redis, SOON, tick};

/// Redis that fails over, and can be made to lose what it has acknowledged.
pub struct Replicated {
    /// Whom the gateways talk to.
    pub primary: Redis,
    /// Who takes over.
    pub replica: Redis,
    /// What lies between them.
    pub link: Proxy,
    sentinel: Redis,
}

impl Replicated {
    /// All three, in step.
    pub async fn start() -> Result<Self> {
        let primary = Redis::start().await?;
        let sentinel = Redis::sentinel_of(&primary).await?;
        let (link, replica) = attached(&primary).await?;
        let all = Self { primary, replica, link, sentinel };
        all.known().await?;
        Ok(all)
    }

    /// Where gateways ask for the primary.
    pub fn url(&self) -> String {
        format!("redis-sentinel://{}/{PRIMARY}", self.sentinel.address())
    }

    /// The primary dies (`kill -9`) and the replica takes over, with what it has.
    pub async fn fail_over(&mut self) -> Result<()> {
        self.primary.kill().await?;
        let taken = async {
            while self.watched().await? != self.replica.port()
                || self.replica.info("replication", "role").await?.as_deref() != Some("master")
            {
                tick().await;
            }
            anyhow::Ok(())
        };
        let taken = tokio::time::timeout(SOON, taken).await;
        taken.with_context(|| format!("the replica does not take over:\n{}", self.sentinel.last_words()))?
    }

    /// After [`Self::fail_over`]: the former replica is the primary, and gets a replica of its own.
    pub async fn complete(&mut self) -> Result<()> {
        let (link, replica) = attached(&self.replica).await?;
        self.primary = std::mem::replace(&mut self.replica, replica);
        self.link = link;
        // Forgets the dead server, and that there has just been a failover.
        ensure!(
            self.sentinel.says(&["SENTINEL", "RESET", PRIMARY]).await? == "1",
            "the Sentinel knows the primary"
        );
        self.known().await
    }

    /// The replica hears nothing more of what is written.
    pub fn cut(&self) {
        self.link.set(Mode::Stall);
    }

    /// Returns once the Sentinel knows the replica, and the replica is in step.
    async fn known(&self) -> Result<()> {
        let port = format!("\n{}\n", self.replica.port());
        let known = async {
            loop {
                let replicas = self.sentinel.says(&["SENTINEL", "REPLICAS", PRIMARY]).await?;
                let ok = replicas.contains("\nmaster-link-status\nok");
                if replicas.contains(&port) && ok && self.in_step().await? {
                    return anyhow::Ok(());
                }
                tick().await;
            }
        };
        let known = tokio::time::timeout(SOON, known).await;
        known.with_context(|| {
            format!("the Sentinel does not see the replica:\n{}", self.sentinel.last_words())
        })?
    }

    async fn in_step(&self) -> Result<bool> {
        let written = self.primary.info("replication", "master_repl_offset").await?;
        let heard = self.replica.info("replication", "master_repl_offset").await?;
        let offset = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
        Ok(offset(written).is_some_and(|written| offset(heard).is_some_and(|heard| heard >= written)))
    }

    /// How many bytes of what was written the replica lacks.
    pub async fn lag(&self) -> Result<u64> {
        let offset = async |redis: &Redis| {
            let text = redis.info("replication", "master_repl_offset").await?.context("an offset")?;
            anyhow::Ok(text.parse::<u64>()?)
        };
        let (written, heard) = (offset(&self.primary).await?, offset(&self.replica).await?);
        Ok(written.saturating_sub(heard))
    }

    /// The port of the primary that the Sentinel watches. What it tells clients is the new one a moment before that: a
    /// reset in between would take the failover back.
    async fn watched(&self) -> Result<u16> {
        let said = self.sentinel.says(&["SENTINEL", "MASTER", PRIMARY]).await?;
        let mut lines = said.lines().skip_while(|line| *line != "port");
        Ok(lines.nth(1).context("a port")?.parse()?)
    }
}

async fn attached(primary: &Redis) -> Result<(Proxy, Redis)> {
    let link = Proxy::to(primary.address()).await?;
    let replica = Redis::replica_of(link.address()).await?;
    Ok((link, replica))
}
