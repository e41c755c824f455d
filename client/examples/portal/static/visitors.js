// Fills in the visitor numbers of the masthead: the visitors who are online now, and the views of today and of this
// month, which the odometer counts, too.
(() => {
  const everyMs = 30_000;
  const list = document.getElementById('visitors');
  const show = (name, number) => {
    list.querySelector(`[data-of="${name}"]`).textContent = Number(number || 0).toLocaleString('vi');
  };
  const refresh = () => {
    if (document.hidden) return;
    fetch('/v1/sites/demo/stats')
      .then((response) => response.json())
      .then(({views, onlineNow}) => {
        show('online', onlineNow);
        show('today', views.today);
        show('month', views.thisMonth);
        list.hidden = false;
      })
      .catch(() => {
        // Without the service the page lacks only these numbers.
      });
  };
  // The odometer's first number contains this reader's view. Before it, the first reader of a day would see 0.
  const start = new MutationObserver(() => {
    start.disconnect();
    refresh();
    setInterval(refresh, everyMs);
    document.addEventListener('visibilitychange', refresh);
  });
  start.observe(document.querySelector('[data-viewcount-odometer]'), {childList: true});
})();
