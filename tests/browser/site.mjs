// The common basis of all browser tests. It has the demonstration portal, built as users build it and served by a real
// viewcountd. It also has a real Chromium that does not reveal that a program controls it, since such views are not
// counted.
import {execFile, execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

import {chromium} from 'playwright-core';

import {Service} from './service.mjs';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));
const portal = path.resolve(here, '../../client/examples/portal');

export const chromiumPath = '/usr/bin/chromium';
export const siteStart = 37_456_821;

// The start values that quickstart sets, by article.
export const startViews = new Map(
  fs
    .readFileSync(path.join(portal, 'start_views.txt'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('/'))
    .map((line) => line.split(' '))
    .map(([article, views]) => [article, Number(views)]),
);

// The User-Agent of a normal browser. A headless browser names itself so, and its views would count as a bot's.
const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

// Flags that hide that a program controls the browser.
export const asPeopleHaveIt = ['--disable-blink-features=AutomationControlled', `--user-agent=${agent}`];

// Launches a browser like that of a visitor. It has the real back-forward cache, which is off by default. All hosts of
// .example are this machine.
export function launch() {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [...asPeopleHaveIt, '--host-resolver-rules=MAP *.example 127.0.0.1'],
    ignoreDefaultArgs: ['--enable-automation', '--disable-back-forward-cache'],
  });
}

export class Site {
  // Opens a site with the portal at /demo/ and the pages of this folder at /demo/test/. The caller must always close
  // it.
  static async open() {
    const site = new Site();
    site.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'viewcount-browser-'));
    try {
      site.demoDir = path.join(site.folder, 'portal');
      execFileSync(path.join(portal, 'build.sh'), [site.demoDir]);
      fs.cpSync(path.join(here, 'pages'), path.join(site.demoDir, 'test'), {recursive: true});
      const dataDir = path.join(site.folder, 'data');
      fs.mkdirSync(dataDir);
      site.service = new Service(dataDir, site.demoDir);
      await site.service.start();
      site.browser = await launch();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  async close() {
    try {
      await this.browser?.close();
      await this.service?.stop();
    } finally {
      fs.rmSync(this.folder, {recursive: true, force: true});
    }
  }

  // Announces the portal's articles in the same way as quickstart. Without it, articles have no newer and earlier ones.
  async announce() {
    const flags = ['--server', this.service.address('grpc'), '--site', 'demo'];
    await run(path.join(portal, 'announce.sh'), [process.env.VIEWCOUNT, ...flags]);
  }

  // Announces the articles and sets the start values in the same way as quickstart.
  async setStartViews() {
    await this.announce();
    await this.service.command('site', 'put', 'demo', '--time-zone', 'Asia/Ho_Chi_Minh');
    const set = (...words) => this.service.command('set', ...words, '--why', 'test');
    await Promise.all([...startViews].map(([article, views]) => set(article, String(views))));
    await set('--site-total', String(siteStart));
  }

  // Returns the address of a page below /demo/.
  url(page) {
    return `${this.service.url}/demo/${page}`;
  }

  // Opens a window with a separate context, like that of another visitor. `reports` are the views that it sends.
  // `errors` are the errors that a developer would see.
  async window(options) {
    const context = await this.browser.newContext({locale: 'en-US', ...options});
    const page = await context.newPage();
    const reports = [];
    const errors = [];
    context.on('request', (request) => {
      if (/\/(views|numbers|pixel\.gif|dot\.gif)(\?|$)/.test(request.url())) reports.push(request);
    });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    return Object.assign(page, {reports, errors});
  }
}

// Returns the text of the page's own span when count.js has shown a number there. By then it has reported the view, if
// it reports one.
export async function shown(page) {
  const span = page.locator('[data-viewcount=""]').first();
  await page.waitForFunction((element) => /\d/.test(element.textContent), await span.elementHandle());
  return span.textContent();
}
