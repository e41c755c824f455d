// A web server of a portal whose pages embed the service of another origin. It can forward a folder to the service, as
// a portal's own proxy does.
import {once} from 'node:events';
import http from 'node:http';

export class PortalServer {
  #pages = new Map();
  #server = http.createServer((request, response) => this.#answer(request, response));
  #requests = new Set();

  // `service` is the address that `folder` is forwarded to.
  constructor(service, folder) {
    this.service = service;
    this.folder = folder;
    // A proxy that buffers answers until they end forwards no events.
    this.isBuffering = false;
    // The origins that the views named which were forwarded.
    this.viewOrigins = [];
  }

  // Listens on a port that the system chooses.
  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const {port} = this.#server.address();
    this.url = `http://portal.example:${port}`;
  }

  // Closes all connections.
  async stop() {
    for (const request of this.#requests) request.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  // Serves `html` under `path` from now on, and returns its address.
  add(path, html, headers = {}) {
    this.#pages.set(new URL(path, this.url).pathname, {html, headers});
    return this.url + path;
  }

  #answer(request, response) {
    const {pathname} = new URL(request.url, this.url);
    const page = this.#pages.get(pathname);
    if (page) {
      response.writeHead(200, {'Content-Type': 'text/html; charset=utf-8', ...page.headers});
      const head = '<meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">';
      response.end(`<!doctype html><html lang="en">${head}${page.html}</html>`);
    } else if (pathname.startsWith(this.folder)) {
      this.#forward(request, response);
    } else {
      response.writeHead(404).end();
    }
  }

  #forward(request, response) {
    const path = request.url.slice(this.folder.length - 1);
    if (request.method === 'POST') this.viewOrigins.push(request.headers.origin);
    const headers = {...request.headers, host: this.service, 'x-forwarded-for': '192.0.2.1'};
    const [host, port] = this.service.split(':');
    const forwarded = http.request({host, port, path, method: request.method, headers}, (answer) => {
      const isEvents = answer.headers['content-type'] === 'text/event-stream';
      if (isEvents && this.isBuffering) return;
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    forwarded.on('close', () => this.#requests.delete(forwarded));
    response.on('close', () => forwarded.destroy());
    this.#requests.add(forwarded);
    request.pipe(forwarded);
  }
}
