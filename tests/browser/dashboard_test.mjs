// Tests of the dashboard as analysts use it: its numbers, its choices, its appearance, and what it does with hostile
// titles.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {after, before, test} from 'node:test';

import {becomes, eventually} from './eventually.mjs';
import {Site} from './site.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hostile = '<script>document.title="broken"</script>=cmd()';
const views = {'/a': 1_234, '/b': 567, '/c': 89, '/hidden': 5_000};

let site;
before(async () => {
  site = await Site.open();
  await site.service.command('site', 'put', 'demo', '--time-zone', 'Asia/Ho_Chi_Minh');
  await site.service.command('announce', '/a', '--title', hostile, '--section', 'Thể thao', '--url', 'javascript:alert(1)');
  await site.service.command('announce', '/b', '--title', 'A quiet day', '--section', 'News', '--url', 'https://news.example/b',
                             '--published', '2026-01-01T00:00:00Z');
  await site.service.command('announce', '/hidden', '--hidden');
  const counted = Object.entries(views).map(([articleId, count]) => ({articleId, count}));
  await site.service.ask('views', {views: counted}, site.service.address('backend'));
});
after(() => site?.close());

// Opens the dashboard. `foreign` are its requests to other hosts.
async function open(query, options) {
  const window = await site.window(options);
  const base = `http://${site.service.address('admin')}/`;
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
  await window.locator('#list tbody tr').first().waitFor();
  return Object.assign(window, {foreign});
}

const rows = (window) => window.locator('#list tbody tr');
const texts = (window) => rows(window).evaluateAll((all) => all.map((row) => row.innerText.replace(/\s+/g, ' ').trim()));

async function screenshot(window, name) {
  if (!process.env.SCREENSHOTS) return;
  fs.mkdirSync(process.env.SCREENSHOTS, {recursive: true});
  await window.screenshot({path: path.join(process.env.SCREENSHOTS, `dashboard_${name}.png`), fullPage: true});
}

test('TheListAndTheTotalsAreThoseOfTheService', async () => {
  const window = await open('?lang=en');
  const list = await texts(window);
  assert.equal(list.length, 3);
  assert.equal(list[0], `1 – 1,234 ${hostile} /a · Thể thao`);
  assert.equal(list[1], '2 – 567 A quiet day ↗ /b · News');
  assert.match(await window.locator('#list-note').innerText(), /Exact\. As of/);
  await becomes('6,890', () => window.locator('#totals dd').first().innerText());
  assert.match(await window.locator('#chart figcaption').innerText(), /^6,890 views/);
  // Neither the title nor the address of the hostile article does anything.
  assert.equal(await window.locator('#list script').count(), 0);
  assert.equal(await window.locator('a[href^="javascript"]').count(), 0);
  assert.equal(await window.title(), 'demo – viewcount');
  // New views appear without a reload.
  await site.service.ask('views', {views: [{articleId: '/b', count: 1_000}]}, site.service.address('backend'));
  await becomes('1 – 1,567 A quiet day ↗ /b · News', async () => (await texts(window))[0]);
  assert.deepEqual([window.errors, window.foreign], [[], []]);
  await screenshot(window, 'desktop');
});

test('EveryChoiceIsInTheAddress', async () => {
  const window = await open('?lang=en');
  await window.getByRole('link', {name: 'Last 7 days'}).click();
  await becomes('true', async () => String(new URL(window.url()).searchParams.get('window') === '7d'));
  await window.getByLabel('Section').fill('News');
  await window.getByLabel('Section').press('Enter');
  await becomes(1, () => rows(window).count());
  assert.equal(new URL(window.url()).searchParams.get('section'), 'News');
  await window.getByRole('link', {name: 'A quiet day'}).click();
  await becomes('← Whole site /b', () => window.locator('h1').innerText());
  await window.goBack();
  await becomes('demo', () => window.locator('h1').innerText());
  // The article's page is reached by its address alone, and a point of the chart opens the list of its time.
  const article = await open('?lang=en&article=%2Fa');
  await becomes('1,234', () => article.locator('#totals dd').first().innerText());
  await article.getByText('As a table').click();
  await article.locator('#chart tbody a').last().click();
  await eventually('the list is that of the hour', () => new URL(article.url()).searchParams.get('window')?.includes('/'));
  assert.deepEqual([window.errors, article.errors], [[], []]);
});

test('TrendingRisingAndLatestArticlesAreListsOfTheirOwn', async () => {
  const window = await open('?lang=en&list=trending');
  const [first] = await texts(window);
  assert.match(first, /^1 1,[0-9]{3} 1,[0-9]{3} /);
  assert.match(await window.locator('#list-note').innerText(), /Exact\. As of .* Score: sum over hours/);
  assert.equal(await window.getByRole('link', {name: 'Last hour'}).count(), 0);
  await window.getByRole('link', {name: 'Right now'}).click();
  await becomes('Right now', () => window.locator('#list-title').innerText());
  await becomes(3, () => rows(window).count());
  await window.getByRole('link', {name: 'Rising'}).click();
  await becomes('Nothing is read more than usual.', () => window.locator('#list caption').innerText());
  assert.equal(new URL(window.url()).searchParams.get('list'), 'rising');
  await window.getByRole('link', {name: 'Latest'}).click();
  await becomes('A quiet day ↗', async () => (await texts(window))[0]?.match(/A quiet day ↗/)?.[0]);
  assert.deepEqual([window.errors, window.foreign], [[], []]);
  await screenshot(window, 'latest');
});

test('ItIsReadableByEverybody', async () => {
  for (const [name, query, options] of [
    ['vietnamese_dark', '?lang=vi&step=day', {colorScheme: 'dark'}],
    ['phone', '?lang=en', {viewport: {width: 390, height: 844}, isMobile: true}],
    ['rising_vietnamese', '?lang=vi&list=trending', {}],
    ['wall', '?lang=en&wall=1', {viewport: {width: 1920, height: 1080}}],
  ]) {
    const window = await open(query, options);
    await eventually('totals', async () => /\d/.test(await window.locator('#totals dd').first().innerText()));
    await eventually('a chart', async () => (await window.locator('#chart rect.now').count()) > 0);
    assert.ok((await window.evaluate('layoutShift')) < 0.02, `${name}: ${await window.evaluate('layoutShift')}`);
    const [content, width] = await window.evaluate('[document.documentElement.scrollWidth, innerWidth]');
    assert.ok(content <= width, `${name} is ${content} wide in ${width}`);
    const found = await window.evaluate(`${axe}; axe.run().then((result) => result.violations.map((v) => v.id + ': ' + v.nodes[0].html))`);
    assert.deepEqual(found, [], name);
    assert.deepEqual([window.errors, window.foreign], [[], []], name);
    await screenshot(window, name);
  }
});

test('AnErrorIsShownAndGoesAway', async () => {
  const window = await open('?lang=en&window=24h');
  await window.goto(`http://${site.service.address('admin')}/?lang=en&window=90m`);
  await becomes('window.last: must be a whole number of hours, at least 1', () => window.getByRole('alert').innerText());
  await window.getByRole('link', {name: 'Last hour'}).click();
  await eventually('no error', async () => !(await window.getByRole('alert').isVisible()));
  await becomes(3, () => rows(window).count());
});
