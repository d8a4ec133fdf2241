//! The places where personal data could come to rest, read as they are, and the forms in which it could stand there.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

/// Texts to be found in bytes, whether they stand there in plain or in a form that anybody can read back.
pub struct Needles {
    /// By the two bytes that they begin with: nearly all places are passed by without another look.
    forms: Vec<Vec<(String, Vec<u8>)>>,
}

impl Needles {
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let all = |text: &'a str| forms(text).into_iter().map(move |form| (text.to_owned(), form.into_bytes()));
        let mut forms = vec![Vec::new(); 1 << 16];
        for (text, form) in texts.into_iter().flat_map(all) {
            forms[beginning(form[0], form[1])].push((text, form));
        }
        Self { forms }
    }

    /// Those that stand in some bytes.
    pub fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for place in 1..bytes.len() {
            let forms = &self.forms[beginning(bytes[place - 1], bytes[place])];
            if !forms.is_empty() {
                let here = forms.iter().filter(|(_, form)| bytes[place - 1..].starts_with(form));
                found.extend(here.map(|(text, _)| text.as_str()));
            }
        }
        found
    }
}

fn beginning(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// A text as it is, in hexadecimal digits, as a list of bytes, with escapes, and in base64.
fn forms(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let digits = hex::encode(bytes);
    let listed = bytes.iter().map(u8::to_string).collect::<Vec<_>>();
    let escaped = text.chars().map(|one| format!("\\u{:04x}", u32::from(one))).collect::<Vec<_>>().concat();
    let in_base64 = (0..3).map(|offset| in_base64(bytes, offset));
    [text.to_owned(), digits.to_uppercase(), digits, listed.join(", "), listed.join(","), escaped]
        .into_iter()
        .chain(in_base64)
        .collect()
}

/// How bytes look within a longer text in base64, where so many of a group of three are before them; what depends on
/// the neighbours is left out.
fn in_base64(bytes: &[u8], offset: usize) -> String {
    let padded = [&vec![0; offset][..], bytes].concat();
    let whole = padded.len() / 3 * 4;
    let first = if offset == 0 { 0 } else { 4 };
    STANDARD_NO_PAD.encode(padded)[first..whole].to_owned()
}

#[test]
fn every_form_is_found() {
    let needles = Needles::new(["金丝雀17", "another"]);
    let mut texts = vec!["x金丝雀17x".to_owned(), "\\u91d1\\u4e1d\\u96c0\\u0031\\u0037".to_owned()];
    texts.push(hex::encode("金丝雀17"));
    texts.push(format!("{:?}", "a金丝雀17b".as_bytes()));
    texts.extend(["", "a", "ab", "abc"].map(|before| STANDARD_NO_PAD.encode(format!("{before}金丝雀17 and more"))));
    for text in texts {
        assert_eq!(needles.found_in(text.as_bytes()), BTreeSet::from(["金丝雀17"]), "{text}");
    }
    assert!(needles.found_in("金丝雀18, anothe".as_bytes()).is_empty());
}

/// Every row of every table, as a dump has it.
pub async fn dump(owner: &PgPool) -> Vec<u8> {
    let tables = "SELECT quote_ident(table_name) FROM information_schema.tables
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(owner).await.unwrap();
    let mut dump = Vec::new();
    for table in tables {
        let rows = format!("SELECT row::text FROM {table} AS row");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_all(owner).await.unwrap();
        dump.extend(rows.into_iter().flat_map(|row| format!("{table} {row}\n").into_bytes()));
    }
    dump
}

/// Every file of a folder and of those below.
pub fn files(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Servers remove files while we look.
        if path.is_dir() {
            all.extend(files(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            all.extend(bytes);
        }
    }
    all
}

/// Spans that left the process.
#[derive(Clone, Default)]
pub struct Spans(Arc<Mutex<Vec<u8>>>);

impl Spans {
    /// Collects spans, at an address.
    pub async fn collect(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        format!("http://{address}")
    }

    pub fn text(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl TraceService for Spans {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().extend(format!("{:?}\n", request.into_inner()).into_bytes());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
