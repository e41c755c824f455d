// Tests of the script in the pages of portals, which embed it from another origin: where it finds its site, which
// article a page is, elements that come later, and what the console says.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';

import {becomes, eventually} from './eventually.mjs';
import {PortalServer} from './portal_server.mjs';
import {Site, shown} from './site.mjs';

let site;
let portal;
// The service's origin, in pages of the portal.
let service;
before(async () => {
  site = await Site.open();
  portal = new PortalServer(site.service.httpAddress, '/stats/');
  await portal.start();
  service = `http://counts.example:${new URL(site.service.url).port}`;
  // Early, because the first views of a new site have no viewers until its salt is there.
  await site.service.command('site', 'put', 'school', '--session-viewers', '--cool-down', '1h');
});
after(async () => {
  await portal?.stop();
  await site?.close();
});

const span = '<span data-viewcount>none</span>';
const script = (attributes = '', file = 'count.js') => `<script async src="${service}/${file}" ${attributes}></script>`;
const views = (id) => site.service.views(id);

// Opens a window for the pages of this portal. `warnings` are the lines of the script in the console.
async function open(options) {
  const window = await site.window(options);
  const warnings = [];
  window.on('console', (message) => {
    if (message.type() === 'warning' && message.text().startsWith('viewcount: ')) warnings.push(message.text());
  });
  return Object.assign(window, {warnings});
}

// Asserts that the article has exactly this number of views, also after a view that is sent later.
async function assertViews(id, number) {
  await becomes(number, () => views(id));
  await site.service.record('/later');
  assert.equal(await views(id), number);
}

const embeddings = [
  ['attributes', () => script('data-site="demo"')],
  ['the address', () => script('', 'count.js?site=demo')],
  ['a module', () => script('data-site="demo" type="module"')],
  [
    'a tag manager',
    () => `<script>
      const tag = document.createElement('script');
      tag.async = true;
      tag.src = '${service}/count.js?site=demo';
      document.head.append(tag);
    </script>`,
  ],
  [
    'a loader that holds scripts back and runs them itself',
    () => `<script type="text/held-back" src="${service}/count.js" data-site="demo"></script>
      <script>
        fetch('${service}/count.js').then((answer) => answer.text()).then((text) => (0, eval)(text));
      </script>`,
  ],
  [
    'a bundle',
    () => `<script data-site="demo" data-api="${service}" type="text/held-back"></script>
      <script>
        fetch('${service}/count.js').then((answer) => answer.text()).then((text) => (0, eval)(text));
      </script>`,
  ],
  [
    'a script that is inserted after the page was loaded',
    () => `<script>
      addEventListener('load', () => setTimeout(() => {
        const late = document.createElement('script');
        late.src = '${service}/count.js';
        late.dataset.site = 'demo';
        document.body.append(late);
      }, 100));
    </script>`,
  ],
  ['a folder of the portal', () => '<script async src="/stats/count.js" data-site="demo"></script>'],
  ['data-api', () => '<script async src="/stats/count.js" data-site="demo" data-api="' + service + '/"></script>'],
  ['neutral names', () => script('data-site="demo"', 'numbers.js')],
];

test('TheScriptFindsItsSiteAndItsService', async () => {
  const window = await open();
  for (const [i, [how, html]] of embeddings.entries()) {
    await window.goto(portal.add(`/embedded/${i}`, html() + span));
    await becomes('1', () => shown(window), 10_000);
    const request = window.reports.at(-1);
    const base = how === 'a folder of the portal' ? portal.url + '/stats/' : service + '/';
    const route = how === 'neutral names' ? 'numbers' : 'views';
    assert.ok(request.url().startsWith(`${base}v1/sites/demo/${route}?`), `${how}: ${request.url()}`);
    assert.equal(await views(`/embedded/${i}`), 1, how);
  }
  assert.equal(window.reports.length, embeddings.length);
  assert.deepEqual(window.warnings, []);
  assert.deepEqual(window.errors, []);
  // A picture has a neutral name, too.
  await window.addInitScript(() => {
    delete globalThis.fetch;
    Navigator.prototype.sendBeacon = undefined;
  });
  await window.goto(portal.add('/embedded/picture', script('data-site="demo"', 'numbers.js')));
  await becomes(1, () => views('/embedded/picture'));
  assert.ok(window.reports.at(-1).url().startsWith(service + '/v1/sites/demo/dot.gif?address='));
  await window.context().close();
});

