//! Where right servers differ: the choices of `service.yaml`, one set for each connection.
//!
//! One core serves wires that differ. A choice is looked up where the rule stands that it changes: on admission, where
//! it goes into the command, or where an outcome reaches those who are connected. The state never asks for a policy.

use spec::dialect::Dialect;

/// Declares the policies once; names and meanings stand in `service.yaml`, under `policies`.
macro_rules! policies {
    ($($policy:ident: $type:ident { $first:ident $first_name:literal $(, $choice:ident $name:literal)* };)*) => {
        $(
            #[doc = concat!("The policy `", stringify!($policy), "`.")]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
            #[allow(missing_docs, reason = "each choice is documented in service.yaml, under the same name")]
            pub enum $type { #[default] $first, $($choice,)* }

            impl $type {
                fn from_name(name: &str) -> Option<Self> {
                    match name { $first_name => Some($type::$first), $($name => Some($type::$choice),)* _ => None }
                }
            }
        )*

        /// The choices of one wire, and what it cannot say. The default is the protocol's own.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each policy is documented in service.yaml, under the same name")]
        pub struct Policies {
            $(pub $policy: $type,)*
            /// Whether lists come in pages. Otherwise they come whole.
            pub paging: bool,
            /// Whether passwords are looked at. Otherwise accounts are made without one, and a name is enough.
            pub passwords: bool,
        }

        impl Default for Policies {
            fn default() -> Self {
                Policies { $($policy: $type::default(),)* paging: true, passwords: true }
            }
        }

        impl Policies {
            /// Replaces one choice.
            ///
            /// # Panics
            /// If there is no such policy or choice: whoever reads a dialect has looked.
            fn choose(&mut self, policy: &str, choice: &str) {
                let known = match policy {
                    $(stringify!($policy) => $type::from_name(choice).map(|choice| self.$policy = choice),)*
                    _ => None,
                };
                known.unwrap_or_else(|| panic!("service.yaml has no policy `{policy}` with a choice `{choice}`"));
            }

            /// Names of policies and of their choices, in order.
            #[cfg(test)]
            pub(super) const NAMES: &[(&str, &[&str])] = &[$((stringify!($policy), &[$first_name, $($name,)*]),)*];
        }
    };
}

policies! {
    after_create: AfterCreate { LoggedOut "logged_out", LoggedIn "logged_in" };
    at_log_in: AtLogIn { Nothing "nothing", Messages "messages", Pushed "pushed" };
    second_log_in: SecondLogIn {
        RefusedUnlessTakenOver "refused_unless_taken_over", Refused "refused", TakesOver "takes_over", Both "both"
    };
    list_needs_session: ListNeedsSession { Needed "needed", Open "open" };
    pattern: PatternLanguage {
        Glob "glob", Star "star", Substring "substring", RegexPrefix "regex_prefix", RegexFull "regex_full",
        Like "like", None "none"
    };
    list_order: ListOrder { Sorted "sorted", Creation "creation", None "none" };
    listed: Listed { Everyone "everyone", Others "others", Online "online" };
    delivery: Delivery { Push "push", Poll "poll", Stream "stream", History "history" };
    deliver_drains: DeliverDrains { Acknowledged "acknowledged", AtOnce "at_once", Never "never" };
    echo: Echo { None "none", Echoed "echoed" };
    delete_waiting: DeleteWaiting {
        RefusedUnlessDiscarded "refused_unless_discarded", Discarded "discarded", Shown "shown", Kept "kept"
    };
    delete_needs: DeleteNeeds {
        SessionAndPassword "session_and_password", Session "session", PasswordLoggedOut "password_logged_out",
        Password "password"
    };
    deleted_name: DeletedName { Free "free", Kept "kept" };
    log_out_by: LogOutBy { Operation "operation", Disconnect "disconnect", None "none" };
}

impl Policies {
    /// What a wire has chosen, and what it cannot say.
    pub fn of(dialect: &Dialect) -> Self {
        let choices = dialect.policies.iter().map(|(policy, choice)| (policy.as_str(), choice.as_str()));
        Policies::new(choices, |capability| dialect.lacks.iter().any(|lacked| lacked == capability))
    }

    /// The same from names; a policy that is left out has the protocol's own choice.
    ///
    /// # Panics
    /// If there is no such policy or choice.
    pub fn new<'a>(choices: impl IntoIterator<Item = (&'a str, &'a str)>, lacks: impl Fn(&str) -> bool) -> Self {
        let mut policies = Policies { paging: !lacks("paging"), passwords: !lacks("passwords"), ..Policies::default() };
        for (policy, choice) in choices {
            policies.choose(policy, choice);
        }
        // Without a way to say that one holds a message, it can only leave when it is handed out.
        if lacks("acknowledgement") && policies.deliver_drains == DeliverDrains::Acknowledged {
            policies.deliver_drains = DeliverDrains::AtOnce;
        }
        policies
    }
}
