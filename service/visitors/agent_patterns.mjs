// Writes the patterns of bots' user agents to a file, one per line:
//
//   node agent_patterns.mjs crawler-user-agents.json isbot/index.mjs PATTERNS.txt
//
// A line begins with = if the pattern distinguishes capital letters, as those of crawler-user-agents do, and with ~
// otherwise, as those of isbot do. A pattern that RE2 cannot express ends the build, with its name.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

import { withoutLookaround } from './lookaround.mjs';

const [crawlers, isbot, output] = process.argv.slice(2);
const { list } = await import(pathToFileURL(isbot));
const lines = [
  ...JSON.parse(readFileSync(crawlers, 'utf8')).map(({ pattern }) => '=' + pattern),
  ...list.map((pattern) => '~' + pattern),
].map(withoutLookaround);
for (const line of lines) {
  // bot_patterns.cc splits the file into lines, so it would read any other pattern wrongly.
  if (!/^.[\x20-\x7e]+$/.test(line)) throw new Error(`not one line of ASCII: ${JSON.stringify(line)}`);
  if (/\(\?(?!:)|\\[1-9]/.test(line)) throw new Error(`RE2 has no such expression: ${line.slice(1)}`);
}
writeFileSync(output, lines.map((line) => line + '\n').join(''));
