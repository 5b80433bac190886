//! The network between the server and PostgreSQL goes away without a word to either end, as networks do: the same
//! process goes on by itself, soon after it is back, and nothing is left behind at PostgreSQL. (The names of the tests let
//! a run without PostgreSQL leave them out.)

use std::{
    fs::OpenOptions,
    io::Write as _,
    sync::{atomic::AtomicBool, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use crate::{
    outage::{Ends, expect_all_once, listen, write_all},
    support::{Backend, Cluster, Host, Server, TIMEOUT, User, eventually, or_skip},
};

/// A cluster that the host can reach, and its port.
fn cluster_for(host: &Host) -> (Cluster, u16) {
    let cluster = Cluster::start_with(&["listen_addresses=*"]);
    let mut rules = OpenOptions::new()
        .append(true)
        .open(cluster.data().join("pg_hba.conf"))
        .expect("the cluster's rules");
    writeln!(rules, "host all all {}/32 scram-sha-256", host.there()).expect("writes");
    cluster.signal("HUP");
    let port = url::Url::parse(&cluster.url())
        .ok()
        .and_then(|url| url.port());
    (cluster, port.expect("a port"))
}

/// The pool, the journal's writers and the lock.
const MOST_BACKENDS: usize = 8 + 2 + 1;

fn serve(host: &Host, cluster: &Cluster) -> Server {
    let mut url = url::Url::parse(&cluster.url()).expect("a URL");
    url.set_host(Some(&host.here().to_string())).expect("sets");
    Server::with(Backend::Sqlite)
        .env("DATABASE_URL", url)
        .env("HOST", host.there())
        .env("TRUSTED_PROXIES", host.here())
        .env("REGISTRATION", "open")
        .wrapped(&host.wrapper())
        .start()
}

/// What the server keeps open at PostgreSQL, while no one asks for much.
fn backends(cluster: &Cluster, host: &Host) -> usize {
    let sql = format!(
        "SELECT pid::text AS value FROM pg_stat_activity WHERE client_addr = '{}'",
        host.there()
    );
    cluster.query(&sql).len()
}

/// As long as `PARLOUR_TEST_CUT_SECONDS` wants them (`1,3,10,120`), and shorter ones otherwise.
fn cuts() -> Vec<Duration> {
    let text = std::env::var("PARLOUR_TEST_CUT_SECONDS").unwrap_or_else(|_| "1,3,10".into());
    let seconds = |part: &str| Duration::from_secs(part.trim().parse().expect("seconds"));
    text.split(',').map(seconds).collect()
}

mod a_cut_of_the_network_under_load_is_survived {
    use super::*;

    #[test]
    fn postgres() {
        let Some(host) = or_skip(Host::make()) else {
            return;
        };
        let (cluster, port) = cluster_for(&host);
        let mut server = serve(&host, &cluster);
        let users = User::register_all(&server, "writer", 4);
        let stop = AtomicBool::new(false);
        let (acked, acks) = channel();
        let mut noted = Vec::new();
        thread::scope(|scope| {
            let _ends = Ends(&stop);
            write_all(scope, &users, &stop, &acked);
            listen(&acks, Duration::from_secs(1), &mut noted);
            assert!(noted.len() > 10, "only {} acks before", noted.len());
            for length in cuts() {
                host.cut(port).expect("cuts");
                listen(&acks, length, &mut noted);
                host.heal(port).expect("heals");
                let back = Instant::now();
                let first = acks.recv_timeout(TIMEOUT).expect("work goes on");
                let recovery = first.at.saturating_duration_since(back);
                println!("acked again {recovery:?} after a cut of {length:?}");
                assert!(
                    recovery < Duration::from_secs(5),
                    "{recovery:?} after {length:?}"
                );
                noted.push(first);
                // What the cut left behind is ended within seconds, not hours.
                eventually("no more backends than it may have", || {
                    (backends(&cluster, &host) <= MOST_BACKENDS).then_some(())
                });
                println!("{} backends", backends(&cluster, &host));
                listen(&acks, Duration::from_millis(500), &mut noted);
            }
        });
        noted.extend(acks.try_iter());
        expect_all_once(&users[0].history(), &noted);
        assert!(server.is_running(), "the same process: {}", server.log());
    }
}

mod a_host_that_crashed_starts_again_on_its_database {
    use super::*;

    #[test]
    fn postgres() {
        let Some(host) = or_skip(Host::make()) else {
            return;
        };
        let (cluster, port) = cluster_for(&host);
        let mut server = serve(&host, &cluster);
        let alice = User::register(&server, "alice");
        alice.post("before", None).expect(201);
        host.cut(port).expect("cuts");
        server.kill9();
        host.crash().expect("another in its place");
        server.start_again();
        alice.post("after", None).expect(201);
        assert_eq!(alice.history().len(), 2);
    }
}
