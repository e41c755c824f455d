// Tests of which page views are counted, and how often.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';

import {chromium} from 'playwright-core';

import {becomes, eventually} from './eventually.mjs';
import {Site, asPeopleHaveIt, chromiumPath, shown} from './site.mjs';

const article = '/tin/hoc-ba-so.html';
const page = 'tin/hoc-ba-so.html';

let site;
before(async () => {
  site = await Site.open();
  await site.announce();
});
after(() => site?.close());

const views = (id) => site.service.views(id);

// Asserts that the article has exactly `growth` more views. A view that is sent later is counted first, so that earlier
// views have had time to arrive.
async function assertGrowth(id, from, growth) {
  await site.service.record('/later');
  await becomes(from + growth, () => views(id));
}

test('APageCountsOnceAndOnceMoreWhenReloaded', async () => {
  const start = await views(article);
  const window = await site.window();
  await window.goto(site.url(page));
  await shown(window);
  await becomes(start + 1, () => views(article));
  await window.reload();
  await shown(window);
  await becomes(start + 2, () => views(article));
  await assertGrowth(article, start, 2);
  assert.equal(window.reports.length, 2);
  assert.deepEqual(await window.context().cookies(), []);
  assert.equal(await window.evaluate(() => localStorage.length + sessionStorage.length), 0);
  assert.deepEqual(window.errors, []);
  await window.context().close();
});

test('APageKeptWholeByTheBrowserCountsAgainWhenOneComesBack', async () => {
  const window = await site.window();
  await window.goto(site.url('test/article.html'));
  await shown(window);
  const start = await eventuallyCounted('/demo/test/article.html');
  await window.evaluate(() => (globalThis.isKept = true));
  await window.goto(site.url(page));
  await shown(window);
  await window.evaluate(() => history.back());
  await becomes(site.url('test/article.html'), () => window.url());
  assert.equal(await window.evaluate(() => globalThis.isKept), true, 'the browser loaded the page anew');
  await becomes(start + 1, () => views('/demo/test/article.html'));
  await window.context().close();
});

async function eventuallyCounted(id) {
  await eventually(`${id} is counted`, async () => (await views(id)) > 0);
  return views(id);
}

test('AClickThroughThreeArticlesOfAnApplicationCountsThree', async () => {
  const window = await site.window();
  await window.goto(site.url('spa.html'));
  await becomes(1, () => views('/spa.html'));
  const links = window.getByRole('navigation', {name: 'Bài đọc nhanh'}).getByRole('link');
  assert.equal(await links.count(), 3);
  const start = new Map();
  for (const link of await links.all()) {
    const id = new URL(await link.evaluate((element) => element.href)).pathname.replace('/demo', '');
    start.set(id, await views(id));
    const title = await link.textContent();
    await link.click();
    await window.getByRole('heading', {level: 1, name: title}).waitFor();
    // The span in the new article shows that article's views.
    await becomes(start.get(id) + 1, async () => Number(await shown(window)));
  }
  for (const [id, from] of start) await becomes(from + 1, () => views(id));
  assert.equal(window.reports.length, 4);

  // A different fragment or query is not another page.
  await window.evaluate(() => {
    location.hash = 'comments';
    history.pushState(null, '', '?from=mail');
    history.replaceState(null, '', '?from=feed');
  });
  // Goes back over those two entries, to the article before.
  await window.evaluate(() => history.go(-3));
  const [, second, third] = start.keys();
  await becomes(start.get(second) + 2, () => views(second));
  await assertGrowth(third, start.get(third), 1);
  assert.equal(window.reports.length, 5);
  assert.deepEqual(window.errors, []);
  await window.context().close();
});

test('WhatAnApplicationDeclaresLateIsNotTakenForTheNextPage', async () => {
  const window = await site.window();
  await window.goto(site.url('test/article.html'));
  await shown(window);
  const goTo = (path) => window.evaluate((to) => history.pushState(null, '', to), path);
  const declare = (path) =>
    window.evaluate((href) => {
      document.querySelector('link[rel=canonical]')?.remove();
      document.head.append(Object.assign(document.createElement('link'), {rel: 'canonical', href}));
    }, path);
  await goTo('/demo/test/first');
  await becomes(1, () => views('/demo/test/first'));
  await declare('/declared/first');
  await goTo('/demo/test/second');
  await becomes(1, () => views('/demo/test/second'));
  // Most applications declare the article immediately. Then the declared article counts.
  await window.evaluate(() => {
    history.pushState(null, '', '/demo/test/third');
    document.querySelector('link[rel=canonical]').href = '/declared/third';
  });
  await becomes(1, () => views('/declared/third'));
  for (const id of ['/declared/first', '/demo/test/third']) await assertGrowth(id, 0, 0);
  await window.context().close();
});

