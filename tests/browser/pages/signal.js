// Tells the test, as views of articles of their own, how far the page is: loaded (so count.js has run), and activated
// after having been prerendered.
(() => {
  const signal = (article) =>
    fetch('/v1/sites/demo/views', {method: 'POST', body: JSON.stringify({articleId: article + location.search})});
  const prerendered = document.prerendering;
  addEventListener('load', () => signal(prerendered ? '/prerendered' : document.hidden ? '/hidden' : '/visible'));
  document.addEventListener('prerenderingchange', () => signal('/activated'));
})();
