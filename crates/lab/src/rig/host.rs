//! A host of its own for a server, as a network namespace: its network can be cut as a real one is (nothing passes, and
//! neither end hears of it), and it can crash with all that it had open.

use std::{
    net::Ipv4Addr,
    process::{Command, Stdio},
};

use crate::{Result, Trouble};

/// A host that only this machine can reach. Removed when dropped.
#[derive(Debug)]
pub struct Host {
    name: String,
    /// The addresses of this machine and of the host, on the line between them.
    here: Ipv4Addr,
    there: Ipv4Addr,
}

fn succeeds(command: &str) -> bool {
    let mut words = command.split(' ');
    Command::new(words.next().unwrap_or_default())
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn run(command: &str) -> Result<()> {
    if succeeds(command) {
        Ok(())
    } else {
        Err(Trouble(format!("`{command}` failed.")))
    }
}

impl Host {
    /// Makes one.
    ///
    /// # Errors
    /// Where that is not allowed, or the programs for it are missing.
    pub fn make() -> Result<Self> {
        let random =
            getrandom::u32().map_err(|error| Trouble(format!("No name can be drawn: {error}.")))?;
        let name = format!("pl{random:08x}");
        if !succeeds(&format!("ip netns add {name}"))
            || !succeeds(&format!("ip netns exec {name} iptables -L"))
        {
            succeeds(&format!("ip netns del {name}"));
            return Err(Trouble(
                "No network namespace can be made: that takes root, iproute2 and iptables.".into(),
            ));
        }
        // A network of two addresses that no other run has, as a rule.
        let [upper, lower, ..] = random.to_be_bytes();
        let at = |last: u8| Ipv4Addr::new(10, upper, lower & 0xfc, last);
        let host = Self {
            name,
            here: at(1),
            there: at(2),
        };
        host.connect()?;
        Ok(host)
    }

    fn connect(&self) -> Result<()> {
        let Self { name, here, there } = self;
        run(&format!(
            "ip link add {name} type veth peer name eth0 netns {name}"
        ))?;
        run(&format!("ip addr add {here}/30 dev {name}"))?;
        run(&format!("ip link set {name} up"))?;
        run(&format!("ip -n {name} addr add {there}/30 dev eth0"))?;
        run(&format!("ip -n {name} link set eth0 up"))?;
        run(&format!("ip -n {name} link set lo up"))
    }

    /// This machine, as the host sees it.
    #[must_use]
    pub fn here(&self) -> Ipv4Addr {
        self.here
    }

    /// The host, as this machine sees it.
    #[must_use]
    pub fn there(&self) -> Ipv4Addr {
        self.there
    }

    /// What runs a program on the host.
    #[must_use]
    pub fn wrapper(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    fn rules(&self, what: &str, port: u16) -> Result<()> {
        let tables = format!("ip netns exec {} iptables -{what}", self.name);
        run(&format!("{tables} OUTPUT -p tcp --dport {port} -j DROP"))?;
        run(&format!("{tables} INPUT -p tcp --sport {port} -j DROP"))
    }

    /// From now on nothing passes between the host and this port of this machine.
    ///
    /// # Errors
    /// When the rules are refused.
    pub fn cut(&self, port: u16) -> Result<()> {
        self.rules("A", port)
    }

    /// All passes again.
    ///
    /// # Errors
    /// When the rules are refused.
    pub fn heal(&self, port: u16) -> Result<()> {
        self.rules("D", port)
    }

    /// The host is gone, with every connection that it had, and there is one in its place that knows nothing of them.
    /// (Whatever runs on it must have been killed, with the network cut, so that it could not say good-bye.)
    ///
    /// # Errors
    /// When there can be no other in its place.
    pub fn crash(&self) -> Result<()> {
        let name = &self.name;
        run(&format!("ip link del {name}"))?;
        run(&format!("ip netns del {name}"))?;
        run(&format!("ip netns add {name}"))?;
        self.connect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let name = &self.name;
        succeeds(&format!("ip link del {name}"));
        succeeds(&format!("ip netns del {name}"));
    }
}
