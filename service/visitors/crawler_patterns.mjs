// Writes the patterns of crawler-user-agents to a file, one per line: node crawler_patterns.mjs LIST.json PATTERNS.txt
import { readFileSync, writeFileSync } from 'node:fs';

const [list, output] = process.argv.slice(2);
const patterns = JSON.parse(readFileSync(list, 'utf8')).map((crawler) => crawler.pattern);
for (const pattern of patterns) {
  // bot_patterns.cc splits the file into lines, so it would read any other pattern wrongly.
  if (typeof pattern !== 'string' || !/^[\x20-\x7e]+$/.test(pattern)) {
    throw new Error(`${list}: not one line of ASCII: ${JSON.stringify(pattern)}`);
  }
}
writeFileSync(output, patterns.map((pattern) => `${pattern}\n`).join(''));
