//! Integration tests: the real binary, spoken to over the network, on the embedded database and on PostgreSQL. A file
//! per promise or capability that a user would name. `scripts/test` runs them and starts PostgreSQL for them.

// A failed expectation is how a test speaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// `.env("WORKERS", 2)` reads better than `.env("WORKERS", &2)`.
#![allow(clippy::needless_pass_by_value)]

#[macro_use]
mod support;

mod accounts;
mod archived;
mod at_rest;
mod backup;
mod bad_frames;
mod bad_http;
mod bad_input;
mod browser;
mod clock;
mod configuration;
mod contract;
mod crash_image;
mod damage;
mod database_start;
mod defects;
mod deleted_accounts;
mod deletions;
mod demo;
mod direct;
mod doctor;
mod doors;
mod drafts;
mod durability;
mod edits;
mod ended_logins;
mod floods;
mod full_disk;
mod hand_edited;
mod handshake;
mod heirs;
mod history;
mod house;
mod in_place;
mod kick_race;
mod limits;
mod logins;
mod making_rooms;
mod many_directs;
mod matrix;
mod membership;
mod mentions;
mod migrations;
mod moved;
mod mute;
mod names;
mod network_cut;
mod older_release;
mod one_server;
mod openapi;
mod operations;
mod outage;
mod output;
mod ownership;
mod passing_states;
mod pins;
mod presence;
mod problem;
mod profiles;
mod proxy;
mod quickstart;
mod reactions;
mod readiness;
mod reading;
mod readme;
mod registration;
mod replies;
mod restored;
mod retry;
mod room_changes;
mod room_names;
mod rooms;
mod saved;
mod send_and_tail;
mod settings;
mod shutdown;
mod slow_mode;
mod snapshot;
mod standby;
mod startup;
mod sync;
mod tail_rooms;
mod taken_away;
mod terminal;
mod terminal_ends;
mod terminal_hints;
mod terminal_people;
mod terminal_rooms;
mod terminal_story;
mod terminal_widths;
mod threads;
mod tokens;
mod trusted_certificates;
mod unfit_database;
mod unread;
mod unread_log;
mod users;
mod visitors;
