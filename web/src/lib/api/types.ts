// Made by scripts/types.mjs from the documents in api/. Do not edit.

/** What someone says of themselves. */
export type About = {
  /** What they tell of themselves. */
  bio?: string | null;
  /** What people call them. Anyone may take any: show the username beside it. */
  display_name?: string | null;
  /** How to speak of them, in their own words. */
  pronouns?: string | null;
  /** A name of the IANA time zone database. */
  time_zone?: string | null;
};

/** `{"type":"ack","ref","room","id","seq","timestamp","duplicate"}`. */
export type Ack = {
  /** What a slash command has done, in one plain sentence for whoever typed it. */
  done?: string | null;
  /** True when this `client_id` had been stored before: the numbers are those of the first time. */
  duplicate: boolean;
  /** The message's number. */
  id: number;
  /** Echo of the request's `ref`. */
  ref: string;
  /** The room's name. */
  room: string;
  /** The change's number. */
  seq: number;
  /** When it was stored. */
  timestamp: string;
};

/** `PUT /api/users/me/password`. */
export type ChangePassword = {
  /** The password until now. */
  current: string;
  /** The least length is in characters, the greatest in bytes; every byte counts. */
  new: string;
};

/** What is in the way, as a stable `snake_case` word on the wire. `docs/API.md` says what to do about each. */
export type Code = "account_disabled" | "ambiguous_login" | "ambiguous_room" | "bad_request" | "broken_body" | "busy" | "changed_since" | "client_id_reused" | "cursor_ahead" | "epoch_changed" | "forbidden" | "head_too_large" | "host_not_allowed" | "internal_error" | "invalid_frame" | "invalid_handshake" | "invalid_host" | "invalid_json" | "invalid_ref" | "invalid_refresh_token" | "invalid_ticket" | "invalid_token" | "join_first" | "last_owner" | "message_deleted" | "message_not_found" | "method_not_allowed" | "missing_type" | "muted" | "not_acceptable" | "not_an_object" | "not_a_thread" | "not_authenticated" | "not_found" | "origin_not_allowed" | "outcome_unknown" | "rate_limited" | "refresh_conflict" | "registration_closed" | "request_timeout" | "room_archived" | "room_exists" | "room_full" | "room_name_taken" | "room_not_found" | "scheduled_not_found" | "shutting_down" | "slow_mode" | "store_unavailable" | "sync_in_progress" | "token_expired" | "too_large" | "too_many_members" | "too_many_edits" | "too_many_reactions" | "too_many_scheduled" | "too_many_sockets" | "too_many_unacked" | "too_many_unread" | "unknown_command" | "unknown_type" | "unsupported_media_type" | "unsupported_version" | "upgrade_required" | "user_disabled" | "user_not_found" | "username_taken" | "validation_error" | "wrong_credentials" | "wrong_password";

/** What has come of a command. */
export type CommandDone = {
  /** Which it was, without the slash. */
  command: string;
  /** What was done, in one plain sentence for whoever typed it. */
  done: string;
  /** Present and true when nothing was changed by it, since all was so before. */
  duplicate?: boolean;
  message?: (Message | null);
  /** The key of the room in which something was said or changed. */
  room?: string | null;
  scheduled?: (Scheduled | null);
  status?: (Status | null);
};

/** What a client needs to know before it can do anything. */
export type Connected = {
  /** Names this history; changes only when history was replaced (a restore from a backup). */
  epoch: string;
  /** A ping comes this often; a client that hears nothing for twice as long may take the line for dead. */
  heartbeat_ms: number;
  /** What the server allows. */
  limits: Limits;
  /** Direct rooms that are left out of `rooms`; absent: none. `GET /api/rooms` lists them, a `sync` may ask for them, and as soon as something happens in one, it is told as one that the caller comes into. */
  more_rooms?: number;
  /** Who has a socket open, the caller included; at most 100 of them. Who came or went a moment ago follows as a notice. */
  online: string[];
  /** The rooms the caller is a member of; of the direct ones only the 200 in which something happened last. */
  rooms: RoomState[];
  /** The login that this socket was opened with. */
  session: number;
  /** What the caller has set for themselves. */
  settings?: Settings;
  /** The caller's id. */
  user_id: number;
  /** The caller's name. */
  username: string;
};

/** What is unread above a marker, as of a change of the room. Each number stops at 1,000. */
export type Counts = {
  /** The room's latest change when this was counted: what comes after it is not in it. */
  at: number;
  /** Those of them that mention the caller. */
  mentions: number;
  /** Messages of other people that are not deleted. */
  unread: number;
};

/** `{"type":"delete","room":"general","id":413}`. */
export type Delete = {
  /** The message. */
  id: number;
  /** Only when it was not edited after this change. */
  if_seq?: number | null;
  /** The room's key or name. */
  room: string;
};

/** What the caller has begun to write in a room, or in a thread of it. */
export type Draft = {
  /** The text; empty when there is none, or when it is `unreadable`. */
  content: string;
  /** The thread, by its first message; absent: the room itself. */
  thread?: number | null;
  /** Present and true when what is stored could not be decrypted. There is a draft all the same. */
  unreadable?: boolean;
  /** When it was changed last. Of two, the later one counts. */
  updated_at?: string | null;
};

