//! The protocol as a gRPC service: `proto/chat.proto`, written from `service.yaml`.
//!
//! Names and order are those of the service: a request and a response for each operation, fields numbered by their
//! place. Not here: how errors are told (`protocol/dialects/framed-grpc.yaml`), and results that need a policy.

use crate::message::Operation;
use crate::service::{FieldKind, Service};

/// The text of `proto/chat.proto`.
pub fn chat_proto(service: &Service) -> String {
    let mut text = String::from(
        "// The protocol's own operations over gRPC. Written from spec/protocol/service.yaml; changes belong there.\n\
         syntax = \"proto3\";\n\npackage chat.v1;\n\nservice Chat {\n",
    );
    let operations =
        || Operation::ALL.iter().filter_map(|one| Some((camel(one.name()), service.operations.get(one.name())?)));
    for (name, operation) in operations() {
        text += &format!("  // {}\n  rpc {name}({name}Request) returns ({name}Response);\n", operation.about);
    }
    text += "  // Messages for the user of this connection, each the moment it is accepted.\n  \
             rpc Listen(ListenRequest) returns (stream Message);\n}\n";
    for (name, operation) in operations() {
        text += &message(service, &format!("{name}Request"), &operation.arguments);
        text += &message(service, &format!("{name}Response"), &operation.result);
    }
    text += &message(service, "ListenRequest", &[]);
    for (name, fields) in &service.rows {
        text += &message(service, &camel(name), fields);
    }
    text
}

fn message(service: &Service, name: &str, fields: &[String]) -> String {
    if fields.is_empty() {
        return format!("\nmessage {name} {{}}\n");
    }
    let lines = fields.iter().enumerate().map(|(at, field)| {
        let about = service.field(field).map_or("", |field| field.about.as_str());
        format!("  // {about}\n  {} {field} = {};\n", kind(service, field), at + 1)
    });
    format!("\nmessage {name} {{\n{}}}\n", lines.collect::<String>())
}

fn kind(service: &Service, name: &str) -> String {
    let field = service.field(name);
    match field.map(|field| field.kind) {
        Some(FieldKind::Int) => "uint64".into(),
        Some(FieldKind::Flag) => "bool".into(),
        Some(FieldKind::Bytes) => "bytes".into(),
        Some(FieldKind::List) => match field.and_then(|field| field.of.as_deref()).unwrap_or_default() {
            row if service.rows.contains_key(row) => format!("repeated {}", camel(row)),
            of => format!("repeated {}", kind(service, of)),
        },
        Some(FieldKind::Text) | None => "string".into(),
    }
}

/// `log_in` → `LogIn`.
fn camel(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').filter(|part| !part.is_empty()).map(word).collect()
}
