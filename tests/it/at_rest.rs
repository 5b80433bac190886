//! Planted words are found nowhere: not in the database's files, not in its log of changes, not in the server's log.
//! What may be found is what the README names: user names and room names.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::json;

use crate::support::{Backend, Server, Socket, unique};

on_both![planted_words_are_not_found_at_rest];

fn hex(word: &str) -> Vec<u8> {
    word.bytes()
        .flat_map(|byte| format!("{byte:02x}").into_bytes())
        .collect()
}

/// A word in every dress in which it could lie about.
fn dresses(word: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("raw", word.as_bytes().to_vec()),
        (
            "UTF-16LE",
            word.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "UTF-16BE",
            word.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
        ("hex", hex(word)),
    ];
    for (offset, name) in ["base64", "base64, one off", "base64, two off"]
        .into_iter()
        .enumerate()
    {
        let shifted = [vec![b'?'; offset], word.as_bytes().to_vec()].concat();
        let encoded = STANDARD_NO_PAD.encode(&shifted);
        // Only the characters that do not depend on what stands before and after the word.
        let from = (offset * 8).div_ceil(6);
        let to = shifted.len() * 8 / 6;
        all.push((name, encoded.as_bytes()[from..to].to_vec()));
        let url: String = encoded[from..to].replace('+', "-").replace('/', "_");
        all.push((name, url.into_bytes()));
    }
    all
}

