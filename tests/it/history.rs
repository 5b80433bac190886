//! The history of a room is read from either end, from the middle, and by what has changed; always in order.

use serde_json::Value;

use crate::support::{Backend, Server, User};

on_both![
    pages_are_cut_where_the_cursor_says,
    links_lead_through_the_whole_history,
    since_reads_everything_once,
];

const COUNT: u64 = 57;

fn filled(backend: Backend) -> (Server, User) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    for n in 1..=COUNT {
        socket.say(&format!("m{n}"));
    }
    (server, alice)
}

fn ids(page: &[Value]) -> Vec<u64> {
    page.iter()
        .map(|message| {
            let id = message["id"].as_u64().expect("an id");
            assert_eq!(message["content"], format!("m{id}"));
            assert_eq!(
                (&message["seq"], &message["room"]),
                (&id.into(), &"general".into())
            );
            id
        })
        .collect()
}

fn pages_are_cut_where_the_cursor_says(backend: Backend) {
    let (_server, alice) = filled(backend);
    let all = |from: u64, to: u64| (from..=to).collect::<Vec<_>>();
    for (query, wanted) in [
        ("", all(8, 57)),
        ("?limit=3", all(55, 57)),
        ("?limit=200", all(1, 57)),
        ("?before=10&limit=4", all(6, 9)),
        ("?before=3&limit=4", all(1, 2)),
        ("?before=1", vec![]),
        ("?before=1000&limit=2", all(56, 57)),
        ("?after=10&limit=4", all(11, 14)),
        ("?after=55", all(56, 57)),
        ("?after=57", vec![]),
        ("?after=0&limit=1", all(1, 1)),
        ("?after=9007199254740991", vec![]),
        ("?since=50&limit=3", all(51, 53)),
        ("?since=0&limit=2", all(1, 2)),
        ("?since=57", vec![]),
        ("?since=99999", vec![]),
        ("?since=9223372036854775807", vec![]),
    ] {
        assert_eq!(ids(&alice.page(query)), wanted, "{query}");
    }
    for (query, count) in [
        ("?around=30&limit=9", 9),
        ("?around=30&limit=10", 10),
        ("?around=30&limit=1", 1),
    ] {
        let page = ids(&alice.page(query));
        assert_eq!(page.len(), count, "{query}: {page:?}");
        assert!(page.contains(&30), "{query}: {page:?}");
        assert!(
            page.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "{query}: {page:?}"
        );
    }
    for (query, wanted) in [("?around=1&limit=6", 1), ("?around=57&limit=6", 57)] {
        assert!(ids(&alice.page(query)).contains(&wanted), "{query}");
    }
    let latest = alice.http().get("/api/chat/messages").expect(200).json();
    assert_eq!(ids(latest.as_array().expect("an array")), all(8, 57));
    assert_eq!(latest.as_array().expect("an array")[..], alice.page("")[..]);
}

/// Follows `rel` until there is none, as a client does that knows nothing of cursors.
fn follow(alice: &User, start: &str, rel: &str) -> Vec<Vec<u64>> {
    let mut pages = Vec::new();
    let mut next = Some(start.to_owned());
    while let Some(path) = next {
        let answer = alice.http().get(&path).expect(200);
        next = answer.link(rel);
        let page = answer.json();
        pages.push(ids(page.as_array().expect("an array")));
        assert!(pages.len() < 50, "{rel} leads in a circle: {pages:?}");
    }
    pages
}

fn links_lead_through_the_whole_history(backend: Backend) {
    let (_server, alice) = filled(backend);
    let path = "/api/rooms/general/messages";
    let mut backwards = follow(&alice, &format!("{path}?limit=10"), "prev");
    assert_eq!(backwards[0], (48..=57).collect::<Vec<_>>());
    backwards.reverse();
    assert_eq!(backwards.concat(), (1..=COUNT).collect::<Vec<_>>());
    for start in ["?after=0&limit=10", "?since=0&limit=10"] {
        let forwards = follow(&alice, &format!("{path}{start}"), "next");
        assert_eq!(
            forwards.concat(),
            (1..=COUNT).collect::<Vec<_>>(),
            "{start}"
        );
        assert_eq!(forwards[0].len(), 10, "the limit is kept along the way");
    }
}

fn since_reads_everything_once(backend: Backend) {
    let (_server, alice) = filled(backend);
    assert_eq!(ids(&alice.history()), (1..=COUNT).collect::<Vec<_>>());
}
