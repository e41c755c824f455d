// Tests with Node's own HTTP/2 that no gRPC library allows: calls whose deadline only the server knows, and arbitrary
// headers.
//
// Run by clients_test.py: http2_client.mjs ADDRESS
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import {fileURLToPath} from 'node:url';
import protoLoader from '@grpc/proto-loader';

import {run} from './cases.mjs';

const endMsMax = 5_000;
const deadlineExceeded = '4';
const definitions = protoLoader.loadSync(['viewcount/v1/ingest.proto', 'viewcount/v1/query.proto'],
  {includeDirs: [fileURLToPath(new URL('../../proto', import.meta.url))], longs: Number, defaults: true});
const ingest = definitions['viewcount.v1.IngestService'];
const query = definitions['viewcount.v1.QueryService'];

// Returns the message in gRPC's framing.
function framed(message) {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const batch = (articleId) => framed(ingest.RecordViews.requestSerialize({site: 'demo', views: [{articleId}]}));
const question = (articleId) => framed(query.GetCounts.requestSerialize({site: 'demo', articleIds: [articleId]}));

// Returns the outcome of a call: gRPC's status (null if there is none), the messages' bytes, and the stream's error
// code. With `end` false, the request is left open. The client has no deadline: only the server ends the call in time.
function call(session, method, headers, body, end = true) {
  return new Promise((resolve, reject) => {
    const stream = session.request({':method': 'POST', ':path': method.path, 'content-type': 'application/grpc',
      te: 'trailers', ...headers});
    const timer = setTimeout(() => {
      reject(new Error(`the server did not end ${method.path} within ${endMsMax} ms`));
      stream.close();
    }, endMsMax);
    let status = null;
    const see = (seen) => {
      status = seen['grpc-status'] ?? status;
    };
    const bytes = [];
    stream.on('response', see);
    stream.on('trailers', see);
    stream.on('data', (chunk) => bytes.push(chunk));
    // The status or the error code contains all information.
    stream.on('error', () => {});
    stream.on('close', () => {
      clearTimeout(timer);
      resolve({status, body: Buffer.concat(bytes), errorCode: stream.rstCode});
    });
    if (body !== undefined) stream.write(body);
    if (end) stream.end();
  });
}

async function views(session, articleId) {
  const {status, body} = await call(session, query.GetCounts, {}, question(articleId));
  assert.equal(status, '0');
  return query.GetCounts.responseDeserialize(body.subarray(5)).counts[0].views;
}

const cases = {
  async open_calls_end_at_their_deadline(session) {
    for (const method of [ingest.RecordViews, ingest.StreamViews, query.GetCounts]) {
      const {status} = await call(session, method, {'grpc-timeout': '200m'}, undefined, false);
      assert.equal(status, deadlineExceeded, method.path);
    }
  },

  // An answered batch does not extend the deadline of a stream.
  async used_streams_end_at_their_deadline(session) {
    const timeout = {'grpc-timeout': '300m'};
    const {status, body} = await call(session, ingest.StreamViews, timeout, batch('/http2/used'), false);
    assert.equal(status, deadlineExceeded);
    assert.ok(body.length > 5, 'the batch was answered');
    assert.equal(await views(session, '/http2/used'), 1);
  },

  async watches_end_at_their_deadline(session) {
    const calls = Array.from({length: 100}, (_, number) => call(session, query.WatchCounts,
      {'grpc-timeout': `${20 + number}m`}, question('/http2/watched')));
    const ends = (await Promise.all(calls)).map(({status, errorCode}) => `status ${status}, error ${errorCode}`);
    assert.deepEqual([...new Set(ends)], ['status 4, error 0']);
  },

  async expired_views_are_not_counted(session) {
    for (const method of [ingest.RecordViews, ingest.StreamViews]) {
      const {status} = await call(session, method, {'grpc-timeout': '1n'}, batch('/http2/expired'));
      assert.equal(status, deadlineExceeded, method.path);
    }
    assert.equal(await views(session, '/http2/expired'), 0);
  },

  async blanks_in_headers_are_taken(session) {
    const headers = {'user-agent': ' agent with blanks ', 'x-blanks': ' both ', 'x-blank': ' '};
    for (const method of [ingest.RecordViews, query.GetCounts]) {
      const body = method === query.GetCounts ? question('/http2/none') : batch('/http2/blanks');
      const {status, errorCode} = await call(session, method, headers, body);
      assert.equal(status, '0', `${method.path}: ${errorCode}`);
    }
  },

  async huge_headers_fail_their_call_only(session) {
    const other = call(session, query.WatchCounts, {'grpc-timeout': '2S'}, question('/http2/watched'));
    for (const size of [20_000, 70_000, 300_000]) {
      const {status, errorCode} = await call(session, query.GetCounts, {'x-huge': 'v'.repeat(size)},
        question('/http2/none'));
      assert.ok(status !== '0' && (status !== null || errorCode !== 0), `${size} bytes were taken`);
      assert.equal(await views(session, '/http2/none'), 0);
    }
    assert.equal((await other).status, deadlineExceeded, 'the other call of the connection');
  },

  // These headers arrive before the server's settings are acknowledged.
  async huge_headers_of_a_first_call_fail_it_only() {
    for (const size of [70_000, 100_000, 300_000]) {
      const fresh = connect();
      const {status} = await call(fresh, query.GetCounts, {'x-huge': 'v'.repeat(size)}, question('/http2/none'));
      assert.equal(status, '8', `RESOURCE_EXHAUSTED for ${size} bytes`);
      assert.equal(await views(fresh, '/http2/none'), 0);
      fresh.close();
    }
  },
};

function connect() {
  const session = http2.connect(`http://${process.argv[2]}`, {maxSendHeaderBlockLength: 1 << 20});
  session.on('error', (error) => console.log(`the connection: ${error.message}`));
  return session;
}
await run({cases, hold: () => {}}, connect());
