//! The command `reference-peer` as people run it: three processes, real sockets, logs in files.
//!
//! The logs are read here in the simplest way; the suite's own judge is `conformance::check::clock`.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use reference_server::clock::log::{Entry, Event};

fn reference_peer(arguments: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-peer"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Three free ports below those that the operating system lends to whoever connects; other ones each time.
fn three_ports() -> [u16; 3] {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + (std::process::id() % 600) as u16 * 30 + TURN.fetch_add(3, Ordering::Relaxed);
    let mut free = (first..32_000).filter(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    [(); 3].map(|()| free.next().expect("some port is free"))
}

fn log_of(port: u16) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("peer-{port}.log"))
}

#[test]
fn three_processes_keep_one_time() {
    let ports = three_ports();
    let children: Vec<Child> = (0..3)
        .map(|turn| {
            let [own, one, other] = [ports[turn], ports[(turn + 1) % 3], ports[(turn + 2) % 3]];
            let options = format!("--listen {own} --peer {one} --peer {other} --rate 6 --seed 4 --duration-s 3 --log");
            let options = options.split(' ').map(str::to_owned);
            reference_peer(&options.chain([log_of(own).display().to_string()]).collect::<Vec<_>>()).spawn()
        })
        .collect::<Result<_, _>>()
        .expect("the command starts");
    for (port, child) in ports.iter().zip(children) {
        let output = child.wait_with_output().expect("the command ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("listening 127.0.0.1:{port}\n"));
    }

    let mut receives = 0;
    for port in ports {
        let log = fs::read_to_string(log_of(port)).expect("a log");
        let mut own = 0;
        for line in log.lines() {
            let entry: Entry = line.parse().expect(line);
            let seen = match entry.event {
                Event::Received { stamp, .. } => stamp,
                _ => 0,
            };
            receives += usize::from(seen > 0);
            assert_eq!(entry.clock, own.max(seen) + 1, "{line}");
            assert_eq!(entry.peer, port, "{line}");
            own = entry.clock;
        }
        assert!((1..=19).contains(&log.lines().count()), "6 ticks a second for 3 seconds: {log}");
    }
    assert!(receives > 0, "peers that never hear each other prove nothing");
}

#[test]
fn what_cannot_be_done_is_said_with_exit_code_2() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("an address").port();
    let [own, one, other] = three_ports();
    let log = log_of(own).display().to_string();
    for (options, says) in [
        (format!("--listen {taken} --peer {one} --peer {other}"), "failed to listen on 127.0.0.1:"),
        (format!("--listen {own} --peer {one} --peer {other} --wait-s 0"), "failed to reach the peer at 127.0.0.1:"),
        (format!("--listen {own} --peer {one}"), "--peer is needed twice"),
        (format!("--listen {own} --peer {one} --peer {own}"), "three peers need three ids"),
        (format!("--listen {own} --peer {one} --peer {other} --rate 7"), "7 is not in 1..=6"),
        (format!("--listen {own} --peer {one} --peer nowhere"), "`nowhere` is no port"),
    ] {
        let arguments = options.split(' ').map(str::to_owned).chain(["--log".to_owned(), log.clone()]);
        let output = reference_peer(&arguments.collect::<Vec<_>>()).output().expect("the command starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options}: {stderr}");
        assert!(stderr.contains(says), "{options}: {stderr}");
    }
}