test('AHiddenPageCountsOnceItIsShown', async () => {
  const id = '/demo/test/article.html';
  const start = await views(id);
  // These are real tabs of one window. Playwright would keep its own pages visible.
  const tabs = await site.browser.newBrowserCDPSession();
  const open = async (url, background) => (await tabs.send('Target.createTarget', {url, background})).targetId;
  const front = await open('about:blank', false);
  const hidden = await open(site.url('test/article.html?hidden'), true);
  await eventuallyCounted('/hidden?hidden');
  await assertGrowth(id, start, 0);
  await tabs.send('Target.activateTarget', {targetId: hidden});
  await becomes(start + 1, () => views(id));
  // It is counted only once, however often it is hidden and shown. Each time it is shown, it requests live counts
  // again.
  await tabs.send('Target.activateTarget', {targetId: front});
  await tabs.send('Target.activateTarget', {targetId: hidden});
  for (const targetId of [hidden, front]) await tabs.send('Target.closeTarget', {targetId});
  await assertGrowth(id, start, 1);
});

test('APrerenderedPageCountsOnceItIsActivated', async () => {
  const id = '/demo/test/article.html';
  const start = await views(id);
  // The service refuses views that a page sends while it is prerendered. The test uses that to notice the prerendering.
  const ahead = () => site.service.metric('viewcount_views_rejected_total{reason="prefetch"}');
  const before = await ahead();
  // Browsers do not prerender while a debugger is attached, so this one runs without Playwright.
  const profile = path.join(site.folder, 'profile');
  const browser = spawn(
    chromiumPath,
    ['--headless', '--no-sandbox', '--no-first-run', '--disable-dev-shm-usage', `--user-data-dir=${profile}`]
      .concat([...asPeopleHaveIt, '--disable-gpu', site.url('test/prerender.html')]),
    {stdio: 'ignore', detached: true},
  );
  try {
    await eventually('the page is prerendered', async () => (await ahead()) > before);
    await assertGrowth(id, start, 0);
    await site.service.record('/go');
    await eventuallyCounted('/activated?prerender');
    await becomes(start + 1, () => views(id));
  } finally {
    const ended = once(browser, 'exit');
    // Its renderers are in the process group that it leads.
    process.kill(-browser.pid, 'SIGKILL');
    await ended;
  }
});

test('AFramedPageIsNotCounted', async () => {
  const id = '/demo/test/article.html';
  const start = await views(id);
  const window = await site.window();
  await window.goto(site.url('test/frame.html'));
  // A framed page still shows counts.
  await becomes(String(start), () => window.frameLocator('iframe').locator('[data-viewcount]').textContent());
  await eventuallyCounted('/visible?framed');
  await assertGrowth(id, start, 0);
  await window.context().close();
});

test('AVisitorWhoOptsOutIsNotCountedUntilOptingIn', async () => {
  const start = await views(article);
  const window = await site.window();
  await window.goto(site.url(page) + '#viewcount-off');
  await shown(window);
  await window.goto(site.url(page));
  await window.reload();
  await shown(window);
  assert.equal(window.reports.length, 0);
  await assertGrowth(article, start, 0);
  // The links at the foot of the page do the same without loading a page.
  await window.getByRole('link', {name: 'Đếm lại'}).click();
  await eventually('the choice is forgotten', () => window.evaluate(() => localStorage.length === 0));
  await window.reload();
  await shown(window);
  await becomes(start + 1, () => views(article));
  await window.getByRole('link', {name: 'Không đếm tôi'}).click();
  await eventually('the choice is kept', () => window.evaluate(() => localStorage.length === 1));
  await window.reload();
  await shown(window);
  assert.equal(window.reports.length, 1);
  await assertGrowth(article, start, 1);
  await window.context().close();
});

test('ABrowserWithoutAWindowIsCountedAsABot', async () => {
  const id = '/demo/test/article.html';
  const count = async () => (await site.service.ask('counts?article=' + encodeURIComponent(id))).counts[0];
  const start = await count();
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0 Safari/537.36';
  const window = await site.window({userAgent});
  await window.goto(site.url('test/article.html'));
  await becomes(Number(start.botViews) + 1, async () => Number((await count()).botViews));
  assert.equal((await count()).views, start.views);
  await window.context().close();
});

test('WhatABrowserFetchesAheadIsNotCounted', async () => {
  const window = await site.window();
  await window.goto(site.url('test/frame.html'));
  const pixel = `${site.service.url}/v1/sites/demo/pixel.gif?article=/ahead`;
  const [answer] = await Promise.all([
    window.waitForResponse(pixel),
    window.evaluate((href) => {
      document.head.append(Object.assign(document.createElement('link'), {rel: 'prefetch', href}));
    }, pixel),
  ]);
  assert.equal(answer.status(), 200);
  assert.match((await answer.request().allHeaders())['sec-purpose'], /prefetch/);
  await assertGrowth('/ahead', 0, 0);
  await window.context().close();
});

