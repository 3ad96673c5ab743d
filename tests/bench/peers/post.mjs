// What both peers do with a message: sign it as in Standard Webhooks, and post it to the receiver.

import { createHmac } from "node:crypto";
import http from "node:http";

export const { DSN, URL: TARGET, AT_ONCE, BODY } = process.env;
export const atOnce = Number(AT_ONCE);

const key = Buffer.from(process.env.KEY, "base64");
const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });

/** Resolves once the receiver has taken it; rejects where it has not. */
export function post({ id, body }) {
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
  return new Promise((resolve, reject) => {
    const request = http.request(TARGET, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("end", () =>
        response.statusCode < 300 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}
