#!/bin/sh
# go.einride.tech/can 0.17.0: a value that a message's own getter gives is not what its setter takes.
#
# Guess, written down before the first run: of the code that its cantool generates from a DBC file, SetLevel(0.29) with a factor of 0.01 writes
# 29, the nearest that can be written, and SetLevel(m.Level()) changes nothing.
# Seen: the value is divided by the factor and cut. 0.29 / 0.01 is 28.999999999999996, so 28 is written. Of 4096 values, each exactly one that the
# signal has, 536 are written one step too low (too near to 0, when signed), and a value that is read and written again may sink.
#
# For a gateway between CAN and KBUS: send raw values on, or round to the nearest step before the setter: add half a factor.
#
# Needs Go. Opens no socket.
. "$(dirname "$0")/begin.sh"
export GOFLAGS=-mod=mod GOPATH="$cache/go" GOCACHE="$cache/go-build" GOTOOLCHAIN=local
GOBIN="$dir" go install go.einride.tech/can/cmd/cantool@v0.17.0 2>log || { cat log >&2; exit 1; }
mkdir dbc
cat >dbc/lamp.dbc <<'E'
VERSION ""

NS_ :

BS_:

BU_: SWITCH LAMP

BO_ 256 Lamp: 4 SWITCH
 SG_ Level : 0|12@1+ (0.01,0) [0|40.95] "V" LAMP
 SG_ Offset : 16|12@1- (0.01,0) [-20|20] "V" LAMP
E
./cantool generate dbc lampcan >/dev/null 2>&1
cat >main.go <<'E'
package main

import (
	"fmt"

	"finding/lampcan"
)

func main() {
	m := lampcan.NewLamp()
	fmt.Println("0.29 and -0.29:", m.SetLevel(0.29).Level(), m.SetOffset(-0.29).Offset())
	m.SetLevel(0.59)
	fmt.Print("0.59, read and written again and again:")
	for range 4 {
		fmt.Print(" ", m.SetLevel(m.Level()).Level())
	}
	low := 0
	for step := range 4096 {
		data := m.SetLevel(float64(step) / 100).Frame().Data
		if data.UnsignedBitsLittleEndian(0, 12) == uint64(step)-1 {
			low++
		}
	}
	fmt.Println("\nof 4096 steps one too low:", low)
}
E
go mod init finding 2>log
go mod edit -require go.einride.tech/can@v0.17.0
go build -o run . 2>>log || { cat log >&2; exit 1; }
./run >seen
as_found <<'E'
0.29 and -0.29: 0.28 -0.28
0.59, read and written again and again: 0.5700000000000001 0.5700000000000001 0.5700000000000001 0.5700000000000001
of 4096 steps one too low: 536
E
