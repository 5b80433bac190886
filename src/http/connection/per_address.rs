//! How many connections an address may hold before anyone has logged in on them: a stranger must not be able to use up
//! the places of all others by opening connections and asking for nothing.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;

use crate::address::network_of;

/// The connections that are no sockets (yet), by address.
#[derive(Debug)]
pub struct Connections {
    /// `None`: any number.
    most: Option<usize>,
    /// A proxy holds the connections of all its clients.
    trusted: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that is counted, until this is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Arc<Connections>,
    /// `None`: one that is not counted.
    network: Option<IpAddr>,
}

impl Connections {
    /// Nobody is here yet. `most` is for each address (each /64 network of IPv6).
    #[must_use]
    pub fn new(most: Option<usize>, trusted: &[IpNet]) -> Arc<Self> {
        Arc::new(Self {
            most,
            trusted: trusted.to_vec(),
            open: Mutex::default(),
        })
    }

    /// A place for one more connection from this address; `None` when it holds too many.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let place = |network| Place {
            connections: Arc::clone(self),
            network,
        };
        let Some(most) = self.most else {
            return Some(place(None));
        };
        if self.trusted.iter().any(|net| net.contains(&address)) {
            return Some(place(None));
        }
        let network = network_of(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(place(Some(network)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut open = self
            .connections
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_the_places_of_others() {
        let (stranger, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let connections = Connections::new(Some(2), &[]);
        let first = connections.enter(stranger).expect("a place");
        let _second = connections.enter(stranger).expect("a place");
        assert!(connections.enter(stranger).is_none());
        assert!(connections.enter(other).is_some());
        drop(first);
        assert!(connections.enter(stranger).is_some(), "a place was freed");
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let connections = Connections::new(Some(2), &[]);
        drop(connections.enter(IpAddr::from([192, 0, 2, 1])));
        let open = connections.open.lock().expect("not poisoned");
        assert!(open.is_empty());
    }

    #[test]
    fn a_proxy_holds_the_connections_of_many() {
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        let connections = Connections::new(Some(1), &trusted);
        // As a socket for both protocols sees an address of IPv4.
        let proxy = "::ffff:10.0.0.1".parse().expect("an address");
        let places: Vec<_> = (0..9).map(|_| connections.enter(proxy)).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
