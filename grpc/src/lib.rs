//! gRPC as a network of lines: a connection of HTTP/2 looks like an ordinary byte stream on which calls and answers
//! are JSON objects, a line each. The service comes from a `.proto` that is read at run time, or from the peer itself.
//!
//! ```text
//!   who speaks lines              a Bridge              who speaks gRPC
//!   {"method", "request"}  ─▶  client: open   ─▶  HEADERS, protobuf        ─▶  any server
//!   {"method", "status",   ◀─                 ◀─  protobuf, grpc-status    ◀─
//!    "detail", "reply"}
//!   {"method", "request"}  ◀─  server: serve  ◀─  HEADERS, protobuf        ◀─  any client
//!   {"status", "reply"}    ─▶                 ─▶  protobuf, grpc-status    ─▶
//! ```
//!
//! It knows nothing of chat: which lines mean what is a dialect's business. It is no network either, but bends the
//! connections of one: whoever binds and connects hands them over. The lines are told at [`Bridge`].

mod answers;
mod bridge;
mod calls;
mod channel;
mod line;
mod message;
mod outline;
mod reflection;
mod schema;
mod server;
mod socket;
mod status;
mod stream;

pub use bridge::{Bridge, Services};
pub use outline::{Field, FieldKind, MessageType, Method};
pub use schema::{Schema, SchemaError};
pub use status::NAMES as STATUSES;
pub use stream::GrpcStream;
