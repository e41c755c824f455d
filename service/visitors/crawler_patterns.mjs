// node crawler_patterns.mjs LIST.json PATTERNS.txt: the patterns of crawler-user-agents, one a line.
import { readFileSync, writeFileSync } from 'node:fs';

const [list, output] = process.argv.slice(2);
const patterns = JSON.parse(readFileSync(list, 'utf8')).map((crawler) => crawler.pattern);
for (const pattern of patterns) {
  // Otherwise bot_patterns.cc would read something else.
  if (typeof pattern !== 'string' || !/^[\x20-\x7e]+$/.test(pattern)) {
    throw new Error(`${list}: not one line of ASCII: ${JSON.stringify(pattern)}`);
  }
}
writeFileSync(output, patterns.map((pattern) => `${pattern}\n`).join(''));
