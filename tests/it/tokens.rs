//! Tokens: a forged one opens nothing, a login ends when it is said to, and a ticket is good once.

use std::{sync::Barrier, thread};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Backend, Closed, Response, Server, Socket, User};

const SECRET: &str = "kJ8m2Qx7Vw4Zr9Tn3Lb6Yp1Hs5Dg0Fc8";

on_both![
    a_login_ends_when_it_is_said_to,
    a_made_up_refresh_token_ends_nobodys_login,
    tabs_that_refresh_at_the_same_moment_all_go_on,
    a_tab_that_refreshes_while_another_does_so_twice_goes_on,
    a_ticket_is_good_once,
];

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    jsonwebtoken::encode(
        &Header::new(algorithm),
        claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .expect("signs")
}

fn forged_tokens(user: &User) -> Vec<(&'static str, String)> {
    let good = claims(&user.token);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        signed(Algorithm::HS256, SECRET, &changed)
    };
    let without = |name: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().expect("an object").remove(name);
        signed(Algorithm::HS256, SECRET, &changed)
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let parts: Vec<&str> = user.token.split('.').collect();
    let unsigned = |alg: &str, signature: &str| {
        format!(
            "{}.{}.{signature}",
            part(&json!({"alg": alg, "typ": "JWT"})),
            part(&good)
        )
    };
    let exp = good["exp"].as_i64().expect("a number");
    vec![
        ("alg none", unsigned("none", "")),
        ("alg None with a signature", unsigned("None", parts[2])),
        ("alg RS256", unsigned("RS256", parts[2])),
        (
            "alg HS512, signed with our key",
            signed(Algorithm::HS512, SECRET, &good),
        ),
        (
            "another key",
            signed(
                Algorithm::HS256,
                "another key of at least 32 characters",
                &good,
            ),
        ),
        (
            "another's claims under this signature",
            format!("{}.{}.{}", parts[0], part(&json!({"sub": "1"})), parts[2]),
        ),
        ("exp as a string", with("exp", json!(exp.to_string()))),
        ("exp as a list", with("exp", json!([exp]))),
        ("exp in the past", with("exp", json!(1_000_000_000))),
        ("exp negative", with("exp", json!(-1))),
        ("no exp", without("exp")),
        ("no aud", without("aud")),
        ("another aud", with("aud", json!("elsewhere"))),
        ("no sub", without("sub")),
        ("a sub that is nobody", with("sub", json!("999999999"))),
        ("a sub of no number", with("sub", json!("alice' OR 1=1"))),
        ("a sid that is nothing", with("sid", json!(999_999_999))),
        ("no sid", without("sid")),
        ("a refresh token", user.refresh_token.clone()),
        ("8 kB of dots", ".".repeat(8_192)),
        ("8 kB of letters", "a".repeat(8_192)),
        ("two parts", parts[..2].join(".")),
        ("four parts", format!("{}.x", user.token)),
        ("nothing", String::new()),
        ("a character more", format!("{}x", user.token)),
    ]
}

#[test]
fn a_forged_token_opens_nothing() {
    let server = Server::with(Backend::Sqlite)
        .env("SECRET_KEY", SECRET)
        .start();
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    // That forging as such works here: the same claims, signed with the right key, are let in.
    let twin = signed(Algorithm::HS256, SECRET, &claims(&alice.token));
    server
        .http()
        .with_token(&twin)
        .get("/api/chat/messages")
        .expect(200);
    let mut cases = forged_tokens(&alice);
    let mut mixed = claims(&alice.token);
    mixed["sub"] = claims(&bob.token)["sub"].clone();
    cases.push((
        "another user in this login",
        signed(Algorithm::HS256, SECRET, &mixed),
    ));
    for (case, token) in cases {
        let by_header = server.http().with_token(&token).get("/api/chat/messages");
        assert_eq!(by_header.status, 401, "{case}: {}", by_header.text());
        by_header.expect_any_problem();
        assert_eq!(
            server
                .http()
                .get(&format!("/api/chat/messages?token={token}"))
                .status,
            401,
            "{case} in the URL"
        );
        let bearer = format!("Bearer {token}");
        let socket = Socket::open(server.addr, "", &[("authorization", &bearer)]).err();
        assert_eq!(socket, Some(401), "{case} on the socket");
    }
    for scheme in ["Basic", "Token", "bearer:", ""] {
        let value = format!("{scheme} {}", alice.token);
        let answer = server.http().request(
            "GET",
            "/api/chat/messages",
            &[("authorization", value.trim())],
            &[],
        );
        assert_eq!(answer.status, 401, "{scheme}");
    }
    // The scheme's name has no case (RFC 9110, 11.1).
    let value = format!("bearer {}", alice.token);
    server
        .http()
        .request(
            "GET",
            "/api/chat/messages",
            &[("authorization", &value)],
            &[],
        )
        .expect(200);
}

fn a_login_ends_when_it_is_said_to(backend: Backend) {
    let server = Server::start(backend);
    let mut alice = User::register(&server, "alice");
    let first = alice.clone();
    alice.log_in();
    let mut ended = first.connect();
    let mut kept = alice.connect();
    first
        .http()
        .post("/api/auth/logout", &json!({}))
        .expect(204);
    assert!(matches!(ended.expect_end(), Closed::Code(4403 | 4401, _)));
    for answer in [
        first.http().get("/api/chat/messages"),
        refresh(&server, &first.refresh_token),
    ] {
        answer.expect_any_problem();
        assert_eq!(answer.status, 401);
    }
    assert_eq!(first.try_connect().err(), Some(401));
    // The other login of the same user goes on.
    kept.say("still here");
    // A refresh gives new tokens; the old refresh token, once the new one has been used, is a theft.
    let second = refresh(&server, &alice.refresh_token).expect(200).json();
    let text = |tokens: &Value, field: &str| tokens[field].as_str().expect("text").to_owned();
    server
        .http()
        .with_token(&text(&second, "access_token"))
        .get("/api/chat/messages")
        .expect(200);
    let third = refresh(&server, &text(&second, "refresh_token"))
        .expect(200)
        .json();
    refresh(&server, &text(&third, "refresh_token")).expect(200);
    assert_eq!(refresh(&server, &alice.refresh_token).status, 401);
}

