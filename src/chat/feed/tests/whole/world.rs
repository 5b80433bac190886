//! The world of a run: what is stored, who is connected, and what each step does to them.

use super::*;

/// What is on its way to a socket.
#[derive(Clone, Default)]
pub struct OnItsWay(pub Rc<RefCell<VecDeque<Deliver>>>);

impl Outbox for OnItsWay {
    fn offer(&self, delivery: Deliver) -> bool {
        let mut held = self.0.borrow_mut();
        let fits = held.len() < LIMITS.queue_frames;
        if fits {
            held.push_back(delivery);
        }
        fits
    }
}

/// What is stored.
pub struct Store {
    pub log: BTreeMap<i64, Vec<Bytes>>,
    /// Room → who is in it.
    pub members: BTreeMap<i64, BTreeSet<usize>>,
    /// Who, and from where → the last change by which they were no member any more.
    pub ends: BTreeMap<(usize, i64), u64>,
}

impl Store {
    pub fn last(&self, room: i64) -> u64 {
        self.log[&room].len() as u64
    }

    pub fn rooms_of(&self, who: usize) -> BTreeSet<i64> {
        let rooms = self.members.iter();
        rooms
            .filter(|(_, members)| members.contains(&who))
            .map(|(room, _)| *room)
            .collect()
    }
}

pub struct World {
    pub registry: Registry<OnItsWay>,
    pub now: Instant,
    pub store: Store,
    /// Committed, and not announced yet.
    pub held: Vec<Broadcast>,
    /// Room → who has become a member, or ceased to be one, without a word.
    pub silent: BTreeMap<i64, BTreeSet<i64>>,
    pub clients: Vec<Client>,
}

impl World {
    pub fn new() -> Self {
        Self {
            registry: Registry::new(LIMITS),
            now: Instant::now(),
            store: Store {
                log: ROOMS.map(|room| (room, Vec::new())).into(),
                members: ROOMS.map(|room| (room, (0..CLIENTS).collect())).into(),
                ends: BTreeMap::new(),
            },
            held: Vec::new(),
            silent: BTreeMap::new(),
            clients: (0..CLIENTS).map(|_| Client::default()).collect(),
        }
    }

    fn commit(&mut self, room: i64) -> Broadcast {
        let seq = self.store.last(room) + 1;
        let frame = Bytes::from(format!("{room}:{seq}"));
        let log = self.store.log.get_mut(&room).expect("a room");
        log.push(frame.clone());
        Broadcast {
            room_id: room,
            seq,
            frame,
            own: None,
            is_post: true,
            written_by: None,
            members: Vec::new(),
        }
    }

    fn hold(&mut self, room: i64, count: u64) {
        for _ in 0..count {
            let change = self.commit(room);
            self.held.push(change);
        }
    }

    fn announce(&mut self) {
        let changes = std::mem::take(&mut self.held);
        self.registry.publish(&changes, self.now);
    }

    fn publish(&mut self, room: i64, count: u64) {
        self.hold(room, count);
        self.announce();
    }

    fn move_member(&mut self, who: usize, room: i64, comes: bool, told: Told) {
        let members = self.store.members.get_mut(&room).expect("a room");
        let is_new = if comes {
            members.insert(who)
        } else {
            members.remove(&who)
        };
        if !is_new {
            return;
        }
        let mut change = self.commit(room);
        if !comes {
            self.store.ends.insert((who, room), change.seq);
        }
        if told == Told::Never {
            let silent = self.silent.entry(room).or_default();
            silent.insert(who.try_into().expect("few"));
        } else {
            let kind = if comes {
                Membership::Joined
            } else {
                Membership::Left
            };
            change.members = vec![(who.try_into().expect("few"), kind)];
            self.held.push(change);
        }
        if told == Told::Now {
            self.announce();
        }
    }

    fn settle_doubt(&mut self, room: i64) {
        // A writer tells of its commits before it looks at what is in doubt: a look that sees someone back comes after the word that
        // they had left.
        self.announce();
        let last = self.store.last(room);
        let is_member = |who: &i64| {
            let who = usize::try_from(*who).expect("few");
            self.store.members[&room].contains(&who)
        };
        let silent = self.silent.remove(&room).unwrap_or_default();
        let users: Vec<i64> = silent.into_iter().filter(is_member).collect();
        self.registry.let_in(room, last, &users, self.now);
        self.registry.tell_reached(room, last, self.now);
    }

