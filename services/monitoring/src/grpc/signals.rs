//! The methods of `SignalService`.

use tongxin_platform::{grpc::Reply, page::PageKey, register};
use tongxin_proto::monitoring::v1::{self, signal_service_server::SignalService};
use tonic::{Request, Response, Streaming};

use super::{Door, convert, warnings};
use crate::{
    error::Error,
    store::signals::{self, Shown},
};

#[tonic::async_trait]
impl SignalService for Door {
    async fn report_signal(&self, request: Request<v1::ReportSignalRequest>) -> Reply<v1::ReportSignalResponse> {
        self.write(request, |request| convert::signals::report_signal(&request)).await
    }

    async fn submit_warnings(
        &self,
        request: Request<Streaming<v1::SubmitWarningsRequest>>,
    ) -> Reply<v1::SubmitWarningsResponse> {
        Ok(Response::new(warnings::take(&self.writer, request).await?))
    }

    async fn decide_signal(&self, request: Request<v1::DecideSignalRequest>) -> Reply<v1::DecideSignalResponse> {
        self.write(request, |request| convert::signals::decide_signal(&request)).await
    }

    async fn get_signal(&self, request: Request<v1::GetSignalRequest>) -> Reply<v1::GetSignalResponse> {
        let mut tx = self.read(&request).await?;
        let id = convert::signals::signal_id(&request.into_inner().signal_id)?;
        let signal = signals::find(&mut tx, id).await?;
        Ok(Response::new(v1::GetSignalResponse { signal: Some(signal.into()) }))
    }

    async fn list_signals(&self, request: Request<v1::ListSignalsRequest>) -> Reply<v1::ListSignalsResponse> {
        let mut tx = self.read(&request).await?;
        let (filter, page) = convert::signals::list_signals(&request.into_inner())?;
        let found = signals::list(&mut tx, &filter, &page).await?;
        let (signals, next_page_token) =
            page.cut(found, |Shown { signal, .. }| PageKey { region: signal.region, id: signal.id.0 });
        let signals = signals.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListSignalsResponse { signals, next_page_token }))
    }

    async fn get_funnel(&self, request: Request<v1::GetFunnelRequest>) -> Reply<v1::GetFunnelResponse> {
        let mut tx = self.read(&request).await?;
        let (region, period) = convert::signals::get_funnel(&request.into_inner())?;
        register::ensure(&mut tx, region).await.map_err(Error::from)?;
        let funnel = signals::funnel(&mut tx, region, period).await?;
        tx.commit().await.map_err(Error::from)?;
        Ok(Response::new(funnel.into()))
    }
}
