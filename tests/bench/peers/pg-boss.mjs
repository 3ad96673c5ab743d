// pg-boss: `node pg-boss.mjs enqueue COUNT`, or `work` until it is ended.
// Its own workers poll twice a second at most, so loops fetch and complete in batches instead.

import PgBoss from "pg-boss";

import { atOnce, BODY, DSN, post } from "./post.mjs";

const LOOPS = 4;
const CHUNK = 1000;
const QUEUE = "deliver";
const [verb, count] = process.argv.slice(2);
const boss = new PgBoss({ connectionString: DSN, supervise: false, schedule: false });
boss.on("error", (error) => {
  throw error;
});
await boss.start();
await boss.createQueue(QUEUE);

async function loop() {
  for (;;) {
    const jobs = await boss.fetch(QUEUE, { batchSize: Math.max(1, Math.floor(atOnce / LOOPS)) });
    if (jobs.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const results = await Promise.allSettled(
      jobs.map((job) => post({ id: job.id, body: job.data.body })),
    );
    const taken = jobs.filter((_, number) => results[number].status === "fulfilled");
    const refused = jobs.filter((_, number) => results[number].status === "rejected");
    if (taken.length > 0) await boss.complete(QUEUE, taken.map((job) => job.id));
    if (refused.length > 0) await boss.fail(QUEUE, refused.map((job) => job.id));
  }
}

if (verb === "enqueue") {
  for (let left = Number(count); left > 0; left -= CHUNK) {
    const jobs = Array.from({ length: Math.min(CHUNK, left) }, () => ({
      name: QUEUE,
      data: { body: BODY },
    }));
    await boss.insert(jobs);
  }
  await boss.stop({ graceful: false });
} else {
  await Promise.all(Array.from({ length: LOOPS }, loop));
}
