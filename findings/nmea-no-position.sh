#!/bin/sh
# nmea-simple 3.3.0 (npm) and pynmea2 1.15.0 (Debian's python3-nmea2 1.15.0-4): a receiver without a position is at 0, 0.
#
# Guess, written down before the first run, for three readers of NMEA 0183: an empty field can be told from a 0. (The third, gps 0.9.0,
# gives null.)
# Seen: latitude and longitude are 0, so a receiver that searches is in the Gulf of Guinea; only the quality of the fix, and the status in RMC,
# say that it is not. In nmea-simple every other empty number is 0 too: altitude, dilution, the course of who stands still.
#
# For a Sender of positions: look at quality and status before latitude and longitude, and leave out what was not there.
#
# Needs npm, apt-get and Debian 12's Python 3 (/usr/bin/python3). Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages nmea-simple@3.3.0 gps@0.9.0
debian_packages python3-nmea2=1.15.0-4
cat >main.js <<'E'
const fs = require('fs'), simple = require('nmea-simple'), GPS = require('gps')
const sentence = text => '$' + text + '*' + [...text].reduce((sum, c) => sum ^ c.charCodeAt(0), 0).toString(16).toUpperCase().padStart(2, '0')
const searching = sentence('GPGGA,120000.00,,,,,0,00,,,M,,M,,'), there = sentence('GPGGA,120000.00,0000.0000,N,00000.0000,E,1,08,1.0,0.0,M,0.0,M,,')
for (const [what, text] of [['searching', searching], ['there', there]]) {
  const a = simple.parseNmeaSentence(text), b = GPS.Parse(text)
  console.log(`${what}, nmea-simple: ${a.latitude} ${a.longitude} ${a.altitudeMeters}, ${a.fixType}`)
  console.log(`${what}, gps: ${b.lat} ${b.lon} ${b.alt}`)
  fs.appendFileSync('sentences', text + '\n')
}
const course = simple.parseNmeaSentence(sentence('GPVTG,,T,,M,0.0,N,0.0,K'))
console.log(`course, nmea-simple: ${course.trackTrue}`)
E
node main.js >seen
/usr/bin/python3 >>seen <<'E'
import pynmea2
for line in open("sentences"):
    m = pynmea2.parse(line.strip())
    print("pynmea2:", m.latitude, m.longitude, m.altitude, m.gps_qual)
E
as_found <<'E'
searching, nmea-simple: 0 0 0, none
searching, gps: null null null
there, nmea-simple: 0 0 0, fix
there, gps: 0 0 0
course, nmea-simple: 0
pynmea2: 0.0 0.0 None 0
pynmea2: 0.0 0.0 0.0 1
E
