//! The figures on `/metrics`.

use opentelemetry_sdk::metrics::SdkMeterProvider;
use tongxin_gateway::indicators::CATALOGUE;
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
    let exporter = opentelemetry_prometheus::exporter().with_registry(world.shared.registry.clone());
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

#[tokio::test]
async fn all_towns_of_a_province_are_shown_up_to_a_limit() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |_| {}).await;
    // 300 towns in three counties.
    let towns = (0..300).map(|number| format!("5201{:02}{:03}", number / 100 + 1, number % 100 + 100));
    let held: Vec<_> = towns.map(|town| activity(&format!("{town}201"), "2025-05-01")).collect();
    stage.pairing.state_all(&held).await;

    let url = format!("http://{}/metrics", stage.admin);
    let figures = 305 * CATALOGUE.iter().filter(|indicator| indicator.breakdown_of.is_none()).count();
    assert!(figures > 2_000, "what OpenTelemetry would show");
    eventually("all figures are shown", || async { series(&url, "tongxin_figure{").await.len() == figures }).await;
    let activities = series(&url, r#"tongxin_figure{indicator="joint_activities""#).await;
    let of = |level: &str| activities.iter().filter(|line| line.contains(&format!(r#"level="{level}""#))).count();
    assert_eq!(["province", "city", "county", "town"].map(of), [1, 1, 3, 300]);
    assert!(activities.iter().filter(|line| line.contains(r#"level="town""#)).all(|line| line.ends_with(" 1")));
    stage.stop().await;
}

#[tokio::test]
async fn figures_are_shown_or_not_as_the_setting_says() {
    for is_shown in [false, true] {
        let (world, nats) = world().await;
        let registry = world.shared.registry.clone();
        let pairing = FakePairing::start(&world).await;
        let stage = Stage::with(world, nats, pairing, |config| config.metrics_figures = Some(is_shown)).await;
        // A registry takes nothing by a name that is somebody's.
        let another = prometheus::IntGauge::new("tongxin_figure", "another").unwrap();
        assert_eq!(registry.register(Box::new(another)).is_err(), is_shown);
        stage.stop().await;
    }
}

#[tokio::test]
async fn the_upper_levels_are_shown_first() {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let stage = Stage::with(world, nats, pairing, |config| config.metrics_regions = 4).await;
    stage.pairing.state_all(&["520101101201", "520102101201"].map(|village| activity(village, "2025-05-01"))).await;

    let url = format!("http://{}/metrics", stage.admin);
    eventually("figures are shown", || async { !series(&url, "tongxin_figure{").await.is_empty() }).await;
    let activities = series(&url, r#"tongxin_figure{indicator="joint_activities""#).await;
    assert_eq!(activities.len(), 4);
    for region in ["520000000000", "520100000000", "520101000000", "520102000000"] {
        assert!(activities.iter().any(|line| line.contains(region)), "{region}: {activities:?}");
    }
    stage.stop().await;
}

async fn shown(url: &str) -> Vec<String> {
    assert_ne!(series(url, "tongxin_projection_lag_events").await, [""; 0]);
    let ours = |line: &String| line.contains("joint_activities") && line.contains(r#"region="52"#);
    series(url, "tongxin_figure{").await.into_iter().filter(ours).collect()
}

/// Lines of `/metrics` that begin with something.
async fn series(url: &str, start: &str) -> Vec<String> {
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    text.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}
