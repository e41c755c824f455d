// Fills in the visitor numbers of the masthead: the visitors who are online now, and the visits of today and of this
// month.
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
      .then(({visits, onlineNow}) => {
        show('online', onlineNow);
        show('today', visits.today);
        show('month', visits.thisMonth);
        list.hidden = false;
      })
      .catch(() => {
        // Without the service the page lacks only these numbers.
      });
  };
  refresh();
  setInterval(refresh, everyMs);
  document.addEventListener('visibilitychange', refresh);
})();
