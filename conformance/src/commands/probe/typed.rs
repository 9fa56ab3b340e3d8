//! Lines from standard input, each done before the next is read: a prompt on a terminal, a script elsewhere.

use std::io::{BufRead as _, IsTerminal as _};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::commands::probe::asks::{self, Ask};
use crate::commands::probe::talk::Talk;
use crate::commands::{say, say_text};
use crate::exit::Exit;

/// Does line after line, and what was asked for in options at the end.
pub(super) async fn play(talk: &mut Talk, last: &[Ask]) -> Exit {
    let (mut lines, ready) = lines();
    let mut wrong = false;
    loop {
        let _ = ready.send(());
        let Some(line) = lines.recv().await else { break };
        match line.trim() {
            "help" | "?" => asks::help(&talk.dialect).iter().for_each(|line| say!("  {line}")),
            line => match asks::read_line(line, &talk.dialect) {
                Ok(asks) if asks.is_empty() => {}
                Ok(asks) => drop(talk.all(&asks).await),
                // Whoever types may correct it; a script must not end as if all had been done.
                Err(_) => wrong = true,
            },
        }
    }
    let exit = talk.all(last).await;
    if wrong && exit == Exit::Passed && !std::io::stdin().is_terminal() { Exit::Usage } else { exit }
}

/// Lines as they are asked for. The thread that waits for one ends with the process.
fn lines() -> (UnboundedReceiver<String>, UnboundedSender<()>) {
    let (lines, taken) = unbounded_channel();
    let (ready, mut asked) = unbounded_channel::<()>();
    std::thread::spawn(move || {
        let is_terminal = std::io::stdin().is_terminal();
        while asked.blocking_recv().is_some() {
            if is_terminal {
                say_text(format_args!("> "));
            }
            let mut line = String::new();
            match std::io::stdin().lock().read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if lines.send(line).is_err() => return,
                Ok(_) => {}
            }
        }
    });
    (taken, ready)
}
