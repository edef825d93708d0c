// Command kbus is everything that a person types to a KBUS bus: it sends and asks, listens and answers, tells who is
// there, explains error numbers, and performs a play. docs/cli.md is its manual. Started by the name of one of the
// original's utilities, through a link, it is that utility (utilities.go).
//
// It uses only what any program can use, the public package kbus, so it is also an example of that; `kbus bench`
// shares its measuring with kbus-bench, and `kbus list` what it asks of a Limpet with kbus-limpet.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	if utility := utilities[filepath.Base(os.Args[0])]; utility != nil {
		os.Exit(utility(os.Args[1:]))
	}
	os.Exit(run(os.Args[1:]))
}
