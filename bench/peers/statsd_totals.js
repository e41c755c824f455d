// A backend for statsd. At every flush it appends the number of metrics received since the start to `totalsFile`.
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
