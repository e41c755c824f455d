// Reports the state of the page to the test, as views of special articles. The states are loaded (so count.js has run),
// and activated after prerendering.
(() => {
  const signal = (article) =>
    fetch('/v1/sites/demo/views', {method: 'POST', body: JSON.stringify({articleId: article + location.search})});
  const prerendered = document.prerendering;
  addEventListener('load', () => signal(prerendered ? '/prerendered' : document.hidden ? '/hidden' : '/visible'));
  document.addEventListener('prerenderingchange', () => signal('/activated'));
})();
