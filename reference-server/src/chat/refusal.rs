//! Refusals with a cause: what some wires tell apart, and the protocol's own does not. Named in `errors.yaml`.

use spec::message::{ErrorName, Failure};

/// The connection that asks is logged in.
pub(super) fn logged_in_here() -> Failure {
    Failure::because(ErrorName::AlreadyLoggedIn, "here")
}

/// The account is logged in, on another connection.
pub(super) fn logged_in_elsewhere() -> Failure {
    Failure::because(ErrorName::AlreadyLoggedIn, "elsewhere")
}

/// There is no account to which the password could belong.
pub(super) fn no_such_user() -> Failure {
    Failure::because(ErrorName::BadCredentials, "no_such_user")
}

/// The account has another password, or none.
pub(super) fn wrong_password() -> Failure {
    Failure::because(ErrorName::BadCredentials, "wrong_password")
}

/// A name that no account can have.
pub(super) fn invalid_username(fault: NameFault) -> Failure {
    let cause = match fault {
        NameFault::Empty => "empty",
        NameFault::Characters => "characters",
        NameFault::TooLong => "too_long",
    };
    Failure::because(ErrorName::InvalidUsername, cause)
}

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameFault {
    Empty,
    Characters,
    TooLong,
}
