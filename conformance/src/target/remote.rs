//! A target that runs somewhere already, known by its address alone.

use crate::target::{Eventually, Instance, ServerOptions, StartError, Starter};

/// A server at an address.
#[derive(Debug, Clone)]
pub struct Remote {
    /// `host:port`.
    pub address: String,
}

impl Starter for Remote {
    fn start<'a>(&'a self, _: &'a ServerOptions) -> Eventually<'a, Result<Box<dyn Instance>, StartError>> {
        Box::pin(async { Ok(Box::new(self.clone()) as Box<dyn Instance>) })
    }

    fn can_set(&self, _: &str) -> bool {
        false
    }

    fn is_ours(&self) -> bool {
        false
    }
}

impl Instance for Remote {
    fn address(&self) -> String {
        self.address.clone()
    }
}
