//! Processes: what they use, and those that we start.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The CPU time, user and system, of the threads that a process has now, to the nanosecond: by the scheduler's own account
/// (proc(5), `schedstat`). The times in `stat` come in ticks, which on a virtual machine count what other guests took.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    cpu_of_threads(pid, "")
}

/// The same of the threads whose name begins so.
pub(crate) fn cpu_of_threads(pid: u32, name: &str) -> Result<Duration> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid}"))?;
    let mut total = Duration::ZERO;
    for task in tasks {
        let task = task?.path();
        // A thread may have ended since.
        let named = name.is_empty()
            || fs::read_to_string(task.join("comm")).is_ok_and(|known| known.starts_with(name));
        let Ok(stat) = fs::read_to_string(task.join("schedstat")) else { continue };
        if !named {
            continue;
        }
        total += parse_cpu(&stat).context("schedstat cannot be read: is CONFIG_SCHEDSTATS on?")?;
    }
    Ok(total)
}

/// Time on the processor and time waiting for it, in nanoseconds, and how often it ran.
fn parse_cpu(stat: &str) -> Option<Duration> {
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// The resident memory of a process, in KiB.
pub(crate) fn rss_kib(pid: u32) -> Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.context("no VmRSS")
}

/// Says what to do where this process may not open `needed` files.
pub(crate) fn check_open_files(needed: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").context("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let soft = line.split_whitespace().nth(3).and_then(|word| word.parse::<usize>().ok());
    match soft {
        Some(soft) if soft < needed => bail!(
            "{needed} open files are needed and {soft} allowed: run `ulimit -n {needed}` before, here and for the server"
        ),
        _ => Ok(()),
    }
}

/// A process of ours, ended when dropped.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    /// The address after the promised words.
    pub(crate) url: String,
}

impl Started {
    /// Runs `command` and reads its output up to the line that begins with `promise`.
    pub(crate) fn run(command: Command, promise: &str) -> Result<Self> {
        Self::until(command, promise, |line| line.strip_prefix(promise).map(|url| url.trim().to_owned()))
    }

    /// Runs `command` and reads its output up to a line with these words.
    pub(crate) fn run_until(command: Command, words: &str) -> Result<Self> {
        Self::until(command, words, |line| line.contains(words).then(|| words.to_owned()))
    }

    fn until(mut command: Command, promise: &str, said: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?}"))?;
        let out = child.stdout.take().context("a pipe")?;
        let mut started = Self { child, url: String::new() };
        let mut lines = BufReader::new(out).lines();
        for line in &mut lines {
            if let Some(url) = said(&line?) {
                started.url = url;
                break;
            }
        }
        if started.url.is_empty() {
            bail!("{command:?} ended without saying `{promise}`");
        }
        // Its output goes on being read, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(started)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The command for `program`, on that core alone where one is named.
pub(crate) fn command_on(core: Option<usize>, program: &std::ffi::OsStr) -> Command {
    match core {
        None => Command::new(program),
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["-c", &core.to_string()]).arg(program);
            command
        }
    }
}

/// Puts this process, all its threads, on one core.
pub(crate) fn pin_self(core: usize) -> Result<()> {
    let pid = std::process::id().to_string();
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", &core.to_string(), &pid])
        .stdout(Stdio::null())
        .status()
        .context("--pin needs taskset (util-linux)")?;
    if status.success() { Ok(()) } else { bail!("taskset failed: is there a core {core}?") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_the_first_of_three_numbers() {
        assert_eq!(parse_cpu("3000000000 12 7\n"), Some(Duration::from_secs(3)));
        assert_eq!(parse_cpu(""), None);
    }

    #[test]
    fn our_own_process_can_be_measured() {
        let pid = std::process::id();
        assert!(rss_kib(pid).expect("measured") > 0);
        // A thread's time is written down when it stops running.
        let (work, waiting) = std::sync::mpsc::sync_channel::<()>(0);
        let thread = std::thread::Builder::new().name("of-its-own".to_owned());
        let thread = thread.spawn(move || waiting.recv()).expect("a thread");
        while cpu_of_threads(pid, "of-its").expect("measured").is_zero() {
            std::thread::yield_now();
        }
        assert_eq!(cpu_of_threads(pid, "nobody's").expect("measured"), Duration::ZERO);
        drop(work);
        assert!(thread.join().expect("it ends").is_err(), "there is no work");
    }
}
