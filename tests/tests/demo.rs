//! The demo as somebody runs it for the first time: it tells its story, serves its figures, ends, and its sums add up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use settlewatch_tests::broker::binary;

/// Longer than this no run may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A free port of this machine.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener
        .local_addr()
        .expect("it has an address")
        .to_string()
}

fn start(arguments: &[&str]) -> Child {
    Command::new(binary())
        .arg("demo")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the demo starts")
}

/// What a page says, once it says `wanted`.
fn page_with(address: &str, path: &str, wanted: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut page = String::new();
    while Instant::now() < deadline {
        page.clear();
        if let Ok(mut stream) = TcpStream::connect(address) {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            let asked = stream.write_all(request.as_bytes());
            let answered = asked.and_then(|()| stream.read_to_string(&mut page));
            if answered.is_ok() && page.contains(wanted) {
                return page;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{path} never said {wanted}; it said: {page}");
}

#[test]
fn a_minute_of_the_story_comes_out_as_scripted() {
    let address = free_address();
    let arguments = ["--headless", "--for", "12s", "--speed", "5", "--lang", "en"];
    let demo = start(&[&arguments[..], &["--listen", &address]].concat());
    page_with(
        &address,
        "/metrics",
        "settlewatch_overdue_payments{channel=\"unionpay_qr\"} ",
    );
    page_with(&address, "/readyz", "HTTP/1.1 200");
    let output = demo.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    for wanted in [
        "payments = credited + explained + written off + pending",
        "credit_missing",
        "duplicate_credit",
        "orphan_credit",
        "unionpay_qr has stopped crediting",
    ] {
        assert!(told.contains(wanted), "{wanted} is missing:\n{told}");
    }
    assert!(!errors.contains('{'), "no JSON for people: {errors}");
    assert!(
        !told.contains('\x1b'),
        "no colour where there is no terminal"
    );
}

#[test]
fn two_that_start_together_both_run() {
    let address = free_address();
    let arguments = ["--headless", "--for", "3s", "--listen", &address];
    let demos: Vec<Child> = (0..2).map(|_| start(&arguments)).collect();
    for demo in demos {
        let output = demo.wait_with_output().expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
    }
}

#[test]
fn it_drains_when_it_is_told_to_end_and_speaks_chinese() {
    let mut demo = start(&[
        "--headless",
        "--speed",
        "5",
        "--lang",
        "zh",
        "--listen",
        &free_address(),
    ]);
    let mut lines = BufReader::new(demo.stdout.take().expect("it is piped")).lines();
    let first = lines.next().expect("it says something").expect("as text");
    assert!(first.contains("支付"), "{first}");
    let pid = i32::try_from(demo.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::INT).expect("it runs");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let status = demo.wait().expect("it ends");
    assert!(status.success(), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.contains("支付 = 已入账")),
        "{rest:?}"
    );
}
