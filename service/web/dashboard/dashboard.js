// The dashboard: totals, views over time and the most viewed articles of a site, for people. Every choice is in the
// address: site, list, window, step, section, article, lang, and wall=1 for a display without an operator.

const TEXTS = {
  en: {
    site: 'Site', section: 'Section', language: 'Language', totals: 'Totals', asTable: 'As a table', all: 'All time',
    views: 'Views', today: 'Today', yesterday: 'Yesterday', week: 'This week', month: 'This month', visits: 'Visits today',
    viewers: 'Viewers today', online: 'Online now', bots: 'Bot views', articleViewers: 'Viewers',
    estimate: 'estimate, ± {}', byHour: 'Views by hour', byDay: 'Views by day', hours: '48 hours', days: '30 days',
    popular: 'Most viewed', last1h: 'Last hour', last24h: 'Last 24 hours', last7d: 'Last 7 days', last30d: 'Last 30 days',
    rank: 'Rank', change: 'Change', article: 'Article', from: 'From', before: 'Before', isNew: 'new', same: 'same',
    up: 'up {}', down: 'down {}', exact: 'Exact.', inexact: 'Not proven: a missing article has at most {} views.',
    span: '{} to {}', caption: '{} views; dashed: the {} before, {} views', period: 'period', open: 'open the page',
    back: '← Whole site', none: 'No views in this window.', age: 'As of {}.', noSite: 'No site yet. Create one with: viewcount site put NAME',
    unreachable: 'The service cannot be reached. Trying again …', open_list: 'articles of this time',
    lists: 'Lists', now: 'Right now', trending: 'Trending', rising: 'Rising', latest: 'Latest', score: 'Score', usual: 'Usually', published: 'Published',
    notRising: 'Nothing is read more than usual.', formula: 'Score: {}.', inexactScore: 'Not proven: a missing article has a score of at most {}.',
    noneLatest: 'No article was announced with a time of publication.', incomplete: 'Counts may be out of date, or articles missing.',
  },
  vi: {
    site: 'Trang', section: 'Chuyên mục', language: 'Ngôn ngữ', totals: 'Tổng số', asTable: 'Dạng bảng', all: 'Từ trước đến nay',
    views: 'Lượt xem', today: 'Hôm nay', yesterday: 'Hôm qua', week: 'Tuần này', month: 'Tháng này', visits: 'Lượt truy cập hôm nay',
    viewers: 'Người xem hôm nay', online: 'Đang trực tuyến', bots: 'Lượt của máy', articleViewers: 'Người xem',
    estimate: 'ước tính, ± {}', byHour: 'Lượt xem theo giờ', byDay: 'Lượt xem theo ngày', hours: '48 giờ', days: '30 ngày',
    popular: 'Đọc nhiều nhất', last1h: 'Giờ qua', last24h: '24 giờ qua', last7d: '7 ngày qua', last30d: '30 ngày qua',
    rank: 'Hạng', change: 'Thay đổi', article: 'Bài viết', from: 'Từ', before: 'Kỳ trước', isNew: 'mới', same: 'giữ hạng',
    up: 'lên {}', down: 'xuống {}', exact: 'Chính xác.', inexact: 'Chưa chứng minh: bài còn thiếu có nhiều nhất {} lượt xem.',
    span: '{} đến {}', caption: '{} lượt xem; nét đứt: {} trước, {} lượt xem', period: 'kỳ', open: 'mở trang',
    back: '← Toàn trang', none: 'Không có lượt xem trong khoảng này.', age: 'Lúc {}.', noSite: 'Chưa có trang nào. Tạo bằng lệnh: viewcount site put NAME',
    unreachable: 'Không kết nối được với dịch vụ. Đang thử lại …', open_list: 'bài viết trong khoảng này',
    lists: 'Danh sách', now: 'Ngay lúc này', trending: 'Xu hướng', rising: 'Đang tăng', latest: 'Mới nhất', score: 'Điểm', usual: 'Thường lệ', published: 'Đăng lúc',
    notRising: 'Không có bài nào được đọc nhiều hơn thường lệ.', formula: 'Điểm: {}.', inexactScore: 'Chưa chứng minh: bài còn thiếu có điểm cao nhất {}.',
    noneLatest: 'Chưa có bài nào được báo kèm giờ đăng.', incomplete: 'Số đếm có thể đã cũ, hoặc còn thiếu bài.',
  },
};
const WINDOWS = { '1h': 'last1h', '24h': 'last24h', today: 'today', '7d': 'last7d', '30d': 'last30d', all: 'all' };
// The lists. Only popular ones have windows to choose.
const LISTS = { popular: 'popular', now: 'now', trending: 'trending', rising: 'rising', latest: 'latest' };
const STEPS = { hour: { label: 'hours', title: 'byHour', points: 48, unit: 'h' }, day: { label: 'days', title: 'byDay', points: 30, unit: 'd' } };
const REFRESH_MS = 5000;
const ROWS = 50;
const SVG = 'http://www.w3.org/2000/svg';

