//! A writer: sends what the beat gives it, several messages at a time, and sends again whatever was not acked, under
//! the same `client_id`, until it is.

use std::{
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use parlour_client::socket::{Heard, Socket};

use super::{
    Identity, Record, Shared, WriterState,
    identity::{Over, say},
};
use crate::{
    protocol::{
        GENERAL,
        command::{Command, Request, SendMessage},
        event::{Ack, ErrorFrame, Event},
    },
    verify::{
        check::{Seen, digest},
        rng::Rng,
    },
};

/// Messages that wait for their ack at a time; fewer than a server refuses.
const WINDOW: usize = 16;
/// How long an ack may take before the line is taken for dead. The server's own patience is shorter.
const TIMEOUT: Duration = Duration::from_secs(5);
/// One in so many refusals is taken for the last word.
const GIVES_UP: usize = 5;
/// Refusals that say that nothing was stored by this attempt.
const REFUSED: [&str; 5] = [
    "store_unavailable",
    "busy",
    "shutting_down",
    "too_many_unacked",
    "rate_limited",
];

/// Writes forever.
pub async fn write(
    shared: Rc<Shared>,
    state: Rc<WriterState>,
    mut identity: Identity,
    mut rng: Rng,
) {
    loop {
        let opened = identity.open().await;
        if let Err(failure) = &opened {
            identity.renew(failure).await;
        }
        if let Ok((socket, connected)) = opened {
            let floor = connected.rooms.iter().find(|room| room.room == GENERAL);
            let conversation = Conversation {
                view: shared.record.open_view(floor.map_or(0, |room| room.seq)),
                pipeline: open_pipeline(&shared.record),
                shared: &shared,
                state: &state,
                socket,
                waiting: HashMap::new(),
                not_before: Instant::now(),
            };
            conversation.run(&mut rng).await;
            shared.record.closed.set(shared.record.closed.get() + 1);
        }
        tokio::time::sleep(rng.millis(10, 60)).await;
    }
}

fn open_pipeline(record: &Record) -> usize {
    let mut pipelines = record.pipelines.borrow_mut();
    pipelines.push(Vec::new());
    pipelines.len() - 1
}

/// A message that waits for its ack.
struct Waiting {
    since: Instant,
    is_first_attempt: bool,
}

/// One connection of a writer.
struct Conversation<'a> {
    shared: &'a Shared,
    state: &'a WriterState,
    socket: Socket,
    view: usize,
    pipeline: usize,
    waiting: HashMap<usize, Waiting>,
    /// Something was refused: nothing is sent before this moment.
    not_before: Instant,
}

/// Also when the writers are stopped before all is acked.
impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        // Whatever was not answered may be stored or not. It is sent again, oldest first.
        let mut unanswered: Vec<_> = self.waiting.keys().copied().collect();
        unanswered.sort_unstable();
        for place in unanswered.into_iter().rev() {
            self.note_unknown(place);
            self.state.queue.borrow_mut().push_front(place);
        }
        self.state.unanswered.set(0);
    }
}

