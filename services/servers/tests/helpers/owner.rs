//! A process that has servers, for tests that kill it: `servers-owner [FOLDER]`, without a folder on a temporary one.
//!
//! Says where its folder is and which processes it started, and ends when its input does, without stopping them.

use std::io;

use tongxin_servers::{Servers, ServersConfig, ServersError};

#[tokio::main]
async fn main() {
    let started = match std::env::args().nth(1) {
        Some(folder) => Servers::start(&ServersConfig::new(folder)).await,
        None => Servers::temporary().await,
    };
    let servers = started.unwrap_or_else(|error| fail(&error));

    let (postgres, nats) = (servers.postgres(), servers.nats());
    println!("folder {}", postgres.data_dir().display());
    for pid in [postgres.state().pid(), nats.state().pid()] {
        println!("pid {}", pid.expect("both are up"));
    }
    // As those in a `static`, which nobody drops.
    std::mem::forget(servers);
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}

fn fail(error: &ServersError) -> ! {
    eprintln!("{error}");
    std::process::exit(1)
}
