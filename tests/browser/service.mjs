// A viewcountd for one test, with its own data and its own Redis. The system chooses the ports. It corresponds to
// tests/support/service.py for Python.
import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import {promisify} from 'node:util';

import {eventually} from './eventually.mjs';

const readyMsMax = 30_000;
const stopMsMax = 10_000;
const run = promisify(execFile);

export class Service {
  #process = null;

  // The caller creates and removes the folders.
  constructor(dataDir, demoDir) {
    this.dataDir = dataDir;
    this.demoDir = demoDir;
    this.httpAddress = '127.0.0.1:0';
  }

  // Starts the service, and returns when it is ready. A second start uses the same HTTP address as the first one.
  async start() {
    const addresses = path.join(this.dataDir, 'addresses');
    fs.rmSync(addresses, {force: true});
    const log = fs.openSync(path.join(this.dataDir, 'log'), 'a');
    const flags = ['--data-dir', this.dataDir, '--redis', 'embedded', '--site', 'demo', '--demo-dir', this.demoDir];
    flags.push('--http-address', this.httpAddress);
    for (const name of ['grpc', 'backend', 'admin']) flags.push(`--${name}-address`, '127.0.0.1:0');
    this.#process = spawn(process.env.VIEWCOUNTD, flags, {stdio: ['ignore', log, log]});
    fs.closeSync(log);
    const isReady = () => {
      if (this.#process.exitCode !== null) {
        this.#process = null;
        throw new Error('viewcountd ended:\n' + this.log());
      }
      return fs.existsSync(addresses) && /^http=.*\n/m.test(fs.readFileSync(addresses, 'utf8'));
    };
    await eventually('viewcountd is ready', isReady, readyMsMax);
    this.httpAddress = this.address('http');
    this.url = 'http://' + this.httpAddress;
  }

  // Returns the address that the service listens on. `name` is grpc, http, backend or admin.
  address(name) {
    return fs.readFileSync(path.join(this.dataDir, 'addresses'), 'utf8').match(new RegExp(`^${name}=(.*)$`, 'm'))[1];
  }

  log() {
    return fs.readFileSync(path.join(this.dataDir, 'log'), 'utf8');
  }

  // Stops the service by SIGTERM. If that takes too long, sends SIGKILL and throws an error.
  async stop() {
    const ending = this.#process;
    if (ending === null) return;
    this.#process = null;
    const ended = once(ending, 'exit');
    ending.kill('SIGTERM');
    const timer = setTimeout(() => ending.kill('SIGKILL'), stopMsMax);
    const [code] = await ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`viewcountd ended with ${code}:\n` + this.log());
  }

  // Runs the viewcount command and returns its output.
  async command(...words) {
    const {stdout} = await run(process.env.VIEWCOUNT, ['--server', this.address('grpc'), '--site', 'demo', ...words]);
    return stdout;
  }

  // Sends a GET, or a POST if there is a body, to `route` of the site at `address`. Returns the parsed answer.
  async ask(route, body, address = this.httpAddress) {
    const options = body && {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}};
    const response = await fetch(`http://${address}/v1/sites/demo/${route}`, options);
    if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  // Returns an article's views.
  async views(article) {
    const answer = await this.ask('counts?article=' + encodeURIComponent(article));
    return Number(answer.counts[0].views ?? 0);
  }

  // Returns the value of a metric. `name` includes the labels as /metrics prints them.
  async metric(name) {
    const text = await (await fetch(`http://${this.address('admin')}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(name + ' '));
    return Number(line.slice(name.length));
  }

  // Reports a view as a backend does. At the public address the agent of Node.js would be a bot's.
  record(article) {
    return this.ask('views', {articleId: article}, this.address('backend'));
  }
}
