// Fills «Đọc nhiều nhất» from viewcount's list of popular pages. It knows pages by their IDs; headlines are those that
// stand on this page, so what has none here is left out.
(() => {
  // More than are shown, as the front page and pages of other programs are in the list too.
  const asked = 100;
  const shown = 8;

  const headlines = new Map();
  for (const link of document.querySelectorAll('a[href^="tin/"]')) headlines.set('/' + link.getAttribute('href'), link);

  const item = (id) => {
    const link = headlines.get(id);
    const views = document.createElement('span');
    views.dataset.viewcount = id;
    const facts = document.createElement('span');
    facts.className = 'facts';
    facts.append(views, ' lượt xem');
    const anchor = document.createElement('a');
    anchor.href = link.href;
    anchor.textContent = link.textContent;
    const element = document.createElement('li');
    element.append(anchor, ' ', facts);
    return element;
  };

  fetch('/v1/sites/demo/popular?pageSize=' + asked)
    .then((response) => response.json())
    .then(({articles}) => {
      const known = articles.map((article) => article.articleId).filter((id) => headlines.has(id));
      if (!known.length) return;
      const section = document.getElementById('popular');
      section.querySelector('ol').append(...known.slice(0, shown).map(item));
      section.hidden = false;
      // Else count.js is yet to look for spans.
      if (window.viewcount) viewcount.refresh();
    })
    .catch(() => {
      // Without the service the page is complete but for this list.
    });
})();
