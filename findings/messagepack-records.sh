#!/bin/sh
# msgpackr 2.1.4 and cbor-x 1.6.9 (npm): an encoder that is made with `new` and no options writes what other libraries cannot read.
#
# Guess, written down before the first run: new Packr().pack(o) and new Encoder().encode(o) give the same bytes as the libraries'
# own pack(o) and encode(o): a plain map.
# Seen: they give records of the library's own: the keys are written once and an object becomes a number and its values. For
# MessagePack that is an extension (0xd4 'r') with a second value behind it, and @msgpack/msgpack 3.1.3 says that bytes are left over; for
# CBOR it is tag 57343, which cbor 10.0.12 hands over as a Tagged value, not as an object. With {useRecords: false} both are plain.
#
# For KBUS's users: the bus carries bytes and does not look into them, so both ends must mean the same. Between programs in different
# languages use pack and encode, or set useRecords to false.
#
# Needs Node.js and npm.
. "$(dirname "$0")/begin.sh"
npm_packages msgpackr@2.1.4 cbor-x@1.6.9 @msgpack/msgpack@3.1.3 cbor@10.0.12
cat >main.js <<'E'
const {Packr, pack} = require("msgpackr"), {Encoder, encode} = require("cbor-x"), other = {msgpack: require("@msgpack/msgpack"), cbor: require("cbor")}
const read = (decode, bytes) => {
	try { return JSON.stringify(decode(bytes)) } catch (e) { return e.message.replace(/\[.*/, "") }
}
const lamp = {lamp: "on"}
for (const [name, bytes] of [["pack", pack(lamp)], ["new Packr", new Packr().pack(lamp)], ["useRecords false", new Packr({useRecords: false}).pack(lamp)]])
	console.log(`msgpackr, ${name}: ${read(other.msgpack.decode, bytes)}`)
for (const [name, bytes] of [["encode", encode(lamp)], ["new Encoder", new Encoder().encode(lamp)], ["useRecords false", new Encoder({useRecords: false}).encode(lamp)]])
	console.log(`cbor-x, ${name}: ${read(b => other.cbor.decodeFirstSync(Buffer.from(b)), bytes)}`)
E
timeout 60 node main.js >seen
as_found <<'E'
msgpackr, pack: {"lamp":"on"}
msgpackr, new Packr: Extra 9 of 12 byte(s) found at buffer
msgpackr, useRecords false: {"lamp":"on"}
cbor-x, encode: {"lamp":"on"}
cbor-x, new Encoder: {"tag":57343,"value":[57344,["lamp"],"on"]}
cbor-x, useRecords false: {"lamp":"on"}
E
