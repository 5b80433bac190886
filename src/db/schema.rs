//! The tables, as `migrations/` makes them.

// The macro makes public items that it does not document.
#![allow(missing_docs)]

use diesel::prelude::*;

diesel::table! {
    facts (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_key -> Text,
        password_hash -> Text,
        email -> Nullable<Text>,
        created_at -> Timestamp,
        credentials -> BigInt,
        disabled_at -> Nullable<Timestamp>,
        deleted_at -> Nullable<Timestamp>,
        display_name -> Nullable<Text>,
        bio -> Nullable<Text>,
        pronouns -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        receipts -> Bool,
        quiet_hours -> Nullable<Text>,
        status_state -> Nullable<Text>,
        status_text -> Nullable<Text>,
        status_emoji -> Nullable<Text>,
        status_until -> Nullable<Timestamp>,
        status_then -> Nullable<Text>,
    }
}

diesel::table! {
    user_words (word, user_id) {
        word -> Text,
        user_id -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        refresh_hash -> Text,
        previous_hash -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        previous_expires_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    rooms (id) {
        id -> BigInt,
        key -> Text,
        last_seq -> BigInt,
        created_at -> Timestamp,
        members_version -> BigInt,
        kind -> Text,
        name -> Nullable<Text>,
        name_key -> Nullable<Text>,
        topic -> Nullable<Text>,
        archived_at -> Nullable<Timestamp>,
        slow_seconds -> BigInt,
        people -> Nullable<Text>,
        last_message_id -> BigInt,
        created_by -> Nullable<BigInt>,
        members -> BigInt,
    }
}

diesel::table! {
    memberships (room_id, user_id) {
        room_id -> BigInt,
        user_id -> BigInt,
        created_at -> Timestamp,
        role -> Text,
        muted_until -> Nullable<Timestamp>,
        hidden_seq -> Nullable<BigInt>,
        spoke_at -> Nullable<Timestamp>,
        invited_by -> Nullable<BigInt>,
        read_seq -> BigInt,
        notify -> Nullable<Text>,
        shown_seq -> BigInt,
    }
}

diesel::table! {
    removals (room_id, user_id) {
        room_id -> BigInt,
        user_id -> BigInt,
        seq -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    restraints (room_id, user_id) {
        room_id -> BigInt,
        user_id -> BigInt,
        muted_until -> Nullable<Timestamp>,
        spoke_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    messages (room_id, id) {
        room_id -> BigInt,
        id -> BigInt,
        seq -> BigInt,
        user_id -> BigInt,
        client_id -> Nullable<Text>,
        content -> Text,
        created_at -> Timestamp,
        kind -> Text,
        mac -> Nullable<Text>,
        previous -> Nullable<BigInt>,
        edited_at -> Nullable<Timestamp>,
        deleted_at -> Nullable<Timestamp>,
        pinned_by -> Nullable<BigInt>,
        pinned_at -> Nullable<Timestamp>,
        reply_to -> Nullable<BigInt>,
        thread -> Nullable<BigInt>,
        thread_only -> Bool,
        mentions -> Nullable<Text>,
    }
}

diesel::table! {
    message_versions (room_id, message_id, seq) {
        room_id -> BigInt,
        message_id -> BigInt,
        seq -> BigInt,
        content -> Text,
        mac -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    reactions (room_id, message_id, emoji, user_id) {
        room_id -> BigInt,
        message_id -> BigInt,
        emoji -> Text,
        user_id -> BigInt,
        seq -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    threads (room_id, id) {
        room_id -> BigInt,
        id -> BigInt,
        replies -> BigInt,
        last_id -> BigInt,
        last_at -> Timestamp,
        seq -> BigInt,
    }
}

diesel::table! {
    thread_people (room_id, thread, user_id) {
        room_id -> BigInt,
        thread -> BigInt,
        user_id -> BigInt,
        replies -> BigInt,
        follows -> Bool,
        read_seq -> BigInt,
    }
}

diesel::table! {
    mentions (room_id, user_id, message_id) {
        room_id -> BigInt,
        user_id -> BigInt,
        message_id -> BigInt,
        thread -> Nullable<BigInt>,
    }
}

diesel::table! {
    drafts (user_id, room_id, thread) {
        user_id -> BigInt,
        room_id -> BigInt,
        thread -> BigInt,
        content -> Text,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    scheduled (id) {
        id -> BigInt,
        user_id -> BigInt,
        room_id -> BigInt,
        thread -> Nullable<BigInt>,
        also_to_room -> Bool,
        kind -> Text,
        content -> Text,
        client_id -> Text,
        send_at -> Timestamp,
        created_at -> Timestamp,
        failed -> Nullable<Text>,
        reply_to -> Nullable<BigInt>,
        try_at -> Timestamp,
    }
}

diesel::table! {
    saved (user_id, room_id, message_id) {
        user_id -> BigInt,
        room_id -> BigInt,
        message_id -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    known_networks (user_id, network) {
        user_id -> BigInt,
        network -> Text,
        seen_at -> Timestamp,
    }
}

diesel::table! {
    account_changes (number) {
        number -> BigInt,
        user_id -> BigInt,
        act -> Text,
        actor -> Text,
        created_at -> Timestamp,
    }
}

// A list that is bound as one text: SQLite's own table of what a JSON array holds. With a parameter for each item, the
// statement would be another one for each length, and compiled each time.
diesel::table! {
    json_each (value) {
        value -> BigInt,
        json -> Text,
    }
}

/// The numbers of a list that is bound as one text, for `SQLite`.
#[must_use]
#[diesel::dsl::auto_type(no_type_alias)]
pub fn listed(list: String) -> _ {
    json_each::table
        .filter(json_each::json.eq(list))
        .select(json_each::value)
}

diesel::joinable!(account_changes -> users (user_id));
diesel::joinable!(known_networks -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(memberships -> rooms (room_id));
diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(messages -> rooms (room_id));
diesel::joinable!(messages -> users (user_id));
diesel::joinable!(reactions -> users (user_id));
diesel::joinable!(thread_people -> users (user_id));
diesel::joinable!(drafts -> rooms (room_id));
diesel::joinable!(scheduled -> rooms (room_id));
diesel::allow_columns_to_appear_in_same_group_by_clause!(rooms::key, reactions::emoji);
diesel::allow_tables_to_appear_in_same_query!(
    facts,
    users,
    user_words,
    sessions,
    rooms,
    memberships,
    removals,
    restraints,
    messages,
    message_versions,
    reactions,
    threads,
    thread_people,
    mentions,
    drafts,
    scheduled,
    saved,
    known_networks,
    account_changes,
);
diesel::allow_tables_to_appear_in_same_query!(json_each, rooms);
