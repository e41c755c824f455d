// Tests of pages that announce themselves: what count.js sends when the service asks for it, and what the service takes.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, test} from 'node:test';

import {becomes, eventually} from './eventually.mjs';
import {Site} from './site.mjs';

// The portal: a server of this machine, which answers each path with the page of that path.
const pages = new Map();
const portal = http.createServer((request, response) => {
  response.writeHead(200, {'Content-Type': 'text/html; charset=utf-8'});
  response.end(pages.get(request.url) ?? '');
});

let site;
let origin;
let head;
before(async () => {
  await new Promise((resolve) => portal.listen(0, '127.0.0.1', resolve));
  origin = `http://portal.example:${portal.address().port}`;
  head = headOf(origin);
  site = await Site.open();
  await site.service.command('site', 'put', 'demo', '--origin', origin);
});
after(async () => {
  await site?.close();
  portal.closeAllConnections();
  portal.close();
});

// Opens a page of the portal with this head, whose script is the service's. `posts` are its announcements.
async function open(path, head, {script = 'count.js', html = '<html lang="vi">'} = {}) {
  const window = await site.window();
  const posts = [];
  window.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/pages')) posts.push(request);
  });
  pages.set(path, `<!doctype html>${html}<head>${head}<script async src="${site.service.url}/${script}" data-site="demo"></script></head>
    <body><span data-viewcount></span></body></html>`);
  await window.goto(origin + path);
  await window.waitForFunction(() => /\d/.test(document.querySelector('[data-viewcount]').textContent));
  return Object.assign(window, {posts});
}

const described = async (article) => (await fetch(
  `http://${site.service.address('admin')}/v1/sites/demo/article?article=${encodeURIComponent(article)}`)).json();

const headOf = (host) => `<title>A title of the window</title>
  <meta property="og:title" content="Mưa lớn &lt;script&gt;alert(1)&lt;/script&gt;"><meta property="og:image" content="/rain.jpg">
  <meta property="article:section" content="Thời tiết"><meta property="article:tag" content="mưa"><meta property="article:tag" content="bão">
  <meta property="article:author" content="${host}/an"><meta name="author" content="An Nguyễn">
  <meta property="article:published_time" content="2026-11-30T07:00:00+07:00">`;

test('NoPageAnnouncesItselfUnlessTheSiteLetsIt', async () => {
  const window = await open('/news/0', head);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(window.posts, []);
  const answer = await fetch(`${site.service.url}/v1/sites/demo/pages`, {method: 'POST', headers: {Origin: origin}, body: '{}'});
  assert.equal(answer.status, 404);
  assert.match((await answer.json()).detail, /viewcount site put demo --page-announcements/);
  await site.service.command('site', 'put', 'demo', '--page-announcements', '--public-reads');
  await eventually('the setting is there', async () =>
    (await fetch(`${site.service.url}/v1/sites/demo/pages`, {method: 'POST', headers: {Origin: origin}, body: '{}'})).status === 400);
});

test('APageThatIsNotKnownAnnouncesItself', async () => {
  const window = await open('/news/1?utm_source=x', head);
  await becomes(1, () => window.posts.length);
  await becomes('Mưa lớn <script>alert(1)</script>', async () => (await described('/news/1')).title);
  const article = await described('/news/1');
  assert.deepEqual(
    [article.sections, article.authors, article.tags, article.imageUrl, article.language, article.publishTime, article.announcedByPage],
    [['Thời tiết'], ['An Nguyễn'], ['mưa', 'bão'], origin + '/rain.jpg', 'vi', '2026-11-30T00:00:00Z', true]);
  // Lists have it, also those of a section and in order of publication.
  const listed = await site.service.ask('popular?section=' + encodeURIComponent('Thời tiết'));
  assert.deepEqual(listed.articles.map((one) => one.articleId), ['/news/1']);
  assert.deepEqual((await site.service.ask('articles?before=5')).earlier.map((one) => one.articleId), ['/news/1']);
  // Another view of it posts nothing.
  const again = await open('/news/1', head);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(again.posts, []);
  assert.deepEqual([window.errors, again.errors], [[], []]);
});

test('LinkedDataAndTheTitleOfTheWindowDo', async () => {
  const data = {'@context': 'https://schema.org', '@graph': [{'@type': 'WebSite', name: 'no'}, {
    '@type': ['NewsArticle'], headline: 'From linked data', articleSection: ['Sport', 'News'], author: [{name: 'Bình'}, {name: 'Chi'}],
    image: [{url: 'https://img.example/x.png'}], datePublished: '2026-11-29T10:00:00Z', keywords: 'a, b'}]};
  await open('/news/2', `<title>x</title><script type="application/ld+json">{broken</script>
    <script type="application/ld+json">${JSON.stringify(data)}</script>`);
  await becomes('From linked data', async () => (await described('/news/2')).title);
  const article = await described('/news/2');
  assert.deepEqual([article.sections, article.authors, article.tags, article.imageUrl],
    [['Sport', 'News'], ['Bình', 'Chi'], ['a', 'b'], 'https://img.example/x.png']);
  // A long title is cut, and the second name of the script works as well.
  await open('/news/3', `<title>${'ế'.repeat(600)}</title><link rel="canonical" href="${origin}/news/three">`, {script: 'numbers.js'});
  await becomes('ế'.repeat(333), async () => (await described('/news/three')).title);
});

test('WhatThePortalAnnouncesIsNeverReplaced', async () => {
  await site.service.command('announce', '/news/4', '--title', 'By the portal');
  const window = await open('/news/4', head);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(window.posts, []);
  const post = async (body, headers = {Origin: origin}) => {
    const answer = await fetch(`${site.service.url}/v1/sites/demo/pages`, {method: 'POST', headers, body: JSON.stringify(body)});
    return [answer.status, await answer.json()];
  };
  const page = {address: origin + '/news/4', title: 'By a page'};
  assert.deepEqual(await post(page), [200, {articleId: '/news/4', announced: false}]);
  assert.equal((await described('/news/4')).title, 'By the portal');
  // The portal takes over what a page announced.
  await site.service.command('announce', '/news/1', '--title', 'By the portal, too');
  await becomes('By the portal, too', async () => (await described('/news/1')).title);
  // A page announces itself once in some minutes.
  assert.deepEqual((await post({address: origin + '/news/5', title: 'First'}))[1].announced, true);
  assert.deepEqual((await post({address: origin + '/news/5', title: 'Second'}))[1].announced, false);
  for (const [body, headers, status, field] of [
    [page, {}, 403], [page, {Origin: 'http://evil.example'}, 403], [page, {Origin: 'null'}, 403],
    [{...page, address: 'http://evil.example/news/4'}, undefined, 400, 'address'], [{...page, address: '/news/4'}, undefined, 400, 'address'],
    [{...page, canonicalAddress: 'http://evil.example/x'}, undefined, 400, 'canonicalAddress'], [{...page, title: ''}, undefined, 400, 'title'],
    [{address: origin + '/news/6', title: 'x'.repeat(1001)}, undefined, 400, 'title'],
    [{address: origin + '/news/6', title: 'x', imageUrl: 'javascript:1'}, undefined, 400, 'imageUrl'],
    [{address: origin + '/news/6', title: 'x', sections: ['']}, undefined, 400, 'sections'],
    [{...page, hiddenFromLists: true}, undefined, 400, 'hiddenFromLists'],
  ]) {
    const [answered, problem] = await post(body, headers);
    assert.deepEqual([answered, problem.field], [status, field], JSON.stringify(body));
  }
});
