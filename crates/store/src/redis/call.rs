//! One request to whichever node has the key, within a deadline, repeated where a repeat is harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::Entropy;
use redis::{Cmd, Value, cmd};
use tokio::time::{Instant, sleep, timeout_at};

use super::dial::send;
use super::fault::{A_MOMENT, Fault};
use super::keys::answer;
use super::link::{Link, Live};
use super::nodes::{Node, Nodes};
use super::script::Script;
use crate::{Lineage, Result};

/// Until a link has noticed that its connection has ended.
const A_BREATH: Duration = Duration::from_millis(3);

/// A request.
#[derive(Clone)]
pub(super) struct Call {
    script: Option<&'static Script>,
    /// The first decides where it goes.
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
    name: &'static str,
    durable: bool,
    lineage: Option<Lineage>,
}

impl Call {
    /// A script on those keys.
    pub(super) fn script(script: &'static Script, keys: Vec<String>) -> Self {
        Self { script: Some(script), keys, arguments: Vec::new(), name: "", durable: false, lineage: None }
    }

    /// A command of Redis on one key.
    pub(super) fn command(name: &'static str, key: String) -> Self {
        let keys = vec![key];
        Self { script: None, keys, arguments: Vec::new(), name, durable: false, lineage: None }
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and references are given without ado")]
    pub(super) fn arg(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string().into_bytes());
        self
    }

