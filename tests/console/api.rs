//! The API over HTTP.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use zkwhirl_job::JobId;
use zkwhirl_ledger::JobState;
use zkwhirl_testkit::{eventually, within};

use super::stage::{ConsoleStage, TOKEN, claim, idle, mocked};

async fn body(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

impl ConsoleStage {
    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let url = format!("{}/console/api/{path}", self.url);
        body(self.http.get(url).send().await.unwrap()).await
    }

    async fn post(&self, base: &str, token: Option<&str>, action: Value) -> (StatusCode, Value) {
        let url = format!("{base}/console/api/actions");
        let mut request = self.http.post(url).body(action.to_string());
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        body(request.send().await.unwrap()).await
    }

    async fn act(&self, action: Value) -> (StatusCode, Value) {
        self.post(&self.url, Some(TOKEN), action).await
    }
}

fn replay(job: JobId) -> Value {
    json!({ "act": "replay", "on": [job.to_string()] })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_tells_of_a_rollup_from_its_first_job_to_its_settling() {
    let stage = mocked(3, Duration::from_millis(20), 1).await;
    eventually("settled", async || {
        let (_, rollups) = stage.get("rollups").await;
        rollups["items"][0]["state"] == "settled"
    })
    .await;
    let (_, rollups) = stage.get("rollups").await;
    let rollup = &rollups["items"][0];
    let stages = rollup["stages"].as_array().unwrap().iter();
    let counts: Vec<_> = stages
        .map(|stage| {
            (
                stage["name"].clone(),
                stage["done"].clone(),
                stage["total"].clone(),
            )
        })
        .collect();
    let count = |name: &str, jobs: u64| (json!(name), json!(jobs), json!(jobs));
    let expected = [
        count("claims", 4),
        count("inner", 8),
        count("root", 1),
        count("verifier", 1),
    ];
    assert_eq!(counts, expected);
    let bars = rollup["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 14, "one run each");
    assert!(
        bars.iter()
            .all(|bar| bar["outcome"] == "proved" && bar["to_ms"].is_u64())
    );
    let path = rollup["critical"].as_array().unwrap();
    assert_eq!(
        path.last(),
        Some(&bars[13]["job"]),
        "it ends with the verifier"
    );

    let (_, jobs) = stage
        .get("jobs?kind=tx-rollup&state=delivered&limit=3")
        .await;
    assert_eq!(jobs["matched"], 8);
    assert_eq!(jobs["items"].as_array().unwrap().len(), 3);
    assert_eq!(jobs["counts"]["delivered"], 16, "with the two client keys");
    let id = jobs["items"][0]["id"].as_str().unwrap();
    let (_, detail) = stage.get(&format!("jobs/{}", &id[..12])).await;
    let steps = detail["steps"].as_array().unwrap().iter();
    let steps: Vec<_> = steps.map(|step| step["what"].as_str().unwrap()).collect();
    for step in ["taken", "queued", "claimed", "proved", "delivered"] {
        assert!(steps.contains(&step), "{steps:?} lacks {step}");
    }
    // A slot speaks twice a second at most: it may seem idle that has proved much.
    eventually("idle, with 16 jobs proved", async || {
        let (_, workers) = stage.get("workers").await;
        let slots = workers["items"].as_array().unwrap().clone();
        let done = slots.iter().map(|slot| slot["done"].as_u64().unwrap());
        let proved: u64 = done.sum();
        proved == 16 && slots.len() == 3 && slots.iter().all(|slot| slot["state"] == "idle")
    })
    .await;
    let (_, queues) = stage.get("queues").await;
    assert_eq!(queues["items"][0]["ready"], 0);
    assert_eq!(queues["items"][0]["consumers"], 3);
    let (_, keys) = stage.get("keys").await;
    assert_eq!(keys["items"][1]["insecure"], true);
    let (_, status) = stage.get("status").await;
    assert_eq!(status["banners"], json!([]));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_knows_and_a_view_that_is_none_are_refused_in_words() {
    let stage = idle().await;
    for (path, status, words) in [
        ("jobs/12", 400, "at least 4 digits"),
        ("jobs/nothing", 400, "names no job"),
        ("jobs/abcdef", 404, "no job abcdef… is known"),
        ("everything", 404, "no such view"),
    ] {
        let (found, answer) = stage.get(path).await;
        assert_eq!(found.as_u16(), status, "{path}");
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(words), "{error:?} lacks {words:?}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_shows_the_token_may_act_and_every_deed_is_written_down() {
    let stage = idle().await;
    stage.quiet(true).await;
    let job = stage.a_dead_claim().await;
    for (base, token, status, words) in [
        (&stage.read_only, Some(TOKEN), 403, "read-only"),
        (&stage.url, None, 401, "none was shown"),
        (&stage.url, Some("guess"), 401, "not the operator's token"),
    ] {
        let (found, answer) = stage.post(base, token, replay(job)).await;
        assert_eq!(found.as_u16(), status);
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(words), "{error:?} lacks {words:?}");
    }
    let url = format!("{}/console/api/dead/{job}/request", stage.url);
    let hidden = stage.http.get(&url).send().await.unwrap();
    assert_eq!(hidden.status(), StatusCode::UNAUTHORIZED);
    let (_, deeds) = stage.get("audit").await;
    assert_eq!(deeds["items"], json!([]), "nothing was done");

    let shown = stage
        .http
        .get(&url)
        .header("authorization", format!("Bearer {TOKEN}"));
    let request = shown.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(request, claim().1, "what zkwhirl prove takes");
    let (_, dead) = stage.get("dead").await;
    let letter = &dead["items"][0];
    assert_eq!(letter["attempts"][1]["exit"], "signal 9");
    let (_, acted) = stage.act(replay(job)).await;
    assert_eq!(acted[0]["done"], true, "{acted}");
    let (_, again) = stage.act(replay(job)).await;
    assert_eq!(again[0]["done"], false);
    assert!(
        again[0]["text"].as_str().unwrap().contains("must be dead"),
        "{again}"
    );
    stage.quiet(false).await;
    stage.until_state(job, JobState::Delivered).await;
    let (_, deeds) = stage.get("audit").await;
    let deeds = deeds["items"].as_array().unwrap().iter();
    let deeds: Vec<_> = deeds
        .map(|deed| {
            (
                deed["what"].as_str().unwrap(),
                deed["done"].as_bool().unwrap(),
            )
        })
        .collect();
    let written = [
        ("replay", false),
        ("replay", false),
        ("replay", true),
        ("replay", false),
        ("download", true),
    ];
    assert_eq!(deeds, written, "asked and ended, newest first");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_repeats_the_job_s_last_digits_and_gives_a_reason() {
    let stage = idle().await;
    stage.quiet(true).await;
    let job = stage.a_dead_claim().await.to_string();
    let reject = |confirm: &str, reason: &str| json!({ "act": "reject", "on": [job], "confirm": confirm, "reason": reason });
    let (status, _) = stage.act(reject(&job[60..], " ")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "without a reason");
    let (status, _) = stage.act(reject("", "no")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "without digits");
    let (_, wrong) = stage.act(reject("0000", "no")).await;
    assert_eq!(wrong[0]["done"], false, "{wrong}");
    assert_eq!(
        stage.falafel.stats().nacks,
        0,
        "Falafel heard nothing so far"
    );
    let (_, done) = stage.act(reject(&job[60..], "a hopeless claim")).await;
    assert_eq!(done[0]["done"], true, "{done}");
    eventually("the NACK", async || stage.falafel.stats().nacks == 1).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_bounded_and_quiet_workers_claim_no_more() {
    let stage = idle().await;
    let many: Vec<_> = (0..501).map(|number| format!("{number:04x}")).collect();
    for on in [Vec::new(), many] {
        let (status, _) = stage.act(json!({ "act": "replay", "on": on })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let (status, _) = stage.act(json!({ "act": "destroy", "on": ["x"] })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let huge = json!({ "act": "replay", "on": ["x".repeat(100_000)] });
    let url = format!("{}/console/api/actions", stage.url);
    let huge = stage
        .http
        .post(url)
        .body(huge.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    stage.quiet(false).await;
    let (_, nobody) = stage
        .act(json!({ "act": "quiet", "on": ["worker 9"] }))
        .await;
    assert_eq!(nobody[0]["text"], "no worker worker 9 is there");
    let state = async |slot: usize| {
        let (_, workers) = stage.get("workers").await;
        workers["items"][slot]["state"].clone()
    };
    let (_, told) = stage
        .act(json!({ "act": "quiet", "on": ["worker 1"] }))
        .await;
    assert_eq!(told[0]["done"], true, "{told}");
    eventually("quiet", async || state(0).await == "quiet").await;
    assert_eq!(state(1).await, "idle");
    let (_, told) = stage
        .act(json!({ "act": "drain", "on": ["worker 2"] }))
        .await;
    assert_eq!(told[0]["done"], true, "{told}");
    eventually("draining", async || state(1).await == "draining").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_hear_at_once_that_something_changed() {
    let stage = idle().await;
    let url = format!("{}/console/api/events", stage.url);
    let mut stream = stage.http.get(url).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let (job, request) = claim();
    drop(stage.ask(request));
    let mut heard = String::new();
    let words = format!("{{\"what\":\"delivered\",\"job\":\"{job}\"}}");
    let hear = async {
        while !heard.contains(&words) {
            let chunk = stream.chunk().await.unwrap().unwrap();
            heard.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    within("the delivery is heard of", hear).await;
    drop(stream);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_may_load_nothing_from_elsewhere() {
    let stage = idle().await;
    for path in ["", "/", "/app.js", "/style.css"] {
        let page = stage.http.get(format!("{}/console{path}", stage.url));
        let page = page.send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    stage.end().await;
}
