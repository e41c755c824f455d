// Tests of the dashboard as analysts use it: its numbers, its choices, its appearance, and what it does with hostile
// titles.
import assert from 'node:assert/strict';
import {after, afterEach, before, test} from 'node:test';

import {adminBase, assertSound, closeWindows, openPage, rowTexts, screenshot} from './dashboard_window.mjs';
import {becomes, eventually} from './eventually.mjs';
import {Site} from './site.mjs';

const hostile = '<script>document.title="broken"</script>=cmd()';
const views = {'/a': 1_234, '/b': 567, '/c': 89, '/hidden': 5_000};
// The time until the numbers are there, on a busy machine.
const firstNumbersMsMax = 1_500;

let site;
before(async () => {
  site = await Site.open();
  await site.service.command('site', 'put', 'demo', '--time-zone', 'Asia/Ho_Chi_Minh');
  await site.service.command('announce', '/a', '--title', hostile, '--section', 'Thể thao', '--url', 'javascript:alert(1)');
  await site.service.command('announce', '/b', '--title', 'A quiet day', '--section', 'News', '--url', 'https://news.example/b',
                             '--published', '2026-01-01T00:00:00Z', '--author', 'An Nguyễn', '--tag', 'calm');
  await site.service.command('announce', '/hidden', '--hidden');
  const counted = Object.entries(views).map(([articleId, count]) => ({articleId, count}));
  // The day before, /c led.
  const before = String(Date.now() - 23 * 3600e3);
  counted.push({articleId: '/c', count: 40, eventTimeUnixMs: before}, {articleId: '/b', count: 30, eventTimeUnixMs: before});
  await site.service.ask('views', {views: counted}, site.service.address('backend'));
});
after(() => site?.close());
// Each page keeps connections open, of which the admin address takes few.
afterEach(() => closeWindows(site));

const open = (query, options) => openPage(site, adminBase(site), query, options);
const rows = (window) => window.locator('#list tbody tr');

test('TheListAndTheTotalsAreThoseOfTheService', async () => {
  const window = await open('?lang=en');
  const list = await rowTexts(window);
  assert.equal(list.length, 3);
  assert.equal(list[0], `1 – 1,234 ${hostile}/a · Thể thao`);
  assert.equal(list[1], '2 – 597 A quiet day ↗/b · News');
  assert.match(await window.locator('#list-note').innerText(), /Exact\. As of/);
  await becomes('6,960', () => window.locator('#totals dd').first().innerText());
  assert.match(await window.locator('#chart figcaption').innerText(), /^6,960 views/);
  // Neither the title nor the address of the hostile article does anything.
  assert.equal(await window.locator('#list script').count(), 0);
  assert.equal(await window.locator('a[href^="javascript"]').count(), 0);
  assert.equal(await window.title(), 'demo – viewcount');
  // New views appear without a reload.
  await site.service.ask('views', {views: [{articleId: '/b', count: 1_000}]}, site.service.address('backend'));
  await becomes('1 – 1,597 A quiet day ↗/b · News', async () => (await rowTexts(window))[0]);
  await screenshot(window, 'desktop');
  assert.deepEqual([window.errors, window.foreign], [[], []]);
  const [{startTime}] = await window.evaluate('performance.getEntriesByName("viewcount-shown").map((mark) => mark.toJSON())');
  console.log(`the first numbers are there after ${Math.round(startTime)} ms`);
  assert.ok(startTime < firstNumbersMsMax, `${startTime} ms`);
});

test('SparklinesAndChangesOfRankHaveTheirTexts', async () => {
  const window = await open('?lang=en&window=1h');
  await eventually('sparklines', async () => (await window.locator('#list .spark polyline').count()) === 3);
  const spoken = await window.locator('#list .trend .spoken').allTextContents();
  assert.equal(spoken.length, 3);
  assert.match(spoken[0], /^in 24 hours at most 1,\d{3} an hour, now 1,\d{3}$/);
  assert.equal(await window.locator('#list svg.spark:not([aria-hidden=true])').count(), 0);
  // Each article was asked for once, and not again while its line is new.
  const asked = [];
  window.on('request', (request) => request.url().includes('/series?') && asked.push(new URL(request.url()).searchParams.get('article')));
  await window.waitForResponse((response) => response.url().includes('/popular?'), {timeout: 10_000});
  await window.waitForResponse((response) => response.url().includes('/popular?'), {timeout: 10_000});
  assert.deepEqual(asked.filter(Boolean), []);
  // The hour before has no views, so no article has a rank there; 23 hours ago /c led.
  const days = await open(`?lang=en&window=${encodeURIComponent(yesterdayRange())}`);
  await becomes('1', () => days.locator('#list tbody td').first().innerText());
  assert.deepEqual([window.errors, window.foreign], [[], []]);
});

// The hour in which /c led, as the dashboard names a range.
function yesterdayRange() {
  const hour = Math.floor((Date.now() - 23 * 3600e3) / 3600e3) * 3600e3;
  return `${new Date(hour).toISOString()}/${new Date(hour + 3600e3).toISOString()}`;
}

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
  const article = await open('?lang=en&article=%2Fa', {selector: '#days tbody tr'});
  await becomes('1,234', () => article.locator('#totals dd').first().innerText());
  await article.getByText('As a table').click();
  await article.locator('#chart tbody a').last().click();
  await eventually('the list is that of the hour', () => new URL(article.url()).searchParams.get('window')?.includes('/'));
  await becomes(true, async () => (await rows(article).count()) > 0);
  assert.deepEqual([window.errors, article.errors], [[], []]);
});

