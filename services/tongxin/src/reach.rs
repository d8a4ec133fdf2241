//! Whether anybody listens at an address: told within two seconds, before a command sends anything.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tonic::codegen::http::Uri;

use crate::{lang::told, place::Place};

/// How long one attempt may take. A connection takes a fraction of it, whatever the distance.
const ATTEMPT: Duration = Duration::from_secs(2);

/// How long somebody who waits goes on trying, and how often the time left is told.
const WAITING: Duration = Duration::from_mins(1);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Makes sure that a connection is accepted.
///
/// # Errors
/// If none is within two seconds.
pub async fn listening(place: &Place) -> Result<()> {
    if accepts(place).await { Ok(()) } else { bail!(nobody(place)) }
}

/// The same, but goes on trying for a minute and counts it down.
///
/// # Errors
/// If no connection was accepted in that time.
pub async fn listening_soon(place: &Place) -> Result<()> {
    let (begun, mut told) = (Instant::now(), None::<Instant>);
    while !accepts(place).await {
        let left = WAITING.saturating_sub(begun.elapsed()).as_secs();
        if left == 0 {
            bail!(nobody(place));
        }
        let address = &place.address;
        match told {
            None => note!(
                "{}",
                told!(
                    "nobody answers at {address} yet: trying for {left} seconds",
                    "{address} 暂时无人应答：再试 {left} 秒"
                )
            ),
            Some(last) if last.elapsed() < TELL_EVERY => {
                sleep(Duration::from_millis(500)).await;
                continue;
            }
            Some(_) => note!("{}", told!("still nobody: {left} seconds left", "仍无人应答：还剩 {left} 秒")),
        }
        told = Some(Instant::now());
        sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// What is said of an address at which nobody listens.
pub fn nobody(place: &Place) -> String {
    let address = &place.address;
    told!(
        "the gateway at {address} cannot be reached: is it running, and is that its address?",
        "无法连接网关 {address}：它在运行吗？地址对吗？"
    )
}

async fn accepts(place: &Place) -> bool {
    let Ok(uri) = place.address.parse::<Uri>() else { return true };
    // What is wrong with such an address is told by the call.
    let Some(host) = uri.host().map(|host| host.trim_matches(['[', ']'])) else { return true };
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    matches!(timeout(ATTEMPT, TcpStream::connect((host, port))).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn place(address: String) -> Place {
        Place { address, ca_file: None }
    }

    #[tokio::test]
    async fn a_dead_address_is_told_within_two_seconds() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        assert!(listening(&place(format!("http://{address}"))).await.is_ok());
        drop(listener);
        let begun = Instant::now();
        let refused = listening(&place(format!("http://{address}"))).await.unwrap_err();
        assert!(refused.to_string().contains("cannot be reached"), "{refused}");
        // A network that drops what is sent there, as RFC 5737 has it for documents.
        let _ = listening(&place("http://192.0.2.1:7400".to_owned())).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn somebody_who_waits_is_connected_once_there_is_a_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let waiting = tokio::spawn(async move { listening_soon(&place(format!("http://{address}"))).await });
        let _listener = TcpListener::bind(address).await.unwrap();
        assert!(waiting.await.unwrap().is_ok());
    }
}
