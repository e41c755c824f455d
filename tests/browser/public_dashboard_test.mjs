// Tests of what a site shows to everybody: its dashboard at the public address, and lists in frames with oEmbed.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, afterEach, before, test} from 'node:test';

import {adminBase, assertSound, closeWindows, openPage, publicBase, rowTexts} from './dashboard_window.mjs';
import {becomes, eventually} from './eventually.mjs';
import {Site} from './site.mjs';

const hostile = '</a><script>document.title="broken"</script>';

// A portal: a server of this machine whose every page has this body.
let body = '';
const portal = http.createServer((request, response) => response.writeHead(200, {'Content-Type': 'text/html'}).end(body));

let site;
let allowed;
before(async () => {
  await new Promise((resolve) => portal.listen(0, '127.0.0.1', resolve));
  allowed = `http://portal.example:${portal.address().port}`;
  site = await Site.open();
  await site.service.command('site', 'put', 'demo', '--time-zone', 'Asia/Ho_Chi_Minh', '--origin', allowed);
  await site.service.command('site', 'put', 'other');
  await site.service.command('announce', '/a', '--title', hostile, '--section', 'News', '--url', 'https://news.example/a?x=1&y="2"');
  await site.service.command('announce', '/b', '--title', 'Mưa', '--section', 'Thời tiết', '--url', 'javascript:alert(1)', '--author', 'An');
  const views = [['/a', 1_234], ['/b', 20]].map(([articleId, count]) => ({articleId, count}));
  await site.service.ask('views', {views}, site.service.address('backend'));
});
after(async () => {
  await site?.close();
  portal.closeAllConnections();
  portal.close();
});
afterEach(() => closeWindows(site));

const dashboard = () => publicBase(site) + 'dashboard/';

test('TheDashboardIsPublicOnlyWhereTheSiteSaysSo', async () => {
  for (const file of ['dashboard/', 'dashboard', 'dashboard/dashboard/dashboard.js', 'article?article=/a']) {
    const answer = await fetch(publicBase(site) + file);
    assert.equal(answer.status, 404, file);
    assert.match((await answer.json()).detail, /viewcount site put demo --public-reads/);
  }
  assert.equal((await fetch(publicBase(site) + 'series?step=hour&window.last=24h')).status, 403);
  await site.service.command('site', 'put', 'demo', '--public-reads');
  await eventually('it is public', async () => (await fetch(dashboard())).status === 200);
  const moved = await fetch(publicBase(site) + 'dashboard', {redirect: 'manual'});
  assert.deepEqual([moved.status, moved.headers.get('location')], [308, 'dashboard/']);
  // Only what the dashboard asks for is answered to strangers, and nothing that changes.
  const series = async (query) => (await fetch(publicBase(site) + 'series?' + query)).status;
  assert.equal(await series('step=hour&window.last=96h'), 200);
  assert.equal(await series('step=day&window.last=60d&article=/a'), 200);
  assert.equal(await series('step=hour&window.last=95h'), 403);
  assert.equal(await series('step=week&window.last=30d'), 403);
  assert.equal((await fetch(publicBase(site) + 'dashboard/dashboard/changes.js')).status, 404);
  assert.equal((await fetch(publicBase(site) + 'dashboard/?nothing=1')).status, 400);
  assert.equal((await fetch(publicBase(site, 'other') + 'dashboard/')).status, 404);
});

test('ThePublicDashboardShowsItsSiteOnly', async () => {
  const window = await openPage(site, publicBase(site), 'dashboard/?lang=en');
  const list = await rowTexts(window);
  assert.match(list[0], /^1 – 1,234 .*<\/a><script>document\.title="broken"<\/script> ↗\/a · News$/);
  await becomes('1,254', () => window.locator('#totals dd').first().innerText());
  await eventually('sparklines', async () => (await window.locator('#list .spark polyline').count()) === 2);
  assert.equal(await window.getByLabel('Site').isVisible(), false);
  assert.equal(await window.getByRole('link', {name: 'Changes'}).count(), 0);
  // The hours lead nowhere, since strangers may not choose them; days do.
  assert.equal(await window.locator('#chart tbody a').count(), 0);
  await assertSound(window, 'public');
  await window.getByRole('link', {name: '30 days', exact: true}).click();
  await eventually('days', async () => (await window.locator('#chart tbody a').count()) === 30);
  for (const name of ['Last hour', 'Last 7 days', 'Last 30 days', 'All time', 'Today', 'Trending', 'Rising', 'Right now', 'Latest']) {
    const answered = window.waitForResponse((response) => /\/(popular|trending|rising|now|articles)\?/.test(response.url()));
    await window.getByRole('link', {name, exact: true}).click();
    assert.equal((await answered).status(), 200, name);
  }
  const article = await openPage(site, publicBase(site), 'dashboard/?lang=vi&article=%2Fb', {selector: '#days tbody tr'});
  await becomes('Mưa', () => article.locator('#about-title').innerText());
  assert.equal(await article.locator('#change').isVisible(), false);
  await assertSound(article, 'public_article');
  const sections = await openPage(site, publicBase(site), 'dashboard/?lang=vi&page=sections', {selector: '#page-content tbody tr', colorScheme: 'dark'});
  assert.deepEqual(await sections.locator('#page-content h3').allInnerTexts(), ['News', 'Thời tiết']);
  await assertSound(sections, 'public_sections_dark');
  const phone = await openPage(site, publicBase(site), 'dashboard/?lang=en', {viewport: {width: 390, height: 844}, isMobile: true});
  await assertSound(phone, 'public_phone');
  assert.deepEqual([window.errors, window.foreign], [[], []]);
});