test('AnArticleHasItsLabelsDaysAndRanks', async () => {
  const window = await open('?lang=en&article=%2Fb', {selector: '#days tbody tr'});
  await becomes('A quiet day ↗', () => window.locator('#about-title').innerText());
  const labels = (await window.locator('#about dd').allInnerTexts()).map((label) => label.replace(/\s/g, ' '));
  assert.match(labels[0], /^1\/1\/26, 7:00 AM$/);
  assert.deepEqual(labels.slice(1), ['News', 'An Nguyễn', 'calm', '–']);
  const days = await rowTexts(window, '#days tbody tr');
  assert.equal(days.length, 30);
  assert.match(days[0], / 1,5[69]7 1$/);
  assert.match(days[13], / 0 no views$/);
  assert.match(days[14], / 0$/);
  // A label restricts the lists.
  await window.getByRole('link', {name: 'An Nguyễn'}).click();
  await becomes(1, () => rows(window).count());
  assert.equal(new URL(window.url()).searchParams.get('author'), 'An Nguyễn');
  assert.equal(await window.locator('#lists').getByRole('link', {name: 'Latest'}).count(), 0);
  assert.deepEqual([window.errors, window.foreign], [[], []]);
});

test('SectionsAndAuthorsHaveListsOfTheirOwn', async () => {
  const window = await open('?lang=en&page=sections', {selector: '#page-content tbody tr'});
  assert.deepEqual(await window.locator('#page-content h3').allInnerTexts(), ['News', 'Thể thao']);
  assert.match((await rowTexts(window, '#page-content tbody tr'))[0], /^1 1,597 A quiet day ↗\/b · News$/);
  await assertSound(window, 'sections');
  await window.locator('#pages').getByRole('link', {name: 'Authors'}).click();
  await becomes('An Nguyễn', () => window.locator('#page-content h3').first().innerText());
  await window.locator('#page-content').getByRole('link', {name: 'An Nguyễn'}).click();
  await becomes(1, () => rows(window).count());
  assert.deepEqual(window.errors, []);
});

test('TrendingRisingAndLatestArticlesAreListsOfTheirOwn', async () => {
  const window = await open('?lang=en&list=trending');
  const [first] = await rowTexts(window);
  assert.match(first, /^1 1,[0-9]{3}(\.\d)? 1,[0-9]{3} /);
  assert.match(await window.locator('#list-note').innerText(), /Exact\. As of .* Score: sum over hours/);
  assert.equal(await window.getByRole('link', {name: 'Last hour'}).count(), 0);
  await window.getByRole('link', {name: 'Right now'}).click();
  await becomes('Right now', () => window.locator('#list-title').innerText());
  await becomes(3, () => rows(window).count());
  await window.getByRole('link', {name: 'Rising'}).click();
  await becomes('Rising', () => window.locator('#list-title').innerText());
  assert.equal(new URL(window.url()).searchParams.get('list'), 'rising');
  await window.getByRole('link', {name: 'Latest'}).click();
  await becomes('A quiet day ↗', async () => (await rowTexts(window))[0]?.match(/A quiet day ↗/)?.[0]);
  assert.deepEqual([window.errors, window.foreign], [[], []]);
  await screenshot(window, 'latest');
});

test('ItIsReadableByEverybody', async () => {
  for (const [name, query, options] of [
    ['vietnamese_dark', '?lang=vi&step=day', {colorScheme: 'dark'}],
    ['phone', '?lang=en', {viewport: {width: 390, height: 844}, isMobile: true}],
    ['rising_vietnamese', '?lang=vi&list=trending', {}],
    ['wall', '?lang=en&wall=1', {viewport: {width: 1920, height: 1080}}],
    ['article_phone_vietnamese', '?lang=vi&article=%2Fb', {viewport: {width: 390, height: 844}, isMobile: true, selector: '#days tbody tr'}],
    ['article_dark', '?lang=en&article=%2Fa&step=day', {colorScheme: 'dark', selector: '#days tbody tr'}],
  ]) {
    const window = await open(query, options);
    await eventually('totals', async () => /\d/.test(await window.locator('#totals dd').first().innerText()));
    await eventually('a chart', async () => (await window.locator('#chart rect.now').count()) > 0);
    await assertSound(window, name);
    if (name !== 'phone') continue;
    await window.emulateMedia({media: 'print'});
    await screenshot(window, 'print');
  }
});

test('AnErrorIsShownAndGoesAway', async () => {
  const window = await open('?lang=en&window=24h');
  await window.goto(`${adminBase(site)}?lang=en&window=90m`);
  await becomes('window.last: must be a whole number of hours, at least 1', () => window.getByRole('alert').innerText());
  await window.getByRole('link', {name: 'Last hour'}).click();
  await eventually('no error', async () => !(await window.getByRole('alert').isVisible()));
  await becomes(3, () => rows(window).count());
});