    pub(super) fn bytes(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Not answered before the replicas hold it.
    pub(super) fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Only sent to the memory of that name.
    pub(super) fn in_lineage(mut self, lineage: Option<Lineage>) -> Self {
        self.lineage = lineage;
        self
    }

    fn route(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// By the script's digest, or whole where the server does not know it.
    fn pack(&self, whole: bool) -> Cmd {
        let mut packed = match self.script {
            None => cmd(self.name),
            Some(script) if whole => cmd("EVAL").arg(script.text).arg(self.keys.len()).take(),
            Some(script) => cmd("EVALSHA").arg(script.digest.as_str()).arg(self.keys.len()).take(),
        };
        for key in &self.keys {
            packed.arg(key);
        }
        for argument in &self.arguments {
            packed.arg(argument.as_slice());
        }
        packed
    }
}

/// What carries requests out.
pub(super) struct Caller {
    pub(super) nodes: Arc<Nodes>,
    /// Replicas that a durable commit waits for.
    replicas: u32,
    /// Tells the writes of this process from those of every other.
    process: String,
    writes: AtomicU64,
}

impl Caller {
    pub(super) fn new(nodes: Arc<Nodes>, replicas: u32, entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        let process = format!("{:032x}", u128::from_le_bytes(bytes));
        Self { nodes, replicas, process, writes: AtomicU64::new(0) }
    }

    /// The key under which the answer to a new write on `key` is remembered.
    pub(super) fn write_on(&self, key: &str) -> String {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        answer(key, &format!("{}-{number}", self.process))
    }

    /// Asks. Nothing is left behind when the caller goes away.
    pub(super) async fn read(&self, call: Call) -> Result<Value> {
        Ok(self.run(&call).await?)
    }

    /// Writes, in a task of its own: it is carried out even if the caller goes away.
    pub(super) async fn write(self: &Arc<Self>, call: Call) -> Result<Value> {
        Ok(self.carry_out(call).await?)
    }

    /// The same, with the fault as it is.
    pub(super) async fn carry_out(self: &Arc<Self>, call: Call) -> std::result::Result<Value, Fault> {
        let caller = Arc::clone(self);
        let done = tokio::spawn(async move { caller.run(&call).await }).await;
        done.map_err(|_| Fault::Lost("the write was not carried out".to_owned()))?
    }

    /// The memory that requests on this key go to now.
    pub(super) async fn lineage(&self, key: &str) -> Result<Lineage> {
        let deadline = Instant::now() + self.nodes.times().call;
        Ok(self.nodes.of(key)?.calls.live(deadline).await?.lineage)
    }

    /// The same where nobody waits for it in a request: at the start.
    pub(super) async fn read_by(&self, call: Call, deadline: Instant) -> Result<Value> {
        Ok(self.run_by(&call, deadline).await?)
    }

    async fn run(&self, call: &Call) -> std::result::Result<Value, Fault> {
        self.run_by(call, Instant::now() + self.nodes.times().call).await
    }

    async fn run_by(&self, call: &Call, deadline: Instant) -> std::result::Result<Value, Fault> {
        let allowed = deadline.saturating_duration_since(Instant::now());
        let mut last = Fault::Lost(format!("no answer within {} ms", allowed.as_millis()));
        let (mut whole, mut asked) = (false, None);
        while Instant::now() < deadline {
            let tried = timeout_at(deadline, self.once(call, whole, asked.take(), deadline)).await;
            let Ok((node, answer)) = tried else { return Err(last) };
            let fault = match answer {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            let wait = match &fault {
                // Asked anew at once; that is nothing to tell of.
                Fault::NoScript if !whole => {
                    whole = true;
                    continue;
                }
                Fault::Moved { slot, to } => {
                    self.nodes.moved(*slot, to);
                    continue;
                }
                Fault::Ask(to) => {
                    asked = Some(self.nodes.at(to));
                    continue;
                }
                Fault::NotPrimary(_) => {
                    if let Some(node) = node {
                        node.reset();
                    }
                    self.nodes.doubt();
                    A_MOMENT
                }
                Fault::NotNow(_) => A_MOMENT,
                Fault::Lost(_) => {
                    self.nodes.doubt();
                    // A link that is known to be down has waited enough already.
                    if node.is_none() {
                        return Err(fault);
                    }
                    A_BREATH
                }
                Fault::NoScript | Fault::Refused(_) | Fault::Foreign(_) | Fault::OtherLineage => {
                    return Err(fault);
                }
            };
            last = fault;
            sleep(wait.min(deadline.saturating_duration_since(Instant::now()))).await;
        }
        Err(last)
    }

    /// Sends it once; says to which node, where it came as far as that.
    async fn once(
        &self,
        call: &Call,
        whole: bool,
        asked: Option<Arc<Node>>,
        deadline: Instant,
    ) -> (Option<Arc<Node>>, std::result::Result<Value, Fault>) {
        let asking = asked.is_some();
        let node = match asked.map_or_else(|| self.nodes.of(call.route()), Ok) {
            Ok(node) => node,
            Err(fault) => return (None, Err(fault)),
        };
        let durable = call.durable && self.replicas > 0;
        let link = if durable { node.durable() } else { &node.calls };
        let sent = self.sent(call, whole, asking, durable, link, deadline).await;
        match sent {
            Ok(answer) => (Some(node), answer),
            Err(fault) => (None, Err(fault)),
        }
    }

    /// The outer error: there was no connection to send it on.
    async fn sent(
        &self,
        call: &Call,
        whole: bool,
        asking: bool,
        durable: bool,
        link: &Link,
        deadline: Instant,
    ) -> std::result::Result<std::result::Result<Value, Fault>, Fault> {
        let Live { connection, lineage } = link.live(deadline).await?;
        if call.lineage.as_ref().is_some_and(|wanted| *wanted != lineage) {
            return Err(Fault::OtherLineage);
        }
        let packed = call.pack(whole);
        if !asking && !durable {
            return Ok(send(&connection, &packed).await);
        }
        let mut together = redis::pipe();
        if asking {
            together.add_command(cmd("ASKING")).ignore();
        }
        together.add_command(packed);
        if durable {
            together.cmd("WAIT").arg(self.replicas).arg(self.replicas_ms());
        }
        let count = together.len();
        let answers = match connection.clone().send_packed_commands(&together, 0, count).await {
            Ok(answers) => answers,
            Err(error) => return Ok(Err(error.into())),
        };
        Ok(self.judge(answers, asking, durable))
    }

    fn judge(&self, answers: Vec<Value>, asking: bool, durable: bool) -> std::result::Result<Value, Fault> {
        let mut answers = answers.into_iter().skip(usize::from(asking));
        let short = || Fault::Lost("an answer is missing".to_owned());
        let value = answers.next().ok_or_else(short)?.extract_error()?;
        if !durable || !is_made(&value) {
            return Ok(value);
        }
        let held = answers.next().ok_or_else(short)?.extract_error()?;
        let held: u32 = redis::from_redis_value(held).map_err(|_| short())?;
        if held >= self.replicas {
            return Ok(value);
        }
        let (wanted, ms) = (self.replicas, self.replicas_ms());
        Err(Fault::Refused(format!(
            "the commit is made, but {held} of {wanted} replicas confirmed it within {ms} ms"
        )))
    }

    fn replicas_ms(&self) -> u128 {
        self.nodes.times().replicas.as_millis()
    }
}

/// Whether something was written: a refusal needs no replicas.
fn is_made(value: &Value) -> bool {
    matches!(value, Value::BulkString(text) if text.starts_with(b"made "))
}
