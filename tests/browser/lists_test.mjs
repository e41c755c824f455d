// Tests of the lists that lists.js fills: which articles they have, hostile texts, lists that come later, failures, and
// the ways in which pages embed and restrict the script.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import {after, before, test} from 'node:test';

import {becomes, eventually} from './eventually.mjs';
import {PortalServer} from './portal_server.mjs';
import {Site} from './site.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const hostile = '<script>globalThis.hit = 1</script><img src=x onerror="hit = 2">';

// The announced articles, the oldest first. A letter is the ID's last part, and the day of January of the publication.
const announced = [
  ['a', {title: 'Alpha', section: 'News', url: 'https://portal.example/alpha'}],
  ['b', {title: hostile, section: 'News', url: 'javascript:hit=3'}],
  ['c', {title: 'Gamma', section: 'Sport', url: '/pages/gamma?id=3', author: 'An', tag: 'cup', language: 'en'}],
  ['d', {title: 'Delta', section: 'News', url: ' JaVa\tScript:hit=4', image: 'https://counts.example/delta.png'}],
  ['e', {section: 'Sport', image: 'javascript:hit=5'}],
];
const views = {'/x/a': 1_234, '/x/b': 567, '/x/c': 89, '/x/d': 45, '/x/e': 6, '//evil.example/': 3, 'news:7': 2};

let site;
let portal;
// The service's origin, in pages of the portal.
let service;
before(async () => {
  site = await Site.open();
  portal = new PortalServer(site.service.httpAddress, '/stats/');
  await portal.start();
  service = `http://counts.example:${new URL(site.service.url).port}`;
  await site.service.command('site', 'put', 'demo', '--time-zone', 'Asia/Ho_Chi_Minh', '--origin', portal.url);
  await Promise.all(
    announced.map(([letter, options], i) => {
      const flags = Object.entries(options).flatMap(([name, value]) => ['--' + name, value]);
      return site.service.command('announce', '/x/' + letter, '--published', `2026-01-0${i + 1}T05:00:00Z`, ...flags);
    }),
  );
  const counted = Object.entries(views).map(([articleId, count]) => ({articleId, count}));
  await site.service.ask('views', {views: counted}, site.service.address('backend'));
});
after(async () => {
  await portal?.stop();
  await site?.close();
});

const script = (attributes = '', file = 'count.js') =>
  `<script async src="${service}/${file}" data-site="demo" ${attributes}></script>`;

// Opens a page of the portal. `asked` are the paths of its requests for lists, `scripts` the names of its scripts,
// `warnings` the lines of the scripts in the console.
async function open(path, html, headers, options) {
  const window = await site.window(options);
  const asked = [];
  const scripts = [];
  const warnings = [];
  window.on('request', (request) => {
    const {pathname, search} = new URL(request.url());
    if (/\/(popular|articles)$/.test(pathname)) asked.push(pathname.split('/').at(-1) + search);
    if (request.resourceType() === 'script') scripts.push(pathname);
  });
  window.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text());
  });
  await window.addInitScript(() => {
    globalThis.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.layoutShift += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
  });
  await window.goto(portal.add(path, html, headers));
  return Object.assign(window, {asked, scripts, warnings});
}

// Returns the items of a list in short: title, date and views, separated by bars.
const items = (window, id) =>
  window
    .locator(`#${id} > .viewcount-item`)
    .evaluateAll((all) => all.map((item) => [...item.children].map((child) => child.textContent).join('|')).join('\n'));

// Returns an item as `items` does, on a page in English or Vietnamese.
function row(letter, number, language = 'en') {
  const i = announced.findIndex(([name]) => name === letter);
  const date = language === 'en' ? `01/0${i + 1}/2026` : `0${i + 1}/01/2026`;
  return `${announced[i][1].title ?? '/x/' + letter}|${date}|${number.toLocaleString(language)}`;
}

