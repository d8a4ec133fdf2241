//! Why methods refuse: the contract, the code and `proto/ERRORS.md` say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use tongxin_gateway::EdgeRefused;
use tongxin_platform::{
    access::MethodPermissions,
    error::{COMMON, Error, ErrorKind, Listed, Refusal as _, ServiceRefusal},
    testing::contract,
};
use tongxin_proto::POOL;

use crate::pages;

/// The refusals of a service, and where the contract names them.
struct Service {
    name: &'static str,
    package: &'static str,
    own: Vec<Listed>,
    /// What the platform refuses in the name of any service, if its methods say so.
    shared: Vec<Listed>,
}

fn service<R: ServiceRefusal>(name: &'static str, package: &'static str) -> Service {
    assert_eq!(R::DOMAIN, format!("{name}.tongxin"));
    let own = R::all();
    let shared = Error::<R>::all().into_iter().filter(|listed| !own.contains(listed)).collect();
    Service { name, package, own, shared }
}

fn services() -> [Service; 3] {
    [
        service::<tongxin_gateway::Refused>("gateway", "tongxin.gateway.v1"),
        service::<tongxin_monitoring::Refused>("monitoring", "tongxin.monitoring.v1"),
        service::<tongxin_pairing::Refused>("pairing", "tongxin.pairing.v1"),
    ]
}

fn is_common(reason: &str) -> bool {
    COMMON.iter().any(|common| common.reason == reason)
}

/// Methods by the reasons that they name.
fn named(package: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut methods = BTreeMap::<String, BTreeSet<String>>::new();
    for method in contract::methods(package) {
        let service = method.parent_service().full_name().to_owned();
        let rules = MethodPermissions::of_services(&POOL, &[&service]).unwrap();
        let rule = rules.of_method(&format!("/{service}/{}", method.name())).unwrap();
        for reason in &rule.refuses {
            methods.entry(reason.clone()).or_default().insert(method.name().to_owned());
        }
    }
    methods
}

#[test]
fn the_contract_names_the_reasons_that_the_code_has() {
    for Service { name, package, own, shared } in services() {
        let of_contract = named(package);
        let nowhere = |listed: &&Listed| !is_common(listed.reason) && !of_contract.contains_key(listed.reason);
        let unnamed: Vec<_> = own.iter().filter(nowhere).map(|listed| listed.reason).collect();
        assert!(unnamed.is_empty(), "{name}: no method names {unnamed:?}");
        let stated = |reason: &&String| own.iter().chain(&shared).any(|listed| listed.reason == **reason);
        let unknown: Vec<_> = of_contract.keys().filter(|reason| !stated(reason) || is_common(reason)).collect();
        assert!(
            unknown.is_empty(),
            "{name}: methods name what the code has not, or what any method may have: {unknown:?}"
        );
    }
}

#[test]
fn the_page_of_errors_is_that_of_the_code() {
    pages::keep("ERRORS.md", &page());
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "Any method", &COMMON, &BTreeMap::new());
    section(&mut page, "The gateway, before or after the method", &EdgeRefused::all(), &BTreeMap::new());
    for Service { package, own, shared, .. } in services() {
        let methods = named(package);
        let named: Vec<_> =
            own.into_iter().chain(shared).filter(|listed| methods.contains_key(listed.reason)).collect();
        section(&mut page, package, &named, &methods);
    }
    page
}

const HEAD: &str = "# Errors

Every error has a `google.rpc.ErrorInfo` with a reason that never changes and the domain of who refused. Where a field is
wrong, `google.rpc.BadRequest` names it by its path from the request, and `google.rpc.PreconditionFailure` where the state of
a record forbids it; `google.rpc.RetryInfo` says how long to wait, where that is known. In JSON they stand in `details`.
The text of an error says what is wrong with this request, and mostly what to do instead.

Rows of a batch have the same reasons, in the answer. `make pages` writes this page from the code; a method names its
reasons in the contract (`tongxin.options.v1.refuses`).
";

/// One row for each reason and code.
fn section(page: &mut String, title: &str, all: &[Listed], methods: &BTreeMap<String, BTreeSet<String>>) {
    let mut rows = BTreeMap::<(&str, ErrorKind), BTreeSet<&str>>::new();
    for listed in all {
        rows.entry((listed.reason, listed.kind)).or_default().insert(listed.when);
    }
    let of = if methods.is_empty() { "" } else { " methods |" };
    write!(page, "\n## {title}\n\n| reason | code | when | what to do |{of}\n|---|---|---|---|").unwrap();
    page.push_str(if methods.is_empty() { "\n" } else { "---|\n" });
    for ((reason, kind), when) in rows {
        let when = when.into_iter().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        write!(page, "| `{reason}` | {} | {when} | {} |", code(kind), kind.advice()).unwrap();
        if let Some(methods) = methods.get(reason) {
            write!(page, " {} |", methods.iter().map(String::as_str).collect::<Vec<_>>().join(", ")).unwrap();
        }
        page.push('\n');
    }
}

/// The code as the specification of gRPC writes it: `NOT_FOUND`.
fn code(kind: ErrorKind) -> String {
    let name = format!("{:?}", kind.code());
    let mut code = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(letter.to_ascii_uppercase());
    }
    code
}
