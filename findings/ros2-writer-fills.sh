#!/bin/sh
# @foxglove/rosmsg2-serialization 3.1.0 with @foxglove/rosmsg 5.0.5 (npm): what does not fit a ROS 2 message is written as something else.
#
# Guess, written down before the first run: a field that is not there is 0 or its default; a number out of range, text for a number,
# and a fixed array of another length are errors.
# Seen: only the length of a fixed array is looked at. 300 in a uint8 is 44, text in one is 0, and the bound of a string is not kept (of
# which there was no guess). A misspelled field is one that is not there, so it is 0, as guessed. Nothing says so.
#
# For a bridge between KBUS and ROS 2 that makes messages of JSON: check the fields against the definition first.
#
# Needs npm. Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages @foxglove/rosmsg2-serialization@3.1.0 @foxglove/rosmsg@5.0.5
cat >main.js <<'E'
const { MessageReader, MessageWriter } = require('@foxglove/rosmsg2-serialization')
const { parse } = require('@foxglove/rosmsg')
const tried = (definition, message) => {
  const fields = parse(definition, { ros2: true })
  let read
  try {
    read = new MessageReader(fields).readMessage(new MessageWriter(fields).writeMessage(message))
  } catch {
    read = 'refused'
  }
  console.log(`${definition}, given ${JSON.stringify(message)}: ${JSON.stringify(read)}`)
}
tried('float64 speed', { speed: 3 })
tried('float64 speed', { sped: 3 })
tried('uint8 level', { level: 300 })
tried('uint8 level', { level: '12' })
tried('string<=3 code', { code: 'abcdef' })
tried('float64[3] at', { at: [1, 2] })
E
node main.js >seen
as_found <<'E'
float64 speed, given {"speed":3}: {"speed":3}
float64 speed, given {"sped":3}: {"speed":0}
uint8 level, given {"level":300}: {"level":44}
uint8 level, given {"level":"12"}: {"level":0}
string<=3 code, given {"code":"abcdef"}: {"code":"abcdef"}
float64[3] at, given {"at":[1,2]}: "refused"
E
