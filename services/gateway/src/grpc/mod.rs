//! The gRPC methods: convert, read, convert back.

mod convert;

use sqlx::PgPool;
use tongxin_platform::{access::Caller, clock::Clock, db::Scope};
use tongxin_proto::gateway::v1::{
    GetScorecardRequest, GetScorecardResponse, ListIndicatorsRequest, ListIndicatorsResponse,
    gateway_service_server::GatewayService,
};
use tonic::{Request, Response, Status};

use crate::{domain::indicators::CATALOGUE, store::scorecards};

/// Callers without it see no figures about persons.
const PERSON_FIGURES: &str = "gateway.person_figure.read";

/// The gateway's own methods.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub pool: PgPool,
    pub clock: Clock,
}

#[tonic::async_trait]
impl GatewayService for Gateway {
    async fn list_indicators(
        &self,
        _: Request<ListIndicatorsRequest>,
    ) -> Result<Response<ListIndicatorsResponse>, Status> {
        let indicators = CATALOGUE.iter().copied().map(Into::into).collect();
        Ok(Response::new(ListIndicatorsResponse { indicators }))
    }

    async fn get_scorecard(
        &self,
        request: Request<GetScorecardRequest>,
    ) -> Result<Response<GetScorecardResponse>, Status> {
        let caller = Caller::of(&request)?;
        let scope = Scope::region(caller.region());
        let (region, as_of) = convert::question(&request.into_inner(), self.clock.today())?;
        let whole = scorecards::read(&self.pool, scope, region, as_of).await?;
        let scorecard = if caller.may(PERSON_FIGURES) { whole } else { whole.without_persons() };
        Ok(Response::new(convert::answer(scorecard, self.clock.now())))
    }
}
