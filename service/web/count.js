// Counts a page's view and shows counts on the page. One line in it is enough:
//
//   <script async src="https://HOST/count.js" data-site="portal"></script>
//
// The service is where this script comes from. The article is `data-article`, else the path of <link rel=canonical>,
// else the page's own path, as it stands in the address. What it fills, now and whenever a number changes:
//
//   <span data-viewcount></span>                                   views of this page
//   <span data-viewcount="/other"></span>                          views of another article
//   <div data-viewcount-odometer data-digits=8 data-title=Views>   views of the site, on digit wheels; its visits
//                                                                  with data-show=visits
//
// Options: `data-manual` (reports nothing by itself), `data-allow-localhost`, `data-respect-dnt`. For pages' own
// scripts: viewcount.record(article) reports a view, viewcount.refresh() looks for spans that are new. Views are
// reported once the page is seen: not while it is in a hidden tab or prerendered, and never from frames or automated
// browsers. Who opens a page with #viewcount-off is not counted until #viewcount-on; only that choice is stored.
//
// Single-page applications: a changed path is a new page, and what it declares counts if it differs from what the page
// before declared; else the path does. Applications that declare late should have `data-manual` and call record.
//
// ES2017. Comments stand on lines of their own and no string spans lines: what is served has neither comments nor
// indentation.
(() => {
  // Twice on a page it would count twice. An element with this ID would be here too.
  if ((window.viewcount || 0).record) return;

  const script = document.currentScript;
  const data = script.dataset;
  const api = new URL(script.src).origin + '/v1/sites/' + encodeURIComponent(data.site);
  // What proxies take without asking.
  const urlMax = 8000;
  // So that what counts:batchGet is asked stays below 64 KiB, however long the IDs.
  const articlesMax = 100;
  const retryMsMin = 3000;
  const retryMsMax = 300000;

  // Of the page that is shown.
  let article;
  let path;
  // What was declared last for it.
  let known;
  // Whose view waits for somebody to see it; of several the last, as that is what will be seen.
  let unseen;
  let source;
  let timer;
  let retryMs = retryMsMin;

  const all = (selector) => document.querySelectorAll(selector);

  const isSeen = () => !document.hidden && !document.prerendering;

  // Notes what the visitor chose in the address, too. Storage may be forbidden.
  const optedOut = () => {
    try {
      if (location.hash === '#viewcount-off') localStorage['viewcount-off'] = 1;
      if (location.hash === '#viewcount-on') delete localStorage['viewcount-off'];
      return localStorage['viewcount-off'];
    } catch (error) {
      return location.hash === '#viewcount-off';
    }
  };

  // Files have no host.
  const isSkipped = () =>
    optedOut() ||
    self !== top ||
    navigator.webdriver ||
    (!('allowLocalhost' in data) && /^(localhost|127\.0\.0\.1|\[::1]|)$/.test(location.hostname)) ||
    ('respectDnt' in data && (navigator.doNotTrack === '1' || navigator.globalPrivacyControl));

  // What the page says it is; empty if nothing. An <a> reads any address without throwing.
  const declared = () => {
    const link = all('link[rel~=canonical]')[0];
    return data.article || (link && Object.assign(document.createElement('a'), {href: link.href}).pathname);
  };

  // In the page's language; what is no language falls back to the browser's.
  const format = (number) => {
    try {
      return number.toLocaleString(document.documentElement.lang || []);
    } catch (error) {
      return number.toLocaleString();
    }
  };

  const create = (parent, name) =>
    Object.assign(parent.appendChild(document.createElement('span')), {className: 'viewcount-' + name});

  // Moves wheels forward only, as an odometer's do: each has its digits twice, and is put back unseen before it turns.
  const roll = (odometer, views) => {
    const digits = ('' + views).padStart(odometer.dataset.digits || 8, 0);
    odometer.setAttribute('role', 'img');
    odometer.setAttribute('aria-label', (odometer.dataset.title || '') + ' ' + format(views));
    let wheels = [...odometer.querySelectorAll('.viewcount-wheel')];
    if (wheels.length !== digits.length) {
      odometer.textContent = '';
      wheels = [...digits].map(() => create(create(odometer, 'digit'), 'wheel'));
      for (const wheel of wheels) wheel.textContent = [...'0123456789'.repeat(2)].join('\n');
    }
    // No style came through, be it ours or the page's: forbidden by its Content-Security-Policy.
    if (getComputedStyle(wheels[0]).display !== 'block') odometer.textContent = digits;
    const turn = (wheel, at, transition) => {
      wheel.at = at;
      wheel.style.transition = transition;
      wheel.style.transform = 'translateY(' + at * -5 + '%)';
    };
    for (const wheel of wheels) turn(wheel, (wheel.at || 0) % 10, 'none');
    // Asking for the layout makes it begin here.
    odometer.offsetWidth;
    wheels.forEach((wheel, i) => turn(wheel, +digits[i] + (digits[i] < wheel.at ? 10 : 0), ''));
  };

  // Takes a WatchCountsResponse, GetCountsResponse or GetSiteStatsResponse. 64-bit numbers come as text, 0 perhaps not
  // at all.
  const take = (answer) => {
    const counts = new Map((answer.counts || []).map((count) => [count.articleId, +(count.views || 0)]));
    for (const span of all('[data-viewcount]')) {
      const views = counts.get(span.dataset.viewcount || article);
      if (views >= 0) span.textContent = format(views);
    }
    for (const odometer of all('[data-viewcount-odometer]')) {
      const {show} = odometer.dataset;
      const {total} = answer[show || 'views'] || {total: answer[show ? 'siteVisits' : 'siteViews']};
      if (+total) roll(odometer, +total);
    }
  };

  // With a body by POST; as text/plain, which needs no preflight.
  const ask = (route, body, keepalive) =>
    fetch(api + route, body && {method: 'POST', body: JSON.stringify(body), keepalive})
      .then((response) => response.json())
      .then(take)
      .catch(() => {});

  const query = (articleId) => 'article=' + encodeURIComponent(articleId);

  // Never tried again: the first may have arrived.
  const send = (articleId) => {
    const body = {articleId};
    if (navigator.sendBeacon && navigator.sendBeacon(api + '/views', JSON.stringify(body))) return;
    if (window.fetch) ask('/views', body, true);
    else new Image().src = api + '/pixel.gif?' + query(articleId);
  };

  const record = (articleId) => {
    unseen = articleId;
    if (!isSeen()) return;
    unseen = '';
    if (!isSkipped()) send(articleId);
  };

  const view = () => 'manual' in data || record(article);

  // Asks for what the page shows: one stream for all of it, and only while it is seen, as browsers allow six
  // connections a host. What does not fit into its address is asked for once.
  const watch = () => {
    clearTimeout(timer);
    if (source) source.close();
    if (!isSeen()) return;
    const articles = new Set([...all('[data-viewcount]')].map((span) => span.dataset.viewcount || article));
    if (!articles.size && !all('[data-viewcount-odometer]').length) return;

    let url = api + '/live';
    const rest = [];
    for (const id of articles) {
      const longer = url + (url.includes('?') ? '&' : '?') + query(id);
      if (window.EventSource && longer.length < urlMax) url = longer;
      else rest.push(id);
    }
    while (rest.length) ask('/counts:batchGet', {articleIds: rest.splice(0, articlesMax)});
    if (!window.EventSource) return ask('/stats');
    source = new EventSource(url);
    source.onmessage = (event) => {
      retryMs = retryMsMin;
      take(JSON.parse(event.data));
    };
    // A browser would come back every few seconds for ever, and all browsers at once.
    source.onerror = () => {
      source.close();
      timer = setTimeout(watch, retryMs * (1 + Math.random()));
      retryMs = Math.min(retryMs * 2, retryMsMax);
    };
  };

  // What the page before declared is not this one's.
  const identify = () => {
    const before = known;
    known = declared();
    path = location.pathname;
    article = (known !== before && known) || path;
  };

  // Perhaps another page of a single-page application, which has rendered it when the timer fires.
  const navigate = () =>
    setTimeout(() => {
      optedOut();
      if (location.pathname === path) return;
      identify();
      view();
      watch();
    });

  const start = () => {
    identify();
    // First in the head, so that the page's own rules win; its nonce is good for both.
    const style = Object.assign(document.createElement('style'), {nonce: script.nonce});
    style.textContent =
      '[data-viewcount-odometer]{display:inline-flex;font:bold 1.25em/1.5 monospace}' +
      '.viewcount-digit{overflow:hidden;height:1.5em;padding:0 .3em;color:#fff;background:#222}' +
      '.viewcount-wheel{display:block;white-space:pre;transition:transform 1s}' +
      '@media(prefers-reduced-motion:reduce){.viewcount-wheel{transition:none}}';
    document.head.prepend(style);

    optedOut();
    view();
    watch();
    for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function (...values) {
        original.apply(this, values);
        navigate();
      };
    }
    addEventListener('popstate', navigate);
    // Declared late, for the page that is shown; while the path is new already it is for the next.
    new MutationObserver(() => {
      if (location.pathname === path) known = declared();
    }).observe(document.head, {attributes: true, childList: true, subtree: true});
    // Back on a page that the browser had kept whole.
    addEventListener('pageshow', (event) => event.persisted && view());
    for (const name of ['visibilitychange', 'prerenderingchange']) {
      document.addEventListener(name, () => {
        if (unseen) record(unseen);
        watch();
      });
    }
  };

  window.viewcount = {
    record: (articleId) => record(articleId || article || declared() || location.pathname),
    refresh: watch,
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
