//! Whether a target is there at all: before a run, and after something went missing.

use std::time::Duration;

use crate::drive::{Arrival, Link, Stage, Wire};
use crate::target::Instance;

/// One exchange on a new connection: the dialect's fence, which always answers.
enum Sign {
    Answered,
    Closed(String),
    Silent(String),
    Unreachable(String),
}

async fn exchange<W: Wire>(stage: &Stage<W>) -> Sign {
    let mut turn = stage.patience.turn().await;
    let connecting = async {
        let address = stage.ground.address("").await?;
        stage.wire.connect(&address).await
    };
    let stream = match stage.patience.wait_for_connection(&mut turn, connecting).await {
        Some(Ok(stream)) => stream,
        Some(Err(error)) => return Sign::Unreachable(error.to_string()),
        None => return Sign::Unreachable("no connection within the deadline".into()),
    };
    let mut link: Link<W> = Link::new(stream, stage.dialect.clone());
    let fence = &stage.dialect.fence;
    let mut arguments = spec::value::Record::new();
    for name in stage.spec.service.operations.get(fence).map(|spec| spec.arguments.as_slice()).unwrap_or_default() {
        let default = stage.spec.service.field(name).and_then(spec::service::Field::default_value);
        arguments.set(name, default.unwrap_or(spec::value::Value::Int(42)));
    }
    // A server that has trouble with lists of everybody is no less there.
    if arguments.get("pattern").is_some() {
        arguments.set("pattern", spec::value::Value::Text("fence".to_owned()));
    }
    let mut memory = spec::codec::Memory::of("nobody");
    let nobody = spec::value::Record::new().with("token", vec![0; 16]).with("password", "nothing");
    memory.learn(&nobody, &stage.spec.service);
    link.open(&stage.patience, &mut turn, &mut memory).await;
    let Ok(Some(bytes)) = link.compose(fence, &arguments, &memory) else { return Sign::Answered };
    let _ = link.write(&bytes, &stage.patience, &mut turn).await;
    let arrived = link.next(&stage.patience, &mut turn, &mut memory).await;
    match arrived.what {
        Arrival::Answer(_) | Arrival::Part(_) | Arrival::Event(_) => Sign::Answered,
        // Whoever sends the beginning of something is there, and wrong.
        Arrival::Silence if !arrived.bytes.is_empty() => Sign::Answered,
        Arrival::End(how) => Sign::Closed(how),
        Arrival::Silence => Sign::Silent(format!("{} ms", stage.patience.deadline().as_millis())),
        Arrival::Flood => Sign::Answered,
        Arrival::Unsent(why) => Sign::Unreachable(format!("`{fence}` cannot be asked: {why}")),
    }
}

/// Whether the target answers somebody else now.
pub(super) async fn proof<W: Wire>(stage: &Stage<W>) -> bool {
    matches!(exchange(stage).await, Sign::Answered)
}

/// Looks before the run whether somebody is there who answers. Whether the answers are right is not asked.
///
/// # Errors
/// Why there is nobody to judge.
pub(super) async fn preflight<W: Wire>(stage: &Stage<W>, address: &str) -> Result<(), String> {
    let patient = Stage { patience: stage.patience.second_round(), ..stage.clone() };
    let first = exchange(stage).await;
    let second = match first {
        Sign::Answered => return Ok(()),
        Sign::Unreachable(why) => return Err(format!("nobody can be reached at {address}: {why}")),
        _ => exchange(&patient).await,
    };
    let fence = &stage.dialect.fence;
    match second {
        Sign::Answered => Ok(()),
        Sign::Unreachable(why) => Err(format!("nobody can be reached at {address} any more: {why}")),
        Sign::Closed(how) => {
            Err(format!("{address} accepts connections and ends them at a first `{fence}`, twice: {how}"))
        }
        Sign::Silent(how) => {
            Err(format!("{address} accepts connections and does not answer `{fence}`: nothing for {how}"))
        }
    }
}

/// How often it is asked how an instance ended, and how long between: a process that dies takes its time.
const LOOKS: (u32, Duration) = (10, Duration::from_millis(10));

/// How an instance ended, if that is known; else what was seen of it.
pub(super) async fn ending(instance: &mut Box<dyn Instance>, seen: String) -> String {
    for _ in 0..LOOKS.0 {
        if let Some(how) = instance.ended() {
            return format!("the target has ended ({how})");
        }
        tokio::time::sleep(LOOKS.1).await;
    }
    seen
}

/// In the place of an instance that is being replaced.
pub(super) struct Gone;

impl Instance for Gone {
    fn address(&self) -> String {
        String::new()
    }
}
