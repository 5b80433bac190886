//! The functions that every message or every delivery goes through, each alone: `cargo bench --bench hot`.
//!
//! `parlour-lab bench` measures the whole server; this tells which part has become slower. An argument names what to run:
//! `cargo bench --bench hot -- publish`.

use std::{
    cell::Cell,
    hint::black_box,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput};
use parlour::{
    chat::feed::Feed,
    config::SocketLimits,
    crypto::vault::Vault,
    hub::{
        Broadcast, Deliver, Gauge, frame,
        registry::{NewSocket, Outbox, Registry},
    },
    protocol::{GENERAL, body, command, event::Event, message::Message, time, views::NewMessage},
    ws::frames::FrameDecoder,
};

const ROOM: i64 = 1;
const SOCKETS: u32 = 1_000;
const CONTENT: &str = "A message of sixty-four bytes, as long as those of parlour bench";
const COMMAND: &str = r#"{"type":"message","content":"A message of sixty-four bytes, as long as those of parlour bench","ref":"1764000000","client_id":"17-1764000000"}"#;
const BODY: &[u8] = br#"{"content":"A message of sixty-four bytes, as long as those of parlour bench","client_id":"17-1764000000"}"#;

fn main() {
    let mut criterion = Criterion::default()
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    encode(&mut criterion);
    parse(&mut criterion);
    decode(&mut criterion);
    publish(&mut criterion);
    feed(&mut criterion);
    vault(&mut criterion);
    criterion.final_summary();
}

fn message(seq: u64) -> Event {
    Event::Message(Message {
        room: GENERAL.into(),
        id: seq,
        seq,
        user_id: 17,
        username: "alice".into(),
        content: CONTENT.into(),
        created_at: time::now(),
        client_id: None,
        unreadable: false,
        ..Message::default()
    })
}

/// Once for each message, however many get it.
fn encode(criterion: &mut Criterion) {
    let event = message(100_000);
    criterion.bench_function("encode/message", |bencher| {
        bencher.iter(|| frame::event(black_box(&event)));
    });
}

/// Once for each thing that a client says.
fn parse(criterion: &mut Criterion) {
    criterion.bench_function("parse/command", |bencher| {
        bencher.iter(|| command::parse(black_box(COMMAND)));
    });
    criterion.bench_function("parse/body", |bencher| {
        bencher.iter(|| body::parse::<NewMessage>(black_box(BODY)));
    });
}

/// A frame of a client, masked as all of them are.
fn masked(text: &[u8]) -> Bytes {
    const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];
    let plain = frame::encode(0x81, text);
    let (header, payload) = plain.split_at(plain.len() - text.len());
    let mut out = header.to_vec();
    if let Some(length) = out.get_mut(1) {
        *length |= 0x80;
    }
    out.extend(MASK);
    out.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    out.into()
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (name, text) in [
        ("command", COMMAND.as_bytes()),
        ("16 KiB", &[b'a'; 16 * 1024]),
    ] {
        let bytes = masked(text);
        let mut decoder = FrameDecoder::new(65_536);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| decoder.decode(&mut black_box(bytes.clone())));
        });
    }
    group.finish();
}

/// Counts, and is as fast as a socket can be at that.
struct Counter {
    delivered: Rc<Cell<u64>>,
    gauge: Arc<Gauge>,
}

impl Outbox for Counter {
    fn offer(&self, delivery: Deliver) -> bool {
        self.gauge.take(delivery.weight());
        self.gauge.progress();
        self.delivered.set(self.delivered.get() + 1);
        true
    }
}

/// One committed message to a room of a thousand sockets.
fn publish(criterion: &mut Criterion) {
    let limits = SocketLimits {
        queue_frames: 256,
        queue_bytes: 256 * 1024,
        slow_reader: Duration::from_secs(10),
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(10),
    };
    let delivered = Rc::new(Cell::new(0));
    let mut registry = Registry::new(limits);
    let now = Instant::now();
    for user in 0..i64::from(SOCKETS) {
        let gauge = Arc::<Gauge>::default();
        let newcomer = NewSocket {
            user_id: user,
            username: format!("user-{user}"),
            session_id: user,
            rooms: [ROOM].into(),
            unopened: [].into(),
            gauge: Arc::clone(&gauge),
        };
        let delivered = Rc::clone(&delivered);
        registry.connect(newcomer, Counter { delivered, gauge }, now);
    }
    let bytes = frame::event(&message(100_000));
    let mut seq = 0;
    let mut group = criterion.benchmark_group("publish");
    group.throughput(Throughput::Elements(SOCKETS.into()));
    group.bench_function("1,000 sockets", |bencher| {
        let before = (seq, delivered.get());
        bencher.iter(|| {
            seq += 1;
            let change = Broadcast {
                room_id: ROOM,
                seq,
                frame: bytes.clone(),
                own: None,
                is_post: true,
                written_by: None,
                members: Vec::new(),
            };
            registry.publish(&[change], now);
        });
        let wanted = (seq - before.0) * u64::from(SOCKETS);
        assert_eq!(delivered.get() - before.1, wanted, "all must be delivered");
    });
    group.finish();
}

/// Once for each delivery.
fn feed(criterion: &mut Criterion) {
    let bytes = frame::event(&message(100_000));
    let mut feed = Feed::new(0, 256);
    let (mut seq, mut actions) = (0, Vec::new());
    criterion.bench_function("feed/live", |bencher| {
        bencher.iter(|| {
            seq += 1;
            feed.live(seq, bytes.clone(), &mut actions);
            black_box(&actions);
            actions.clear();
        });
    });
}

/// Once for each message that is sent, and for each that is read from history.
fn vault(criterion: &mut Criterion) {
    let Some(vault) = Vault::new("a key that guards nothing") else {
        return;
    };
    let sealed = vault.seal(CONTENT);
    criterion.bench_function("vault/seal", |bencher| {
        bencher.iter(|| vault.seal(black_box(CONTENT)));
    });
    criterion.bench_function("vault/open", |bencher| {
        bencher.iter_batched(
            || sealed.clone(),
            |sealed| vault.open(black_box(&sealed)),
            BatchSize::SmallInput,
        );
    });
}
