//! The console's API over HTTP.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use zkwhirl_job::JobId;
use zkwhirl_ledger::JobState;
use zkwhirl_testkit::{eventually, within};

use super::stage::{ConsoleStage, TOKEN, claim, idle, mocked};

impl ConsoleStage {
    async fn read(&self, path: &str, token: Option<&str>) -> Response {
        let request = self.http.get(format!("{}/console/api/{path}", self.url));
        send(request, token).await
    }

    async fn view(&self, path: &str) -> Value {
        let answer = self.read(path, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn post(&self, base: &str, token: Option<&str>, action: Value) -> Response {
        let url = format!("{base}/console/api/actions");
        let request = self.http.post(url).body(action.to_string());
        send(request, token).await
    }

    /// Sends an action and returns the result for its first target.
    async fn act(&self, action: Value) -> Value {
        let answer = self.post(&self.url, Some(TOKEN), action).await;
        let outcomes: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        outcomes[0].clone()
    }

    async fn act_status(&self, action: Value) -> StatusCode {
        self.post(&self.url, Some(TOKEN), action).await.status()
    }
}

async fn send(mut request: RequestBuilder, token: Option<&str>) -> Response {
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.send().await.unwrap()
}

/// Asserts that an answer is a refusal with this status and these words.
async fn refused(answer: Response, status: u16, words: &str) {
    assert_eq!(answer.status().as_u16(), status, "{words}");
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let error = body["error"].as_str().unwrap();
    assert!(error.contains(words), "{error:?} lacks {words:?}");
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn replay(job: JobId) -> Value {
    json!({ "act": "replay", "on": [job.to_string()] })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_view_tells_of_a_rollup_from_its_first_job_to_its_settling() {
    let stage = mocked(3, Duration::from_millis(20), 1).await;
    let proved = |bar: &Value| bar["outcome"] == "proved" && bar["to_ms"].is_u64();
    // A worker reports the end of a run after its result is out, so the reply
    // of the last job may be delivered first.
    eventually("settled, every run ended", async || {
        let rollup = &stage.view("rollups").await["items"][0];
        rollup["state"] == "settled" && list(&rollup["bars"]).iter().all(proved)
    })
    .await;
    let rollup = &stage.view("rollups").await["items"][0];
    let stages = list(&rollup["stages"]).iter();
    let counts = stages.map(|stage| json!([stage["name"], stage["done"], stage["total"]]));
    let expected = json!([
        ["claims", 4, 4],
        ["inner", 8, 8],
        ["root", 1, 1],
        ["verifier", 1, 1]
    ]);
    assert_eq!(counts.collect::<Value>(), expected);
    let bars = list(&rollup["bars"]);
    assert_eq!(bars.len(), 14, "one run each");
    let last = list(&rollup["critical"]).last();
    assert_eq!(last, Some(&bars[13]["job"]), "it ends with the verifier");

    let jobs = "jobs?kind=tx-rollup&state=delivered&limit=3";
    let jobs = stage.view(jobs).await;
    assert_eq!(jobs["matched"], 8);
    assert_eq!(list(&jobs["items"]).len(), 3);
    assert_eq!(jobs["counts"]["delivered"], 16, "with the two client keys");
    let id = jobs["items"][0]["id"].as_str().unwrap();
    let detail = stage.view(&format!("jobs/{}", &id[..12])).await;
    let steps = list(&detail["steps"]).iter();
    let steps: Vec<_> = steps.map(|step| step["what"].as_str().unwrap()).collect();
    for step in ["taken", "queued", "claimed", "proved", "delivered"] {
        assert!(steps.contains(&step), "{steps:?} lacks {step}");
    }
    // A slot reports at most twice a second, so its count may lag behind.
    eventually("idle, with 16 jobs proved", async || {
        let workers = stage.view("workers").await;
        let slots = list(&workers["items"]);
        let done = slots.iter().map(|slot| slot["done"].as_u64().unwrap());
        let proved: u64 = done.sum();
        proved == 16 && slots.len() == 3 && slots.iter().all(|slot| slot["state"] == "idle")
    })
    .await;
    let queues = stage.view("queues").await;
    assert_eq!(queues["items"][0]["ready"], 0);
    assert_eq!(queues["items"][0]["consumers"], 3);
    assert_eq!(stage.view("keys").await["items"][1]["insecure"], true);
    assert_eq!(stage.view("status").await["banners"], json!([]));
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
        refused(stage.read(path, None).await, status, words).await;
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
        (&stage.url, None, 401, "the request has none"),
        (&stage.url, Some("guess"), 401, "not the operator's token"),
    ] {
        refused(stage.post(base, token, replay(job)).await, status, words).await;
    }
    let path = format!("dead/{job}/request");
    refused(stage.read(&path, None).await, 401, "the request has none").await;
    let deeds = stage.view("audit").await;
    assert_eq!(deeds["items"], json!([]), "nothing was done");

    let request = stage.read(&path, Some(TOKEN)).await.bytes().await;
    assert_eq!(request.unwrap(), claim().1, "what zkwhirl prove takes");
    let letter = &stage.view("dead").await["items"][0];
    assert_eq!(letter["attempts"][1]["exit"], "signal 9");
    let acted = stage.act(replay(job)).await;
    assert_eq!(acted["done"], true, "{acted}");
    let again = stage.act(replay(job)).await;
    assert_eq!(again["done"], false);
    let why = again["text"].as_str().unwrap();
    assert!(why.contains("must be dead"), "{why}");
    stage.quiet(false).await;
    stage.until_state(job, JobState::Delivered).await;
    let deeds = stage.view("audit").await;
    let deeds = list(&deeds["items"]).iter();
    let deeds = deeds.map(|deed| json!([deed["what"], deed["done"]]));
    let written = json!([
        ["replay", false],
        ["replay", false],
        ["replay", true],
        ["replay", false],
        ["download", true],
    ]);
    assert_eq!(
        deeds.collect::<Value>(),
        written,
        "asked and ended, newest first"
    );
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_repeats_the_job_s_last_digits_and_gives_a_reason() {
    let stage = idle().await;
    stage.quiet(true).await;
    let job = stage.a_dead_claim().await.to_string();
    let reject = |confirm: &str, reason: &str| json!({ "act": "reject", "on": [job], "confirm": confirm, "reason": reason });
    let without_reason = stage.act_status(reject(&job[60..], " ")).await;
    assert_eq!(without_reason, StatusCode::BAD_REQUEST);
    let without_digits = stage.act_status(reject("", "no")).await;
    assert_eq!(without_digits, StatusCode::BAD_REQUEST);
    let wrong = stage.act(reject("0000", "no")).await;
    assert_eq!(wrong["done"], false, "{wrong}");
    let nacks = || stage.falafel.stats().nacks;
    assert_eq!(nacks(), 0, "Falafel heard nothing so far");
    let done = stage.act(reject(&job[60..], "a hopeless claim")).await;
    assert_eq!(done["done"], true, "{done}");
    eventually("the NACK", async || nacks() == 1).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_bounded_and_quiet_workers_claim_no_more() {
    let stage = idle().await;
    let action = |act: &str, on: &[String]| json!({ "act": act, "on": on });
    let many: Vec<_> = (0..501).map(|number| format!("{number:04x}")).collect();
    let huge = ["x".repeat(100_000)];
    for (wrong, status) in [
        (action("replay", &[]), StatusCode::BAD_REQUEST),
        (action("replay", &many), StatusCode::BAD_REQUEST),
        (
            action("destroy", &["x".to_owned()]),
            StatusCode::BAD_REQUEST,
        ),
        (action("replay", &huge), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(stage.act_status(wrong).await, status);
    }
    stage.quiet(false).await;
    let nobody = stage.act(action("quiet", &["worker 9".to_owned()])).await;
    assert_eq!(nobody["text"], "no worker worker 9 is running");
    let state = async |slot: usize| stage.view("workers").await["items"][slot]["state"].clone();
    let told = stage.act(action("quiet", &["worker 1".to_owned()])).await;
    assert_eq!(told["done"], true, "{told}");
    eventually("quiet", async || state(0).await == "quiet").await;
    assert_eq!(state(1).await, "idle");
    let told = stage.act(action("drain", &["worker 2".to_owned()])).await;
    assert_eq!(told["done"], true, "{told}");
    eventually("draining", async || state(1).await == "draining").await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_hear_at_once_that_something_changed() {
    let stage = idle().await;
    let mut stream = stage.read("events", None).await;
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
