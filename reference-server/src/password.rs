//! The work on passwords: slow, random, and therefore outside the core and off its lock.

use std::num::NonZero;
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::chat::{Proof, SecretNeeded};
use crate::world::World;

/// What an Argon2id hash costs, and with that how hard a stolen one is to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Cost {
    /// 19 MiB and two passes, about 20 ms: for people.
    Interactive,
    /// 64 KiB and one pass, about 0.03 ms: for tests. It protects nobody.
    Test,
}

impl Cost {
    fn argon2(self) -> Argon2<'static> {
        let params = match self {
            Cost::Interactive => Params::default(),
            Cost::Test => Params::new(64, 1, 1, None).expect("64 KiB is more than the smallest memory there is"),
        };
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

/// Does what [`SecretNeeded`] says.
pub(crate) struct Passwords {
    cost: Cost,
    world: World,
    /// As many hashes at a time as there are processors: more would only need more memory.
    places: Semaphore,
}

impl Passwords {
    pub(crate) fn new(cost: Cost, world: World) -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Passwords { cost, world, places: Semaphore::new(processors) }
    }

    pub(crate) async fn prove(&self, needed: SecretNeeded, password: &str) -> Proof {
        if needed == SecretNeeded::Nothing {
            return Proof::Nothing;
        }
        let (argon2, salt) = (self.cost.argon2(), self.world.random());
        match self.cost {
            // In place: it is shorter than a thread takes to wake, and a simulation has no other threads.
            Cost::Test => work(&argon2, needed, password, &salt),
            Cost::Interactive => {
                let _place = self.places.acquire().await.expect("nobody closes the semaphore");
                let password = password.to_owned();
                let worked = tokio::task::spawn_blocking(move || work(&argon2, needed, &password, &salt)).await;
                worked.expect("hashing does not panic")
            }
        }
    }
}

fn work(argon2: &Argon2<'_>, needed: SecretNeeded, password: &str, salt: &[u8; 16]) -> Proof {
    let hash = || argon2.hash_password_with_salt(password.as_bytes(), salt).expect("length and salt are in range");
    match needed {
        SecretNeeded::Nothing => Proof::Nothing,
        SecretNeeded::Hash => Proof::Hashed(hash().to_string()),
        SecretNeeded::Absent => {
            // A hash takes as long as a comparison, so the time does not tell that there is no account.
            hash();
            Proof::Wrong
        }
        SecretNeeded::Verify { account, hash } => {
            let kept = PasswordHash::new(&hash).expect("what is kept was made here");
            let right = argon2.verify_password(password.as_bytes(), &kept).is_ok();
            if right { Proof::Right { account } } else { Proof::Wrong }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_proves_its_password_and_no_other_and_names_its_cost() {
        for (cost, parameters) in
            [(Cost::Test, "$argon2id$v=19$m=64,t=1,p=1$"), (Cost::Interactive, "$m=19456,t=2,p=1$")]
        {
            let passwords = Passwords::new(cost, World::seeded(1, || 0));
            let Proof::Hashed(hash) = passwords.prove(SecretNeeded::Hash, "secret").await else { panic!() };
            assert!(hash.contains(parameters), "{hash}");
            let verify = SecretNeeded::Verify { account: 7, hash };
            assert_eq!(passwords.prove(verify.clone(), "secret").await, Proof::Right { account: 7 });
            assert_eq!(passwords.prove(verify, "secreT").await, Proof::Wrong);
            assert_eq!(passwords.prove(SecretNeeded::Absent, "secret").await, Proof::Wrong);
        }
    }

    #[tokio::test]
    async fn equal_passwords_have_different_hashes() {
        let passwords = Passwords::new(Cost::Test, World::seeded(1, || 0));
        let one = passwords.prove(SecretNeeded::Hash, "secret").await;
        assert_ne!(one, passwords.prove(SecretNeeded::Hash, "secret").await);
    }
}