impl Conversation<'_> {
    async fn run(mut self, rng: &mut Rng) {
        while self.step(rng).await.is_ok() {}
    }

    async fn step(&mut self, rng: &mut Rng) -> Result<(), Over> {
        let pause = self.not_before.saturating_duration_since(Instant::now());
        while self.waiting.len() < WINDOW && pause.is_zero() {
            let Some(place) = self.state.queue.borrow_mut().pop_front() else {
                break;
            };
            self.send(place).await?;
        }
        let oldest = self.waiting.values().map(|waiting| waiting.since).min();
        let patience = oldest.map_or(TIMEOUT, |oldest| TIMEOUT.saturating_sub(oldest.elapsed()));
        tokio::select! {
            heard = self.socket.next() => match heard.map_err(|_| Over)? {
                Heard::Frame(event) => {
                    self.hear(*event, rng);
                    Ok(())
                }
                Heard::Sign => Ok(()),
            },
            () = self.state.more.notified(), if pause.is_zero() => Ok(()),
            () = tokio::time::sleep(pause), if !pause.is_zero() => Ok(()),
            () = tokio::time::sleep(patience) => if oldest.is_some() { Err(Over) } else { Ok(()) },
        }
    }

    async fn send(&mut self, place: usize) -> Result<(), Over> {
        let (content, client_id) = {
            let sent = self.shared.record.sent.borrow();
            let sending = sent.get(place).ok_or(Over)?;
            (sending.content.clone(), sending.client_id.clone())
        };
        let is_first_attempt = self.is_first_attempt(place);
        let waiting = Waiting {
            since: Instant::now(),
            is_first_attempt,
        };
        self.waiting.insert(place, waiting);
        self.state.unanswered.set(self.waiting.len());
        if is_first_attempt
            && let Some(pipeline) = self
                .shared
                .record
                .pipelines
                .borrow_mut()
                .get_mut(self.pipeline)
        {
            pipeline.push(place);
        }
        let request = Request::with_ref(
            place.to_string(),
            Command::Message(SendMessage {
                content,
                client_id: Some(client_id),
                ..SendMessage::default()
            }),
        );
        say(&mut self.socket, &request).await
    }

    fn is_first_attempt(&self, place: usize) -> bool {
        let mut offers = self.shared.record.offers.borrow_mut();
        offers
            .get_mut(place)
            .is_some_and(|offer| !std::mem::replace(&mut offer.is_tried, true))
    }

    fn hear(&mut self, event: Event, rng: &mut Rng) {
        let record = &self.shared.record;
        match event {
            Event::Ack(ack) => self.hear_ack(&ack),
            Event::Error(error) => self.hear_error(&error, rng),
            Event::Message(message) => {
                let content = digest(&message.content);
                record.see(self.view, Seen::Message(message.seq, content));
            }
            Event::Lag { seq, .. } => {
                record.lags.set(record.lags.get() + 1);
                record.see(self.view, Seen::Lag(seq));
            }
            _ => {}
        }
    }

    fn hear_ack(&mut self, ack: &Ack) {
        let Ok(place) = ack.reference.parse::<usize>() else {
            return;
        };
        let Some(waiting) = self.waiting.remove(&place) else {
            return;
        };
        let record = &self.shared.record;
        record.absence.hear_ack(waiting.since);
        if let Some(sending) = record.sent.borrow_mut().get_mut(place) {
            sending.acks.push(ack.seq);
            sending.at_once = waiting.is_first_attempt && !ack.duplicate;
        }
        let counts = record
            .offers
            .borrow()
            .get(place)
            .is_some_and(|it| it.counts);
        record.reached.set(record.reached.get() + u64::from(counts));
        record.acked.set(record.acked.get() + 1);
        record.last_ack.set(record.last_ack.get().max(ack.seq));
        self.state.acked.set(self.state.acked.get() + 1);
        self.state.unanswered.set(self.waiting.len());
    }

    fn hear_error(&mut self, error: &ErrorFrame, rng: &mut Rng) {
        let place = error
            .reference
            .as_deref()
            .and_then(|text| text.parse().ok());
        let Some(place) = place.filter(|place| self.waiting.remove(place).is_some()) else {
            return;
        };
        let is_refused = REFUSED.contains(&error.code.as_str());
        if is_refused {
            let refused = &self.shared.record.refused;
            refused.set(refused.get() + 1);
        } else {
            self.note_unknown(place);
        }
        // Now and then a refusal is believed: what was only ever refused must not be in history.
        if !is_refused || !rng.once_in(GIVES_UP) {
            self.state.queue.borrow_mut().push_front(place);
        }
        self.state.unanswered.set(self.waiting.len());
        self.not_before = Instant::now() + rng.millis(50, 150);
    }

    fn note_unknown(&self, place: usize) {
        let record = &self.shared.record;
        record.unknown.set(record.unknown.get() + 1);
        if let Some(sending) = record.sent.borrow_mut().get_mut(place) {
            sending.unknown = true;
        }
    }
}
