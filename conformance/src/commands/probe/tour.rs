//! What is done when nothing is asked for: one of everything, as far as the dialect has it, with an account of its own.

use spec::value::Record;

use crate::commands::probe::shown;
use crate::commands::probe::talk::{Talk, Went, fresh_name};
use crate::exit::Exit;

/// Makes an account, uses it, and deletes it.
pub(super) async fn play(talk: &mut Talk) -> Exit {
    let name = fresh_name();
    shown::note(&format!("no operation is given, so all of them are tried, by a new account `{name}`"));
    let me = Record::new().with("username", name.as_str());
    let choice = |talk: &Talk, policy: &str| talk.dialect.policies.get(policy).cloned().unwrap_or_default();
    let logs_in = choice(talk, "after_create") == "logged_in";
    let deletes_outside = choice(talk, "delete_needs") == "password_logged_out";
    let mut steps: Vec<(&str, Record)> = vec![("create_account", me.clone())];
    if !logs_in {
        steps.push(("log_in", me.clone()));
    }
    steps.push(("list_accounts", Record::new()));
    steps.push(("send_message", Record::new().with("recipient", name.as_str())));
    steps.push(("deliver_messages", Record::new()));
    steps.push(("log_out", Record::new()));
    if !deletes_outside {
        steps.push(("log_in", me));
    }
    steps.push(("delete_account", Record::new().with("discard", true)));
    let mut out = !logs_in;
    for (operation, given) in steps {
        if !talk.dialect.has_operation(operation) {
            shown::note(&format!("the dialect has no {operation}"));
            continue;
        }
        // Whoever did not log out need not log in again.
        if operation == "log_in" && !out {
            continue;
        }
        let went = talk.operation(operation, &given).await;
        match (operation, went) {
            (_, Went::Lost) => return talk.exit(),
            ("create_account", Went::Refused | Went::Unfit) => {
                shown::note("without an account nothing else can be tried");
                return talk.exit();
            }
            ("log_in", Went::Well) => out = false,
            ("log_out", Went::Well) => out = true,
            _ => {}
        }
    }
    talk.look(std::time::Duration::from_millis(20)).await;
    if talk.exit() == Exit::Passed {
        let who = talk.me().unwrap_or_default().to_owned();
        shown::note(&format!("everything that came was understood; `{who}` was made for this"));
    }
    talk.exit()
}
