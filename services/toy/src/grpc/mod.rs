//! Door 1: translate, call one command or query, translate back.

mod convert;

use tongxin_platform::{
    access::Caller,
    grpc::{Answers, Endpoint, Reply},
    import,
    page::{Page, PageKey},
    plain_answers,
    request::batch,
};
use tongxin_proto::toy::v1::{self, tally_service_server::TallyService};
use tonic::{Request, Response, Streaming};

use crate::{
    commands::{Count, CountDraft, Policy},
    error::{Error, Refused},
    store::tallies,
};

// The toy keeps nothing that is personal.
plain_answers!(Policy, Error: v1::CountResponse, v1::BatchCountResponse);

/// What the door needs to answer.
pub struct Door(pub Endpoint<Policy, Refused>);

#[tonic::async_trait]
impl TallyService for Door {
    type ImportCountsStream = Answers<v1::ImportCountsResponse>;

    async fn count(&self, request: Request<v1::CountRequest>) -> Reply<v1::CountResponse> {
        self.0.write_stated(request, ("count", |request| request.count), |stated, _| stated.try_into().map(Count)).await
    }

    async fn batch_count(&self, request: Request<Streaming<v1::BatchCountRequest>>) -> Reply<v1::BatchCountResponse> {
        Ok(Response::new(batch::carry_out(&self.0.writer, request, batch::row_by_row(Count)).await?))
    }

    async fn import_counts(
        &self,
        request: Request<Streaming<v1::ImportCountsRequest>>,
    ) -> Reply<Answers<v1::ImportCountsResponse>> {
        let counts = |_| import::RowByRow { kind: "counts", one: Count };
        import::answer(&self.0.writer, request, counts, |row, _, _| CountDraft::try_from(row))
    }

    async fn list_tallies(&self, request: Request<v1::ListTalliesRequest>) -> Reply<v1::ListTalliesResponse> {
        let mut tx = self.0.read(&request).await?;
        let range = Caller::of(&request)?.region().range();
        let request = request.into_inner();
        let page = Page::parse(request.page_size, &request.page_token).map_err(Error::from)?;
        let tallies = tallies::list(&mut tx, range, &page).await?;
        let (tallies, next_page_token) =
            page.cut(tallies, |(tally, _)| PageKey { region: tally.region, id: tally.name.clone() });
        let tallies = tallies.into_iter().map(convert::listed).collect();
        Ok(Response::new(v1::ListTalliesResponse { tallies, next_page_token }))
    }
}
