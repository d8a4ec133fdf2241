//! The figures on `/metrics`.

use opentelemetry_sdk::metrics::SdkMeterProvider;
use tongxin_platform::testing::eventually;

use crate::support::{
    FakePairing, Stage,
    events::{activity, register},
    world,
};

/// Meters are those of the whole process, so this test counts in a province of its own.
#[tokio::test]
async fn metrics_show_the_figures_of_province_to_town() {
    let (world, nats) = world().await;
    let exporter = opentelemetry_prometheus::exporter().with_registry(world.surroundings.registry.clone());
    let provider = SdkMeterProvider::builder().with_reader(exporter.build().unwrap()).build();
    opentelemetry::global::set_meter_provider(provider);
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |_| {}).await;
    stage.pairing.state(&register()).await;
    stage.pairing.state_all(&[activity("520123107201", "2025-05-01"), activity("520123107201", "2025-05-02")]).await;

    let url = format!("http://{}/metrics", stage.admin);
    eventually("the figures are shown", || async { shown(&url).await.len() == 4 }).await;
    let lines = shown(&url).await;
    for (region, level) in
        [("520000000000", "province"), ("520100000000", "city"), ("520123000000", "county"), ("520123107000", "town")]
    {
        let line = lines.iter().find(|line| line.contains(region)).unwrap();
        assert!(line.contains(&format!(r#"level="{level}""#)) && line.ends_with(" 2"), "{line}");
    }
    stage.stop().await;
}

async fn shown(url: &str) -> Vec<String> {
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(text.contains("tongxin_projection_lag_events"), "{text}");
    let ours = |line: &&str| {
        line.starts_with("tongxin_figure{") && line.contains("joint_activities") && line.contains(r#"region="52"#)
    };
    text.lines().filter(ours).map(str::to_owned).collect()
}
