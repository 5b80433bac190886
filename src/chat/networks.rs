//! The networks from which people log in. An owner who has logged in from a network before has a limit of their own there,
//! which people who guess passwords elsewhere cannot use up. A network is stored as a keyed hash, which reveals no address.

use std::net::IpAddr;

use crate::{address::network_of, crypto::keyed::KeyedHash, gate::Asker};

/// Makes the names of networks that are kept.
#[derive(Debug, Clone)]
pub struct Networks(Option<KeyedHash>);

impl Networks {
    /// Names that only whoever has this secret can make.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(KeyedHash::new(secret, "network of a login"))
    }

    /// The stored name of an address's network: a different one for each account, so that no one can see which accounts
    /// come from the same place.
    #[must_use]
    pub fn name(&self, user_id: i64, address: Option<IpAddr>) -> Option<String> {
        let network = network_of(address?);
        Some(self.0.as_ref()?.name(&format!("{user_id} {network}")))
    }
}

/// Who asks for work on a password, as far as turns go. `known_account`: one that was logged in to from there before.
#[must_use]
pub fn asker(address: Option<IpAddr>, known_account: Option<i64>) -> Asker {
    Asker {
        network: address.map(network_of),
        known_account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_another_name_for_each_account() {
        let networks = Networks::new("a secret of the test, long enough to be one");
        let name = |user_id, address: &str| networks.name(user_id, address.parse().ok());
        assert_eq!(name(1, "2001:db8::1"), name(1, "2001:db8::2"));
        assert_eq!(name(1, "192.0.2.1"), name(1, "::ffff:192.0.2.1"));
        assert_ne!(name(1, "192.0.2.1"), name(2, "192.0.2.1"));
        assert_ne!(name(1, "192.0.2.1"), name(1, "192.0.2.2"));
        assert_eq!(networks.name(1, None), None);
    }
}
