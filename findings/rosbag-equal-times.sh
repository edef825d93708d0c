#!/bin/sh
# @foxglove/rosbag 0.4.1 (npm) and Python's rosbag 1.15.15 (Debian's python3-rosbag 1.15.15+ds-2): messages with the same time come out
# of a file in an order in which nobody wrote them.
#
# Guess, written down before the first run: a bag is read by time, and what has the same time in the order in which it was written.
# Seen: @foxglove/rosbag gives them in no order, even those of a single topic, so that the last value need not be the last one. rosbag gives
# topic after topic, each in its own order: an answer can come before its question. The next time begins after both. (@mcap/core
# 2.2.2 gives MCAP files in the order in which they were written.)
#
# For a bridge from recordings: times are the same wherever they are simulated, or are taken from a clock that ticks
# in milliseconds. Put a number into the messages, or convert to MCAP with a tool that reads the bag record by record. Recordings here
# are in the order of the bus.
#
# Needs npm, apt-get and Debian 12's Python 3 (/usr/bin/python3). Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages @foxglove/rosbag@0.4.1 @mcap/core@2.2.2
debian_packages python3-rosbag=1.15.15+ds-2 python3-genpy=0.6.16-2 python3-genmsg=0.6.0-1 python3-roslib=1.15.8-3 python3-rospkg=1.4.0-2 \
	python3-std-msgs=0.5.13-2 python3-roslz4=1.15.15+ds-2 libroslz4-1d=1.15.15+ds-2 python3-catkin=0.8.10-9 python3-catkin-pkg=0.5.2-5 \
	python3-rospy=1.15.15+ds-2 python3-rosgraph=1.15.15+ds-2 python3-rosgraph-msgs=1.11.3-2 python3-roscpp-msg=1.15.15+ds-2 python3-netifaces=0.11.0-2+b1 \
	python3-gnupg=0.4.9-1 python3-pycryptodome=3.11.0+dfsg1-4 python3-yaml=6.0-3+b2
cat >main.py <<'E'
import genpy
import rosbag
from std_msgs.msg import String

for name, topics in ("one.bag", "a"), ("two.bag", "ba"):
    with rosbag.Bag(name, "w") as bag:
        for n in range(40):
            bag.write(topics[n % len(topics)], String(str(n)), genpy.Time(1000 + n // 20))
    print("rosbag,", name, *(topic + message.data for topic, message, _ in rosbag.Bag(name).read_messages()))
E
cat >main.js <<'E'
const { Bag } = require('@foxglove/rosbag'), { FileReader } = require('@foxglove/rosbag/node')
const { McapWriter, McapIndexedReader, TempBuffer } = require('@mcap/core')
const order = numbers => numbers.every((n, i) => n === i)
const main = async () => {
  for (const name of ['one.bag', 'two.bag']) {
    const bag = new Bag(new FileReader(name)), times = [], numbers = []
    await bag.open()
    for await (const m of bag.messageIterator()) {
      times.push(m.timestamp.sec - 1000)
      numbers.push(+Buffer.from(m.data).subarray(4))
    }
    const whole = times.every((t, i) => t === Math.floor(i / 20))
    console.log(`@foxglove/rosbag, ${name}: ${numbers.length} of 40, by time: ${whole}, in order: ${order(numbers)}`)
  }
  const file = new TempBuffer(), writer = new McapWriter({ writable: file }), numbers = []
  await writer.start({ profile: '', library: '' })
  const schemaId = await writer.registerSchema({ name: 'text', encoding: '', data: new Uint8Array() })
  const channels = []
  for (const topic of 'ba') channels.push(await writer.registerChannel({ schemaId, topic, messageEncoding: '', metadata: new Map() }))
  for (let n = 0; n < 40; n++) {
    const time = BigInt(1000 + Math.floor(n / 20))
    await writer.addMessage({ channelId: channels[n % 2], sequence: n, logTime: time, publishTime: time, data: new Uint8Array() })
  }
  await writer.end()
  for await (const m of (await McapIndexedReader.Initialize({ readable: file })).readMessages()) numbers.push(m.sequence)
  console.log(`@mcap/core, two topics: ${numbers.length} of 40, in order: ${order(numbers)}`)
}
main()
E
timeout 60 /usr/bin/python3 main.py >seen
timeout 60 node main.js >>seen
as_found <<'E'
rosbag, one.bag a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12 a13 a14 a15 a16 a17 a18 a19 a20 a21 a22 a23 a24 a25 a26 a27 a28 a29 a30 a31 a32 a33 a34 a35 a36 a37 a38 a39
rosbag, two.bag b0 b2 b4 b6 b8 b10 b12 b14 b16 b18 a1 a3 a5 a7 a9 a11 a13 a15 a17 a19 b20 b22 b24 b26 b28 b30 b32 b34 b36 b38 a21 a23 a25 a27 a29 a31 a33 a35 a37 a39
@foxglove/rosbag, one.bag: 40 of 40, by time: true, in order: false
@foxglove/rosbag, two.bag: 40 of 40, by time: true, in order: false
@mcap/core, two topics: 40 of 40, in order: true
E
