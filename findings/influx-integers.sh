#!/bin/sh
# @influxdata/influxdb-client 1.35.0 (npm): a 64-bit integer given as text is rounded, if it is signed.
#
# Guess, written down before the first run: intField takes whole numbers as text, so that those beyond 2^53 need not become a number of
# JavaScript, and writes them as they are, up to the largest int64; uintField likewise.
# Seen: uintField does. intField makes a number of the text: 9007199254740993 is written as 9007199254740992, without an error, and the
# largest and the smallest int64 are refused as invalid.
#
# For a recorder: counters and ids of 64 bits go in as uintField, or as text.
#
# Needs npm. Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages @influxdata/influxdb-client@1.35.0
cat >main.js <<'E'
const { Point } = require('@influxdata/influxdb-client')
const tried = (method, text) => {
  try {
    return new Point('m').timestamp(5)[method]('v', text).toLineProtocol()
  } catch {
    return 'refused'
  }
}
for (const text of ['9007199254740993', '9223372036854775807', '-9223372036854775808']) console.log(`intField ${text}: ${tried('intField', text)}`)
for (const text of ['9007199254740993', '18446744073709551615']) console.log(`uintField ${text}: ${tried('uintField', text)}`)
E
node main.js >seen
as_found <<'E'
intField 9007199254740993: m v=9007199254740992i 5
intField 9223372036854775807: refused
intField -9223372036854775808: refused
uintField 9007199254740993: m v=9007199254740993u 5
uintField 18446744073709551615: m v=18446744073709551615u 5
E
