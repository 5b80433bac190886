use chrono::{DateTime, FixedOffset};
use chrono_tz::Europe::Berlin;

use super::*;

mod set_clocks;

/// Friday, November 27, 2026, 15:30 in Berlin.
const NOW: &str = "2026-11-27T15:30:00+01:00";

fn at(text: &str) -> Timestamp {
    let at: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(text).expect("a time");
    at.to_utc()
}

#[track_caller]
fn check(now: &str, zone: Tz, table: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (text, expected, what) in table {
        let seen = read(text, at(now), zone);
        let right = Spoken {
            at: at(expected),
            what: (*what).to_owned(),
        };
        if seen != Ok(right) {
            let seen = seen.map(|seen| (seen.at.with_timezone(&zone).to_rfc3339(), seen.what));
            wrong.push(format!("{text}: {seen:?}, not {expected} {what}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn so_long_from_now() {
    check(
        NOW,
        Berlin,
        &[
            (
                "in 10 minutes look at the oven",
                "2026-11-27T15:40:00+01:00",
                "look at the oven",
            ),
            ("in 10 min tea", "2026-11-27T15:40:00+01:00", "tea"),
            ("in 10m tea", "2026-11-27T15:40:00+01:00", "tea"),
            ("In Two Hours: tea", "2026-11-27T17:30:00+01:00", "tea"),
            ("in 1h30m tea", "2026-11-27T17:00:00+01:00", "tea"),
            (
                "in 1 hour and 30 minutes tea",
                "2026-11-27T17:00:00+01:00",
                "tea",
            ),
            (
                "in 1 hour 30 minutes tea",
                "2026-11-27T17:00:00+01:00",
                "tea",
            ),
            (
                "in an hour and a half tea",
                "2026-11-27T17:00:00+01:00",
                "tea",
            ),
            (
                "in an hour a minute of silence",
                "2026-11-27T16:30:00+01:00",
                "a minute of silence",
            ),
            ("in half an hour tea", "2026-11-27T16:00:00+01:00", "tea"),
            (
                "in a quarter of an hour tea",
                "2026-11-27T15:45:00+01:00",
                "tea",
            ),
            (
                "in a couple of hours tea",
                "2026-11-27T17:30:00+01:00",
                "tea",
            ),
            ("in 1.5 hours tea", "2026-11-27T17:00:00+01:00", "tea"),
            ("in 90 seconds tea", "2026-11-27T15:31:30+01:00", "tea"),
            (
                "45 minutes from now tea",
                "2026-11-27T16:15:00+01:00",
                "tea",
            ),
            ("in 3 days pay", "2026-11-30T15:30:00+01:00", "pay"),
            ("in 3 days at 9 pay", "2026-11-30T09:00:00+01:00", "pay"),
            ("in 2 weeks pay", "2026-12-11T15:30:00+01:00", "pay"),
            ("in a week at 5pm pay", "2026-12-04T17:00:00+01:00", "pay"),
            ("in a month pay", "2026-12-27T15:30:00+01:00", "pay"),
            ("in 3 months pay", "2027-02-27T15:30:00+01:00", "pay"),
            ("in one year pay", "2027-11-27T15:30:00+01:00", "pay"),
        ],
    );
}

#[test]
fn a_time_of_day() {
    check(
        NOW,
        Berlin,
        &[
            ("at 17:30 leave", "2026-11-27T17:30:00+01:00", "leave"),
            ("at 9 leave", "2026-11-28T09:00:00+01:00", "leave"),
            ("at 15:30 leave", "2026-11-28T15:30:00+01:00", "leave"),
            ("at 5pm leave", "2026-11-27T17:00:00+01:00", "leave"),
            ("5 pm leave", "2026-11-27T17:00:00+01:00", "leave"),
            ("at 5 p.m. leave", "2026-11-27T17:00:00+01:00", "leave"),
            ("at 5:45 PM, leave", "2026-11-27T17:45:00+01:00", "leave"),
            ("at 12am leave", "2026-11-28T00:00:00+01:00", "leave"),
            ("at 12 pm leave", "2026-11-28T12:00:00+01:00", "leave"),
            ("17:30 leave", "2026-11-27T17:30:00+01:00", "leave"),
            ("at noon leave", "2026-11-28T12:00:00+01:00", "leave"),
            ("at midnight leave", "2026-11-28T00:00:00+01:00", "leave"),
            ("at 6 o'clock leave", "2026-11-28T06:00:00+01:00", "leave"),
            (
                "at 6 in the evening leave",
                "2026-11-27T18:00:00+01:00",
                "leave",
            ),
            ("tonight leave", "2026-11-27T20:00:00+01:00", "leave"),
            ("tonight at 9 leave", "2026-11-27T21:00:00+01:00", "leave"),
            ("this evening leave", "2026-11-27T18:00:00+01:00", "leave"),
            ("in the morning leave", "2026-11-28T09:00:00+01:00", "leave"),
            (
                "at 9 morning round",
                "2026-11-28T09:00:00+01:00",
                "morning round",
            ),
        ],
    );
}

#[test]
fn a_day() {
    check(
        NOW,
        Berlin,
        &[
            ("today at 17:30 call", "2026-11-27T17:30:00+01:00", "call"),
            ("tomorrow call", "2026-11-28T09:00:00+01:00", "call"),
            ("tomorrow at 9 call", "2026-11-28T09:00:00+01:00", "call"),
            ("tomorrow 9am call", "2026-11-28T09:00:00+01:00", "call"),
            ("tomorrow morning call", "2026-11-28T09:00:00+01:00", "call"),
            (
                "tomorrow afternoon at 3 call",
                "2026-11-28T15:00:00+01:00",
                "call",
            ),
            (
                "tomorrow at 8 in the evening call",
                "2026-11-28T20:00:00+01:00",
                "call",
            ),
            ("at 9 tomorrow call", "2026-11-28T09:00:00+01:00", "call"),
            (
                "the day after tomorrow call",
                "2026-11-29T09:00:00+01:00",
                "call",
            ),
            ("on monday call", "2026-11-30T09:00:00+01:00", "call"),
            ("monday call", "2026-11-30T09:00:00+01:00", "call"),
            (
                "on friday at 14:00 call",
                "2026-12-04T14:00:00+01:00",
                "call",
            ),
            (
                "on friday at 16:00 call",
                "2026-11-27T16:00:00+01:00",
                "call",
            ),
            (
                "at 14:00 on friday call",
                "2026-12-04T14:00:00+01:00",
                "call",
            ),
            ("friday call", "2026-12-04T09:00:00+01:00", "call"),
            ("Fri 16:00 call", "2026-11-27T16:00:00+01:00", "call"),
            ("on sun call", "2026-11-29T09:00:00+01:00", "call"),
            ("next monday call", "2026-11-30T09:00:00+01:00", "call"),
            (
                "next friday at noon call",
                "2026-12-04T12:00:00+01:00",
                "call",
            ),
            ("next sunday call", "2026-12-06T09:00:00+01:00", "call"),
            ("this sunday call", "2026-11-29T09:00:00+01:00", "call"),
            ("next week call", "2026-11-30T09:00:00+01:00", "call"),
            ("next month call", "2026-12-01T09:00:00+01:00", "call"),
            ("next year call", "2027-01-01T09:00:00+01:00", "call"),
            ("saturday night call", "2026-11-28T20:00:00+01:00", "call"),
        ],
    );
}

#[test]
fn a_date() {
    check(
        NOW,
        Berlin,
        &[
            ("2026-12-24 18:00 sing", "2026-12-24T18:00:00+01:00", "sing"),
            (
                "on 2026-12-24 at 6pm sing",
                "2026-12-24T18:00:00+01:00",
                "sing",
            ),
            ("2026-12-24 sing", "2026-12-24T09:00:00+01:00", "sing"),
            ("2026-12-24T18:00 sing", "2026-12-24T18:00:00+01:00", "sing"),
            (
                "2026-12-24T18:00:00Z sing",
                "2026-12-24T18:00:00+00:00",
                "sing",
            ),
            (
                "on 24 December at 18:00 sing",
                "2026-12-24T18:00:00+01:00",
                "sing",
            ),
            (
                "on the 24th of December at 18:00 sing",
                "2026-12-24T18:00:00+01:00",
                "sing",
            ),
            ("December 24th sing", "2026-12-24T09:00:00+01:00", "sing"),
            (
                "Dec 24, 2027 at 18:00 sing",
                "2027-12-24T18:00:00+01:00",
                "sing",
            ),
            ("24.12. sing", "2026-12-24T09:00:00+01:00", "sing"),
            ("24.12.2026 18:00 sing", "2026-12-24T18:00:00+01:00", "sing"),
            ("on 1 june sing", "2027-06-01T09:00:00+02:00", "sing"),
            ("on the 5th sing", "2026-12-05T09:00:00+01:00", "sing"),
            (
                "on the 27th at 16:00 sing",
                "2026-11-27T16:00:00+01:00",
                "sing",
            ),
            ("on the 31st sing", "2026-12-31T09:00:00+01:00", "sing"),
            ("29 february sing", "2028-02-29T09:00:00+01:00", "sing"),
            (
                "at 18:00 on 24 December sing",
                "2026-12-24T18:00:00+01:00",
                "sing",
            ),
        ],
    );
}

#[test]
fn what_there_is_to_say_comes_behind_before_or_in_quotes() {
    check(
        NOW,
        Berlin,
        &[
            (
                "to call Ann tomorrow at 9",
                "2026-11-28T09:00:00+01:00",
                "call Ann",
            ),
            (
                "call Ann, tomorrow at 9",
                "2026-11-28T09:00:00+01:00",
                "call Ann",
            ),
            ("call Ann at 17:30", "2026-11-27T17:30:00+01:00", "call Ann"),
            (
                "\"call Ann\" in 10 minutes",
                "2026-11-27T15:40:00+01:00",
                "call Ann",
            ),
            (
                "in 10 minutes \"call Ann\"",
                "2026-11-27T15:40:00+01:00",
                "call Ann",
            ),
            (
                "“meet at 9” on monday",
                "2026-11-30T09:00:00+01:00",
                "meet at 9",
            ),
            (
                "in 10 minutes to Call Ann",
                "2026-11-27T15:40:00+01:00",
                "Call Ann",
            ),
            (
                "in 10 minutes that the oven is on",
                "2026-11-27T15:40:00+01:00",
                "the oven is on",
            ),
            (
                "about the meeting in 10 minutes",
                "2026-11-27T15:40:00+01:00",
                "the meeting",
            ),
            (
                "in 10 minutes: two\n  lines",
                "2026-11-27T15:40:00+01:00",
                "two\n  lines",
            ),
            (
                "watch the sun tomorrow",
                "2026-11-28T09:00:00+01:00",
                "watch the sun",
            ),
            (
                "check every tap in 10 minutes",
                "2026-11-27T15:40:00+01:00",
                "check every tap",
            ),
            (
                "daily standup in 10 minutes",
                "2026-11-27T15:40:00+01:00",
                "daily standup",
            ),
            (
                "do 1/2 of it in 10 minutes",
                "2026-11-27T15:40:00+01:00",
                "do 1/2 of it",
            ),
            (
                "today is pay day at 17:00",
                "2026-11-27T17:00:00+01:00",
                "today is pay day",
            ),
            (
                "в магазин in 10 minutes",
                "2026-11-27T15:40:00+01:00",
                "в магазин",
            ),
            ("in 10 minutes 🍕", "2026-11-27T15:40:00+01:00", "🍕"),
            (
                "tomorrow to \"a\" and \"b\"",
                "2026-11-28T09:00:00+01:00",
                "\"a\" and \"b\"",
            ),
        ],
    );
}

#[test]
fn what_names_no_time_is_refused_in_a_plain_sentence() {
    for (text, fault) in [
        ("", Fault::NoTime),
        ("buy milk", Fault::NoTime),
        ("watch the sun", Fault::NoTime),
        ("in the garden", Fault::NoTime),
        ("in 5 boxes", Fault::NoTime),
        ("in 99999999999999999999 minutes tea", Fault::NoTime),
        ("in 10 minutes", Fault::NothingToSay),
        ("tomorrow at 9 to", Fault::NothingToSay),
        ("tomorrow \"\"", Fault::NothingToSay),
        ("\u{200b} in 10 minutes", Fault::NothingToSay),
        ("every day at 9 stretch", Fault::Repeats),
        ("each monday stretch", Fault::Repeats),
        ("daily at 9 stretch", Fault::Repeats),
        ("stretch every day", Fault::Repeats),
        ("stretch every other friday at 9", Fault::Repeats),
        ("\"stretch\" every 2 hours", Fault::Repeats),
        ("today stretch", Fault::NoTimeOfDay),
        ("today at 9 stretch", Fault::Over),
        ("this morning stretch", Fault::Over),
        ("2020-01-01 stretch", Fault::Over),
        ("in 0 minutes stretch", Fault::Over),
        ("at 25:00 stretch", Fault::Impossible("25:00".into())),
        ("tomorrow at 999 stretch", Fault::Impossible("999".into())),
        ("stretch tomorrow at 1430", Fault::Impossible("1430".into())),
        ("at 13pm stretch", Fault::Impossible("13pm".into())),
        ("stretch at 9:75", Fault::Impossible("9:75".into())),
        ("2026-02-30 stretch", Fault::Impossible("2026-02-30".into())),
        ("31 june stretch", Fault::Impossible("31 june".into())),
        ("12/11 stretch", Fault::Ambiguous("12/11".into())),
        ("in 99999999999 years stretch", Fault::TooFar),
        ("in 300000000 days stretch", Fault::TooFar),
    ] {
        assert_eq!(read(text, at(NOW), Berlin), Err(fault.clone()), "{text}");
        let sentence = fault.to_string();
        assert!(
            sentence.ends_with('.') && sentence.len() < 160,
            "{sentence}"
        );
    }
}

#[test]
fn a_time_alone_is_read_and_nothing_beside_it() {
    for (text, expected) in [
        ("in 10 minutes", "2026-11-27T15:40:00+01:00"),
        (" tomorrow at 9 ", "2026-11-28T09:00:00+01:00"),
        ("2026-12-24 18:00", "2026-12-24T18:00:00+01:00"),
    ] {
        assert_eq!(
            read_alone(text, at(NOW), Berlin),
            Ok(at(expected)),
            "{text}"
        );
    }
    for (text, fault) in [
        ("", Fault::NotOneTime),
        ("tea", Fault::NotOneTime),
        ("tomorrow at 9 tea", Fault::NotOneTime),
        ("every day", Fault::Repeats),
        ("yesterday", Fault::NotOneTime),
    ] {
        assert_eq!(read_alone(text, at(NOW), Berlin), Err(fault), "{text}");
    }
}

/// By words, and not by the square of them: a request is read on a thread that serves.
#[test]
fn a_long_text_is_read_in_the_time_of_its_length() {
    for words in [
        "1h ",
        "1h and ",
        "half an hour ",
        "a couple of days ",
        "tomorrow at 9 ",
    ] {
        let text = words.repeat(600_000 / words.len());
        // With every end of it tried, this would not come back today.
        let read = read(&text, at(NOW), Berlin);
        assert!(read.is_err() || words.starts_with("tomorrow"), "{words}");
        assert!(read_alone(&text, at(NOW), Berlin).is_err(), "{words}");
    }
    let what = "water the plants ".repeat(3_000);
    let seen = read(&format!("{what}in 2 hours and 30 minutes"), at(NOW), Berlin);
    assert_eq!(
        seen.map(|seen| seen.at),
        Ok(at("2026-11-27T18:00:00+01:00"))
    );
}

/// What clocks show once in some years, most programs do not read.
#[test]
fn a_leap_second_is_told_as_the_last_second_that_all_read() {
    let seen = read("2026-12-31T23:59:60Z fireworks", at(NOW), Berlin);
    let told = seen.map(|seen| crate::protocol::time::format(&seen.at));
    assert_eq!(told, Ok("2026-12-31T23:59:59.999999+00:00".to_owned()));
}