    fn come(&mut self, who: usize, meanwhile: u64, moved: Option<(i64, bool, Told)>) {
        if self.clients[who].session.is_some() {
            return;
        }
        let rooms = self.store.rooms_of(who);
        let (mailbox, gauge) = (OnItsWay::default(), Arc::<Gauge>::default());
        let newcomer = NewSocket {
            user_id: who.try_into().expect("few"),
            username: format!("user{who}"),
            session_id: 0,
            rooms: rooms.clone(),
            unopened: BTreeSet::new(),
            gauge: Arc::clone(&gauge),
        };
        let id = self.registry.connect(newcomer, mailbox.clone(), self.now);
        if meanwhile > 0 {
            self.publish(1, meanwhile);
        }
        if let Some((room, comes, told)) = moved {
            self.move_member(who, room, comes, told);
        }
        let now_in = self.store.rooms_of(who);
        if now_in != rooms {
            self.registry.set_rooms(id, now_in.clone(), self.now);
        }
        let rooms = now_in.into_iter();
        let seqs: Cursors = rooms.map(|room| (room, self.store.last(room))).collect();
        let client = &mut self.clients[who];
        client.views.retain(|room, _| seqs.contains_key(room));
        for (room, seq) in &seqs {
            let fresh = || View {
                start: *seq,
                has: BTreeSet::new(),
                expect: Expect::Exactly(0),
            };
            client.views.entry(*room).or_insert_with(fresh).expect = Expect::Exactly(seq + 1);
        }
        client.asked = None;
        client.session = Some(Session {
            id,
            on_its_way: mailbox,
            mailbox: VecDeque::new(),
            gauge,
            rooms: seqs
                .iter()
                .map(|(room, seq)| (*room, RoomFeed::new(*seq)))
                .collect(),
            reading: BTreeMap::new(),
            told: seqs.clone(),
            asked: None,
            sync: None,
        });
    }

    fn cut(&mut self, who: usize) {
        if let Some(session) = self.clients[who].session.take() {
            self.registry.disconnect(session.id, self.now);
        }
    }

    /// As an office does it.
    fn sort(&mut self, who: usize, count: usize, is_busy: bool) {
        let client = &mut self.clients[who];
        let Some(session) = &mut client.session else {
            return;
        };
        let mut sent = Vec::new();
        for _ in 0..count {
            let delivery = session.on_its_way.0.borrow_mut().pop_front();
            let Some(delivery) = delivery else { break };
            if is_busy || !session.pass(&delivery, &mut sent) {
                session.mailbox.push_back(delivery);
            }
        }
        client.session.take_if(|session| session.is_given_up());
        client.hear(who, sent, &self.store);
    }

    fn take(&mut self, who: usize, count: usize) {
        for _ in 0..count {
            let client = &mut self.clients[who];
            let Some(session) = &mut client.session else {
                return;
            };
            let Some(delivery) = session.mailbox.pop_front() else {
                return;
            };
            session.gauge.take(delivery.weight());
            session.gauge.progress();
            session.gauge.hear();
            session.note_told(&delivery);
            let mut sent = Vec::new();
            match delivery {
                Deliver::Change {
                    room_id,
                    seq,
                    frame,
                    ..
                } => session.feed(room_id, &mut sent, |feed, actions| {
                    feed.live(seq, frame, actions);
                }),
                Deliver::Missed { room_id, seq } => {
                    session.feed(room_id, &mut sent, |feed, actions| {
                        feed.missed(seq, actions);
                    });
                }
                Deliver::Reached { room_id, seq } => session.reached(room_id, seq, &mut sent),
                Deliver::Joined { room_id, seq } => session.come_in(room_id, seq, &mut sent),
                Deliver::Left { room_id, seq } => session.go_out(room_id, seq, &mut sent),
                Deliver::View { .. }
                | Deliver::Own { .. }
                | Deliver::Notice(_)
                | Deliver::Aside(_) => {}
                Deliver::Ping => session.gauge.ping(),
                Deliver::Close { .. } => client.session = None,
            }
            client.session.take_if(|session| session.is_given_up());
            client.hear(who, sent, &self.store);
        }
    }

    fn ask(&mut self, who: usize, rooms: &[i64], back: i64) {
        let client = &mut self.clients[who];
        let Some(session) = &mut client.session else {
            return;
        };
        if client.asked.is_some() {
            return;
        }
        let mut cursors = Cursors::new();
        for room in rooms {
            let Some(view) = client.views.get_mut(room) else {
                cursors.insert(*room, 0);
                continue;
            };
            let cursor = view.cursor().saturating_add_signed(-back);
            // Whoever asks for what was before he first came wants to have it.
            view.start = view.start.min(cursor);
            cursors.insert(*room, cursor);
            view.ask();
        }
        session.asked = Some(cursors.clone());
        client.asked = Some(cursors);
    }

    fn hear(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if let Some(session) = &mut client.session {
            session.gauge.hear();
            let sent = session.start_sync();
            client.hear(who, sent, &self.store);
        }
    }

