//! The dialect file of a gRPC service of one's own: its methods as comments, for whoever knows what they mean.
//!
//! Not here: the protocol's own service, which is copied (`dialect`).

use grpc::{Field, FieldKind, MessageType, Schema};

/// Messages in messages are told so deep.
const DEPTH: usize = 2;

/// The dialect of a service in the .proto at `path`, as far as anybody but its author can write it.
///
/// # Errors
/// What is wrong with the .proto.
pub(super) fn written(name: &str, path: &str, text: &str) -> Result<String, String> {
    let schema = Schema::parse(path, text)
        .map_err(|error| format!("{path}:{}:{}: {}", error.line, error.column, error.message))?;
    let services: Vec<String> = schema.services().collect();
    let service = services.first().cloned().unwrap_or_default();
    let others = match &services[1..] {
        [] => String::new(),
        others => format!("# There are others: {}.\n", others.join(", ")),
    };
    let schema = schema.with_service(&service).map_err(|error| error.message)?;
    let methods: String = schema.methods().into_keys().map(|method| told(&schema, &method)).collect();
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    Ok(format!(
        "\
# What {name} says and hears, from the client's side: `say` goes to the server, `hear` comes from it.
# All of the language: docs/reference/dialect-language.md. After each change: conformance check {name}-dialect.yaml

dialect: {}
about: A chat of our own, over gRPC.
proto: {}
{others}service: {service}

frame: grpc

# What any call may be answered with. The first entry that fits is taken, an operation's own before these; `error` is
# whatever else the server complains of. A message that comes on a stream is an event:
#   message: {{method: METHOD, reply: {{FIELD: \"{{sender}}\", FIELD: \"{{text}}\"}}}}
hear:
  unknown_operation: {{status: UNIMPLEMENTED}}
  unavailable:       {{status: UNAVAILABLE}}
  error:             [{{status: UNKNOWN}}, {{status: INTERNAL}}, {{status: RESOURCE_EXHAUSTED}}]

# If messages come on a stream that a user opens after logging in:
# listen: {{say: {{method: METHOD, request: {{FIELD: \"{{me}}\"}}}}}}

# What each method is, only you know. Give it the name of an operation (`conformance explain log_in` tells about one), and
# instead of the types write what stands there: `\"{{username}}\"` for a value of the protocol, or a constant.
# Methods that are none of the operations are left out.
operations:
{methods}
# An operation that is always answered, if only by an error: with it the suite proves that nothing else comes.
fence: list_accounts

# Where right servers differ; what is not said is as in the protocol. `conformance probe … --policies` finds yours.
# policies: {{second_log_in: refused}}

# What values may be here, where that is less than the protocol allows: a regular expression over the whole value.
# limits: {{username: \"[a-zA-Z0-9]{{1,30}}\"}}
",
        quoted(name),
        quoted(path),
    ))
}

/// A method as a comment: what it takes and gives.
fn told(schema: &Schema, name: &str) -> String {
    let Some(method) = schema.outline(name) else { return String::new() };
    if method.takes_stream() {
        return format!("  # {name} takes a stream of requests, which a dialect cannot say.\n\n");
    }
    let (request, reply) = (fields(&method.request(), DEPTH), fields(&method.reply(), DEPTH));
    let answer = format!("{{method: {name}, reply: {reply}}}");
    let hear = match method.gives_stream() {
        true => format!("{{more: {answer}, ok: {{method: {name}, end: true}}}}"),
        false => format!("{{ok: {answer}}}"),
    };
    format!("  # OPERATION:\n  #   say:  {{method: {name}, request: {request}}}\n  #   hear: {hear}\n\n")
}

fn fields(of: &MessageType, depth: usize) -> String {
    let all = of.fields().filter_map(|name| Some((of.field(&name, false)?, name)));
    let told: Vec<String> = all.map(|(field, name)| format!("{name}: {}", kind(&field, depth))).collect();
    format!("{{{}}}", told.join(", "))
}

fn kind(field: &Field, depth: usize) -> String {
    let one = match field.kind() {
        FieldKind::Number => "number".to_owned(),
        FieldKind::Flag => "true or false".to_owned(),
        FieldKind::Text => "text".to_owned(),
        FieldKind::Bytes => "bytes".to_owned(),
        FieldKind::Enum(names) => names.join(" or "),
        FieldKind::Message(of) if depth > 0 => fields(&of, depth - 1),
        FieldKind::Message(of) => of.name().to_owned(),
        FieldKind::WellKnown => "json".to_owned(),
    };
    if field.is_list() { format!("[{one}]") } else { one }
}