test('AnAutomatedBrowserIsNotCounted', async () => {
  const start = await views(article);
  const robot = await chromium.launch({executablePath: chromiumPath});
  try {
    const window = await robot.newPage();
    await window.goto(site.url(page));
    assert.equal(await window.evaluate(() => navigator.webdriver), true);
    await shown(window);
    await window.evaluate(() => viewcount.record());
  } finally {
    await robot.close();
  }
  await assertGrowth(article, start, 0);
});

test('ADevelopersMachineIsNotCounted', async () => {
  const window = await site.window();
  await window.goto(site.url('test/local.html'));
  assert.equal(await shown(window), '0');
  assert.equal(window.reports.length, 0);
  await assertGrowth('/demo/test/local.html', 0, 0);
  await window.context().close();
});

test('WhoAsksNotToBeTrackedIsNotCountedWhereThePageRespectsThat', async () => {
  const profile = path.join(site.folder, 'untracked');
  fs.mkdirSync(path.join(profile, 'Default'), {recursive: true});
  fs.writeFileSync(path.join(profile, 'Default', 'Preferences'), '{"enable_do_not_track": true}');
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: asPeopleHaveIt,
    ignoreDefaultArgs: ['--enable-automation'],
  });
  try {
    const window = await context.newPage();
    await window.goto(site.url('test/dnt.html'));
    assert.equal(await window.evaluate(() => navigator.doNotTrack), '1');
    await shown(window);
    // Pages without the option ignore the setting.
    await window.goto(site.url('test/article.html?untracked'));
    await eventuallyCounted('/visible?untracked');
  } finally {
    await context.close();
  }
  await assertGrowth('/demo/test/dnt.html', 0, 0);
  const window = await site.window();
  await window.goto(site.url('test/dnt.html'));
  await becomes(1, () => views('/demo/test/dnt.html'));
  await window.context().close();
});

test('APageThatReportsByItselfCountsWhatItReports', async () => {
  const window = await site.window();
  await window.goto(site.url('test/manual.html'));
  assert.equal(await shown(window), '0');
  await window.evaluate(() => viewcount.record('/reported'));
  await becomes(1, () => views('/reported'));
  await window.evaluate(() => viewcount.record());
  await becomes(1, () => views('/demo/test/manual.html'));
  assert.equal(window.reports.length, 2);
  await window.context().close();
});

test('APageOfAnotherHostIsCountedAndLive', async () => {
  const id = '/demo/test/plain.html';
  const {port} = new URL(site.service.url);
  const window = await site.window();
  await window.goto(`http://portal.example:${port}${id}`);
  // Adds the script in the way that a page's own loader does.
  await window.evaluate((src) => {
    const script = Object.assign(document.createElement('script'), {src});
    script.dataset.site = 'demo';
    document.head.append(script);
  }, `http://counts.example:${port}/count.js`);
  await becomes('1', () => shown(window));
  const another = window.locator('[data-viewcount="/another"]');
  await site.service.record('/another');
  await becomes('1', () => another.textContent());
  await assertGrowth(id, 0, 1);
  await window.context().close();
});

test('WithoutJavaScriptThePixelCounts', async () => {
  const start = await views(article);
  const window = await site.window({javaScriptEnabled: false});
  await window.goto(site.url(page));
  await becomes(start + 1, () => views(article));
  await assertGrowth(article, start, 1);
  const odometer = window.getByRole('img', {name: 'Số lượt truy cập'});
  await odometer.waitFor();
  const answer = await window.request.get(new URL(await odometer.getAttribute('src'), site.service.url).href);
  assert.equal(answer.headers()['content-type'].split(';')[0], 'image/svg+xml');
  await window.context().close();
});

for (const missing of ['keepalive', 'keepalive, no sendBeacon', 'fetch', 'fetch, no sendBeacon']) {
  test(`WithoutItsBestMeansAPageIsCountedToo (no ${missing})`, async () => {
    const start = await views(article);
    const window = await site.window();
    await window.addInitScript((names) => {
      if (names.includes('fetch')) delete window.fetch;
      if (names.includes('keepalive')) delete Request.prototype.keepalive;
      if (names.includes('sendBeacon')) Navigator.prototype.sendBeacon = undefined;
    }, missing);
    await window.goto(site.url(page));
    await becomes(start + 1, () => views(article));
    await window.context().close();
  });
}

test('APageMayNameItselfAndTheScriptMayComeTwice', async () => {
  const id = 'news/3933 <script>hit = 1</script>';
  const window = await site.window();
  await window.goto(site.url('test/declared.html'));
  await becomes('1', () => shown(window));
  await assertGrowth(id, 0, 1);
  await assertGrowth('/not-this', 0, 0);
  assert.equal(window.reports.length, 1);
  assert.equal(await window.evaluate(() => 'hit' in globalThis), false);
  assert.deepEqual(window.errors, []);
  await window.context().close();
});
