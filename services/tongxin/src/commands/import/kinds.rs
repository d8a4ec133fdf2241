//! What may be imported row by row, and by which method.

use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use tokio_stream::wrappers::ReceiverStream;
use tongxin_files::FileRow;
use tongxin_proto::{
    Parts,
    batch::v1::{ImportOptions, ImportStatus},
    monitoring::v1::{
        self as monitoring, HouseholdDraft, ImportHouseholdsRequest, ImportObservationsRequest, ObservationDraft,
    },
    pairing::v1::{
        self as pairing, ImportOrganisationsRequest, ImportPairingsRequest, OrganisationDraft, PairingDraft,
    },
};
use tonic::Status;

use crate::{client::Gateway, lang::lang};

type Statuses = BoxStream<'static, Result<ImportStatus, Status>>;

/// What is imported row by row.
pub trait Kind {
    /// A row.
    type Row: FileRow;
    /// A message of the stream.
    type Request: Parts<Options = ImportOptions, Row = Self::Row> + Sync;

    /// What the rows are, in English and Chinese.
    const NAMES: [&'static str; 2];
    const PER_MESSAGE: usize;

    /// Sends messages, and returns the progress.
    fn call(
        gateway: &Gateway,
        messages: ReceiverStream<Self::Request>,
    ) -> impl Future<Output = Result<Statuses, Status>> + Send;

    /// How far an import has come.
    fn status(
        gateway: &Gateway,
        import_id: String,
    ) -> impl Future<Output = Result<Option<ImportStatus>, Status>> + Send;

    /// What the rows are, in the language of the command.
    fn name() -> &'static str {
        let [en, zh] = Self::NAMES;
        lang().of(en, zh)
    }
}

/// Implements [`Kind`] by two methods of a service.
macro_rules! kind {
    ($(#[$doc:meta])* $kind:ident: $row:ty, $request:ty, $names:expr, $per_message:literal,
        $client:ident.$import:ident, $service:ident.$get:ident) => {
        $(#[$doc])*
        pub struct $kind;

        impl Kind for $kind {
            type Row = $row;
            type Request = $request;

            const NAMES: [&'static str; 2] = $names;
            const PER_MESSAGE: usize = $per_message;

            async fn call(gateway: &Gateway, messages: ReceiverStream<$request>) -> Result<Statuses, Status> {
                let answers = gateway.$client().$import(messages).await?.into_inner();
                Ok(answers.map_ok(|answer| answer.status.unwrap_or_default()).boxed())
            }

            async fn status(gateway: &Gateway, import_id: String) -> Result<Option<ImportStatus>, Status> {
                let request = $service::GetImportRequest { import_id };
                Ok(gateway.$get().get_import(request).await?.into_inner().status)
            }
        }
    };
}

kind!(
    /// Organisations of both sides.
    Organisations: OrganisationDraft, ImportOrganisationsRequest, ["organisations", "单位"], 1_000,
    pairing.import_organisations, pairing.pairing
);
kind!(
    /// Pairings of organisations.
    Pairings: PairingDraft, ImportPairingsRequest, ["pairings", "结对"], 1_000,
    pairing.import_pairings, pairing.pairing
);
kind!(
    /// Households with their members.
    Households: HouseholdDraft, ImportHouseholdsRequest, ["households", "户"], 500,
    households.import_households, monitoring.households
);
kind!(
    /// What was observed of households.
    Observations: ObservationDraft, ImportObservationsRequest, ["observations", "收支情况"], 1_000,
    observations.import_observations, monitoring.households
);
