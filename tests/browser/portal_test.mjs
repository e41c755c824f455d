// Tests of the demonstration portal as visitors see it: its structure by roles and names, its lists, its appearance.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';

import {becomes, eventually} from './eventually.mjs';
import {Site, shown, siteStart, startViews} from './site.mjs';

const page = 'tin/hoc-ba-so.html';
const title = 'Học bạ số: phụ huynh Mộc Giang xem kết quả học tập trên điện thoại';
const sections = ['Thời sự', 'Kinh tế', 'Văn hóa – Xã hội', 'Thông báo'];

let site;
before(async () => {
  site = await Site.open();
  await site.setStartViews();
});
after(() => site?.close());

const inVietnamese = (number) => number.toLocaleString('vi');

// Returns the odometer's number. The test fails if it has none.
async function odometerNumber(window) {
  const odometer = window.getByRole('region', {name: 'Số lượt truy cập'}).getByRole('img');
  await odometer.waitFor();
  const text = await odometer.getAttribute('aria-label');
  assert.match(text, /^Số lượt truy cập: [\d.]+$/);
  return Number(text.replace(/\D/g, ''));
}

test('TheArticleShowsItsViewsAndItsNeighbours', async () => {
  const window = await site.window();
  await window.goto(site.url(page));
  const main = window.getByRole('main');
  const article = main.getByRole('article');
  assert.equal(await article.getByRole('heading', {level: 1}).textContent(), title);
  await becomes('26/03/2025 · Số lượt người xem: 3.934', () => article.locator('.facts').textContent());

  // Newer and earlier news, each with its count. They are there before their counts. The test follows one of the links.
  const newer = main.getByRole('region', {name: 'Tin mới hơn'}).getByRole('listitem');
  const earlier = main.getByRole('region', {name: 'Tin đã đưa'}).getByRole('listitem');
  assert.equal(await newer.count(), 1);
  assert.equal(await earlier.count(), 5);
  const bridge = 'Thông xe cầu Hạ Vân thay cho cầu tạm';
  await becomes(`${bridge} 25/03/2025 2.487`, () => earlier.first().textContent());
  const most = main.getByRole('region', {name: 'Đọc nhiều nhất: Văn hóa – Xã hội'}).getByRole('list').last();
  await becomes('Gặp nữ hộ sinh ba mươi năm ở bản Lũng Sen 27/02/2025 4.176', () =>
    most.getByRole('listitem').first().textContent(),
  );
  assert.ok((await odometerNumber(window)) > siteStart);

  await earlier.first().getByRole('link').click();
  await window.getByRole('heading', {level: 1, name: bridge}).waitFor();
  await becomes('2.488', () => shown(window));
  await window.getByRole('navigation', {name: 'Chuyên mục'}).getByRole('link', {name: 'Trang chủ'}).click();
  await window.getByRole('heading', {level: 1, name: 'Tin tức huyện Mộc Giang'}).waitFor();
  assert.deepEqual(window.errors, []);
  await window.context().close();
});

