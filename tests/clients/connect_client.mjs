// The cases of README.md with connect-node, which speaks gRPC over Node's own HTTP/2.
//
// Run by clients_test.py: connect_client.mjs ADDRESS
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {createFileRegistry, fromBinary} from '@bufbuild/protobuf';
import {FileDescriptorSetSchema} from '@bufbuild/protobuf/wkt';
import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {compressionGzip, createGrpcTransport, Http2SessionManager} from '@connectrpc/connect-node';

import {casesOf, run} from './cases.mjs';

const folder = (relative) => fileURLToPath(new URL(relative, import.meta.url));
function readContract() {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'viewcount-connect-'));
  try {
    const file = path.join(temporary, 'descriptors');
    execFileSync('protoc', ['-I', folder('../../proto'), '-I', folder('../support/proto'), '--include_imports',
      `--descriptor_set_out=${file}`, 'viewcount/v1/ingest.proto', 'viewcount/v1/query.proto',
      'google/rpc/error_details.proto', 'grpc_messages/health.proto', 'grpc_messages/reflection.proto']);
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(file)));
  } finally {
    fs.rmSync(temporary, {recursive: true});
  }
}
const registry = readContract();

// The library leaves a rejected promise if a stream is cancelled while it is not being read.
process.on('unhandledRejection', (error) => {
  if (!(error instanceof ConnectError && error.code === Code.Canceled)) throw error;
});

// Returns gRPC's name of a code.
const statusOf = (code) => Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
  .replace('CANCELED', 'CANCELLED');

function named(error) {
  return Object.assign(error, {status: statusOf(ConnectError.from(error).code)});
}

class Channel {
  #manager;
  #clients;
  #compressing;

  constructor(address) {
    const baseUrl = `http://${address}`;
    // By default, Node breaks the connection itself if it refuses to send headers because of their size.
    this.#manager = new Http2SessionManager(baseUrl, undefined, {maxSendHeaderBlockLength: 1 << 20});
    const options = {baseUrl, sessionManager: this.#manager};
    this.#clients = this.#makeClients(options);
    this.#compressing = this.#makeClients({...options, sendCompression: compressionGzip, compressMinBytes: 0});
  }

  #makeClients(options) {
    const transport = createGrpcTransport(options);
    const make = (name) => createClient(registry.getService(name), transport);
    return {ingest: make('viewcount.v1.IngestService'), query: make('viewcount.v1.QueryService'),
      health: make('grpc.health.v1.Health'), reflection: make('grpc.reflection.v1alpha.ServerReflection')};
  }

  #start(service, method, request, options) {
    const stop = new AbortController();
    const clients = options.gzip ? this.#compressing : this.#clients;
    const {timeoutMs, metadata} = options;
    const call = clients[service][method](request, {timeoutMs, headers: metadata, signal: stop.signal});
    return {call, cancel: () => stop.abort()};
  }

  #unary(...words) {
    const {call, cancel} = this.#start(...words);
    return {answer: call.catch((error) => {
      throw named(error);
    }), cancel};
  }

  #stream(...words) {
    const {call, cancel} = this.#start(...words);
    const messages = call[Symbol.asyncIterator]();
    return {next: async () => {
      try {
        return (await messages.next()).value;
      } catch (error) {
        throw named(error);
      }
    }, cancel};
  }

  record(request, options) { return this.#unary('ingest', 'recordViews', request, options); }
  counts(request, options) { return this.#unary('query', 'getCounts', request, options); }
  health(request, options) { return this.#unary('health', 'check', request, options); }
  watch(request, options) { return this.#stream('query', 'watchCounts', request, options); }
  stream(requests, options) { return this.#stream('ingest', 'streamViews', requests, options); }
  reflect(requests, options) { return this.#stream('reflection', 'serverReflectionInfo', requests, options); }

  details(error, name) {
    return error.findDetails(registry.getMessage(`google.rpc.${name}`))[0];
  }

  close() {
    this.#manager.abort();
  }
}

const address = process.argv[2];
// connect takes metadata in Fetch's Headers, and these remove leading and trailing blanks.
await run(casesOf('connect', () => new Channel(address), ['blanks']), new Channel(address));
