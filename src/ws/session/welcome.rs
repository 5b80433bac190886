//! The beginning and the end of a session: registering it, the first frame, and watching the login that it lives by.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Closing, Context, rooms::Rooms};
use crate::{
    app::App,
    chat::{Caller, rooms::FirstRooms},
    error::{Error, Kind, Result},
    hub::{Registration, office::LocalSocket, registry::NewSocket},
    protocol::{
        close,
        event::{Connected, Event, Notice, System},
        time::Timestamp,
    },
    ws::LocalEnd,
};

/// When one who came while the server is going down should come again.
const COME_BACK_MS: u64 = 2_000;
/// Shortest and longest wait before a login's end is looked up again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const LONGEST_TIMER: Duration = Duration::from_hours(24);

/// What a newcomer's first frame is made of.
struct Welcome {
    registration: Registration,
    online: Vec<String>,
    ends: Timestamp,
    rooms: FirstRooms,
}

/// The caller's rooms as they are now, asked for again where the store did not answer in time: the client would only come
/// back and ask the same.
async fn list_states(app: &App, caller: &Caller) -> Result<(FirstRooms, Timestamp)> {
    match app.rooms.list_states(caller).await {
        Err(error) if error.kind == Kind::Unavailable => app.rooms.list_states(caller).await,
        found => found,
    }
}

impl ChatSession {
    /// Registers this socket and sends the first frame.
    pub(super) fn open(&mut self, ctx: &mut Context) {
        let (app, caller, gauge) = (
            Arc::clone(&self.app),
            self.caller.clone(),
            Arc::clone(&self.end.gauge),
        );
        let (mut heard, unopened) = self.rooms().take_expected();
        self.end.set_mailbox(ctx.address().recipient());
        let socket: Rc<dyn LocalSocket> = Rc::<LocalEnd>::clone(&self.end);
        let (desk, address) = self.office.enter(socket);
        self.desk = Some(desk);
        let place = self.place.take();
        let welcome = async move {
            let place = place.ok_or_else(|| Error::internal("a socket came twice"))?;
            let newcomer = NewSocket {
                user_id: caller.user_id,
                username: caller.username.clone(),
                session_id: caller.session_id,
                rooms: heard.clone(),
                unopened,
                gauge,
            };
            let (registration, online) = app.hub.connect(place, newcomer, address).await?;
            // Read now that the hub sends us what is new: what is above these numbers will come, what is not above them was
            // there. Between the two there is no gap. Who has come into a room or gone out of it since the first reading
            // hears what is read last. A login that was ended just before the hub knew this socket is found here; one that
            // is ended from now on has it closed by the hub.
            let (mut rooms, mut ends) = list_states(&app, &caller).await?;
            while rooms.ids() != heard {
                heard = rooms.ids();
                registration.set_rooms(heard.clone()).await?;
                (rooms, ends) = list_states(&app, &caller).await?;
            }
            Ok(Welcome {
                registration,
                online,
                ends,
                rooms,
            })
        };
        // Waiting: nothing else is handled before the first frame has been sent.
        ctx.wait(
            welcome
                .into_actor(self)
                .map(|welcome, session, ctx| session.welcome(welcome, ctx)),
        );
    }

    fn welcome(&mut self, welcome: Result<Welcome>, ctx: &mut Context) {
        let Welcome {
            registration,
            online,
            ends,
            rooms,
        } = match welcome {
            Ok(welcome) => welcome,
            Err(error) => return self.turn_away(&error, ctx),
        };
        self.registration = Some(registration);
        let more_rooms = rooms.quiet.len() as u64;
        let (told, states) = rooms.told.into_iter().unzip::<_, _, Vec<_>, _>();
        self.watch_login(ends, ctx);
        let config = &self.app.config;
        let connected = Connected {
            user_id: self.caller.user_id,
            username: self.caller.username.clone(),
            session: self.caller.session_id,
            epoch: self.app.history.epoch().to_string(),
            heartbeat_ms: u64::try_from(config.socket_limits.ping_interval.as_millis())
                .unwrap_or(u64::MAX),
            limits: config.limits,
            rooms: states,
            more_rooms,
            settings: rooms.settings,
            online,
        };
        let message = format!("Connected as {}", self.caller.username);
        self.send(&Event::System(System {
            message,
            notice: Notice::Connected(Box::new(connected)),
        }));
        *self.rooms() = Rooms::new(told, rooms.quiet);
        self.end.is_open.set(self.closing == Closing::No);
    }

    /// Closes a socket that cannot be opened, and says what the client is to do.
    fn turn_away(&mut self, error: &Error, ctx: &mut Context) {
        let code = match error.kind {
            Kind::TooMany => close::TOO_MANY,
            Kind::Unauthenticated => close::REVOKED,
            _ if self.app.run.is_draining() => {
                self.send(&Event::Reconnect {
                    after_ms: COME_BACK_MS,
                });
                close::SHUTTING_DOWN
            }
            _ => close::UNKNOWN,
        };
        self.send_error(None, error);
        self.say_close(code, "the socket could not be opened", ctx);
    }

    /// Looks again when the login ends: it may have been prolonged meanwhile.
    fn watch_login(&self, ends: Timestamp, ctx: &mut Context) {
        let wait = (ends - self.app.logins.clock.now())
            .to_std()
            .unwrap_or_default()
            .clamp(LOOK_AGAIN, LONGEST_TIMER);
        ctx.run_later(wait, |session, ctx| {
            let (app, caller) = (Arc::clone(&session.app), session.caller.clone());
            let looking = async move { app.logins.find_end(&caller).await };
            ctx.spawn(
                looking
                    .into_actor(session)
                    .map(|found, session, ctx| match found {
                        Ok(Some(ends)) => session.watch_login(ends, ctx),
                        Ok(None) => {
                            session.say_close(close::TOKEN_EXPIRED, "this login has expired", ctx);
                        }
                        Err(_) => session.watch_login(session.app.logins.clock.now(), ctx),
                    }),
            );
        });
    }
}