/// Tabs share a refresh token, and wake up together.
fn tabs_that_refresh_at_the_same_moment_all_go_on(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let mut held = vec![alice.refresh_token.clone(); 6];
    let mut old = Vec::new();
    for _ in 0..5 {
        let start = Barrier::new(held.len());
        let answers: Vec<Value> = thread::scope(|scope| {
            let tabs: Vec<_> = (held.iter())
                .map(|token| {
                    let (start, server) = (&start, &server);
                    scope.spawn(move || {
                        start.wait();
                        refresh(server, token).expect(200).json()
                    })
                })
                .collect();
            tabs.into_iter()
                .map(|tab| tab.join().expect("a tab goes on"))
                .collect()
        });
        old.push(held[0].clone());
        held.clear();
        for answer in answers {
            let token = |field: &str| answer[field].as_str().expect("a token").to_owned();
            (server.http().with_token(&token("access_token")))
                .get("/api/chat/messages")
                .expect(200);
            held.push(token("refresh_token"));
        }
        assert!(!held.contains(&old[old.len() - 1]));
        // One whose answer was lost asks again a moment later, and goes on as well.
        let again = refresh(&server, &old[old.len() - 1]).expect(200).json();
        let token = again["refresh_token"].as_str().expect("a token");
        token.clone_into(&mut held[0]);
    }
    socket.say("still here");
    // A token of long ago is a theft all the same.
    assert_eq!(refresh(&server, &old[0]).status, 401);
    assert!(matches!(socket.expect_end(), Closed::Code(4403, _)));
    assert_eq!(refresh(&server, &held[0]).status, 401);
}

/// One tab is told to refresh twice, while the other's first request is still on its way.
fn a_tab_that_refreshes_while_another_does_so_twice_goes_on(backend: Backend) {
    let server = Server::start(backend);
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let next = |token: &str| {
        let tokens = refresh(&server, token).expect(200).json();
        let next = tokens["refresh_token"].as_str().expect("a token");
        next.to_owned()
    };
    let first = next(&alice.refresh_token);
    let second = next(&first);
    assert_eq!(next(&alice.refresh_token), second, "the same for both tabs");
    socket.say("still here");
    // Now that the newest has been used, a token of the time before is a theft.
    let third = next(&second);
    assert_eq!(refresh(&server, &alice.refresh_token).status, 401);
    assert!(matches!(socket.expect_end(), Closed::Code(4403, _)));
    assert_eq!(refresh(&server, &third).status, 401);
}

/// Whoever knows or guesses the number of a login must not be able to end it.
fn a_made_up_refresh_token_ends_nobodys_login(backend: Backend) {
    let server = Server::with(backend).env("SECRET_KEY", SECRET).start();
    let alice = User::register(&server, "alice");
    let mut socket = alice.connect();
    let session = claims(&alice.token)["sid"].clone();
    let made_up = json!({"sid": session, "jti": "A".repeat(43), "aud": "parlour-refresh", "exp": 4_000_000_000_u64});
    for token in [
        format!("{session}.{}", "A".repeat(43)),
        signed(
            Algorithm::HS256,
            "another secret, as long as it has to be",
            &made_up,
        ),
        alice.token.clone(),
    ] {
        assert_eq!(refresh(&server, &token).status, 401, "{token}");
    }
    socket.say("still here");
    refresh(&server, &alice.refresh_token).expect(200);
    // The same claims under the right key are one of ours, and not the newest: that is a theft, and ends the login.
    let stolen = signed(Algorithm::HS256, SECRET, &made_up);
    assert_eq!(refresh(&server, &stolen).status, 401);
    assert!(matches!(socket.expect_end(), Closed::Code(4403, _)));
}

fn refresh(server: &Server, token: &str) -> Response {
    server
        .http()
        .post("/api/auth/refresh", &json!({"refresh_token": token}))
}

fn a_ticket_is_good_once(backend: Backend) {
    let server = Server::with(backend).env("WORKERS", 2).start();
    let alice = User::register(&server, "alice");
    let ticket = alice
        .http()
        .post("/api/auth/ws-ticket", &json!({}))
        .expect(200)
        .json();
    assert_eq!(ticket["expires_in"], 30);
    let query = format!("?ticket={}", ticket["ticket"].as_str().expect("text"));
    let socket = Socket::open(server.addr, &query, &[]).expect("opens");
    assert_eq!(socket.connected["message"], "Connected as alice");
    for _ in 0..3 {
        assert_eq!(Socket::open(server.addr, &query, &[]).err(), Some(401));
    }
    for nonsense in ["?ticket=", "?ticket=x", "?ticket=%00", "?ticket=a&ticket=b"] {
        assert!(
            matches!(
                Socket::open(server.addr, nonsense, &[]).err(),
                Some(400 | 401)
            ),
            "{nonsense}"
        );
    }
    // A ticket opens a socket and nothing else.
    let ticket = alice
        .http()
        .post("/api/auth/ws-ticket", &json!({}))
        .expect(200)
        .json();
    let text = ticket["ticket"].as_str().expect("text");
    server
        .http()
        .with_token(text)
        .get("/api/chat/messages")
        .expect(401);
}
