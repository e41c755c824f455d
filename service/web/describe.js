// Announces the page to the service, if the service asks for it: its title, sections, authors, tags, picture, language and
// time of publication. count.js loads this script together with lists.js, of which it is the beginning.
//
// The texts are those of the page's Open Graph and article properties, of a NewsArticle in JSON-LD, and of its title. The
// service takes them only for sites with `page_announcements`, and only where the portal's servers announced nothing.
//
// The language is ES2015, and the served script is stripped like count.js (cmake/embed_text.cmake).
(() => {
  const main = window.viewcount;
  if (!main || !main.refresh || main.describe) return;

  // The service's limits.
  const titleBytesMax = 1000;
  const labelBytesMax = 200;
  const labelsMax = 32;
  const urlBytesMax = 2000;
  const languageBytesMax = 35;

  // The articles that were announced.
  const done = {};

  const all = (selector) => [...document.querySelectorAll(selector)];
  const text = (value) => (typeof value === 'string' ? value.trim().replace(/[\0-\x1f\x7f-\x9f\s]+/g, ' ') : '');

  // Returns the beginning of a text that has at most so many bytes. A text with half a character is left out.
  const cut = (value, bytesMax) => {
    try {
      const characters = [...value];
      const bytes = () => encodeURIComponent(characters.join('')).replace(/%../g, 1).length;
      while (bytes() > bytesMax) characters.pop();
      return characters.join('');
    } catch (error) {
      return '';
    }
  };

  const properties = (name) =>
    all('meta[property="' + name + '"],meta[name="' + name + '"]').map((element) => text(element.content));
  const property = (name) => properties(name).filter(Boolean)[0] || '';

  // Returns the first article among the values of JSON-LD, or an empty object.
  const articleOf = (values) => {
    for (const value of values) {
      if (!value || typeof value !== 'object') continue;
      if ([].concat(value['@type'] || []).some((type) => /Article$|BlogPosting$/.test(type))) return value;
      const inner = articleOf([].concat(Array.isArray(value) ? value : value['@graph'] || []));
      if (inner['@type']) return inner;
    }
    return {};
  };
  const linkedData = () =>
    articleOf(
      all('script[type="application/ld+json"]').map((element) => {
        try {
          return JSON.parse(element.textContent);
        } catch (error) {
          return 0;
        }
      })
    );

  // Returns different labels within the limits. Addresses are no labels, although article:author may be one.
  const labels = (values) =>
    [...new Set(values.map((value) => cut(text(value), labelBytesMax)))]
      .filter((value) => value && !/^https?:/i.test(value))
      .slice(0, labelsMax);
  const firstOf = (...lists) => lists.map(labels).filter((list) => list.length)[0] || [];
  const list = (value) => [].concat(value || []);
  const nameOf = (value) => (value && value.name) || value;

  const imageOf = (value) => {
    const first = list(value)[0];
    try {
      const url = new URL(text((first && first.url) || first) || 'none:', document.baseURI);
      return /^https?:$/.test(url.protocol) && url.href.length <= urlBytesMax ? url.href : '';
    } catch (error) {
      return '';
    }
  };

  const timeOf = (value) => {
    const time = new Date(text(value));
    return time > 0 && time.getUTCFullYear() < 10000 ? time.toISOString() : undefined;
  };

  const describe = () => {
    const data = linkedData();
    const keywords = typeof data.keywords === 'string' ? data.keywords.split(',') : list(data.keywords);
    const language = document.documentElement.lang || property('og:locale').replace('_', '-');
    return {
      title: cut(property('og:title') || text(data.headline) || text(document.title), titleBytesMax),
      sections: firstOf(properties('article:section'), list(data.articleSection)),
      authors: firstOf(properties('article:author'), list(data.author).map(nameOf), properties('author')),
      tags: firstOf(properties('article:tag'), keywords),
      imageUrl: imageOf(property('og:image')) || imageOf(data.image),
      language: language.length <= languageBytesMax ? language : '',
      publishTime: timeOf(property('article:published_time') || data.datePublished),
    };
  };

  // Announces the article of that name once, if the name is the page's own address.
  main.describe = (api, name) => {
    const address = location.href.split('#')[0];
    if (done[name] || name[0] === 'articleId' || (name[0] === 'address' && name[1] !== address)) return;
    done[name] = 1;
    const page = Object.assign(describe(), {address, [name[0]]: name[1]});
    if (!page.title) return;
    const failed = (why) => console.warn('viewcount: the page is not announced: ' + why);
    fetch(api + '/pages', {method: 'POST', body: JSON.stringify(page), keepalive: true})
      .then((response) => response.ok || response.json().then((answer) => failed(answer.detail)))
      .catch(() => failed('no answer'));
  };
})();
