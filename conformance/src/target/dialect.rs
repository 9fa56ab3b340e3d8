//! A dialect of one's own, from its file: what the protocol says of it, and of gRPC also what its messages say.
//!
//! Without the feature `grpc` nobody can read a `.proto`, and a dialect is looked at as far as it goes by itself.

use std::sync::Arc;

use spec::Spec;
use spec::dialect::Dialect;
use spec::error::Diagnostics;
use spec::source::File;

/// Reads a dialect. Mistakes are added to `found`; a dialect comes back only if there is none.
pub fn read_dialect(file: &Arc<File>, spec: &Spec, found: &mut Diagnostics) -> Option<Dialect> {
    let dialect = spec::read_dialect(file, &spec.service, found)?;
    let before = found.0.len();
    hold_against_messages(&dialect, spec, found);
    (found.0.len() == before).then_some(dialect)
}

/// Holds a dialect of gRPC against its `.proto`, if it names one. If it does not, the server is asked before a run.
#[cfg(feature = "grpc")]
pub(crate) fn hold_against_messages(dialect: &Dialect, spec: &Spec, found: &mut Diagnostics) {
    use spec::error::Diagnostic;

    use crate::drive::proto;
    use crate::target::messages;

    let Some(grpc) = &dialect.grpc else { return };
    match proto(dialect, spec) {
        Ok(None) => {}
        Ok(Some((path, text))) => {
            if let Some(schema) = messages::read(grpc, &path, text, found) {
                messages::hold(grpc, &schema, found);
            }
        }
        Err(why) => found.0.extend(grpc.places.0.as_ref().map(|place| Diagnostic::new(place, why.to_string()))),
    }
}

#[cfg(not(feature = "grpc"))]
pub(crate) fn hold_against_messages(_: &Dialect, _: &Spec, _: &mut Diagnostics) {}
