//! Load, side by side with the bare cost of the same work in Postgres, in one run.
//!
//! Starts the built program on a data folder of its own, drives it through the gateway as clients do,
//! and prints medians of several rounds. The machine is shared by clients, services, NATS and
//! Postgres: compare within a line.

mod bare;
mod batches;
mod drills;
mod files;
mod households;
mod machine;
mod reads;
mod register;
mod rounds;
mod world;
mod writes;

use std::time::Instant;

use rounds::Table;
use world::World;

/// How many households there are, for a short look: `make bench HOUSEHOLDS=100000`.
#[expect(clippy::disallowed_methods, reason = "a benchmark is told by the environment")]
fn households() -> usize {
    std::env::var("HOUSEHOLDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000_000)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Cargo passes `--bench` as well.
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some((files::READ, arguments)) = parts.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return files::read(arguments);
    }
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|named| named == part);
    let folder = tempfile::Builder::new().prefix("tongxin-bench-").tempdir()?;
    let mut table = Table::new();
    if parts.iter().any(|named| named == "drills") {
        drills::measure(folder.path(), &mut table).await?;
    }
    if wanted("files") {
        files::measure(folder.path(), &mut table)?;
    }
    // Attacked is a program of its own: `make bench` measures what those see who are left alone.
    if !parts.is_empty() && parts.iter().all(|named| ["drills", "files"].contains(&named.as_str())) {
        table.print();
        return Ok(());
    }
    let started = Instant::now();
    let world = World::start(folder.path()).await?;
    table.note(
        "start of an empty folder until ready, with initdb",
        &format!("{:.1} s", started.elapsed().as_secs_f64()),
    );
    table.note("idle memory of the program", &format!("{} MiB", world.program.memory_kib()? / 1024));

    if wanted("writes") {
        writes::measure(&world, &mut table).await?;
    }
    if wanted("batches") {
        batches::measure(&world, &mut table).await?;
    }
    if wanted("reads") {
        reads::measure(&world, &mut table).await?;
    }
    if wanted("households") {
        households::measure(&world, folder.path(), households(), &mut table).await?;
    }
    // Last: the other services follow two thirds of a million regions for a while.
    if wanted("register") {
        register::measure(&world, folder.path(), &mut table).await?;
    }
    table.note("memory of the program after the load", &format!("{} MiB", world.program.memory_kib()? / 1024));
    let (restart, since_postgres) = world.restart(folder.path()).await?;
    table.note("start of that folder until ready", &format!("{restart:.2} s"));
    table.note("of which after Postgres answered", &format!("{since_postgres:.2} s"));
    table.print();
    Ok(())
}
