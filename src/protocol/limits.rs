//! The limits that a client must keep to. They are told in the first frame of a socket.

use serde::{Deserialize, Serialize};

/// What a client may do, as the `connected` frame tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Longest content of a message, in bytes of UTF-8.
    pub content_bytes: usize,
    /// Longest WebSocket message, in bytes.
    pub frame_bytes: usize,
    /// Messages a second that one user may send, on average.
    pub messages_per_second: u32,
    /// Messages that one user may send at once.
    pub message_burst: u32,
    /// Sockets that one user may have open.
    pub sockets_per_user: usize,
    /// Messages that may wait for their ack on one socket.
    pub unacked_per_socket: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            content_bytes: 16 * 1024,
            frame_bytes: 64 * 1024,
            messages_per_second: 10,
            message_burst: 30,
            sockets_per_user: 20,
            unacked_per_socket: 32,
        }
    }
}
