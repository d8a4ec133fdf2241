//! The register of regions, for services that follow it: a log of one event, which states sample regions.

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};
use futures::{Stream, stream};
use prost::{Message as _, Name as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tongxin_proto::{
    log::v1::{
        Event, GetHashRequest, GetHashResponse, GetHeadRequest, GetHeadResponse, ReadEventsRequest, ReadEventsResponse,
        log_service_server::{LogService, LogServiceServer},
    },
    register::v1::{
        Region,
        RegionLevel::{self, City, Community, County, Province, Town, Village},
        RegionsRecorded,
    },
};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use uuid::Uuid;

use crate::{clock::timestamp, consumer::Envelope};

/// Guangdong Province, which holds all the others.
pub const PROVINCE: &str = "440000000000";
/// Qingyuan City.
pub const CITY: &str = "441800000000";
/// Yangshan County, its town Taiping, and two villages of that.
pub const COUNTY: &str = "441823000000";
/// The town.
pub const TOWN: &str = "441823107000";
/// A village of the town.
pub const VILLAGE: &str = "441823107201";
/// Another village of the town.
pub const OTHER_VILLAGE: &str = "441823107202";
/// A village of the town whose code was withdrawn from 1 January 2024 on.
pub const WITHDRAWN: &str = "441823107203";
/// A residents' community of the town.
pub const COMMUNITY: &str = "441823107001";
/// Another county with a town and a village.
pub const OTHER_COUNTY: &str = "441825000000";
/// The other county's town.
pub const OTHER_TOWN: &str = "441825104000";
/// The village of the other county's town.
pub const VILLAGE_ELSEWHERE: &str = "441825104200";

/// The regions of the tests, in force from 2021 on.
#[must_use]
pub fn regions() -> Vec<Region> {
    let date = |year| NaiveDate::from_ymd_opt(year, 1, 1).map(Into::into);
    let region = |code: &str, name: &str, level: RegionLevel, parent: &str| Region {
        code: code.to_owned(),
        name: name.to_owned(),
        level: level.into(),
        parent_code: parent.to_owned(),
        valid_from: date(2021),
        ..Region::default()
    };
    vec![
        region(PROVINCE, "广东省", Province, ""),
        region(CITY, "清远市", City, PROVINCE),
        region(COUNTY, "阳山县", County, CITY),
        region(TOWN, "太平镇", Town, COUNTY),
        region(COMMUNITY, "太平社区", Community, TOWN),
        region(VILLAGE, "沙塘村", Village, TOWN),
        region(OTHER_VILLAGE, "沙陂村", Village, TOWN),
        Region { valid_until: date(2024), ..region(WITHDRAWN, "旧村", Village, TOWN) },
        region(OTHER_COUNTY, "连山壮族瑶族自治县", County, CITY),
        region(OTHER_TOWN, "吉田镇", Town, OTHER_COUNTY),
        region(VILLAGE_ELSEWHERE, "三水村", Village, OTHER_TOWN),
    ]
}

/// Serves the log of a service that owns the register until told to stop, and says where.
///
/// # Panics
/// When no port is free.
pub async fn serve(owner: &'static str, now: DateTime<Utc>, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    let log = LogServiceServer::new(Log(Arc::new(recorded(owner, now))));
    let server = Server::builder().add_service(log);
    let stopped = async move { stop.cancelled().await };
    tokio::spawn(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), stopped));
    address
}

fn recorded(owner: &'static str, now: DateTime<Utc>) -> Event {
    let payload = RegionsRecorded { regions: regions() };
    let mut event = Event {
        seq: 1,
        event_id: Uuid::new_v4().to_string(),
        event_type: RegionsRecorded::full_name(),
        aggregate_type: "region".to_owned(),
        aggregate_id: PROVINCE.to_owned(),
        version: 1,
        region_code: PROVINCE.to_owned(),
        occurred_on: payload.regions[0].valid_from,
        record_time: Some(timestamp(now)),
        actor: "operator".to_owned(),
        trace_parent: String::new(),
        payload: payload.encode_to_vec(),
        hash: Vec::new(),
    };
    let first = Envelope::from_log(owner, 1, event.clone()).expect("the event is whole");
    event.hash = first.link(&[]).to_vec();
    event
}

/// A log of one event.
struct Log(Arc<Event>);

#[tonic::async_trait]
impl LogService for Log {
    async fn get_head(&self, _: Request<GetHeadRequest>) -> Result<Response<GetHeadResponse>, Status> {
        let Event { seq, hash, .. } = Event::clone(&self.0);
        Ok(Response::new(GetHeadResponse { epoch: 1, seq, hash, published_seq: seq }))
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
