// Rewrites lookarounds of JavaScript's regular expressions, which RE2 does not support. Supported are negative ones of
// words, such as (?<!cam)scan, java(?!;) and (?!(?:app| pixel)).

const escaped = (c) => c.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

// Returns an expression that takes characters from the edge on until they differ from every word. `first` and `rest`
// take a word apart in the reading direction, and `join` puts the expressions of both together. Returns null if no text
// differs, because one of the words is empty.
function differing(words, edge, first, rest, join) {
  if (words.includes('')) return null;
  const firsts = [...new Set(words.map(first))];
  const branches = [edge, `[^${firsts.map(escaped).join('')}]`];
  for (const c of firsts) {
    const longer = differing(words.filter((word) => first(word) === c).map(rest), edge, first, rest, join);
    if (longer !== null) branches.push(join(escaped(c), longer));
  }
  return `(?:${branches.join('|')})`;
}

const notBefore = (words) =>
  differing(words, '^', (word) => word.at(-1), (word) => word.slice(0, -1), (c, longer) => longer + c);
const notAfter = (words) =>
  differing(words, '$', (word) => word[0], (word) => word.slice(1), (c, longer) => c + longer);

const WORDS = '[\\w \\/;-]+(?:\\|[\\w \\/;-]+)*';
const LOOKAROUND = new RegExp(`\\(\\?(<?)!(?:\\(\\?:(${WORDS})\\)|(${WORDS}))\\)`, 'g');

// Returns an expression that RE2 supports and that is found in the same texts as `pattern`. A lookaround that is left in
// the result is not supported.
export function withoutLookaround(pattern) {
  return pattern.replace(LOOKAROUND, (_, behind, grouped, plain) => {
    const words = (grouped ?? plain).split('|');
    return behind ? notBefore(words) : notAfter(words);
  });
}
