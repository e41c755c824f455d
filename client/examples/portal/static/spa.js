// A small single-page application. It shows articles in place and writes their addresses into the browser's history.
// count.js notices these changes by itself. It requires that the address and the canonical address change together.
(() => {
  const reader = document.getElementById('reader');
  const canonical = document.querySelector('link[rel=canonical]');
  // The pages shown so far, by address. Going back therefore needs no request.
  const pages = new Map([[location.pathname, {title: document.title, canonical: canonical.href, article: null}]]);
  // Relative links would change their targets when the page's address changes.
  for (const element of document.querySelectorAll('a[href], link[href]')) {
    if (!element.getAttribute('href').startsWith('#')) element.setAttribute('href', element.href);
  }

  const load = async (address) => {
    const text = await (await fetch(address)).text();
    const page = new DOMParser().parseFromString(text, 'text/html');
    const article = document.importNode(page.querySelector('article'), true);
    // A parsed page has these elements with their contents, and would load the pictures.
    for (const element of article.querySelectorAll('noscript')) element.remove();
    for (const link of article.querySelectorAll('a')) link.href = new URL(link.getAttribute('href'), address);
    const {href} = page.querySelector('link[rel=canonical]');
    pages.set(new URL(address).pathname, {title: page.title, canonical: href, article});
  };

  const show = () => {
    const page = pages.get(location.pathname);
    document.title = page.title;
    canonical.href = page.canonical;
    reader.replaceChildren(...(page.article ? [page.article] : []));
  };

  document.querySelector('main nav').addEventListener('click', async (event) => {
    const link = event.target.closest('a');
    if (!link) return;
    event.preventDefault();
    try {
      if (!pages.has(link.pathname)) await load(link.href);
    } catch (error) {
      // On failure the browser loads the address itself, because it can show the problem better.
      location.href = link.href;
      return;
    }
    history.pushState(null, '', link.href);
    show();
  });
  addEventListener('popstate', show);
})();
