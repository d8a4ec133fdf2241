//! Pairing's log, which states the register of regions.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use chrono::{DateTime, Utc};
use futures::{Stream, stream};
use prost::{Message as _, Name as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tongxin_platform::consumer::Envelope;
use tongxin_proto::{
    log::v1::{
        Event, GetHashRequest, GetHashResponse, GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
        log_service_server::{LogService, LogServiceServer},
    },
    register::v1::{Region, RegionLevel, RegionsRecorded},
};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use uuid::Uuid;

use crate::support::{
    COUNTY, OTHER_COUNTY, OTHER_TOWN, OTHER_VILLAGE, PROVINCE, TOWN, VILLAGE, VILLAGE_ELSEWHERE, date,
};

/// A log of one event, which states all regions.
struct Log(Arc<Event>);

#[tonic::async_trait]
impl LogService for Log {
    async fn get_head(&self, _: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        Ok(Response::new(GetHeadResponse {
            epoch: 1,
            seq: self.0.seq,
            hash: self.0.hash.clone(),
            published_seq: self.0.seq,
        }))
    }

    async fn get_hash(&self, request: Request<GetHashRequest>) -> Result<Response<GetHashResponse>, Status> {
        let is_there = request.into_inner().seq == self.0.seq;
        let hash = if is_there { self.0.hash.clone() } else { Vec::new() };
        Ok(Response::new(GetHashResponse { epoch: 1, hash }))
    }

    type ReadEventsStream = Pin<Box<dyn Stream<Item = Result<ReadEventsResponse, Status>> + Send>>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let is_new = request.into_inner().after_seq < self.0.seq;
        let parts = is_new.then(|| Ok(ReadEventsResponse { epoch: 1, events: vec![Event::clone(&self.0)] }));
        Ok(Response::new(Box::pin(stream::iter(parts))))
    }
}

/// Serves the log until told to stop, and says where.
pub async fn serve(now: DateTime<Utc>, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = LogServiceServer::new(Log(Arc::new(recorded(now))));
    let server = Server::builder().add_service(log);
    let stopped = async move { stop.cancelled().await };
    tokio::spawn(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), stopped));
    address
}

fn recorded(now: DateTime<Utc>) -> Event {
    let payload = RegionsRecorded { regions: register() };
    let mut event = Event {
        seq: 1,
        event_id: Uuid::new_v4().to_string(),
        event_type: RegionsRecorded::full_name(),
        aggregate_type: "region".to_owned(),
        aggregate_id: PROVINCE.to_owned(),
        version: 1,
        region_code: PROVINCE.to_owned(),
        occurred_on: date("2021-01-01"),
        record_time: Some(tongxin_platform::clock::timestamp(now)),
        actor: "operator".to_owned(),
        trace_parent: String::new(),
        payload: payload.encode_to_vec(),
        hash: Vec::new(),
    };
    let first = Envelope::from_log("pairing", 1, event.clone()).unwrap();
    event.hash = first.link(&[]).to_vec();
    event
}

/// Two counties, in force from 2021 on; one of the villages was given up in 2024.
pub fn register() -> Vec<Region> {
    use RegionLevel::{City, Community, County, Province, Town, Village};
    let region = |code: &str, name: &str, level: RegionLevel| Region {
        code: code.to_owned(),
        name: name.to_owned(),
        level: level.into(),
        valid_from: date("2021-01-01"),
        ..Region::default()
    };
    vec![
        region(PROVINCE, "广东省", Province),
        region("441800000000", "清远市", City),
        region(COUNTY, "阳山县", County),
        region(TOWN, "太平镇", Town),
        region("441823107001", "太平社区", Community),
        region(VILLAGE, "沙塘村", Village),
        region(OTHER_VILLAGE, "沙陂村", Village),
        Region { valid_until: date("2024-01-01"), ..region("441823107203", "旧村", Village) },
        region(OTHER_COUNTY, "连山壮族瑶族自治县", County),
        region(OTHER_TOWN, "吉田镇", Town),
        region(VILLAGE_ELSEWHERE, "三水村", Village),
    ]
}
