// graphile-worker: `node graphile-worker.mjs enqueue COUNT`, or `work` until it is ended.
// Its own page on performance gives these settings; each job is still completed by itself.

import { makeWorkerUtils, run } from "graphile-worker";

import { atOnce, BODY, DSN, post } from "./post.mjs";

const [verb, count] = process.argv.slice(2);

if (verb === "enqueue") {
  const utils = await makeWorkerUtils({ connectionString: DSN });
  await utils.migrate();
  await utils.withPgClient((client) =>
    client.query(
      "SELECT graphile_worker.add_job('deliver', json_build_object('id', gen_random_uuid(), 'body', $1::text))" +
        " FROM generate_series(1, $2)",
      [BODY, Number(count)],
    ),
  );
  await utils.release();
} else {
  const worker = {
    connectionString: DSN,
    concurrentJobs: atOnce,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  };
  const runner = await run({ preset: { worker }, taskList: { deliver: post } });
  await runner.promise;
}
