//! What the kernel says about a process: the CPU time it took, the memory it holds, who its children are, and which
//! process listens where. Linux only (`/proc`); elsewhere these lines of the bench cannot be measured, and say so.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Result, Trouble};

/// `/proc` counts CPU time in hundredths of a second, on every architecture that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// What `/proc/PID/stat` tells of one process.
struct Stat {
    parent: u32,
    /// Its own time, that of all its threads included, in ticks.
    own: u64,
    /// The time of its children that have ended and were waited for, in ticks.
    reaped: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name of the program stands in brackets and may itself hold brackets and spaces.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        reaped: number(13)? + number(14)?,
    })
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs_f64(count as f64 / TICKS_PER_SECOND)
}

/// The CPU time that a process and all its threads have taken so far.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn cpu(pid: u32) -> Result<Duration> {
    stat(pid).map(|stat| ticks(stat.own)).ok_or_else(|| {
        Trouble(format!(
            "The CPU time of process {pid} cannot be read: it has ended, or this system has no /proc."
        ))
    })
}

/// The CPU time of a process and of all that descend from it, those that have ended included.
#[must_use]
pub fn cpu_of_tree(root: u32) -> Duration {
    let stats: HashMap<u32, Stat> = processes()
        .filter_map(|pid| stat(pid).map(|stat| (pid, stat)))
        .collect();
    let mut tree = HashSet::from([root]);
    loop {
        let before = tree.len();
        for (pid, stat) in &stats {
            if tree.contains(&stat.parent) {
                tree.insert(*pid);
            }
        }
        if tree.len() == before {
            break;
        }
    }
    let total = tree
        .iter()
        .filter_map(|pid| stats.get(pid))
        .map(|stat| stat.own + stat.reaped)
        .sum();
    ticks(total)
}

/// How often the threads of a process whose names begin with `name` have been given a core so far; `None` when there
/// is no such thread. One that waits for work is not given any.
#[must_use]
pub fn wake_ups(pid: u32, name: &str) -> Option<u64> {
    let switches = |thread: &Path| -> Option<u64> {
        let comm = fs::read_to_string(thread.join("comm")).ok()?;
        if !comm.starts_with(name) {
            return None;
        }
        let status = fs::read_to_string(thread.join("status")).ok()?;
        let count = |line: &str| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok();
        let lines = status
            .lines()
            .filter(|line| line.contains("_ctxt_switches:"));
        Some(lines.filter_map(count).sum())
    };
    let threads: Vec<u64> = fs::read_dir(format!("/proc/{pid}/task"))
        .ok()?
        .flatten()
        .filter_map(|thread| switches(&thread.path()))
        .collect();
    (!threads.is_empty()).then(|| threads.iter().sum())
}

/// The memory a process holds (`VmRSS`), in bytes.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn rss(pid: u32) -> Result<u64> {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map(|kib| kib * 1024)
        .ok_or_else(|| {
            Trouble(format!(
                "The memory of process {pid} cannot be read: it has ended, or this system has no /proc."
            ))
        })
}

/// Lets this process, and those that it will start, open as many files as the system allows it.
pub fn raise_open_files_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where that is refused, the line that needs more files says how many.
    let _stays_as_it_is = setrlimit(Resource::Nofile, raised);
}

/// How many files and sockets this process may have open.
#[must_use]
pub fn open_files_limit() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
}

/// The CPU time that everything on this machine has taken so far, all cores together.
#[must_use]
pub fn machine_cpu() -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .split_ascii_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // user, nice, system, (idle, iowait), irq, softirq, steal
    let busy = [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|at| fields.get(*at))
        .sum();
    Some(ticks(busy))
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The process that listens on a TCP port of this machine, where it can be seen (ours, or we are root).
#[must_use]
pub fn listener(port: u16) -> Option<u32> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| table.lines().skip(1).find_map(|line| inode_of(line, port)))?;
    let name = format!("socket:[{inode}]");
    processes().find(|pid| {
        fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link == Path::new(&name)))
    })
}

fn inode_of(line: &str, port: u16) -> Option<u64> {
    const LISTENING: &str = "0A";
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let (_, hex) = fields.get(1)?.rsplit_once(':')?;
    let here = u16::from_str_radix(hex, 16).ok()?;
    if here != port || *fields.get(3)? != LISTENING {
        return None;
    }
    fields.get(9)?.parse().ok()
}

/// The first process of the `PostgreSQL` server behind a URL, if it runs on this machine and can be seen.
#[must_use]
pub fn postmaster(database_url: &str) -> Option<u32> {
    let url = url::Url::parse(database_url).ok()?;
    let port = url.port().unwrap_or(5432);
    let asked = url
        .query_pairs()
        .find(|(name, _)| name == "host")
        .map(|(_, host)| host.into_owned());
    let from_lock = |folder: &str| {
        let text = fs::read_to_string(format!("{folder}/.s.PGSQL.{port}.lock")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        stat(pid).map(|_| pid)
    };
    asked
        .as_deref()
        .into_iter()
        .chain(["/tmp", "/var/run/postgresql"])
        .find_map(from_lock)
        .or_else(|| listener(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_brackets_in_its_name_is_read() {
        let line = "7 (a) b) S 3 7 7 0 -1 4194304 9 0 0 0 120 34 5 6 20 0 9 0 100 1000 10";
        let stat = parse_stat(line).expect("reads");
        assert_eq!((stat.parent, stat.own, stat.reaped), (3, 154, 11));
    }

    #[test]
    fn this_process_is_found_by_the_port_it_listens_on() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        assert_eq!(listener(port), Some(std::process::id()));
    }

    #[test]
    fn this_process_has_memory_and_files() {
        assert!(rss(std::process::id()).expect("reads") > 100_000);
        assert!(open_files_limit().expect("reads") > 0);
        assert!(cpu(std::process::id()).is_ok());
        assert!(cpu_of_tree(std::process::id()) <= machine_cpu().expect("reads"));
    }
}
