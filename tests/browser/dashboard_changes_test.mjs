// Tests of the changes that people make on the dashboard: counts with undo, and notes; and that no page of others can make
// them.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, afterEach, before, test} from 'node:test';

import {adminBase, assertSound, closeWindows, openPage, rowTexts} from './dashboard_window.mjs';
import {becomes, eventually} from './eventually.mjs';
import {Site} from './site.mjs';

let site;
before(async () => {
  site = await Site.open();
  await site.service.command('site', 'put', 'demo', '--time-zone', 'Asia/Ho_Chi_Minh');
  const views = [['/a', 100], ['/b', 20], ['/c', 3]].map(([articleId, count]) => ({articleId, count}));
  await site.service.ask('views', {views}, site.service.address('backend'));
});
after(() => site?.close());
afterEach(() => closeWindows(site));

const openArticle = (article) =>
  openPage(site, adminBase(site), `?lang=en&article=${encodeURIComponent(article)}`, {selector: '#change-buttons button'});

// Fills the dialog, and carries the change out after its result was shown.
async function carryOut(window, values, result) {
  const dialog = window.getByRole('dialog');
  for (const [label, value] of Object.entries(values)) await dialog.getByLabel(label).fill(value);
  await dialog.getByRole('button', {name: 'Show the result'}).click();
  await becomes(result, () => dialog.locator('.result').innerText());
  await dialog.getByRole('button', {name: 'Change', exact: true}).click();
  await dialog.getByText('Done.').waitFor();
}

test('AChangeShowsItsResultFirstAndCanBeUndone', async () => {
  const window = await openArticle('/a');
  await window.getByRole('button', {name: 'Set the views'}).click();
  const dialog = window.getByRole('dialog');
  // A name and a reason are required, and a number is a number.
  await dialog.getByLabel('New number of views').fill('5e3');
  await dialog.getByRole('button', {name: 'Show the result'}).click();
  assert.equal(await dialog.locator('.result').innerText(), '');
  await dialog.getByLabel('Your name').fill('Lan');
  await dialog.getByLabel('Reason').fill('the old counter');
  await dialog.getByRole('button', {name: 'Show the result'}).click();
  await becomes('New number of views: must be a whole number', () => dialog.getByRole('alert').innerText());
  await carryOut(window, {'New number of views': '5000'},
    'Now: /a has 100 views.\n\nAfterwards: /a has 5,000 views.\n\nViews that come meanwhile are added.');
  await becomes('5,000', () => window.locator('#totals dd').first().innerText());
  assert.equal(await site.service.views('/a'), 5_000);
  await assertSound(window, 'change_done');
  await dialog.getByRole('button', {name: 'Undo'}).click();
  await dialog.getByRole('button', {name: 'Show the result'}).click();
  await dialog.getByRole('button', {name: 'Change', exact: true}).click();
  await becomes('100', () => window.locator('#totals dd').first().innerText());
  await dialog.getByRole('button', {name: 'Close'}).click();
  // The list of changes names the author and the reason, and offers undo.
  await window.goto(`${adminBase(site)}?lang=en&page=changes`);
  await eventually('two changes', async () => (await rowTexts(window, '#page-content tbody tr')).length === 2);
  const [undo, set] = await rowTexts(window, '#page-content tbody tr');
  assert.match(undo, /dashboard: Lan .*Undo: Set the views … \/a Undo$/);
  assert.match(set, /dashboard: Lan set the views of "\/a" from 100 to 5000 the old counter undone$/);
  await assertSound(window, 'changes');
});

test('ArticlesAreMergedAndDeleted', async () => {
  const window = await openArticle('/c');
  await window.getByRole('button', {name: 'Count for another'}).click();
  await carryOut(window, {'ID of the other article': '/b', 'Your name': 'Lan', Reason: 'moved'},
    'Now: /c has 3 views.\n\nNow: /b has 20 views.\n\nAfterwards: /c is counted for /b, which has 23 views.\n\n' +
    'Views that come meanwhile are added.');
  assert.equal(await site.service.views('/b'), 23);
  const other = await openArticle('/b');
  await other.getByRole('button', {name: 'Delete the views'}).click();
  await carryOut(other, {'Your name': 'Lan', Reason: 'a test page'},
    'Now: /b has 23 views.\n\nAfterwards: /b has no views, in all hours and days. Later views count.');
  assert.equal(await site.service.views('/b'), 0);
  assert.deepEqual([window.errors, other.errors], [[], []]);
});