    fn read(&mut self, who: usize, room: i64, most: Option<usize>) {
        let last_seq = self.store.last(room);
        let is_member = self.store.members[&room].contains(&who);
        let session = self.clients[who].session.as_mut();
        let Some(reading) = session.and_then(|session| session.reading.get_mut(&room)) else {
            return;
        };
        let Reading::After(since) = *reading else {
            return;
        };
        let Some(most) = most else {
            *reading = Reading::Failed;
            return;
        };
        if !is_member {
            *reading = Reading::NoMember;
            return;
        }
        let rest = (1..)
            .zip(&self.store.log[&room])
            .filter(|(seq, _)| *seq > since);
        let changes: Vec<_> = rest
            .map(|(seq, frame)| (seq, frame.clone()))
            .take(most)
            .collect();
        let complete = changes.last().map_or(since, |(seq, _)| *seq) >= last_seq;
        *reading = Reading::Done(Page {
            since,
            changes,
            last_seq,
            complete,
        });
    }

    fn page(&mut self, who: usize, room: i64) {
        let client = &mut self.clients[who];
        let Some(session) = &mut client.session else {
            return;
        };
        let mut sent = Vec::new();
        match session.reading.remove(&room) {
            Some(Reading::Done(page)) => session.page(room, page, &mut sent),
            Some(Reading::NoMember) => session.forget(room, &mut sent),
            Some(Reading::Failed) => session.feed(room, &mut sent, Feed::failed),
            Some(waiting @ Reading::After(_)) => _ = session.reading.insert(room, waiting),
            None => {}
        }
        client.hear(who, sent, &self.store);
    }

    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.registry.tick(self.now);
        }
        self.registry.tell_comings();
    }

    pub fn step(&mut self, step: Step) {
        match step {
            Step::Publish { room, count } => self.publish(room, count),
            Step::Lose { room } => drop(self.commit(room)),
            Step::Reached { room } => self.settle_doubt(room),
            Step::Hold { room, count } => self.hold(room, count),
            Step::Move {
                who,
                room,
                comes,
                told,
            } => self.move_member(who, room, comes, told),
            Step::Come {
                who,
                meanwhile,
                moved,
            } => self.come(who, meanwhile, moved),
            Step::Cut { who } => self.cut(who),
            Step::Sort {
                who,
                count,
                is_busy,
            } => self.sort(who, count, is_busy),
            Step::Take { who, count } => self.take(who, count),
            Step::Ask { who, rooms, back } => self.ask(who, &rooms, back),
            Step::Hear { who } => self.hear(who),
            Step::Read { who, room, most } => self.read(who, room, most),
            Step::Page { who, room } => self.page(who, room),
            Step::Pass { seconds } => self.pass(seconds),
        }
        self.check_nothing_waits();
    }

    /// What a session was told of has been sent, or told as a `lag`, or is being read. Nothing may wait for the next
    /// change to be noticed: there may be none.
    fn check_nothing_waits(&self) {
        let sessions = self.clients.iter().filter_map(|who| who.session.as_ref());
        for session in sessions {
            for (room, RoomFeed { feed, .. }) in &session.rooms {
                let (sent, told) = (feed.sent(), session.told.get(room).unwrap_or(&0));
                assert!(
                    sent >= *told || session.reading.contains_key(room),
                    "told of {told}, sent {sent}, and nothing is being read"
                );
            }
        }
    }

    /// Everything that is under way arrives.
    fn settle(&mut self, who: usize) {
        let is_busy = |client: &Client| {
            client.session.as_ref().is_some_and(|session| {
                let has_come = session.on_its_way.0.borrow().is_empty();
                let is_read = session.mailbox.is_empty() && session.reading.is_empty();
                !has_come || !is_read || session.asked.is_some()
            })
        };
        for _ in 0..1_000 {
            if !is_busy(&self.clients[who]) {
                return;
            }
            self.sort(who, usize::MAX, false);
            self.take(who, usize::MAX);
            self.hear(who);
            for room in ROOMS {
                self.read(who, room, Some(usize::MAX));
                self.page(who, room);
            }
        }
        panic!("it never ends");
    }

    /// The faults are over; everyone comes back, and asks for what he was told that he has not.
    pub fn end(mut self) {
        self.announce();
        for who in 0..CLIENTS {
            self.settle(who);
            self.pass(1);
            for room in ROOMS {
                self.settle_doubt(room);
            }
            self.come(who, 0, None);
            self.settle(who);
            self.ask(who, &ROOMS, 0);
            self.settle(who);
            // From here on it is live: nothing needs to be asked for any more.
            self.publish(1, 1);
            self.settle(who);
            let views = &self.clients[who].views;
            let rooms: BTreeSet<i64> = views.keys().copied().collect();
            assert_eq!(rooms, self.store.rooms_of(who), "the rooms of {who}");
            for (room, view) in views {
                assert_eq!(
                    view.cursor(),
                    self.store.last(*room),
                    "room {room}: {view:?}"
                );
                assert!(matches!(view.expect, Expect::Exactly(_)), "{view:?}");
            }
        }
    }
}