test('EveryKindOfListIsFilledByOneRequestPerQuestion', async () => {
  const html =
    '<ol id="day" data-viewcount-popular data-limit="2"></ol>' +
    '<ol id="day3" data-viewcount-popular data-limit="3"></ol>' +
    '<ol id="week" data-viewcount-popular data-window="7d" data-section="Sport"></ol>' +
    '<ol id="all" data-viewcount-popular data-window="all" data-author="An" data-tag="cup" data-language="en"></ol>' +
    '<ol id="today" data-viewcount-popular data-window="day" data-limit="1"></ol>' +
    '<ol id="recent" data-viewcount-popular data-published-within="1d">as before</ol>' +
    '<ul id="newer" data-viewcount-newer></ul><ul id="earlier" data-viewcount-earlier data-limit="1"></ul>' +
    '<ul id="same" data-viewcount-earlier data-section="Sport"></ul>' +
    '<ul id="other" data-viewcount-earlier="/x/b"></ul><ul id="byId" data-viewcount-newer data-article="/x/d"></ul>' +
    '<ul id="now" data-viewcount-earlier data-around="now" data-limit="2"></ul>' +
    '<ul id="last" data-viewcount-newer="/x/e">as before</ul>';
  const window = await open('/x/c', script('data-manual') + html);
  await becomes([row('a', 1234), row('b', 567)].join('\n'), () => items(window, 'day'));
  const expected = {
    day3: [row('a', 1234), row('b', 567), row('c', 89)],
    week: [row('c', 89), row('e', 6)],
    all: [row('c', 89)],
    today: [row('a', 1234)],
    recent: [],
    newer: [row('d', 45), row('e', 6)],
    earlier: [row('b', 567)],
    same: [],
    other: [row('a', 1234)],
    byId: [row('e', 6)],
    now: [row('e', 6), row('d', 45)],
    last: [],
  };
  for (const [id, rows] of Object.entries(expected)) await becomes(rows.join('\n'), () => items(window, id));
  // An empty answer changes nothing but an attribute.
  const empty = () => window.locator('[data-viewcount-empty]').evaluateAll((all) => all.map(({id}) => id).join());
  await becomes('recent,same,last', empty);
  for (const id of ['recent', 'last']) assert.equal(await window.locator('#' + id).textContent(), 'as before');
  assert.equal(window.asked.length, 11, window.asked.join('\n'));
  assert.equal(new Set(window.asked).size, 11);
  const link = (id, i) => window.locator(`#${id} > li`).nth(i).locator('a.viewcount-title').getAttribute('href');
  assert.equal(await link('day3', 0), 'https://portal.example/alpha');
  assert.equal(await link('day3', 2), portal.url + '/pages/gamma?id=3');
  assert.equal(await link('newer', 1), portal.url + '/x/e');
  assert.deepEqual(await window.locator('#earlier time').evaluateAll((all) => all.map((time) => time.dateTime)), [
    '2026-01-02T05:00:00Z',
  ]);
  assert.deepEqual([window.warnings, window.errors], [[], []]);
  await window.context().close();
});

test('HostileTextsAndAddressesDoNothing', async () => {
  const html = '<ol id="list" data-viewcount-popular data-image></ol>';
  const window = await open('/hostile', script('data-manual') + html);
  await eventually('it is filled', async () => (await window.locator('#list > li').count()) === 7);
  const titles = window.locator('#list .viewcount-title');
  const hrefs = await titles.evaluateAll((all) => all.map((title) => title.getAttribute('href')));
  // An address that is no page's gives way to the path that the ID is. A path does not lead to another host.
  const path = (letter) => portal.url + '/x/' + letter;
  const gamma = portal.url + '/pages/gamma?id=3';
  assert.deepEqual(hrefs, ['https://portal.example/alpha', path('b'), gamma, path('d'), path('e'), null, null]);
  assert.equal(await titles.nth(1).textContent(), hostile);
  assert.deepEqual(await titles.evaluateAll((all) => all.slice(4).map((title) => title.textContent)), [
    '/x/e',
    '//evil.example/',
    'news:7',
  ]);
  const images = await window.locator('#list img').evaluateAll((all) => all.map(({src, alt}) => [src, alt]));
  assert.deepEqual(images, [['https://counts.example/delta.png', '']]);
  assert.equal(await window.locator('#list script').count(), 0);
  assert.equal(await window.evaluate(() => globalThis.hit), undefined);
  await window.context().close();
});