test('NotesAreMarkersInTheChart', async () => {
  const hostile = '<img src=x onerror=alert(1)> The new home page';
  const window = await openPage(site, adminBase(site), '?lang=en&page=changes', {selector: '#page-content button'});
  await window.getByRole('button', {name: 'Add a note'}).click();
  const dialog = window.getByRole('dialog');
  await dialog.getByLabel('Your name').fill('Lan');
  await dialog.getByLabel('Note', {exact: true}).fill(hostile);
  await dialog.getByRole('button', {name: 'Show the result'}).click();
  await eventually('a result', async () => (await dialog.locator('.result').innerText()).endsWith(`${hostile} (whole site)`));
  await dialog.getByRole('button', {name: 'Change', exact: true}).click();
  await dialog.getByRole('button', {name: 'Close'}).click();
  const chart = await openPage(site, adminBase(site), '?lang=en');
  await becomes(`⚑ ${hostile}`, () => chart.locator('#notes li').innerText());
  assert.equal(await chart.locator('#chart line.note').count(), 1);
  await chart.getByText('As a table').click();
  assert.match((await rowTexts(chart, '#chart tbody tr')).at(-1), /The new home page \(dashboard: Lan\)$/);
  assert.equal(await chart.locator('#chart img').count(), 0);
  await assertSound(chart, 'note');
  // A note of the command line about one article is on the page of that article only.
  const printed = await site.service.command('annotation', 'put', 'On the front page', '--article', '/a');
  assert.match(printed, /^noted at .*annotation delete [0-9a-f]{32}\n$/);
  const article = await openPage(site, adminBase(site), '?lang=en&article=%2Fa', {selector: '#days tbody tr'});
  await becomes(`⚑ ${hostile} · On the front page`, () => article.locator('#notes li').innerText());
  await chart.reload();
  await becomes(`⚑ ${hostile}`, () => chart.locator('#notes li').innerText());
  // It is deleted here.
  await window.reload();
  await eventually('two notes', async () => (await window.getByRole('button', {name: 'Delete'}).count()) === 2);
  await window.getByRole('button', {name: 'Delete'}).last().click();
  await dialog.getByRole('button', {name: 'Show the result'}).click();
  await dialog.getByRole('button', {name: 'Change', exact: true}).click();
  await dialog.getByText('Done.').waitFor();
  await becomes(1, async () => (await site.service.command('annotation', 'list')).trim().split('\n').length - 1);
  assert.deepEqual([window.errors, chart.errors, article.errors], [[], [], []]);
});

// Sends a request with any header fields, and returns its status and its text.
function send(path, {method = 'POST', headers = {}, body = '{}'} = {}) {
  const [host, port] = site.service.address('admin').split(':');
  return new Promise((resolve, reject) => {
    const request = http.request({host, port, path, method, headers}, async (response) => {
      let text = '';
      for await (const piece of response) text += piece;
      resolve([response.statusCode, text]);
    });
    request.on('error', reject);
    request.end(method === 'GET' ? undefined : body);
  });
}

test('OnlyTheDashboardsOwnPagesChangeSomething', async () => {
  const path = '/v1/sites/demo/counts:set';
  const body = JSON.stringify({articleId: '/a', views: 1, provenance: {who: 'x', why: 'y'}});
  const own = {'Content-Type': 'application/json', 'X-Viewcount-Change': '1', 'Sec-Fetch-Site': 'same-origin'};
  const without = (name) => Object.fromEntries(Object.entries(own).filter(([key]) => key !== name));
  const refused = [
    without('Content-Type'), without('X-Viewcount-Change'), without('Sec-Fetch-Site'),
    {...own, 'Content-Type': 'text/plain'}, {...own, 'Sec-Fetch-Site': 'cross-site'}, {...own, 'Sec-Fetch-Site': 'same-site'},
    {...own, 'Sec-Fetch-Site': 'none'}, {...own, Host: 'evil.example'}, {...own, Host: 'evil.example:9464'},
    {...without('Sec-Fetch-Site'), Origin: 'http://evil.example'}, {...without('Sec-Fetch-Site'), Origin: 'null'},
  ];
  for (const headers of refused) assert.equal((await send(path, {headers, body}))[0], 403, JSON.stringify(headers));
  assert.equal((await send(path, {headers: own, body: '{}'}))[0], 400);
  const anonymous = JSON.stringify({articleId: '/a', views: 1, provenance: {who: 'x', why: ' '}});
  assert.match((await send(path, {headers: own, body: anonymous}))[1], /provenance\.why: must be the reason/);
  assert.equal((await send('/v1/sites/demo/annotations:put', {headers: own}))[0], 400);
  // A foreign name that was pointed at this address gets no numbers either.
  for (const question of ['/v1/sites', '/v1/sites/demo/stats', '/v1/sites/demo/adjustments']) {
    assert.equal((await send(question, {method: 'GET', headers: {Host: 'evil.example'}}))[0], 403, question);
    assert.equal((await send(question, {method: 'GET', headers: {Host: 'localhost:1'}}))[0], 200, question);
    assert.equal((await send(question, {method: 'GET', headers: {Host: '[::1]:1'}}))[0], 200, question);
  }
  assert.equal(await site.service.views('/a'), 100);
  // A web server before the dashboard names its clients.
  const series = '/v1/sites/demo/series?step=hour&window.last=24h';
  for (const client of ['203.0.113.9', '203.0.113.9, 10.0.0.1', '2001:db8::1']) {
    assert.equal((await send(series, {method: 'GET', headers: {'X-Forwarded-For': client}}))[0], 200, client);
  }
  // Over plain HTTP to another machine browsers do not send Sec-Fetch-Site, but Origin.
  const {'Sec-Fetch-Site': _, ...plain} = own;
  assert.equal((await send(path, {headers: {...plain, Host: '10.0.0.1:9464', Origin: 'http://10.0.0.1:9464'}, body}))[0], 200);
  assert.equal(await site.service.views('/a'), 1);
  // The public address has none of it.
  for (const route of ['counts:set', 'annotations:put', 'adjustments']) {
    assert.equal((await fetch(`${site.service.url}/v1/sites/demo/${route}`, {method: 'POST', headers: own, body})).status, 404, route);
  }
});
