// The dashboard: totals, views over time and the most viewed articles of a site, for people. state.js has its choices.
import { daysQuestion, readDays, showCounts, showDays, showDescription } from './article.js';
import { seriesQuestion, showChart } from './chart.js';
import { readLabels, showLabels } from './labels.js';
import { listChoices, listQuestion, showList } from './list.js';
import { $, card, formatted, make, restrictions, showChoices, showProblem, sites, t } from './parts.js';
import { ask, askSites } from './service.js';
import { fillSparklines } from './sparklines.js';
import { PAGES, WINDOWS, address, publicSite, readAddress, state } from './state.js';

const REFRESH_MS = 5000;
// The notes of a site change seldom.
const NOTES_AGE_MS = 60e3;

let timer = 0;
let round = 0;
// The thing that the page shows: a site, an article of it, or another page.
let shown;
let notes = { at: 0 };
// The changes by people, which a public dashboard does not load.
let changes;

// Without numbers, shows the cards empty, so that nothing moves when the numbers come.
function showTotals(stats) {
  const number = stats ? formatted : () => '–';
  const { views = {}, visits = {}, viewers = {}, ...now } = stats || {};
  const about = (part) => t('estimate', new Intl.NumberFormat(state.lang, { style: 'percent', maximumFractionDigits: 1 }).format(part || 0));
  $('#totals dl').replaceChildren(
    card(t('views'), number(views.total)), card(t('today'), number(views.today)),
    card(t('yesterday'), number(views.yesterday)), card(t('week'), number(views.thisWeek)),
    card(t('month'), number(views.thisMonth)), card(t('visits'), number(visits.today)),
    card(t('viewers'), number(viewers.today), about(viewers.standardError)),
    card(t('online'), number(now.onlineNow), about(now.onlineNowStandardError)));
}

// Reads the notes for the chart. Without them, the chart is shown nevertheless.
async function readNotes() {
  if (publicSite) return [];
  if (notes.site === state.site && performance.now() - notes.at < NOTES_AGE_MS) return notes.list;
  try {
    const { site } = state;
    const list = (await ask('annotations')).annotations || [];
    notes = { site, list, at: performance.now() };
    return list;
  } catch {
    return [];
  }
}

// Returns what the present page asks for, each with the function that shows it.
function questions() {
  if (state.page === 'changes') return [[changes.readChanges(), changes.showChanges]];
  if (state.page) return [[readLabels(), showLabels]];
  const chart = [Promise.all([ask('series', seriesQuestion()), readNotes()]), showChart];
  if (!state.article) return [[ask('stats'), showTotals], chart, [ask(...listQuestion()), showList]];
  const { article } = state;
  return [[ask('counts', { article }), showCounts], chart, [ask('article', { article }), showDescription],
    [ask('series', daysQuestion()).then(readDays), showDays]];
}

// Shows the answers in the order in which they come. On pages whose parts have no fixed size, nothing is seen before all
// of them are there.
async function refresh() {
  const mine = ++round;
  clearTimeout(timer);
  if (!known) readSites();
  let problem = '';
  await Promise.all(questions().map(async ([answer, show]) => {
    try {
      const [json] = await Promise.all([answer, known]);
      if (mine === round) show(json);
    } catch (error) {
      problem = error instanceof TypeError ? t('unreachable') : error.message;
    }
  }));
  if (mine !== round) return;
  showProblem(problem);
  $('main').classList.remove('waiting');
  performance.mark('viewcount-shown');
  if (!state.page && !state.article) fillSparklines(`${state.site} ${state.list} ${state.window} ${JSON.stringify(restrictions())}`);
  // A hidden page asks nothing, and a page of changes is not replaced while a person uses it.
  if (!document.hidden && state.page !== 'changes') timer = setTimeout(refresh, REFRESH_MS);
}

// Shows the parts that the present page has, and the empty cards until numbers come.
function showParts() {
  const place = [state.site, state.article, state.page].join('\n');
  if (place === shown) return;
  shown = place;
  const isArticle = Boolean(state.article) && !state.page;
  const visible = { totals: !state.page, chart: !state.page, list: !state.page && !isArticle, about: isArticle, days: isArticle,
    change: isArticle && !publicSite, page: Boolean(state.page) };
  for (const [id, isVisible] of Object.entries(visible)) $('#' + id).hidden = !isVisible;
  $('main').classList.toggle('waiting', isArticle || Boolean(state.page));
  (isArticle ? showCounts : showTotals)(null);
  $('#about dl').replaceChildren();
  $('#days tbody').replaceChildren();
  $('#page-content').replaceChildren();
}

function showControls() {
  document.documentElement.lang = state.lang;
  document.body.classList.toggle('wall', state.wall === '1');
  document.body.classList.add('ready');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = t(element.dataset.text);
  const { site, section, author, lang } = $('#controls').elements;
  site.replaceChildren(...sites.map(({ name }) => make('option', { value: name }, name)));
  site.value = state.site;
  site.closest('label').hidden = Boolean(publicSite);
  for (const input of [section, author]) if (document.activeElement !== input) input.value = state[input.name];
  lang.value = state.lang;
  const name = $('#site-name');
  name.replaceChildren(state.article ? make('a', { href: address({ article: '' }) }, t('back')) : state.site || 'viewcount');
  if (state.article) name.append(` ${state.article}`);
  document.title = [state.article, state.site, 'viewcount'].filter(Boolean).join(' – ');
  showParts();
  const { changes: forPeople, ...others } = PAGES;
  showChoices('#pages', publicSite ? others : { ...others, changes: forPeople }, 'page', { article: '' });
  $('#pages').setAttribute('aria-label', t('pages'));
  showChoices('#lists', listChoices(), 'list');
  $('#lists').setAttribute('aria-label', t('lists'));
  showChoices('#windows', WINDOWS, 'window');
  showChoices('#page-windows', WINDOWS, 'window');
  $('#windows').hidden = state.list !== 'popular';
  $('#page-windows').hidden = state.page === 'changes';
  showChoices('#steps', { hour: 'hours', day: 'days' }, 'step');
}

// The promise of the sites and their time zones, without which no time is written.
let known;

// After a failure, the next round asks again.
function readSites() {
  const asked = askSites().then((list) => { sites.splice(0, sites.length, ...list); });
  asked.catch(() => { if (known === asked) known = undefined; });
  known = asked;
}

async function start() {
  const mine = ++round;
  clearTimeout(timer);
  readAddress();
  showControls();
  try {
    if (!publicSite) {
      const loading = import('./changes.js');
      loading.catch(() => {});
      if (state.article || state.page === 'changes') {
        changes = await loading;
        changes.onChange(() => {
          notes = { at: 0 };
          refresh();
        });
      }
    }
    readSites();
    // With a site in the address, everything is asked for at once.
    if (!state.site) await known;
  } catch {
    $('main').classList.remove('waiting');
    showProblem(t('unreachable'));
    timer = setTimeout(start, REFRESH_MS);
    return;
  }
  if (mine !== round) return;
  if (!state.site && sites.length) state.site = sites[0].name;
  const { site } = state;
  known.then(() => { if (site === state.site) showControls(); }, () => {});
  showControls();
  if (!state.site) {
    $('main').classList.remove('waiting');
    return showProblem(t('noSite'));
  }
  if (state.article && changes) changes.showArticleChanges();
  await refresh();
}

function go(changed) {
  history.pushState(null, '', address(changed));
  start();
}

$('#controls').addEventListener('change', ({ target }) =>
  go({ [target.name]: target.value.trim(), ...(target.name === 'site' ? { article: '', section: '', author: '' } : {}) }));
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
