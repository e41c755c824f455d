// The cases of README.md with @grpc/grpc-js.
//
// Run by clients_test.py: grpc_js_client.mjs ADDRESS
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {casesOf, run} from './cases.mjs';

const folder = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const definitions = protoLoader.loadSync(
  ['viewcount/v1/ingest.proto', 'viewcount/v1/query.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto',
    'grpc_messages/health.proto', 'grpc_messages/reflection.proto'],
  {includeDirs: [folder('../../proto'), folder('../support/proto')], longs: Number, enums: String, defaults: true});
const api = grpc.loadPackageDefinition(definitions);

const statusNames = Object.fromEntries(Object.entries(grpc.status).map(([name, code]) => [code, name]));
const named = (error) => Object.assign(error, {status: statusNames[error.code]});

// The number that grpc-js uses for gzip.
const gzip = {'grpc.default_compression_algorithm': 2};

function metadataOf(options) {
  const metadata = new grpc.Metadata();
  for (const [key, value] of options.metadata ?? []) metadata.add(key, value);
  return metadata;
}

const callOptions = (options) => (options.timeoutMs ? {deadline: Date.now() + options.timeoutMs} : {});

// Reads a stream one message at a time. No message is read before the test requests it.
function readerOf(call) {
  let failure = null;
  let wake = () => {};
  call.on('error', (error) => {
    failure = named(error);
    wake();
  });
  call.on('readable', () => wake());
  call.on('end', () => wake());
  return {
    async next() {
      for (;;) {
        const message = call.read();
        if (message !== null) return message;
        if (failure !== null) throw failure;
        if (call.readableEnded) return undefined;
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    },
    cancel: () => call.cancel(),
  };
}

async function send(call, requests) {
  for await (const request of requests) {
    if (!call.write(request)) await once(call, 'drain');
  }
  call.end();
}

class Channel {
  #compressing = null;

  constructor(address, options = {}) {
    this.address = address;
    // Without the local pool, two channels would share one connection.
    const settings = {'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1, ...options};
    const open = (Client) => new Client(address, grpc.credentials.createInsecure(), settings);
    const first = open(api.viewcount.v1.QueryService);
    // All services use one connection.
    settings.channelOverride = first.getChannel();
    this.clients = {query: first, ingest: open(api.viewcount.v1.IngestService),
      health: open(api.grpc.health.v1.Health), reflection: open(api.grpc.reflection.v1alpha.ServerReflection)};
  }

  // Compression is a property of a channel, so compressed calls have a second one.
  #compressed() {
    this.#compressing ??= new Channel(this.address, gzip);
    return this.#compressing;
  }

  #unary(service, method, request, options) {
    const client = (options.gzip ? this.#compressed() : this).clients[service];
    let call;
    const answer = new Promise((resolve, reject) => {
      call = client[method](request, metadataOf(options), callOptions(options),
        (error, response) => (error ? reject(named(error)) : resolve(response)));
    });
    return {answer, cancel: () => call.cancel()};
  }

  record(request, options) { return this.#unary('ingest', 'RecordViews', request, options); }
  counts(request, options) { return this.#unary('query', 'GetCounts', request, options); }
  health(request, options) { return this.#unary('health', 'Check', request, options); }

  watch(request, options) {
    return readerOf(this.clients.query.WatchCounts(request, metadataOf(options), callOptions(options)));
  }
  stream(requests, options) {
    const call = this.clients.ingest.StreamViews(metadataOf(options), callOptions(options));
    send(call, requests);
    return readerOf(call);
  }
  reflect(requests, options) {
    const call = this.clients.reflection.ServerReflectionInfo(metadataOf(options), callOptions(options));
    send(call, requests);
    return readerOf(call);
  }

  details(error, name) {
    const [bytes] = error.metadata.get('grpc-status-details-bin');
    const status = definitions['google.rpc.Status'].deserialize(bytes);
    const detail = status.details.find((any) => any.type_url.endsWith(`google.rpc.${name}`));
    if (detail === undefined) return undefined;
    return definitions[`google.rpc.${name}`].deserialize(detail.value);
  }

  close() {
    this.clients.query.close();
  }
}

const address = process.argv[2];
await run(casesOf('grpc-js', () => new Channel(address)), new Channel(address));