test('TheFrontPageShowsEveryArticleAndTheMostRead', async () => {
  const window = await site.window();
  await window.goto(site.url(''));
  const found = new Map();
  for (const name of sections) {
    const region = window.getByRole('region', {name, exact: true});
    await region.getByRole('heading', {level: 2, name}).waitFor();
    for (const item of await region.getByRole('listitem').all()) {
      const id = await item.locator('[data-viewcount]').getAttribute('data-viewcount');
      const text = () => item.locator('[data-viewcount]').textContent();
      await eventually('the count is shown', async () => /\d/.test(await text()));
      found.set(id, await text());
    }
  }
  assert.equal(found.size, 20);
  assert.deepEqual([...found.keys()].sort(), [...startViews.keys()].sort());
  for (const [id, text] of found) assert.equal(text, inVietnamese(await site.service.views(id)), id);

  const region = window.getByRole('region', {name: 'Đọc nhiều nhất'});
  const most = region.getByRole('list', {name: 'Từ trước đến nay'});
  const ranked = [...startViews].sort((a, b) => b[1] - a[1]).slice(0, 5);
  await eventually('it is filled', async () => (await most.getByRole('listitem').count()) === ranked.length);
  assert.equal(await most.locator('.viewcount-views').first().textContent(), inVietnamese(ranked[0][1]));
  const paths = await most.getByRole('link').evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
  assert.deepEqual(
    paths,
    ranked.map(([id]) => '/demo' + id),
  );
  const first = 'Cảnh báo cuộc gọi giả danh cán bộ huyện yêu cầu cài ứng dụng';
  assert.equal(await most.getByRole('link').first().textContent(), first);
  // The start values are older than a week.
  for (const name of ['24 giờ qua', '7 ngày qua']) {
    const list = region.getByRole('list', {name});
    await becomes(`${title} 26/03/2025 1`, () => list.getByRole('listitem').last().textContent());
  }
  assert.deepEqual(window.errors, []);
  await window.context().close();
});

test('EveryLinkLeadsToAPage', async () => {
  const window = await site.window();
  const seen = new Set();
  const waiting = [site.url(''), site.url('spa.html')];
  while (waiting.length) {
    const url = waiting.pop();
    if (seen.has(url)) continue;
    seen.add(url);
    const response = await window.request.get(url);
    assert.equal(response.status(), 200, url);
    const text = await response.text();
    for (const [, href] of text.matchAll(/<(?:a|link|img|script)[^>]* (?:href|src)="([^"]*)"/g)) {
      const target = new URL(href.replaceAll('&amp;', '&'), url);
      target.hash = '';
      if (target.origin === site.service.url && target.pathname.startsWith('/demo/')) waiting.push(target.href);
    }
  }
  // These are 20 articles, the front page under two names, spa.html, and the files that they use.
  assert.ok(seen.size >= 27, [...seen].join('\n'));
  await window.context().close();
});

const looks = [
  {name: 'desktop', viewport: {width: 1280, height: 900}},
  {name: 'phone', viewport: {width: 390, height: 844}, isMobile: true, deviceScaleFactor: 2},
];
for (const {name, ...look} of looks) {
  for (const colorScheme of ['light', 'dark']) {
    test(`ItFits (${name}, ${colorScheme})`, async () => {
      const window = await site.window({...look, colorScheme});
      await window.addInitScript(() => {
        globalThis.shift = 0;
        const add = (list) => list.getEntries().forEach((entry) => (shift += entry.value));
        new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});
      });
      for (const [file, url] of [['front', ''], ['article', page]]) {
        await window.goto(site.url(url));
        await odometerNumber(window);
        const counts = window.locator('[data-viewcount]');
        await eventually('every count is there', async () => !(await counts.allTextContents()).includes('–'));
        if (url === '') await window.getByRole('region', {name: 'Đọc nhiều nhất'}).waitFor();
        await window.locator('#visitors').waitFor();
        const isStill = (odometer) => odometer.getAnimations({subtree: true}).length === 0;
        await eventually('wheels stand still', () => window.locator('[part=odometer]').evaluate(isStill));
        const shift = await window.evaluate(() => globalThis.shift);
        assert.ok(shift < 0.02, `the layout shifted by ${shift}`);
        const width = await window.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= look.viewport.width, `${width} px wide`);
        await assertReadable(window);
        await assertFocusIsSeen(window);
        await screenshot(window, `${file}_${name}_${colorScheme}.png`);
      }
      await window.context().close();
    });
  }
}

