// What one writes in Node: the Kubernetes client and AWS's SDK.
import { CodePipeline } from "@aws-sdk/client-codepipeline";
import { SSM } from "@aws-sdk/client-ssm";
import * as k8s from "@kubernetes/client-node";

const namespace = "default";
const parameter = "k8s-bear-token";
const patience = 900_000; // milliseconds, of a rollout

const ssm = new SSM();
const codepipeline = new CodePipeline();
// Kept from job to job, for its connections; made anew where the token changed.
let cluster;

export async function handler(event) {
  const job = event["CodePipeline.job"];
  try {
    const { UserParameters } = job.data.actionConfiguration.configuration;
    const { deployment, images } = JSON.parse(UserParameters);
    const revision = await deploy(deployment, images);
    await codepipeline.putJobSuccessResult({
      jobId: job.id,
      executionDetails: { summary: `${deployment} runs revision ${revision}`, percentComplete: 100 },
    });
  } catch (error) {
    const message = String(error.message ?? error).slice(0, 5000);
    await codepipeline.putJobFailureResult({
      jobId: job.id,
      failureDetails: { type: "JobFailed", message },
    });
  }
}

async function deploy(name, images) {
  const { config, apps } = await connect();
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
  const written = await apps.patchNamespacedDeployment(
    { name, namespace, body: { spec: { template: { spec: { containers } } } } },
    k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.StrategicMergePatch),
  );
  const { generation } = written.metadata;
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    const now = await apps.readNamespacedDeployment({ name, namespace });
    if (complete(now, generation)) return revision(now);
    const done = await change(config, name, now.metadata.resourceVersion, generation, deadline);
    if (done) return revision(done);
  }
  throw new Error(`${name} was not rolled out in ${patience / 1000} s`);
}

async function connect() {
  const answer = await ssm.getParameter({ Name: parameter, WithDecryption: true });
  const token = answer.Parameter.Value;
  if (cluster?.token !== token) {
    const config = new k8s.KubeConfig();
    const caData = Buffer.from(process.env.K8S_CA).toString("base64");
    config.loadFromOptions({
      clusters: [{ name: "cluster", server: process.env.K8S_CLUSTER, caData }],
      users: [{ name: "landfall", token }],
      contexts: [{ name: "cluster", cluster: "cluster", user: "landfall" }],
      currentContext: "cluster",
    });
    cluster = { token, config, apps: config.makeApiClient(k8s.AppsV1Api) };
  }
  return cluster;
}

// The Deployment once it is complete; undefined where the watch ended before.
function change(config, name, resourceVersion, generation, deadline) {
  return new Promise((resolve, reject) => {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const timeoutSeconds = Math.max(1, Math.floor((deadline - Date.now()) / 1000));
    const query = { fieldSelector: `metadata.name=${name}`, resourceVersion, timeoutSeconds };
    let controller;
    const ended = (error) => (error && error.name !== "AbortError" ? reject(error) : resolve());
    const seen = (type, deployment) => {
      try {
        if (type === "MODIFIED" && !complete(deployment, generation)) return;
        resolve(type === "MODIFIED" ? deployment : undefined);
      } catch (error) {
        reject(error);
      }
      controller?.abort();
    };
    new k8s.Watch(config).watch(path, query, seen, ended).then((it) => (controller = it), reject);
  });
}

// What `kubectl rollout status` goes by.
function complete({ spec, status = {} }, generation) {
  if ((status.observedGeneration ?? 0) < generation) return false;
  for (const condition of status.conditions ?? []) {
    if (condition.reason === "ProgressDeadlineExceeded") throw new Error(condition.message);
  }
  const updated = status.updatedReplicas ?? 0;
  return (
    updated >= (spec.replicas ?? 1) &&
    (status.replicas ?? 0) <= updated &&
    (status.availableReplicas ?? 0) >= updated
  );
}

function revision(deployment) {
  return deployment.metadata.annotations?.["deployment.kubernetes.io/revision"];
}
