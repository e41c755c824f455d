// The cases of README.md for clients in JavaScript. A client passes them a channel with these functions:
//
//   record, counts, health (request, options)   {answer: Promise, cancel()}
//   watch, reflect (request, options)           {next(): Promise of a message, undefined at the end, cancel()}
//   stream (requests, options)                  as watch; requests is an async iterable
//   details(error, name)                        the google.rpc detail of an error; undefined if it has none
//   close()
//
// Options are timeoutMs, metadata (pairs) and gzip. An error has the name of its gRPC status in `status`.
import assert from 'node:assert/strict';
import {setTimeout as pause} from 'node:timers/promises';

export const timeoutMs = 30_000;

// The sizes of the burst: the number of concurrent calls, with 20 KB each way, for articles that no call requested
// before. A call repeats its articles, so that all calls together fit into the queue to Redis.
const burst = {rounds: Number(process.env.BURST_ROUNDS ?? 20), calls: 200, articlesOfACall: 50, differentArticles: 2, articleBytes: 400};
const articlesOf = (name, round, call) => Array.from({length: burst.articlesOfACall},
  (_, number) => `/${name}/${round}/${call}/${number % burst.differentArticles}/`.padEnd(burst.articleBytes, 'x'));
// One message with all of these is larger than every client's window.
const longArticles = (name) => Array.from({length: 1000},
  (_, number) => `/${name}/${number}/`.padEnd(burst.articleBytes, 'x'));

const site = 'demo';
const batch = (articleIds) => ({site, views: articleIds.map((articleId) => ({articleId}))});
const question = (articleIds) => ({site, articleIds});
const range = (size) => Array.from({length: size}, (_, number) => number);

async function viewsOf(channel, articleIds, options = {}) {
  const answer = await channel.counts(question(articleIds), {timeoutMs, ...options}).answer;
  assert.deepEqual(answer.counts.map((count) => count.articleId), articleIds);
  return answer.counts.map((count) => Number(count.views));
}

async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    // Only the errors of calls have a status.
    if (error.status === undefined) throw error;
    return error;
  }
  assert.fail('the call was answered');
}

// Returns the statuses that the promises end with.
const statusesOf = async (promises) => new Set((await Promise.allSettled(promises)).map(({status, reason}) =>
  (status === 'fulfilled' ? 'OK' : reason.status ?? reason.stack)));

// Throws unless every status is one of the expected ones, and the last expected one occurs.
function expectStatuses(statuses, ...expected) {
  for (const status of statuses) assert.ok(expected.includes(status), `${status} is not one of ${expected}`);
  assert.ok(statuses.has(expected.at(-1)), `no call ended with ${expected.at(-1)}`);
}

async function nextChange(call) {
  for (;;) {
    const message = await call.next();
    assert.notEqual(message, undefined, 'the stream ended');
    if (message.counts.length > 0) return message.counts;
  }
}

async function* repeated(request, times) {
  for (let sent = 0; sent < times; sent += 1) yield request;
}

