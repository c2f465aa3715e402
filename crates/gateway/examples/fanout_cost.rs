//! What a delivery and an idle connection cost, beside a bare loop of one write per socket.
//!
//! `cargo run --release -p gateway --example fanout_cost -- [CONNECTIONS]`. The clients live in a second process, so that
//! memory and processor time are the server's alone. Linux only: it reads `/proc/self`.
#![allow(clippy::print_stdout, reason = "it reports to a terminal")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use gateway::net::{
    Audience, Connection, Ended, Handler, Handshake, HttpLimits, LiveLimits, Publication, Sockets, codec,
    listen, serve,
};
use http::StatusCode;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PAYLOAD: usize = 600;
const ROUNDS: usize = 30;

struct Quiet;

impl Handler for Quiet {
    fn on_text(&self, _: &Arc<Connection>, _: &str) {}

    fn on_closed(&self, _: &Arc<Connection>, _: Ended) {}
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, address, count] = &arguments[..]
        && role == "clients"
    {
        return clients(address.parse()?, count.parse()?);
    }
    let count: usize = arguments.first().map_or(Ok(1000), |count| count.parse())?;
    println!("{count} connections, {PAYLOAD} bytes, {ROUNDS} rounds");
    let floor = bare(count)?;
    let ours = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let cost = ours.block_on(async { tokio::spawn(parlor(count)).await })??;
    println!("CPU per delivery: {:.2} us, bare loop {floor:.2} us: {:.2} times", cost, cost / floor);
    Ok(())
}

/// The bare loop: one blocking write per socket.
fn bare(count: usize) -> Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut clients = Clients::start(listener.local_addr()?, count)?;
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        read_head(&mut socket)?;
        socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")?;
        sockets.push(socket);
    }
    clients.expect("ready")?;
    let frame = codec::text_frame(&[b'x'; PAYLOAD]);
    let mut spent = Vec::new();
    for _ in 0..ROUNDS {
        let before = processor_time()?;
        for socket in &mut sockets {
            socket.write_all(&frame)?;
        }
        // The wait brings the scheduler's account up to date.
        clients.expect("round")?;
        spent.push(processor_time()? - before);
    }
    Ok(per_delivery(&mut spent, count))
}

/// The same through the whole socket layer.
async fn parlor(count: usize) -> std::result::Result<f64, String> {
    parlor_inner(count).await.map_err(|error| error.to_string())
}

async fn parlor_inner(count: usize) -> std::result::Result<f64, Box<dyn Error + Send + Sync>> {
    // These clients answer no pings.
    let limits = LiveLimits { heartbeat: Duration::from_secs(3600), ..LiveLimits::default() };
    let (sockets, stop) = (Sockets::new(limits, TaskTracker::new()), CancellationToken::new());
    let audience = Audience::new(publication(1));
    let router = Router::new().route("/", {
        let (sockets, audience) = (Arc::clone(&sockets), Arc::clone(&audience));
        get(move |request: Request| async move { live(sockets, audience, request) })
    });
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, router, HttpLimits::default(), stop.clone()));
    tokio::spawn(Arc::clone(&sockets).sweep(stop.clone()));
    // What the first connections need once is not counted.
    let mut warm = blocking(move || Clients::start(address, 100)).await?;
    warm = blocking(move || warm.expect("ready").map(|()| warm)).await?;
    drop(warm);
    sockets.gone().await;

    let (memory, before) = (resident()?, processor_time()?);
    let mut clients = blocking(move || Clients::start(address, count)).await?;
    clients = blocking(move || clients.expect("ready").map(|()| clients)).await?;
    let joins = processor_time()? - before;
    println!("CPU per upgrade, greeting included: {:.1} us", joins.as_secs_f64() * 1e6 / count as f64);
    println!("memory per idle connection: {:.2} KiB", (resident()? - memory) as f64 / 1024.0 / count as f64);
    let mut spent = Vec::new();
    for round in 0..ROUNDS {
        let before = processor_time()?;
        audience.post(publication(round as u64 + 2));
        clients = blocking(move || clients.expect("round").map(|()| clients)).await?;
        spent.push(processor_time()? - before);
    }
    println!("memory after the rounds: {:.2} KiB", (resident()? - memory) as f64 / 1024.0 / count as f64);
    Ok(per_delivery(&mut spent, count))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, Box<dyn Error + Send + Sync>> {
    Ok(tokio::task::spawn_blocking(|| work().map_err(|error| error.to_string())).await??)
}

fn live(sockets: Arc<Sockets>, audience: Arc<Audience>, request: Request) -> Response {
    let Ok(handshake) = Handshake::accept(&request.into_parts().0) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let response = handshake.response();
    tokio::spawn(async move {
        let Ok(upgraded) = handshake.complete().await else { return };
        let opened = sockets.open(upgraded, Arc::new(Quiet));
        audience.insert(opened.connection(), codec::text_frame(b"hello"), Some(1));
        opened.start();
    });
    response
}

fn publication(version: u64) -> Arc<Publication> {
    let frame = codec::text_frame(&[b'x'; PAYLOAD]);
    Arc::new(Publication::new(version, version - 1, frame, Vec::new(), Bytes::new))
}

/// The median, in microseconds.
fn per_delivery(spent: &mut [Duration], count: usize) -> f64 {
    spent.sort();
    spent[spent.len() / 2].as_secs_f64() * 1e6 / count as f64
}

/// The processor time of this process so far, in user and kernel, by the scheduler's own account.
fn processor_time() -> std::io::Result<Duration> {
    let mut total = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        total += text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

fn resident() -> std::io::Result<usize> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    Ok(text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096)
}

fn read_head(socket: &mut TcpStream) -> std::io::Result<()> {
    let (mut last, mut byte) = ([0; 4], [0]);
    while last != *b"\r\n\r\n" {
        socket.read_exact(&mut byte)?;
        last.rotate_left(1);
        last[3] = byte[0];
    }
    Ok(())
}

/// The other process.
struct Clients {
    child: Child,
    says: BufReader<ChildStdout>,
    _stdin: Option<ChildStdin>,
}

impl Clients {
    fn start(address: SocketAddr, count: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["clients", &address.to_string(), &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let says = BufReader::new(child.stdout.take().ok_or("no output")?);
        let stdin = child.stdin.take();
        Ok(Self { child, says, _stdin: stdin })
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        if line.trim() == word { Ok(()) } else { Err(format!("the clients said {line:?} for {word}").into()) }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects, and then tells each time when every socket has heard one more frame.
fn clients(address: SocketAddr, count: usize) -> Result<()> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        let mut socket = TcpStream::connect(address)?;
        socket.write_all(
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )?;
        sockets.push(socket);
    }
    for socket in &mut sockets {
        read_head(socket)?;
    }
    std::thread::sleep(Duration::from_millis(300));
    println!("ready");
    let mut buffer = vec![0; 4096];
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(600) {
        for socket in &mut sockets {
            // A frame of the news ends the wait; the greeting and pings before it are read with it or skipped.
            let mut news = 0;
            while news < PAYLOAD {
                let read = socket.read(&mut buffer)?;
                if read == 0 {
                    return Ok(());
                }
                news += buffer[..read].iter().filter(|byte| **byte == b'x').count();
            }
        }
        println!("round");
    }
    Ok(())
}
