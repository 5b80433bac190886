//! What an address stands for, wherever something is counted for each client.

use std::net::{IpAddr, Ipv6Addr};

/// The network that an address is counted as: one subscriber of an IPv6 provider has a whole /64 to send from.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
            IpAddr::V4,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_in_the_same_ipv6_network_is_the_same_address() {
        let one = network_of("2001:db8::1".parse().expect("an address"));
        let other = network_of("2001:db8::ffff:2".parse().expect("an address"));
        assert_eq!(one, other);
        assert_eq!(
            network_of("::ffff:10.0.0.1".parse().expect("an address")),
            IpAddr::from([10, 0, 0, 1])
        );
    }
}