/** `{"type":"edit","room":"general","id":413,"content":"hi, all"}`. */
export type Edit = {
  /** What it is to say. */
  content: string;
  /** The message. */
  id: number;
  /** Only when it was neither edited nor deleted after this change. */
  if_seq?: number | null;
  /** The room's key or name. */
  room: string;
};

/** `PATCH /api/rooms/{room}/messages/{id}`. */
export type EditedMessage = {
  /** What the message is to say, within the limits of a new one. */
  content: string;
};

/** `{"type":"error","ref"?,"code","detail","retry_after_ms"?}`. */
export type ErrorFrame = {
  /** A stable word for programs. */
  code: Code;
  /** One plain sentence for people. */
  detail: string;
  /** With `room_exists`: the kind of that room. */
  kind?: (RoomKind | null);
  /** Echo of the request's `ref`, when it had one. */
  ref?: string | null;
  /** When it makes sense to try again. */
  retry_after_ms?: number | null;
  /** With `room_exists`: the key of the room that is there. */
  room?: string | null;
};

/** One field that is not right. */
export type FieldError = {
  /** Where: `["body", "username"]` or `["query", "limit"]`. */
  loc: string[];
  /** What is wrong with it. */
  msg: string;
};

/** A room that the caller is not in. */
export type Gone = {
  /** True. */
  gone: boolean;
  /** The room's key. */
  room: string;
};

/** `{"type":"join","room":"garden"}`. */
export type InRoom = {
  /** The room's key or name. */
  room: string;
};

/** What a page of the server is told of its login: the refresh token is in a cookie. */
export type KeptLogin = {
  /** A JWT for `Authorization: Bearer`. */
  access_token: string;
  /** Seconds until the access token expires. */
  expires_in: number;
  /** Always `bearer`. */
  token_type: string;
  /** Who is logged in. */
  user_id: number;
  /** And how they are called. */
  username: string;
};

/** Whether people wrote a message. */
export type Kind = "text" | "system";

/** What a client may do, as the `connected` frame tells it. */
export type Limits = {
  /** Longest content of a message, in bytes of UTF-8. */
  content_bytes: number;
  /** New direct rooms that one user may open in an hour. */
  direct_rooms_per_hour?: number;
  /** How often a message may be edited. */
  edits_per_message?: number;
  /** Longest WebSocket message, in bytes. */
  frame_bytes: number;
  /** Members that a room may have; `general` has everyone. */
  members_per_room?: number;
  /** Messages that one user may send at once. */
  message_burst: number;
  /** Messages a second that one user may send, on average. */
  messages_per_second: number;
  /** People that a direct room may have. */
  people_per_direct?: number;
  /** Milliseconds to answer a ping before a socket is closed (4002). */
  ping_timeout_ms?: number;
  /** Bytes that may wait for a slow reader before it is told `lag`. */
  queue_bytes?: number;
  /** Frames that may wait for a slow reader before it is told `lag`. */
  queue_frames?: number;
  /** Different reactions that a message may have. */
  reactions_per_message?: number;
  /** Different reactions of one person to a message. */
  reactions_per_user?: number;
  /** Longest name of a room, in characters. */
  room_name_characters?: number;
  /** Rooms that one user may make in an hour, beside direct ones. */
  rooms_per_hour?: number;
  /** Rooms that one user may be in by their own doing, and as many again that others have brought them into. Direct ones do not count. */
  rooms_per_user?: number;
  /** How far ahead something may be scheduled, in days. */
  scheduled_days?: number;
  /** Most that one user may have waiting to be said later, what could not be said among it. */
  scheduled_per_user?: number;
  /** Milliseconds without a byte taken before a reader is cut off (4008). */
  slow_reader_ms?: number;
  /** Longest wait between two messages of a member that a room may have, in seconds. */
  slow_seconds?: number;
  /** Sockets that one user may have open. */
  sockets_per_user: number;
  /** Longest topic of a room, in characters. */
  topic_characters?: number;
  /** Messages that may wait for their ack on one socket. */
  unacked_per_socket: number;
};

/** `POST /api/auth/login`. */
export type Login = {
  /** The password. */
  password: string;
  /** The name, in any case. */
  username: string;
};

/** `PUT /api/rooms/{room}/read`: how far the caller has read. A marker moves forward only, unless `unread` is set. */
export type MarkRead = {
  /** Everything up to this number; with `unread`, nothing from this message on. */
  seq: number;
  /** In this thread (the id of its first message), and not in the room's own pages. */
  thread?: number | null;
  /** Unread from `seq` on, on purpose: the marker is set to the number before it, also backwards. */
  unread?: boolean;
};

/** How far someone has read. Of the caller's own marker also what is unread above it. */
export type Marker = (Counts | null) & {
  /** The room's key. */
  room: string;
  /** Everything up to here. */
  seq: number;
  /** In this thread, by its first message. */
  thread?: number | null;
  /** Who. */
  user_id: number;
};

/** A member of a room. */
export type Member = {
  /** What people call them. */
  display_name?: string | null;
  /** Since when. */
  joined_at: string;
  /** Until when the member may only read. */
  muted_until?: string | null;
  /** What the member may do. */
  role: Role;
  /** The user's id. */
  user_id: number;
  /** The user's name. */
  username: string;
};

