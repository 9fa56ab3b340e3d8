//! What goes over the bridge, in both roles at once: lines, gRPC over TCP, lines.

mod ends;
mod faults;
mod own_services;
mod party;
mod streams;
mod unary;
