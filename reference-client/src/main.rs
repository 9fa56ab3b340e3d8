//! The command `reference-client`: options in, one command or a prompt, exit code out.

mod command;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use command::options::Options;
use command::screen::Screen;
use command::{Session, prompt};

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(shell) = options.completions {
        clap_complete::generate(shell, &mut Options::command(), "reference-client", &mut std::io::stdout());
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => ExitCode::from(runtime.block_on(run(options))),
        Err(error) => {
            eprintln!("reference-client: failed to start: {error}");
            ExitCode::from(3)
        }
    }
}

async fn run(options: Options) -> u8 {
    let screen = Screen::streams(options.json);
    let done = match options.command.clone() {
        None => prompt::converse(&options, screen.clone()).await,
        Some(command) => match Session::open(&options, screen.clone()).await {
            Ok(session) => session.once(command).await.map(|()| 0),
            Err(stop) => Err(stop),
        },
    };
    done.unwrap_or_else(|stop| {
        screen.stop(&stop);
        stop.exit_code()
    })
}
