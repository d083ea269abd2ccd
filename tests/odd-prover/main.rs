//! A program that speaks rollup_cli's protocol and misbehaves on demand.
//!
//! `odd-prover <habit>`: claims are answered with 16 fields of the request's
//! first bytes and a PLONK-sized tail, unless the habit says otherwise.

#![expect(
    clippy::print_stderr,
    reason = "its standard error is what the tests read"
)]

use std::{
    env,
    io::{self, Read, Write},
    process, thread,
    time::Duration,
};

const CLAIM_BYTES: usize = 4413;
const CLAIM_REPLY_BYTES: usize = 2016;

fn main() -> io::Result<()> {
    let habit = env::args().nth(1).unwrap_or_default();
    let is = |name: &str| habit == name;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut requests = 0;
    eprintln!("odd-prover: started");
    if is("die-at-start") {
        eprintln!("odd-prover: no reference string");
        process::exit(3);
    }
    if is("ignore-sigterm") {
        // A shell that ignores the signal, in the same process group.
        process::Command::new("sh")
            .args(["-c", "trap '' TERM; sleep 1000"])
            .stdin(process::Stdio::null())
            .spawn()?;
    }
    loop {
        let mut code = [0; 4];
        if input.read_exact(&mut code).is_err() {
            return Ok(());
        }
        if u32::from_be_bytes(code) == 666 {
            match habit.as_str() {
                "no-ping" => hang(),
                "wrong-ping" => output.write_all(&[7])?,
                _ => output.write_all(&[1])?,
            }
            output.flush()?;
            continue;
        }
        let mut request = vec![0; CLAIM_BYTES - 4];
        input.read_exact(&mut request)?;
        requests += 1;
        let mut reply = vec![requests; CLAIM_REPLY_BYTES];
        let mut verified = 1;
        match habit.as_str() {
            "die-in-proof" => process::abort(),
            "die-in-first-proof" if requests == 1 && env::args().nth(2).is_some_and(first) => {
                process::exit(9)
            }
            "hang" => hang(),
            "flood" => {
                for line in 0..100_000 {
                    eprintln!("odd-prover: line {line} of very much that nobody asked for");
                }
            }
            "short" => reply.truncate(2015),
            "bomb" => {
                output.write_all(&u32::MAX.to_be_bytes())?;
                output.flush()?;
                hang();
            }
            "half" => {
                output.write_all(&(reply.len() as u32).to_be_bytes())?;
                output.write_all(&reply[..100])?;
                output.flush()?;
                process::exit(0);
            }
            "refuse" => reply.clear(),
            "unverified" => verified = 0,
            "refuse-with-reason" => {
                eprintln!("@zkwhirl failure infrastructure the disk is full");
                (reply, verified) = (Vec::new(), 0);
            }
            "verified-2" => verified = 2,
            _ => {}
        }
        let times = if is("twice") { 2 } else { 1 };
        for _ in 0..times {
            output.write_all(&(reply.len() as u32).to_be_bytes())?;
            output.write_all(&reply)?;
            output.write_all(&[verified])?;
        }
        output.flush()?;
    }
}

/// True for the first process that asks for this file's name.
fn first(path: String) -> bool {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .is_ok()
}

fn hang() -> ! {
    loop {
        thread::park_timeout(Duration::from_secs(1000));
    }
}
