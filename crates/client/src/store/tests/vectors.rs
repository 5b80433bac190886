//! Histories by chance and what this store makes of them, as a file that the web client's store is held against: it follows
//! the same rules, in another language.
//!
//! A few are committed. `scripts/web vectors` compares a thousand, and `scripts/web vectors write` writes those few anew.

use std::{env, fs, path::Path};

use proptest::{
    collection::vec,
    prop_oneof,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use super::{
    courses,
    server::{Act, Server},
    *,
};

const FILE: &str = "../../web/src/lib/store/vectors.json";
const COMMITTED: u32 = 40;
const ROOMS: [&str; 2] = ["general", "garden"];

/// What is known of a room and may change with every step.
fn state(server: &Server, key: &str) -> Value {
    let Some(room) = server.store.room(key) else {
        return Value::Null;
    };
    let timeline = room.timeline();
    let older = match timeline.older() {
        Older::Unknown => "unknown",
        Older::More => "more",
        Older::Loading => "loading",
        Older::AllRead => "all_read",
    };
    let held: Vec<_> = server
        .held(key)
        .iter()
        .map(|one| json!([one.id, one.seq]))
        .collect();
    // What is not known for sure is asked for.
    let unread = room.reading.is_sure().then(|| {
        let unread = room.unread();
        [unread.messages, unread.mentions]
    });
    let threads = (1..40).filter_map(|first| {
        let told = room.threads().replies(first)?;
        let replies: Vec<_> = room
            .threads()
            .messages(first)
            .map(|one| [one.id, one.seq])
            .collect();
        Some(json!([first, told.seq, replies]))
    });
    json!({
        "cursor": room.follower.cursor(), "gone": room.is_gone(), "older": older, "start": timeline.start(),
        "held": held, "unread": unread, "marker": room.marker(), "threads": threads.collect::<Vec<_>>(),
    })
}

/// What is another now than it was before.
fn changed(before: &mut Value, now: Value) -> Value {
    let news: serde_json::Map<_, _> = match (&*before, &now) {
        (Value::Object(old), Value::Object(new)) => {
            let other = new
                .iter()
                .filter(|(name, value)| old.get(*name) != Some(value));
            other
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }
        (_, Value::Object(new)) => new.clone(),
        _ => serde_json::Map::new(),
    };
    *before = now;
    Value::Object(news)
}

/// What both clients are told in the same way. How far the user has read, each tells when its face says so.
fn is_of_both(act: Act, server: &Server) -> bool {
    match act {
        Act::Older(_) | Act::Look(_) => server.store.is_connected,
        Act::See(..)
        | Act::Unsee(..)
        | Act::SeeThread(..)
        | Act::OpenThread(..)
        | Act::Trim(_)
        | Act::Draft(..) => false,
        _ => true,
    }
}

fn history(number: u32) -> Value {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    // Sometimes history is replaced: by one with so many messages.
    let act = prop_oneof![
        80 => courses::act().prop_map(Ok),
        1 => (0_u64..9).prop_map(Err),
    ];
    let course = (vec(act, 20..90), 0_u64..9);
    let (acts, before) = course.new_tree(&mut runner).expect("a course").current();
    let mut server = Server::new(Past::Pages, Rooms::All, before);
    server.tape.is_running = true;
    let mut states = [Value::Null, Value::Null];
    // Then what is under way comes.
    let mut rest = [Act::Deliver, Act::Answer, Act::Told].repeat(30);
    rest.push(Act::Wait);
    for act in acts.into_iter().chain(rest.repeat(3).into_iter().map(Ok)) {
        let steps = server.tape.len();
        match act {
            Ok(act) if is_of_both(act, &server) => server.act(act),
            Ok(_) => {}
            Err(messages) => server.restore(messages),
        }
        if server.tape.len() == steps {
            continue;
        }
        let rooms = ROOMS.iter().zip(&mut states);
        let news = rooms.map(|(room, before)| changed(before, state(&server, room)));
        server.tape.is(news.collect());
    }
    server.tape.steps()
}

fn histories(count: u32) -> String {
    let all: Vec<String> = (0..count)
        .map(|number| history(number).to_string())
        .collect();
    format!("[\n{}\n]\n", all.join(",\n"))
}

/// With `PARLOUR_VECTORS=count:file` so many are written there.
#[test]
fn the_web_client_is_held_against_what_this_store_does() {
    if let Ok(wanted) = env::var("PARLOUR_VECTORS") {
        let (count, file) = wanted.split_once(':').expect("count:file");
        let count = count.parse().expect("a number");
        fs::write(file, histories(count)).expect("writes");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == histories(COMMITTED),
        "{FILE} is not what this store does: run `scripts/web vectors write`, and hold the web client's store against it"
    );
}