/** `PUT /api/rooms/{room}/members/{user}`: join, invite, or change a member. What is absent stays. */
export type MemberPatch = {
  /** Until when the member may only read; a time that is over: no longer. */
  muted_until?: string | null;
  role?: (Role | null);
};

/** A place in a message's text where someone is mentioned: a user, all in the room, or those of them who are there. */
export type Mention = {
  /** Where it begins in the text, in code points: at the `@`. */
  from: number;
  /** True: those in the room who are there at that moment. They are not counted as mentioned. */
  here?: boolean;
  /** True: all in the room. */
  room?: boolean;
  /** Where it ends: at the first code point behind it. */
  to: number;
  /** The user. */
  user_id?: number | null;
};

/** A message. When it was stored is called `created_at` on a page of history and `timestamp` in a frame of the socket. */
export type Message = {
  /** With `thread`: present and true when it stands in the room itself, too. */
  also_to_room?: boolean;
  /** Only to the sender: the `client_id` it was sent with. */
  client_id?: string | null;
  /** What was written; empty when `unreadable`. */
  content: string;
  /** When it was stored. */
  created_at: string;
  /** Since when it is a tombstone, without a text. */
  deleted_at?: string | null;
  /** When its author last changed it. */
  edited_at?: string | null;
  event?: (RoomEvent | null);
  /** The message's number in its room, which never changes. */
  id: number;
  /** `system` for what no one wrote; absent for what people write. */
  kind?: Kind;
  /** Whom it mentions, in the order of the text. */
  mentions?: Mention[];
  pinned?: (Pinned | null);
  /** Who reacted to it, by emoji, in the order of their first use. */
  reactions?: Reaction[];
  replies?: (Replies | null);
  /** The message that it answers. */
  reply_to?: number | null;
  /** The room's name. */
  room: string;
  /** The number of the room's latest change to it. */
  seq: number;
  /** The first message of the thread that it is a reply in. */
  thread?: number | null;
  thread_replies?: (Replies | null);
  /** Present and true when the stored text could not be decrypted: shown as such, never skipped. */
  unreadable?: boolean;
  /** Who wrote it. */
  user_id: number;
  /** Who wrote it, by name. */
  username: string;
};

/** In what a message has changed. */
export type MessageChange = ({
  type: "edited";
} | {
  type: "deleted";
} | {
  /** How. */
  emoji: string;
  /** Or taken back. */
  on: boolean;
  type: "reacted";
} | {
  /** Or unpinned. */
  on: boolean;
  type: "pinned";
});

/** A message that has changed, by whom, and in what. A client that catches up is told the message alone. */
export type MessageChanged = {
  /** With `thread`: present and true when it stands in the room itself, too. */
  also_to_room?: boolean;
  /** Who has changed it. */
  by?: number | null;
  /** In what. */
  change?: (MessageChange | null);
  /** Only to the sender: the `client_id` it was sent with. */
  client_id?: string | null;
  /** What was written; empty when `unreadable`. */
  content: string;
  /** Since when it is a tombstone, without a text. */
  deleted_at?: string | null;
  /** When its author last changed it. */
  edited_at?: string | null;
  /** With kind `system`: what happened to the room. `content` says it for people, `user_id` is who did it. */
  event?: (RoomEvent | null);
  /** The message's number in its room, which never changes. */
  id: number;
  /** `system` for what no one wrote; absent for what people write. */
  kind?: Kind;
  /** Whom it mentions, in the order of the text. */
  mentions?: Mention[];
  /** Who pinned it, and when. */
  pinned?: (Pinned | null);
  /** Who reacted to it, by emoji, in the order of their first use. */
  reactions?: Reaction[];
  /** On the first message of a thread: the replies to it. */
  replies?: (Replies | null);
  /** The message that it answers. */
  reply_to?: number | null;
  /** The room's name. */
  room: string;
  /** The number of the room's latest change to it. */
  seq: number;
  /** The first message of the thread that it is a reply in. */
  thread?: number | null;
  /** On a reply in a frame, and on a page of changes: what the `replies` of the thread's first message are by now. (That message itself takes no number for it.) */
  thread_replies?: (Replies | null);
  /** When it was stored. */
  timestamp: string;
  /** Present and true when the stored text could not be decrypted: shown as such, never skipped. */
  unreadable?: boolean;
  /** Who wrote it. */
  user_id: number;
  /** Who wrote it, by name. */
  username: string;
};

/** `POST /api/rooms/{room}/commands`. */
export type NewCommand = {
  /** Makes a retry safe for ever where the command says something: it is the `client_id` of the message. */
  client_id?: string | null;
  /** The command as it was typed, from its slash on. */
  text: string;
  /** Where the command says something here: the first message of the thread in which that is a reply. */
  thread?: number | null;
};

/** `POST /api/direct`. */
export type NewDirect = {
  /** The others: names or ids, 49 at most. None: notes to oneself. */
  users: string[];
};

/** `PUT /api/rooms/{room}/draft`. */
export type NewDraft = {
  /** The text, within the limits of a message. One that shows nothing deletes the draft. */
  content: string;
};

