//! The nights in which the clocks are set; and any text at all.

use chrono_tz::{
    America::New_York, Asia::Kolkata, Australia::Lord_Howe, Europe::Berlin, Pacific::Auckland,
};

use super::*;

/// The clocks of Berlin, New York and Lord Howe (by half an hour) are set in spring and in autumn.
#[test]
fn times_are_those_of_the_zone_also_when_the_clocks_are_set() {
    // Berlin, March 28, 2027: at 02:00 it is 03:00.
    let spring = "2027-03-27T12:00:00+01:00";
    check(
        spring,
        Berlin,
        &[
            ("tomorrow at 9 x", "2027-03-28T09:00:00+02:00", "x"),
            ("in 24 hours x", "2027-03-28T13:00:00+02:00", "x"),
            ("in 1 day x", "2027-03-28T12:00:00+02:00", "x"),
            // Skipped.
            ("tomorrow at 2:30 x", "2027-03-28T03:30:00+02:00", "x"),
            ("tomorrow at 1:59 x", "2027-03-28T01:59:00+01:00", "x"),
        ],
    );
    // October 31, 2027: at 03:00 it is 02:00 again.
    check(
        "2027-10-30T12:00:00+02:00",
        Berlin,
        &[
            ("tomorrow at 9 x", "2027-10-31T09:00:00+01:00", "x"),
            ("in 24 hours x", "2027-10-31T11:00:00+01:00", "x"),
            ("tomorrow at 2:30 x", "2027-10-31T02:30:00+02:00", "x"),
        ],
    );
    // It is 02:40 for the first time: 02:30 comes again.
    check(
        "2027-10-31T02:40:00+02:00",
        Berlin,
        &[
            ("at 2:30 x", "2027-10-31T02:30:00+01:00", "x"),
            ("at 2:50 x", "2027-10-31T02:50:00+02:00", "x"),
        ],
    );
    check(
        "2027-03-13T20:00:00-05:00",
        New_York,
        &[
            ("tomorrow at 2:30 x", "2027-03-14T03:30:00-04:00", "x"),
            ("tomorrow at 9am x", "2027-03-14T09:00:00-04:00", "x"),
            ("in 12 hours x", "2027-03-14T09:00:00-04:00", "x"),
            ("on 7 november at 1:30 x", "2027-11-07T01:30:00-04:00", "x"),
        ],
    );
    check(
        "2026-10-03T20:00:00+10:30",
        Lord_Howe,
        &[
            ("tomorrow at 2:15 x", "2026-10-04T02:45:00+11:00", "x"),
            ("tomorrow at 9 x", "2026-10-04T09:00:00+11:00", "x"),
        ],
    );
    check(
        "2026-09-26T20:00:00+12:00",
        Auckland,
        &[("tomorrow at 9 x", "2026-09-27T09:00:00+13:00", "x")],
    );
    check(
        "2026-11-27T20:00:00+05:30",
        Kolkata,
        &[("tomorrow at 9 x", "2026-11-28T09:00:00+05:30", "x")],
    );
    // Samoa left a whole day out when it crossed the date line.
    check(
        "2011-12-29T12:00:00-10:00",
        chrono_tz::Pacific::Apia,
        &[("tomorrow at 9 x", "2011-12-31T09:00:00+14:00", "x")],
    );
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_it_and_what_is_found_is_to_come(
        text in "((in|at|on|next|the|every|[0-9]{1,4}|[0-9]{1,2}(:|\\.|/|-|am|pm|th|h)[0-9]{0,4}|minutes|days|years|monday|sun|december|may|tomorrow|tonight|noon|\"|to|[a-zß ]{0,3}) ?){0,12}",
        seconds in 0_i64..4_000_000_000,
    ) {
        let now = DateTime::from_timestamp(seconds, 0).expect("a time");
        for zone in [Berlin, New_York, Lord_Howe] {
            if let Ok(Spoken { at, what }) = read(&text, now, zone) {
                assert!(at > now && !what.is_empty(), "{text}");
            }
        }
    }
}
