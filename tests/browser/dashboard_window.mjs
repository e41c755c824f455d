// Opens dashboards and embedded pages, and checks what holds for each of them: nothing moves, every
// reader can use it, and nothing comes from elsewhere.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Opens a page below `base`, and waits for `selector`. `foreign` are its requests to other hosts.
export async function openPage(site, base, query, {selector = '#list tbody tr', ...options} = {}) {
  const window = await site.window(options);
  const foreign = [];
  window.on('request', (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith('data:')) foreign.push(request.url());
  });
  await window.addInitScript(() => {
    globalThis.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.layoutShift += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
  });
  await window.goto(base + query);
  await window.locator(selector).first().waitFor();
  return Object.assign(window, {foreign});
}

// Closes all windows, and with them their connections.
export const closeWindows = (site) => Promise.all(site.browser.contexts().map((context) => context.close()));

export const adminBase = (site) => `http://${site.service.address('admin')}/`;
export const publicBase = (site, name = 'demo') => `${site.service.url}/v1/sites/${name}/`;

// Returns the rows of a table as text, without what only screen readers read.
export const rowTexts = (window, selector = '#list tbody tr') =>
  window.locator(selector).evaluateAll((all) =>
    all.map((row) => {
      const copy = row.cloneNode(true);
      for (const spoken of copy.querySelectorAll('.spoken')) spoken.remove();
      return [...copy.children].map((cell) => cell.textContent).join(' ').replace(/\s+/g, ' ').trim();
    }),
  );

// Checks that the page moves nothing, fits its window, is accessible, and has neither errors nor foreign requests.
export async function assertSound(window, name) {
  const shift = await window.evaluate('layoutShift');
  assert.ok(shift < 0.02, `${name}: layout shift ${shift}`);
  const [content, width] = await window.evaluate('[document.documentElement.scrollWidth, innerWidth]');
  assert.ok(content <= width, `${name} is ${content} wide in ${width}`);
  const found = await window.evaluate(
    `${axe}; axe.run().then((result) => result.violations.map((v) => v.id + ': ' + v.nodes[0].html))`);
  assert.deepEqual(found, [], name);
  assert.deepEqual([window.errors, window.foreign], [[], []], name);
  await screenshot(window, name);
}

export async function screenshot(window, name) {
  if (!process.env.SCREENSHOTS) return;
  fs.mkdirSync(process.env.SCREENSHOTS, {recursive: true});
  await window.screenshot({path: path.join(process.env.SCREENSHOTS, `dashboard_${name}.png`), fullPage: true});
}
