// Counts a page's view and shows counts on the page. One line in the page is enough:
//
//   <script async src="https://HOST/count.js" data-site="portal"></script>
//
// docs/count.js.md is the manual. The script fills these elements, now, whenever a number changes, and when such
// elements are added to the page:
//
//   <span data-viewcount></span>                                   views of this page
//   <span data-viewcount="/other?id=3"></span>                     views of the page with this address
//   <span data-viewcount="news:3933"></span>                       views of this article ID
//   <div data-viewcount-odometer data-digits=8 data-title=Views>   views of the site, on digit wheels; its visits
//                                                                  with data-show=visits
//   <a href="/f.pdf" data-viewcount-click>                         counts each click as a view of the link's address
//   <ol data-viewcount-popular></ol>                               most viewed articles; lists.js fills this list and
//                                                                  data-viewcount-newer and data-viewcount-earlier
//
// The service is the folder that this script comes from, or `data-api`. It makes the article ID of the page's address
// by the site's rule. The script reports <link rel=canonical> if there is one, or else the address without its
// fragment. `data-article` is an article ID that is used as it is.
//
// Options: `data-manual` (no view is reported automatically), `data-error-page` (this page is not reported),
// `data-hash` (#/… and #!/… in the address are pages), `data-allow-frame`, `data-allow-localhost`, `data-respect-dnt`.
// With `data-viewer=session`, a number of the tab distinguishes readers with one address, if the site allows it.
// Each option may also stand in the script's address: count.js?site=portal&hash. If the file is named numbers.js, the
// script uses the routes' second names, which content blockers do not know.
//
// For scripts of the page: viewcount.record(article) reports a view, viewcount.refresh() searches for new elements.
// viewcount('record', article) does the same, and a stub that collects such calls in viewcount.q may come earlier.
//
// A view is reported once the page is visible, not while it is in a hidden tab or prerendered, and never from automated
// browsers. A visitor who opens a page with #viewcount-off is not counted until #viewcount-on. Only that choice
// and the number of `data-viewer` are stored. The console has a warning if no view is reported, or if the service refuses something.
//
// Single-page applications: a changed path is a new page. A changed query is one if the service makes another article
// of it. The page's article is the canonical address if that changed since the page before, and else the address.
// Applications that declare their article late should set `data-manual` and call record.
//
// The language is ES2015. Comments have their own lines, and strings have single quotes: the served script has neither
// comments nor line ends nor needless blanks (cmake/embed_text.cmake).
(() => {
  // If the script is twice on a page, the second one stops here, so that the view is counted once. An element with the
  // ID viewcount is in window, too, but has no record.
  const stub = window.viewcount || 0;
  if (stub.record) return;

  const all = (selector) => document.querySelectorAll(selector);
  const make = (tag, values) => Object.assign(document.createElement(tag), values);
  const linkTo = (href) => make('a', {href});
  const say = (text) => console.warn('viewcount: ' + text);

  // Most proxies accept addresses up to about the first length without configuration, and IIS up to the second. A view
  // must get through.
  const urlMax = 8000;
  const viewUrlMax = 2000;
  // The service's limits of an article ID and of an address.
  const idBytesMax = 512;
  const addressBytesMax = 16384;
  // A body below this has less than 64 KiB. The longest address fits, in the longest spelling.
  const batchBytesMax = 60000;
  const retryMsMin = 3000;

  // An article's name is a pair of a kind and a value. The kind is articleId, address or canonicalAddress, as in bodies
  // and answers.
  const key = String;
  const query = (name) => name[0].replace(/Id|Address/, '') + '=' + encodeURIComponent(name[1]);

  // Finds the script's element. There is no current script in a module, and a wrong one under script loaders. Other
  // programs have files of this name, too.
  const scripts = [].concat(document.currentScript || [], ...document.scripts);
  const isOurs = (script) => /\/(count|numbers)(\.\w+)?\.js$/.test(linkTo(script.src).pathname);
  const hasSite = (script) => script.dataset.site || /[?&]site=/.test(script.src);
  const script =
    scripts.find((one) => isOurs(one) && hasSite(one)) || scripts.find(isOurs) || scripts.find(hasSite) || {};
  const file = script.src || '';

  const data = {};
  let base;
  try {
    base = new URL('.', file).href;
    new URL(file).searchParams.forEach((value, name) => {
      data[name.replace(/-./g, (part) => part[1].toUpperCase())] = value;
    });
  } catch (error) {
    // Without an address there is data-api.
  }
  Object.assign(data, script.dataset);
  if (data.api) base = linkTo(data.api.replace(/\/*$/, '/')).href;
  if (!data.site) return say('no site; add data-site to the script, or ?site=');
  if (!base) return say('no service; add data-api');
  const api = base + 'v1/sites/' + encodeURIComponent(data.site);
  const isNeutral = file.includes('/numbers.');

  // The article, address, path and query of the page that is shown.
  let article;
  let address;
  let path;
  let search;
  // The article that the page declared last.
  let known;
  // The article of a view that is reported when the page becomes visible. Only the last one is kept, because that one
  // will be visible.
  let unseen;
  let isErrorPage = 'errorPage' in data;
  // The element of lists.js.
  let lists;
  // The name of the article that the service asked the page to announce.
  let wanted;
  // The stream, and the articles that it or the polling has.
  let source;
  let watched;
  let isHeldBack = !window.EventSource;
  let timer;
  let retryMs = retryMsMin;
  // The status of the last request that the service refused. After 404 there are no more requests, because it does not
  // know the site.
  let refusal;
  // The number of requests that are not answered yet.
  let asking = 0;
  let updating;
  // The newest numbers by article, the article IDs of addresses, and the site's numbers.
  const counts = new Map();
  const ids = new Map();
  const totals = {};
  const said = {};

  // Writes a line to the console, once for each kind.
  const warn = (text, kind = text) => {
    if (!said[kind]) say(text);
    said[kind] = 1;
  };

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

  // Returns why no view is reported, or a false value. The host name of a file's address is empty.
  const reason = () =>
    optedOut()
      ? 'opted out; #viewcount-on undoes it'
      : self !== top && !('allowFrame' in data)
      ? 'no views from frames without data-allow-frame'
      : navigator.webdriver
      ? 'no views from automated browsers'
      : !('allowLocalhost' in data) && /^(localhost|127\..*|\[::1]|)$/.test(location.hostname)
      ? 'no views from localhost without data-allow-localhost'
      : 'respectDnt' in data && (navigator.doNotTrack === '1' || navigator.globalPrivacyControl)
      ? 'no views with Do Not Track'
      : '';

  // Returns the name of an article in an attribute or a call. With data-hash, a route is part of the name. It is
  // written as the service writes paths, but for campaign parameters.
  const isRoute = (hash) => 'hash' in data && /^#!?\//.test(hash);
  const nameOf = (text) => {
    const link = 'hash' in data && linkTo(text);
    if (isRoute(link.hash)) {
      const campaign = /\b(utm_\w+|fbclid|gclid)=[^&]*&?/g;
      text = link.pathname + link.hash.replace(campaign, '').replace(/[?&]+$/, '');
      try {
        text = decodeURI(text).normalize();
      } catch (error) {
        // It has an escape of no character.
      }
      return ['articleId', text];
    }
    return /^(\/|https?:)/i.test(text) ? ['address', text.split('#')[0]] : ['articleId', text];
  };
  // Returns the article that the page declares, or a false value.
  const declared = () => {
    const link = all('link[rel~=canonical]')[0];
    if (data.article) return ['articleId', data.article];
    return link && link.href && !isRoute(location.hash) && ['canonicalAddress', link.href.split('#')[0]];
  };
  const own = () => article || declared() || nameOf(location.href);
  const nameOfElement = (element) => (element.dataset.viewcount ? nameOf(element.dataset.viewcount) : own());
  const pathOf = () => location.pathname + (isRoute(location.hash) ? location.hash : '');
  // Anchors, which are fragments that are no routes, belong to the page that is shown.
  const isHere = () =>
    location.search === search && (pathOf() === path || (location.hash && pathOf() === path.split('#')[0]));

  // Returns false for what the service would refuse, so that other numbers are shown nevertheless.
  const isValid = (name) => {
    let bytes = 0;
    try {
      bytes = encodeURIComponent(name[1]).replace(/%../g, 1).length;
    } catch (error) {
      // It has half a character.
    }
    const bytesMax = name[0] === 'articleId' ? idBytesMax : addressBytesMax;
    const valid = bytes && bytes <= bytesMax && !/[\0-\x1f\x7f-\x9f]/.test(name[1]);
    if (!valid) warn('left out, too long or not valid: ' + name[1].slice(0, 80));
    return valid;
  };

  // Adds the articles that the page shows to `names`, by key, and returns them.
  const shown = (names = new Map()) => {
    for (const element of all('[data-viewcount]')) {
      const name = nameOfElement(element);
      if (!names.has(key(name)) && isValid(name)) names.set(key(name), name);
    }
    return names;
  };
  const hasOdometer = () => all('[data-viewcount-odometer]')[0];

  // Formats the number in the page's language. If that is not a valid language, the browser's applies.
  const format = (number) => {
    try {
      return number.toLocaleString(document.documentElement.lang || []);
    } catch (error) {
      return number.toLocaleString();
    }
  };

  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  // No style of the page applies inside of the odometer, unless the page names its parts. A Content-Security-Policy
  // does not forbid styles that a script sets.
  const create = (parent, part, style, before) => {
    const element = parent.insertBefore(make('span'), before || null);
    element.setAttribute('part', part);
    element.style.cssText = style;
    return element;
  };

  // Returns the odometer's box of wheels, or undefined if the element can have none. The element's own text is there
  // for selections and search, but out of sight.
  const boxOf = (odometer) => {
    if (!odometer.shadowRoot) {
      try {
        const root = odometer.attachShadow({mode: 'open'});
        const box = create(
          root,
          'odometer',
          'all:initial;visibility:inherit;direction:ltr;display:inline-flex;vertical-align:top;' +
            'font:bold 1.25em/1.5 monospace'
        );
        create(box, 'text', 'position:absolute;opacity:0').appendChild(make('slot'));
      } catch (error) {
        return;
      }
    }
    return odometer.shadowRoot.firstChild;
  };

  // Turns the wheels forward only, like an odometer. Each wheel has its digits twice, and is set back without animation
  // before it turns.
  const roll = (odometer, total) => {
    const text = format(total);
    odometer.setAttribute('role', 'img');
    odometer.setAttribute('aria-label', ((odometer.dataset.title || '') + ' ' + text).trim());
    write(odometer, text);
    const box = boxOf(odometer);
    const size = Math.max(String(total).length, Math.min(+odometer.dataset.digits || 8, 16));
    const digits = ('0'.repeat(size) + total).slice(-size);
    if (!box || box.digits === digits) return;
    box.digits = digits;
    const windows = [...box.childNodes].slice(1);
    while (windows.length > size) box.removeChild(windows.shift());
    while (windows.length < size) {
      const digit = create(
        box,
        'digit',
        'overflow:hidden;height:1.5em;padding:0 .3em;color:#fff;background:#222',
        windows[0]
      );
      create(digit, 'wheel', 'display:block;white-space:pre;-webkit-user-select:none').textContent = [
        ...'01234567890123456789',
      ].join('\n');
      windows.unshift(digit);
    }
    const motion = matchMedia('(prefers-reduced-motion:reduce)').matches ? 'none' : 'transform 1s';
    const turn = (wheel, at, transition) => {
      wheel.at = at;
      wheel.style.transition = transition;
      wheel.style.transform = 'translateY(' + at * -5 + '%)';
    };
    const wheels = windows.map((digit) => digit.firstChild);
    wheels.forEach((wheel) => turn(wheel, (wheel.at || 0) % 10, 'none'));
    // Reading the layout makes the transition start from this position.
    odometer.offsetWidth;
    wheels.forEach((wheel, i) => turn(wheel, +digits[i] + (digits[i] < wheel.at ? 10 : 0), motion));
  };

  // Writes the newest numbers into the page.
  const fill = () => {
    for (const element of all('[data-viewcount]')) {
      const views = counts.get(key(nameOfElement(element)));
      if (views >= 0) write(element, format(views));
    }
    for (const odometer of all('[data-viewcount-odometer]')) {
      const total = totals[odometer.dataset.show || 'views'];
      if (total) roll(odometer, total);
    }
    // The changes made here are no news.
    observer.takeRecords();
  };

  // Takes the numbers of an answer: of counts, stats or views, or a message of the stream. 64-bit numbers are strings,
  // and a 0 may be absent.
  const take = (answer) => {
    if (answer.hint) warn(answer.hint);
    if (answer.describe) {
      wanted = own();
      list();
    }
    for (const count of answer.counts || []) {
      const kind = ['address', 'canonicalAddress', 'articleId'].find((field) => count[field]);
      const name = key([kind, count[kind]]);
      if (count.error) warn('left out, ' + count.error + ': ' + count[kind].slice(0, 80));
      counts.set(name, count.error ? -1 : +count.views || 0);
      ids.set(name, count.articleId);
    }
    totals.views = +(answer.siteViews || (answer.views || 0).total) || totals.views;
    totals.visits = +(answer.siteVisits || (answer.visits || 0).total) || totals.visits;
    fill();
  };

  // Sends a request, and shows its answer. The promise is kept in any case. The stream waits until all requests are
  // answered.
  const ask = (url, options) => {
    ++asking;
    return fetch(url, options)
      .then((response) =>
        response.json().then((answer) => {
          if (response.ok) return take(answer);
          warn(answer.detail, 'answer');
          refusal = response.status;
        })
      )
      .catch(() => {
        // Pages of a foreign origin may not read some answers.
        if (refusal === 403) refusal = 404;
        warn('no answer; check ' + api + '/stats and --origin ' + location.origin, 'answer');
      })
      .then(() => --asking || watch());
  };

  // Adds articles to an address, and returns it with those that do not fit.
  const fit = (url, names, max = urlMax) => {
    const rest = [];
    names.forEach((name) => {
      const longer = url + (url.includes('?') ? '&' : '?') + query(name);
      if (longer.length < max) url = longer;
      else rest.push(name);
    });
    return [url, rest];
  };

  // Requests counts of any number of articles. Adding 60 to each name's length limits their number to 1,000.
  const askRest = (names) => {
    if (!names.length || !window.fetch) return;
    const body = {};
    let bytes = 0;
    while (names.length && (bytes += encodeURIComponent(names[0][1]).length + 60) < batchBytesMax) {
      const name = names.shift();
      const list = name[0] + (name[0] === 'articleId' ? 's' : 'es');
      (body[list] = body[list] || []).push(name[1]);
    }
    ask(api + '/counts:batchGet', {method: 'POST', body: JSON.stringify(body)});
    askRest(names);
  };

  // Requests all numbers of the page once, and then keeps them up to date.
  const show = () => {
    if (!window.fetch || refusal === 404) return watch();
    const fitting = fit(api + '/counts', shown());
    askRest(fitting[1]);
    if (fitting[0].includes('?')) ask(fitting[0]);
    if (hasOdometer()) ask(api + '/stats');
  };

  // Shows everything again after a random time from `ms` to twice as long.
  const later = (ms) => {
    timer = setTimeout(() => {
      close();
      show();
    }, ms * (1 + Math.random()));
  };

  const close = () => {
    if (source) source.close();
    watched = source = 0;
    clearTimeout(timer);
  };

  // Keeps the numbers up to date while the page is visible. There is one stream for all of them, because browsers allow
  // six connections per host. Articles that do not fit into the stream's address are requested once.
  const watch = () => {
    const names = shown();
    if (!isSeen() || refusal === 404 || !(names.size || hasOdometer())) return close();
    if (asking || (watched && [...names.keys()].every((name) => watched.has(name)))) return;
    close();
    watched = names;
    const fitting = isHeldBack ? [0, [...names.values()]] : fit(api + '/live' + session(), names);
    askRest(fitting[1].filter((name) => !counts.has(key(name))));
    if (isHeldBack) return later(15000);
    source = new EventSource(fitting[0]);
    // A stream without a message for this time is held back by a proxy.
    timer = setTimeout(() => {
      isHeldBack = true;
      close();
      show();
    }, 5000);
    source.onmessage = (event) => {
      clearTimeout(timer);
      retryMs = retryMsMin;
      take(JSON.parse(event.data));
    };
    // By default browsers would reconnect every few seconds forever, and all of them at the same time.
    source.onerror = () => {
      source.close();
      clearTimeout(timer);
      later(retryMs);
      retryMs = Math.min(retryMs * 2, 300000);
    };
  };

  // Returns the query that distinguishes readers with one address and equal browsers, or an empty text. The random
  // number lives as long as the tab. Storage may be forbidden.
  const session = () => {
    try {
      if (data.viewer !== 'session') return '';
      const number = sessionStorage['viewcount-viewer'] || crypto.getRandomValues(new Uint32Array(2)).join('');
      return '?session=' + (sessionStorage['viewcount-viewer'] = number);
    } catch (error) {
      return '';
    }
  };

  // Reports a view. The answer has the page's numbers, with this view in them. It is never sent again after an error,
  // because the first request may have arrived. The origin that a beacon names depends on the page's Referrer-Policy,
  // and may be null. A fetch names the true one.
  const record = (name) => {
    unseen = name;
    if (!isSeen()) return;
    unseen = 0;
    const why = reason();
    if (why) warn(why);
    if (why || !isValid(name)) return show();
    const url = api + (isNeutral ? '/numbers' : '/views') + session();
    const body = JSON.stringify({[name[0]]: name[1]});
    if (window.fetch && 'keepalive' in Request.prototype) {
      const fitting = fit(url, shown(new Map([[key(name), name]])), viewUrlMax);
      askRest(fitting[1]);
      return ask(fitting[0], {method: 'POST', body, keepalive: true}).then(() => counts.has(key(name)) || show());
    }
    if (!navigator.sendBeacon || !navigator.sendBeacon(url, body))
      new Image().src = fit(api + (isNeutral ? '/dot.gif' : '/pixel.gif') + session(), [name])[0];
    show();
  };

  // Has lists.js fill the page's lists. The first list loads it, from the service. The page's Content-Security-Policy
  // and Subresource Integrity apply to it as to this script. The service inserts its hash. The query keeps caches from
  // returning another version than this script's.
  const list = () => {
    if (run.lists) run.lists(api, nameOf, isErrorPage ? 0 : own(), wanted);
    else if (!lists && (wanted || all('[data-viewcount-popular],[data-viewcount-newer],[data-viewcount-earlier]')[0]))
      lists = document.head.appendChild(
        make('script', {
          src: base + (isNeutral ? 'more' : 'lists') + '.js?' + script.integrity,
          nonce: script.nonce,
          crossOrigin: '',
          integrity: script.integrity && 'sha256-LISTS',
        })
      );
  };

  const view = () => {
    setTimeout(list);
    'manual' in data || isErrorPage ? show() : record(article);
  };

  // Determines the page's article. A declaration that is unchanged since the page before belongs to that page.
  const identify = () => {
    const before = known;
    known = declared();
    address = location.href;
    path = pathOf();
    search = location.search;
    return key(known) !== key(before) && known;
  };

  // Handles a possible change of the page in a single-page application. When the timer fires, the application has
  // rendered the new page. If only the query changed, the service knows whether it is another article.
  const navigate = () =>
    setTimeout(() => {
      optedOut();
      if (isHere()) return;
      const turn = (name) => {
        article = name;
        isErrorPage = false;
        view();
      };
      const before = nameOf(address);
      const isSamePath = pathOf() === path;
      const declaration = identify();
      const next = declaration || nameOf(address);
      if (!isSamePath) return turn(next);
      const names = [declaration ? article : before, next];
      if (!window.fetch || key(names[0]) === key(names[1]) || !names.every(isValid)) return;
      const here = address;
      ask(fit(api + '/counts', names)[0]).then(() => {
        const id = names.map((name) => ids.get(key(name)));
        if (id[0] && id[1] && id[0] !== id[1] && here === address) turn(next);
      });
    });

  // Elements may come at any time. A page may also declare its article late: while the path is already new, the
  // declaration belongs to the next page.
  const observer = new MutationObserver(() => {
    if (isHere()) known = declared();
    updating =
      updating ||
      setTimeout(() => {
        updating = 0;
        refresh();
      }, 200);
  });

  const refresh = () => {
    fill();
    watch();
    list();
  };

  const start = () => {
    article = identify() || nameOf(location.href);
    observer.observe(document, {
      childList: true,
      subtree: true,
      characterData: true,
      attributes: true,
      attributeFilter: ['data-viewcount', 'data-viewcount-odometer', 'rel', 'href'],
    });
    view();
    for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function (...values) {
        original.apply(this, values);
        navigate();
      };
    }
    const on = (target, names, listener) => names.forEach((name) => target.addEventListener(name, listener, true));
    on(window, ['popstate'], navigate);
    // The visitor went back to a page that the browser had kept in memory.
    on(window, ['pageshow'], (event) => event.persisted && view());
    on(document, ['visibilitychange', 'prerenderingchange'], () =>
      unseen && isSeen() ? record(unseen) : isHeldBack && isSeen() ? show() : watch()
    );
    // Links are also opened with the middle button. The second click of a double click does not count.
    on(document, ['click', 'auxclick'], ({button, detail, target}) => {
      const link = button < 2 && detail < 2 && target.closest && target.closest('[data-viewcount-click]');
      if (link) record(nameOf(link.dataset.viewcountClick || link.href || ''));
    });
    for (const values of stub.q || []) run(...values);
  };

  const run = (window.viewcount = (command, ...values) => run[command](...values));
  run.record = (name) => record(name ? nameOf(name) : own());
  run.refresh = refresh;
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
