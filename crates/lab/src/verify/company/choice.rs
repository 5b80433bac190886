//! What someone does next, by chance: most often what may be done, now and then what must be refused.

use std::collections::VecDeque;

use super::{Part, Person, Place, Shared, Target};
use crate::verify::{
    check::rooms::{Act, Deed, User},
    crowd::content,
    rng::Rng,
};

/// How people react.
const EMOJI: [&str; 3] = ["👍", "🎉", "🚀"];
const PIN: &str = "pin";
/// Longest text, about.
const LONGEST: usize = 300;
/// The keeper takes someone out or in at one in so many acts.
const KEEPS: usize = 3;
/// One in so many acts of a guest is to go, while it is in a room of its choice.
const GOES: usize = 40;
/// One in so many acts of a guest is done in a room that it is not in, when there is one.
const INTRUDES: usize = 5;

/// Begins an act. Tells the room and the place of it, if there was something to do.
pub fn begin(shared: &Shared, person: &Person, rng: &mut Rng) -> Option<(usize, usize)> {
    let (room, act) = {
        let mut places = person.places.borrow_mut();
        let outside: Vec<usize> = which(&places, false);
        let intrudes = person.part == Part::Guest && rng.once_in(INTRUDES);
        let rooms = if intrudes && !outside.is_empty() {
            outside
        } else {
            which(&places, true)
        };
        let room = *rooms.get(rng.below(rooms.len()))?;
        let act = choose(shared, person, room, places.get_mut(room)?, rng)?;
        (room, act)
    };
    if let Some(target) = target(&act, person.user)
        && !person.busy.borrow_mut().insert((room, target))
    {
        return None;
    }
    let deed = Deed::new(person.user, act);
    Some((room, shared.book.begin(room, deed)))
}

/// Begins to write in a room all the same, as one does who was taken out a moment ago.
pub fn insist(shared: &Shared, person: &Person, room: usize, rng: &mut Rng) -> (usize, usize) {
    let act = Act::Post(text(shared, room, rng));
    (room, shared.book.begin(room, Deed::new(person.user, act)))
}

fn text(shared: &Shared, room: usize, rng: &mut Rng) -> String {
    let number = shared.book.number();
    content(&format!("{}-{room}-{number}", shared.phase), LONGEST, rng)
}

/// Where a person is, or is not.
fn which(places: &[Place], is_inside: bool) -> Vec<usize> {
    let places = places.iter().enumerate();
    places
        .filter(|(_, place)| place.is_inside == is_inside)
        .map(|(room, _)| room)
        .collect()
}

/// What an act is about.
pub fn target(act: &Act, user: User) -> Option<Target> {
    match act {
        Act::Post(_) => None,
        Act::Edit(id, _) | Act::Delete(id) | Act::React(id, ..) | Act::Pin(id, _) => {
            Some(Target::Message(*id))
        }
        Act::Join | Act::Leave => Some(Target::Member(user)),
        Act::Invite(other) | Act::Kick(other) => Some(Target::Member(*other)),
    }
}

fn choose(
    shared: &Shared,
    person: &Person,
    room: usize,
    place: &mut Place,
    rng: &mut Rng,
) -> Option<Act> {
    let is_guarded = shared.book.rooms.get(room)?.owner.is_some();
    if is_guarded && let Some(act) = come_or_go(shared, person, place, rng) {
        return Some(act);
    }
    let pick = |list: &VecDeque<u64>, rng: &mut Rng| list.get(rng.below(list.len())).copied();
    let own = pick(&place.own, rng);
    let any = pick(&place.recent, rng);
    let text = text(shared, room, rng);
    Some(match (rng.below(100), own, any) {
        (0..18, Some(id), _) => Act::Edit(id, text),
        // The keeper may do the second to what is not its own, and no one else may.
        (18..26, Some(id), _) | (26..29, _, Some(id)) => Act::Delete(id),
        (29..49, _, Some(id)) => {
            let emoji = *EMOJI.get(rng.below(EMOJI.len()))?;
            Act::React(id, emoji.into(), turn(place, id, emoji))
        }
        (49..55, Some(id), _) => Act::Pin(id, turn(place, id, PIN)),
        (55..57, _, Some(id)) if !place.own.contains(&id) => Act::Edit(id, text),
        (57..59, ..) if is_guarded && person.part == Part::Resident => {
            Act::Kick(*shared.guests.first()?)
        }
        _ => Act::Post(text),
    })
}

/// The other way than the last time.
fn turn(place: &mut Place, id: u64, mark: &'static str) -> bool {
    let is_on = place.marks.entry((id, mark)).or_default();
    *is_on = !*is_on;
    *is_on
}

fn come_or_go(shared: &Shared, person: &Person, place: &Place, rng: &mut Rng) -> Option<Act> {
    match person.part {
        Part::Keeper if rng.once_in(KEEPS) => {
            let guest = *shared.guests.get(rng.below(shared.guests.len()))?;
            let is_present = place.present.contains(&guest);
            Some(if is_present {
                Act::Kick(guest)
            } else {
                Act::Invite(guest)
            })
        }
        Part::Guest if !place.is_inside && rng.once_in(3) => Some(Act::Join),
        Part::Guest if place.is_inside && rng.once_in(GOES) => Some(Act::Leave),
        _ => None,
    }
}
