//! What was fetched before, plus the frames received, is what is fetched after: for whoever acts, whoever listens, and
//! whoever was away or comes late, over random runs of everything that changes something.
//!
//! Whoever adds something that people can do adds it to [`Act`], and teaches [`State::apply`] what its frames mean.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    Backend, Closed, Incoming, Server, Socket, TIMEOUT, User, crash::Chance, unique,
};

mod rooms;
mod state;

use rooms::rooms_are_what_their_frames_made_of_them;
use state::{State, id_of, seq_of, text};

on_both![
    a_snapshot_and_the_frames_after_it_are_the_next_snapshot,
    rooms_are_what_their_frames_made_of_them,
];

const RUNS: u64 = 20;
const ACTS: usize = 40;
/// Most sockets of one person.
const MOST_SEATS: usize = 3;
/// How long what people see may differ: joins and leaves are told together, after a moment.
const SETTLED: Duration = Duration::from_secs(10);

/// Something that people do and others hear of.
#[derive(Debug, Clone, Copy)]
enum Act {
    Register,
    LogIn,
    LogOut,
    Connect,
    Disconnect,
    Say,
    SayWithClientId,
    Repeat,
    SayWhatIsRefused,
    SyncFromBefore,
}

impl Act {
    /// Often what is done often.
    const ALL: [Self; 20] = [
        Self::Register,
        Self::LogIn,
        Self::LogOut,
        Self::Connect,
        Self::Connect,
        Self::Connect,
        Self::Disconnect,
        Self::Disconnect,
        Self::Disconnect,
        Self::Say,
        Self::Say,
        Self::Say,
        Self::Say,
        Self::SayWithClientId,
        Self::SayWithClientId,
        Self::SayWithClientId,
        Self::Repeat,
        Self::Repeat,
        Self::SayWhatIsRefused,
        Self::SyncFromBefore,
    ];
}

/// An open socket, and what its client shows.
struct Seat {
    socket: Socket,
    state: State,
    /// The login it was opened with.
    token: String,
}

impl Seat {
    /// A client opens its first socket, or comes back with what it had shown.
    fn take(user: &User, left: Option<State>, begin: u64) -> Self {
        let socket = user.connect();
        let came_back = left.is_some();
        let state = left.unwrap_or_else(|| State::fetch(user, &socket, begin));
        let cursor = state.rooms["general"].seq;
        let mut seat = Self {
            socket,
            state,
            token: user.token.clone(),
        };
        if came_back {
            let connected = seat.socket.connected.clone();
            seat.state.greet(&connected);
            seat.sync(cursor);
        }
        seat
    }

    /// Sends a frame and hears everything up to its answer.
    fn ask(&mut self, mut frame: Value) -> Value {
        let reference = unique();
        frame["ref"] = json!(reference);
        self.socket.send_json(&frame);
        loop {
            let frame = self.socket.next_frame();
            self.state.apply(&frame);
            if frame["ref"] == *reference {
                return frame;
            }
        }
    }

    fn sync(&mut self, cursor: u64) {
        let synced = self.ask(json!({"type": "sync", "rooms": {"general": cursor}}));
        assert_eq!(synced["type"], "synced", "{synced}");
        let room = &synced["rooms"]["general"];
        assert_eq!(room["complete"], true, "{synced}");
        let reached = self.state.rooms["general"].seq;
        assert!(seq_of(room) <= reached, "{synced} after {reached}");
    }

    /// Hears what is still on its way when the server closes.
    fn hear_the_end(mut self, code: u16) -> State {
        loop {
            match self.socket.next(TIMEOUT) {
                Incoming::Frame(frame) => self.state.apply(&frame),
                Incoming::Closed(Closed::Code(seen, _)) if seen == code => return self.state,
                other => panic!("{other:?} instead of {code}"),
            }
        }
    }
}

/// Someone with an account, all sockets of his, and what his client showed when the last was closed.
struct Member {
    user: User,
    /// How far the room had come when the run began.
    begin: u64,
    is_logged_in: bool,
    seats: Vec<Seat>,
    left: Option<State>,
    /// What was said under a `client_id`: that, the content, and the number it got.
    named: Vec<(String, String, u64)>,
}

impl Member {
    fn register(server: &Server, name: &str, begin: u64) -> Self {
        Self {
            user: User::register(server, name),
            begin,
            is_logged_in: true,
            seats: Vec::new(),
            left: None,
            named: Vec::new(),
        }
    }

    fn log_in(&mut self) {
        self.user.log_in();
        self.is_logged_in = true;
    }

    fn connect(&mut self) {
        if !self.is_logged_in {
            self.log_in();
        }
        let left = self.left.take();
        self.seats.push(Seat::take(&self.user, left, self.begin));
    }

    fn disconnect(&mut self, seat: usize) {
        let Seat { socket, state, .. } = self.seats.remove(seat);
        socket.close();
        self.left = Some(state);
    }

    fn log_out(&mut self) {
        let answer = self.user.http().post("/api/auth/logout", &json!({}));
        answer.expect(204);
        self.is_logged_in = false;
        let token = &self.user.token;
        let (ended, stay) = std::mem::take(&mut self.seats)
            .into_iter()
            .partition(|seat| seat.token == *token);
        self.seats = stay;
        let ended: Vec<Seat> = ended;
        for seat in ended {
            self.left = Some(seat.hear_the_end(4403));
        }
    }

