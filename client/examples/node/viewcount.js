// A client of viewcount over gRPC for Node.js. Copy this file and the folder proto/. The file example.js shows how to
// use it.
import {randomBytes} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const CALL_MS_MAX = 2_000;
// After one of these errors the outcome is unknown, or nothing was counted. The batch is sent again unchanged.
const RETRIED = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'ABORTED', 'CANCELLED', 'INTERNAL', 'UNKNOWN']
  .map((name) => grpc.status[name]);

// Counts are at most 2^53, so a JavaScript number represents them exactly.
const {viewcount} = grpc.loadPackageDefinition(
  protoLoader.loadSync(['viewcount/v1/ingest.proto', 'viewcount/v1/query.proto'],
    {includeDirs: [PROTO], longs: Number, enums: String, keepCase: true, defaults: true}));

// A process needs only one client, which connects and reconnects by itself.
const connect = (service, address) => new viewcount.v1[service](address, grpc.credentials.createInsecure());

const call = (client, method, request) => new Promise((resolve, reject) => {
  client[method](request, {deadline: Date.now() + CALL_MS_MAX},
    (error, answer) => (error ? reject(error) : resolve(answer)));
});

// Sends batches of views, each of which counts once, however often it has to be sent. Send one batch after the other:
// the service identifies a batch by the writer's ID and the batch's number. Views that a process had not sent when it
// ended are lost. A new process is a new writer. The service forgets a writer after a day of silence and then refuses
// it with FAILED_PRECONDITION: continue with a new writer.
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

  // Counts views: a Map from article ID to number, with at most 10,000 articles. After `patienceMs` it throws the last
  // error and keeps the batch. Call resend() then before you send anything else.
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

  // Sends the unacknowledged batch again, with identical content, and returns the service's answer.
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

// Reads counts.
export class Reader {
  #client;
  #site;

  constructor(address, site) {
    this.#client = connect('QueryService', address);
    this.#site = site;
  }

  // Returns the views by article ID as a Map. Takes at most 1,000 articles.
  async counts(articles) {
    const {counts} = await call(this.#client, 'GetCounts', {site: this.#site, article_ids: articles});
    return new Map(counts.map(({article_id, views}) => [article_id, views]));
  }

  // Returns the `size` most viewed articles of all time, with the most viewed first.
  async popular(size) {
    const request = {site: this.#site, window: {all_time: true}, page_size: size};
    const {articles} = await call(this.#client, 'ListPopular', request);
    return articles.map(({article_id, views}) => ({article: article_id, views}));
  }

  close() {
    this.#client.close();
  }
}