/** `POST /api/rooms/{room}/messages`. */
export type NewMessage = {
  /** With `thread`: it stands in the room itself, too. */
  also_to_room?: boolean;
  /** Makes a retry safe for ever: the same `client_id` in the same room is the same message. */
  client_id?: string | null;
  /** What to say: 1 byte to the limit told at connect (16 KiB unless configured). A text that shows nothing is refused. */
  content: string;
  /** The message that it answers, of the same room. */
  reply_to?: number | null;
  /** The first message of the thread in which it is a reply. */
  thread?: number | null;
};

/** `POST /api/rooms`. */
export type NewRoom = {
  /** `public` or `private`. */
  kind?: string;
  /** 1–64 of `a-z 0-9 _ -`, with at least one letter; kept in small letters. */
  name: string;
  /** What it is about, in one line. */
  topic?: string | null;
  /** Who is in it from the start, beside the caller: names or ids, 100 at most. */
  users?: string[];
};

/** `POST /api/scheduled`. */
export type NewScheduled = {
  /** With that: it is to stand in the room itself, too. */
  also_to_room?: boolean;
  /** What you call it, so that a retry schedules it once, and what the message will be called. */
  client_id?: string | null;
  /** The text, within the limits of a message. */
  content: string;
  /** The message that it answers. */
  reply_to?: number | null;
  /** The key or the name of the room. */
  room: string;
  /** When: a moment to come, within 366 days. */
  send_at: string;
  /** The first message of the thread in which it is to be a reply. */
  thread?: number | null;
};

/** Why something could not be said. */
export type NotSent = {
  /** A stable word for programs, as an answer would have had it. */
  code: Code;
  /** One plain sentence for people. */
  detail: string;
};

/** What of a room its member wants to be told. */
export type Notify = "all" | "mentions" | "nothing";

/** `{"type":"invite","room":"garden","user":"bob"}`. */
export type OfUser = {
  /** The room's key or name. */
  room: string;
  /** Whom: a name, or in digits an id. */
  user: string;
};

/** A user, as rooms and reactions name one. */
export type Person = {
  /** The user's id. */
  user_id: number;
  /** The user's name. */
  username: string;
};

/** `{"type":"pin","room":"general","id":413,"on":true}`. */
export type Pin = {
  /** The message. */
  id: number;
  /** False: unpin it. */
  on: boolean;
  /** The room's key or name. */
  room: string;
};

/** That a message is pinned. */
export type Pinned = {
  /** When. */
  at: string;
  /** By whom. */
  by: number;
};

/** How someone is seen. */
export type Presence = "online" | "away" | "dnd" | "invisible" | "offline";

/** `{"type":"presence","users":[…]}`. */
export type PresenceNews = {
  /** True when this begins afresh: whoever is not named, here or in a later frame, is offline. */
  all?: boolean;
  /** Who is in another state now. */
  users: Seen[];
};

/** An error, as RFC 9457 has it (`application/problem+json`). */
export type Problem = {
  /** A stable word for programs. */
  code: Code;
  /** One plain sentence. */
  detail: string;
  /** For 422: what is wrong, field by field. */
  errors?: FieldError[];
  kind?: (RoomKind | null);
  /** The same as the answer's `x-request-id`: quote it when asking for help. */
  request_id: string;
  /** With `room_exists`: the key of the room that is there. */
  room?: string | null;
  /** The HTTP status. */
  status: number;
  /** The status in words. */
  title: string;
  /** Always `about:blank`: what there is to say is in `code` and `detail`. */
  type: string;
};

/** Someone, as everyone who is logged in sees them. */
export type Profile = About & {
  /** When the account was made. */
  created_at: string;
  /** The user's id. */
  id: number;
  presence?: (Presence | null);
  /** When nothing is to disturb the caller, as `22:00-07:00` in their time zone; told only to oneself. */
  quiet_hours?: string | null;
  /** Whether others see how far the caller has read, and the caller how far they have; told only to oneself. */
  receipts?: boolean | null;
  status?: (Status | null);
  /** The name as its owner writes it. */
  username: string;
};

/** `PATCH /api/users/me`: what is absent stays, what is empty goes. */
export type ProfilePatch = {
  /** What the caller tells of themselves. */
  bio?: string | null;
  /** What people are to call the caller. Control characters, marks of direction and heaps of accents are taken out. */
  display_name?: string | null;
  /** How to speak of the caller. */
  pronouns?: string | null;
  /** When nothing is to disturb the caller: from and to in their time zone (in UTC, if they have none), as `22:00-07:00`. */
  quiet_hours?: string | null;
  /** Whether others see how far the caller has read, and the caller how far they have. */
  receipts?: boolean | null;
  /** A name of the IANA time zone database, such as `Europe/Berlin`. */
  time_zone?: string | null;
};

/** `{"type":"react","room":"general","id":413,"emoji":"👍","on":true}`. */
export type React = {
  /** One emoji. */
  emoji: string;
  /** The message. */
  id: number;
  /** False: take it back. */
  on: boolean;
  /** The room's key or name. */
  room: string;
};

/** One emoji under a message. */
export type Reaction = {
  /** How many reacted so. */
  count: number;
  /** Which. */
  emoji: string;
  /** On a page of history: whether the caller is among them. */
  mine?: boolean | null;
  /** The first 20 of them. */
  users: Person[];
};