    /// Says something by either road. `Ok` holds the number, and whether it is new.
    fn say(
        &mut self,
        content: &str,
        client_id: Option<&str>,
        chance: &mut Chance,
    ) -> Result<(u64, bool), Value> {
        if !self.is_logged_in {
            self.log_in();
        }
        if chance.below(2) == 0 {
            let answer = self.user.post(content, client_id);
            let body = answer.json();
            return match answer.status {
                status @ (200 | 201) => Ok((id_of(&body), status == 201)),
                _ => Err(body),
            };
        }
        if self.seats.is_empty() {
            self.connect();
        }
        let seat = chance.below(self.seats.len());
        let mut frame = json!({"type": "message", "content": content});
        if let Some(client_id) = client_id {
            frame["client_id"] = client_id.into();
        }
        let answer = self.seats[seat].ask(frame);
        match text(&answer["type"]) {
            "ack" => Ok((id_of(&answer), answer["duplicate"] == false)),
            _ => Err(answer),
        }
    }
}

/// One run: some people, and chance.
struct Run<'a> {
    server: &'a Server,
    seed: u64,
    begin: u64,
    chance: Chance,
    members: Vec<Member>,
    said: usize,
}

impl Run<'_> {
    fn register(&mut self) {
        let name = format!("r{:x}n{}", self.seed, self.members.len());
        self.members
            .push(Member::register(self.server, &name, self.begin));
    }

    fn act(&mut self, act: Act) {
        // The first only listens, and the second is away.
        let who = 2 + self.chance.below(self.members.len() - 2);
        let member = &mut self.members[who];
        let chance = &mut self.chance;
        self.said += 1;
        let content = format!("{} of {:x}", self.said, self.seed);
        match act {
            Act::Register => self.register(),
            Act::LogIn => member.log_in(),
            Act::LogOut if member.is_logged_in => member.log_out(),
            Act::Connect if member.seats.len() < MOST_SEATS => member.connect(),
            Act::Disconnect if !member.seats.is_empty() => {
                let seat = chance.below(member.seats.len());
                member.disconnect(seat);
            }
            Act::Say => {
                let (_, is_new) = member.say(&content, None, chance).expect("it is said");
                assert!(is_new);
            }
            Act::SayWithClientId => {
                let name = format!("c{}", self.said);
                let said = member.say(&content, Some(&name), chance);
                let (id, is_new) = said.expect("it is said");
                assert!(is_new);
                member.named.push((name, content, id));
            }
            Act::Repeat if !member.named.is_empty() => {
                let which = chance.below(member.named.len());
                let (name, content, id) = member.named[which].clone();
                let again = member.say(&content, Some(&name), chance);
                assert_eq!(again, Ok((id, false)), "the first answer");
            }
            Act::SayWhatIsRefused => {
                let taken = member.named.first().map(|(name, ..)| name.clone());
                let (content, name) = match (chance.below(2), taken) {
                    (0, Some(name)) => (content, Some(name)),
                    _ => ("x".repeat(17_000), None),
                };
                let refused = member.say(&content, name.as_deref(), chance);
                refused.expect_err("it is refused");
            }
            Act::SyncFromBefore if !member.seats.is_empty() => {
                let seat = chance.below(member.seats.len());
                let seat = &mut member.seats[seat];
                let reached = seat.state.rooms["general"].seq;
                let back = chance.below(30) as u64;
                seat.sync(reached.saturating_sub(back).max(member.begin));
            }
            // Not at this moment.
            Act::LogOut | Act::Connect | Act::Disconnect | Act::Repeat | Act::SyncFromBefore => {}
        }
    }

    /// Who was away comes back, some others stay away, and one comes for the first time: all who are here show what a new
    /// client of the same person would show.
    fn check(&mut self) {
        for (place, member) in self.members.iter_mut().enumerate() {
            if member.seats.is_empty() && (place == 1 || self.chance.below(2) == 0) {
                member.connect();
            }
            if !member.seats.is_empty() && !member.is_logged_in {
                member.log_in();
            }
        }
        self.register();
        if let Some(newcomer) = self.members.last_mut() {
            newcomer.connect();
        }
        for Member { user, seats, .. } in &mut self.members {
            for seat in seats {
                let start = Instant::now();
                loop {
                    // No one hears of it: he is here already.
                    let probe = user.connect();
                    let fetched = State::fetch(user, &probe, self.begin);
                    seat.ask(json!({"type": "ping"}));
                    if seat.state == fetched {
                        break;
                    }
                    assert!(
                        start.elapsed() < SETTLED,
                        "{} shows something else than is fetched:\n{}",
                        user.name,
                        seat.state.differences(&fetched)
                    );
                    thread::yield_now();
                }
            }
        }
    }
}

/// Says how to repeat a run that failed.
struct Repeat(u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("to repeat this run: PARLOUR_TEST_SEED={}", self.0);
        }
    }
}

fn a_snapshot_and_the_frames_after_it_are_the_next_snapshot(backend: Backend) {
    let wanted = std::env::var("PARLOUR_TEST_SEED").ok();
    let wanted = wanted.map(|text| text.parse::<u64>().expect("PARLOUR_TEST_SEED is a number"));
    let fresh = u64::from_str_radix(&unique()[..8], 16).expect("a number");
    let seeds = wanted.map_or(fresh..fresh + RUNS, |seed| seed..seed + 1);
    let server = Server::start(backend);
    let mut begin = 0;
    for seed in seeds {
        let repeat = Repeat(seed);
        let mut run = Run {
            server: &server,
            seed,
            begin,
            chance: Chance(seed),
            members: Vec::new(),
            said: 0,
        };
        for _ in 0..5 {
            run.register();
        }
        run.members[0].connect();
        run.members[1].connect();
        for number in 0..ACTS {
            if number == 8 {
                run.members[1].disconnect(0);
            }
            let act = Act::ALL[run.chance.below(Act::ALL.len())];
            run.act(act);
        }
        run.check();
        begin = run.members[0].seats[0].state.rooms["general"].seq;
        for member in run.members {
            for seat in member.seats {
                seat.socket.close();
            }
        }
        drop(repeat);
    }
}
