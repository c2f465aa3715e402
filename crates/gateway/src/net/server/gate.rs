//! Who may connect: so many in all, so many from one group of addresses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a connection is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There are too many in all.
    Full,
    /// There are too many from its group.
    Group,
}

/// Counts connections.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    max: usize,
    max_per_group: usize,
    all: AtomicUsize,
    groups: Mutex<HashMap<IpAddr, usize>>,
}

/// The place of one socket among all of the process; given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Permit {
    _place: Arc<Place>,
}

#[derive(Debug)]
struct Place(Gate);

/// What a connection holds while it speaks HTTP.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) permit: Permit,
    _in_group: Option<InGroup>,
}

#[derive(Debug)]
struct InGroup(Gate, IpAddr);

impl Gate {
    pub(super) fn new(max: usize, max_per_group: usize) -> Self {
        let inner = Inner { max, max_per_group, all: AtomicUsize::new(0), groups: Mutex::default() };
        Self(Arc::new(inner))
    }

    pub(super) fn admit(&self, peer: SocketAddr) -> Result<Admitted, Refused> {
        // Counted before it is judged: the place gives itself back.
        let before = self.0.all.fetch_add(1, Relaxed);
        let permit = Permit { _place: Arc::new(Place(self.clone())) };
        if before >= self.0.max {
            return Err(Refused::Full);
        }
        let Some(group) = group_of(peer.ip()) else { return Ok(Admitted { permit, _in_group: None }) };
        let mut groups = self.groups();
        let count = groups.entry(group).or_default();
        if *count >= self.0.max_per_group {
            if *count == 0 {
                groups.remove(&group);
            }
            return Err(Refused::Group);
        }
        *count += 1;
        Ok(Admitted { permit, _in_group: Some(InGroup(self.clone(), group)) })
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.all.fetch_sub(1, Relaxed);
    }
}

impl Drop for InGroup {
    fn drop(&mut self) {
        let mut groups = self.0.groups();
        if let Some(count) = groups.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                groups.remove(&self.1);
            }
        }
    }
}

/// The network that an address belongs to; none for the loopback, where a proxy or a test speaks for many.
fn group_of(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(v4) => Some(Ipv4Addr::from_bits(v4.to_bits() & !0xff).into()),
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_networks() {
        let check = |address: &str, expected: Option<&str>| {
            let parse = |address: &str| address.parse::<IpAddr>().expect("an address");
            assert_eq!(group_of(parse(address)), expected.map(parse), "{address}");
        };
        check("127.0.0.1", None);
        check("127.8.9.10", None);
        check("::1", None);
        check("::ffff:127.0.0.1", None);
        check("203.0.113.77", Some("203.0.113.0"));
        check("::ffff:203.0.113.77", Some("203.0.113.0"));
        check("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::"));
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let gate = Gate::new(3, 2);
        let from = |last: u8| SocketAddr::from(([203, 0, 113, last], 1));
        let first = gate.admit(from(1)).expect("room");
        let _second = gate.admit(from(2)).expect("room");
        assert_eq!(gate.admit(from(3)).err(), Some(Refused::Group), "the third of a group of two");
        let _loopback = gate.admit(SocketAddr::from(([127, 0, 0, 1], 1))).expect("no group, and room");
        assert_eq!(gate.admit(SocketAddr::from(([127, 0, 0, 1], 1))).err(), Some(Refused::Full));
        // An upgraded connection leaves its group and keeps its place.
        let kept = first.permit.clone();
        drop(first);
        assert_eq!(gate.admit(from(4)).err(), Some(Refused::Full));
        drop(kept);
        assert!(gate.admit(from(4)).is_ok());
    }
}
