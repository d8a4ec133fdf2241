//! The methods of `DisclosureService`.

use tongxin_platform::{access::Caller, grpc::Reply, register};
use tongxin_proto::monitoring::v1::{self, disclosure_service_server::DisclosureService};
use tonic::{Request, Response};

use super::{Door, convert::disclosures as read};
use crate::{error::Error, store::disclosures};

#[tonic::async_trait]
impl DisclosureService for Door {
    async fn list_disclosures(
        &self,
        request: Request<v1::ListDisclosuresRequest>,
    ) -> Reply<v1::ListDisclosuresResponse> {
        let mut tx = self.read(&request).await?;
        let own = Caller::of(&request)?.region();
        let (region, asked, page) = read::list(request.into_inner(), own)?;
        if let Some(region) = region {
            register::ensure(&mut tx, region).await.map_err(Error::from)?;
        }
        let listed = disclosures::list(&mut tx, &asked, &page).await?;
        let (listed, next_page_token) = page.cut(listed, |listed| listed.place);
        let disclosures = listed.into_iter().map(v1::Disclosure::from).collect();
        Ok(Response::new(v1::ListDisclosuresResponse { disclosures, next_page_token }))
    }
}
