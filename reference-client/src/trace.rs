//! Every frame of a connection, as it goes by, for whoever watches.
//!
//! Not here: taking bytes apart (`spec::codec`), and where the frames are shown.

use std::fmt;

use spec::codec::Annotated;

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The client.
    Said,
    /// The server.
    Heard,
}

/// One frame.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Who said it.
    pub direction: Direction,
    /// Its bytes. Those that cannot be understood are whatever had come by then.
    pub bytes: &'a [u8],
    /// Its bytes with their meaning beside them.
    pub annotated: Annotated,
}

/// Sees each frame: a request when it is handed over for sending, an answer or event when it is whole.
pub type Watch = Box<dyn FnMut(&Frame<'_>) + Send>;

/// `→ send_message`, then a line for every field, indented by two.
impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = if self.direction == Direction::Said { "→" } else { "←" };
        let title = if self.annotated.title.is_empty() { "(not understood)" } else { &self.annotated.title };
        write!(f, "{arrow} {title}")?;
        self.annotated.to_string().lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
