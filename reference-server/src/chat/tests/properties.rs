//! What holds whatever anybody asks, in any order.

use proptest::prelude::*;

use super::*;

const USERS: [&str; 3] = ["a", "b", "c"];
const CONNECTIONS: [&str; 5] = ["1", "2", "3", "4", "5"];

#[derive(Debug, Clone)]
enum Step {
    Reconnects,
    Waits(u64),
    Asks(Request),
    /// Resumes with the token that was given out so many log ins ago.
    Resumes(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let user = || prop::sample::select(&USERS[..]).prop_map(str::to_owned);
    let password = || prop_oneof![9 => Just(PASSWORD.to_owned()), 1 => Just("wrong".to_owned())];
    prop_oneof![
        2 => Just(Step::Reconnects),
        1 => prop_oneof![Just(1), Just(LIFETIME_MS / 3), Just(LIFETIME_MS)].prop_map(Step::Waits),
        3 => (0..3_usize).prop_map(Step::Resumes),
        3 => (user(), password()).prop_map(|(u, p)| Step::Asks(create(&u, &p))),
        6 => (user(), password(), any::<bool>()).prop_map(|(u, p, over)| Step::Asks(log_in(&u, &p, over))),
        1 => Just(Step::Asks(Request::LogOut {})),
        9 => (user(), 0..4_u8).prop_map(|(recipient, key)| {
            let key = if key == 0 { Vec::new() } else { vec![key; 16] };
            Step::Asks(Request::SendMessage { recipient, text: "x".to_owned(), key })
        }),
        5 => (0..12_u64, 0..4_u64).prop_map(|(acknowledge, max)| Step::Asks(Request::DeliverMessages { acknowledge, max })),
        1 => (password(), any::<bool>()).prop_map(|(password, discard)| Step::Asks(Request::DeleteAccount { password, discard })),
        1 => Just(Step::Asks(Request::ListAccounts { pattern: "?".to_owned(), after: String::new(), limit: 2 })),
    ]
}

proptest! {
    #[test]
    fn whatever_is_asked_the_promises_hold(steps in prop::collection::vec((prop::sample::select(&CONNECTIONS[..]), step()), 1..120)) {
        let mut story = Story::new();
        CONNECTIONS.iter().for_each(|who| story.connects(who));
        let mut promises = Promises::default();
        let mut tokens = Vec::new();
        for (who, step) in steps {
            let asked = match step {
                Step::Waits(ms) => { story.waits(ms); continue }
                Step::Reconnects => { story.disconnects(who); story.connects(who); continue }
                Step::Resumes(ago) => Request::ResumeSession { token: tokens.iter().rev().nth(ago).cloned().unwrap_or_default() },
                Step::Asks(request) => request,
            };
            if story.chat.presence.policies(story.connections[who]).is_none() {
                story.connects(who);
            }
            story.seen.clear();
            let answer = story.asks(who, asked.clone());
            if let Ok(Reply::LogIn { token, .. }) = &answer {
                tokens.push(token.clone());
            }
            promises.check(&story, &asked, &answer)?;
        }
    }
}

/// A wire with any choices.
fn policies() -> impl Strategy<Value = Policies> {
    let choice = |(name, choices): &(&'static str, &'static [&'static str])| {
        let name = *name;
        prop::sample::select(*choices).prop_map(move |choice| (name, choice))
    };
    let choices: Vec<_> = Policies::NAMES.iter().map(choice).collect();
    (choices, any::<bool>(), any::<bool>()).prop_map(|(choices, paging, passwords)| Policies {
        paging,
        passwords,
        ..Policies::new(choices, |_| false)
    })
}

fn says() -> impl Strategy<Value = Who> {
    let username = || prop::sample::select(&USERS[..]).prop_map(str::to_owned);
    let password = prop::option::of(prop_oneof![3 => Just(PASSWORD.to_owned()), 1 => Just("wrong".to_owned())]);
    prop_oneof![
        2 => Just(Who::Connection),
        2 => (username(), password).prop_map(|(username, password)| Who::Named { username, password }),
        1 => (0..40_u8, prop::option::of(username()))
            .prop_map(|(n, username)| Who::Token { token: vec![n; 32], username }),
    ]
}

proptest! {
    #[test]
    fn over_whatever_wires_each_request_has_one_answer_and_it_comes_last(
        wires in prop::collection::vec(policies(), CONNECTIONS.len()),
        steps in prop::collection::vec((prop::sample::select(&CONNECTIONS[..]), says(), prop::option::of(step())), 1..80),
    ) {
        let mut story = Story::new();
        let wires: BTreeMap<_, _> = CONNECTIONS.into_iter().zip(wires).collect();
        CONNECTIONS.iter().for_each(|who| story.connects_by(who, &wires[who]));
        for (who, says, step) in steps {
            let connection = story.connections[who];
            match step {
                None => story.applies(Input::Listens { connection, who: says }),
                Some(Step::Waits(ms)) => story.waits(ms),
                Some(Step::Asks(request)) if story.chat.presence.policies(connection).is_some() => {
                    story.seen.clear();
                    _ = story.asks_as(who, says, request);
                    let answers = story.seen.values().flatten().filter(|seen| matches!(seen, Seen::Answer(_))).count();
                    prop_assert_eq!(answers, 1);
                }
                Some(_) => { story.disconnects(who); story.connects_by(who, &wires[who]); }
            }
        }
    }
}

/// What was promised so far: the last id of each mailbox, by account number.
#[derive(Default)]
struct Promises {
    last_ids: BTreeMap<u64, u64>,
}

impl Promises {
    fn check(&mut self, story: &Story, asked: &Request, answer: &Response) -> Result<(), TestCaseError> {
        // Ids of a mailbox rise by one; a repeated key gives an old one.
        if let (Request::SendMessage { recipient, key, .. }, Ok(Reply::SendMessage { message_id, .. })) =
            (asked, answer)
        {
            let account = story.chat.state.account(recipient).expect("it has just got a message");
            let last = self.last_ids.entry(account.number).or_default();
            let newest = account.mailbox.last_id;
            // A key may be repeated after the name has got a new owner: then the id is of a mailbox that is gone.
            let is_new = newest == *last + 1 && *message_id == newest;
            let is_repeated = newest == *last && !key.is_empty() && !pushed(story);
            prop_assert!(is_new || is_repeated, "{message_id} after {last}, and the mailbox is at {newest}");
            *last = newest;
        }
        // A page rises by one, and ends with the last message or says that there is more.
        if let Ok(Reply::DeliverMessages { messages, .. }) = answer {
            prop_assert!(messages.windows(2).all(|pair| pair[0].message_id + 1 == pair[1].message_id));
        }
        // One request, one answer; and one connection for each account.
        let answers = story.seen.values().flatten().filter(|seen| matches!(seen, Seen::Answer(_))).count();
        prop_assert_eq!(answers, 1);
        let bound = |who: &&str| story.chat.presence.session(story.connections[*who], story.now_ms).map(|s| s.account);
        let mut accounts: Vec<u64> = CONNECTIONS.iter().filter_map(bound).collect();
        let bindings = accounts.len();
        accounts.sort_unstable();
        accounts.dedup();
        prop_assert_eq!(accounts.len(), bindings, "an account is bound twice");
        Ok(())
    }
}

fn pushed(story: &Story) -> bool {
    story.seen.values().flatten().any(|seen| matches!(seen, Seen::Message(_)))
}