test('ListsThatComeLaterAreFilledAndFollowThePage', async () => {
  const window = await open('/x/d', script('data-manual') + '<p>No list yet.</p>');
  await eventually('count.js runs', () => window.evaluate(() => Boolean(globalThis.viewcount)));
  assert.deepEqual(window.scripts, ['/count.js']);
  await window.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<ul id="earlier" data-viewcount-earlier data-limit="1"></ul>');
  });
  await becomes(row('c', 89), () => items(window, 'earlier'));
  await window.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<ol id="late" data-viewcount-popular data-limit="1"></ol>');
  });
  await becomes(row('a', 1234), () => items(window, 'late'));
  // A single-page application shows another article. Numbers and dates are in the page's language then.
  await window.evaluate(() => {
    document.documentElement.lang = 'vi';
    history.pushState(null, '', '/x/b');
  });
  await becomes(row('a', 1234, 'vi'), () => items(window, 'earlier'));
  // A longer list is a new request, and the shorter one stays.
  await window.evaluate(() => {
    document.body.insertAdjacentHTML('beforeend', '<ol id="longer" data-viewcount-popular data-limit="2"></ol>');
  });
  await becomes([row('a', 1234, 'vi'), row('b', 567, 'vi')].join('\n'), () => items(window, 'longer'));
  await becomes(row('a', 1234, 'vi'), () => items(window, 'late'));
  assert.deepEqual(window.scripts, ['/count.js', '/lists.js']);
  assert.equal(window.asked.length, 4);
  assert.deepEqual([window.warnings, window.errors], [[], []]);
  await window.context().close();
});

test('AFailureLeavesTheContentAndSaysWhy', async () => {
  const cases = [
    ['data-viewcount-popular data-window="90m"', /window\.last: must be a whole number of hours/],
    ['data-viewcount-popular data-limit="few"', /data-limit must be a number/],
    ['data-viewcount-earlier data-around="noon"', /data-around must be "now"/],
    ['data-viewcount-newer data-around="now"', /data-viewcount-newer needs an article/],
    ['data-viewcount-newer="/x/unknown"', /\/x\/unknown/],
  ];
  const html = cases.map(([attributes]) => `<ul class="failed" ${attributes}><li>as before</li></ul>`).join('');
  const window = await open('/failures', script('data-manual') + html + html);
  await eventually('all are named', async () => window.warnings.length >= cases.length);
  for (const [, text] of cases) assert.equal(window.warnings.filter((line) => text.test(line)).length, 1, text);
  assert.equal(window.warnings.length, cases.length, window.warnings.join('\n'));
  for (const line of window.warnings) assert.match(line, /^viewcount: /);
  const texts = await window.locator('.failed').allTextContents();
  assert.deepEqual(texts, Array(2 * cases.length).fill('as before'));
  await window.context().close();

  // A service that does not answer is named once, and is asked again when the reader comes back after a minute.
  const list = '<ol id="list" data-viewcount-popular data-limit="1"><li>as before</li></ol>';
  const unanswered = await open('/unanswered', script('data-manual') + '<p></p>');
  await unanswered.clock.install();
  await unanswered.route('**/popular?*', (route) => route.abort());
  await unanswered.evaluate((text) => document.body.insertAdjacentHTML('beforeend', text), list);
  await unanswered.evaluate(() => viewcount.refresh());
  await eventually('it is named', () => unanswered.warnings.length > 0);
  assert.match(unanswered.warnings[0], /^viewcount: no answer; check http.*\/popular\?/);
  assert.equal(await unanswered.locator('#list').textContent(), 'as before');
  await unanswered.unroute('**/popular?*');
  const comeBack = async (seconds) => {
    await unanswered.clock.fastForward(seconds * 1000);
    await unanswered.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  };
  await comeBack(50);
  assert.equal(unanswered.asked.length, 1);
  await comeBack(15);
  await becomes(row('a', 1234), () => items(unanswered, 'list'));
  // The list is renewed in the same way, and its views are the new ones.
  await site.service.record('/x/a');
  views['/x/a'] += 1;
  await comeBack(5);
  assert.equal(unanswered.asked.length, 2);
  await comeBack(60);
  assert.equal(unanswered.asked.length, 3);
  // The browser keeps an answer for seconds of the real time.
  await eventually('the new number is shown', async () => {
    await comeBack(60);
    return (await items(unanswered, 'list')) === row('a', views['/x/a']);
  });
  assert.equal(unanswered.warnings.length, 1);
  await unanswered.context().close();
});