const state = {};
let sites = [];
let timer = 0;
let round = 0;
// The article or site whose numbers are on the page.
let shown;

const $ = (selector) => document.querySelector(selector);
const t = (key, ...values) => values.reduce((text, value) => text.replace('{}', value), (TEXTS[state.lang] || TEXTS.en)[key]);
const formatted = (value) => new Intl.NumberFormat(state.lang).format(value);

// Creates an element. Texts become text nodes, so nothing in a title is ever markup.
function make(name, attributes = {}, ...children) {
  const svg = ['a.bar', 'rect', 'polyline', 'title'].includes(name);
  const element = svg ? document.createElementNS(SVG, name.split('.')[0]) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const lang = query.get('lang') || navigator.language.slice(0, 2);
  Object.assign(state, {
    site: query.get('site') || '', window: query.get('window') || '24h', step: STEPS[query.get('step')] ? query.get('step') : 'hour',
    list: LISTS[query.get('list')] ? query.get('list') : 'popular', section: query.get('section') || '', article: query.get('article') || '', lang: TEXTS[lang] ? lang : 'en', wall: query.get('wall') || '',
  });
}

// Returns the address of the dashboard with some choices changed.
function address(changes) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...state, ...changes })) if (value) query.set(key, value);
  return '?' + query;
}

function go(changes) {
  history.pushState(null, '', address(changes));
  start();
}

async function ask(path, parameters = {}) {
  const query = new URLSearchParams({ ...parameters, numbers: '1' });
  const answer = await fetch(`v1/sites/${encodeURIComponent(state.site)}/${path}?${query}`, { cache: 'no-store' });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.detail || json.title || answer.statusText);
  return json;
}

const zone = () => (sites.find((site) => site.name === state.site) || {}).timeZone || 'UTC';
function time(text, withTime) {
  const options = withTime ? { dateStyle: 'short', timeStyle: 'short' } : { dateStyle: 'medium' };
  try {
    return new Intl.DateTimeFormat(state.lang, { ...options, timeZone: zone() }).format(new Date(text));
  } catch {
    return text;
  }
}

function windowParameters() {
  if (state.window === 'all') return { 'window.allTime': 'true' };
  if (state.window === 'today') return { 'window.day': '' };
  const range = state.window.split('/');
  if (range.length === 2) return { 'window.start': range[0], 'window.end': range[1] };
  return { 'window.last': state.window };
}

function showChoices(selector, choices, key) {
  const chosen = state[key];
  $(selector).replaceChildren(...Object.entries(choices).map(([value, label]) =>
    make('a', { href: address({ [key]: value }), 'aria-current': value === chosen ? 'true' : undefined }, t(label))));
}

function card(label, value, note) {
  const definition = make('dd', {}, value);
  if (note) definition.append(make('small', {}, note));
  return make('div', {}, make('dt', {}, label), definition);
}

// Without numbers, shows the cards empty, so that nothing moves when the numbers come.
function showTotals(stats) {
  const number = stats ? formatted : () => '–';
  stats = stats || {};
  const about = (part) => t('estimate', new Intl.NumberFormat(state.lang, { style: 'percent', maximumFractionDigits: 1 }).format(part));
  const views = stats.views || {};
  $('#totals dl').replaceChildren(
    card(t('views'), number(views.total || 0)), card(t('today'), number(views.today || 0)),
    card(t('yesterday'), number(views.yesterday || 0)), card(t('week'), number(views.thisWeek || 0)),
    card(t('month'), number(views.thisMonth || 0)), card(t('visits'), number((stats.visits || {}).today || 0)),
    card(t('viewers'), number((stats.viewers || {}).today || 0), about((stats.viewers || {}).standardError || 0)),
    card(t('online'), number(stats.onlineNow || 0), about(stats.onlineNowStandardError || 0)));
}

function showArticle(counts) {
  const number = counts ? formatted : () => '–';
  const [count] = counts ? counts.counts : [{}];
  $('#totals dl').replaceChildren(card(t('views'), number(count.views || 0)),
    card(t('articleViewers'), number(count.viewers || 0)), card(t('bots'), number(count.botViews || 0)));
}

