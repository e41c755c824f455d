// Fills lists of articles. count.js loads this script by itself when the page has one of these elements:
//
//   <ol data-viewcount-popular data-window="7d" data-section="Sport" data-limit="8"></ol>   most viewed articles
//   <ul data-viewcount-newer></ul>                     articles that were published after the page's article
//   <ul data-viewcount-earlier></ul>                   articles that were published before it
//   <ul data-viewcount-earlier="/other?id=3"></ul>     articles that were published before this one
//   <ul data-viewcount-earlier data-around="now"></ul> the newest articles
//
// docs/count.js.md is the manual. A list keeps its content until the answer arrives, and after a failure. Texts of
// articles never become markup, and only http and https become links.
//
// Each distinct question is one request. Elements that differ in `data-limit` only have the same question. The most
// viewed articles are requested again when the page becomes visible again after a minute.
//
// The language is ES2015, and the served script is stripped like count.js (cmake/embed_text.cmake).
(() => {
  const main = window.viewcount;
  if (!main || !main.refresh || main.lists) return;

  const reloadMs = 60000;
  const popularLimit = 10;
  const neighboursLimit = 5;
  const selector = ['popular', 'newer', 'earlier'].map((kind) => '[data-viewcount-' + kind + ']').join();

  // The service's address of the site, the function that names an article as count.js does, and the page's article.
  let api;
  let nameOf;
  let own;
  // Requests by their address without sizes: the sizes that were asked for, the time, and the answer when it is there.
  const requests = new Map();
  // The answer and the limit that an element shows.
  const shown = new WeakMap();
  const said = {};

  // Writes a line to the console, once for each text.
  const warn = (text) => {
    if (!said[text]) console.warn('viewcount: ' + text);
    said[text] = 1;
  };

  // Returns the beginning of a request's address, to which the sizes are added.
  const address = (route, pairs) =>
    api + '/' + route + '?' + pairs.map((pair) => pair[0] + '=' + encodeURIComponent(pair[1]) + '&').join('');

  const windowOf = (name) => {
    if (name === 'all') return ['window.allTime', 'true'];
    return name === 'day' ? ['window.day', ''] : ['window.last', name];
  };

  // Returns the article between newer and earlier ones, or a false value for the present time.
  const middleOf = (dataset, value) => {
    if (dataset.around === 'now') return 0;
    if (dataset.around) throw new Error('data-around must be "now", not "' + dataset.around + '"');
    if (dataset.article) return ['articleId', dataset.article];
    return value ? nameOf(value) : own;
  };

  // Returns an element's question: the request without sizes, the names of the sizes, and where the answer has the
  // articles. Throws an error with a text for the page's author.
  const questionOf = ({dataset}) => {
    const isPopular = 'viewcountPopular' in dataset;
    const isNewer = !isPopular && 'viewcountNewer' in dataset;
    const limit = +(dataset.limit || (isPopular ? popularLimit : neighboursLimit));
    if (!(limit >= 1)) throw new Error('data-limit must be a number from 1, not "' + dataset.limit + '"');
    const pairs = [];
    const add = (name, value) => value && pairs.push([name, value]);
    add('section', dataset.section);
    if (isPopular) {
      add('author', dataset.author);
      add('tag', dataset.tag);
      add('language', dataset.language);
      add('publishedWithin', dataset.publishedWithin);
      pairs.push(windowOf(dataset.window || '24h'));
      return {url: address('popular', pairs), sizes: ['pageSize'], size: 'pageSize', field: 'articles', limit};
    }
    const middle = middleOf(dataset, isNewer ? dataset.viewcountNewer : dataset.viewcountEarlier);
    if (middle) add(middle[0].replace(/Id|Address/, ''), middle[1]);
    else if (isNewer) throw new Error('data-viewcount-newer needs an article');
    return {
      url: address('articles', pairs),
      sizes: ['before', 'after'],
      size: isNewer ? 'after' : 'before',
      field: isNewer ? 'newer' : 'earlier',
      limit,
    };
  };

  // Returns the address if it is a page's, or an empty text for others, such as javascript:.
  const safe = (text) => {
    try {
      const url = new URL(text, document.baseURI);
      return /^https?:$/.test(url.protocol) ? url.href : '';
    } catch (error) {
      return '';
    }
  };

  // Returns the address of an article's page, or an empty text. An ID that is a path is one of this host. Any visitor
  // may have reported it, so it must not lead to another host.
  const pageOf = (article) => {
    const url = article.url && safe(article.url);
    if (url || article.articleId[0] !== '/') return url;
    const page = safe(article.articleId);
    return page && new URL(page).origin === location.origin ? page : '';
  };

  // Calls `write` with the page's language. If that is not a valid one, the browser's applies.
  const inLanguage = (write) => {
    try {
      return write(document.documentElement.lang || []);
    } catch (error) {
      return write([]);
    }
  };

  const make = (tag, name, values) =>
    Object.assign(document.createElement(tag), {className: 'viewcount-' + name}, values);

  const titleOf = (article, hasImage) => {
    const href = pageOf(article);
    const image = hasImage && article.imageUrl && safe(article.imageUrl);
    const title = href ? make('a', 'title', {href}) : make('span', 'title');
    if (image) title.append(make('img', 'image', {alt: '', loading: 'lazy', src: image}), ' ');
    title.append(article.title || article.articleId);
    return title;
  };

  const itemOf = (article, hasImage) => {
    const item = make('li', 'item');
    item.append(titleOf(article, hasImage));
    const time = new Date(article.publishTime || '');
    if (time >= 0) {
      const form = {day: '2-digit', month: '2-digit', year: 'numeric'};
      const textContent = inLanguage((language) => time.toLocaleDateString(language, form));
      item.append(' ', make('time', 'date', {dateTime: article.publishTime, textContent}));
    }
    // 64-bit numbers are strings, and a 0 may be absent.
    const views = +article.views || 0;
    const textContent = inLanguage((language) => views.toLocaleString(language));
    item.append(' ', make('span', 'views', {textContent}));
    return item;
  };

  const hasItems = (element) => element.querySelector('.viewcount-item');

  // Writes the articles into the element. An empty answer removes only items of this script.
  const show = (element, answer, {field, limit}) => {
    const articles = (answer[field] || []).slice(0, limit);
    const before = shown.get(element) || {};
    const isShown = before.answer === answer && before.field === field && before.limit === limit;
    if (isShown && (hasItems(element) || !articles.length)) return;
    // A reader who uses the keyboard is in the list, and would lose the place. A later call replaces it.
    if (element.contains(document.activeElement)) return;
    shown.set(element, {answer, field, limit});
    if (articles.length || hasItems(element)) element.textContent = '';
    element.append(...articles.map((article) => itemOf(article, 'image' in element.dataset)));
    if (articles.length) element.removeAttribute('data-viewcount-empty');
    else element.setAttribute('data-viewcount-empty', '');
  };

  const ask = (url, sizes) => {
    const request = {sizes, at: Date.now()};
    requests.set(url, request);
    const whole = url + Object.keys(sizes).map((name) => name + '=' + sizes[name]).join('&');
    fetch(whole)
      .then((response) =>
        response.json().then((answer) => {
          if (response.ok) request.answer = answer;
          else warn(answer.detail);
        })
      )
      .catch(() => warn('no answer; check ' + whole + ' and --origin ' + location.origin))
      .then(fill);
  };

  // Fills all lists that have an answer, and asks for those that have none.
  const fill = () => {
    if (document.hidden || document.prerendering || !window.fetch) return;
    const missing = new Map();
    for (const element of document.querySelectorAll(selector)) {
      try {
        const question = questionOf(element);
        const request = requests.get(question.url) || {sizes: {}};
        const sizes = missing.get(question.url) || Object.assign({}, request.sizes);
        for (const name of question.sizes) sizes[name] = sizes[name] || 0;
        if (question.limit <= request.sizes[question.size]) {
          if (request.answer) show(element, request.answer, question);
        } else {
          sizes[question.size] = Math.max(sizes[question.size], question.limit);
          missing.set(question.url, sizes);
        }
      } catch (error) {
        warn(error.message);
      }
    }
    missing.forEach((sizes, url) => ask(url, sizes));
  };

  const revisit = () => {
    if (document.hidden) return;
    requests.forEach((request, url) => {
      const isStale = Date.now() - request.at >= reloadMs && (!request.answer || 'pageSize' in request.sizes);
      if (isStale) requests.delete(url);
    });
    fill();
  };
  for (const name of ['visibilitychange', 'prerenderingchange']) document.addEventListener(name, revisit);

  main.lists = (...values) => {
    [api, nameOf, own] = values;
    // The service asked the page to announce this article.
    if (values[3]) main.describe(api, values[3]);
    fill();
  };
  main.refresh();
})();