/** `{"type":"read","room":"general","seq":413}`. */
export type ReadUpTo = {
  /** The room's key or name. */
  room: string;
  /** Everything up to this number; with `unread`, nothing from this message on. */
  seq: number;
  /** In this thread (the id of its first message), and not in the room's own pages. */
  thread?: number | null;
  /** Unread from `seq` on, on purpose: the marker is set to the number before it, also backwards. */
  unread?: boolean;
};

/** How far a member has read, as `GET /api/rooms/{room}/reads` lists it. */
export type Receipt = {
  /** Everything up to here. */
  seq: number;
  /** Who. */
  user_id: number;
};

/** `POST /api/auth/refresh`. */
export type Refresh = {
  /** The newest refresh token of this login. */
  refresh_token: string;
};

/** `POST /api/auth/register`. */
export type Register = {
  /** Never shown to others. */
  email?: string | null;
  /** The least length is in characters, the greatest in bytes; every byte counts. */
  password: string;
  /** Of `[A-Za-z0-9_-]`, beginning with a letter or a digit, with at least one letter; unique without regard to case. Some names are reserved, such as `admin` and `everyone`. */
  username: string;
};

/** What is under a message, in short. */
export type Replies = {
  /** Replies that are not deleted. */
  count: number;
  /** The last of them; 0 when all are deleted. */
  last_id: number;
  /** The room's change by which it came to be so: of two, the one with the greater number holds. */
  seq: number;
  /** Who wrote them; 20 at most, those with the lowest ids. */
  users: Person[];
};

/** What a member may do beside reading and writing. */
export type Role = "member" | "moderator" | "owner";

/** A room as one who may see it sees it. Its key, `room`, never changes: `general`, for all others the id in digits. */
export type Room = {
  /** Since when nothing can be written in it. */
  archived_at?: string | null;
  /** When it was made. */
  created_at: string;
  /** Of a direct room: the caller does not want to see it until a message comes. */
  hidden?: boolean;
  /** Who may find it. */
  kind?: RoomKind;
  /** When the newest message of its own pages was written. */
  last_at?: string | null;
  /** How many members it has. */
  members?: number;
  /** Those of them that mention the caller; stops at 1,000. */
  mentions?: number | null;
  /** Until when the caller may only read. */
  muted_until?: string | null;
  /** The present name. A direct room has none. */
  name?: string | null;
  notify?: (Notify | null);
  /** Up to here the caller has read it. (This and the next four are for members.) */
  read_seq?: number | null;
  role?: (Role | null);
  /** The key, which never changes. */
  room: string;
  /** The number of its latest change. */
  seq: number;
  /** Seconds that a member waits between two messages; 0: none. */
  slow_seconds?: number;
  /** What it is about. */
  topic?: string | null;
  /** Messages above that of other people, not deleted, in the room's own pages (threads count apart); stops at 1,000. */
  unread?: number | null;
  /** Of a direct room: all who are in it. */
  users?: Person[];
};

/** What has changed in the caller's view of a room. Each field that `changed` names is now as it is here; one that is named and absent is none any more. What is not named is as it was. */
export type RoomChanged = {
  /** Since when nothing can be written in it. */
  archived_at?: string | null;
  /** Which fields are another. */
  changed: RoomField[];
  /** What the caller has begun to write in it, or in the thread that it names. */
  draft?: (Draft | null);
  /** Of a direct room: the caller does not want to see it until a message comes that is newer than `seq`. Absent: it is to be seen. */
  hidden?: boolean;
  /** Who may find it. */
  kind?: (RoomKind | null);
  /** Until when the caller may only read. */
  muted_until?: string | null;
  /** The present name. */
  name?: string | null;
  /** What of it the caller wants to be told. */
  notify?: (Notify | null);
  /** The caller's role in it. */
  role?: (Role | null);
  /** The room's key. */
  room: string;
  /** The change after which it is so; absent for what takes no number. */
  seq?: number;
  /** Seconds that a member waits between two messages. */
  slow_seconds?: number | null;
  /** What it is about. */
  topic?: string | null;
};

/** What happened to a room, for programs: the `event` of a message of kind `system`, whose `content` says it for people. */
export type RoomEvent = ({
  type: "created";
} | {
  type: "joined";
  /** Who. */
  user_id: number;
} | {
  type: "invited";
  /** Whom. */
  user_id: number;
} | {
  type: "left";
  /** Who. */
  user_id: number;
} | {
  type: "kicked";
  /** Whom. */
  user_id: number;
} | {
  /** Which. */
  role: Role;
  type: "role";
  /** Who. */
  user_id: number;
} | {
  type: "muted";
  /** Until when; absent: no longer. */
  until?: string | null;
  /** Who. */
  user_id: number;
} | {
  /** Which. */
  name: string;
  type: "renamed";
} | {
  /** Which; empty: none. */
  topic: string;
  type: "topic";
} | {
  /** Which. */
  kind: RoomKind;
  type: "kind";
} | {
  type: "archived";
} | {
  type: "unarchived";
} | {
  /** Seconds; 0: not at all. */
  seconds: number;
  type: "slow_mode";
});

/** A field of [`RoomChanged`]. */
export type RoomField = ("name" | "kind" | "topic" | "role" | "muted_until" | "archived_at" | "slow_seconds" | "notify" | "draft" | "hidden");

/** Who may find a room, and how people come into it. */
export type RoomKind = "public" | "private" | "direct";

