// viewcount over gRPC for Node.js. Copy this file and the folder proto/; example.js shows its use.
import {randomBytes} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const CALL_MS_MAX = 2_000;
// After these the outcome is unknown, or nothing was counted: send the same batch again.
const RETRIED = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'CANCELLED', 'INTERNAL', 'UNKNOWN']
  .map((name) => grpc.status[name]);

// Counts go up to 2^53, so they are exact as numbers.
const {viewcount} = grpc.loadPackageDefinition(
  protoLoader.loadSync(['viewcount/v1/ingest.proto', 'viewcount/v1/query.proto'],
    {includeDirs: [PROTO], longs: Number, enums: String, keepCase: true, defaults: true}));

// One client for all of a process: it connects, and connects again, by itself.
const connect = (service, address) => new viewcount.v1[service](address, grpc.credentials.createInsecure());

const call = (client, method, request) => new Promise((resolve, reject) => {
  client[method](request, {deadline: Date.now() + CALL_MS_MAX},
    (error, answer) => (error ? reject(error) : resolve(answer)));
});

// Sends batches of views, each of which counts once, however often it has to be sent. One batch after the other: the
// service knows a batch by the writer's ID and the batch's number. What a process had not sent when it ended is lost with
// it; a new process is a new writer. After a day of silence the service forgets a writer, and refuses it with
// FAILED_PRECONDITION: go on with a new one.
export class Writer {
  #client;
  #site;
  #writerId = randomBytes(16);
  #sequence = 0;
  #unacknowledged = null;

  constructor(address, site) {
    this.#client = connect('IngestService', address);
    this.#site = site;
  }

  // Counts views: a Map from article ID to number, at most 10,000 articles. When `patienceMs` have passed it throws what
  // went wrong last, and keeps the batch: call resend() before you send anything else.
  async send(counts, patienceMs = 60_000) {
    if (this.#unacknowledged !== null) throw new Error('resend() first: numbers have no gaps');
    this.#sequence += 1;
    this.#unacknowledged = {
      site: this.#site,
      writer_id: this.#writerId,
      sequence: this.#sequence,
      views: [...counts].map(([article_id, count]) => ({article_id, count})),
    };
    return this.resend(patienceMs);
  }

  // Sends what was not acknowledged once more, the same to the last bit; returns the service's answer.
  async resend(patienceMs = 60_000) {
    const deadline = Date.now() + patienceMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 2_000)) {
      try {
        const answer = await call(this.#client, 'RecordViews', this.#unacknowledged);
        this.#unacknowledged = null;
        return answer;
      } catch (error) {
        if (!RETRIED.includes(error.code) || Date.now() + pauseMs > deadline) throw error;
      }
      await pause(pauseMs);
    }
  }

  close() {
    this.#client.close();
  }
}

// Asks for counts.
export class Reader {
  #client;
  #site;

  constructor(address, site) {
    this.#client = connect('QueryService', address);
    this.#site = site;
  }

  // Views by article ID, as a Map; at most 1,000 articles.
  async counts(articles) {
    const {counts} = await call(this.#client, 'GetCounts', {site: this.#site, article_ids: articles});
    return new Map(counts.map(({article_id, views}) => [article_id, views]));
  }

  // The `size` most viewed articles of all time, in order.
  async popular(size) {
    const request = {site: this.#site, window: {all_time: true}, page_size: size};
    const {articles} = await call(this.#client, 'ListPopular', request);
    return articles.map(({article_id, views}) => ({article: article_id, views}));
  }

  close() {
    this.#client.close();
  }
}
