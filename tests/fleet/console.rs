//! The console of a fleet: every bridge also shows what other bridges did.

use serde_json::Value;
use zkwhirl_testkit::until_some;

use crate::stage::Fleet;

async fn until(console: &str, view: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    until_some(view, async || {
        let answer = client.get(format!("{console}/api/{view}")).send().await;
        let view = answer.unwrap().text().await.unwrap();
        Some(serde_json::from_str(&view).unwrap()).filter(&wanted)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_comes_later_shows_the_rollup_and_who_proved_what() {
    let fleet = Fleet::start(2).await;
    let first = fleet.bridge("first");
    let _workers = ["one", "two"].map(|name| fleet.worker(name, 300));
    fleet.until_settled().await;
    // Two claims, two inner rollups, the root rollup, its verifier. Falafel may
    // have the last reply before the bridge has recorded its delivery.
    fleet.until_happened("delivered", 6).await;
    assert_eq!(first.drain(), Some(0));
    let (_second, console) = fleet.bridge_that_says("second", "console at ", " ");
    let rollups = until(&console, "rollups", |rollups| {
        rollups["items"][0]["state"] == "settled"
    })
    .await;
    let bars = rollups["items"][0]["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 6, "{bars:?}");
    for bar in bars {
        let worker = bar["worker"].as_str().unwrap();
        assert!(["one/1", "two/1"].contains(&worker), "{worker}");
        let (from, to) = (bar["from_ms"].as_u64(), bar["to_ms"].as_u64());
        let took = to.unwrap() - from.unwrap();
        assert!(took >= 300, "{took} ms on a worker that takes 300");
    }
    // One of the two workers may have started after the last proof.
    until(&console, "workers", |workers| {
        let slots = workers["items"].as_array().into_iter().flatten();
        slots.map(|slot| &slot["slot"]).eq(["one/1", "two/1"])
    })
    .await;
    let jobs = until(&console, "jobs", |_| true).await;
    assert_eq!(jobs["counts"]["delivered"], 6);
}
