//! A link between two parties that can be made bad while it is used, and counts what it did.

use std::future::pending;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use kernel::{Clock, SystemClock, Timestamp};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How much is taken from one side before it is given to the other.
const CHUNK: usize = 16 << 10;

/// What happens to what passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    Pass,
    /// Each piece comes so much later, and no sooner than the one before it.
    Delay(Duration),
    /// A black hole: connections stay and are accepted, nothing passes until it does again. What waited then comes late,
    /// as what a network sends again does.
    Stall,
    /// Every connection is torn down (RST), and so is each that is made.
    Reset,
    /// Whoever connected hears no more (FIN), and whoever was connected to still hears them.
    HalfClose,
}

/// What a proxy has done since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Bytes that passed, both ways.
    pub bytes: u64,
    /// Pieces that were held back.
    pub held: u64,
    /// Connections that were torn down or half closed.
    pub cut: u64,
}

/// Something that passed and was listened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overheard {
    /// When it was read.
    pub at: Timestamp,
    /// The piece that it stands in, as text.
    pub text: String,
}

#[derive(Default)]
struct Counts {
    bytes: AtomicU64,
    held: AtomicU64,
    cut: AtomicU64,
}

struct Shared {
    mode: watch::Sender<Mode>,
    target: Mutex<Option<SocketAddr>>,
    counts: Counts,
    listens_for: Option<&'static str>,
    overheard: Mutex<Vec<Overheard>>,
}

