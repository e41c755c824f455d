// Follows the link when the test views /go.
new EventSource('/v1/sites/demo/live?article=/go').onmessage = (event) => {
  const count = (JSON.parse(event.data).counts || [])[0];
  if (count && count.views > 0) location.href = 'article.html?prerender';
};