test('ItReadsFromRightToLeftToo', async () => {
  const window = await site.window({viewport: {width: 390, height: 844}});
  await window.route('**/tin/*.html', async (route) => {
    const response = await route.fetch();
    await route.fulfill({response, body: (await response.text()).replace('<html ', '<html dir="rtl" ')});
  });
  await window.goto(site.url(page));
  const number = await odometerNumber(window);
  const lefts = await window
    .locator('[part=digit]')
    .evaluateAll((elements) => elements.map((element) => element.getBoundingClientRect().left));
  assert.ok(lefts.length === 8 && lefts.every((left, i) => i === 0 || left > lefts[i - 1]), lefts.join(' '));
  assert.equal(String(number).length, 8);
  assert.ok((await window.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  await screenshot(window, 'article_right_to_left.png');
  await window.context().close();
});

test('WithoutJavaScriptNumbersAreInPictures', async () => {
  const window = await site.window({viewport: {width: 390, height: 844}, javaScriptEnabled: false});
  await window.goto(site.url(page));
  const region = window.getByRole('region', {name: 'Số lượt truy cập'});
  const texts = [];
  for (const picture of [region.locator('img'), window.locator('article img')]) {
    await picture.waitFor();
    const source = new URL(await picture.getAttribute('src'), site.service.url).href;
    texts.push(await (await window.request.get(source)).text());
  }
  assert.match(texts[0], /aria-label="Số lượt truy cập [1-9]\d?\.\d{3}\.\d{3}"/);
  assert.match(texts[1], /aria-label="Số lượt người xem: \d\.\d{3}"/);
  for (const element of ['#visitors', '.views', '[data-viewcount-odometer]'])
    assert.equal(await window.locator(element).first().isVisible(), false, element);
  await screenshot(window, 'article_without_script.png');
  await window.context().close();
});

// Stores a screenshot for people to inspect.
async function screenshot(window, name) {
  fs.mkdirSync(process.env.SCREENSHOTS, {recursive: true});
  await window.screenshot({path: path.join(process.env.SCREENSHOTS, name), fullPage: true});
}

// Asserts that the outline of focused links has at least the contrast of 3 that WCAG 2.2 requires (1.4.11). Gradients
// count as their last colour.
async function assertFocusIsSeen(window) {
  // The browser shows the focus that a script sets only after a key was used.
  await window.keyboard.press('Tab');
  const contrasts = await window.locator('.brand, nav a, main a, footer a').evaluateAll((links) =>
    links.map((link) => {
      const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
      const luminance = (color) => {
        const [r, g, b] = color.match(/[\d.]+/g).map((value) => channel(value / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      let background;
      for (let at = link.parentElement; !background; at = at.parentElement) {
        const {backgroundImage, backgroundColor} = getComputedStyle(at);
        if (backgroundImage !== 'none') background = backgroundImage.match(/rgb\([^)]*\)/g).at(-1);
        else if (!backgroundColor.startsWith('rgba')) background = backgroundColor;
      }
      link.focus();
      const {outlineStyle, outlineWidth, outlineColor} = getComputedStyle(link);
      const [low, high] = [outlineColor, background].map(luminance).sort((a, b) => a - b);
      return outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 ? (high + 0.05) / (low + 0.05) : 0;
    }),
  );
  await window.evaluate(() => {
    document.activeElement.blur();
    scrollTo(0, 0);
  });
  assert.ok(contrasts.length >= 10 && contrasts.every((contrast) => contrast >= 3), contrasts.join(' '));
}

// Asserts that text has at least the contrast of 4.5 that WCAG 2.2 requires (1.4.3). Only text on a background of one
// colour is checked.
async function assertReadable(window) {
  const faults = await window.evaluate(() => {
    const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
    const background = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.backgroundImage !== 'none') return null;
        const color = parse(style.backgroundColor);
        if (color.length === 3) return color;
        if (color[3] > 0) return null;
      }
      return null;
    };
    return [...document.querySelectorAll('main *, footer *')]
      .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
      .filter((element) => element.getClientRects().length && background(element))
      .map((element) => {
        const colors = [parse(getComputedStyle(element).color), background(element)];
        const [low, high] = colors.map(luminance).sort((a, b) => a - b);
        return [(high + 0.05) / (low + 0.05), element.outerHTML.slice(0, 80)];
      })
      .filter(([contrast]) => contrast < 4.5);
  });
  assert.deepEqual(faults, []);
}
