//! How a server is reached: credentials, TLS, and for a primary behind Sentinels the question where it is now.

use kernel::Secret;
use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, Value, cmd,
};

use super::fault::Fault;
use super::times::Times;
use super::url::{Address, Url};

/// Requests that may wait for the socket. Whoever comes when they are full waits for a place.
const WAITING: usize = 1024;

/// What every connection of a store has in common.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    tls: bool,
    user: Option<String>,
    password: Option<Secret<String>>,
    database: i64,
    pub(super) times: Times,
}

impl Dial {
    pub(super) fn new(url: &Url) -> Self {
        Self {
            tls: url.tls,
            user: url.user.clone(),
            password: url.password.clone(),
            database: url.database,
            times: Times::of(url.deadline),
        }
    }

    /// A connection to that server, by RESP3: what the server pushes, and the end of the connection, goes to `pushes`.
    pub(super) async fn connect(
        &self,
        to: &Address,
        pushes: impl AsyncPushSender,
    ) -> Result<MultiplexedConnection, Fault> {
        let mut greeting = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(self.database)
            .set_lib_name("parlor", env!("CARGO_PKG_VERSION"));
        if let Some(user) = &self.user {
            greeting = greeting.set_username(user);
        }
        if let Some(password) = &self.password {
            greeting = greeting.set_password(password.expose());
        }
        let client = self.client(to, greeting)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.times.answer))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING)
            .set_push_sender(pushes);
        Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
    }

    /// The primary that a Sentinel names. Sentinels are asked one after the other, without credentials.
    pub(super) async fn primary(&self, sentinels: &[Address], master: &str) -> Result<Address, Fault> {
        let mut last = Fault::Lost("there is no Sentinel".to_owned());
        for sentinel in sentinels {
            match self.ask(sentinel, master).await {
                Ok(address) => return Ok(address),
                Err(fault) => last = Fault::Lost(format!("Sentinel {sentinel}: {}", fault.what())),
            }
        }
        Err(last)
    }

    async fn ask(&self, sentinel: &Address, master: &str) -> Result<Address, Fault> {
        let client = self.client(sentinel, RedisConnectionInfo::default())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.times.answer))
            .set_response_timeout(Some(self.times.answer));
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(master);
        let answer: Option<(String, u16)> = question.query_async(&mut connection).await?;
        let (host, port) = answer.ok_or_else(|| Fault::Lost(format!("knows no {master}")))?;
        Ok(Address { host, port })
    }

    fn client(&self, to: &Address, greeting: RedisConnectionInfo) -> Result<Client, Fault> {
        let Address { host, port } = to.clone();
        let address = if self.tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = address.into_connection_info()?.set_redis_settings(greeting);
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        Ok(Client::open(info.set_tcp_settings(tcp))?)
    }
}

/// Sends one command and waits for its answer; an answer that is an error becomes a fault.
pub(super) async fn send(connection: &MultiplexedConnection, command: &Cmd) -> Result<Value, Fault> {
    let answer = connection.clone().send_packed_command(command).await?;
    Ok(answer.extract_error()?)
}
