package main

import (
	"fmt"
	"os"

	"kbus.example/kbus/cmd/kbus/errno"
	"kbus.example/kbus/cmd/kbus/kmsg"
	"kbus.example/kbus/cmd/kbus/kspeed"
)

// One program under several names: the utilities of the original.

// utilities are the original's, by the names of the links to kbus that `make install` makes. Each has the command line
// and the output that it always had (part 10.8).
var utilities = map[string]func(args []string) int{
	"kmsg":       func(args []string) int { return kmsg.Main(args, os.Stdin, os.Stdout, os.Stderr) },
	"kspeed":     func(args []string) int { return kspeed.Main(args, os.Stdout, os.Stderr) },
	"kbus-errno": explainErrno,
	"runlimpet":  func(args []string) int { return newLine().becomeLimpet("runlimpet", args) },
}

// explainErrno is R10.70. Its status is always 0.
func explainErrno(args []string) int {
	switch {
	case len(args) == 1 && args[0] == "-list":
		for _, e := range errno.All() {
			fmt.Print(e.Line())
		}
	case len(args) == 1:
		fmt.Print(errno.Explain(args[0]))
	default:
		fmt.Print("usage: kbus-errno NUMBER | NAME | -list\n")
	}
	return 0
}