function showChart(series) {
  const step = STEPS[state.step];
  const points = series.points || [];
  if (!points.length) return;
  const now = points.slice(-step.points);
  const before = points.slice(0, points.length - now.length);
  const most = Math.max(1, ...points.map((point) => point.views || 0));
  const width = 960 / Math.max(1, now.length);
  const y = (views) => 215 - 205 * (views || 0) / most;
  const unit = state.step === 'hour' ? 3600e3 : 0;
  const windowOf = (i) => `${now[i].start}/${now[i + 1] ? now[i + 1].start : new Date(Date.parse(now[i].start) + (unit || 864e5)).toISOString()}`;
  const sum = (list) => list.reduce((total, point) => total + (point.views || 0), 0);
  $('#chart-title').textContent = t(step.title);
  $('#chart svg').replaceChildren(...now.map((point, i) => {
    const label = `${time(point.start, unit)}: ${formatted(point.views || 0)}`;
    return make('a.bar', { href: address({ list: 'popular', window: windowOf(i) }), tabindex: '-1' }, make('title', {}, label),
      make('rect', { class: 'hit', x: i * width, y: 0, width, height: 220 }),
      make('rect', { class: 'now', x: i * width + width * .1, y: y(point.views), width: width * .8, height: 220 - y(point.views) }));
  }), make('polyline', { class: 'before', points: sum(before) ? before.map((point, i) => `${(i + .5) * width},${y(point.views)}`).join(' ') : '' }));
  $('#chart figcaption').textContent = t('caption', formatted(sum(now)), t('period'), formatted(sum(before)));
  $('#chart caption').textContent = t(step.title);
  $('#chart thead').replaceChildren(make('tr', {}, make('th', { scope: 'col' }, t('from')),
    make('th', { scope: 'col', class: 'number' }, t('views')), make('th', { scope: 'col', class: 'number' }, t('before'))));
  $('#chart tbody').replaceChildren(...now.map((point, i) => make('tr', {},
    make('th', { scope: 'row' }, make('a', { href: address({ list: 'popular', window: windowOf(i) }), title: t('open_list') }, time(point.start, unit))),
    make('td', { class: 'number' }, formatted(point.views || 0)),
    make('td', { class: 'number' }, before[i] ? formatted(before[i].views || 0) : '–'))));
}

function change(article) {
  if (!article.previousRank) return make('span', {}, t('isNew'));
  const by = article.previousRank - article.rank;
  if (by === 0) return make('span', { 'aria-label': t('same') }, '=');
  return make('span', { class: by > 0 ? 'up' : 'down', 'aria-label': t(by > 0 ? 'up' : 'down', Math.abs(by)) },
    `${by > 0 ? '▲' : '▼'} ${Math.abs(by)}`);
}

