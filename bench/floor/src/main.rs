//! The floor of the benchmark: the exchanges of a successful Landfall deploy, over blocking sockets
//! with the same TLS stack, without anything that makes a function safe to use: no checks, retries,
//! diagnosis, rollback, continuation or log. Any fault ends it.

mod connection;
mod environment;
mod signature;

use connection::Connection;
use environment::variable;
use serde_json::{Value, json};
use signature::Signer;

/// The namespace that all candidates use.
const NAMESPACE: &str = "default";
const PARAMETER: &str = "k8s-bear-token";
/// How many seconds a watch may last.
const WATCH: u32 = 300;
/// How many watches follow one another; together they last longer than an invocation.
const WATCHES: usize = 10;

fn main() {
    let mut runtime = Connection::plain(&variable("AWS_LAMBDA_RUNTIME_API"));
    let endpoint = variable("AWS_ENDPOINT_URL");
    let mut aws = Aws {
        connection: Connection::plain(endpoint.trim_start_matches("http://")),
        signer: Signer::from_environment(),
    };
    let mut cluster = None;
    loop {
        let event = runtime.call("GET", "/2018-06-01/runtime/invocation/next", &[], b"");
        let request = event.header("lambda-runtime-aws-request-id").to_owned();
        let event = event.json();
        let job = &event["CodePipeline.job"];
        let parameters = &job["data"]["actionConfiguration"]["configuration"]["UserParameters"];
        let parameters = serde_json::from_str(text(parameters)).expect("JSON");
        let token = aws.token();
        let cluster = cluster.get_or_insert_with(|| {
            let server = variable("K8S_CLUSTER");
            let server = server.strip_prefix("https://").expect("https");
            Connection::tls(server, &variable("K8S_CA"))
        });
        let revision = Deploy { cluster, token }.run(&parameters);
        let summary = format!(
            "{} runs revision {revision}",
            text(&parameters["deployment"])
        );
        let details = json!({"summary": summary, "percentComplete": 100});
        let report = json!({"jobId": job["id"], "executionDetails": details});
        aws.call(
            "codepipeline",
            "CodePipeline_20150709.PutJobSuccessResult",
            &report,
        );
        let answer = format!("/2018-06-01/runtime/invocation/{request}/response");
        runtime.call("POST", &answer, &[], b"null");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

struct Aws {
    connection: Connection,
    signer: Signer,
}

impl Aws {
    fn token(&mut self) -> String {
        let names = json!({"Names": [PARAMETER], "WithDecryption": true});
        let answer = self.call("ssm", "AmazonSSM.GetParameters", &names);
        text(&answer["Parameters"][0]["Value"]).to_owned()
    }

    fn call(&mut self, service: &str, target: &str, body: &Value) -> Value {
        let body = body.to_string();
        let host = self.connection.host().to_owned();
        let headers = self.signer.headers(service, target, &host, &body);
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.connection
            .call("POST", "/", &headers, body.as_bytes())
            .json()
    }
}

struct Deploy<'a> {
    cluster: &'a mut Connection,
    token: String,
}

impl Deploy<'_> {
    fn run(&mut self, parameters: &Value) -> String {
        let collection = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments");
        let name = text(&parameters["deployment"]);
        let path = format!("{collection}/{name}");
        let sets = format!(
            "/apis/apps/v1/namespaces/{NAMESPACE}/replicasets?labelSelector=app%3D{name}&limit=50"
        );
        let before = self.call("GET", &path, b"").json();
        self.call("GET", &sets, b"");
        let images = parameters["images"].as_object().expect("images");
        let containers = images
            .iter()
            .map(|(name, image)| json!({"name": name, "image": image}));
        let containers = containers.collect::<Vec<_>>();
        let patch = json!({
            "metadata": {"resourceVersion": before["metadata"]["resourceVersion"]},
            "spec": {"template": {"spec": {"containers": containers}}}
        });
        let written = self
            .call("PATCH", &path, patch.to_string().as_bytes())
            .json();
        let generation = written["metadata"]["generation"]
            .as_u64()
            .expect("a generation");
        let done = self.follow(&collection, name, generation);
        self.call("GET", &sets, b"");
        let annotations = &done["metadata"]["annotations"];
        text(&annotations["deployment.kubernetes.io/revision"]).to_owned()
    }

    fn follow(&mut self, collection: &str, name: &str, generation: u64) -> Value {
        for _ in 0..WATCHES {
            let now = self
                .call("GET", &format!("{collection}/{name}"), b"")
                .json();
            if complete(&now, generation) {
                return now;
            }
            let version = text(&now["metadata"]["resourceVersion"]);
            let watch = format!(
                "{collection}?watch=true&fieldSelector=metadata.name%3D{name}\
                 &resourceVersion={version}&timeoutSeconds={WATCH}"
            );
            let authorization = format!("Bearer {}", self.token);
            self.cluster
                .send("GET", &watch, &[("authorization", &authorization)], b"");
            let mut changes = self.cluster.lines();
            while let Some(line) = changes.next_line() {
                let mut event: Value = serde_json::from_str(&line).expect("an event");
                let deployment = event["object"].take();
                if complete(&deployment, generation) {
                    // The rest of the watch is still on this connection.
                    self.cluster.reconnect();
                    return deployment;
                }
            }
        }
        panic!("the rollout takes longer than a function lives");
    }

    fn call(&mut self, method: &str, path: &str, body: &[u8]) -> connection::Answer {
        let authorization = format!("Bearer {}", self.token);
        let content = ("content-type", "application/strategic-merge-patch+json");
        let headers = [("authorization", authorization.as_str()), content];
        let headers = if body.is_empty() {
            &headers[..1]
        } else {
            &headers[..]
        };
        let answer = self.cluster.call(method, path, headers, body);
        assert_eq!(answer.status, 200, "{method} {path}");
        answer
    }
}

/// The condition of `kubectl rollout status`.
fn complete(deployment: &Value, generation: u64) -> bool {
    let status = &deployment["status"];
    let count = |name: &str| status[name].as_u64().unwrap_or(0);
    let updated = count("updatedReplicas");
    count("observedGeneration") >= generation
        && updated >= deployment["spec"]["replicas"].as_u64().unwrap_or(1)
        && count("replicas") <= updated
        && count("availableReplicas") >= updated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_is_complete_when_only_new_pods_are_left_and_serve() {
        let status = |generation: u64, replicas: u64, updated: u64, available: u64| {
            json!({"spec": {"replicas": 2}, "status": {"observedGeneration": generation,
                "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available}})
        };
        for (deployment, expected) in [
            (status(2, 2, 2, 2), true),
            (status(3, 2, 2, 2), true),
            (status(1, 2, 2, 2), false),
            (status(2, 3, 2, 3), false),
            (status(2, 2, 1, 2), false),
            (status(2, 2, 2, 1), false),
            (json!({"spec": {"replicas": 2}}), false),
        ] {
            assert_eq!(complete(&deployment, 2), expected, "{deployment}");
        }
    }
}
