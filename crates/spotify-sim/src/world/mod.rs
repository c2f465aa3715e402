//! The simulated world: accounts, apps, what plays. No clock, no socket, no task: every function is told the time.

pub(crate) mod account;
pub(crate) mod acts;
pub(crate) mod apps;
pub(crate) mod calls;
pub(crate) mod catalogue;
pub(crate) mod contexts;
pub(crate) mod faults;
pub(crate) mod ids;
pub(crate) mod library;
mod names;
pub(crate) mod oauth;
pub(crate) mod player;
pub(crate) mod tokens;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kernel::Timestamp;

use account::{Account, User};
use apps::App;
use calls::Calls;
use catalogue::Catalogue;
use faults::Fault;
use tokens::{Code, Mint, Token};

/// A token that was given out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) token: Token,
    pub(crate) value: String,
}

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) calls: Calls,
    pub(crate) faults: Vec<Fault>,
    pub(crate) issued: Vec<Issued>,
    pub(crate) mint: Mint,
    accounts: HashMap<User, Account>,
    apps: HashMap<String, App>,
    codes: HashMap<String, Code>,
    /// A redirect URI that every app has, whatever Spotify would say to it.
    pub(crate) own_redirect: Option<String>,
    spent: HashSet<String>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            catalogue: Arc::new(Catalogue::new(seed)),
            calls: Calls::default(),
            faults: Vec::new(),
            issued: Vec::new(),
            mint: Mint::new(seed),
            accounts: HashMap::new(),
            apps: HashMap::new(),
            codes: HashMap::new(),
            own_redirect: None,
            spent: HashSet::new(),
        }
    }

    /// The account, made at its first touch and brought up to `now`.
    pub(crate) fn account(&mut self, user: User, now: Timestamp) -> &mut Account {
        let catalogue = &self.catalogue;
        let account = self.accounts.entry(user).or_insert_with(|| Account::new(catalogue, user, now));
        account.player.settle(catalogue, now);
        account
    }

    /// The app of a client id; every well-formed one exists.
    pub(crate) fn app(&mut self, client_id: &str) -> &mut App {
        self.apps.entry(client_id.to_ascii_lowercase()).or_default()
    }

    pub(crate) fn fault_for(&mut self, call: faults::Seen<'_>) -> Option<Fault> {
        faults::strike(&mut self.faults, call)
    }
}