/** `{"type":"room",…}`: the caller has come into a room, the caller's view of it has changed, or the caller is in it no more. */
export type RoomNews = (RoomChanged | RoomState | Gone);

/** `PATCH /api/rooms/{room}`: what is absent stays. */
export type RoomPatch = {
  /** Whether nothing can be written in it. */
  archived?: boolean | null;
  /** `public` or `private`. */
  kind?: string | null;
  /** Another name. */
  name?: string | null;
  /** Seconds that a member waits between two messages, a day at most; 0: none. */
  slow_seconds?: number | null;
  /** Another topic; empty: none. */
  topic?: string | null;
};

/** One of the caller's rooms, as the `connected` frame lists it. */
export type RoomState = {
  /** Since when nothing can be written in it. */
  archived_at?: string | null;
  /** Of a direct room: the caller does not want to see it until a message comes. */
  hidden?: boolean;
  /** Who may find it. */
  kind?: RoomKind;
  /** When the newest message of its own pages was written. */
  last_at?: string | null;
  /** Those of them that mention the caller; stops at 1,000. */
  mentions?: number;
  /** Until when the caller may only read. */
  muted_until?: string | null;
  /** Its present name. A direct room has none. */
  name?: string | null;
  /** What of it the caller wants to be told. */
  notify?: Notify;
  /** Up to here the caller has read it. */
  read_seq?: number;
  /** The caller's role in it. */
  role?: (Role | null);
  /** The room's key, which never changes. */
  room: string;
  /** The last change in the room; what this socket is sent live is above it. */
  seq: number;
  /** Seconds that a member waits between two messages; 0: none. */
  slow_seconds?: number;
  /** What it is about. */
  topic?: string | null;
  /** Messages above that and up to `seq` of other people, not deleted, in the room's own pages (threads count apart); stops at 1,000. */
  unread?: number;
  /** Of a direct room: all who are in it. */
  users?: Person[];
};

/** A message that the caller wants to find again. */
export type Saved = {
  /** The message as it is now. */
  message: Message;
  /** The present name of its room. A direct room has none. */
  name?: string | null;
  /** Since when it is saved. */
  saved_at: string;
};

/** Something that you want to have said later, or that could not be said. No one else knows of it. */
export type Scheduled = {
  /** With that: it is to stand in the room itself, too. */
  also_to_room?: boolean;
  /** What the message will be called. */
  client_id: string;
  /** The text. */
  content: string;
  /** When it was scheduled. */
  created_at: string;
  failed?: (NotSent | null);
  /** Its number. */
  id: number;
  /** What is to come. */
  kind?: ScheduledKind;
  /** The room's present name, as long as you are in it. A direct room has none. */
  name?: string | null;
  /** The message that it answers. */
  reply_to?: number | null;
  /** The key of the room in which it is to be said. */
  room: string;
  /** When. */
  send_at: string;
  /** The first message of the thread in which it is to be a reply. */
  thread?: number | null;
  /** The text was changed in the database, or the key is missing: it cannot be sent. */
  unreadable?: boolean;
};

/** What has become of something that you want to have said later. */
export type ScheduledChange = ("created" | "changed" | "cancelled" | "sent" | "failed");

/** What is to come. */
export type ScheduledKind = "message" | "reminder";

/** `{"type":"scheduled","change","scheduled":{…},"message"?}`: to your own sockets alone. */
export type ScheduledNews = {
  /** What has become of it. */
  change: ScheduledChange;
  /** With `sent`: the message's number in its room. */
  message?: number | null;
  /** As it is now, or was last. */
  scheduled: Scheduled;
};

/** `PATCH /api/scheduled/{id}`. What is absent stays. */
export type ScheduledPatch = {
  /** Another text, within the limits of a message. */
  content?: string | null;
  /** Another time, to come. What could not be said is tried again then. */
  send_at?: string | null;
  /** Another time as people say it, such as `tomorrow at 9`, in the time zone of your profile; in place of `send_at`. */
  when?: string | null;
};

/** How someone is seen, and what they say of it. */
export type Seen = {
  /** An emoji. */
  emoji?: string | null;
  /** How. */
  state: Presence;
  /** A few words. */
  text?: string | null;
  /** When the text, the emoji and the choice end. */
  until?: string | null;
  /** Who. */
  user_id: number;
  /** Who, by name. */
  username: string;
};

/** `{"type":"command","room":"garden","text":"/me waves"}`. */
export type SendCommand = {
  /** Makes a retry safe for ever where the command says something: it is the `client_id` of the message. */
  client_id?: string | null;
  /** The room in which it is typed: its key or name. */
  room: string;
  /** The command as it was typed, from its slash on. */
  text: string;
  /** Where the command says something here: the first message of the thread in which that is a reply. */
  thread?: number | null;
};

/** `{"type":"message","content":"hi"}`. */
export type SendMessage = {
  /** With `thread`: it stands in the room itself, too. */
  also_to_room?: boolean;
  /** Makes a retry safe for ever: the same sender, room and `client_id` is the same message. */
  client_id?: string | null;
  /** What to say. */
  content: string;
  /** The message that it answers, of the same room. */
  reply_to?: number | null;
  /** The room's key or name; `general` when absent. */
  room?: string | null;
  /** The first message of the thread in which it is a reply. */
  thread?: number | null;
};

