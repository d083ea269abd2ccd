//! The console of a fleet: any bridge tells of what others did.

use serde_json::Value;

use crate::stage::Fleet;

async fn read(console: &str, view: &str) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(format!("{console}/api/{view}")).send().await;
    serde_json::from_str(&answer.unwrap().text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_comes_later_shows_the_rollup_and_who_proved_what() {
    let fleet = Fleet::start(2).await;
    let first = fleet.bridge("first");
    let _workers = ["one", "two"].map(|name| fleet.worker(name, 300));
    fleet.until_settled().await;
    assert_eq!(first.drain(), Some(0));
    let (_second, console) = fleet.bridge_with_console("second");
    let mut rollups = Value::Null;
    for _ in 0..200 {
        rollups = read(&console, "rollups").await;
        if rollups["items"][0]["state"] == "settled" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let rollup = &rollups["items"][0];
    assert_eq!(rollup["state"], "settled", "{rollups}");
    let bars = rollup["bars"].as_array().unwrap();
    // Two claims, two inner rollups, the root rollup, its verifier.
    assert_eq!(bars.len(), 6, "{bars:?}");
    for bar in bars {
        let worker = bar["worker"].as_str().unwrap();
        assert!(["one/1", "two/1"].contains(&worker), "{worker}");
        let (from, to) = (bar["from_ms"].as_u64(), bar["to_ms"].as_u64());
        let took = to.unwrap() - from.unwrap();
        assert!(took >= 300, "{took} ms on a worker that takes 300");
    }
    let workers = read(&console, "workers").await;
    let names = workers["items"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|slot| slot["slot"].as_str().unwrap()).collect();
    assert_eq!(names, ["one/1", "two/1"]);
    let jobs = read(&console, "jobs").await;
    assert_eq!(jobs["counts"]["delivered"], 6);
}
