//! The command `reference-client`: options in, one command or a prompt, exit code out.

mod command;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use command::options::Options;
use command::screen::Screen;
use command::{Session, Stop, prompt};

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
    perform(&options, &screen).await.unwrap_or_else(|stop| {
        screen.stop(&stop);
        stop.exit_code()
    })
}

async fn perform(options: &Options, screen: &Screen) -> Result<u8, Stop> {
    let credentials = options.credentials()?;
    let Some(command) = options.command.clone() else {
        return prompt::converse(options, credentials, screen.clone()).await;
    };
    let session = Session::open(options, credentials, screen.clone()).await?;
    session.once(command).await.map(|()| 0)
}