/** `{"type":"member","room":"garden","user":"bob","role":"moderator"}`. */
export type SetMember = {
  /** Until when the member may only read; a time that is over: no longer. */
  muted_until?: string | null;
  /** Another role. */
  role?: (Role | null);
  /** The room's key or name. */
  room: string;
  /** Whom: a name, or in digits an id. */
  user: string;
};

/** `PUT /api/rooms/{room}/notify`. */
export type SetNotify = {
  /** What to tell. */
  level: Notify;
};

/** `{"type":"room","room":"garden","topic":"seeds"}`. */
export type SetRoom = {
  /** Whether nothing can be written in it. */
  archived?: boolean | null;
  /** `public` or `private`. */
  kind?: (RoomKind | null);
  /** Another name. */
  name?: string | null;
  /** The room's key or name. */
  room: string;
  /** Seconds that a member waits between two messages, a day at most; 0: none. */
  slow_seconds?: number | null;
  /** Another topic; empty: none. */
  topic?: string | null;
};

/** `PUT /api/users/me/status`, and the frame `status`: what is absent stays. */
export type SetStatus = {
  /** One emoji; empty: none. */
  emoji?: string | null;
  /** Only on the socket: whether the device is not in use. Someone is away when all of their sockets say so. */
  idle?: boolean | null;
  state?: (State | null);
  /** A few words in one line; empty: none. */
  text?: string | null;
  /** When that ends; absent beside a new text, emoji or choice: never, but a state that was to end, and is not named, keeps its end. A state that had no end before comes back then. */
  until?: string | null;
};

/** `{"type":"settings",…}`, and in the first frame: what you have set for yourself, on all your devices. It is told to no one else. */
export type Settings = {
  /** When nothing is to disturb you, as `22:00-07:00`: by the clocks of `time_zone`, or of UTC where there is none. */
  quiet_hours?: string | null;
  /** Whether others see how far you have read, and you how far they have. */
  receipts?: boolean;
  /** Your time zone: a name of the IANA time zone database. */
  time_zone?: string | null;
};

/** A command, as `GET /api/commands` lists it. */
export type SlashCommand = {
  /** What it does, in one sentence. */
  about: string;
  /** How it may look. */
  example: string;
  /** What it is called, without the slash. */
  name: string;
  /** In which rooms it can be used. */
  rooms: RoomKind[];
  /** How it is written. What is in brackets may be left out. */
  usage: string;
};

/** What someone has chosen to be. */
export type State = "online" | "away" | "dnd" | "invisible";

/** What someone has chosen to be, and what they say of it. */
export type Status = {
  /** An emoji. */
  emoji?: string | null;
  state?: (State | null);
  /** A few words. */
  text?: string | null;
  then_state?: (State | null);
  /** When it ends. */
  until?: string | null;
};

/** `{"type":"sync","rooms":{"general":412},"epoch":"…"}`. */
export type Sync = {
  /** The history that those numbers belong to. Another one than the server's: the numbers mean nothing. */
  epoch?: string | null;
  /** The room's key (no name) → the last `seq` that this client has seen (0 for none). */
  rooms: Record<string, number>;
};

/** What became of a room in a `sync`. */
export type SyncedRoom = (Upto | {
  /** True. */
  gone: boolean;
});

/** `{"type":"system","message":"…","event":"…"}`: `message` is the text that old clients print. */
export type System = (Connected | {
  event: "joined";
  /** Their names. */
  usernames: string[];
} | {
  event: "left";
  /** Their names. */
  usernames: string[];
}) & {
  /** One sentence for people. */
  message: string;
};

/** A thread that the caller follows. */
export type Thread = {
  /** When someone replied last. */
  last_at: string;
  /** Those of them that mention the caller; 1,000 at most. */
  mentions: number;
  /** Its first message. */
  message: Message;
  /** Up to here the caller has read it. */
  read_seq: number;
  /** Replies above `read_seq` that others wrote and nobody has deleted; 1,000 at most. */
  unread: number;
};

/** `POST /api/auth/ws-ticket`. */
export type Ticket = {
  /** Seconds until it is worthless. */
  expires_in: number;
  /** For `GET /ws/chat?ticket=…`; good once. */
  ticket: string;
};

/** What a login or a refresh gives. */
export type Tokens = {
  /** A JWT for `Authorization: Bearer`. */
  access_token: string;
  /** Seconds until the access token expires. */
  expires_in: number;
  /** Good for one `POST /api/auth/refresh`, which gives the next. */
  refresh_token: string;
  /** Always `bearer`. */
  token_type: string;
};

/** `{"type":"typing","room":"garden"}`. */
export type Typing = {
  /** The room's key. */
  room: string;
  /** In this thread, by its first message. */
  thread?: number | null;
};

/** `{"type":"typing","room","user_id","username","thread"?}`. */
export type TypingNews = {
  /** The room's key. */
  room: string;
  /** In this thread, by its first message. */
  thread?: number | null;
  /** Who. */
  user_id: number;
  /** Who, by name. */
  username: string;
};

/** How far a room has been brought up to date. */
export type Upto = {
  /** False: there is more than one answer holds; read it page by page with `since`. */
  complete: boolean;
  /** Everything up to here has been sent. */
  seq: number;
};

