#!/bin/sh
# sparkplug-payload 1.0.3 (Eclipse Tahu's, from npm): a table of whole numbers is written, and then cannot be read.
#
# Guess, written down before the first run: what encodePayload takes, decodePayload gives back, negative numbers and those of 64 bits
# too. (A table of numbers was then tried with one row.)
# Seen: single values are right, signs too. In data sets, and in parameters of templates, Int8, Int16, Int32, UInt64 and DateTime are
# written like any other, whatever the number, and decodePayload throws for the whole payload; UInt32, Int64, Float and Boolean pass.
# So one column of an ordinary type makes the reader drop the metrics beside it as well.
#
# For a bridge to Sparkplug: tables as UInt32, Int64 or Double, or a metric for each value; and read back what was written in a test.
#
# Needs npm. Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages sparkplug-payload@1.0.3
cat >main.js <<'E'
const { encodePayload, decodePayload } = require('sparkplug-payload').get('spBv1.0')

function there_and_back(metric) {
  const bytes = encodePayload({ metrics: [metric] })
  try {
    return 'read: ' + reading(decodePayload(bytes).metrics[0].value)
  } catch (e) {
    return 'written in ' + bytes.length + ' bytes, and not read'
  }
}
const reading = value => (value.rows ? value.rows[0][0] : value.parameters ? value.parameters[0].value : value).toString()
const forms = {
  metric: (type, value) => ({ name: 'm', type, value }),
  'data set': (type, value) => ({ name: 'm', type: 'DataSet', value: { numOfColumns: 1, types: [type], columns: ['c'], rows: [[value]] } }),
  parameter: (type, value) => ({ name: 'm', type: 'Template', value: { isDefinition: false, templateRef: 't', parameters: [{ name: 'p', type, value }] } }),
}
for (const type of ['Int8', 'Int16', 'Int32', 'UInt32', 'Int64', 'UInt64'])
  for (const form in forms) console.log(`${type} 5 in a ${form}: ${there_and_back(forms[form](type, 5))}`)
E
node main.js >seen
as_found <<'E'
Int8 5 in a metric: read: 5
Int8 5 in a data set: written in 23 bytes, and not read
Int8 5 in a parameter: written in 24 bytes, and not read
Int16 5 in a metric: read: 5
Int16 5 in a data set: written in 23 bytes, and not read
Int16 5 in a parameter: written in 24 bytes, and not read
Int32 5 in a metric: read: 5
Int32 5 in a data set: written in 23 bytes, and not read
Int32 5 in a parameter: written in 24 bytes, and not read
UInt32 5 in a metric: read: 5
UInt32 5 in a data set: read: 5
UInt32 5 in a parameter: read: 5
Int64 5 in a metric: read: 5
Int64 5 in a data set: read: 5
Int64 5 in a parameter: read: 5
UInt64 5 in a metric: read: 5
UInt64 5 in a data set: written in 23 bytes, and not read
UInt64 5 in a parameter: written in 24 bytes, and not read
E
