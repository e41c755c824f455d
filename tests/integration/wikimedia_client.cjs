// Calls one method of the npm package pageviews, a client of Wikimedia's page views, and prints its answer as JSON.
//
//     node wikimedia_client.cjs http://HOST:PORT METHOD PARAMETERS
//
// The package always asks https://wikimedia.org and offers no setting for that. So its HTTP library is wrapped here: the
// requests go to the given address instead, and are otherwise those that the package makes.
'use strict';

const path = require('path');

const modules = path.join(__dirname, '..', 'node_modules');
const [base, method, parameters] = process.argv.slice(2);

const library = require.resolve(path.join(modules, 'request'));
const request = require(library);
require.cache[library].exports = (options, callback) => {
  if (!options.url.startsWith('https://wikimedia.org/')) throw new Error(`another address: ${options.url}`);
  return request({...options, url: options.url.replace('https://wikimedia.org', base)}, callback);
};

const pageviews = require(path.join(modules, 'pageviews'));
pageviews[method](JSON.parse(parameters)).then(
    (answer) => console.log(JSON.stringify(answer)),
    (error) => console.log(JSON.stringify({error: error.message})));