/// Where words are found, and in which dress. One pass over each place: there are many words, dresses and megabytes.
fn find(words: &[&str], places: &[(String, Vec<u8>)]) -> Vec<String> {
    let patterns: Vec<(&str, &str, Vec<u8>)> = words
        .iter()
        .flat_map(|word| {
            dresses(word)
                .into_iter()
                .map(|(dress, bytes)| (*word, dress, bytes))
        })
        .collect();
    let mut by_first_two = vec![Vec::new(); 1 << 16];
    for (n, (_, _, bytes)) in patterns.iter().enumerate() {
        by_first_two[usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))].push(n);
    }
    let mut found = Vec::new();
    for (place, content) in places {
        let mut two = 0;
        for (at, byte) in content.iter().enumerate() {
            two = (two << 8 | usize::from(*byte)) & 0xffff;
            for n in &by_first_two[two] {
                let (word, dress, bytes) = &patterns[*n];
                if at > 0 && content[at - 1..].starts_with(bytes) {
                    found.push(format!("{word} ({dress}) in {place}"));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn files_under(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            files_under(&entry.path(), into);
        } else {
            into.push(entry.path());
        }
    }
}

/// Every byte that the server, or the database for it, has put on the disk.
fn everything_at_rest(server: &Server, began: SystemTime) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    files_under(server.folder(), &mut files);
    if server.database.backend == Backend::Postgres {
        server.database.execute("CHECKPOINT");
        let one = |sql: &str| server.database.query(sql)[0].clone().expect("a value");
        let cluster = PathBuf::from(one("SELECT current_setting('data_directory') AS value"));
        let number =
            one("SELECT oid::text AS value FROM pg_database WHERE datname = current_database()");
        let before = files.len();
        files_under(&cluster.join("base").join(number), &mut files);
        let mut log_of_changes = Vec::new();
        files_under(&cluster.join("pg_wal"), &mut log_of_changes);
        // Other tests write into the same log: what was last written before this one began is none of ours.
        log_of_changes.retain(|path| {
            path.metadata()
                .and_then(|data| data.modified())
                .is_ok_and(|at| at >= began)
        });
        files.extend(log_of_changes);
        if files.len() == before {
            println!(
                "the cluster's files cannot be read by this user; its tables are read instead"
            );
        }
    }
    let mut places: Vec<(String, Vec<u8>)> = files
        .into_iter()
        .filter_map(|path| Some((path.display().to_string(), fs::read(&path).ok()?)))
        .collect();
    if server.database.backend == Backend::Postgres {
        let tables = server
            .database
            .query("SELECT tablename::text AS value FROM pg_tables WHERE schemaname = 'public'");
        for table in tables.into_iter().flatten() {
            let rows = server.database.query(&format!(
                "SELECT row_to_json(t)::text AS value FROM {table} t"
            ));
            let text: String = rows.into_iter().flatten().collect();
            places.push((format!("table {table}"), text.into_bytes()));
        }
    }
    assert!(places.len() > 3, "{} places", places.len());
    places
}

fn planted_words_are_not_found_at_rest(backend: Backend) {
    let began = SystemTime::now();
    let server = Server::with(backend).env("RUST_LOG", "debug").start();
    let word = |what: &str| format!("{what}{}planted", unique());
    let name = format!("n{}", unique());
    let (by_http, by_socket, short, password, email) = (
        word("http"),
        word("socket"),
        word("s"),
        word("password"),
        word("mail") + "@example.org",
    );
    let account = json!({"username": name, "password": password, "email": email});
    server
        .http()
        .post("/api/auth/register", &account)
        .expect(201);
    let login = server
        .http()
        .post("/api/auth/login", &account)
        .expect(200)
        .json();
    let text = |field: &str| login[field].as_str().expect("text").to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    let http = server.http().with_token(&access);
    // What is refused must not stay behind either.
    let wrong = word("wrong");
    server
        .http()
        .post(
            "/api/auth/login",
            &json!({"username": name, "password": wrong}),
        )
        .expect(401);
    let refused = word("refused");
    http.post(
        "/api/rooms/general/messages",
        &json!({"content": refused.clone() + "\u{0}"}),
    )
    .expect(422);
    http.get(&format!("/api/rooms/{refused}/messages"))
        .expect(404);
    http.get(&format!("/api/rooms/{refused}/messages?token={access}"))
        .expect(400);
    let ticket = http
        .post("/api/auth/ws-ticket", &json!({}))
        .expect(200)
        .json();
    let ticket = ticket["ticket"].as_str().expect("text").to_owned();
    let mut socket = Socket::open(server.addr, &format!("?ticket={ticket}"), &[]).expect("opens");
    let mut other = Socket::open(server.addr, &format!("?token={access}"), &[]).expect("opens");
    http.post(
        "/api/rooms/general/messages",
        &json!({"content": by_http, "client_id": "c"}),
    )
    .expect(201);
    socket.say(&format!("around {by_socket} around"));
    other.say(&short);
    other.send_text(&format!("{{\"type\":\"message\",\"content\":\"{refused}\""));
    other.expect_type("error");
    server
        .http()
        .get(&format!("/api/chat/messages?token={access}"))
        .expect(200);
    http.get(&format!("/nothing/here?token={access}&word={refused}"))
        .expect(404);
    // Long enough to fill pages, so that earlier ones are written out.
    for n in 0..200 {
        http.post(
            "/api/rooms/general/messages",
            &json!({"content": format!("{by_http} {n}")}),
        )
        .expect(201);
    }

    let places = everything_at_rest(&server, began);
    let secrets = [
        &*by_http, &by_socket, &short, &password, &email, &wrong, &refresh, &access, &ticket,
    ];
    let found = find(&secrets, &places);
    assert!(found.is_empty(), "{found:#?}");
    // The path of a request is logged; what stood in a body or behind `?` is not.
    let beyond_paths = find(&[&refused], &places);
    assert!(
        beyond_paths.iter().all(|place| place.ends_with("/log")),
        "{beyond_paths:?}"
    );
    // The control: the scan sees what may be seen.
    assert!(
        !find(&[&name], &places).is_empty(),
        "the scan is blind: the user's name must be there"
    );
}

#[test]
fn the_scan_sees_a_word_in_every_dress() {
    let word = "planted-word-0123456789";
    let utf16: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base64 = |before: &str| {
        STANDARD_NO_PAD
            .encode(format!("{before}{word} and more"))
            .into_bytes()
    };
    let in_hex = hex(word);
    for place in [
        word.as_bytes().to_vec(),
        utf16,
        in_hex,
        base64(""),
        base64("x"),
        base64("xy"),
        base64("xyz"),
    ] {
        let places = [("here".to_owned(), [b"around ".to_vec(), place].concat())];
        assert!(
            !find(&[word], &places).is_empty(),
            "{}",
            String::from_utf8_lossy(&places[0].1)
        );
    }
    assert!(
        find(
            &[word],
            &[("here".to_owned(), b"nothing of the kind".to_vec())]
        )
        .is_empty()
    );
}
