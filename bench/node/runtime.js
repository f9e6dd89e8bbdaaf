// Lambda's Runtime API, as the managed runtime speaks it. AWS's own `aws-lambda-ric` builds a copy
// of curl at its installation, for which autotools and CMake would have to be on the machine.
import http from "node:http";
import { handler } from "./handler.js";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const path = "/2018-06-01/runtime/invocation/";
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, method, path, agent }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ head: answer.headers, body: Buffer.concat(chunks) }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function run() {
  for (;;) {
    const { head, body } = await call("GET", `${path}next`);
    const id = head["lambda-runtime-aws-request-id"];
    try {
      const result = await handler(JSON.parse(body));
      await call("POST", `${path}${id}/response`, JSON.stringify(result ?? null));
    } catch (error) {
      const failure = { errorType: error.name, errorMessage: error.message };
      await call("POST", `${path}${id}/error`, JSON.stringify(failure));
    }
  }
}

run();
