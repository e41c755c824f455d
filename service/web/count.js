// Counts a page's view and shows counts on the page. One line in the page is enough:
//
//   <script async src="https://HOST/count.js" data-site="portal"></script>
//
// The service is the host that this script comes from. The article is `data-article`, or else the path of
// <link rel=canonical>, or else the path of the page's address. The script fills these elements, now and whenever a
// number changes:
//
//   <span data-viewcount></span>                                   views of this page
//   <span data-viewcount="/other"></span>                          views of another article
//   <div data-viewcount-odometer data-digits=8 data-title=Views>   views of the site, on digit wheels; its visits
//                                                                  with data-show=visits
//
// Options: `data-manual` (no view is reported automatically), `data-allow-localhost`, `data-respect-dnt`. For scripts
// of the page: viewcount.record(article) reports a view, viewcount.refresh() searches for new spans. A view is reported
// once the page is visible. It is not reported while the page is in a hidden tab or prerendered, and never from frames
// or automated browsers. A visitor who opens a page with #viewcount-off is not counted until #viewcount-on. Nothing but
// that choice is stored.
//
// Single-page applications: a changed path is a new page. Its article is the one that the page declares, if that
// differs from the declaration of the page before. Otherwise the article is the path. Applications that declare their
// article late should set `data-manual` and call record.
//
// The language is ES2017. Comments have their own lines, and no string spans lines: the served script has neither
// comments nor indentation.
(() => {
  // If the script is twice on a page, the second one stops here, so that the view is counted once. An element with the
  // ID viewcount is in window, too, but has no record.
  if ((window.viewcount || 0).record) return;

  const script = document.currentScript;
  const data = script.dataset;
  const api = new URL(script.src).origin + '/v1/sites/' + encodeURIComponent(data.site);
  // Proxies accept addresses up to about this length without configuration.
  const urlMax = 8000;
  // A request to counts:batchGet with this many IDs stays below 64 KiB, however long the IDs are.
  const articlesMax = 100;
  const retryMsMin = 3000;
  const retryMsMax = 300000;

  // The article and path of the page that is shown.
  let article;
  let path;
  // The article that the page declared last.
  let known;
  // The article of a view that is reported when the page becomes visible. Only the last one is kept, because that one
  // will be visible.
  let unseen;
  let source;
  let timer;
  let retryMs = retryMsMin;

  const all = (selector) => document.querySelectorAll(selector);

  const isSeen = () => !document.hidden && !document.prerendering;

  // Also stores the choice that the visitor made in the address. Storage may be forbidden.
  const optedOut = () => {
    try {
      if (location.hash === '#viewcount-off') localStorage['viewcount-off'] = 1;
      if (location.hash === '#viewcount-on') delete localStorage['viewcount-off'];
      return localStorage['viewcount-off'];
    } catch (error) {
      return location.hash === '#viewcount-off';
    }
  };

  // The host name of a file's address is empty.
  const isSkipped = () =>
    optedOut() ||
    self !== top ||
    navigator.webdriver ||
    (!('allowLocalhost' in data) && /^(localhost|127\.0\.0\.1|\[::1]|)$/.test(location.hostname)) ||
    ('respectDnt' in data && (navigator.doNotTrack === '1' || navigator.globalPrivacyControl));

  // Returns the article that the page declares, or a false value. An <a> parses any address without an exception.
  const declared = () => {
    const link = all('link[rel~=canonical]')[0];
    return data.article || (link && Object.assign(document.createElement('a'), {href: link.href}).pathname);
  };

  // Formats the number in the page's language. If that is not a valid language, the browser's applies.
  const format = (number) => {
    try {
      return number.toLocaleString(document.documentElement.lang || []);
    } catch (error) {
      return number.toLocaleString();
    }
  };

  const create = (parent, name) =>
    Object.assign(parent.appendChild(document.createElement('span')), {className: 'viewcount-' + name});

  // Turns the wheels forward only, like an odometer. Each wheel has its digits twice, and is set back without animation
  // before it turns.
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
    // No style applies, neither ours nor the page's, because the Content-Security-Policy forbids it.
    if (getComputedStyle(wheels[0]).display !== 'block') odometer.textContent = digits;
    const turn = (wheel, at, transition) => {
      wheel.at = at;
      wheel.style.transition = transition;
      wheel.style.transform = 'translateY(' + at * -5 + '%)';
    };
    for (const wheel of wheels) turn(wheel, (wheel.at || 0) % 10, 'none');
    // Reading the layout makes the transition start from this position.
    odometer.offsetWidth;
    wheels.forEach((wheel, i) => turn(wheel, +digits[i] + (digits[i] < wheel.at ? 10 : 0), ''));
  };

  // Shows the counts of a WatchCountsResponse, GetCountsResponse or GetSiteStatsResponse. 64-bit numbers are strings,
  // and a 0 may be absent.
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

  // Sends a request and shows its answer. With a body it is a POST of text/plain, which needs no preflight.
  const ask = (route, body, keepalive) =>
    fetch(api + route, body && {method: 'POST', body: JSON.stringify(body), keepalive})
      .then((response) => response.json())
      .then(take)
      .catch(() => {});

  const query = (articleId) => 'article=' + encodeURIComponent(articleId);

  // Sends a view. It is never sent again after an error, because the first request may have arrived. The origin that a
  // beacon names depends on the page's Referrer-Policy, and may be null. A fetch names the true one.
  const send = (articleId) => {
    const body = {articleId};
    if (window.fetch && 'keepalive' in Request.prototype) ask('/views', body, true);
    else if (!navigator.sendBeacon || !navigator.sendBeacon(api + '/views', JSON.stringify(body)))
      new Image().src = api + '/pixel.gif?' + query(articleId);
  };

  const record = (articleId) => {
    unseen = articleId;
    if (!isSeen()) return;
    unseen = '';
    if (!isSkipped()) send(articleId);
  };

  const view = () => 'manual' in data || record(article);

  // Requests the counts that the page shows. There is one stream for all of them, and only while the page is visible,
  // because browsers allow six connections per host. Articles that do not fit into the stream's address are requested
  // once.
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
    // By default browsers would reconnect every few seconds forever, and all of them at the same time.
    source.onerror = () => {
      source.close();
      timer = setTimeout(watch, retryMs * (1 + Math.random()));
      retryMs = Math.min(retryMs * 2, retryMsMax);
    };
  };

  // Determines the page's article. A declaration that is unchanged since the page before belongs to that page.
  const identify = () => {
    const before = known;
    known = declared();
    path = location.pathname;
    article = (known !== before && known) || path;
  };

  // Handles a possible change of the page in a single-page application. When the timer fires, the application has
  // rendered the new page.
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
    // The style comes first in the head, so that the page's own rules override it. The script's nonce is valid for it,
    // too.
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
    // A page may declare its article late. While the path is already new, the declaration belongs to the next page.
    new MutationObserver(() => {
      if (location.pathname === path) known = declared();
    }).observe(document.head, {attributes: true, childList: true, subtree: true});
    // The visitor went back to a page that the browser had kept in memory.
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