test('ANumberOfTheTabTellsReadersOfOneAddressApart', async () => {
  const html = script('data-site="school" data-viewer="session"') + span;
  const numbers = [];
  for (const reader of [1, 2]) {
    const window = await open();
    for (const visit of [1, 2]) {
      await window.goto(portal.add('/school', html));
      // The second visit is within the cool-down of its reader.
      await becomes(String(reader), () => shown(window), 10_000);
      numbers.push(new URL(window.reports.at(-1).url()).searchParams.get('session'));
      assert.equal(window.reports.length, visit);
    }
    await window.context().close();
  }
  assert.match(numbers[0], /^\d{2,20}$/);
  assert.equal(numbers[1], numbers[0]);
  assert.notEqual(numbers[2], numbers[0]);
  assert.equal(numbers[3], numbers[2]);
});

test('CallsBeforeTheScriptAreMadeUpFor', async () => {
  const window = await open();
  const stub = `<script>
    window.viewcount = window.viewcount || function () { (viewcount.q = viewcount.q || []).push(arguments); };
    viewcount('record', 'news:1');
  </script>`;
  await window.goto(portal.add('/queue', stub + script('data-site="demo" data-manual') + span));
  await becomes(1, () => views('news:1'));
  await window.evaluate(() => viewcount('record'));
  await becomes('1', () => shown(window));
  await assertViews('/queue', 1);
  await window.context().close();
});

