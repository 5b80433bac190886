//! A host of its own for a server, as a network namespace: its network can be cut as a real one is (nothing passes, and
//! neither end hears of it), and it can crash with all that it had open.

use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
};

use super::unique;

/// A host that only this machine can reach. Removed when dropped.
pub struct Host {
    name: String,
    /// The addresses of this machine and of the host, on the line between them.
    here: Ipv4Addr,
    there: Ipv4Addr,
}

fn run(command: &str) -> bool {
    let mut words = command.split(' ');
    Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn must(command: &str) {
    assert!(run(command), "{command}");
}

impl Host {
    /// Makes one; `None`, with a word on why, where that is not allowed.
    pub fn make() -> Option<Self> {
        let name = format!("pl{}", &unique()[..8]);
        let made = run(&format!("ip netns add {name}"))
            && run(&format!("ip netns exec {name} iptables -L"));
        if !made {
            run(&format!("ip netns del {name}"));
            assert!(
                std::env::var("CI").as_deref() != Ok("true"),
                "in CI nothing may be skipped: network namespaces need root, iproute2 and iptables"
            );
            println!(
                "skipped: no network namespace can be made (root, iproute2 and iptables are needed)"
            );
            return None;
        }
        // A network of two addresses that no other run has, as a rule.
        let place = u16::from_str_radix(&name[2..6], 16).expect("digits");
        let [upper, lower] = place.to_be_bytes();
        let at = |last: u8| Ipv4Addr::new(10, upper, lower & 0xfc, last);
        let host = Self {
            name,
            here: at(1),
            there: at(2),
        };
        host.connect();
        Some(host)
    }

    fn connect(&self) {
        let Self { name, here, there } = self;
        must(&format!(
            "ip link add {name} type veth peer name eth0 netns {name}"
        ));
        must(&format!("ip addr add {here}/30 dev {name}"));
        must(&format!("ip link set {name} up"));
        must(&format!("ip -n {name} addr add {there}/30 dev eth0"));
        must(&format!("ip -n {name} link set eth0 up"));
        must(&format!("ip -n {name} link set lo up"));
    }

    /// This machine, as the host sees it.
    pub fn here(&self) -> Ipv4Addr {
        self.here
    }

    /// The host, as this machine sees it.
    pub fn there(&self) -> Ipv4Addr {
        self.there
    }

    /// What runs a program on the host.
    pub fn wrapper(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    fn rules(&self, what: &str, port: u16) {
        let tables = format!("ip netns exec {} iptables -{what}", self.name);
        must(&format!("{tables} OUTPUT -p tcp --dport {port} -j DROP"));
        must(&format!("{tables} INPUT -p tcp --sport {port} -j DROP"));
    }

    /// From now on nothing passes between the host and this port of this machine.
    pub fn cut(&self, port: u16) {
        self.rules("A", port);
    }

    /// All passes again.
    pub fn heal(&self, port: u16) {
        self.rules("D", port);
    }

    /// The host is gone, with every connection that it had, and there is one in its place that knows nothing of them.
    /// (Whatever runs on it must have been killed, with the network cut, so that it could not say good-bye.)
    pub fn crash(&self) {
        let name = &self.name;
        must(&format!("ip link del {name}"));
        must(&format!("ip netns del {name}"));
        must(&format!("ip netns add {name}"));
        self.connect();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let name = &self.name;
        run(&format!("ip link del {name}"));
        run(&format!("ip netns del {name}"));
    }
}