// `name` is the client's name, so that each client has its own articles. `open` makes a channel with a separate
// connection. `without` names the cases that the library cannot run.
export function casesOf(name, open, without = []) {
  const cases = {
    async unary(channel) {
      const answer = await channel.record(batch([`/${name}/a`, `/${name}/b`, `/${name}/a`]), {timeoutMs}).answer;
      assert.equal(Number(answer.acceptedViews), 3);
      assert.deepEqual(await viewsOf(channel, [`/${name}/a`, `/${name}/none`, `/${name}/b`]), [2, 0, 1]);
    },

    async stream(channel) {
      const call = channel.stream(repeated(batch([`/${name}/stream`]), 100), {timeoutMs});
      for (let answered = 0; answered < 100; answered += 1) {
        assert.equal(Number((await call.next()).acceptedViews), 1);
      }
      assert.equal(await call.next(), undefined);
      assert.deepEqual(await viewsOf(channel, [`/${name}/stream`]), [100]);
    },

    async watch(channel) {
      const call = channel.watch(question([`/${name}/watch`, `/${name}/still`]), {timeoutMs});
      assert.deepEqual((await nextChange(call)).map((count) => Number(count.views)), [0, 0]);
      await channel.record(batch([`/${name}/watch`]), {timeoutMs}).answer;
      assert.deepEqual((await nextChange(call)).map((count) => [count.articleId, Number(count.views)]),
        [[`/${name}/watch`, 1]]);
      call.cancel();
    },

    async deadlines(channel) {
      const toTheEnd = async (call) => {
        while (await call.next() !== undefined);
      };
      const watches = range(20).map(() => toTheEnd(channel.watch(question([`/${name}/watch`]), {timeoutMs: 50})));
      expectStatuses(await statusesOf(watches), 'DEADLINE_EXCEEDED');
      const calls = range(300).map((call) => channel.counts(question(articlesOf(`${name}-late`, 0, call)),
        {timeoutMs: 1 + call % 9}).answer);
      expectStatuses(await statusesOf(calls), 'OK', 'DEADLINE_EXCEEDED');
      assert.deepEqual(await viewsOf(channel, [`/${name}/none`]), [0]);
    },

    async cancellations(channel) {
      for (const round of range(5)) {
        const calls = range(60).map((call) => channel.counts(question(articlesOf(`${name}-gone`, round, call)),
          {timeoutMs}));
        const streams = range(20).map(() => channel.watch(question([`/${name}/watch`]), {timeoutMs}));
        const ends = [...calls.map((call) => call.answer), ...streams.map((call) => call.next())];
        const statuses = statusesOf(ends);
        await pause(round);
        for (const call of [...calls, ...streams]) call.cancel();
        expectStatuses(await statuses, 'OK', 'CANCELLED');
      }
      assert.deepEqual(await viewsOf(channel, [`/${name}/none`]), [0]);
    },

    async compression(channel) {
      const articles = range(1000).map((number) => `/${name}/compressed/${number}`);
      await channel.record(batch(articles), {timeoutMs, gzip: true}).answer;
      assert.deepEqual(await viewsOf(channel, articles, {gzip: true}), articles.map(() => 1));
    },

    async metadata(channel) {
      const large = range(6).map((number) => [`x-large-${number}`, 'v'.repeat(1000)]);
      await viewsOf(channel, [`/${name}/none`], {metadata: large});
      // A stream on the same connection must not be affected by the refused call.
      const call = channel.watch(question([`/${name}/metadata`]), {timeoutMs});
      await call.next();
      for (const size of [70_000, 200_000]) {
        const metadata = [['x-huge', 'v'.repeat(size)]];
        await errorOf(channel.counts(question([`/${name}/none`]), {timeoutMs, metadata}).answer);
        await channel.record(batch([`/${name}/metadata`]), {timeoutMs}).answer;
        await nextChange(call);
      }
      call.cancel();
    },

    async blanks(channel) {
      const metadata = [['x-blanks', ' both '], ['x-blank', ' ']];
      assert.deepEqual(await viewsOf(channel, [`/${name}/none`], {metadata}), [0]);
    },

    async errors(channel) {
      let error = await errorOf(channel.record(batch([`/${name}/a`, `/${name}/\n`]), {timeoutMs}).answer);
      assert.equal(error.status, 'INVALID_ARGUMENT');
      assert.deepEqual(channel.details(error, 'BadRequest').fieldViolations.map((violation) => violation.field),
        ['views[1].article_id']);
      error = await errorOf(channel.counts({site: 'nobody', articleIds: ['/a']}, {timeoutMs}).answer);
      assert.equal(error.status, 'NOT_FOUND');
      assert.equal(channel.details(error, 'ErrorInfo').reason, 'UNKNOWN_SITE');
    },

    async health(channel) {
      const serving = async () => {
        const {status} = await channel.health({}, {timeoutMs}).answer;
        assert.ok(status === 'SERVING' || status === 1, status);
      };
      await serving();
      // Concurrent calls, too, because gRPC's own server answers this method.
      await Promise.all(range(500).map(serving));
    },

    async reflection(channel) {
      const question = {messageRequest: {case: 'listServices', value: ''}, listServices: ''};
      const call = channel.reflect(repeated(question, 1), {timeoutMs});
      const message = await call.next();
      const {service} = message.listServicesResponse ?? message.messageResponse.value;
      const names = service.map((one) => one.name);
      assert.ok(names.includes('viewcount.v1.QueryService') && names.includes('grpc.health.v1.Health'), names);
      assert.equal(await call.next(), undefined);
    },

    async burst(channel) {
      for (const round of range(burst.rounds)) {
        await Promise.all(range(burst.calls).map((call) => viewsOf(channel, articlesOf(name, round, call))));
      }
    },

    async slow_readers(channel) {
      const {slow, calls} = await hold();
      for (let round = 0; round < 3; round += 1) {
        await channel.record(batch(longArticles(`${name}-held`)), {timeoutMs}).answer;
        assert.deepEqual(await viewsOf(channel, [`/${name}/none`]), [0]);
      }
      for (const call of calls) call.cancel();
      slow.close();
    },

    async retry_info(channel) {
      // These are more different articles than all streams together may watch. Some other calls may find the queue to
      // Redis full.
      const articlesAt = (call) => range(1000).map((number) => `/${name}/${call}/${number}`);
      const calls = range(60).map((call) => channel.watch(question(articlesAt(call)), {timeoutMs}));
      const ends = await Promise.allSettled(calls.map((call) => call.next()));
      for (const call of calls) call.cancel();
      const errors = ends.filter((end) => end.status === 'rejected').map((end) => end.reason);
      const refused = errors.find((error) => error.status === 'RESOURCE_EXHAUSTED');
      assert.ok(refused, `nothing was refused; ${errors.length} errors`);
      const {retryDelay} = channel.details(refused, 'RetryInfo');
      assert.ok(Number(retryDelay.seconds ?? 0) > 0 || retryDelay.nanos > 0, retryDelay);
    },
  };

  // Opens streams that are never read.
  async function hold() {
    const slow = await open();
    const calls = range(20).map(() => slow.watch(question(longArticles(`${name}-held`)), {}));
    // When this call is answered, all streams are under way.
    await slow.health({}, {timeoutMs}).answer;
    return {slow, calls};
  }

  for (const absent of without) delete cases[absent];
  return {cases, hold};
}

// Runs all cases, or those that the variable CASES names, and prints a line for each. Then holds streams until standard
// input ends, and exits.
export async function run({cases, hold}, channel) {
  let failed = false;
  const only = process.env.CASES?.split(',');
  for (const [name, test] of Object.entries(cases)) {
    if (only !== undefined && !only.includes(name)) continue;
    const began = performance.now();
    const took = () => `${((performance.now() - began) / 1000).toFixed(2)} s`;
    try {
      await test(channel);
      console.log(`passed ${name} in ${took()}`);
    } catch (error) {
      failed = true;
      console.log(`FAILED ${name} after ${took()}\n${error.stack}`);
    }
  }
  await hold();
  // The held streams end with errors that no code awaits.
  process.on('unhandledRejection', () => {});
  process.on('uncaughtException', () => {});
  console.log('holding');
  for await (const _ of process.stdin);
  process.exit(failed ? 1 : 0);
}
