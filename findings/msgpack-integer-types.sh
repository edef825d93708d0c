#!/bin/sh
# github.com/vmihailenco/msgpack v5.4.1 (Go): the Go type of a decoded number depends on how large it is.
#
# Guess, written down before the first run: a map[string]any that is decoded holds int64 for every whole number (as float64 for
# all with encoding/json), or at least one and the same type for all.
# Seen: int8 for 1 to 127, uint8 up to 255, uint16, uint32 and uint64 beyond; below zero int8 to int64. All were the Go type int when they
# were encoded. `v.(int8)` is right in every small test, and fails at the 128th message.
#
# For KBUS's users, whose messages are bytes: a counter that goes over the bus changes its type on the way. Decode into a struct,
# or use the decoder's UseLooseInterfaceDecoding(true), which gives int64 and uint64.
#
# Needs Go.
. "$(dirname "$0")/begin.sh"
go_program github.com/vmihailenco/msgpack/v5@v5.4.1 <<'E'
package main

import (
	"bytes"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

func main() {
	for _, n := range []int{1, 127, 128, 255, 256, 65_535, 65_536, 1 << 32, -1, -129} {
		b, err := msgpack.Marshal(map[string]any{"n": n})
		if err != nil {
			panic(err)
		}
		var plain, loose map[string]any
		d := msgpack.NewDecoder(bytes.NewReader(b))
		d.UseLooseInterfaceDecoding(true)
		if err := msgpack.Unmarshal(b, &plain); err != nil {
			panic(err)
		}
		if err := d.Decode(&loose); err != nil {
			panic(err)
		}
		fmt.Printf("%d: %T, loosely %T\n", n, plain["n"], loose["n"])
	}
}
E
timeout 60 ./run >seen
as_found <<'E'
1: int8, loosely int64
127: int8, loosely int64
128: uint8, loosely uint64
255: uint8, loosely uint64
256: uint16, loosely uint64
65535: uint16, loosely uint64
65536: uint32, loosely uint64
4294967296: uint64, loosely uint64
-1: int8, loosely int64
-129: int16, loosely int64
E