test('OneLineInTheConsoleSaysWhyAPageIsNotCounted', async () => {
  await site.service.command('site', 'put', 'closed', '--origin', 'https://elsewhere.example');
  const local = (url) => url.replace('portal.example', 'localhost');
  const cases = [
    ['no site', portal.add('/silent/0', script() + span), /no site; add data-site/],
    ['unknown site', portal.add('/silent/1', script('data-site="unknown"') + span), /unknown/],
    ['foreign origin', portal.add('/silent/2', script('data-site="closed"') + span), /--origin/],
    ['localhost', local(portal.add('/silent/3', script('data-site="demo"') + span)), /data-allow-localhost/],
    ['opted out', portal.add('/silent/4', script('data-site="demo"') + span) + '#viewcount-off', /#viewcount-on/],
  ];
  const window = await open();
  const asked = [];
  window.on('request', (request) => asked.push(request.url()));
  for (const [what, url, pattern] of cases) {
    window.warnings.length = asked.length = 0;
    await window.goto(url);
    await eventually(`a warning: ${what}`, () => window.warnings.length > 0);
    if (/localhost|opted/.test(what)) await becomes('0', () => shown(window));
    // Changes of the page cause neither further lines nor further requests. The script reads them after 200 ms.
    await window.evaluate(() => {
      document.body.append('changed');
      return new Promise((resolve) => setTimeout(resolve, 300));
    });
    assert.equal(window.warnings.length, 1, window.warnings.join('\n'));
    assert.match(window.warnings[0], pattern);
    if (what === 'unknown site') assert.equal(asked.filter((address) => address.includes('/live')).length, 0);
  }
  await window.context().close();
  for (let i = 0; i < cases.length; ++i) assert.equal(await views(`/silent/${i}`), 0);
});

test('TheFirstNumberContainsTheReadersOwnView', async () => {
  const window = await open();
  await window.addInitScript(() => {
    globalThis.texts = [];
    new MutationObserver(() => {
      const {textContent} = document.querySelector('span') || {};
      if (textContent && texts.at(-1) !== textContent) texts.push(textContent);
    }).observe(document, {childList: true, subtree: true, characterData: true});
  });
  const requests = [];
  window.on('request', (request) => {
    if (request.url().includes('/v1/')) requests.push(new URL(request.url()).pathname.split('/').at(-1));
  });
  // The page changes while the answer is under way. The stream must wait for it nevertheless.
  await window.route('**/views?*', async (route) => {
    await window.evaluate(async () => {
      document.body.append('changed');
      await new Promise((resolve) => setTimeout(resolve, 500));
    });
    await route.continue();
  });
  await window.goto(portal.add('/first', script('data-site="demo"') + span + '<div data-viewcount-odometer></div>'));
  await becomes('1', () => shown(window));
  await eventually('the stream is open', () => requests.length > 1);
  assert.deepEqual(requests, ['views', 'live']);
  await window.locator('[part=wheel]').first().waitFor();
  assert.deepEqual(await window.evaluate(() => texts), ['none', '1']);
  await window.context().close();
});

test('BehindABufferingProxyNumbersArePolled', async () => {
  portal.isBuffering = true;
  const window = await open();
  await window.clock.install();
  const stats = '<script async src="/stats/count.js" data-site="demo"></script>';
  const stream = window.waitForRequest(/\/live/);
  await window.goto(portal.add('/buffered', stats + span));
  await becomes('1', () => shown(window));
  await site.service.record('/buffered');
  await stream;
  await window.clock.fastForward(5000);
  await becomes('2', () => shown(window));
  await site.service.record('/buffered');
  // The browser may keep the counts for a second of real time.
  await eventually('the number is polled again', async () => {
    await window.clock.fastForward(30_000);
    return (await shown(window)) === '3';
  });
  await window.context().close();
  portal.isBuffering = false;
});

test('ElementsThatComeLaterAreFilledAndNumbersSurvive', async () => {
  const window = await open();
  await site.service.record('/late');
  await window.goto(portal.add('/list', script('data-site="demo"') + span + '<div id="panel"></div>'));
  await becomes('1', () => shown(window));
  const render = () =>
    window.evaluate(() => {
      const list = '<p><span data-viewcount="/late">none</span></p><div data-viewcount-odometer>none</div>';
      document.getElementById('panel').innerHTML = list;
    });
  const late = window.locator('[data-viewcount="/late"]');
  const odometer = window.locator('[data-viewcount-odometer]');
  // The second time is what an UpdatePanel does.
  for (let i = 0; i < 2; ++i) {
    await render();
    await becomes('1', () => late.textContent());
    await eventually('the odometer is there', async () => (await odometer.locator('[part=wheel]').count()) === 8);
  }
  // A framework renders its own text again, and then names another article in the same element.
  await window.evaluate(() => {
    document.querySelector('[data-viewcount=""]').firstChild.data = '–';
    document.querySelector('[data-viewcount="/late"]').textContent = '–';
  });
  await becomes('1', () => shown(window));
  await becomes('1', () => late.textContent());
  await late.evaluate((element) => (element.dataset.viewcount = '/list'));
  await becomes('1', () => window.locator('[data-viewcount="/list"]').textContent());

  // The back button of htmx puts back what the page was, as text.
  await window.evaluate(() => {
    globalThis.before = document.body.innerHTML;
    history.pushState(null, '', '/list/2');
    document.body.innerHTML = '<span data-viewcount>none</span>';
  });
  await becomes('1', () => shown(window));
  await window.evaluate(() => {
    addEventListener('popstate', () => (document.body.innerHTML = globalThis.before.replaceAll('>1<', '>none<')));
    history.back();
  });
  await becomes('2', () => shown(window));
  await eventually('the odometer is back', async () => (await odometer.locator('[part=wheel]').count()) === 8);
  assert.deepEqual(window.errors, []);
  await window.context().close();
});

test('RoutesInTheFragmentArePagesWithDataHash', async () => {
  const window = await open();
  const links = ['#/tin/1', '#/tin/2', '#!/tin/3', '#binh-luan', '#/tin/1?utm_source=zalo&fbclid=x'];
  const menu = links.map((link) => `<a href="${link}">${link}</a>`).join(' ');
  const list = '<span id="other" data-viewcount="#!/tin/3">none</span>';
  await window.goto(portal.add('/app', script('data-site="demo" data-hash') + menu + span + list));
  await becomes('1', () => shown(window));
  for (const link of links.slice(0, 3)) {
    await window.getByText(link, {exact: true}).click();
    await becomes(1, () => views('/app' + link));
  }
  await becomes('1', () => window.locator('#other').textContent());
  await window.getByText('#binh-luan').click();
  await window.getByText(links[4]).click();
  await becomes(2, () => views('/app#/tin/1'));
  await assertViews('/app', 1);
  await window.evaluate(() => (location.hash = ''));
  await becomes(2, () => views('/app'));
  assert.equal(await views('/app#!/tin/3'), 1);
  assert.equal(window.reports.length, 6);
  // Without the option, fragments are no pages.
  await window.goto(portal.add('/plain', script('data-site="demo"') + menu + span));
  await becomes('1', () => shown(window));
  await window.getByText(links[0], {exact: true}).click();
  await assertViews('/plain', 1);
  await window.context().close();
});

test('AnArticleInTheQueryIsAPageAndATrackingParameterIsNot', async () => {
  const window = await open();
  const html = script('data-site="demo"') + span;
  portal.add('/news.aspx', html);
  await window.goto(portal.url + '/news.aspx?ItemID=3933&utm_source=zalo');
  await becomes('1', () => shown(window));
  const goTo = (query) => window.evaluate((to) => history.pushState(null, '', to), query);
  await goTo('?ItemID=3933');
  await goTo('?ItemID=17&from=mail');
  await becomes(1, () => views('/news.aspx?ItemID=17'));
  await goTo('?ItemID=17&from=feed');
  await goTo('?ItemID=3933#comments');
  await becomes(2, () => views('/news.aspx?ItemID=3933'));
  await becomes('2', () => shown(window));
  await assertViews('/news.aspx?ItemID=17', 1);

  // The query of a canonical address counts whole, because the page says so.
  const canonical = (address) => `<link rel="canonical" href="${portal.url}${address}">`;
  portal.add('/page', canonical('/page?story=5&b=1') + html);
  await window.goto(portal.url + '/page?utm_source=x');
  await becomes('1', () => shown(window));
  await window.evaluate((href) => {
    history.pushState(null, '', '/page?story=6');
    document.querySelector('link[rel=canonical]').href = href;
  }, portal.url + '/page?story=6');
  await becomes(1, () => views('/page?story=6'));
  await goTo('/page?story=6&from=mail');
  await assertViews('/page?story=6', 1);
  assert.equal(await views('/page?b=1&story=5'), 1);
  assert.equal(window.reports.length, 5);
  await window.context().close();
});

test('TheConsoleNamesAParameterThatIsMissingInTheArticle', async () => {
  const window = await open();
  portal.add('/xem.php', script('data-site="demo"') + span);
  await window.goto(portal.url + '/xem.php?MaTin=1');
  await becomes('1', () => shown(window));
  assert.deepEqual(window.warnings, []);
  await window.goto(portal.url + '/xem.php?MaTin=2');
  await becomes('2', () => shown(window));
  await eventually('a warning', () => window.warnings.length > 0);
  assert.match(window.warnings.join(), /viewcount site put demo --add-article-parameter MaTin$/);
  await window.context().close();
});

test('EverySpellingOfAnAddressShowsTheSameNumber', async () => {
  const window = await open();
  const spellings = ['/tin-tức/bài-1', '/tin-t%E1%BB%A9c/b%C3%A0i-1', '/tin-t%e1%bb%a9c/b%c3%a0i-1'];
  spellings.push(spellings[0].normalize('NFD'), portal.url + spellings[0]);
  const list = spellings.map((spelling) => `<span data-viewcount="${spelling}">none</span>`).join('\n');
  await window.goto(portal.add(spellings[0], script('data-site="demo"') + list + span));
  await becomes('1', () => shown(window));
  const texts = () => window.locator('[data-viewcount]').allTextContents();
  await becomes('1,1,1,1,1,1', async () => String(await texts()));
  await site.service.record(spellings[0]);
  await becomes('2,2,2,2,2,2', async () => String(await texts()));
  await window.context().close();
});

test('AFrameCountsWhereThePageSaysSo', async () => {
  const window = await open();
  const inner = (path, options) => portal.add(path, script('data-site="demo" ' + options) + span);
  const frames = [inner('/inner/yes', 'data-allow-frame'), inner('/inner/no', '')];
  const html = frames.map((frame) => `<iframe src="${frame}"></iframe>`).join('');
  // The pages of the frames have another origin than the page around them.
  await window.goto(portal.add('/outer', html).replace('portal.example', 'outer.example'));
  for (const [i, text] of ['1', '0'].entries()) {
    await becomes(text, () => window.frameLocator('iframe').nth(i).locator('[data-viewcount]').textContent());
  }
  await assertViews('/inner/yes', 1);
  await assertViews('/inner/no', 0);
  assert.equal(window.warnings.length, 1);
  assert.match(window.warnings[0], /data-allow-frame/);
  await window.context().close();
});

test('ErrorPagesDoNotCountAndThePageAfterThemDoes', async () => {
  const window = await open();
  await window.goto(portal.add('/missing', script('data-site="demo" data-error-page') + span));
  await becomes('0', () => shown(window));
  await window.evaluate(() => history.pushState(null, '', '/found'));
  await becomes('1', () => shown(window));
  await assertViews('/missing', 0);
  await window.context().close();
});

test('ClicksOnDownloadsCount', async () => {
  const window = await open();
  const file = '/files/b%C3%A1o-c%C3%A1o.pdf';
  const html =
    `<a id="file" href="${file}" download data-viewcount-click><b>Report</b></a> <a id="form" href="/x" ` +
    `data-viewcount-click="form:7">Form</a> <a id="other" href="/y">Other</a> ` +
    `<span data-viewcount="${file}">none</span>`;
  await window.goto(portal.add('/downloads', script('data-site="demo"') + span + html));
  await becomes('1', () => shown(window));
  await window.evaluate(() => addEventListener('click', (event) => event.preventDefault()));
  const number = window.locator(`[data-viewcount="${file}"]`);
  await becomes('0', () => number.textContent());
  await window.locator('#file b').click();
  await becomes('1', () => number.textContent());
  await window.locator('#file').click({button: 'middle'});
  await becomes('2', () => number.textContent());
  await window.locator('#file').dblclick();
  await becomes('3', () => number.textContent());
  await window.locator('#file').click({button: 'right'});
  for (const id of ['#form', '#other']) await window.locator(id).click();
  await becomes(1, () => views('form:7'));
  await assertViews('/files/báo-cáo.pdf', 3);
  assert.equal(await views('/y'), 0);
  await window.context().close();
});

test('WhatIsNoArticleIsLeftOutAlone', async () => {
  const window = await open();
  const html = ['news:' + 'x'.repeat(600), '/' + 'y'.repeat(20_000), 'half'].map(
    (id) => `<span class="bad" data-viewcount="${id}">none</span>`,
  );
  await site.service.record('news:good');
  const good = '<span id="good" data-viewcount="news:good">none</span>';
  // Half a character cannot be written in HTML.
  const half = `<script>document.querySelector('[data-viewcount=half]').dataset.viewcount = 'half \\ud800';</script>`;
  await window.goto(portal.add('/good', html.join('') + half + good + span + script('data-site="demo"')));
  await becomes('1', () => shown(window));
  await becomes('1', () => window.locator('#good').textContent());
  assert.deepEqual(await window.locator('.bad').allTextContents(), ['none', 'none', 'none']);
  assert.equal(window.warnings.length, 3);
  for (const line of window.warnings) assert.match(line, /left out/);
  await window.context().close();
});

test('AViewCountsUnderEveryReferrerPolicy', async () => {
  await site.service.command('site', 'put', 'demo', '--origin', portal.url);
  const window = await open();
  portal.viewOrigins = [];
  const policies = ['no-referrer', 'same-origin', 'origin', 'unsafe-url'];
  // The portal's server forwards to the service under another origin, and sees which origins the views name.
  const stats = portal.url.replace('portal.', 'counts.') + '/stats/count.js';
  const forwarded = `<script async src="${stats}" data-site="demo"></script>`;
  const visit = async (path, policy) => {
    await window.goto(portal.add(path, forwarded + span, {'Referrer-Policy': policy}));
    await becomes('1', () => shown(window));
  };
  for (const policy of policies) await visit('/policy/' + policy, policy);
  // A sandboxed page has no origin of its own.
  const inner = portal.add('/policy/sandbox', forwarded.replace('data-site', 'data-allow-frame data-site'));
  await window.goto(portal.add('/policy/outer', `<iframe sandbox="allow-scripts" src="${inner}"></iframe>`));
  await becomes(1, () => views('/policy/sandbox'));
  // Without fetch that outlives a page, the view is a beacon.
  await window.addInitScript(() => delete Request.prototype.keepalive);
  for (const policy of policies.slice(0, 2)) await visit('/beacon/' + policy, policy);
  assert.deepEqual(portal.viewOrigins.slice(0, 5), [portal.url, portal.url, portal.url, portal.url, 'null']);
  for (const path of ['/policy/no-referrer', '/policy/unsafe-url', '/beacon/no-referrer']) await assertViews(path, 1);
  await window.context().close();
});
