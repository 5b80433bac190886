//! A direct room that the user has hidden.

use super::*;
use crate::protocol::room::RoomChanged;

#[test]
fn a_hidden_room_comes_back_with_what_a_person_writes_and_with_nothing_else() {
    let mut store = reader(1, 5);
    let is_hidden = |store: &Store| store.room("garden").expect("a room").about().hidden;
    let hide = |store: &mut Store, seq| {
        let hidden = RoomChanged::hidden("garden".into(), seq, true);
        store.frame(0, event::Event::Room(RoomNews::Changed(hidden)));
    };
    let message = |id, seq, kind| Message {
        seq,
        kind,
        ..server::message("garden", id)
    };
    let live = |store: &mut Store, message| {
        store.frame(0, event::Event::Message(message));
    };
    live(&mut store, message(6, 6, Kind::Text));
    hide(&mut store, 6);
    assert!(is_hidden(&store));
    let edited = event::Event::MessageChanged(event::MessageChanged {
        message: message(6, 7, Kind::Text),
        by: None,
        change: None,
    });
    store.frame(0, edited);
    live(&mut store, message(8, 8, Kind::System));
    assert!(is_hidden(&store), "an edit, and what the room says");
    live(&mut store, message(9, 9, Kind::Text));
    assert!(!is_hidden(&store));
    // It was hidden before that message came, and told of after it.
    hide(&mut store, 8);
    assert!(!is_hidden(&store));
    hide(&mut store, 9);
    assert!(is_hidden(&store));
    let shown = RoomChanged::hidden("garden".into(), 9, false);
    store.frame(0, event::Event::Room(RoomNews::Changed(shown)));
    assert!(!is_hidden(&store));
}
