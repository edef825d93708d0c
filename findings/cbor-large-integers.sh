#!/bin/sh
# cbor-x 1.6.9 (npm): an integer of more than 32 bits is written as a float, which Go's cbor does not take for an integer.
#
# Guess, written down before the first run: 5000000000 is written as a CBOR integer, as every other library does it, and a Go program
# reads it into an int64.
# Seen: from 2^32 on, and from -2^32 - 1 down, a number is written as a float of 64 bits. fxamacker/cbor 2.10.0 refuses that for a field
# of int64, and gives a float64 for `any`: so a time in milliseconds cannot be read, and a count can until it is large. A BigInt
# is written as an integer. (msgpackr 2.1.4, of the same author, writes MessagePack likewise.)
#
# For KBUS's users: the bus carries bytes and does not look into them. Write BigInt(n) where a number may grow beyond 32 bits, or have
# the Go side read a float64.
#
# Needs npm and Go.
. "$(dirname "$0")/begin.sh"
npm_packages cbor-x@1.6.9
go_program github.com/fxamacker/cbor/v2@v2.10.0 <<'E'
package main

import (
	"encoding/hex"
	"fmt"
	"os"

	"github.com/fxamacker/cbor/v2"
)

func main() {
	for _, text := range os.Args[1:] {
		b, err := hex.DecodeString(text)
		if err != nil {
			panic(err)
		}
		var n int64
		if err := cbor.Unmarshal(b, &n); err != nil {
			fmt.Println(text, "refused")
		} else {
			fmt.Println(text, n)
		}
	}
}
E
cat >main.js <<'E'
const { encode } = require('cbor-x')
console.log([4294967295, 4294967296, -4294967296, -4294967297, 1700000000000, 1700000000000n].map(n => Buffer.from(encode(n)).toString('hex')).join(' '))
E
./run $(node main.js) >seen
as_found <<'E'
1affffffff 4294967295
fb41f0000000000000 refused
3affffffff -4294967296
fbc1f0000000100000 refused
fb4278bcfe56800000 refused
1b0000018bcfe56800 1700000000000
E
