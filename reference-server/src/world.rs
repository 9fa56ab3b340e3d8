//! Time and randomness as arguments.
//!
//! Whoever runs a core decides where both come from: the real world, or a seed. Not here: the network (`net`),
//! and timers, for which tokio's clock serves in both worlds.

use std::fmt;
use std::sync::{Arc, Mutex};

/// Fills bytes at random.
type Entropy = dyn Fn(&mut [u8]) + Send + Sync;

/// Where time and randomness come from. Cheap to clone; clones share one source.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    entropy: Arc<Entropy>,
}

impl World {
    /// The computer's clock and the operating system's randomness.
    pub fn real() -> Self {
        World {
            clock: Arc::new(|| {
                #[expect(clippy::disallowed_methods, reason = "the one place where real time comes in")]
                let now = std::time::SystemTime::now();
                now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
            }),
            entropy: Arc::new(|bytes| {
                getrandom::fill(bytes).expect("the operating system always has randomness to give");
            }),
        }
    }

    /// A clock of one's own, and randomness that follows from `seed` alone.
    pub fn seeded(seed: u64, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let state = Mutex::new(seed);
        World {
            clock: Arc::new(clock),
            entropy: Arc::new(move |bytes| {
                let mut state = state.lock().expect("nothing panics while it draws");
                for chunk in bytes.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(&mut state).to_be_bytes()[..chunk.len()]);
                }
            }),
        }
    }

    /// The same world with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Fresh random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.entropy)(&mut bytes);
        bytes
    }

    /// A number from 0 up to, not including, `bound`. The bias is below 2⁻³² for bounds that fit 32 bits.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(self.random()) % bound.max(1)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// SplitMix64: small, fast, and the same everywhere. Nothing secret may come from it outside a simulation.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