/** The account that `register` made. */
export type User = {
  /** When the account was made. */
  created_at: string;
  /** The user's id. */
  id: number;
  /** The name as its owner writes it. */
  username: string;
};

/** `{"type":"user",…}`: what someone says of themselves, as it now is. What is absent they say nothing of. */
export type UserNews = {
  /** What they tell of themselves. */
  bio?: string | null;
  /** What people call them. Anyone may take any: show the username beside it. */
  display_name?: string | null;
  /** How to speak of them, in their own words. */
  pronouns?: string | null;
  /** A name of the IANA time zone database. */
  time_zone?: string | null;
  /** Who. */
  user_id: number;
  /** Who, by name. */
  username: string;
};

/** What a message said before it was edited. */
export type Version = {
  /** Since when it said so. */
  at: string;
  /** The text; empty when `unreadable`. */
  content: string;
  /** Present and true when the stored text could not be decrypted. */
  unreadable?: boolean;
};

/** What is heard on the socket. */
export type Heard =
  | (Ack & {
      type: "ack";
    })
  | (ErrorFrame & {
      type: "error";
    })
  | ({
      /** The room. */
      room: string;
      /** The last change that was not sent. */
      seq: number;
      type: "lag";
    })
  | (Message & {
      type: "message";
    })
  | (MessageChanged & {
      type: "message_changed";
    })
  | ({
      /** Echo of the `ping` frame's `ref`. */
      ref?: string | null;
      type: "pong";
    })
  | (PresenceNews & {
      type: "presence";
    })
  | (Marker & {
      type: "read";
    })
  | ({
      /** Milliseconds to wait; differs from socket to socket, so that not all return at once. */
      after_ms: number;
      type: "reconnect";
    })
  | (RoomNews & {
      type: "room";
    })
  | (ScheduledNews & {
      type: "scheduled";
    })
  | (Settings & {
      type: "settings";
    })
  | ({
      /** Echo of the `sync` frame's `ref`. */
      ref?: string | null;
      /** Room → how far this socket now is. */
      rooms: Record<string, SyncedRoom>;
      type: "synced";
    })
  | (System & {
      type: "system";
    })
  | (TypingNews & {
      type: "typing";
    })
  | (UserNews & {
      type: "user";
    });

/** What is said on the socket. */
export type Said =
  | (SendCommand & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "command";
    })
  | (NewRoom & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "create";
    })
  | (Delete & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "delete";
    })
  | (NewDirect & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "direct";
    })
  | (Edit & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "edit";
    })
  | (OfUser & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "invite";
    })
  | (InRoom & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "join";
    })
  | (OfUser & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "kick";
    })
  | (InRoom & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "leave";
    })
  | (SetMember & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "member";
    })
  | (SendMessage & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "message";
    })
  | (Pin & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "pin";
    })
  | ({
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "ping";
    })
  | ({
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "presence";
    })
  | (React & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "react";
    })
  | (ReadUpTo & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "read";
    })
  | (SetRoom & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "room";
    })
  | (SetStatus & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "status";
    })
  | (Sync & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "sync";
    })
  | (Typing & {
      /** Echoed in the `ack` or `error`. Without one there is no `ack`. */
      ref?: string | null;
      type: "typing";
    });

/** The paths of the API, and what each can be asked for. */
export type Paths = {
  "/": "get";
  "/api/auth/browser/login": "post";
  "/api/auth/browser/logout": "post";
  "/api/auth/browser/refresh": "post";
  "/api/auth/login": "post";
  "/api/auth/logout": "post";
  "/api/auth/refresh": "post";
  "/api/auth/register": "post";
  "/api/auth/ws-ticket": "post";
  "/api/chat/messages": "get";
  "/api/commands": "get";
  "/api/direct": "post";
  "/api/rooms": "get" | "post";
  "/api/rooms/directory": "get";
  "/api/rooms/{room}": "get" | "patch";
  "/api/rooms/{room}/commands": "post";
  "/api/rooms/{room}/draft": "delete" | "get" | "put";
  "/api/rooms/{room}/hidden": "delete" | "put";
  "/api/rooms/{room}/members": "get";
  "/api/rooms/{room}/members/{user}": "delete" | "put";
  "/api/rooms/{room}/messages": "get" | "post";
  "/api/rooms/{room}/messages/{id}": "delete" | "get" | "patch";
  "/api/rooms/{room}/messages/{id}/follow": "delete" | "put";
  "/api/rooms/{room}/messages/{id}/pin": "delete" | "put";
  "/api/rooms/{room}/messages/{id}/reactions/{emoji}": "delete" | "get" | "put";
  "/api/rooms/{room}/messages/{id}/versions": "get";
  "/api/rooms/{room}/notify": "put";
  "/api/rooms/{room}/read": "put";
  "/api/rooms/{room}/reads": "get";
  "/api/saved": "get";
  "/api/saved/{room}/{id}": "delete" | "put";
  "/api/scheduled": "get" | "post";
  "/api/scheduled/{id}": "delete" | "patch";
  "/api/threads": "get";
  "/api/users": "get";
  "/api/users/me": "get" | "patch";
  "/api/users/me/password": "put";
  "/api/users/me/status": "put";
  "/api/users/{user}": "get";
  "/health": "get";
  "/ready": "get";
};
