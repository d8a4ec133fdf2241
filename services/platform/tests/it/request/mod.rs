//! A request has one effect and one response, whatever happens on the way.

mod cancelled;
mod cut;
mod keys;
mod repeated;

use sqlx::PgPool;
use tonic::{Request, Status};

use crate::support::{CountRequest, CountResponse, SampleError, clerk, count, database, new_call, noon};
use tongxin_platform::request::{Call, Context, DateRefused, EntryWindow, RequestError, RequestKeys, Writer};
use tongxin_platform::{
    access::Caller,
    clock::Clock,
    db::{self, DbConfig},
    error::Refusal as _,
    grpc::MethodPath,
    log::RelayWake,
    testing::Database,
};

async fn writer(database: &Database) -> (PgPool, Writer<()>) {
    let pool = db::connect(&DbConfig::at(&database.app_url)).await.unwrap();
    (pool.clone(), Writer::new(pool, Clock::fixed(noon()), RelayWake::default(), RequestKeys::for_tests(), ()))
}

/// Contents of the database: the tally, its events, the stored responses.
async fn effects(database: &Database) -> (i64, i64, i64) {
    let mut owner = crate::support::owner(database).await;
    let question = "
        SELECT coalesce((SELECT sum(reached) FROM tally), 0)::bigint,
               (SELECT count(*) FROM event),
               (SELECT count(*) FROM request)";
    sqlx::query_as(question).fetch_one(&mut owner).await.unwrap()
}

#[tokio::test]
async fn a_command_that_panics_changes_nothing_and_is_an_internal_error() {
    let database = database().await;
    let (_, writer) = writer(&database).await;
    let failed = writer.execute::<_, CountResponse>(new_call(), count("wells", 13)).await.unwrap_err();
    assert!(matches!(failed, SampleError::Request(RequestError::Panicked(_))), "{failed}");
    assert_eq!(failed.stated().reason, "INTERNAL");
    assert_eq!(effects(&database).await, (0, 0, 0));

    let counted: CountResponse = writer.execute(new_call(), count("wells", 1)).await.unwrap();
    assert_eq!(counted.reached, 1);
}

#[test]
fn the_future_is_refused_and_so_is_the_distant_past() {
    let mut context = Context::of_service("clerk", noon());
    context.may_load_history = false;
    let (window, today) = (EntryWindow::days(30), context.today());
    let days_ago = |days| today - chrono::Days::new(days);

    assert_eq!(window.check(today, &context), Ok(()));
    assert_eq!(window.check(days_ago(30), &context), Ok(()));
    let tomorrow = today + chrono::Days::new(1);
    assert_eq!(window.check(tomorrow, &context), Err(DateRefused::InFuture { date: tomorrow, today }));
    let refused = DateRefused::TooOld { date: days_ago(31), first: days_ago(30) };
    assert_eq!(window.check(days_ago(31), &context), Err(refused));

    context.may_load_history = true;
    assert_eq!(window.check(days_ago(31), &context), Ok(()));
    assert!(window.check(tomorrow, &context).is_err());
}

fn open(caller: &Caller, method: &str, message: CountRequest) -> Result<(Call, CountRequest), Status> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(MethodPath(method.to_owned()));
    Call::open(request)
}

#[test]
fn a_request_id_has_to_be_a_uuid() {
    let request = CountRequest { request_id: "1".to_owned(), ..CountRequest::default() };
    let refused = open(&clerk("clerk"), "/Count", request).unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
}
