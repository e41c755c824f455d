// Reports and shows views over gRPC.
//
//   cd client/examples/node && npm ci && node example.js [HOST:PORT [SITE]]
import {Reader, Writer} from './viewcount.js';

const [address = '127.0.0.1:7400', site = 'demo'] = process.argv.slice(2);
const writer = new Writer(address, site);
const reader = new Reader(address, site);

for (const counts of [{'/news/3933': 2, '/news/17': 1}, {'/news/3933': 1}]) {
  const answer = await writer.send(new Map(Object.entries(counts)));
  console.log(answer.duplicate ? 'counted before' : `${answer.accepted_views} views counted`);
}
for (const [article, views] of await reader.counts(['/news/3933', '/news/17', '/news/1'])) {
  console.log(`${article}: ${views}`);
}
console.log('Most viewed:');
for (const [place, {article, views}] of (await reader.popular(10)).entries()) {
  console.log(`${place + 1}. ${article}: ${views}`);
}
writer.close();
reader.close();
