// Fills «Đọc nhiều nhất» with viewcount's list of popular pages. The list contains page IDs only. The headlines come
// from the links on this page, so pages without a link here are left out.
(() => {
  // More pages are requested than are shown. The list also contains the front page and pages of other programs.
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
      // If count.js has not run yet, it will find the new elements itself.
      if (window.viewcount) viewcount.refresh();
    })
    .catch(() => {
      // Without the service the page lacks only this list.
    });
})();
