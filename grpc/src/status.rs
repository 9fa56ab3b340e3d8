//! How a call ended: the canonical names of its codes, and whether the peer said so or the connection was lost.

use std::error::Error;
use std::iter::successors;

use tonic::{Code, Status};

/// Why a call has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The peer said so, or what it said makes no sense.
    Status(Status),
    /// The connection ended. What the peer would have said is unknown, so no line may claim to know it.
    Lost,
}

impl From<Status> for Failure {
    /// A status with a cause was not spoken by the peer but made here, of what went wrong below.
    fn from(status: Status) -> Failure {
        let mut causes = successors(status.source(), |&cause| cause.source());
        let below = causes.clone().any(|cause| cause.is::<hyper::Error>() || cause.is::<h2::Error>());
        match causes.find_map(|cause| cause.downcast_ref::<h2::Error>()) {
            Some(cause) if cause.is_reset() => {
                Failure::Status(Status::new(code_of(cause.reason()), format!("the call was reset: {cause}")))
            }
            _ if below => Failure::Lost,
            _ => Failure::Status(status),
        }
    }
}

/// What a reset means, by the table of gRPC over HTTP/2.
fn code_of(reason: Option<h2::Reason>) -> Code {
    match reason {
        Some(h2::Reason::REFUSED_STREAM) => Code::Unavailable,
        Some(h2::Reason::CANCEL) => Code::Cancelled,
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
        Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
        _ => Code::Internal,
    }
}

/// The canonical name of a code.
pub(crate) fn name(code: Code) -> &'static str {
    NAMES[code as usize]
}

/// The code of a canonical name.
pub(crate) fn code(name: &str) -> Option<Code> {
    NAMES.iter().position(|known| *known == name).map(|number| Code::from(number as i32))
}

/// By their numbers.
pub const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_the_name_of_its_number() {
        for (number, known) in NAMES.iter().enumerate() {
            assert_eq!(name(Code::from(number as i32)), *known);
            assert_eq!(code(known), Some(Code::from(number as i32)));
        }
        assert_eq!((name(Code::NotFound), name(Code::Unauthenticated)), ("NOT_FOUND", "UNAUTHENTICATED"));
        assert_eq!(code("Ok"), None);
    }
}