test('TheSecondScriptHasTheNameAndTheRightsOfTheFirst', async () => {
  const list = '<ul id="list" data-viewcount-earlier="/x/b"></ul>';
  const served = async (path) => (await fetch(site.service.url + path)).text();
  const index = await served('/');
  const [, version, integrity] = index.match(/\/numbers\.(\w+)\.js .*\n *integrity="([^"]+)"/);
  const policy = (scripts) => ({
    'Content-Security-Policy': `default-src 'none'; script-src ${scripts}; connect-src ${service}; img-src data:`,
  });
  const cases = [
    ['neutral names', script('', 'numbers.js'), {}, '/more.js'],
    ['a folder', '<script async src="/stats/numbers.js" data-site="demo"></script>', {}, '/stats/more.js'],
    ['a policy', script(), policy(service)],
    ['a nonce', script('nonce="n0nce"'), policy("'nonce-n0nce'")],
    ['integrity', script(`integrity="${integrity}" crossorigin="anonymous"`, `count.${version}.js`), {}],
    [
      'a bundle',
      `<script data-site="demo" data-api="${service}" type="text/plain"></script>
      <script>fetch('${service}/count.js').then((answer) => answer.text()).then((text) => (0, eval)(text));</script>`,
      {},
    ],
  ];
  for (const [i, [how, html, headers, name = '/lists.js']] of cases.entries()) {
    const window = await open(`/embedded/${i}`, html + list, headers);
    await becomes(row('a', views['/x/a']), () => items(window, 'list'));
    assert.equal(window.scripts.at(-1), name, how);
    const hash = await window.evaluate(() => document.head.lastElementChild.integrity);
    assert.equal(/^sha256-.{44}$/.test(hash), how === 'integrity', how);
    assert.deepEqual([window.warnings, window.errors], [[], []], how);
    await window.context().close();
  }
  // A changed script is refused by a page that verifies count.js.
  const window = await site.window();
  const changed = (await served('/lists.js')) + ';globalThis.hit = 1;';
  const headers = {'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/javascript'};
  await window.route(/\/lists\.js/, (route) => route.fulfill({headers, body: changed}));
  await window.goto(portal.add('/changed', cases[4][1] + list));
  await eventually('the browser refuses it', () => window.errors.some((text) => /integrity/.test(text)));
  assert.equal(await window.evaluate(() => globalThis.hit), undefined);
  await window.context().close();
});

test('AFilledPageIsReadableAndStill', async () => {
  const style = '<style>ol,ul{min-height:12rem}.viewcount-views::after{content:" views"}a{color:#00c}</style>';
  const main = (text) => `${style}<main><h1>A page</h1>${text}<p>The end.</p></main>`;
  const html =
    '<h2 id="p">Popular</h2><ol id="popular" aria-labelledby="p" data-viewcount-popular data-limit="7"></ol>' +
    '<h2 id="e">Earlier</h2><ul id="earlier" aria-labelledby="e" data-viewcount-earlier><li>as before</li></ul>';
  const window = await open('/x/c', script('data-manual') + main(html));
  await eventually('both are filled', async () => (await window.locator('.viewcount-item').count()) === 9);
  assert.ok((await window.evaluate('layoutShift')) < 0.02);
  const found = await window.evaluate(
    `${axe}; axe.run().then((result) => result.violations.map((v) => v.id + ': ' + v.nodes[0].html))`,
  );
  assert.deepEqual(found, []);
  // A list keeps the reader's focus.
  await window.locator('#earlier a').first().focus();
  await window.evaluate(() => (document.getElementById('earlier').dataset.limit = '1'));
  await window.evaluate(() => viewcount.refresh());
  assert.equal(await window.locator('#earlier li').count(), 2);
  await window.evaluate(() => document.activeElement.blur());
  await window.evaluate(() => viewcount.refresh());
  assert.equal(await window.locator('#earlier li').count(), 1);
  assert.deepEqual([window.warnings, window.errors], [[], []]);
  await window.context().close();
});