/// A TCP proxy of the test's own, on a free port; it ends with this, and with it every connection through it.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// One that leads nowhere yet. Of what goes to the target it keeps each piece that contains `listens_for`.
    pub async fn start(listens_for: Option<&'static str>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mode: watch::Sender::new(Mode::Pass),
            target: Mutex::new(None),
            counts: Counts::default(),
            listens_for,
            overheard: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// One that leads there.
    pub async fn to(target: SocketAddr) -> Result<Self> {
        let proxy = Self::start(None).await?;
        proxy.lead_to(target);
        Ok(proxy)
    }

    /// New connections lead there.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.shared.target() = Some(target);
    }

    /// Where it is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is, over HTTP.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it is like that, for the connections that are there as well.
    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// What it has done since this was last asked.
    pub fn done(&self) -> Done {
        let Counts { bytes, held, cut } = &self.shared.counts;
        Done { bytes: bytes.swap(0, Relaxed), held: held.swap(0, Relaxed), cut: cut.swap(0, Relaxed) }
    }

    /// What it has overheard since this was last asked, in order.
    pub fn overheard(&self) -> Vec<Overheard> {
        std::mem::take(&mut *self.shared.overheard())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn target(&self) -> MutexGuard<'_, Option<SocketAddr>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn overheard(&self) -> MutexGuard<'_, Vec<Overheard>> {
        self.overheard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once it is as `wanted` says.
    async fn until(&self, wanted: impl Fn(Mode) -> bool + Send + Sync) {
        let mut mode = self.mode.subscribe();
        if mode.wait_for(|mode| wanted(*mode)).await.is_err() {
            pending::<()>().await;
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connection(client, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) {
    shared.until(|mode| mode != Mode::Stall).await;
    let target = *shared.target();
    if *shared.mode.borrow() == Mode::Reset {
        shared.counts.cut.fetch_add(1, Relaxed);
        return tear(&client);
    }
    let Some(target) = target else { return tear(&client) };
    let Ok(server) = TcpStream::connect(target).await else { return tear(&client) };
    // What is passed on is a whole piece: there is no more to wait for.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let both = async {
        tokio::try_join!(pump(&client, &server, &shared, true), pump(&server, &client, &shared, false))
    };
    let torn = tokio::select! {
        passed = both => passed.is_err(),
        () = shared.until(|mode| mode == Mode::Reset) => {
            shared.counts.cut.fetch_add(1, Relaxed);
            true
        }
    };
    if torn {
        tear(&client);
        tear(&server);
    }
}

/// Makes its close an RST.
fn tear(stream: &TcpStream) {
    // Where it has ended already, there is nothing to tear.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn half_close(stream: &TcpStream) {
    let _ = SockRef::from(stream).shutdown(Shutdown::Write);
}

/// Passes on what comes, until it ends (`Ok`) or breaks.
async fn pump(from: &TcpStream, to: &TcpStream, shared: &Shared, up: bool) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut closed = false;
    loop {
        let half_closing = async {
            if up || closed {
                pending::<()>().await;
            }
            shared.until(|mode| mode == Mode::HalfClose).await;
        };
        let read = tokio::select! {
            read = read(from, &mut chunk) => read?,
            () = half_closing => {
                shared.counts.cut.fetch_add(1, Relaxed);
                half_close(to);
                closed = true;
                continue;
            }
        };
        if up && let Some(word) = shared.listens_for {
            let text = String::from_utf8_lossy(&chunk[..read]);
            if text.contains(word) {
                shared.overheard().push(Overheard { at: SystemClock.now(), text: text.into_owned() });
            }
        }
        let mode = *shared.mode.borrow();
        if let Mode::Delay(by) = mode {
            shared.counts.held.fetch_add(1, Relaxed);
            // The fault itself.
            tokio::time::sleep(by).await;
        }
        if *shared.mode.borrow() == Mode::Stall {
            shared.counts.held.fetch_add(1, Relaxed);
            shared.until(|mode| mode != Mode::Stall).await;
        }
        if read == 0 {
            if !closed {
                half_close(to);
            }
            return Ok(());
        }
        if !closed {
            write(to, &chunk[..read]).await?;
            shared.counts.bytes.fetch_add(read as u64, Relaxed);
        }
    }
}

async fn read(from: &TcpStream, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        from.readable().await?;
        match from.try_read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

async fn write(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A proxy to a server, and a connection through it: ours, and the server's end.
    async fn linked() -> Result<(Proxy, TcpStream, TcpStream)> {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Proxy::to(server.local_addr()?).await?;
        let (client, accepted) = tokio::join!(TcpStream::connect(proxy.address()), server.accept());
        Ok((proxy, client?, accepted?.0))
    }

    async fn passes(from: &mut TcpStream, to: &mut TcpStream) -> Result<()> {
        from.write_all(b"hello").await?;
        let mut heard = [0; 5];
        tokio::time::timeout(crate::SOON, to.read_exact(&mut heard)).await??;
        assert_eq!(&heard, b"hello");
        Ok(())
    }

    #[tokio::test]
    async fn what_a_stall_held_comes_after_it() -> Result<()> {
        let (proxy, mut client, mut server) = linked().await?;
        passes(&mut client, &mut server).await?;
        proxy.set(Mode::Stall);
        client.write_all(b"hello").await?;
        proxy.shared.until(|mode| mode == Mode::Stall).await;
        while proxy.shared.counts.held.load(Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(server.try_read(&mut [0; 5]).is_err(), "nothing passes");
        proxy.set(Mode::Pass);
        let mut heard = [0; 5];
        tokio::time::timeout(crate::SOON, server.read_exact(&mut heard)).await??;
        assert_eq!(proxy.done(), Done { bytes: 10, held: 1, cut: 0 });
        Ok(())
    }

    #[tokio::test]
    async fn a_reset_is_heard_at_both_ends() -> Result<()> {
        let (proxy, mut client, mut server) = linked().await?;
        passes(&mut client, &mut server).await?;
        proxy.set(Mode::Reset);
        for end in [&mut client, &mut server] {
            let error = tokio::time::timeout(crate::SOON, end.read(&mut [0; 5])).await?;
            assert_eq!(error.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionReset));
        }
        assert_eq!(proxy.done().cut, 1);
        Ok(())
    }

    #[tokio::test]
    async fn a_half_close_ends_one_way_alone() -> Result<()> {
        let (proxy, mut client, mut server) = linked().await?;
        passes(&mut server, &mut client).await?;
        proxy.set(Mode::HalfClose);
        let ended = tokio::time::timeout(crate::SOON, client.read(&mut [0; 5])).await??;
        assert_eq!(ended, 0, "the client hears the end");
        passes(&mut client, &mut server).await?;
        Ok(())
    }
}
