package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// What a program costs the pair that is not on the bus at all. On a machine whose processors fall asleep when nobody needs
// them, and that shares them with other machines, the pair is several times faster beside a busy program than alone, and
// now and then waits some milliseconds for its turn: neither is the bus's doing. So the usual is measured both ways.

const outside = "a program that is not on the bus, and uses all processors"

var outsideAttacks = []attack{
	{name: outside, do: func(a *attacker) {
		for range runtime.NumCPU() {
			go beOutside()
		}
		a.ready("sockets of its own, as fast as it can")
	}},
}

func beOutside() {
	b := make([]byte, 4096)
	for {
		s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		check(err)
		unix.Write(s[0], b)
		unix.Read(s[1], b)
		unix.Close(s[0])
		unix.Close(s[1])
	}
}