test('ThePublicDashboardWorksBelowAFolderOfAProxy', async () => {
  const target = new URL(site.service.url);
  const proxy = http.createServer((request, response) => {
    if (!request.url.startsWith('/numbers-of/us/')) return response.writeHead(404).end();
    const options = {host: target.hostname, port: target.port, path: request.url.replace('/numbers-of/us', ''), headers: request.headers};
    http.get(options, (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  try {
    const base = `http://127.0.0.1:${proxy.address().port}/numbers-of/us/v1/sites/demo/`;
    const window = await openPage(site, base, 'dashboard?lang=en'.replace('?lang=en', ''));
    await becomes('1,254', () => window.locator('#totals dd').first().innerText());
    assert.deepEqual([window.errors, window.foreign], [[], []]);
    await window.close();
  } finally {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  }
});

test('AListIsEmbeddedByTheSitesOriginsOnly', async () => {
  const page = publicBase(site) + 'embed/popular?window.last=24h&lang=vi&limit=5';
  const answer = await fetch(page);
  assert.equal(answer.status, 200);
  assert.ok(answer.headers.get('content-security-policy').endsWith(`frame-ancestors ${allowed}`));
  const window = await openPage(site, publicBase(site), 'embed/popular?window.last=24h&lang=vi&limit=5', {selector: 'li'});
  assert.deepEqual(await window.locator('li').allInnerTexts(), [`${hostile} 1.234 lượt xem`, 'Mưa 20 lượt xem']);
  const links = await window.locator('a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  assert.deepEqual(links, ['https://news.example/a?x=1&y="2"', `${allowed}/b`]);
  assert.equal(await window.locator('script, a[href^="javascript"]').count(), 0);
  await assertSound(window, 'embed');
  const section = await openPage(site, publicBase(site), 'embed/popular?section=News&theme=dark', {selector: 'li', viewport: {width: 300, height: 400}});
  assert.equal(await section.locator('li').count(), 1);
  await assertSound(section, 'embed_dark');
  // A portal's page shows it, and another page does not.
  body = `<title>p</title><iframe src="${page}"></iframe>`;
  const shows = await site.window();
  await shows.goto(allowed + '/');
  await becomes(2, () => shows.frameLocator('iframe').locator('li').count());
  const refuses = await site.window();
  await refuses.goto(allowed.replace('portal.', 'elsewhere.') + '/');
  await eventually('a refusal', () => refuses.errors.some((error) => error.includes('frame-ancestors')));
  assert.equal(await refuses.frameLocator('iframe').locator('li').count(), 0);
  for (const [query, field] of [['limit=0', 'limit'], ['limit=51', 'limit'], ['theme=x', 'theme'], ['lang=xx', 'lang'], ['windowlast=1h', 'windowlast']]) {
    const refused = await fetch(publicBase(site) + 'embed/popular?' + query);
    assert.deepEqual([refused.status, (await refused.json()).field], [400, field]);
  }
  assert.equal((await fetch(publicBase(site) + 'embed/popular?window.last=5h')).status, 403);
});

test('OembedDescribesTheEmbeddedPage', async () => {
  const page = publicBase(site) + 'embed/popular?window.last=24h&section=Th%E1%BB%9Di%20ti%E1%BA%BFt&lang=vi';
  // The page names its description.
  const window = await openPage(site, publicBase(site), page.slice(publicBase(site).length), {selector: 'li'});
  const href = await window.locator('link[type="application/json+oembed"]').getAttribute('href');
  const answer = await (await fetch(href)).json();
  const {html, ...rest} = answer;
  assert.deepEqual(rest, {version: '1.0', type: 'rich', provider_name: 'viewcount', title: 'demo: most viewed', width: 400, height: 480, cache_age: 3600});
  const frame = await site.window();
  await frame.setContent(html);
  assert.equal(await frame.locator('iframe').getAttribute('src'), page);
  const oembed = (url, more = '') => fetch(`${site.service.url}/v1/oembed?url=${encodeURIComponent(url)}${more}`);
  const small = await (await oembed(page, '&maxwidth=200&maxheight=1000')).json();
  assert.deepEqual([small.width, small.height], [200, 480]);
  assert.equal((await oembed(page, '&format=xml')).status, 501);
  for (const [url, status] of [
    ['https://evil.example/v1/sites/demo/embed/popular', 404], [site.service.url + '/v1/sites/demo/stats', 404],
    [publicBase(site, 'nobody') + 'embed/popular', 404], [publicBase(site) + 'embed/popular#x', 404], ['javascript:alert(1)', 404],
    [`${page}"><script>`, 404], ['', 400],
  ]) {
    const refused = await oembed(url);
    assert.equal(refused.status, url.includes('<script>') ? 200 : status, url);
    if (refused.status === 200) assert.ok(!(await refused.json()).html.includes('<script>'));
  }
  assert.equal((await oembed(page, '&maxwidth=0')).status, 400);
  assert.equal((await oembed(page, '&size=1')).status, 400);
});

test('TheAdminAddressStillShowsAllSites', async () => {
  const window = await openPage(site, adminBase(site), '?lang=en&site=demo');
  assert.deepEqual(await window.locator('select[name=site] option').allInnerTexts(), ['demo', 'other']);
});
