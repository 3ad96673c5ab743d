// Writers that put events into a queue in batches: `node ingest.mjs graphile-worker` or `pg-boss`.
// It prepares all, says "ready", begins at a line of its input, tells in a line of JSON how long it took, and
// ends with its input.

import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";

const { DSN } = process.env;
const told = (name) => Number(process.env[`COXSWAIN_BENCH_${name}`]);
const [events, writers, batch, connections] = ["EVENTS", "WRITERS", "BATCH", "CONNECTIONS"].map(told);
const event = JSON.parse(process.env.EVENT);

async function graphileWorker() {
  const { makeWorkerUtils } = await import("graphile-worker");
  const utils = await makeWorkerUtils({ connectionString: DSN, maxPoolSize: connections });
  await utils.migrate();
  return (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: "event", payload })));
}

async function pgBoss() {
  const { default: PgBoss } = await import("pg-boss");
  const boss = new PgBoss({ connectionString: DSN, max: connections, supervise: false, schedule: false });
  boss.on("error", (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue("event");
  return (payloads) => boss.insert(payloads.map((data) => ({ name: "event", data })));
}

/** The batches of one writer, numbered; the last of all perhaps smaller. */
function batches(writer) {
  const uid = randomUUID();
  const found = [];
  let seq = 0;
  for (let first = writer * batch; first < events; first += writers * batch) {
    const size = Math.min(batch, events - first);
    found.push(Array.from({ length: size }, () => ({ ...event, id: randomUUID(), uid, seq: ++seq })));
  }
  return found;
}

const put = await (process.argv[2] === "pg-boss" ? pgBoss() : graphileWorker());
const all = Array.from({ length: writers }, (_, writer) => batches(writer));
const input = createInterface({ input: process.stdin });
const words = input[Symbol.asyncIterator]();
console.log("ready");
await words.next();

const waited = [];
const began = performance.now();
await Promise.all(
  all.map(async (mine) => {
    for (const each of mine) {
      const sent = performance.now();
      await put(each);
      waited.push((performance.now() - sent) / 1000);
    }
  }),
);
const seconds = (performance.now() - began) / 1000;
waited.sort((one, other) => one - other);
console.log(JSON.stringify({ seconds, p99: waited[Math.ceil(0.99 * waited.length) - 1] }));
await words.next();
process.exit(0);
