//! Door 2: HTTP. Extractors, handlers and middleware; the rules are `chat`'s. [`routes`] is the table of contents.

mod accounts;
mod assets;
mod asyncapi;
mod browser;
mod charge;
mod client;
mod commands;
mod connection;
mod credentials;
mod docs;
mod drafts;
mod extract;
mod health;
mod listen;
mod lists;
mod message;
mod messages;
mod observe;
mod openapi;
mod origin;
mod problem;
mod reactions;
mod reading;
mod refusals;
mod rooms;
mod root;
mod saved;
mod scheduled;
pub mod serve;
mod signals;
mod socket;
mod threads;
pub mod tls;
mod users;
mod web_client;

use std::sync::Arc;

use actix_web::{Resource, Route, guard, web};
use utoipa::OpenApi;

use self::openapi::{Conditions, Lengths, Pages, Security, SlashExamples};
use crate::app::App;

/// The application, as handlers get it.
type Shared = web::Data<Arc<App>>;

/// Where the socket is: the one path on which a connection leaves HTTP.
const SOCKET: &str = "/ws/chat";

/// Every path of the API.
pub fn routes(service: &mut web::ServiceConfig) {
    service
        .configure(web_client::routes)
        .configure(accounts::routes)
        .configure(commands::routes)
        .configure(browser::routes)
        .configure(threads::routes)
        .configure(scheduled::routes)
        .configure(users::routes)
        .service(resource("/", "GET, HEAD").route(read().to(root::index)))
        .service(resource("/health", "GET, HEAD").route(read().to(health::health)))
        .service(resource("/ready", "GET, HEAD").route(read().to(health::ready)))
        .service(
            resource("/api/chat/messages", "GET, HEAD").route(read().to(messages::list_general)),
        )
        .service(
            resource("/api/rooms", "GET, HEAD, POST")
                .route(read().to(rooms::list_own))
                .route(web::post().to(rooms::make)),
        )
        .service(resource("/api/direct", "POST").route(web::post().to(rooms::open_direct)))
        .service(resource("/api/rooms/directory", "GET, HEAD").route(read().to(rooms::list_public)))
        .service(
            resource("/api/rooms/{room}", "GET, HEAD, PATCH")
                .route(read().to(rooms::find_room))
                .route(web::patch().to(rooms::change)),
        )
        .service(
            resource("/api/rooms/{room}/hidden", "PUT, DELETE")
                .route(web::put().to(rooms::hide))
                .route(web::delete().to(rooms::unhide)),
        )
        .service(resource("/api/rooms/{room}/read", "PUT").route(web::put().to(reading::mark)))
        .service(
            resource("/api/rooms/{room}/reads", "GET, HEAD").route(read().to(reading::list_reads)),
        )
        .service(
            resource("/api/rooms/{room}/notify", "PUT").route(web::put().to(reading::set_notify)),
        )
        .service(
            resource("/api/rooms/{room}/draft", "GET, HEAD, PUT, DELETE")
                .route(read().to(drafts::find_draft))
                .route(web::put().to(drafts::put_draft))
                .route(web::delete().to(drafts::delete_draft)),
        )
        .service(resource("/api/saved", "GET, HEAD").route(read().to(saved::list_saved)))
        .service(
            resource("/api/saved/{room}/{id}", "PUT, DELETE")
                .route(web::put().to(saved::save))
                .route(web::delete().to(saved::unsave)),
        )
        .service(
            resource("/api/rooms/{room}/members/{user}", "PUT, DELETE")
                .route(web::put().to(rooms::put_member))
                .route(web::delete().to(rooms::delete_member)),
        )
        .service(
            resource("/api/rooms/{room}/members", "GET, HEAD")
                .route(read().to(rooms::list_members)),
        )
        .service(
            resource("/api/rooms/{room}/messages", "GET, HEAD, POST")
                .route(read().to(messages::list_messages))
                .route(web::post().to(messages::post)),
        )
        .service(
            resource(
                "/api/rooms/{room}/messages/{id}",
                "GET, HEAD, PATCH, DELETE",
            )
            .route(read().to(message::find_message))
            .route(web::patch().to(message::edit))
            .route(web::delete().to(message::delete)),
        )
        .service(
            resource("/api/rooms/{room}/messages/{id}/versions", "GET, HEAD")
                .route(read().to(message::list_versions)),
        )
        .service(
            resource(
                "/api/rooms/{room}/messages/{id}/reactions/{emoji}",
                "GET, HEAD, PUT, DELETE",
            )
            .route(read().to(reactions::list_reactions))
            .route(web::put().to(reactions::react))
            .route(web::delete().to(reactions::unreact)),
        )
        .service(
            resource("/api/rooms/{room}/messages/{id}/pin", "PUT, DELETE")
                .route(web::put().to(message::pin))
                .route(web::delete().to(message::unpin)),
        )
        .service(resource(SOCKET, "GET").route(web::get().to(socket::open)));
}

/// The OpenAPI document of the same paths, made from the handlers themselves: `OpenApi::openapi()` gives it.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Parlour", description = "Team chat that one person can host. The socket at /ws/chat is described by /asyncapi.json."),
    paths(
        root::index, health::health, health::ready,
        accounts::register, accounts::login, accounts::refresh, accounts::logout, accounts::ws_ticket,
        accounts::change_password, browser::log_in, browser::renew, browser::log_out,
        users::search_users, users::find_user, users::find_self, users::change_self, users::set_status,
        rooms::list_own, rooms::make, rooms::open_direct, rooms::list_public, rooms::find_room, rooms::list_members,
        rooms::change, rooms::put_member, rooms::delete_member, rooms::hide, rooms::unhide,
        reading::mark, reading::list_reads, reading::set_notify,
        messages::list_general, messages::list_messages, messages::post,
        message::find_message, message::list_versions, message::edit, message::delete,
        reactions::list_reactions, reactions::react, reactions::unreact, message::pin, message::unpin,
        commands::list_commands, commands::run_command,
        threads::list_threads, threads::follow, threads::unfollow,
        drafts::find_draft, drafts::put_draft, drafts::delete_draft, saved::list_saved, saved::save, saved::unsave,
        scheduled::list_scheduled, scheduled::schedule, scheduled::reschedule, scheduled::cancel,
    ),
    modifiers(&Security, &Lengths, &Pages, &Conditions, &SlashExamples),
    security(("bearer" = [])),
    tags(
        (name = "accounts", description = "Registering and logging in."),
        (name = "people", description = "What they say of themselves, and how they are seen."),
        (name = "rooms", description = "Which there are, and who is in them."),
        (name = "reading", description = "How far one has read, and what one wants to be told."),
        (name = "messages", description = "Reading, posting and changing."),
        (name = "commands", description = "What is typed with a slash before it."),
        (name = "server", description = "The server itself."),
    ),
)]
pub struct ApiDoc;

/// Whatever can be read can also be asked for its head (RFC 9110, 9.1).
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A path that answers other methods than these with 405 and says which it knows (RFC 9110, 15.5.6).
fn resource(path: &str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move {
        problem::method_not_allowed(allow)
    }))
}