// Returns a link to the article's page if its address is one that a browser may open.
function pageLink(article) {
  if (!/^https?:\/\//i.test(article.url || '')) return [];
  return [' ', make('a', { href: article.url, rel: 'noopener noreferrer', target: '_blank', 'aria-label': t('open') }, '↗')];
}

// A list's columns: the text of each head, and the cell of an article. Numbers stand on the right.
function columnsOf(list) {
  // Without any earlier rank, the window before is not known.
  const known = (list.articles || []).some((article) => article.previousRank);
  const decimal = (value) => new Intl.NumberFormat(state.lang, { maximumFractionDigits: 1 }).format(value || 0);
  const rank = ['rank', 'number', (article) => String(article.rank)];
  const views = ['views', 'number', (article) => formatted(article.views || 0)];
  const score = ['score', 'number', (article) => decimal(article.score)];
  const columns = {
    popular: [rank, ['change', '', (article) => (known ? change(article) : '–')], views],
    now: [rank, views],
    trending: [rank, score, views],
    rising: [rank, score, views, ['usual', 'number', (article) => decimal(article.usualViews)]],
    latest: [['published', '', (article) => time(article.publishTime, true)], views],
  };
  return columns[state.list];
}

function titleCell(article) {
  return make('td', { class: 'title' }, make('a', { href: address({ article: article.articleId }) }, article.title || article.articleId),
    ...pageLink(article), make('span', { class: 'id' }, [article.title ? article.articleId : '', ...(article.sections || [])].filter(Boolean).join(' · ')));
}

function noteOf(list) {
  const latest = state.list === 'latest';
  const span = list.span ? t('span', time(list.span.start, true), time(list.span.end, true)) + '. ' : '';
  const bound = ['popular', 'now'].includes(state.list) ? t('inexact', formatted(list.errorBound || 0)) : t('inexactScore', formatted(list.errorBound || 0));
  const proof = list.exact ? t('exact') : latest ? t('incomplete') : bound;
  return [span + proof, t('age', time(list.asOf, true)), list.formula ? t('formula', list.formula) : ''].filter(Boolean).join(' ');
}

function showList(list) {
  const articles = list.articles || list.earlier || [];
  const title = state.list === 'popular' && WINDOWS[state.window] ? t(WINDOWS[state.window]) : '';
  $('#list-title').textContent = [t(state.list), title, state.section].filter(Boolean).join(' · ');
  $('#list-note').textContent = noteOf(list);
  const none = { rising: 'notRising', latest: 'noneLatest' }[state.list] || 'none';
  $('#list caption').textContent = articles.length ? '' : t(none);
  const columns = columnsOf(list);
  $('#list thead').replaceChildren(make('tr', {},
    ...columns.map(([label, kind]) => make('th', { scope: 'col', class: kind || undefined }, t(label))), make('th', { scope: 'col' }, t('article'))));
  $('#list tbody').replaceChildren(...articles.map((article) => make('tr', {},
    ...columns.map(([, kind, cell]) => make('td', { class: kind || undefined }, cell(article))), titleCell(article))));
  const sections = new Set([...$('#sections').children].map((option) => option.value));
  for (const article of articles) for (const section of article.sections || []) sections.add(section);
  $('#sections').replaceChildren(...[...sections].sort().map((value) => make('option', { value })));
}

function showProblem(text) {
  $('#problem').hidden = !text;
  $('#problem').textContent = text || '';
}

async function refresh() {
  const mine = round;
  clearTimeout(timer);
  const step = STEPS[state.step];
  const series = { step: state.step, 'window.last': 2 * step.points + step.unit };
  if (state.article) series.article = state.article;
  const lists = { popular: ['popular', { ...windowParameters(), pageSize: ROWS, withPreviousRank: 'true' }],
    now: ['now', { pageSize: ROWS }], trending: ['trending', { pageSize: ROWS }], rising: ['rising', { pageSize: ROWS }], latest: ['articles', { before: ROWS }] };
  const [path, list] = lists[state.list];
  if (state.section) list.section = state.section;
  const asked = [[state.article ? ask('counts', { article: state.article }) : ask('stats'), state.article ? showArticle : showTotals],
    [ask('series', series), showChart], [ask(path, list), showList]];
  let problem = '';
  await Promise.all(asked.map(async ([answer, show]) => {
    try {
      const json = await answer;
      if (mine === round) show(json);
    } catch (error) {
      problem = error instanceof TypeError ? t('unreachable') : error.message;
    }
  }));
  if (mine !== round) return;
  showProblem(problem);
  // A hidden page asks nothing.
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

function showControls() {
  document.documentElement.lang = state.lang;
  document.body.classList.toggle('wall', state.wall === '1');
  document.body.classList.add('ready');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
  const { site, section, lang } = $('#controls').elements;
  site.replaceChildren(...sites.map(({ name }) => make('option', { value: name }, name)));
  site.value = state.site;
  if (document.activeElement !== section) section.value = state.section;
  lang.value = state.lang;
  const name = $('#site-name');
  name.replaceChildren(state.article ? make('a', { href: address({ article: '' }) }, t('back')) : state.site || 'viewcount');
  if (state.article) name.append(` ${state.article}`);
  document.title = [state.article, state.site, 'viewcount'].filter(Boolean).join(' – ');
  if (shown !== (state.article || state.site)) (state.article ? showArticle : showTotals)(null);
  shown = state.article || state.site;
  showChoices('#lists', LISTS, 'list');
  $('#lists').setAttribute('aria-label', t('lists'));
  showChoices('#windows', WINDOWS, 'window');
  $('#windows').hidden = state.list !== 'popular';
  showChoices('#steps', { hour: 'hours', day: 'days' }, 'step');
}

async function start() {
  ++round;
  readAddress();
  showControls();
  try {
    sites = (await (await fetch('v1/sites', { cache: 'no-store' })).json()).sites || [];
  } catch {
    showProblem(t('unreachable'));
    timer = setTimeout(start, REFRESH_MS);
    return;
  }
  if (!state.site && sites.length) state.site = sites[0].name;
  showControls();
  if (!state.site) return showProblem(t('noSite'));
  await refresh();
}

$('#controls').addEventListener('change', (event) => go({ [event.target.name]: event.target.value, ...(event.target.name === 'site' ? { article: '', section: '' } : {}) }));
$('#controls').addEventListener('submit', (event) => event.preventDefault());
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="?"]');
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  history.pushState(null, '', link.getAttribute('href'));
  start();
});
addEventListener('popstate', start);
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
start();
