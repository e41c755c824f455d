// A backend of statsd that appends, at every flush, how many metrics it has taken since its start to `totalsFile`.
'use strict';

const fs = require('fs');

exports.init = (startup, config, events) => {
  let total = 0;
  events.on('flush', (timestamp, metrics) => {
    total += metrics.counters['statsd.metrics_received'] || 0;
    fs.appendFileSync(config.totalsFile, `${total}\n`);
  });
  return true;
};
