//! The table of who may do what, written out: a new right without a row fails.

use super::*;

/// What each of these may: stranger, member, moderator, owner. `+` yes; `-` no, for the role; `k` likewise, since those who keep order
/// have done it; `j` join first; `.` absent.
type Row = (Right, &'static str);

/// In a public room. (In a private one, a stranger knows of nothing.)
const PUBLIC: &[Row] = &[
    (Right::See, "++++"),
    (Right::Join, "++++"),
    (Right::Read, "j+++"),
    (Right::Post, "j+++"),
    (Right::React, "j+++"),
    (Right::Pin, "j+++"),
    (Right::Invite, "j+++"),
    (Right::BringBack, "jk++"),
    (Right::Leave, "j+++"),
    (Right::EditOwn, "j+++"),
    (Right::DeleteOwn, "j+++"),
    (Right::DeleteOthers, "j-++"),
    (Right::Mute, "j-++"),
    (Right::MuteModerator, "j--+"),
    (Right::Kick, "j-++"),
    (Right::KickModerator, "j--+"),
    (Right::Topic, "j-++"),
    (Right::SlowMode, "j-++"),
    (Right::MentionAll, "j-++"),
    (Right::SetRole, "j--+"),
    (Right::Rename, "j--+"),
    (Right::SetKind, "j--+"),
    (Right::Archive, "j--+"),
];

/// What no one may in `general`, and in a direct room; there, all are members and no more.
const NOT_IN_GENERAL: &[Right] = &[
    Right::Leave,
    Right::Kick,
    Right::KickModerator,
    Right::Rename,
    Right::SetKind,
    Right::Archive,
];
const IN_DIRECT: &[Right] = &[
    Right::See,
    Right::Join,
    Right::Read,
    Right::Post,
    Right::React,
    Right::Pin,
    Right::EditOwn,
    Right::DeleteOwn,
];

/// What is left to a muted member, and in an archived room.
const MUTED: &[Right] = &[
    Right::See,
    Right::Join,
    Right::Read,
    Right::Leave,
    Right::DeleteOwn,
];
const ARCHIVED: &[Right] = &[
    Right::See,
    Right::Join,
    Right::Read,
    Right::Leave,
    Right::Archive,
];

const fn room(kind: RoomKind) -> RoomFacts {
    RoomFacts {
        kind,
        is_archived: false,
        is_general: false,
    }
}

fn member(role: Role) -> Standing {
    Standing::Member {
        role,
        is_muted: false,
    }
}

fn row(right: Right) -> &'static str {
    let found = PUBLIC.iter().find(|(known, _)| *known == right);
    found.unwrap_or_else(|| panic!("{right:?} has no row")).1
}

fn told(mark: u8) -> Result<(), Denied> {
    match mark {
        b'+' => Ok(()),
        b'j' => Err(Denied::JoinFirst),
        b'-' => Err(Denied::Forbidden),
        b'k' => Err(Denied::OrderKept),
        _ => panic!("no mark"),
    }
}

#[test]
fn every_right_is_as_the_table_says() {
    assert_eq!(PUBLIC.len(), Right::VARIANTS.len(), "a row twice");
    for right in Right::VARIANTS.iter().copied() {
        let marks = row(right).as_bytes();
        let standings = [
            Standing::Stranger,
            member(Role::Member),
            member(Role::Moderator),
            member(Role::Owner),
        ];
        for (standing, mark) in standings.into_iter().zip(marks) {
            let public = allows(standing, right, room(RoomKind::Public));
            assert_eq!(public, told(*mark), "{standing:?} {right:?}");
            let private = allows(standing, right, room(RoomKind::Private));
            if standing == Standing::Stranger {
                assert_eq!(private, Err(Denied::Absent), "{right:?}");
            } else {
                assert_eq!(private, public, "{standing:?} {right:?}");
            }
            for kind in RoomKind::VARIANTS {
                let removed = allows(Standing::Removed, right, room(*kind));
                assert_eq!(removed, Err(Denied::Absent), "{right:?}");
            }
        }
    }
}

#[test]
fn general_is_left_by_no_one_and_a_conversation_belongs_to_all_in_it() {
    let general = RoomFacts {
        is_general: true,
        ..room(RoomKind::Public)
    };
    for right in Right::VARIANTS.iter().copied() {
        let owner = allows(member(Role::Owner), right, general);
        assert_eq!(owner.is_err(), NOT_IN_GENERAL.contains(&right), "{right:?}");
        let stranger = allows(Standing::Stranger, right, general);
        let may = [Right::See, Right::Join].contains(&right);
        assert_eq!(stranger, if may { Ok(()) } else { Err(Denied::Absent) });
        for role in Role::VARIANTS {
            let direct = allows(member(*role), right, room(RoomKind::Direct));
            assert_eq!(direct.is_ok(), IN_DIRECT.contains(&right), "{right:?}");
        }
        let stranger = allows(Standing::Stranger, right, room(RoomKind::Direct));
        assert_eq!(stranger, Err(Denied::Absent));
    }
}

#[test]
fn who_is_muted_reads_and_an_archived_room_is_read() {
    for right in Right::VARIANTS.iter().copied() {
        for role in Role::VARIANTS.iter().copied() {
            let may = allows(member(role), right, room(RoomKind::Public));
            let muted = Standing::Member {
                role,
                is_muted: true,
            };
            let muted = allows(muted, right, room(RoomKind::Public));
            let archived = RoomFacts {
                is_archived: true,
                ..room(RoomKind::Public)
            };
            let archived = allows(member(role), right, archived);
            let unless = |stays: &[Right], denied| match may {
                Ok(()) if !stays.contains(&right) => Err(denied),
                may => may,
            };
            assert_eq!(muted, unless(MUTED, Denied::Muted), "{role:?} {right:?}");
            assert_eq!(
                archived,
                unless(ARCHIVED, Denied::Archived),
                "{role:?} {right:?}"
            );
        }
    }
    let archived = RoomFacts {
        is_archived: true,
        ..room(RoomKind::Public)
    };
    let joins = allows(Standing::Stranger, Right::Join, archived);
    assert_eq!(joins, Err(Denied::Archived));
}

#[test]
fn absent_and_removed_are_told_the_same_as_no_room_at_all() {
    assert_eq!(Error::from(Denied::Absent), Error::no_such_room());
}
